//! What Kafka's admin client says of a topic-partition, as the shim hands it over. Numbers and
//! names only; what follows from them is decided elsewhere.

use uuid::Uuid;

/// What was true of a topic-partition when Kafka was asked. Empty texts are never handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Kafka's id of the cluster.
    pub cluster_id: Option<String>,
    /// Kafka's id of the topic: another one when the topic is deleted and created again.
    pub topic_id: Option<String>,
    /// The first offset there is.
    pub earliest: i64,
    /// The offset behind the last one a `read_committed` consumer may see.
    pub end: i64,
    /// What the consumer group has committed, where it has.
    pub group: Option<GroupOffset>,
}

/// A committed offset of the consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The offset.
    pub offset: i64,
    /// Whatever its committer wrote beside it.
    pub metadata: String,
}

impl GroupOffset {
    /// Whether a sink of ours committed it.
    pub fn is_ours(&self) -> bool {
        self.metadata.starts_with("alluvium/")
    }

    /// The log and the sequence number that the offset was taken from, when it is ours.
    pub fn names(&self) -> Option<(Uuid, u64)> {
        let mut parts = self.metadata.strip_prefix("alluvium/")?.split('/');
        // What the shim writes behind them only makes one answer differ from the next.
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(metadata: &str) -> GroupOffset {
        GroupOffset { offset: 5, metadata: metadata.to_owned() }
    }

    #[test]
    fn metadata_of_ours_names_its_log() {
        let log = Uuid::from_u128(7);
        for metadata in [format!("alluvium/{log}/12"), format!("alluvium/{log}/12/3")] {
            assert_eq!(group(&metadata).names(), Some((log, 12)), "{metadata}");
        }
        for other in ["", "alluvium", "alluvium/x/1", "by hand", "alluvium//"] {
            assert_eq!(group(other).names(), None, "{other:?}");
        }
        assert!(group("alluvium/anything").is_ours() && !group("").is_ours());
    }
}
