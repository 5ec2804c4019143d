//! What the task thread is asked to do: the core decides, the shim carries it out.

use crate::position::TpId;

/// What the shim is to do, in this order, on the task thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `context.offset`.
    Seek(TpId, i64),
    /// `context.pause`.
    Pause(TpId),
    /// `context.resume`.
    Resume(TpId),
    /// The frame's buffer, and the records it was made of, may be let go.
    Release(u64),
    /// There are errant records to take.
    Errants,
    /// Kafka's admin client is to be asked about the topic-partition; the answer names the ticket.
    Facts(TpId, u64),
    /// It is to be looked whether any record lies from this offset on.
    Tail(TpId, i64),
}
