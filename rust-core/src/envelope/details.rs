//! What an envelope says beside what every layout keeps. In: the name of a field of the envelope, of
//! `source` or of `transaction`. Out: its place among a row's details, and what it holds. Read only
//! where the layout is the envelope.
//!
//! The names are those of Debezium's connectors for MySQL, MariaDB, PostgreSQL and SQL Server. They
//! are typed as there, but what only some connectors send is text: others send it as another type.

use super::json::string;
use super::row::{Row, Slot};
use super::slow::{keep, span_in, unfit};
use crate::error::Result;
use crate::schema::ColumnKind;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The object a detail is in, its key, and what it holds: text or an integer of 64 bits.
pub const DETAILS: [(&str, &str, ColumnKind); 17] = [
    ("", "ts_ns", ColumnKind::Int64),
    ("source", "version", ColumnKind::Enum),
    ("source", "connector", ColumnKind::Enum),
    ("source", "name", ColumnKind::Enum),
    ("source", "ts_ns", ColumnKind::Int64),
    ("source", "schema", ColumnKind::Enum),
    ("source", "sequence", ColumnKind::Utf8),
    ("source", "thread", ColumnKind::Int64),
    ("source", "query", ColumnKind::Utf8),
    ("source", "txId", ColumnKind::Utf8),
    ("source", "lsn", ColumnKind::Utf8),
    ("source", "xmin", ColumnKind::Utf8),
    ("source", "change_lsn", ColumnKind::Utf8),
    ("source", "commit_lsn", ColumnKind::Utf8),
    ("source", "event_serial_no", ColumnKind::Utf8),
    ("transaction", "total_order", ColumnKind::Int64),
    ("transaction", "data_collection_order", ColumnKind::Int64),
];

/// The place of a detail.
pub(super) fn place(object: &str, key: &str) -> Option<u8> {
    let is = |detail: &(&str, &str, ColumnKind)| (detail.0, detail.1) == (object, key);
    DETAILS.iter().position(is).and_then(|at| u8::try_from(at).ok())
}

/// Whether a detail is an integer.
pub(super) fn is_integer(at: u8) -> bool {
    DETAILS.get(usize::from(at)).is_some_and(|detail| detail.2 == ColumnKind::Int64)
}

/// Keeps a detail that was read by serde; `value` is the whole value of the record.
pub(super) fn note(at: u8, raw: &RawValue, value: &str, row: &mut Row) -> Result<()> {
    let Some((object, key, _)) = DETAILS.get(usize::from(at)) else { return Ok(()) };
    let json = raw.get();
    let wrong = |expected: &str| unfit(object, key, raw, expected, "it is none");
    let slot = match json.as_bytes().first() {
        Some(b'n') => Slot::Null,
        _ if is_integer(at) => Slot::Int(json.parse().map_err(|_| wrong("an integer of 64 bits"))?),
        Some(b'"') => match string(raw).map_err(|_| wrong("a string"))? {
            Cow::Borrowed(text) => Slot::Bytes(span_in(value, text)),
            Cow::Owned(text) => Slot::Bytes(keep(&text, &mut row.arena)),
        },
        Some(b'{' | b'[') => return Err(wrong("a text, a number or a boolean")),
        _ => Slot::Bytes(span_in(value, json)),
    };
    row.details[usize::from(at)] = slot;
    Ok(())
}

impl Row {
    /// Makes room for the details.
    pub(super) fn open_details(&mut self) {
        self.details.resize(DETAILS.len(), Slot::Null);
    }
}
