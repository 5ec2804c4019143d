//! How times, ranges and sizes are written.

use alluvium_core::log::{LogRecord, Owner};

/// A time of day, UTC.
pub(crate) fn time(ms: i64) -> String {
    match chrono::DateTime::from_timestamp_millis(ms) {
        Some(time) if ms != 0 => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => "-".to_owned(),
    }
}

/// An offset that may be unknown.
pub(crate) fn offset(offset: Option<i64>) -> String {
    offset.map_or_else(|| "?".to_owned(), |offset| offset.to_string())
}

/// `from..to` without the last.
pub(crate) fn range(record: &LogRecord) -> String {
    format!("{}..{}", offset(record.start_offset), offset(record.next_offset))
}

/// One offset, or the first and the last.
pub(crate) fn offsets(from: i64, to: i64) -> String {
    if to - from == 1 { format!("offset {from}") } else { format!("offsets {from} to {}", to - 1) }
}

/// Who wrote a record.
pub(crate) fn owner(owner: &Owner) -> String {
    if owner.connector.is_empty() {
        return "-".to_owned();
    }
    let Owner { connector, task, host, pid, .. } = owner;
    if task.is_empty() && host.is_empty() {
        return format!("{connector}, pid {pid}");
    }
    format!("{connector}/{task}@{host}:{pid}")
}

/// Bytes, for people.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
