//! Keys of the commit log, below `lake.meta.url` (`docs/delivery.md`, keys).

use super::block::Blocks;
use crate::position::TopicPartition;

/// Keys of the log of one topic-partition in one generation of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeys {
    prefix: String,
    blocks: Blocks,
}

impl LogKeys {
    /// Keys below the folder `meta` (a full key prefix, may be empty).
    pub fn new(meta: &str, sink_id: &str, tp: &TopicPartition, generation: u32) -> Self {
        let (root, topic) = (Self::of_sink(meta, sink_id), escape(&tp.topic));
        let prefix = format!("{root}{topic}/{generation:04}/{:05}/", tp.partition);
        Self { prefix, blocks: Blocks::STANDARD }
    }

    /// The folder of all logs of a sink, ending in `/`.
    pub fn of_sink(meta: &str, sink_id: &str) -> String {
        format!("{}/{}/", below(meta, "v1/logs"), escape(sink_id))
    }

    /// Offsets an operator altered, beside the logs of a sink.
    pub fn pending_reset(meta: &str, sink_id: &str) -> String {
        format!("{}pending_reset.json", Self::of_sink(meta, sink_id))
    }

    /// The same keys for a log that is archived in other blocks.
    #[doc(hidden)]
    #[must_use]
    pub fn with_blocks(self, blocks: Blocks) -> Self {
        Self { blocks, ..self }
    }

    /// How the log's records fall into blocks of the archive.
    pub fn blocks(&self) -> Blocks {
        self.blocks
    }

    /// The key of a block of the archive. All blocks sort behind all records.
    pub fn archive(&self, block: u64) -> String {
        format!("{}archive/{block:012}.json.zst", self.prefix)
    }

    /// The folder of the log's records, ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of a record. Later records sort first, so that one page of a listing has the head.
    pub fn record(&self, seq: u64) -> String {
        format!("{}{:020}.json", self.prefix, u64::MAX - seq)
    }

    /// The sequence number in a key; `None` for anything that is not a record of this log.
    pub fn seq(&self, key: &str) -> Option<u64> {
        let digits = key.strip_prefix(&self.prefix)?.strip_suffix(".json")?;
        if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(|inverse: u64| u64::MAX - inverse)
    }
}

/// Keys of what is known of one topic, whatever its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicKeys {
    prefix: String,
}

impl TopicKeys {
    /// Keys below the folder `meta` (a full key prefix, may be empty).
    pub fn new(meta: &str, topic: &str) -> Self {
        Self { prefix: format!("{}/{}/", below(meta, "v1/topics"), escape(topic)) }
    }

    /// The folder, ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of a generation of the topic (from 1).
    pub fn generation(&self, generation: u32) -> String {
        format!("{}{generation:04}.json", self.prefix)
    }

    /// The generation in a key; `None` for anything else in the folder.
    pub fn generation_of(&self, key: &str) -> Option<u32> {
        key.strip_prefix(&self.prefix)?.strip_suffix(".json")?.parse().ok()
    }

    /// The ids of a generation that was created by an owner who did not know them.
    pub fn ids(&self, generation: u32) -> String {
        format!("{}{generation:04}/ids.json", self.prefix)
    }

    /// A place behind everything of a generation: what follows in a listing is of a later one.
    pub fn behind(&self, generation: u32) -> String {
        format!("{}{generation:04}/~", self.prefix)
    }

    /// The marker that a partition's log has been begun.
    pub fn started(&self, generation: u32, partition: i32) -> String {
        format!("{}{generation:04}/{partition:05}.started", self.prefix)
    }
}

fn below(meta: &str, path: &str) -> String {
    if meta.is_empty() { path.to_owned() } else { format!("{meta}/{path}") }
}

/// Percent-escapes what could leave a folder or upset a store; Kafka's topic names come through
/// unchanged.
fn escape(name: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            // A name that is only dots would name this or the parent folder.
            b'.' if name.bytes().any(|b| b != b'.') => out.push('.'),
            // Writing to a String cannot fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> LogKeys {
        LogKeys::new("lake/cdc.alluvium", "orders-lake", &TopicPartition::new("orders_cdc", 2), 1)
    }

    #[test]
    fn record_keys_sort_newest_first_and_come_back() {
        let keys = keys();
        let (first, second) = (keys.record(1), keys.record(2));
        assert_eq!(
            first,
            "lake/cdc.alluvium/v1/logs/orders-lake/orders_cdc/0001/00002/18446744073709551614.json"
        );
        assert!(second < first);
        assert_eq!(keys.seq(&first), Some(1));
        assert_eq!(keys.seq(&second), Some(2));
    }

    #[test]
    fn what_belongs_to_a_sink_lies_beside_its_logs() {
        let sink = LogKeys::of_sink("lake/cdc.alluvium", "orders-lake");
        assert!(keys().prefix().starts_with(&sink), "{sink}");
        let reset = LogKeys::pending_reset("lake/cdc.alluvium", "orders-lake");
        assert_eq!(reset, format!("{sink}pending_reset.json"));
    }

    #[test]
    fn other_keys_are_not_records() {
        let keys = keys();
        for other in ["archive/000000000001.json.zst", "123.json", "1844674407370955161x.json", ""]
        {
            assert_eq!(keys.seq(&format!("{}{other}", keys.prefix())), None, "{other}");
        }
        assert_eq!(keys.seq("elsewhere/18446744073709551614.json"), None);
    }

    #[test]
    fn blocks_sort_behind_every_record() {
        let keys = keys();
        assert_eq!(keys.archive(1), format!("{}archive/000000000001.json.zst", keys.prefix()));
        assert!(keys.record(0) < keys.archive(0) && keys.archive(9) < keys.archive(10));
    }

    #[test]
    fn names_cannot_leave_their_folder() {
        let tp = TopicPartition::new("..", 0);
        let keys = LogKeys::new("", "../a b/ü", &tp, 1);
        assert_eq!(keys.prefix(), "v1/logs/..%2Fa%20b%2F%C3%BC/%2E%2E/0001/00000/");
    }

    #[test]
    fn topic_keys_tell_generations_from_markers() {
        let keys = TopicKeys::new("m", "t.a");
        assert_eq!(keys.generation(1), "m/v1/topics/t.a/0001.json");
        assert_eq!(keys.generation_of(&keys.generation(12)), Some(12));
        assert_eq!(keys.generation_of(&keys.started(1, 0)), None);
        assert_eq!(keys.generation_of(&keys.ids(1)), None);
        assert!(keys.started(1, i32::MAX) < keys.behind(1) && keys.behind(1) < keys.generation(2));
        assert!(keys.ids(1) < keys.behind(1));
    }
}
