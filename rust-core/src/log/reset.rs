//! A wish to go on elsewhere, as it waits beside the logs of a sink until each of them is opened
//! (`docs/delivery.md`, offsets altered over REST).

use crate::error::{Error, Kind, Result};
use crate::position::TopicPartition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Offsets altered by an operator: noted before Kafka's group is changed, and carried out only
/// where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReset {
    /// [`VERSION`](super::VERSION).
    pub v: u32,
    /// Tells this wish from any other.
    pub nonce: Uuid,
    /// The topic-partitions it is about.
    pub targets: Vec<Target>,
    /// When it was noted, ms since 1970.
    #[serde(default)]
    pub created_at: i64,
}

/// Where a topic-partition is to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Original topic.
    pub topic: String,
    /// Original partition.
    pub partition: i32,
    /// The next offset to read; null = where a consumer without an offset begins.
    pub offset: Option<i64>,
}

impl PendingReset {
    /// What is wished for a topic-partition.
    pub fn target(&self, tp: &TopicPartition) -> Option<&Target> {
        self.targets.iter().find(|t| *t.topic == *tp.topic && t.partition == tp.partition)
    }

    /// Reads a stored wish.
    ///
    /// # Errors
    /// `Log`: it is not readable, or of a newer version.
    pub fn from_bytes(key: &str, bytes: &[u8]) -> Result<Self> {
        let wrong = "the pending reset of offsets is not readable by this version; alter the \
                     offsets again, or delete it";
        let found: Self = serde_json::from_slice(bytes)
            .map_err(|e| Error::new(Kind::Log, wrong).with("key", key).because(e))?;
        if found.v != super::VERSION {
            return Err(Error::new(Kind::Log, wrong).with("key", key));
        }
        Ok(found)
    }
}
