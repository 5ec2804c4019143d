//! From properties to [`Config`].

use super::formats;
use super::keys::{KEYS, ONE_WAY, Secrecy};
use super::objects;
use super::reader::Reader;
use super::rows;
use super::rules;
use super::{Config, ConfigError, Guarantee, InputFormat, PublishChoice, S3Config, Secret};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;
const MIB: u64 = 1 << 20;

impl Config {
    /// Parses the connector's properties. Keys that are not ours are left alone, an empty value
    /// counts as not given. `connector_name` is the default of `sink.id`.
    ///
    /// # Errors
    /// Every mistake, in the order of [`KEYS`]: what a single value says, and what two keys say
    /// together. The grammar of `partition.path` and of the types in `columns.types` is not looked
    /// at: the rooms that own them say so.
    pub fn parse(
        properties: &BTreeMap<String, String>,
        connector_name: &str,
    ) -> Result<Config, Vec<ConfigError>> {
        let mut reader = Reader::new(properties);
        let config = read(&mut reader, connector_name);
        match (config, reader.into_errors()) {
            (Some(config), errors) if errors.is_empty() => Ok(config),
            (_, errors) => Err(errors),
        }
    }
}

/// Reads everything, and only then gives up if anything was wrong.
#[expect(clippy::too_many_lines, reason = "a line or two a key, in the order of the ConfigDef")]
fn read(r: &mut Reader<'_>, connector_name: &str) -> Option<Config> {
    for (key, values) in ONE_WAY {
        r.with(key, |value| rules::one_way(value, values));
    }
    let urls = read_urls(r);
    let sink_id = read_sink_id(r, connector_name);
    let s3 = read_s3(r);
    let part_size = s3.as_ref().map(|s3| s3.part_size as u64);
    let event_time = r.with("event.time", rules::event_time);
    let fallback = r.with("event.time.fallback", rules::event_time_list);
    let zones = ["event.time.zone", "partition.timezone"].map(|key| r.with(key, zone));
    let partition_path = r.text("partition.path").map(str::to_owned);
    let (input, columns_types) = (read_input(r), read_columns_types(r));
    let rows = rows::read(r);
    let format = formats::read(r);
    let any = 1..=i64::MAX as u64;
    let commit_interval_ms = r.number("commit.interval.ms", 100..=24 * HOUR_MS);
    let commit_max_records = optional(r, "commit.max.records", |r, k| r.number(k, any.clone()));
    let commit_max_bytes = r.number("commit.max.bytes", any.clone());
    let commit_max_files = r.number("commit.max.files", 1..=10_000);
    let file_max_bytes = r.number("file.max.bytes", 1..=rules::FILE_MAX);
    let file_max_records = optional(r, "file.max.records", |r, k| r.number(k, any));
    let close_flush_ms = r.number("close.flush.ms", 0..=60_000);
    let guarantees =
        [("exactly_once", Guarantee::ExactlyOnce), ("at_least_once", Guarantee::AtLeastOnce)];
    let guarantee = r.choice("delivery.guarantee", &guarantees);
    let memory_limit_bytes = r.number("memory.limit.bytes", 16 * MIB..=1 << 40);
    let upload_max_age_ms = r.number("upload.max.age.ms", 1_000..=7 * 24 * HOUR_MS);
    within(r, "commit.interval.ms", commit_interval_ms, upload_max_age_ms, rules::interval);
    let part_size = grown_parts(part_size, file_max_bytes);
    within(r, "memory.limit.bytes", memory_limit_bytes, part_size, rules::memory);
    let isolate = r.choice("partition.failure", &[("task", false), ("isolate", true)]);
    let (rebuild_lost, record_losses) = read_losses(r, guarantee);
    let (log_bootstrap, rewind_allowed) = (r.boolean("log.bootstrap"), r.boolean("rewind.allowed"));
    let publish = read_publish_mode(r, urls.as_ref(), file_max_bytes);
    let errant_max_ratio = r.number("errant.max.ratio", 0.0..=1.0);
    let core_threads = optional(r, "core.threads", |r, k| r.number(k, 1..=256));
    Some(Config {
        lake_url: urls.clone()?.0,
        meta_url: urls?.1,
        sink_id: sink_id?,
        s3: s3?,
        admin: r.given("admin.bootstrap.servers").is_some(),
        event_time: event_time?,
        event_time_fallback: fallback?,
        event_time_zone: zones[0]?,
        partition_timezone: zones[1]?,
        partition_path: partition_path?,
        input: input?,
        columns_types: columns_types?,
        rows: rows?,
        format: format?,
        commit_interval_ms: commit_interval_ms?,
        commit_max_records: commit_max_records?,
        commit_max_bytes: commit_max_bytes?,
        commit_max_files: commit_max_files?,
        file_max_bytes: file_max_bytes?,
        file_max_records: file_max_records?,
        close_flush_ms: close_flush_ms?,
        guarantee: guarantee?,
        memory_limit_bytes: memory_limit_bytes?,
        upload_max_age_ms: upload_max_age_ms?,
        isolate_failures: isolate?,
        rebuild_lost: rebuild_lost?,
        record_losses: record_losses?,
        log_bootstrap: log_bootstrap?,
        rewind_allowed: rewind_allowed?,
        publish: publish?,
        errant_max_ratio: errant_max_ratio?,
        core_threads: core_threads?,
        tolerate_errors: tolerates_errors(r),
        fingerprint: fingerprint(r),
    })
}

/// The size of parts, which grows with the file.
fn grown_parts(part_size: Option<u64>, file_max_bytes: Option<u64>) -> Option<u64> {
    let (least, file) = part_size.zip(file_max_bytes)?;
    Some(rules::part_size(usize::try_from(least).unwrap_or(usize::MAX), file) as u64)
}

/// Connect's own key, checked by Connect, in any case.
fn tolerates_errors(r: &Reader<'_>) -> bool {
    r.given("errors.tolerance").is_some_and(|tolerance| tolerance.eq_ignore_ascii_case("all"))
}

/// Checks a value against that of another key, if both are good by themselves.
fn within(
    r: &mut Reader<'_>,
    key: &'static str,
    value: Option<u64>,
    other: Option<u64>,
    rule: fn(u64, u64) -> Result<(), String>,
) {
    if let (Some(value), Some(other)) = (value, other)
        && let Err(message) = rule(value, other)
    {
        r.wrong::<()>(key, message);
    }
}

/// Whether lost commits are laid down anew, and whether lost ranges go on record.
fn read_losses(r: &mut Reader<'_>, guarantee: Option<Guarantee>) -> (Option<bool>, Option<bool>) {
    let rebuild_lost = read_lost_upload(r, guarantee);
    (rebuild_lost, r.choice("range.lost", &[("fail", false), ("record", true)]))
}

/// Whether lost commits are laid down anew, which needs Kafka's word and fencing.
fn read_lost_upload(r: &mut Reader<'_>, guarantee: Option<Guarantee>) -> Option<bool> {
    let rebuild = r.choice("lost.upload", &[("fail", false), ("rebuild", true)])?;
    if rebuild && r.given("admin.bootstrap.servers").is_none() {
        let message = "needs admin.bootstrap.servers: only Kafka can say whether it still has the \
                       records";
        return r.wrong("lost.upload", message);
    }
    if rebuild && guarantee == Some(Guarantee::AtLeastOnce) {
        let message = "needs delivery.guarantee=exactly_once: without fencing another task may \
                       lay the same rows down";
        return r.wrong("lost.upload", message);
    }
    Some(rebuild)
}

/// A key that may be left out: outer `None` = a mistake, inner `None` = not given.
fn optional<'a, T>(
    r: &mut Reader<'a>,
    key: &'static str,
    read: impl FnOnce(&mut Reader<'a>, &'static str) -> Option<T>,
) -> Option<Option<T>> {
    match r.text(key) {
        None => Some(None),
        Some(_) => read(r, key).map(Some),
    }
}

/// `lake.url` and `lake.meta.url`, without trailing slashes.
fn read_urls(r: &mut Reader<'_>) -> Option<(String, String)> {
    let Some(lake_text) = r.text("lake.url") else {
        return r.wrong("lake.url", "is missing; must be s3://bucket/path or file:///path");
    };
    let meta_text = r.text("lake.meta.url");
    let table = r.with("lake.url", rules::lake_url);
    if table.as_ref().is_some_and(|t| t.scheme == "file" && t.folder.is_empty()) {
        return r.wrong("lake.url", "must be a folder below /");
    }
    let meta = match meta_text {
        Some(_) => r.with("lake.meta.url", rules::lake_url),
        None => None,
    };
    let table = table?;
    if let Some(meta) = &meta
        && let Err(message) = rules::meta_beside_table(&table, meta)
    {
        return r.wrong("lake.meta.url", message);
    }
    let meta_url = match (meta_text, rules::default_meta_url(&table)) {
        (Some(text), _) => text.trim_end_matches('/').to_owned(),
        (None, Some(beside)) => beside,
        (None, None) => {
            return r.wrong(
                "lake.meta.url",
                "must be given when the table is a whole bucket: the commit log cannot lie \
                 beside it; name a folder in another bucket",
            );
        }
    };
    Some((lake_text.trim_end_matches('/').to_owned(), meta_url))
}

/// `columns.types`; none are given by default.
fn read_columns_types(r: &mut Reader<'_>) -> Option<Vec<(String, String)>> {
    let types = optional(r, "columns.types", |r, k| r.with(k, rules::columns_types));
    types.map(Option::unwrap_or_default)
}

/// `input.format`.
fn read_input(r: &mut Reader<'_>) -> Option<InputFormat> {
    let formats = [
        ("auto", InputFormat::Auto),
        ("debezium-json", InputFormat::DebeziumJson),
        ("json", InputFormat::Json),
        ("connect", InputFormat::Connect),
    ];
    r.choice("input.format", &formats)
}

/// `publish.mode`, and what copies cannot do.
fn read_publish_mode(
    r: &mut Reader<'_>,
    urls: Option<&(String, String)>,
    file_max_bytes: Option<u64>,
) -> Option<PublishChoice> {
    let choices = [
        ("auto", PublishChoice::Auto),
        ("multipart", PublishChoice::Multipart),
        ("copy", PublishChoice::Copy),
    ];
    let publish = r.choice("publish.mode", &choices)?;
    if publish == PublishChoice::Copy {
        if let Some((table, meta)) = urls
            && let Err(message) = rules::copies_between(table, meta)
        {
            return r.wrong("publish.mode", message);
        }
        within(r, "file.max.bytes", file_max_bytes, Some(rules::COPY_MAX), rules::copies);
    }
    Some(publish)
}

fn read_sink_id(r: &mut Reader<'_>, connector_name: &str) -> Option<String> {
    match r.given("sink.id") {
        Some(_) => r.with("sink.id", rules::sink_id),
        None => match rules::sink_id(connector_name) {
            Ok(id) if !id.is_empty() => Some(id),
            Ok(_) => r.wrong("sink.id", "is missing, and so is the connector's name"),
            Err(message) => {
                r.wrong("sink.id", format!("the connector's name {connector_name:?} {message}"))
            }
        },
    }
}

fn read_s3(r: &mut Reader<'_>) -> Option<S3Config> {
    let endpoint = optional(r, "s3.endpoint", |r, k| r.with(k, rules::http_url));
    let region = r.text("s3.region").map(str::to_owned);
    let text = |r: &mut Reader<'_>, key| r.text(key).map(str::to_owned);
    let access_key_id = text(r, "s3.access.key.id");
    let secret_access_key = text(r, "s3.secret.access.key").map(Secret);
    let session_token = text(r, "s3.session.token").map(Secret);
    if let Some((key, message)) = rules::credentials(
        access_key_id.is_some(),
        secret_access_key.is_some(),
        session_token.is_some(),
    ) {
        r.wrong::<()>(key, message);
    }
    let path_style = optional(r, "s3.path.style", |r, k| r.boolean(k));
    let proxy_url = optional(r, "s3.proxy.url", |r, k| r.with(k, rules::proxy_url));
    // The bounds of S3: no part but the last below 5 MiB. A part is held in memory whole.
    let part_size = r.number("s3.part.size", 5 << 20..=1 << 30);
    let concurrency = r.number("s3.concurrency", 1..=1024);
    let retry_max_ms = r.number("s3.retry.max.ms", 0..=HOUR_MS);
    let objects = objects::read(r);
    let endpoint = endpoint?;
    Some(S3Config {
        path_style: path_style?.unwrap_or(endpoint.is_some()),
        endpoint,
        region: region?,
        access_key_id,
        secret_access_key,
        session_token,
        proxy_url: proxy_url?,
        part_size: part_size?,
        concurrency: concurrency?,
        retry_max_ms: retry_max_ms?,
        objects: objects?,
    })
}

fn zone(name: &str) -> Result<chrono_tz::Tz, String> {
    name.parse().map_err(|_| {
        "is not a time zone; give a name of the IANA database, such as UTC or Europe/Berlin"
            .to_owned()
    })
}

/// Our keys that were given and are no credentials, as a JSON object in order of name: what can be
/// compared between two records of the commit log without giving anything away.
fn fingerprint(r: &Reader<'_>) -> String {
    let open = KEYS.iter().filter(|spec| spec.secrecy == Secrecy::Open);
    let given: BTreeMap<&str, &str> =
        open.filter_map(|spec| Some((spec.name, r.given(spec.name)?))).collect();
    serde_json::json!(given).to_string()
}
