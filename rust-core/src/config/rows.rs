//! `row.*`, `tombstones` and `column.*`: in go their texts, out comes what a row holds.

use super::Secret;
use super::reader::Reader;

/// The names of the `_` columns, in the order of the file.
pub const METADATA_NAMES: [&str; 14] = [
    "_op",
    "_event_time",
    "_source_ts",
    "_topic",
    "_partition",
    "_offset",
    "_gtid",
    "_server_id",
    "_binlog_file",
    "_binlog_seq",
    "_binlog_pos",
    "_binlog_row",
    "_tx_id",
    "_snapshot",
];

/// Those of them that an envelope does not say itself.
const BESIDE_ENVELOPE: [&str; 4] = ["_event_time", "_topic", "_partition", "_offset"];

/// A shorter key can be tried out.
const MASK_KEY_MIN: usize = 16;

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsConfig {
    /// `row.layout` = `envelope`: the event as it was sent, in structs.
    pub envelope: bool,
    /// `row.before` = `struct`: the old row is a column of its own.
    pub before: bool,
    /// `row.metadata`: which of [`METADATA_NAMES`] the file has.
    pub metadata: [bool; METADATA_NAMES.len()],
    /// `tombstones` = `row`.
    pub tombstones: bool,
    /// `column.*`.
    pub columns: ColumnsConfig,
}

/// `column.*`: names of columns, with `*` and `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnsConfig {
    /// `column.include`; empty = all.
    pub include: Vec<String>,
    /// `column.exclude`.
    pub exclude: Vec<String>,
    /// `column.mask.hash`.
    pub mask: Vec<String>,
    /// `column.mask.hash.key`.
    pub mask_key: Option<Secret>,
}

impl Default for RowsConfig {
    fn default() -> Self {
        Self {
            envelope: false,
            before: false,
            metadata: [true; METADATA_NAMES.len()],
            tombstones: false,
            columns: ColumnsConfig::default(),
        }
    }
}

/// Reads what a row holds; `None` = a mistake was noted.
pub(super) fn read(r: &mut Reader<'_>) -> Option<RowsConfig> {
    let envelope = r.choice("row.layout", &[("flat", false), ("envelope", true)]);
    let before = r.choice("row.before", &[("none", false), ("struct", true)]);
    let metadata = match (r.text("row.metadata"), envelope) {
        (Some(_), _) => r.with("row.metadata", metadata),
        (None, Some(true)) => Some(METADATA_NAMES.map(|name| BESIDE_ENVELOPE.contains(&name))),
        (None, _) => Some([true; METADATA_NAMES.len()]),
    };
    let tombstones = r.choice("tombstones", &[("skip", false), ("row", true)]);
    let columns = read_columns(r);
    if envelope == Some(true) && before == Some(true) {
        return r.wrong("row.before", "must be left out: row.layout=envelope has before itself");
    }
    Some(RowsConfig {
        envelope: envelope?,
        before: before?,
        metadata: metadata?,
        tombstones: tombstones?,
        columns: columns?,
    })
}

fn read_columns(r: &mut Reader<'_>) -> Option<ColumnsConfig> {
    let include = list(r, "column.include");
    let exclude = list(r, "column.exclude");
    let mask = list(r, "column.mask.hash");
    let mask_key = r.text("column.mask.hash.key").map(|key| Secret(key.to_owned()));
    if r.text("column.mask.hash").is_some() && mask_key.is_none() {
        return r.wrong(
            "column.mask.hash.key",
            "must be given with column.mask.hash: values are few, so a hash without a key of \
             yours tells them to anybody who tries them out",
        );
    }
    if mask_key.as_ref().is_some_and(|key| key.0.len() < MASK_KEY_MIN) {
        return r.wrong(
            "column.mask.hash.key",
            format!("must be of at least {MASK_KEY_MIN} characters, random ones"),
        );
    }
    Some(ColumnsConfig { include: include?, exclude: exclude?, mask: mask?, mask_key })
}

/// A list of names; empty where it is not given.
fn list(r: &mut Reader<'_>, key: &'static str) -> Option<Vec<String>> {
    match r.text(key) {
        None => Some(Vec::new()),
        Some(_) => r.with(key, names),
    }
}

fn names(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().any(String::is_empty) {
        true => {
            Err("must be a list of column names, in which * and ? stand for other letters"
                .to_owned())
        }
        false => Ok(names),
    }
}

fn metadata(text: &str) -> Result<[bool; METADATA_NAMES.len()], String> {
    let mut wanted = [false; METADATA_NAMES.len()];
    for name in text.split(',').map(str::trim) {
        match METADATA_NAMES.iter().position(|known| *known == name) {
            Some(at) => wanted[at] = true,
            None if name == "none" && text.trim() == "none" => {}
            None => {
                return Err(format!("must be none, or a list of {}", METADATA_NAMES.join(", ")));
            }
        }
    }
    Ok(wanted)
}
