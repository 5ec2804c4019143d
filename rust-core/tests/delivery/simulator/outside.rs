//! What Kafka, its tools and users do around the owners.

use super::Simulation;
use super::oracle::Broken;
use super::owner::Owner;
use crate::world::META;
use alluvium_core::log::LogKeys;
use alluvium_core::position::TopicPartition;
use alluvium_testkit::kafka::{Entry, event};

impl Simulation {
    pub(super) fn begin(&mut self) {
        for tp in self.scenario.tps.clone() {
            let first = if self.random.u8(..4) == 0 { self.random.i64(1..500) } else { 0 };
            self.create(&tp, first);
            for _ in 0..self.random.usize(..30) {
                self.produce(&tp);
            }
        }
    }

    fn create(&mut self, tp: &TopicPartition, first: i64) {
        self.world.kafka.create(tp, first);
        self.oracle.parts.entry(tp.clone()).or_default().expired = first;
    }

    pub(super) async fn add_partition(&mut self) -> Result<(), Broken> {
        let tp = TopicPartition::new("orders", self.scenario.tps.len() as i32);
        self.create(&tp, 0);
        self.produce(&tp);
        self.scenario.tps.push(tp);
        self.rebalance("a partition is added").await
    }

    pub(super) fn expire(&mut self) {
        let tp = self.any_tp();
        let Some(partition) = self.world.kafka.partition(&tp) else { return };
        let first = self.random.i64(partition.first()..=partition.end());
        self.world.kafka.expire(&tp, first);
        if let Some(seen) = self.oracle.parts.get_mut(&tp) {
            seen.expired = seen.expired.max(first);
        }
        self.tell(|| format!("{tp} begins at {first}"));
    }

    pub(super) fn truncate(&mut self) {
        if self.oracle.parts.values().any(|seen| seen.truncated) {
            return;
        }
        let tp = self.any_tp();
        let Some(partition) = self.world.kafka.partition(&tp) else { return };
        let end = self.random.i64(partition.first()..=partition.end());
        self.world.kafka.truncate(&tp, end);
        if let Some(seen) = self.oracle.parts.get_mut(&tp) {
            seen.truncated = true;
        }
        self.tell(|| format!("{tp} is truncated to {end}"));
    }

    pub(super) fn rewind_group(&mut self) {
        let tp = self.any_tp();
        let Some(offset) = self.world.group.get(&tp).copied().filter(|offset| *offset > 0) else {
            return;
        };
        let known = self.oracle.parts.get(&tp).and_then(|seen| seen.chain.head());
        // Before the log knows where it is, the group's word is all there is.
        if known.is_none_or(|head| head.next_offset.is_none()) {
            return;
        }
        let to = self.random.i64(0..=offset);
        if self.random.bool() {
            self.world.group.remove(&tp);
        } else {
            self.world.group.insert(tp.clone(), to);
        }
        let holds = |o: &Owner| o.member && o.worker.assignment().contains(&tp);
        if self.owners.iter().any(holds) {
            self.set_back.insert(tp.clone(), self.world.group.get(&tp).copied());
        }
        self.tell(|| format!("the group's offset of {tp} goes back from {offset}, or is lost"));
    }

    pub(super) fn delete_settled(&mut self) {
        if let Some(key) = self.oracle.delete_settled(&mut self.random) {
            self.world.memory.remove(&key);
            self.tell(|| format!("a user deletes {}", super::without_nonce(&key)));
        }
    }

    /// What the log's upkeep may do at any time: never the head, nothing unsettled.
    pub(super) fn clean(&mut self) {
        let tp = self.any_tp();
        let keys = LogKeys::new(META, "sink", &tp, 1);
        let Some(seen) = self.oracle.parts.get(&tp) else { return };
        let below = seen.chain.needed_from();
        for seq in 1..below {
            self.world.memory.remove(&keys.record(seq));
        }
        self.tell(|| format!("{tp}: records below {below} are cleaned away"));
    }

    pub(super) fn produce(&mut self, tp: &TopicPartition) {
        self.next_id += 1;
        let id = self.next_id;
        let entry = match self.random.u8(..24) {
            0 => Entry::Gap,
            1 => Entry::Record(None),
            2 => Entry::Record(Some(b"broken".to_vec())),
            3 => Entry::Dropped,
            // Spread over hours: several files a cut.
            _ => Entry::Record(Some(event(id, self.random.i64(0..3) * 3_600))),
        };
        self.records += 1;
        let offset = self.world.kafka.append(tp, entry.clone());
        self.oracle.produced(tp, offset, &entry, id);
    }

    fn any_tp(&mut self) -> TopicPartition {
        self.scenario.tps[self.random.usize(..self.scenario.tps.len())].clone()
    }
}
