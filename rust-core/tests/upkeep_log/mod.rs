//! A log made by hand, for the tests of its upkeep.
#![allow(dead_code, reason = "each test file uses a part")]

use alluvium_core::commit::LogAccess;
use alluvium_core::error::Error;
use alluvium_core::log::{Blocks, Link, LogKeys, LogRecord};
use alluvium_core::position::TopicPartition;
use alluvium_core::recover::LogState;
use alluvium_core::upkeep::history;
use alluvium_testkit::MemoryStore;
use std::sync::Arc;
use uuid::Uuid;

/// A log of claims. Clones share the store.
#[derive(Clone)]
pub(crate) struct TestLog {
    pub(crate) memory: MemoryStore,
    pub(crate) access: LogAccess,
    /// Every record, from the first.
    pub(crate) all: Vec<LogRecord>,
    /// Bytes of text that nobody can compress, in each record.
    pub(crate) padding: usize,
    log_id: Uuid,
}

impl TestLog {
    /// Blocks of 64.
    pub(crate) fn standard() -> Self {
        Self::of(Blocks::STANDARD)
    }

    /// Blocks of 4.
    pub(crate) fn small() -> Self {
        Self::of(Blocks::for_tests(4))
    }

    fn of(blocks: Blocks) -> Self {
        let memory = MemoryStore::default();
        let tp = TopicPartition::new("orders", 0);
        let keys = LogKeys::new("m", "sink", &tp, 1).with_blocks(blocks);
        let access = LogAccess { store: Arc::new(memory.clone()), keys, metrics: Arc::default() };
        Self { memory, access, all: Vec::new(), padding: 0, log_id: Uuid::new_v4() }
    }

    /// Writes records until `head` is the last.
    pub(crate) fn grow_to(&mut self, head: u64) {
        for seq in self.all.len() as u64 + 1..=head {
            let random = (0..self.padding).map(|_| fastrand::alphanumeric()).collect::<String>();
            let json = serde_json::json!({
                "v": 1, "kind": "claim", "seq": seq, "nonce": Uuid::new_v4(),
                "log_id": self.log_id, "prev": self.all.last().map(LogRecord::link),
                "sink_id": "sink", "topic": "orders", "generation": 1, "partition": 0,
                "epoch": seq, "start_offset": 0, "next_offset": 0,
                "carry": {"padding": random}, "from_the_future": seq,
            });
            // Not in the order that writing it anew would give.
            let bytes = json.to_string().replacen('{', r#"{"z":"first","#, 1);
            self.all.push(LogRecord::from_bytes("k", bytes.as_bytes()).unwrap());
            self.memory.overwrite(&self.access.keys.record(seq), bytes);
        }
    }

    /// What an owner knows whose record is the last one and names these as unsettled.
    pub(crate) fn state(&self, unsettled: &[u64]) -> LogState {
        let head = self.all.last().unwrap();
        let link = |seq: &u64| self.all[*seq as usize - 1].link();
        let head_unsettled: Vec<Link> = unsettled.iter().map(link).collect();
        LogState {
            generation: 1,
            log_id: self.log_id,
            epoch: 1,
            head: head.link(),
            next: Some(0),
            head_unsettled,
            pending: Vec::new(),
            carry: Default::default(),
        }
    }

    /// Sequence numbers at keys of their own, ascending.
    pub(crate) fn live(&self) -> Vec<u64> {
        let keys = &self.access.keys;
        let mut live: Vec<u64> = self.memory.keys().iter().filter_map(|k| keys.seq(k)).collect();
        live.sort_unstable();
        live
    }

    /// The log read back to its first record, oldest first.
    pub(crate) async fn read(&self) -> Result<Vec<LogRecord>, Error> {
        let access = LogAccess { store: Arc::new(self.memory.clone()), ..self.access.clone() };
        let (mut history, mut found) = (history(&access).await?, Vec::new());
        while let Some(record) = history.next().await? {
            found.push(record);
        }
        found.reverse();
        Ok(found)
    }
}
