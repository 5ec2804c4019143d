//! The pipeline behind a handle: in go one task's calls, on its Java thread, out come the core's
//! answers. Turns the core's futures into calls that wait; decides nothing.

use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::frame::Frame;
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::task::{Action, Answer, Errant, SafeOffset, SinkTask};
use std::fmt::Debug;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long the end of a task is waited for.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// What the entries ask of a task. The core's [`SinkTask`] answers; tests put others in its place.
pub(crate) trait Pipeline: Debug + Send {
    /// Topic-partitions were assigned.
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action>;
    /// `None` begins a Connect `put`, the frames follow. Fails with the task's fatal error.
    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>>;
    /// Pairs of topic-partition and the consumer's offset.
    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset>;
    /// Begins closing, waits at most `wait`; true when it is finished.
    fn close(&mut self, ids: &[TpId], wait: Duration) -> (Vec<Action>, bool);
    /// Errant records to report.
    fn take_errants(&mut self) -> Vec<Errant>;
    /// These were reported.
    fn errants_done(&mut self, ids: &[u64]);
    /// What Kafka's admin client said.
    fn facts(&mut self, answers: Vec<Answer>);
    /// The task's counters, a JSON object.
    fn metrics(&self) -> serde_json::Value;
    /// Ends the pipeline and lets go of every frame. Nothing is called afterwards.
    fn shutdown(&mut self);
}

/// A pipeline of the core.
#[derive(Debug)]
pub(crate) struct CorePipeline {
    task: Option<SinkTask>,
    runtime: Handle,
    close_flush: Duration,
}

impl CorePipeline {
    /// `close_flush` is `close.flush.ms`.
    pub(crate) fn new(task: SinkTask, runtime: Handle, close_flush: Duration) -> Self {
        Self { task: Some(task), runtime, close_flush }
    }
}

impl Pipeline for CorePipeline {
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
        self.task.as_mut().map(|task| task.open(tps)).unwrap_or_default()
    }

    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>> {
        let ended = || Error::new(Kind::Poisoned, "the task was ended");
        self.task.as_mut().ok_or_else(ended)?.put(frame)
    }

    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset> {
        self.task.as_mut().map(|task| task.pre_commit(current)).unwrap_or_default()
    }

    fn close(&mut self, ids: &[TpId], wait: Duration) -> (Vec<Action>, bool) {
        let Some(task) = &mut self.task else { return (Vec::new(), true) };
        let finished = self.runtime.block_on(task.close(ids, self.close_flush, wait));
        (task.poll_actions(), finished)
    }

    fn take_errants(&mut self) -> Vec<Errant> {
        self.task.as_mut().map(SinkTask::take_errants).unwrap_or_default()
    }

    fn errants_done(&mut self, ids: &[u64]) {
        if let Some(task) = &mut self.task {
            task.errants_done(ids);
        }
    }

    fn facts(&mut self, answers: Vec<Answer>) {
        if let Some(task) = &mut self.task {
            task.answers(answers);
        }
    }

    fn metrics(&self) -> serde_json::Value {
        self.task.as_ref().map(SinkTask::metrics).unwrap_or_default()
    }

    fn shutdown(&mut self) {
        let Some(task) = self.task.take() else { return };
        let ended = self
            .runtime
            .block_on(async { tokio::time::timeout(SHUTDOWN_LIMIT, task.shutdown()).await });
        if ended.is_err() {
            tracing::error!("the pipeline of a task did not end within {SHUTDOWN_LIMIT:?}");
        }
    }
}

/// Wraps a pipeline in the fault that the configuration asks for (`alluvium.inject`).
#[cfg(feature = "inject")]
pub(crate) fn injected(pipeline: Box<dyn Pipeline>, fault: Option<&str>) -> Box<dyn Pipeline> {
    match fault {
        Some("panic-in-put") => Box::new(PanicInPut(pipeline)),
        _ => pipeline,
    }
}

/// Panics at every frame.
#[cfg(feature = "inject")]
#[derive(Debug)]
struct PanicInPut(Box<dyn Pipeline>);

#[cfg(feature = "inject")]
#[expect(clippy::panic, reason = "what it is for")]
impl Pipeline for PanicInPut {
    fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
        self.0.open(tps)
    }

    fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>> {
        match frame {
            Some(frame) => panic!("injected: alluvium.inject=panic-in-put, frame {}", frame.id),
            None => self.0.put(None),
        }
    }

    fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset> {
        self.0.pre_commit(current)
    }

    fn close(&mut self, ids: &[TpId], wait: Duration) -> (Vec<Action>, bool) {
        self.0.close(ids, wait)
    }

    fn take_errants(&mut self) -> Vec<Errant> {
        self.0.take_errants()
    }

    fn errants_done(&mut self, ids: &[u64]) {
        self.0.errants_done(ids);
    }

    fn facts(&mut self, answers: Vec<Answer>) {
        self.0.facts(answers);
    }

    fn metrics(&self) -> serde_json::Value {
        self.0.metrics()
    }

    fn shutdown(&mut self) {
        self.0.shutdown();
    }
}
