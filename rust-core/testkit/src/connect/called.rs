//! What a worker calls, and what it has called.

use alluvium_core::error::Result;
use alluvium_core::frame::Frame;
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::task::{Action, Answer, Errant, SafeOffset, SinkTask};
use std::time::Duration;

/// One call of a task, as Connect makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `open`.
    Open(Vec<TopicPartition>),
    /// `put`, with the positions of its records.
    Put(Vec<(TopicPartition, i64)>),
    /// `preCommit`, with `currentOffsets`.
    PreCommit(Vec<(TopicPartition, i64)>),
    /// `close`.
    Close(Vec<TopicPartition>),
}

/// What a worker drives: the sink task, or a script in its place.
pub trait Task {
    /// See [`SinkTask::open`].
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action>;
    /// See [`SinkTask::put`].
    ///
    /// # Errors
    /// The task's fatal error.
    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>>;
    /// See [`SinkTask::pre_commit`].
    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset>;
    /// See [`SinkTask::close`].
    fn close(
        &mut self,
        ids: &[TpId],
        flush: Duration,
        wait: Duration,
    ) -> impl Future<Output = bool>;
    /// See [`SinkTask::poll_actions`].
    fn poll_actions(&mut self) -> Vec<Action> {
        Vec::new()
    }
    /// See [`SinkTask::take_errants`].
    fn take_errants(&mut self) -> Vec<Errant> {
        Vec::new()
    }
    /// See [`SinkTask::errants_done`].
    fn errants_done(&mut self, _ids: &[u64]) {}
    /// See [`SinkTask::answers`].
    fn answers(&mut self, _answers: Vec<Answer>) {}
}

impl Task for SinkTask {
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
        self.open(tps)
    }
    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>> {
        self.put(frame)
    }
    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset> {
        self.pre_commit(current)
    }
    async fn close(&mut self, ids: &[TpId], flush: Duration, wait: Duration) -> bool {
        self.close(ids, flush, wait).await
    }
    fn poll_actions(&mut self) -> Vec<Action> {
        self.poll_actions()
    }
    fn take_errants(&mut self) -> Vec<Errant> {
        self.take_errants()
    }
    fn errants_done(&mut self, ids: &[u64]) {
        self.errants_done(ids);
    }
    fn answers(&mut self, answers: Vec<Answer>) {
        self.answers(answers);
    }
}
