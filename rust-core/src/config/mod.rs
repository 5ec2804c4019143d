//! The parsed configuration of one sink task: in go the connector's properties as text, out comes
//! a [`Config`] that can work, or every mistake at once. Never reads the environment, never looks
//! at a store, never shows a secret.
//!
//! The ConfigDef in the shim is the one list of keys; `docs/config-keys.json`, generated from it,
//! is checked against [`KEYS`] by a test.

mod formats;
mod keys;
mod objects;
mod parse;
mod reader;
mod rows;
mod rules;
#[cfg(test)]
mod tests;

pub use formats::{CsvConfig, FileFormat, TextCompression};
pub use keys::{KEYS, KeySpec};
pub use rows::{ColumnsConfig, METADATA_NAMES, RowsConfig};
pub(crate) use rules::{PARTS_MAX, part_size};

use crate::error::{Error, Kind};
use sha2::{Digest, Sha256};
use std::fmt;

/// How one sink lays down one table. Fields in the order of `docs/config.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `lake.url`, as given.
    pub lake_url: String,
    /// `lake.meta.url`.
    pub meta_url: String,
    /// `sink.id`.
    pub sink_id: String,
    /// `s3.*`.
    pub s3: S3Config,
    /// Whether `admin.bootstrap.servers` is given: the shim then answers questions about Kafka.
    pub admin: bool,
    /// `event.time`.
    pub event_time: EventTimeSource,
    /// `event.time.fallback`, tried in order; empty = `fail`.
    pub event_time_fallback: Vec<EventTimeSource>,
    /// `event.time.zone`: zone of columns without one.
    pub event_time_zone: chrono_tz::Tz,
    /// `partition.timezone`: zone of `{event_time:…}` in paths.
    pub partition_timezone: chrono_tz::Tz,
    /// `partition.path`, as given.
    pub partition_path: String,
    /// `columns.types`: column name to type name.
    pub columns_types: Vec<(String, String)>,
    /// What a row holds.
    pub rows: RowsConfig,
    /// `format`, and how its files are written.
    pub format: FileFormat,
    /// `commit.interval.ms`.
    pub commit_interval_ms: u64,
    /// `commit.max.records`, per topic-partition.
    pub commit_max_records: Option<u64>,
    /// `commit.max.bytes`, per topic-partition.
    pub commit_max_bytes: u64,
    /// `commit.max.files`, per topic-partition.
    pub commit_max_files: u64,
    /// `file.max.bytes`.
    pub file_max_bytes: u64,
    /// `input.format`.
    pub input: InputFormat,
    /// `file.max.records`.
    pub file_max_records: Option<u64>,
    /// `close.flush.ms`.
    pub close_flush_ms: u64,
    /// `delivery.guarantee`.
    pub guarantee: Guarantee,
    /// `memory.limit.bytes`, of the whole loaded library.
    pub memory_limit_bytes: u64,
    /// `upload.max.age.ms`.
    pub upload_max_age_ms: u64,
    /// `partition.failure` = `isolate`.
    pub isolate_failures: bool,
    /// `lost.upload` = `rebuild`.
    pub rebuild_lost: bool,
    /// `range.lost` = `record`.
    pub record_losses: bool,
    /// `log.bootstrap`.
    pub log_bootstrap: bool,
    /// `rewind.allowed`.
    pub rewind_allowed: bool,
    /// `publish.mode`.
    pub publish: PublishChoice,
    /// `errant.max.ratio`, of the last 10,000 records.
    pub errant_max_ratio: f64,
    /// `core.threads`; `None` = one a core.
    pub core_threads: Option<usize>,
    /// Connect's `errors.tolerance` = `all`.
    pub tolerate_errors: bool,
    /// Our own keys as given, without credentials, as a JSON object in order of name: the ground
    /// of `config_fp`.
    pub fingerprint: String,
}

impl Config {
    /// SHA-256 of the fingerprint in lower-case hexadecimal: `config_fp` of log records.
    pub fn fingerprint_hash(&self) -> String {
        let digest = Sha256::digest(&self.fingerprint);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether files of `file.max.bytes` can become visible by a copy.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn copies_fit(&self) -> std::result::Result<(), String> {
        rules::copies(self.file_max_bytes, rules::COPY_MAX)
    }
}

/// Where an event's time is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTimeSource {
    /// `source.ts_us`: when the database changed.
    SourceTs,
    /// `ts_us`: when Debezium saw it.
    EnvelopeTs,
    /// `kafka`: the Kafka record's timestamp.
    Kafka,
    /// `after.<column>`: a column of the row image (`before` for a delete).
    Column(String),
}

/// `input.format`: what the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// Found out record by record (`docs/inputs.md`).
    Auto,
    /// Debezium's envelopes in JSON, nothing else.
    DebeziumJson,
    /// JSON objects, each of them a row, whatever it looks like.
    Json,
    /// What a converter of the worker took apart.
    Connect,
}

/// `delivery.guarantee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Every row in exactly one visible file; a store that cannot keep this is refused.
    ExactlyOnce,
    /// Without fencing: an owner that stood still may lay down rows a second time.
    AtLeastOnce,
}

/// `publish.mode`: how files become visible on S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishChoice {
    /// As the probe finds out: uploads where they are invisible until completed, else copies.
    Auto,
    /// By completing uploads; a store whose uploads cannot be trusted is refused.
    Multipart,
    /// By copying staged objects.
    Copy,
}

/// `s3.*`.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Config {
    /// `s3.endpoint`; `None` = AWS's.
    pub endpoint: Option<String>,
    /// `s3.region`.
    pub region: String,
    /// `s3.access.key.id`.
    pub access_key_id: Option<String>,
    /// `s3.secret.access.key`.
    pub secret_access_key: Option<Secret>,
    /// `s3.session.token`.
    pub session_token: Option<Secret>,
    /// `s3.path.style`.
    pub path_style: bool,
    /// `s3.proxy.url`.
    pub proxy_url: Option<String>,
    /// `s3.part.size`, bytes.
    pub part_size: usize,
    /// `s3.concurrency`: requests at once.
    pub concurrency: usize,
    /// `s3.retry.max.ms`: how long one request is retried before it counts as failed.
    pub retry_max_ms: u64,
    /// What objects are written with.
    pub objects: S3Objects,
}

/// What objects are written with: encryption and checksum those of the commit log too, tags and
/// storage class data files only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Objects {
    /// `s3.sse`: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub sse: Option<String>,
    /// `s3.sse.kms.key.id`.
    pub kms_key_id: Option<String>,
    /// `s3.checksum`: `sha256` or `crc64nvme`.
    pub checksum: Option<String>,
    /// `s3.tags`, in the order given.
    pub tags: Vec<(String, String)>,
    /// `s3.storage.class`.
    pub storage_class: Option<String>,
}

/// `parquet.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetConfig {
    /// `parquet.compression` and `parquet.compression.level`.
    pub compression: Compression,
    /// `parquet.row.group.rows`.
    pub row_group_rows: usize,
    /// `parquet.bloom.columns`: those that get a bloom filter.
    pub bloom_columns: Vec<String>,
    /// `parquet.sort.columns`: what the rows of each row group are sorted by.
    pub sort_columns: Vec<String>,
}

/// Parquet compression with its level, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, level 1..=22.
    Zstd(i32),
    /// Snappy.
    Snappy,
    /// LZ4 (raw blocks).
    Lz4,
    /// Gzip, level 0..=9.
    Gzip(u32),
    /// None.
    None,
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The key to change.
    pub key: &'static str,
    /// The value as given; `None` where there is none, or where it may hold a secret.
    pub value: Option<String>,
    /// What is wrong with it, and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}: {}", self.key, self.message),
            None => write!(f, "{}: {}", self.key, self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// All mistakes as the one error a task is refused with; its context names the first key.
impl From<Vec<ConfigError>> for Error {
    fn from(errors: Vec<ConfigError>) -> Self {
        let list: Vec<String> = errors.iter().map(ConfigError::to_string).collect();
        let error = Error::new(Kind::Config, format!("bad configuration: {}", list.join("; ")));
        match errors.first() {
            Some(first) => error.with("key", first.key),
            None => error,
        }
    }
}
