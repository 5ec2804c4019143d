//! The task-thread half of one topic-partition: what Connect was told, and what it may deliver.

use super::topic_partition::Generation;
use crate::offsets::SettledPosition;

/// Where the topic-partition stands, as the task thread knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its log is being claimed.
    Opening,
    /// Records are taken.
    Running,
    /// Another owner claimed the log; it is being claimed again.
    Fenced,
    /// It needs an operator.
    Failed,
}

/// One assignment of a topic-partition.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) phase: Phase,
    /// The present life; 0 = none yet.
    pub(super) generation: Generation,
    /// Number of the Connect `put` in which a seek was asked for and not yet carried out.
    pub(super) seek_asked: Option<u64>,
    /// The offset behind the last one handed to the queue.
    pub(super) enqueued: i64,
    /// The first offset delivered to this assignment, whatever became of it.
    pub(super) first_seen: Option<i64>,
    /// Its own commit is in flight and the next has reached a limit.
    pub(super) throttled: bool,
    /// Whether Connect was told to pause it.
    pub(super) paused: bool,
    /// What `preCommit` may answer.
    pub(super) settled: Option<SettledPosition>,
}

impl Assigned {
    /// Just assigned: paused until its log is ours.
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Opening,
            generation: 0,
            seek_asked: None,
            enqueued: 0,
            first_seen: None,
            throttled: false,
            paused: true,
            settled: None,
        }
    }

    /// Whether what is delivered now goes into the queue; if not, it will be sought and read again.
    pub(super) fn takes_records(&self) -> bool {
        self.phase == Phase::Running && self.seek_asked.is_none()
    }

    /// A new life begins; gives where to seek to. Without a known next offset of the log that is
    /// the first offset this assignment ever delivered: what was ignored since must come again.
    pub(super) fn begin(&mut self, next: Option<i64>, call: u64) -> Option<i64> {
        let x = next.or(self.first_seen);
        self.phase = Phase::Running;
        self.generation += 1;
        self.enqueued = x.unwrap_or(0);
        self.seek_asked = x.map(|_| call);
        x
    }
}
