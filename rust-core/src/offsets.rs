//! Room 10, offsets: in goes what is settled, out comes what Connect may commit. Pure.

use crate::position::TpId;
use uuid::Uuid;

/// What Connect may commit for a topic-partition. The group's metadata names the log and its
/// record, so that even an unchanged offset differs from what Connect last committed: otherwise a
/// group that was sought forward would stay behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeOffset {
    /// The assignment.
    pub tp: TpId,
    /// Everything below is visible, or accounted for as leaving no row.
    pub offset: i64,
    /// The record of the log that says so.
    pub seq: u64,
    /// The log.
    pub log_id: Uuid,
}

/// A position below which everything is visible, and the record that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledPosition {
    /// The log's next offset.
    pub next: i64,
    /// The record.
    pub seq: u64,
    /// The log.
    pub log_id: Uuid,
}

/// Never above where the consumer is: Connect refuses that.
pub fn safe(tp: TpId, settled: &SettledPosition, position: i64) -> SafeOffset {
    let SettledPosition { next, seq, log_id } = *settled;
    SafeOffset { tp, offset: next.min(position), seq, log_id }
}
