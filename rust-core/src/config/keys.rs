//! The keys this version understands, with their defaults: the Rust half of the ConfigDef.

/// One key of the connector's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// The key's name.
    pub name: &'static str,
    /// Its default as text; `None` = required, or "none", or worked out from other keys.
    pub default: Option<&'static str>,
    /// What its value may give away.
    pub secrecy: Secrecy,
}

/// Who may see a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// Anybody: shown in errors, part of the fingerprint.
    Open,
    /// A credential that changes when keys are rotated: shown in errors, not in the fingerprint.
    Credential,
    /// A password, or a value that may hold one: shown nowhere.
    Secret,
}

const fn key(name: &'static str, default: Option<&'static str>) -> KeySpec {
    KeySpec { name, default, secrecy: Secrecy::Open }
}

const fn guarded(name: &'static str, secrecy: Secrecy) -> KeySpec {
    KeySpec { name, default: None, secrecy }
}

/// Every key the core understands, in the order of `docs/config.md`.
pub const KEYS: &[KeySpec] = &[
    key("lake.url", None),
    key("lake.meta.url", None),
    key("sink.id", None),
    key("s3.endpoint", None),
    key("s3.region", Some("us-east-1")),
    guarded("s3.proxy.url", Secrecy::Secret),
    guarded("s3.access.key.id", Secrecy::Credential),
    guarded("s3.secret.access.key", Secrecy::Secret),
    guarded("s3.session.token", Secrecy::Secret),
    key("s3.path.style", None),
    key("s3.part.size", Some("8388608")),
    key("s3.concurrency", Some("16")),
    key("s3.retry.max.ms", Some("120000")),
    key("s3.sse", None),
    key("s3.sse.kms.key.id", None),
    key("s3.checksum", None),
    key("s3.tags", None),
    key("s3.storage.class", None),
    key("admin.bootstrap.servers", None),
    key("input.format", Some("auto")),
    key("columns.types", None),
    key("row.layout", Some("flat")),
    key("row.metadata", None),
    key("row.before", Some("none")),
    key("tombstones", Some("skip")),
    key("column.include", None),
    key("column.exclude", None),
    key("column.mask.hash", None),
    guarded("column.mask.hash.key", Secrecy::Secret),
    key("format", Some("parquet")),
    key("parquet.compression", Some("zstd")),
    key("parquet.compression.level", Some("1")),
    key("parquet.row.group.rows", Some("65536")),
    key("parquet.bloom.columns", None),
    key("parquet.sort.columns", None),
    key("json.compression", Some("gzip")),
    key("csv.compression", Some("gzip")),
    key("csv.header", Some("true")),
    key("csv.delimiter", Some(",")),
    key("csv.null", None),
    key("commit.interval.ms", Some("60000")),
    key("commit.max.records", None),
    key("commit.max.bytes", Some("1073741824")),
    key("commit.max.files", Some("1000")),
    key("file.max.bytes", Some("268435456")),
    key("file.max.records", None),
    key("close.flush.ms", Some("3000")),
    key("event.time", Some("source.ts_us")),
    key("event.time.fallback", Some("source.ts_us,kafka")),
    key("event.time.zone", Some("UTC")),
    key("partition.timezone", Some("UTC")),
    key("partition.path", Some("{topic}/dt={event_time:%Y-%m-%d}/hour={event_time:%H}")),
    key("schema.evolution", Some("widen")),
    key("schema.incompatible", Some("fail")),
    key("delivery.guarantee", Some("exactly_once")),
    key("memory.limit.bytes", Some("268435456")),
    key("upload.max.age.ms", Some("21600000")),
    key("lost.upload", Some("fail")),
    key("range.lost", Some("fail")),
    key("partition.failure", Some("task")),
    key("log.bootstrap", Some("false")),
    key("rewind.allowed", Some("false")),
    key("publish.mode", Some("auto")),
    key("errant.max.ratio", Some("0.5")),
    key("core.threads", None),
];

/// Keys of which this version carries out one way only, with the values that mean it. Another
/// value is refused, never ignored.
pub(super) const ONE_WAY: &[(&str, &[&str])] =
    &[("schema.evolution", &["widen"]), ("schema.incompatible", &["fail"])];

/// The entry of a key. Keys asked for in the code are all in [`KEYS`]; a test holds that.
pub(super) fn spec(name: &str) -> Option<&'static KeySpec> {
    KEYS.iter().find(|spec| spec.name == name)
}
