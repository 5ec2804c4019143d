//! The consumer's poll: records of every topic-partition that is not paused, as one frame.

use super::{Call, Group, Task, Worker};
use crate::kafka::{Entry, Kafka};
use alluvium_core::error::Result;
use alluvium_core::frame::{self, Frame, RawRecord};
use alluvium_core::position::{TopicPartition, TpId};
use std::time::Duration;

/// What happens in one turn of the worker's loop beside polling.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The interval has passed: `preCommit` runs, before anything else.
    pub commit: bool,
    /// The rebalance within the poll takes these away, `preCommit` and `close` are called,
    pub revoked: Vec<TopicPartition>,
    /// or of these `close` only,
    pub lost: Vec<TopicPartition>,
    /// and gives these.
    pub assigned: Vec<TopicPartition>,
    /// How long `close` may take.
    pub close_flush: Duration,
}

/// A frame as it is filled.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    records: Vec<(TopicPartition, i64)>,
}

impl<T: Task> Worker<T> {
    /// One turn as `WorkerSinkTask` takes it: commit, rewind, poll with the rebalance in it, put.
    ///
    /// # Errors
    /// The task's fatal error.
    pub async fn turn(&mut self, turn: &Turn, kafka: &Kafka, group: &mut Group) -> Result<()> {
        if turn.commit {
            self.commit(group);
        }
        self.rewind();
        if !turn.revoked.is_empty() {
            self.revoke(&turn.revoked, group, turn.close_flush).await;
        }
        if !turn.lost.is_empty() {
            self.lose(&turn.lost, turn.close_flush).await;
        }
        if !turn.assigned.is_empty() {
            self.assign(&turn.assigned, kafka, group);
        }
        self.poll_and_put(kafka)
    }

    pub(super) fn poll_and_put(&mut self, kafka: &Kafka) -> Result<()> {
        let polled = self.poll(kafka);
        if let Some(records) = polled.as_ref().and_then(|frame| self.frames.get(&frame.id)).cloned()
        {
            self.note(|| Call::Put(records));
        }
        self.answer(kafka);
        let actions = self.task.put(None)?;
        self.carry_out(actions);
        if let Some(frame) = polled {
            self.lent.insert(frame.id);
            let actions = self.task.put(Some(frame))?;
            self.carry_out(actions);
        }
        self.offsets.put_returned();
        Ok(())
    }

    fn poll(&mut self, kafka: &Kafka) -> Option<Frame> {
        let mut batch = Batch::default();
        let assigned: Vec<_> = self.assigned.iter().map(|(id, tp)| (*id, tp.clone())).collect();
        for (id, tp) in assigned {
            if !self.rest_paused && !self.paused.contains(&tp) {
                self.poll_partition(id, &tp, kafka, &mut batch);
            }
        }
        if batch.records.is_empty() {
            return None;
        }
        let id = self.next_frame;
        self.next_frame += 1;
        let count = batch.records.len() as u32;
        self.frames.insert(id, batch.records);
        Some(Frame { id, bytes: batch.bytes.into(), count })
    }

    fn poll_partition(&mut self, id: TpId, tp: &TopicPartition, kafka: &Kafka, batch: &mut Batch) {
        let (Some(partition), Some(position)) = (kafka.partition(tp), self.offsets.position(tp))
        else {
            return;
        };
        let in_range = (partition.first()..=partition.end()).contains(&position);
        // `auto.offset.reset=earliest`: after retention, or after the topic was truncated.
        let position = if in_range { position } else { partition.first() };
        self.offsets.jumped(tp, position);
        let mut taken = 0;
        for (offset, entry) in partition.from(position) {
            if taken == self.poll_records {
                break;
            }
            self.offsets.jumped(tp, offset + 1);
            let Some(value) = (match entry {
                // A marker moves the consumer, and nobody is told.
                Entry::Gap => continue,
                Entry::Dropped => None,
                Entry::Record(value) => Some(value.as_deref()),
            }) else {
                self.offsets.delivered(tp, offset);
                taken += 1;
                continue;
            };
            let timestamp_ms = Some(1_767_225_600_000);
            let record = RawRecord { tp: id, offset, timestamp_ms, key: None, value };
            frame::append(&mut batch.bytes, &record);
            batch.records.push((tp.clone(), offset));
            self.offsets.delivered(tp, offset);
            taken += 1;
        }
    }
}
