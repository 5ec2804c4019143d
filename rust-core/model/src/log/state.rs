//! What the store holds and what each owner knows. Records are named by their place in
//! [`State::recs`]; [`State::tidy`] forgets what nobody can refer to any more and names the rest
//! anew, so that histories with the same future are one state.

pub use super::record::{File, Id, KEYS, Kind, NONE, OTHER, Rec, ids};

/// Where an owner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Not there.
    Down,
    /// About to look for the head.
    Opening,
    /// A listing named a head: about to read key `seen`; `at` is the newest record read so far.
    Reading,
    /// About to send `cur`.
    Put,
    /// `cur` was refused: about to read its key.
    Refused,
    /// The outcome of `cur` is unknown: about to read its key.
    Unknown,
    /// `cur` is at its key: about to list.
    Verify,
    /// About to read the record of the oldest commit in `todo`.
    ReadUnsettled,
    /// Publishing the files of `at`.
    Recover,
    /// Publishing the files of `cur`.
    Publish,
    /// Nothing under way.
    Ready,
    /// Another owner's record was seen; about to open again.
    Fenced,
    /// An operator is needed.
    Failed,
}

/// What one owner knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Where it stands.
    pub phase: Phase,
    /// The record being sent.
    pub cur: Id,
    /// Its latest record that was the head.
    pub head: Id,
    /// The commit in recovery.
    pub at: Id,
    /// Files of `at` or `cur` it has seen, one bit each. While opening, the key of a record that a
    /// claim met (0 = none); while reading, the key it reads next, and [`READ_ON`].
    pub seen: u8,
    /// Commits that in its knowledge may not be visible.
    pub pending: u16,
    /// Of these, what recovery has yet to look at.
    pub todo: u16,
}

/// It reads on until nothing follows.
pub const READ_ON: u8 = 0x80;

/// An owner that is not there.
pub const DOWN: Owner =
    Owner { phase: Phase::Down, cur: NONE, head: NONE, at: NONE, seen: 0, pending: 0, todo: 0 };

/// What a step did wrong, kept for the properties.
pub mod wrong {
    /// A record became the head that does not go on where the head ended.
    pub const NOT_CONTIGUOUS: u8 = 1;
    /// The next offset went back.
    pub const BACKWARDS: u8 = 2;
    /// An owner took its own record for another owner's.
    pub const SELF_FENCED: u8 = 4;
    /// A committed file was given up, or can no longer be reached from the head.
    pub const LOST: u8 = 8;
    /// A file of no commit became visible.
    pub const UNCOMMITTED: u8 = 16;
    /// A row became visible twice.
    pub const TWICE: u8 = 32;
    /// The model itself ran out of room.
    pub const NO_ROOM: u8 = 64;
    /// What every record copies was not copied.
    pub const NOT_CARRIED: u8 = 128;
}

/// The whole world of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Records that anybody can still refer to.
    pub recs: Vec<Rec>,
    /// What is at each key of the log.
    pub live: [Id; KEYS],
    /// The chain's last record (nobody in the model reads this, owners list).
    pub head: Id,
    /// Rows of forgotten commits that are visible.
    pub rows: u8,
    /// Owners.
    pub owners: Vec<Owner>,
    /// Crashes left.
    pub crashes: u8,
    /// Lost, late, doubled and wrongly refused requests left.
    pub faults: u8,
    /// Times that the files of a cut may yet grow old.
    pub ages: u8,
    /// Files that users may yet take away.
    pub takes: u8,
    /// Listings may be behind: then any record that is there may still be read.
    pub fine: bool,
    /// Owners may change places: fewer states, traces that are harder to read.
    pub alike: bool,
    /// See [`wrong`].
    pub wrong: u8,
}

impl State {
    /// The record named `id`.
    pub fn rec(&self, id: Id) -> &Rec {
        &self.recs[id as usize]
    }

    /// The record named `id`, to be changed.
    pub fn rec_mut(&mut self, id: Id) -> &mut Rec {
        &mut self.recs[id as usize]
    }

    /// A new record.
    pub fn add(&mut self, rec: Rec) -> Id {
        if self.recs.len() >= 16 {
            self.wrong |= wrong::NO_ROOM;
            return 0;
        }
        self.recs.push(rec);
        (self.recs.len() - 1) as Id
    }

    /// What a listing shows as the head: the highest key.
    pub fn listed(&self) -> Option<(u8, Id)> {
        (1..KEYS).rev().find(|seq| self.live[*seq] != NONE).map(|seq| (seq as u8, self.live[seq]))
    }

    /// Sequence number of the chain's head.
    pub fn head_seq(&self) -> u8 {
        if self.head == NONE { 0 } else { self.rec(self.head).seq }
    }

    /// Commits the head says may not be visible.
    pub fn unsettled(&self) -> u16 {
        if self.head == NONE { 0 } else { self.rec(self.head).unsettled }
    }

    /// The oldest of a set of commits.
    pub fn oldest(&self, set: u16) -> Option<Id> {
        ids(set).min_by_key(|id| self.rec(*id).seq)
    }

    /// A create-if-absent takes effect. Whether it created anything.
    pub fn land(&mut self, id: Id) -> bool {
        let rec = *self.rec(id);
        let key = rec.seq as usize;
        if self.live[key] != NONE {
            return false;
        }
        self.live[key] = id;
        if rec.seq == self.head_seq() + 1 {
            self.extend(id, rec);
        }
        true
    }

    fn extend(&mut self, id: Id, rec: Rec) {
        let (next, epoch) = match self.head {
            NONE => (0, 0),
            head => (self.rec(head).next, self.rec(head).epoch),
        };
        let own = rec.kind == Kind::Claim || rec.epoch == epoch;
        if rec.prev != self.head || rec.start != next || !own {
            self.wrong |= wrong::NOT_CONTIGUOUS;
        }
        if rec.next < next {
            self.wrong |= wrong::BACKWARDS;
        }
        if self.head != NONE && rec.carry < self.rec(self.head).carry {
            self.wrong |= wrong::NOT_CARRIED;
        }
        if rec.kind == Kind::Claim {
            for other in &mut self.recs {
                if other.chain && other.files.iter().any(|file| file.is_open()) {
                    other.claimed_by |= 1 << rec.owner;
                }
            }
        }
        let rec = self.rec_mut(id);
        rec.chain = true;
        rec.prev = NONE;
        self.head = id;
    }

    /// Rows of a commit's files that readers see, one bit a row.
    pub fn rows_of(rec: &Rec) -> u8 {
        let mut rows = 0;
        for (half, file) in rec.files.iter().enumerate() {
            if file.seen() {
                for offset in rec.start..rec.next {
                    rows |= 1 << (offset as usize * 2 + half);
                }
            }
        }
        rows
    }
}
