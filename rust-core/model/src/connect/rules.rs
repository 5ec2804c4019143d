//! What protects the way from Connect to the log; each can be taken out.

/// Each rule as the code has it. Taken out alone, each has a counterexample (`tests/connect.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A re-open after FENCED is a new life (H13).
    pub generation_at_reopen: bool,
    /// FENCED forgets the life: what is still queued for it is dropped.
    pub fenced_forgets_life: bool,
    /// A Start counts only for the claim it answers (H16).
    pub start_names_epoch: bool,
    /// A topic-partition with unknown next is left out of `preCommit` (H14).
    pub unknown_next_left_out: bool,
    /// While a seek is pending, what is delivered is not taken.
    pub nothing_taken_while_seeking: bool,
    /// While a seek is pending, `currentOffsets` is not believed (H7).
    pub no_position_while_seeking: bool,
    /// A cut ends where the queue was taken to, not where the consumer is (H7).
    pub cut_end_from_queue: bool,
    /// Without a known next, the consumer is sought to the first offset seen (H8).
    pub seek_at_unknown_next: bool,
    /// FENCED forgets everything but the first offset seen (H8).
    pub first_seen_kept: bool,
    /// Only `put` begins a life: never `close` of another topic-partition.
    pub only_put_takes_ready: bool,
    /// `open` says "pause", whatever Connect's pause set holds from an earlier assignment.
    pub open_pauses: bool,
    /// The books of a cut are held against each other before its record (I8).
    pub books: bool,
}

impl Rules {
    /// All of them.
    pub const ALL: Self = Self {
        generation_at_reopen: true,
        fenced_forgets_life: true,
        start_names_epoch: true,
        unknown_next_left_out: true,
        nothing_taken_while_seeking: true,
        no_position_while_seeking: true,
        cut_end_from_queue: true,
        seek_at_unknown_next: true,
        first_seen_kept: true,
        only_put_takes_ready: true,
        open_pauses: true,
        books: true,
    };
}
