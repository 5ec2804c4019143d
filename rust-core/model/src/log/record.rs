//! Log records and the files they name.

/// A place in [`State::recs`](super::state::State::recs).
pub type Id = u8;
/// No record.
pub const NONE: Id = 0xff;
/// A record whose content nobody can care about any more: its key is taken, that is all.
pub const OTHER: Id = 0xfe;
/// Sequence numbers the store has room for; a search is bounded far below.
pub const KEYS: usize = 16;

/// Kind of a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A new owner.
    Claim,
    /// The files of a cut.
    Commit,
    /// Fewer unsettled commits.
    Advance,
}

/// One file of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum File {
    /// The record has none.
    Absent,
    /// Uploaded, invisible.
    Open,
    /// The same, for longer than `upload.max.age.ms`: the store may expire it.
    Old,
    /// Visible.
    Visible,
    /// Visible once; compacted or expired by its user since.
    Taken,
    /// Its upload expired or was aborted, or its chunks freed by an abort after the completion.
    Gone,
}

impl File {
    /// Whether it can be made visible.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Old)
    }

    /// Whether readers see its rows, or saw them.
    pub fn seen(self) -> bool {
        matches!(self, Self::Visible | Self::Taken)
    }
}

/// A log record, sent or about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rec {
    /// Kind.
    pub kind: Kind,
    /// Its key.
    pub seq: u8,
    /// Who made it.
    pub owner: u8,
    /// Sequence number of that owner's claim.
    pub epoch: u8,
    /// First offset.
    pub start: u8,
    /// Offset behind the last.
    pub next: u8,
    /// Files; each holds a row of every offset.
    pub files: [File; 2],
    /// Requests under way that may still land.
    pub late: u8,
    /// Whether it ever was the head (nobody in the model reads this).
    pub chain: bool,
    /// Owners that claimed since, while it was not settled (nobody reads this either).
    pub claimed_by: u8,
    /// What every record copies from the one before it; here the next offset of the last commit.
    pub carry: u8,
    /// The record before it.
    pub prev: Id,
    /// Commits whose files may not all be visible.
    pub unsettled: u16,
}

/// The members of a set of records.
pub fn ids(set: u16) -> impl Iterator<Item = Id> {
    (0..16).filter(move |id| set & (1 << id) != 0)
}
