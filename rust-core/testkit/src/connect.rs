//! A worker of Connect in memory: polls, pauses, seeks, commits and rebalances one sink task as
//! the real `WorkerSinkTask` does (`delivery.md`, Connect facts).

mod admin;
mod called;
mod carried;
mod offsets;
mod poll;

pub use admin::Admin;
pub use called::{Call, Task};
pub use offsets::{Committed, Group};
pub use poll::Turn;

use crate::kafka::Kafka;
use alluvium_core::error::Result;
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::task::{Errant, SinkTask};
use offsets::Offsets;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Interned ids are never re-used in a process.
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// One sink task and the worker around it.
#[derive(Debug)]
pub struct Worker<T = SinkTask> {
    task: T,
    assigned: BTreeMap<TpId, TopicPartition>,
    offsets: Offsets,
    /// Survives revoke and assign, as in the real worker.
    paused: BTreeSet<TopicPartition>,
    seeks: BTreeMap<TopicPartition, i64>,
    next_frame: u64,
    /// What each frame holds, for those that errant records are told by.
    frames: BTreeMap<u64, Vec<(TopicPartition, i64)>>,
    /// The connector is paused over REST: nothing is polled, whatever the task asked for.
    pub rest_paused: bool,
    /// What was called, in order; `None` = nobody wants to know.
    pub trace: Option<Vec<Call>>,
    /// Frames Rust has not given back.
    pub lent: BTreeSet<u64>,
    /// Errant records reported so far.
    pub reported: Vec<Errant>,
    /// Positions whose reports are written.
    pub dead_letters: BTreeSet<(TopicPartition, i64)>,
    /// What `preCommit` has answered so far; whoever looks may empty it.
    pub answered: Vec<(TopicPartition, i64)>,
    /// Reports are written at once; else they stay unacknowledged.
    pub acknowledge: bool,
    /// The broker refuses the group's commits, as of a member that it has forgotten.
    pub commits_refused: bool,
    /// Records of one poll, per topic-partition.
    pub poll_records: usize,
    /// Kafka's admin client, which the shim asks.
    pub admin: Admin,
}

impl<T: Task> Worker<T> {
    /// A worker around a started task, without assignment.
    pub fn new(task: T) -> Self {
        Self {
            task,
            assigned: BTreeMap::new(),
            offsets: Offsets::default(),
            paused: BTreeSet::new(),
            seeks: BTreeMap::new(),
            next_frame: 1,
            frames: BTreeMap::new(),
            rest_paused: false,
            trace: None,
            lent: BTreeSet::new(),
            reported: Vec::new(),
            dead_letters: BTreeSet::new(),
            answered: Vec::new(),
            acknowledge: true,
            commits_refused: false,
            poll_records: 10,
            admin: Admin::default(),
        }
    }

    /// Partitions assigned: the consumer stands at the group's offset, else at the first.
    pub fn assign(&mut self, tps: &[TopicPartition], kafka: &Kafka, group: &Group) {
        let mut opened = Vec::new();
        for tp in tps {
            let id = TpId(NEXT_ID.fetch_add(1, Relaxed));
            let first = kafka.partition(tp).map_or(0, |p| p.first());
            self.offsets.assigned(tp, group.get(tp).copied().unwrap_or(first));
            self.assigned.insert(id, tp.clone());
            opened.push((id, tp.clone()));
        }
        // As `onPartitionsAssigned` does; of what is assigned again, a pause survives.
        let assigned = &self.assigned;
        self.paused.retain(|tp| assigned.values().any(|one| one == tp));
        self.note(|| Call::Open(tps.to_vec()));
        let actions = self.task.open(opened);
        self.carry_out(actions);
        // Applied only now, after an `open` that succeeded.
        self.rewind();
    }

    /// One turn of the worker's loop: rewind, poll, put.
    ///
    /// # Errors
    /// The task's fatal error.
    pub fn iterate(&mut self, kafka: &Kafka) -> Result<()> {
        self.rewind();
        self.poll_and_put(kafka)
    }

    /// A turn in which a rebalance takes topic-partitions away: Connect seeks, then calls `close`
    /// from within the poll, and only the next turn seeks again.
    ///
    /// # Errors
    /// The task's fatal error.
    pub async fn iterate_losing(
        &mut self,
        tps: &[TopicPartition],
        kafka: &Kafka,
        flush: Duration,
    ) -> Result<()> {
        self.rewind();
        self.lose(tps, flush).await;
        self.poll_and_put(kafka)
    }

    fn rewind(&mut self) {
        for (tp, offset) in std::mem::take(&mut self.seeks) {
            self.offsets.sought(&tp, offset);
        }
    }

    /// `preCommit` and the group commit.
    pub fn commit(&mut self, group: &mut Group) {
        let tps = self.assignment();
        if let Some(committed) = self.pre_commit(&tps).filter(|_| !self.commits_refused) {
            self.offsets.commit(committed, group);
        }
    }

    /// Calls `preCommit`; gives what is to be committed, `None` when nothing is.
    fn pre_commit(&mut self, tps: &[TopicPartition]) -> Option<Committed> {
        let told: Vec<(TopicPartition, i64)> =
            tps.iter().filter_map(|tp| Some((tp.clone(), self.offsets.current(tp)?))).collect();
        if told.is_empty() {
            return None;
        }
        self.note(|| Call::PreCommit(told));
        // The shim knows no id of what is closed.
        let known = self.assigned.iter().filter(|(_, tp)| tps.contains(tp));
        let current: Vec<(TpId, i64)> =
            known.filter_map(|(id, tp)| Some((*id, self.offsets.current(tp)?))).collect();
        let safe = self.task.pre_commit(&current);
        self.admin.note_committed(&self.assigned, &safe);
        let named = safe.iter().filter_map(|safe| Some((self.assigned.get(&safe.tp)?, safe)));
        let answers: Vec<_> = named.map(|(tp, safe)| (tp.clone(), *safe)).collect();
        self.answered.extend(answers.iter().map(|(tp, safe)| (tp.clone(), safe.offset)));
        self.offsets.committable(tps, &answers)
    }

    /// Partitions revoked: `preCommit`, then `close`, and only then the commit of what `preCommit`
    /// answered.
    pub async fn revoke(&mut self, tps: &[TopicPartition], group: &mut Group, flush: Duration) {
        let committed = self.pre_commit(tps);
        self.close(tps, flush).await;
        if let Some(committed) = committed.filter(|_| !self.commits_refused) {
            self.offsets.commit(committed, group);
        }
        self.offsets.revoked(tps);
    }

    /// The task ends: everything that was ever assigned and not lost is told once more, what was
    /// revoked long ago too.
    pub async fn stop(&mut self, group: &mut Group, flush: Duration) {
        let tps = self.offsets.known();
        self.revoke(&tps, group, flush).await;
    }

    /// Partitions lost: `close` only.
    pub async fn lose(&mut self, tps: &[TopicPartition], flush: Duration) {
        self.close(tps, flush).await;
        self.offsets.lost(tps);
    }

    async fn close(&mut self, tps: &[TopicPartition], flush: Duration) {
        let gone = |tp: &TopicPartition| tps.contains(tp);
        let ids: Vec<TpId> =
            self.assigned.iter().filter(|(_, tp)| gone(tp)).map(|(id, _)| *id).collect();
        self.note(|| Call::Close(tps.to_vec()));
        self.assigned.retain(|_, tp| !gone(tp));
        loop {
            let closed = self.task.close(&ids, flush, Duration::from_millis(100)).await;
            let actions = self.task.poll_actions();
            self.carry_out(actions);
            if closed {
                return;
            }
        }
    }

    /// Partitions are gone and `close` is never called.
    pub fn forget(&mut self, tps: &[TopicPartition]) {
        self.assigned.retain(|_, tp| !tps.contains(tp));
    }

    /// Every assigned topic-partition.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.assigned.values().cloned().collect()
    }

    /// The consumer's position changes behind the task's back, as `auto.offset.reset` does.
    pub fn jump(&mut self, tp: &TopicPartition, offset: i64) {
        self.offsets.jumped(tp, offset);
    }

    /// Where the consumer reads next.
    pub fn position(&self, tp: &TopicPartition) -> Option<i64> {
        self.offsets.position(tp)
    }

    /// Whether Connect was told to pause the topic-partition.
    pub fn is_paused(&self, tp: &TopicPartition) -> bool {
        self.paused.contains(tp)
    }

    /// The task.
    pub fn task_mut(&mut self) -> &mut T {
        &mut self.task
    }

    fn note(&mut self, call: impl FnOnce() -> Call) {
        if let Some(trace) = &mut self.trace {
            trace.push(call());
        }
    }
}

impl Worker {
    /// The task's counters.
    pub fn metrics(&self) -> serde_json::Value {
        self.task.metrics()
    }

    /// The worker dies: nothing is closed, nothing is committed.
    pub async fn crash(self) {
        self.task.shutdown().await;
    }
}
