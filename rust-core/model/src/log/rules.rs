//! What protects the log; each can be taken out.

/// Each rule as the code has it. Taken out alone, each has a counterexample (`tests/log.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// After a won PUT the head is listed; a later record fences (H2).
    pub head_check: bool,
    /// What is at the key is ours by its nonce only (H3).
    pub nonce: bool,
    /// A refused PUT aborts nothing (H3).
    pub refused_keeps_uploads: bool,
    /// Another owner's record at our key aborts nothing either (I6).
    pub seen_foreign_keeps_uploads: bool,
    /// Uploads that no record names are left to the store (H1).
    pub foreign_uploads_kept: bool,
    /// A claim copies the head's `unsettled`.
    pub claim_copies_unsettled: bool,
    /// Each record copies the head's `carry` (H12).
    pub carry_copied: bool,
    /// At most one log PUT under way (H15).
    pub one_put: bool,
    /// GC stays below what the owner's record says is unsettled, not what its memory says.
    pub gc_by_record: bool,
    /// A record whose uploads are older than `upload.max.age.ms` is not sent (H4).
    pub age_guard: bool,
    /// A user is told that a file is settled once a record says so (H10).
    pub durable_settle: bool,
}

impl Rules {
    /// All of them.
    pub const ALL: Self = Self {
        head_check: true,
        nonce: true,
        refused_keeps_uploads: true,
        seen_foreign_keeps_uploads: true,
        foreign_uploads_kept: true,
        claim_copies_unsettled: true,
        carry_copied: true,
        one_put: true,
        gc_by_record: true,
        age_guard: true,
        durable_settle: true,
    };
}
