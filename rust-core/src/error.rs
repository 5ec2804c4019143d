//! The one error type: a closed set of kinds, a status, context pairs, a source.
//!
//! Nobody matches on message text. The message of every error a user may see says what is wrong,
//! where (topic-partition, offset, key, file) and what to do.

use std::fmt;

/// What went wrong, as far as anybody's behaviour depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A configuration value that cannot work. Context: `key`.
    Config,
    /// A record that cannot become a row. Goes to the dead letter queue or stops the task.
    BadRecord,
    /// A frame that does not parse: our own bug, never the user's data.
    Corrupt,
    /// Another owner has claimed this topic-partition's log.
    Fenced,
    /// The store said no, or did not answer.
    Store,
    /// The outcome of a conditional write is not known yet.
    Unknown,
    /// A cell, batch or file that cannot be encoded.
    Encode,
    /// Two schemas that cannot live in one table.
    SchemaConflict,
    /// Offsets went backwards: the topic was re-created or truncated.
    OffsetRegression,
    /// Kafka expired records that were not read yet.
    RangeLost,
    /// What Kafka's admin client said is behind what is known: ask again.
    StaleFacts,
    /// A committed file's upload is gone from the store.
    LostUpload,
    /// The commit log is damaged, foreign or of an unknown version.
    Log,
    /// Another sink owns this topic or table.
    Ownership,
    /// The handle met a panic or was closed.
    Poisoned,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Trying again may succeed (network, 5xx, throttling).
    Temporary,
    /// Trying again gives the same answer.
    Permanent,
}

/// An error with its kind, status and context.
pub struct Error {
    kind: Kind,
    status: Status,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result type of the whole crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A permanent error.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let (status, message) = (Status::Permanent, message.into());
        Self { kind, status, message, context: Vec::new(), source: None }
    }

    /// The same error, marked as worth trying again.
    #[must_use]
    pub fn temporary(mut self) -> Self {
        self.status = Status::Temporary;
        self
    }

    /// The same error with one more pair of context (`key`, `topic`, `offset`, `file`, …).
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((name, value.to_string()));
        self
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether trying again can help.
    pub fn is_temporary(&self) -> bool {
        self.status == Status::Temporary
    }

    /// The message without context and source.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The value of a context pair.
    pub fn context(&self, name: &str) -> Option<&str> {
        self.context.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (i, (name, value)) in self.context.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { " [" } else { ", " })?;
        }
        if !self.context.is_empty() {
            f.write_str("]")?;
        }
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?}): {self}", self.kind, self.status)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_shows_message_context_and_causes() {
        let cause = std::io::Error::other("connection refused");
        let error = Error::new(Kind::Store, "PUT failed").with("key", "a/b").because(cause);
        assert_eq!(error.to_string(), "PUT failed [key=a/b]: connection refused");
        assert!(!error.is_temporary());
        assert_eq!(error.context("key"), Some("a/b"));
    }
}
