//! What happened in a store in memory, in order: an observer of many short steps need not look at
//! everything after each.

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An object was written: its key and ETag.
    Put(String, String),
    /// The object of this key was removed.
    Removed(String),
    /// An upload that was open was given up.
    Aborted(String),
}
