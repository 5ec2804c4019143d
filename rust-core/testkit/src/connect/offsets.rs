//! The four numbers Connect keeps of each topic-partition: where its consumer reads next, what it
//! tells `preCommit` (`currentOffsets`), what it believes to have committed
//! (`lastCommittedOffsets`), and what the group has. Each moves at a time of its own.

use alluvium_core::position::TopicPartition;
use alluvium_core::task::SafeOffset;
use std::collections::BTreeMap;

/// What a group has committed: offsets by topic-partition.
pub type Group = BTreeMap<TopicPartition, i64>;

/// An offset with its metadata: the same offset of another record is another commit.
type OffsetAndMetadata = (i64, Option<u64>);

/// What is to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed(BTreeMap<TopicPartition, OffsetAndMetadata>);

/// The offsets of one worker's consumer.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    position: BTreeMap<TopicPartition, i64>,
    /// Moves when `put` has returned. Of a revoked topic-partition it stays, of a lost one not.
    current: BTreeMap<TopicPartition, i64>,
    last_committed: BTreeMap<TopicPartition, OffsetAndMetadata>,
    /// Delivered in the poll that `put` has not returned from.
    delivered: BTreeMap<TopicPartition, i64>,
}

impl Offsets {
    pub(super) fn assigned(&mut self, tp: &TopicPartition, offset: i64) {
        self.sought(tp, offset);
    }

    /// A seek moves all three.
    pub(super) fn sought(&mut self, tp: &TopicPartition, offset: i64) {
        self.position.insert(tp.clone(), offset);
        self.current.insert(tp.clone(), offset);
        self.last_committed.insert(tp.clone(), (offset, None));
    }

    pub(super) fn jumped(&mut self, tp: &TopicPartition, offset: i64) {
        self.position.insert(tp.clone(), offset);
    }

    pub(super) fn position(&self, tp: &TopicPartition) -> Option<i64> {
        self.position.get(tp).copied()
    }

    pub(super) fn current(&self, tp: &TopicPartition) -> Option<i64> {
        self.current.get(tp).copied()
    }

    /// Every topic-partition of `currentOffsets`.
    pub(super) fn known(&self) -> Vec<TopicPartition> {
        self.current.keys().cloned().collect()
    }

    /// A record was polled, whatever transforms made of it.
    pub(super) fn delivered(&mut self, tp: &TopicPartition, offset: i64) {
        self.delivered.insert(tp.clone(), offset + 1);
    }

    /// `put` has returned.
    pub(super) fn put_returned(&mut self) {
        self.current.append(&mut self.delivered);
    }

    pub(super) fn revoked(&mut self, tps: &[TopicPartition]) {
        self.last_committed.retain(|tp, _| !tps.contains(tp));
    }

    pub(super) fn lost(&mut self, tps: &[TopicPartition]) {
        self.revoked(tps);
        self.current.retain(|tp, _| !tps.contains(tp));
    }

    /// What Connect commits after `preCommit` answered: of those left out, what it last committed
    /// or sought to. `None`: the task opted out, or nothing differs.
    pub(super) fn committable(
        &self,
        tps: &[TopicPartition],
        answers: &[(TopicPartition, SafeOffset)],
    ) -> Option<Committed> {
        let last = self.last_committed.iter().filter(|(tp, _)| tps.contains(tp));
        let last: BTreeMap<_, _> = last.map(|(tp, committed)| (tp.clone(), *committed)).collect();
        let mut new = last.clone();
        for (tp, safe) in answers {
            // What is not consumed yet is refused with a warning.
            if self.current(tp).is_some_and(|current| safe.offset <= current) {
                new.insert(tp.clone(), (safe.offset, Some(safe.seq)));
            }
        }
        (!answers.is_empty() && new != last).then_some(Committed(new))
    }

    pub(super) fn commit(&mut self, committed: Committed, group: &mut Group) {
        for (tp, (offset, _)) in &committed.0 {
            group.insert(tp.clone(), *offset);
        }
        self.last_committed.extend(committed.0);
    }
}
