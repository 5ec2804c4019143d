//! Records of the commit log (`docs/delivery.md`, record). JSON, one object a sequence number,
//! immutable. Unknown fields are ignored; `v` changes only when an old reader would be wrong.

use super::gaps::Gaps;
use crate::error::{Error, Kind, Result};
use crate::store::PublishMode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The version of records this code writes and the only one it reads.
pub const VERSION: u32 = 1;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A new owner; fences all before it.
    Claim,
    /// Files of one cut.
    Commit,
    /// A moved position or a shorter `unsettled`, without files.
    Advance,
    /// Offsets changed by an operator.
    Reset,
    /// Back to where commits began whose uploads were all lost: they are void, and their records are
    /// read again.
    Rebuild,
    /// A range that is gone from Kafka.
    Loss,
    /// The end of this generation of the topic.
    Closed,
}

/// Names a record: its place and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Sequence number.
    pub seq: u64,
    /// The record's nonce.
    pub nonce: Uuid,
}

/// Who wrote a record; for people, decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// Connector name.
    pub connector: String,
    /// Task number.
    pub task: String,
    /// Host name.
    pub host: String,
    /// Process id of the worker.
    pub pid: u32,
    /// Version of the sink.
    pub version: String,
    /// When the task was started, ms since 1970.
    pub started_at: i64,
}

/// How the files of a record were laid out (for a rebuild).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// `format`.
    pub format: String,
    /// `partition.path`.
    pub partition_path: String,
    /// `row.layout`.
    pub row: String,
}

/// Records of a cut that left no row, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skipped(pub BTreeMap<String, u64>);

impl Skipped {
    /// Counts one more.
    pub fn add(&mut self, reason: &str) {
        match self.0.get_mut(reason) {
            Some(count) => *count += 1,
            None => _ = self.0.insert(reason.to_owned(), 1),
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// One data file of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Full key inside the bucket, or absolute path without the leading `/`.
    pub key: String,
    /// How it becomes visible.
    pub mode: PublishMode,
    /// With mode `copy`: full key of the staged object.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub staging_key: Option<String>,
    /// The upload, or the staging file; empty with mode `copy`.
    pub upload_id: String,
    /// The store's ids of the parts' content, opaque, in order.
    pub parts: Vec<String>,
    /// Size in bytes.
    pub size: u64,
    /// ETag it will have, where that can be computed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
    /// Rows in it.
    pub rows: u64,
    /// Its partition path.
    pub path: String,
    /// Offset of its first row.
    pub first_offset: i64,
    /// Offset of its last row.
    pub last_offset: i64,
    /// Least event time, µs since 1970.
    pub min_ts: i64,
    /// Greatest event time, µs since 1970.
    pub max_ts: i64,
    /// SHA-256 of its schema.
    #[serde(default)]
    pub schema: String,
    /// When its upload was begun, ms since 1970.
    pub upload_created_at: i64,
}

/// One record of the log of a topic-partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// [`VERSION`].
    pub v: u32,
    /// What it says.
    pub kind: RecordKind,
    /// Its place, from 1.
    pub seq: u64,
    /// Tells this record from any other ever sent for the same place.
    pub nonce: Uuid,
    /// The record before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prev: Option<Link>,
    /// Nonce of the log's first record.
    pub log_id: Uuid,
    /// `sink.id`.
    pub sink_id: String,
    /// Consumer group, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group_id: Option<String>,
    /// Kafka cluster id, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cluster_id: Option<String>,
    /// Original topic.
    pub topic: String,
    /// Kafka's id of the topic, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub topic_id: Option<String>,
    /// Generation of the topic.
    pub generation: u32,
    /// Original partition.
    pub partition: i32,
    /// Sequence number of the owner's claim.
    pub epoch: u64,
    /// Who wrote it.
    #[serde(default)]
    pub owner: Owner,
    /// First offset the record covers; null while unknown.
    pub start_offset: Option<i64>,
    /// First offset no record covers yet; null while unknown.
    pub next_offset: Option<i64>,
    /// Commits whose files may not all be visible yet.
    #[serde(default)]
    pub unsettled: Vec<Link>,
    /// Kafka records covered.
    #[serde(default)]
    pub records: u64,
    /// Rows in its files.
    #[serde(default)]
    pub rows: u64,
    /// Records that left no row, by reason.
    #[serde(default)]
    pub skipped: Skipped,
    /// Offsets of the skips that Kafka can't re-derive, delta-coded from `start_offset`, by
    /// reason; absent for a reason with too many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub skipped_offsets: BTreeMap<String, Vec<i64>>,
    /// Offsets that never were delivered.
    #[serde(skip_serializing_if = "Gaps::is_empty", default)]
    pub gaps: Gaps,
    /// State handed from record to record verbatim, unknown members included.
    #[serde(default)]
    pub carry: serde_json::Map<String, serde_json::Value>,
    /// How files are laid out.
    #[serde(default)]
    pub layout: Layout,
    /// SHA-256 of the sink's configuration, without secrets.
    #[serde(default)]
    pub config_fp: String,
    /// When it was made, ms since 1970.
    #[serde(default)]
    pub created_at: i64,
    /// Its files.
    #[serde(default)]
    pub files: Vec<FileEntry>,
}

impl LogRecord {
    /// This record as `prev` or `unsettled` names it.
    pub fn link(&self) -> Link {
        Link { seq: self.seq, nonce: self.nonce }
    }

    /// The record as it is stored.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|e| Error::new(Kind::Log, "a log record cannot be written as JSON").because(e))
    }

    /// Reads a stored record; refuses versions it does not know.
    pub fn from_bytes(key: &str, bytes: &[u8]) -> Result<Self> {
        /// Only the version: the rest of a later one may not parse.
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let unreadable = |e| {
            Error::new(
                Kind::Log,
                "a record of the commit log is not readable JSON; the log is damaged",
            )
            .with("key", key)
            .because(e)
        };
        let Version { v } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if v != VERSION {
            return Err(Error::new(
                Kind::Log,
                format!(
                    "the commit log was written by a newer Alluvium (record version {v}, this one \
                     knows {VERSION}); install the newer version again"
                ),
            )
            .with("key", key));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }
}

/// A life of a topic, and who owns it in this table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicGeneration {
    /// [`VERSION`].
    pub v: u32,
    /// From 1.
    pub generation: u32,
    /// `sink.id` of its owner.
    pub sink_id: String,
    /// URL of the table.
    pub table: String,
    /// Kafka's id of the topic, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub topic_id: Option<String>,
    /// Kafka cluster id, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cluster_id: Option<String>,
    /// Offset at which its logs begin, where known: 0 for a topic that was created again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<i64>,
    /// Who created it.
    #[serde(default)]
    pub owner: Owner,
    /// When, ms since 1970.
    #[serde(default)]
    pub created_at: i64,
}

/// The ids of a life of a topic, written down by the first owner that knows them when the
/// generation object does not hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicIds {
    /// Kafka's id of the topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_id: Option<String>,
    /// Kafka cluster id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_ignored_and_carry_keeps_them() {
        let json = r#"{"v":1,"kind":"advance","seq":2,"nonce":"67e55044-10b1-426f-9247-bb680e5fe0c8",
            "log_id":"67e55044-10b1-426f-9247-bb680e5fe0c8","sink_id":"s","topic":"t","generation":1,
            "partition":0,"epoch":1,"start_offset":5,"next_offset":5,"new_member":[1],
            "carry":{"from_the_future":{"a":1}}}"#;
        let record = LogRecord::from_bytes("k", json.as_bytes()).unwrap();
        assert_eq!(record.next_offset, Some(5));
        let again = LogRecord::from_bytes("k", &record.to_bytes().unwrap()).unwrap();
        assert_eq!(again.carry["from_the_future"]["a"], 1);
        assert_eq!(again, record);
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let error = LogRecord::from_bytes("a/b", br#"{"v":2,"kind":"never seen"}"#).unwrap_err();
        assert_eq!(error.kind(), Kind::Log);
        assert!(error.to_string().contains("record version 2"), "{error}");
        assert!(error.to_string().contains("a/b"), "{error}");
    }
}
