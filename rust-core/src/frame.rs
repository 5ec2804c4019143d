//! Room 1, frame: in come the bytes Java filled, out go borrowed records. Never copies a record,
//! never looks inside one.
//!
//! Layout (little endian, no padding), one record after another:
//!
//! | bytes | field |
//! | --- | --- |
//! | u32 | length of what follows of this record |
//! | u32 | topic-partition id (one assignment, interned by the shim) |
//! | i64 | offset (original) |
//! | i64 | Kafka timestamp in ms, -1 = none |
//! | i32 | key length, -1 = null |
//! | i32 | value length, -1 = null |
//! | …   | key bytes, then value bytes |
//!
//! Java sends the number of bytes and of records; both are checked here. A disagreement is our own
//! bug ([`Kind::Corrupt`]), never the user's data.

use crate::error::{Error, Kind, Result};
use crate::position::TpId;
use bytes::Bytes;

/// Bytes of a record's header behind its length field.
const HEADER: usize = 4 + 8 + 8 + 4 + 4;

/// A frame as it waits in the queue: Java's buffer, kept alive until the frame is dropped.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The shim's number of the frame; told back when the buffer may be used again.
    pub id: u64,
    /// The filled part of the buffer.
    pub bytes: Bytes,
    /// Number of records in it.
    pub count: u32,
}

/// One record, borrowed from its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// The assignment it was delivered under.
    pub tp: TpId,
    /// Original offset.
    pub offset: i64,
    /// Kafka timestamp in milliseconds.
    pub timestamp_ms: Option<i64>,
    /// Key bytes, `None` = null.
    pub key: Option<&'a [u8]>,
    /// Value bytes, `None` = null (a tombstone).
    pub value: Option<&'a [u8]>,
}

/// Where in the frame a reader stands; kept between slices of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    at: usize,
    /// Number of records read so far: the index of the next one in its frame.
    pub index: u32,
}

impl Frame {
    /// Reads the record at the cursor and moves the cursor behind it; `None` at the end.
    pub fn next(&self, cursor: &mut Cursor) -> Result<Option<RawRecord<'_>>> {
        if cursor.at == self.bytes.len() && cursor.index == self.count {
            return Ok(None);
        }
        let record = self.record_at(cursor).ok_or_else(|| self.corrupt(*cursor))?;
        Ok(Some(record))
    }

    fn record_at(&self, cursor: &mut Cursor) -> Option<RawRecord<'_>> {
        if cursor.index == self.count {
            return None;
        }
        let rest = self.bytes.get(cursor.at..)?;
        let length = u32::from_le_bytes(rest.first_chunk::<4>().copied()?) as usize;
        let body = rest.get(4..4 + length)?;
        let (header, data) = body.split_at_checked(HEADER)?;
        let tp = TpId(u32::from_le_bytes(header[0..4].try_into().ok()?));
        let offset = i64::from_le_bytes(header[4..12].try_into().ok()?);
        let timestamp = i64::from_le_bytes(header[12..20].try_into().ok()?);
        let key_len = i32::from_le_bytes(header[20..24].try_into().ok()?);
        let value_len = i32::from_le_bytes(header[24..28].try_into().ok()?);
        let (key, data) = split(data, key_len)?;
        let (value, data) = split(data, value_len)?;
        if !data.is_empty() {
            return None;
        }
        cursor.at += 4 + length;
        cursor.index += 1;
        let timestamp_ms = (timestamp >= 0).then_some(timestamp);
        Some(RawRecord { tp, offset, timestamp_ms, key, value })
    }

    fn corrupt(&self, cursor: Cursor) -> Error {
        Error::new(Kind::Corrupt, "a frame from the shim does not parse; please report this bug")
            .with("frame", self.id)
            .with("record", cursor.index)
            .with("at", cursor.at)
            .with("length", self.bytes.len())
            .with("count", self.count)
    }
}

/// Splits off a nullable field; -1 = null. Lengths below -1 do not parse.
fn split(data: &[u8], length: i32) -> Option<(Option<&[u8]>, &[u8])> {
    match length {
        -1 => Some((None, data)),
        n => data.split_at_checked(usize::try_from(n).ok()?).map(|(f, rest)| (Some(f), rest)),
    }
}

/// Appends a record in the frame layout: what the shim does in Java, for tests and benchmarks.
pub fn append(buffer: &mut Vec<u8>, record: &RawRecord<'_>) {
    let length = |field: Option<&[u8]>| field.map_or(-1, |f| f.len() as i32);
    let data = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
    buffer.extend_from_slice(&((HEADER + data) as u32).to_le_bytes());
    buffer.extend_from_slice(&record.tp.0.to_le_bytes());
    buffer.extend_from_slice(&record.offset.to_le_bytes());
    buffer.extend_from_slice(&record.timestamp_ms.unwrap_or(-1).to_le_bytes());
    buffer.extend_from_slice(&length(record.key).to_le_bytes());
    buffer.extend_from_slice(&length(record.value).to_le_bytes());
    buffer.extend_from_slice(record.key.unwrap_or_default());
    buffer.extend_from_slice(record.value.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(records: &[RawRecord<'_>]) -> Frame {
        let mut bytes = Vec::new();
        records.iter().for_each(|r| append(&mut bytes, r));
        Frame { id: 1, bytes: bytes.into(), count: records.len() as u32 }
    }

    fn record<'a>(offset: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> RawRecord<'a> {
        RawRecord { tp: TpId(7), offset, timestamp_ms: Some(5), key, value }
    }

    #[test]
    fn records_come_back_as_appended() {
        let all = [
            record(0, Some(b"k"), Some(b"value")),
            record(1, None, None),
            record(9, Some(b""), Some(b"")),
            RawRecord { timestamp_ms: None, ..record(10, None, Some(b"x")) },
        ];
        let frame = frame(&all);
        let mut cursor = Cursor::default();
        for (i, expected) in all.iter().enumerate() {
            assert_eq!(cursor.index as usize, i);
            assert_eq!(frame.next(&mut cursor).unwrap().as_ref(), Some(expected));
        }
        assert_eq!(frame.next(&mut cursor).unwrap(), None);
        assert_eq!(frame.next(&mut cursor).unwrap(), None, "the end stays the end");
    }

    #[test]
    fn every_truncation_and_a_wrong_count_are_corrupt() {
        let whole = frame(&[record(0, Some(b"key"), Some(b"value")), record(1, None, Some(b"v"))]);
        let read_all = |frame: &Frame| {
            let mut cursor = Cursor::default();
            loop {
                match frame.next(&mut cursor) {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    Err(e) => return Err(e.kind()),
                }
            }
        };
        assert_eq!(read_all(&whole), Ok(()));
        for length in 0..whole.bytes.len() {
            let cut = Frame { bytes: whole.bytes.slice(..length), ..whole.clone() };
            assert_eq!(read_all(&cut), Err(Kind::Corrupt), "cut to {length} bytes");
        }
        for count in [0, 1, 3] {
            let wrong = Frame { count, ..whole.clone() };
            assert_eq!(read_all(&wrong), Err(Kind::Corrupt), "count {count}");
        }
    }
}
