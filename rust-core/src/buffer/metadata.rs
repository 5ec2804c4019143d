//! The `_` columns of the rows that wait.

use super::RowStamp;
use super::column::{ColumnBuffer, Misfit};
use crate::envelope::{Row, Slot, Span};
use crate::error::Result;
use crate::schema::ColumnKind;
use arrow::array::{ArrayRef, Int32Array, StringArray};
use std::sync::Arc;

/// The `_` columns, in the order of the file.
///
/// Text of few distinct values is of kind `Enum`, as in tables: encoders go by that.
pub(super) const METADATA: [(&str, ColumnKind); 14] = [
    ("_op", ColumnKind::Enum),
    ("_event_time", ColumnKind::Timestamp { utc: true }),
    ("_source_ts", ColumnKind::Timestamp { utc: true }),
    ("_topic", ColumnKind::Enum),
    ("_partition", ColumnKind::Int32),
    ("_offset", ColumnKind::Int64),
    ("_gtid", ColumnKind::Utf8),
    ("_server_id", ColumnKind::Int64),
    ("_binlog_file", ColumnKind::Enum),
    ("_binlog_seq", ColumnKind::Int64),
    ("_binlog_pos", ColumnKind::Int64),
    ("_binlog_row", ColumnKind::Int64),
    ("_tx_id", ColumnKind::Utf8),
    ("_snapshot", ColumnKind::Enum),
];

/// Columns before `_topic` and `_partition`, of which a file has one value each: these two are
/// built with the batch, all others kept row by row.
const BEFORE_TOPIC: usize = 3;
const TOPIC: usize = BEFORE_TOPIC;
const PARTITION: usize = BEFORE_TOPIC + 1;

/// The values of the `_` columns.
#[derive(Debug)]
pub(super) struct MetadataBuffers {
    op: ColumnBuffer,
    /// All that come from a [`Slot`], in the order of the file.
    others: [ColumnBuffer; METADATA.len() - 3],
    wanted: [bool; METADATA.len()],
    /// Those of `others` that are wanted.
    wanted_others: [bool; METADATA.len() - 3],
}

impl MetadataBuffers {
    pub(super) fn new(wanted: &[bool; METADATA.len()]) -> Self {
        let place = |at: usize| if at < BEFORE_TOPIC { at } else { at + 2 };
        let others = std::array::from_fn(|at| ColumnBuffer::new(METADATA[place(at + 1)].1));
        let wanted_others = std::array::from_fn(|at| wanted[place(at + 1)]);
        Self { op: ColumnBuffer::new(METADATA[0].1), others, wanted: *wanted, wanted_others }
    }

    /// Bytes of a row beside those `append` tells of.
    pub(super) fn row_width(&self) -> usize {
        self.op.row_width() + self.others.iter().map(ColumnBuffer::row_width).sum::<usize>()
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.op.memory_bytes() + self.others.iter().map(ColumnBuffer::memory_bytes).sum::<usize>()
    }

    /// Appends the metadata of a row; gives the bytes of its texts. On an error some columns have
    /// it: `truncate` takes it out again.
    pub(super) fn append(
        &mut self,
        row: &Row,
        value: &[u8],
        stamp: &RowStamp<'_>,
    ) -> Result<usize, Misfit> {
        let int = |n: Option<i64>| n.map_or(Slot::Null, Slot::Int);
        let text = |span: Option<Span>| span.map_or(Slot::Null, Slot::Bytes);
        let source = &row.source;
        let slots = [
            Slot::Int(stamp.event_time_us),
            int(source.ts_us),
            Slot::Int(stamp.offset),
            text(source.gtid),
            int(source.server_id),
            text(source.file),
            int(source.file.and_then(|file| binlog_seq(row.bytes(file, value)))),
            int(source.pos),
            int(source.row),
            text(source.tx_id),
            text(source.snapshot),
        ];
        let mut variable = match row.op {
            _ if !self.wanted[0] => 0,
            Some(op) => self.op.append_text(op.letter().as_bytes())?,
            None => self.op.append(Slot::Null, row, value)?,
        };
        for ((column, slot), wanted) in self.others.iter_mut().zip(slots).zip(self.wanted_others) {
            if wanted {
                variable += column.append(slot, row, value)?;
            }
        }
        Ok(variable)
    }

    /// Forgets all rows behind the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.op.truncate(rows);
        self.others.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// Takes all rows, as arrays behind those given.
    pub(super) fn take(
        &mut self,
        rows: usize,
        topic: &str,
        partition: i32,
        arrays: &mut Vec<ArrayRef>,
    ) -> Result<()> {
        let mut others = self.others.iter_mut();
        for (at, wanted) in self.wanted.into_iter().enumerate() {
            // Each column has its turn, wanted or not.
            let column = match at {
                0 => Some(&mut self.op),
                TOPIC | PARTITION => None,
                _ => others.next(),
            };
            match column {
                _ if !wanted => {}
                Some(column) => arrays.push(column.take()?),
                None if at == TOPIC => {
                    arrays.push(Arc::new(StringArray::new_repeated(topic, rows)));
                }
                None => arrays.push(Arc::new(Int32Array::from_value(partition, rows))),
            }
        }
        Ok(())
    }
}

/// The number in a binlog file's name: `binlog.000042` is 42. `None` when it does not end in one.
///
/// Names do not sort as numbers do: `binlog.999999` is followed by `binlog.1000000`.
fn binlog_seq(file: &[u8]) -> Option<i64> {
    let digits = file.rsplit(|byte| *byte == b'.').next()?;
    if digits.len() == file.len() || digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |n, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_binlog_file_is_read() {
        let cases: [(&[u8], _); 9] = [
            (b"binlog.000042", Some(42)),
            (b"binlog.1000000", Some(1_000_000)),
            (b"mysql-bin.host.000007", Some(7)),
            (b"binlog.9223372036854775807", Some(i64::MAX)),
            (b"binlog.9223372036854775808", None),
            (b"binlog.", None),
            (b"binlog", None),
            (b"000042", None),
            (b"binlog.00004x", None),
        ];
        for (file, expected) in cases {
            assert_eq!(binlog_seq(file), expected, "{}", String::from_utf8_lossy(file));
        }
    }
}
