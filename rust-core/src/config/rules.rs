//! The shape of single values (URLs, lists, names) and the rules between keys.

use super::{Compression, EventTimeSource};

/// A `lake.url` taken apart as far as the rules here need it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LakeUrl<'a> {
    /// `s3` or `file`.
    pub(super) scheme: &'a str,
    /// The bucket; empty for `file`.
    pub(super) bucket: &'a str,
    /// The folder, neither beginning nor ending with `/`; empty = the root.
    pub(super) folder: &'a str,
}

/// Takes a lake URL apart.
pub(super) fn lake_url(url: &str) -> Result<LakeUrl<'_>, String> {
    let wanted = || "must be s3://bucket/path or file:///path".to_owned();
    let (scheme, rest) = url.split_once("://").ok_or_else(wanted)?;
    let (bucket, folder) = match scheme {
        "s3" => rest.split_once('/').unwrap_or((rest, "")),
        "file" => ("", rest.strip_prefix('/').ok_or_else(wanted)?),
        _ => return Err(wanted()),
    };
    if scheme == "s3" && bucket.is_empty() {
        return Err(wanted());
    }
    if bucket.contains(['@', ':']) {
        return Err("must hold a bucket only; credentials go into s3.access.key.id and \
                    s3.secret.access.key, a host into s3.endpoint"
            .to_owned());
    }
    let folder = folder.trim_matches('/');
    if !folder.is_empty() && folder.split('/').any(|s| matches!(s, "" | "." | "..")) {
        return Err("must not contain empty, . or .. folders".to_owned());
    }
    if url.contains(['?', '#', '*', '\\']) || url.chars().any(char::is_control) {
        return Err("must not contain ?, #, *, \\ or control characters".to_owned());
    }
    Ok(LakeUrl { scheme, bucket, folder })
}

/// Where the commit log goes unless told: beside the table. `None` at a root, which has no beside.
pub(super) fn default_meta_url(table: &LakeUrl<'_>) -> Option<String> {
    let LakeUrl { scheme, bucket, folder } = table;
    let slash = if *scheme == "file" { "" } else { "/" };
    let root = if *scheme == "file" { "/" } else { bucket };
    (!folder.is_empty()).then(|| format!("{scheme}://{root}{slash}{folder}.alluvium"))
}

/// The commit log and the table may not lie in one another: readers of the table would list the
/// log, and a clean-up of one would sweep the other.
pub(super) fn meta_beside_table(table: &LakeUrl<'_>, meta: &LakeUrl<'_>) -> Result<(), String> {
    if table.scheme != meta.scheme {
        return Err(format!("must be a {}:// URL, as lake.url is", table.scheme));
    }
    let within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        outer.is_empty() || rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    if table.bucket != meta.bucket {
        return Ok(());
    }
    if within(meta.folder, table.folder) {
        return Err("must not lie in lake.url's folder: readers of the table would list the \
                    commit log; put it beside the table"
            .to_owned());
    }
    if within(table.folder, meta.folder) {
        return Err("must not hold lake.url's folder; put it beside the table".to_owned());
    }
    Ok(())
}

/// An `http(s)://host…` URL without user and password.
pub(super) fn http_url(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.map(|r| r.split('/').next().unwrap_or_default()).unwrap_or_default();
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err("must be http://host:port or https://host:port".to_owned());
    }
    if host.contains('@') {
        return Err("must not hold a user or password".to_owned());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// A proxy's URL; it may hold user and password.
pub(super) fn proxy_url(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !url.contains(char::is_whitespace) => Ok(url.to_owned()),
        _ => Err("must be http://host:port or https://host:port".to_owned()),
    }
}

/// `sink.id` names a folder of the commit log.
pub(super) fn sink_id(id: &str) -> Result<String, String> {
    if id.len() > 200 || matches!(id, "." | "..") || id.contains(['/', '\\']) {
        return Err("must be a folder's name of at most 200 bytes without / and \\; set sink.id \
                    when the connector's name cannot be one"
            .to_owned());
    }
    if id.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(id.to_owned())
}

/// One entry of `event.time`.
pub(super) fn event_time(text: &str) -> Result<EventTimeSource, String> {
    match (text, text.split_once('.')) {
        ("source.ts_us", _) => Ok(EventTimeSource::SourceTs),
        ("ts_us", _) => Ok(EventTimeSource::EnvelopeTs),
        ("kafka", _) => Ok(EventTimeSource::Kafka),
        (_, Some(("after", column))) if !column.is_empty() => {
            Ok(EventTimeSource::Column(column.to_owned()))
        }
        (_, Some(("before", column))) => Err(format!(
            "must be after.{column}: it takes the column from before when the row is deleted"
        )),
        _ => Err("must be source.ts_us, ts_us, kafka or after.<column>".to_owned()),
    }
}

/// `event.time.fallback`: entries of `event.time`, tried in order; `fail` may stand at the end.
pub(super) fn event_time_list(text: &str) -> Result<Vec<EventTimeSource>, String> {
    let mut entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries.last() == Some(&"fail") {
        entries.pop();
    }
    let wanted = "must be fail, or a list of source.ts_us, ts_us, kafka, after.<column>";
    entries.into_iter().map(|e| event_time(e).map_err(|_| wanted.to_owned())).collect()
}

/// A key of which this version carries out one way only.
pub(super) fn one_way(value: &str, values: &[&str]) -> Result<(), String> {
    let message = || format!("must be {}; others come with a later version", values.join(" or "));
    if values.contains(&value) { Ok(()) } else { Err(message()) }
}

/// `columns.types`: `name:type,…`; a type may hold commas within parentheses.
pub(super) fn columns_types(text: &str) -> Result<Vec<(String, String)>, String> {
    let wanted = |entry: &str| format!("must be column:type,…; {entry:?} is not of that form");
    let mut types: Vec<(String, String)> = Vec::new();
    for entry in split_outside_parentheses(text) {
        let (column, kind) = entry.rsplit_once(':').ok_or_else(|| wanted(entry))?;
        let (column, kind) = (column.trim(), kind.trim());
        if column.is_empty() || kind.is_empty() {
            return Err(wanted(entry));
        }
        if types.iter().any(|(known, _)| known == column) {
            return Err(format!("names the column {column} twice"));
        }
        types.push((column.to_owned(), kind.to_owned()));
    }
    Ok(types)
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0i32;
    text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth <= 0
    })
    .collect()
}

/// A compression with the level it can take.
pub(super) fn with_level(compression: Compression, level: i32) -> Result<Compression, String> {
    match compression {
        Compression::Zstd(_) if (1..=22).contains(&level) => Ok(Compression::Zstd(level)),
        Compression::Zstd(_) => Err("must be from 1 to 22 for zstd".to_owned()),
        Compression::Gzip(_) => match u32::try_from(level) {
            Ok(level @ 0..=9) => Ok(Compression::Gzip(level)),
            _ => Err("must be from 0 to 9 for gzip".to_owned()),
        },
        // The default level is not a wish.
        other if level == 1 => Ok(other),
        _ => Err("must be left out: this parquet.compression has no levels".to_owned()),
    }
}

/// No upload may expire before its commit: `commit.interval.ms` against `upload.max.age.ms`.
pub(super) fn interval(interval_ms: u64, age_ms: u64) -> Result<(), String> {
    let message = || {
        format!(
            "must be at most half of upload.max.age.ms ({age_ms}), so that no upload expires \
             before its commit"
        )
    };
    if interval_ms <= age_ms / 2 { Ok(()) } else { Err(message()) }
}

/// Half of the largest object that every S3 store takes, 5 TiB: row groups end where they end.
pub(super) const FILE_MAX: u64 = (5 << 40) / 2;
/// S3 takes no more parts for one upload.
pub(crate) const PARTS_MAX: u64 = 10_000;
const MIB: usize = 1 << 20;

/// Bytes of every part of a file but the last: `s3.part.size`, or more where a file of twice
/// `file.max.bytes` (row groups end where they end) would need more parts than S3 takes. Known
/// before the first byte, because some stores take parts of one size only.
pub(crate) fn part_size(least: usize, file_max_bytes: u64) -> usize {
    let needed = file_max_bytes.saturating_mul(2).div_ceil(PARTS_MAX);
    match usize::try_from(needed) {
        Ok(needed) if needed > least => needed.next_multiple_of(MIB),
        _ => least,
    }
}

/// S3 copies no object above this by one request.
pub(super) const COPY_MAX: u64 = 5 << 30;

/// `file.max.bytes` with `publish.mode=copy`: half of what one copy takes, because row groups end
/// where they end.
pub(super) fn copies(file: u64, most: u64) -> Result<(), String> {
    let most = most / 2;
    let message = || {
        format!("must be at most {most} with publish.mode=copy: S3 copies no object above 5 GiB")
    };
    if file <= most { Ok(()) } else { Err(message()) }
}

/// A store copies within a bucket: the table's and the log's URL with `publish.mode=copy`.
pub(super) fn copies_between(table: &str, meta: &str) -> Result<(), String> {
    let bucket = |url| lake_url(url).map(|u| (u.scheme, u.bucket));
    match (bucket(table)?, bucket(meta)?) {
        (("file", _), _) => Err("must be auto for a folder: its files are renamed".to_owned()),
        (table, meta) if table == meta => Ok(()),
        _ => {
            Err("copy needs lake.meta.url in the bucket of lake.url: files are staged beside the \
                  commit log, and copied within a bucket"
                .to_owned())
        }
    }
}

/// A part filling and one in flight must fit: `memory.limit.bytes` against the size of parts.
pub(super) fn memory(limit: u64, part: u64) -> Result<(), String> {
    let message = || {
        format!(
            "must be at least twice the size of a part ({part}, by s3.part.size and \
             file.max.bytes): one filling, one in flight"
        )
    };
    if limit >= 2 * part { Ok(()) } else { Err(message()) }
}

/// Half a pair of credentials would fall back to another identity than the one meant.
pub(super) fn credentials(
    id: bool,
    secret: bool,
    token: bool,
) -> Option<(&'static str, &'static str)> {
    match (id, secret, token) {
        (true, false, _) => Some((
            "s3.secret.access.key",
            "must be given with s3.access.key.id; leave out both to use the AWS environment, web \
             identity, container or instance role",
        )),
        (false, true, _) => Some(("s3.access.key.id", "must be given with s3.secret.access.key")),
        (false, false, true) => {
            Some(("s3.session.token", "needs s3.access.key.id and s3.secret.access.key beside it"))
        }
        _ => None,
    }
}
