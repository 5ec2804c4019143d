//! Names of places in Kafka: topic-partition, its interned id, offsets.

use std::{fmt, sync::Arc};

/// A topic-partition, always the original one (before any transform).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The original topic's name.
    pub topic: Arc<str>,
    /// The original partition's number.
    pub partition: i32,
}

impl TopicPartition {
    /// Names a topic-partition.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// The shim's name for one assignment of a topic-partition: interned at `open`, never re-used in
/// the process, so that a frame made for an earlier assignment can be told from one of the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TpId(pub u32);
