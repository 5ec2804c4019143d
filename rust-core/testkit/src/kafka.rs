//! Topic-partitions in memory: what a consumer and an admin client of Kafka see, gaps and all. No
//! broker, no groups.

use alluvium_core::position::TopicPartition;
use alluvium_core::recover::Facts;
use std::collections::BTreeMap;

/// What a consumer finds at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record with this value; `None` is a tombstone.
    Record(Option<Vec<u8>>),
    /// Nothing a consumer gets: a transaction marker, an aborted or compacted record.
    Gap,
    /// A record that a transform drops: delivered to Connect, never to the task.
    Dropped,
}

/// All topic-partitions.
#[derive(Debug, Clone, Default)]
pub struct Kafka {
    partitions: BTreeMap<TopicPartition, Partition>,
    /// Lives of topics so far, beyond the first.
    lives: BTreeMap<String, u32>,
    /// What the admin client says the cluster is.
    pub cluster_id: Option<String>,
}

/// One topic-partition: entries from `first` on.
#[derive(Debug, Clone, Default)]
pub struct Partition {
    first: i64,
    entries: Vec<Entry>,
}

impl Kafka {
    /// A topic-partition whose first offset is `first`: what lies below has expired.
    pub fn create(&mut self, tp: &TopicPartition, first: i64) {
        self.partitions.insert(tp.clone(), Partition { first, entries: Vec::new() });
    }

    /// The topic is deleted and created again, with as many partitions, all of them empty.
    pub fn recreate(&mut self, topic: &str) {
        *self.lives.entry(topic.to_owned()).or_default() += 1;
        for (tp, partition) in &mut self.partitions {
            if *tp.topic == *topic {
                *partition = Partition::default();
            }
        }
    }

    /// Kafka's id of the topic, another one in each of its lives.
    pub fn topic_id(&self, topic: &str) -> String {
        format!("{topic}#{}", self.lives.get(topic).copied().unwrap_or(0) + 1)
    }

    /// What an admin client says of a topic-partition, without the group.
    pub fn facts(&self, tp: &TopicPartition) -> Facts {
        let partition = self.partitions.get(tp);
        Facts {
            cluster_id: self.cluster_id.clone(),
            topic_id: Some(self.topic_id(&tp.topic)),
            earliest: partition.map_or(0, Partition::first),
            end: partition.map_or(0, Partition::end),
            group: None,
        }
    }

    /// Appends an entry; gives its offset.
    pub fn append(&mut self, tp: &TopicPartition, entry: Entry) -> i64 {
        let partition = self.partitions.entry(tp.clone()).or_default();
        partition.entries.push(entry);
        partition.end() - 1
    }

    /// Appends a change event of the row `id`; gives its offset.
    pub fn insert(&mut self, tp: &TopicPartition, id: i64) -> i64 {
        self.append(tp, Entry::Record(Some(event(id, id))))
    }

    /// Retention: everything below `first` is gone.
    pub fn expire(&mut self, tp: &TopicPartition, first: i64) {
        if let Some(partition) = self.partitions.get_mut(tp) {
            let gone = (first - partition.first).clamp(0, partition.entries.len() as i64);
            partition.entries.drain(..gone as usize);
            partition.first += gone;
        }
    }

    /// Unclean: everything from `end` on is gone, and its offsets will be used again.
    pub fn truncate(&mut self, tp: &TopicPartition, end: i64) {
        if let Some(partition) = self.partitions.get_mut(tp) {
            partition.entries.truncate((end - partition.first).max(0) as usize);
        }
    }

    /// The topic-partition, if it exists.
    pub fn partition(&self, tp: &TopicPartition) -> Option<&Partition> {
        self.partitions.get(tp)
    }

    /// Every topic-partition.
    pub fn topic_partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.partitions.keys()
    }
}

impl Partition {
    /// The offset behind the last entry.
    pub fn end(&self) -> i64 {
        self.first + self.entries.len() as i64
    }

    /// The first offset there is.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Entries from an offset on.
    pub fn from(&self, offset: i64) -> impl Iterator<Item = (i64, &Entry)> {
        let skip = (offset - self.first).max(0) as usize;
        let offsets = self.first + skip as i64..;
        offsets.zip(self.entries.iter().skip(skip))
    }

    /// How many records there are; gaps are none.
    pub fn records(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Record(_))).count()
    }

    /// Offsets whose records become rows: with a value that begins as an object.
    pub fn row_offsets(&self) -> Vec<i64> {
        let is_row = |entry: &Entry| matches!(entry, Entry::Record(Some(v)) if v[0] == b'{');
        self.from(self.first).filter(|(_, e)| is_row(e)).map(|(offset, _)| offset).collect()
    }
}

/// A Debezium change event without schema: an insert of row `id`, `second` seconds after the
/// beginning of 2026.
pub fn event(id: i64, second: i64) -> Vec<u8> {
    let ts_us = 1_767_225_600_000_000 + second * 1_000_000;
    format!(
        r#"{{"before":null,"after":{{"id":{id},"name":"row {id}"}},"source":{{"version":"3.6.1.Final","connector":"mysql","name":"t","ts_ms":{ms},"snapshot":"false","db":"inventory","sequence":null,"ts_us":{ts_us},"ts_ns":{ts_us}000,"table":"orders","server_id":1,"gtid":null,"file":"binlog.000002","pos":{id},"row":0,"thread":7,"query":null}},"transaction":null,"op":"c","ts_ms":{ms},"ts_us":{ts_us},"ts_ns":{ts_us}000}}"#,
        ms = ts_us / 1000,
    )
    .into_bytes()
}
