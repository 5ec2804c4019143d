//! What the two halves of a task tell each other: messages go down a queue in the order of the
//! records, events come back to the task thread, which takes them at the start of a `put`.

use super::errants::Errant;
use super::facts::Answer;
use super::topic_partition::Generation;
use crate::error::Error;
use crate::frame::Frame;
use crate::position::{TopicPartition, TpId};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

/// In the order of the records: this queue is the barrier a cut stands at.
#[derive(Debug)]
pub(super) enum Message {
    /// A life of a topic-partition begins, answering the claim of this epoch in this log: each
    /// generation of a topic has logs of its own, whose epochs begin anew.
    Start { tp: TpId, generation: Generation, epoch: u64, log_id: Uuid, x: Option<i64> },
    /// Records; of the topic-partitions in `lives` only, each for the life it was delivered to.
    Records { frame: Frame, lives: Vec<(TpId, Generation)> },
    /// The consumer moved to `end` without delivering what lies between.
    Position { tp: TpId, generation: Generation, end: i64 },
}

/// Past the queue: these do not wait for the records before them.
#[derive(Debug)]
pub(super) enum Control {
    /// A topic-partition was assigned.
    Open { id: TpId, tp: TopicPartition },
    /// Topic-partitions were revoked: commit what stands at `cut_at`, answer by `deadline`.
    Close { ids: Vec<TpId>, cut_at: Instant, deadline: Instant, done: oneshot::Sender<()> },
    /// Reports of errant records are written.
    ErrantsDone(Vec<u64>),
    /// What Kafka's admin client said.
    Answers(Vec<Answer>),
}

/// What the task thread has to know.
#[derive(Debug)]
pub(super) enum Event {
    /// The log is ours.
    Ready { tp: TpId, epoch: u64, next: Option<i64>, seq: u64, log_id: Uuid },
    /// The log is still ours, and the consumer has to go back to `next`: what it delivered since
    /// was not taken.
    Again { tp: TpId, epoch: u64, log_id: Uuid, next: i64 },
    /// Kafka's admin client is asked.
    Ask { tp: TpId, ticket: u64 },
    /// Whether anything lies from this offset on is to be looked at.
    AskTail { tp: TpId, from: i64 },
    /// It no longer is; it is being claimed again.
    Fenced { tp: TpId },
    /// This topic-partition needs an operator; others go on.
    Failed { tp: TpId },
    /// Everything below `next` is visible.
    Settled { tp: TpId, next: i64, seq: u64, log_id: Uuid },
    /// The topic-partition must wait for its own commit, or need not any longer.
    Throttle { tp: TpId, on: bool },
    /// The frame's buffer is free.
    Release { frame: u64 },
    /// A record for the dead letter queue.
    Errant(Errant),
    /// The task cannot go on.
    Fatal(Error),
}

/// Events waiting for the task thread.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Vec<Event>>);

impl Outbox {
    pub(super) fn push(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
