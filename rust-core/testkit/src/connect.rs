//! A worker of Connect in memory: polls, pauses, seeks, commits and rebalances one sink task as
//! the real `WorkerSinkTask` does (`delivery.md`, Connect facts).

use crate::kafka::{Entry, Kafka};
use alluvium_core::error::Result;
use alluvium_core::frame::{self, Frame, RawRecord};
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::task::{Action, Errant, SinkTask};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Interned ids are never re-used in a process.
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// What a group has committed: offsets by topic-partition.
pub type Group = BTreeMap<TopicPartition, i64>;

/// One sink task and the worker around it.
#[derive(Debug)]
pub struct Worker {
    task: SinkTask,
    assigned: BTreeMap<TpId, TopicPartition>,
    /// Where the consumer reads next; Connect's `currentOffsets` are these too.
    position: BTreeMap<TopicPartition, i64>,
    /// Survives revoke and assign, as in the real worker.
    paused: BTreeSet<TopicPartition>,
    seeks: BTreeMap<TopicPartition, i64>,
    next_frame: u64,
    /// Frames Rust has not given back.
    pub lent: BTreeSet<u64>,
    /// Errant records reported so far.
    pub reported: Vec<Errant>,
    /// Reports are written at once; else they stay unacknowledged.
    pub acknowledge: bool,
    /// Records of one poll, per topic-partition.
    pub poll_records: usize,
}

impl Worker {
    /// A worker around a started task, without assignment.
    pub fn new(task: SinkTask) -> Self {
        Self {
            task,
            assigned: BTreeMap::new(),
            position: BTreeMap::new(),
            paused: BTreeSet::new(),
            seeks: BTreeMap::new(),
            next_frame: 1,
            lent: BTreeSet::new(),
            reported: Vec::new(),
            acknowledge: true,
            poll_records: 10,
        }
    }

    /// Partitions assigned: the consumer stands at the group's offset, else at the first.
    pub fn assign(&mut self, tps: &[TopicPartition], kafka: &Kafka, group: &Group) {
        let mut opened = Vec::new();
        for tp in tps {
            let id = TpId(NEXT_ID.fetch_add(1, Relaxed));
            let first = kafka.partition(tp).map_or(0, |p| p.first());
            self.position.insert(tp.clone(), group.get(tp).copied().unwrap_or(first));
            self.assigned.insert(id, tp.clone());
            opened.push((id, tp.clone()));
        }
        let actions = self.task.open(opened);
        self.carry_out(actions);
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

    fn poll_and_put(&mut self, kafka: &Kafka) -> Result<()> {
        let polled = self.poll(kafka);
        let actions = self.task.put(None)?;
        self.carry_out(actions);
        if let Some(frame) = polled {
            self.lent.insert(frame.id);
            let actions = self.task.put(Some(frame))?;
            self.carry_out(actions);
        }
        Ok(())
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
            self.position.insert(tp, offset);
        }
    }

    fn poll(&mut self, kafka: &Kafka) -> Option<Frame> {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for (id, tp) in &self.assigned {
            let (Some(partition), Some(position)) =
                (kafka.partition(tp), self.position.get_mut(tp))
            else {
                continue;
            };
            if self.paused.contains(tp) {
                continue;
            }
            let mut taken = 0;
            for (offset, entry) in partition.from(*position) {
                if taken == self.poll_records {
                    break;
                }
                *position = offset + 1;
                if let Entry::Record(value) = entry {
                    let record = RawRecord {
                        tp: *id,
                        offset,
                        timestamp_ms: Some(1_767_225_600_000),
                        key: None,
                        value: value.as_deref(),
                    };
                    frame::append(&mut bytes, &record);
                    count += 1;
                    taken += 1;
                }
            }
        }
        let id = self.next_frame;
        self.next_frame += 1;
        (count > 0).then(|| Frame { id, bytes: bytes.into(), count })
    }

    /// `preCommit` and the group commit.
    pub fn commit(&mut self, group: &mut Group) {
        let current: Vec<(TpId, i64)> = self
            .assigned
            .iter()
            .filter_map(|(id, tp)| self.position.get(tp).map(|position| (*id, *position)))
            .collect();
        for safe in self.task.pre_commit(&current) {
            if let Some(tp) = self.assigned.get(&safe.tp) {
                group.insert(tp.clone(), safe.offset);
            }
        }
    }

    /// Partitions revoked: `preCommit`, then `close`.
    pub async fn revoke(&mut self, tps: &[TopicPartition], group: &mut Group, flush: Duration) {
        self.commit(group);
        self.lose(tps, flush).await;
    }

    /// Partitions lost: `close` only.
    pub async fn lose(&mut self, tps: &[TopicPartition], flush: Duration) {
        let gone = |tp: &TopicPartition| tps.contains(tp);
        let ids: Vec<TpId> =
            self.assigned.iter().filter(|(_, tp)| gone(tp)).map(|(id, _)| *id).collect();
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
        self.position.insert(tp.clone(), offset);
    }

    /// Whether Connect was told to pause the topic-partition.
    pub fn is_paused(&self, tp: &TopicPartition) -> bool {
        self.paused.contains(tp)
    }

    /// The task's counters.
    pub fn metrics(&self) -> serde_json::Value {
        self.task.metrics()
    }

    /// The worker dies: nothing is closed, nothing is committed.
    pub async fn crash(self) {
        self.task.shutdown().await;
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Seek(id, offset) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.seeks.insert(tp.clone(), offset);
                    }
                }
                Action::Pause(id) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.paused.insert(tp.clone());
                    }
                }
                Action::Resume(id) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.paused.remove(tp);
                    }
                }
                Action::Release(frame) => {
                    self.lent.remove(&frame);
                }
                Action::Errants => self.report(),
            }
        }
    }

    /// Every report so far is written.
    pub fn acknowledge_all(&mut self) {
        let ids: Vec<u64> = self.reported.iter().map(|errant| errant.id).collect();
        self.task.errants_done(&ids);
    }

    fn report(&mut self) {
        let errants = self.task.take_errants();
        if self.acknowledge {
            let ids: Vec<u64> = errants.iter().map(|errant| errant.id).collect();
            self.task.errants_done(&ids);
        }
        self.reported.extend(errants);
    }
}
