//! The columns of an envelope beside the old row: the row, where it comes from, what was done when.

use super::column::Misfit;
use super::image::{ImageBuffer, StructBuffer};
use crate::envelope::{DETAILS, Row, Slot, Span};
use crate::error::Result;
use crate::schema::{Column, ColumnKind, TableSchema};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

/// The fields of `source`, in Debezium's order.
pub(super) const SOURCE: [(&str, ColumnKind); 24] = [
    ("version", ColumnKind::Enum),
    ("connector", ColumnKind::Enum),
    ("name", ColumnKind::Enum),
    ("ts_ms", ColumnKind::Int64),
    ("snapshot", ColumnKind::Enum),
    ("db", ColumnKind::Enum),
    ("sequence", ColumnKind::Utf8),
    ("ts_us", ColumnKind::Int64),
    ("ts_ns", ColumnKind::Int64),
    ("schema", ColumnKind::Enum),
    ("table", ColumnKind::Enum),
    ("server_id", ColumnKind::Int64),
    ("gtid", ColumnKind::Utf8),
    ("file", ColumnKind::Enum),
    ("pos", ColumnKind::Int64),
    ("row", ColumnKind::Int64),
    ("thread", ColumnKind::Int64),
    ("query", ColumnKind::Utf8),
    ("txId", ColumnKind::Utf8),
    ("lsn", ColumnKind::Utf8),
    ("xmin", ColumnKind::Utf8),
    ("change_lsn", ColumnKind::Utf8),
    ("commit_lsn", ColumnKind::Utf8),
    ("event_serial_no", ColumnKind::Utf8),
];

/// Those of `transaction`.
pub(super) const TRANSACTION: [(&str, ColumnKind); 3] = [
    ("id", ColumnKind::Utf8),
    ("total_order", ColumnKind::Int64),
    ("data_collection_order", ColumnKind::Int64),
];

/// What stands beside the structs.
pub(super) const HEADS: [(&str, ColumnKind); 4] = [
    ("op", ColumnKind::Enum),
    ("ts_ms", ColumnKind::Int64),
    ("ts_us", ColumnKind::Int64),
    ("ts_ns", ColumnKind::Int64),
];

/// The fields of the structs of a file.
#[derive(Debug)]
pub(super) struct EnvelopeFields {
    /// Of the row; `None` where the table has no columns.
    pub(super) after: Option<Fields>,
    pub(super) source: Fields,
    pub(super) transaction: Fields,
}

/// The values that wait.
#[derive(Debug)]
pub(super) struct EnvelopeBuffer {
    after: Option<StructBuffer>,
    source: StructBuffer,
    transaction: StructBuffer,
    heads: ImageBuffer,
}

impl EnvelopeBuffer {
    pub(super) fn new(table: &TableSchema) -> Self {
        let of = |columns: &[(&str, ColumnKind)]| ImageBuffer::new(columns.iter().map(|c| c.1));
        let has_columns = !table.columns.is_empty();
        Self {
            after: has_columns.then(|| StructBuffer::new(ImageBuffer::of(table))),
            source: StructBuffer::new(of(&SOURCE)),
            transaction: StructBuffer::new(of(&TRANSACTION)),
            heads: of(&HEADS),
        }
    }

    /// Bytes of a row beside those `append` tells of.
    pub(super) fn row_width(&self) -> usize {
        self.after.as_ref().map_or(0, StructBuffer::row_width)
            + self.source.row_width()
            + self.transaction.row_width()
            + self.heads.row_width()
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.after.as_ref().map_or(0, StructBuffer::memory_bytes)
            + self.source.memory_bytes()
            + self.transaction.memory_bytes()
            + self.heads.memory_bytes()
    }

    /// Appends a row; gives the bytes of its texts. On an error, which names the column of the
    /// table, some columns have it: `truncate` takes it out again.
    pub(super) fn append(
        &mut self,
        row: &Row,
        value: &[u8],
        mapping: Option<&[Option<u16>]>,
    ) -> Result<usize, (usize, Misfit)> {
        let mut variable = 0;
        if let Some(after) = &mut self.after {
            let image = has_after(row).then_some(&row.slots[..]);
            variable += after.append(image, row, value, mapping)?;
        }
        let ours = |(_, misfit)| (usize::MAX, misfit);
        let some = |slots: &[Slot]| slots.iter().any(|slot| *slot != Slot::Null);
        let source = source(row);
        let source = some(&source).then_some(&source[..]);
        variable += self.source.append(source, row, value, None).map_err(ours)?;
        let transaction = [
            text(row.source.tx_id),
            detail(row, "transaction", "total_order"),
            detail(row, "transaction", "data_collection_order"),
        ];
        let transaction = some(&transaction).then_some(&transaction[..]);
        variable += self.transaction.append(transaction, row, value, None).map_err(ours)?;
        let letter = row.op.map(|op| op.letter().as_bytes());
        let us = row.source.envelope_ts_us;
        let times = [int(us.map(millis)), int(us), detail(row, "", "ts_ns")];
        variable += self.heads.append_led(letter, &times, row, value).map_err(ours)?;
        Ok(variable)
    }

    /// Forgets all rows behind the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.after.iter_mut().for_each(|after| after.truncate(rows));
        self.source.truncate(rows);
        self.transaction.truncate(rows);
        self.heads.truncate(rows);
    }

    /// Takes all rows, as arrays behind those given.
    pub(super) fn take(
        &mut self,
        fields: &EnvelopeFields,
        arrays: &mut Vec<ArrayRef>,
    ) -> Result<()> {
        if let (Some(after), Some(fields)) = (&mut self.after, &fields.after) {
            arrays.push(after.take(fields)?);
        }
        arrays.push(self.source.take(&fields.source)?);
        arrays.push(self.transaction.take(&fields.transaction)?);
        self.heads.take(arrays)
    }
}

/// The columns of a list.
pub(super) fn listed(columns: &[(&str, ColumnKind)]) -> Vec<Column> {
    columns.iter().map(|(name, kind)| Column { name: (*name).into(), kind: *kind }).collect()
}

/// Whether the row image is what the row is now: not for a delete, whose image is the old row, nor
/// for a tombstone, whose key names a row that is gone.
fn has_after(row: &Row) -> bool {
    use crate::envelope::Op::{Create, Message, Read, Update};
    match row.op {
        Some(Create | Update | Read) => true,
        Some(Message) => row.slots.iter().any(|slot| *slot != Slot::Null),
        _ => false,
    }
}

/// The old row of an envelope: what was sent, and for a tombstone its key.
pub(super) fn old(row: &Row) -> Option<&[Slot]> {
    match row.op {
        None => Some(&row.slots),
        Some(_) => row.has_before.then_some(&row.before),
    }
}

fn source(row: &Row) -> [Slot; SOURCE.len()] {
    let source = &row.source;
    SOURCE.map(|(name, _)| match name {
        "ts_ms" => int(source.ts_us.map(millis)),
        "ts_us" => int(source.ts_us),
        "server_id" => int(source.server_id),
        "gtid" => text(source.gtid),
        "file" => text(source.file),
        "pos" => int(source.pos),
        "row" => int(source.row),
        "snapshot" => text(source.snapshot),
        "db" => text(source.db),
        "table" => text(source.table),
        name => detail(row, "source", name),
    })
}

fn detail(row: &Row, object: &str, key: &str) -> Slot {
    let at = DETAILS.iter().position(|detail| (detail.0, detail.1) == (object, key));
    at.and_then(|at| row.details.get(at)).copied().unwrap_or(Slot::Null)
}

fn millis(us: i64) -> i64 {
    us.div_euclid(1_000)
}

fn int(n: Option<i64>) -> Slot {
    n.map_or(Slot::Null, Slot::Int)
}

fn text(span: Option<Span>) -> Slot {
    span.map_or(Slot::Null, Slot::Bytes)
}
