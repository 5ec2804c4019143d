//! What the columns of a row without envelope say of one: Debezium's ExtractNewRecordState adds them
//! when asked (`add.fields`, `delete.tombstone.handling.mode=rewrite`), named `__` and the field. In:
//! the row. Out: its op and source filled. Never takes a column out of the row; a column that holds
//! something else under such a name says nothing.

use super::event::Times;
use super::plan::Shape;
use super::program::{Part, part};
use super::row::{Op, Row, Slot};

/// Told of a time in ms that has no place in µs.
pub(super) const TOO_LARGE: &str = "ts_ms is too large to be a time";

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// `__op`.
    Op,
    /// `__deleted`: `true` is a delete.
    Deleted,
    /// `__ts_ms`, `__ts_us`: the envelope's own.
    Envelope(Part),
    /// `__source_…`, or the bare name of a field of `source`.
    Source(Part),
    /// `__transaction_id`, `__id`.
    TxId,
}

/// The columns that say something, by slot.
pub(super) fn extras(shape: &Shape, slots: &[Option<u32>]) -> Box<[(u32, Extra)]> {
    let said = shape.fields.iter().zip(slots);
    said.filter_map(|(field, slot)| Some(((*slot)?, extra(&field.name)?))).collect()
}

fn extra(column: &str) -> Option<Extra> {
    let name = column.strip_prefix("__")?;
    let extra = match (name, name.strip_prefix("source_")) {
        ("op", _) => Extra::Op,
        ("deleted", _) => Extra::Deleted,
        ("transaction_id" | "id", _) => Extra::TxId,
        (_, Some(field)) => Extra::Source(part(field)),
        (_, None) => match part(name) {
            part @ (Part::TsMs | Part::TsUs) => Extra::Envelope(part),
            part => Extra::Source(part),
        },
    };
    (!matches!(extra, Extra::Source(Part::Detail(_) | Part::Other))).then_some(extra)
}

/// Fills op and source of a row whose slots are filled; `None` when a time is too large.
pub(super) fn fill(extras: &[(u32, Extra)], value: &[u8], row: &mut Row) -> Option<()> {
    if extras.is_empty() {
        return Some(());
    }
    let (mut times, mut deleted) = (Times::default(), false);
    for (slot, extra) in extras {
        let slot = row.slots.get(*slot as usize).copied().unwrap_or(Slot::Null);
        match extra {
            Extra::Op => row.op = op(slot, row, value),
            Extra::Deleted => {
                deleted = match slot {
                    Slot::Bytes(span) => row.bytes(span, value) == b"true",
                    slot => slot == Slot::Bool(true),
                }
            }
            Extra::Envelope(Part::TsMs) => times.envelope_ms = int(slot),
            Extra::Envelope(_) => times.envelope_us = int(slot),
            Extra::Source(part) => source(*part, slot, row, &mut times),
            Extra::TxId => row.source.tx_id = span(slot),
        }
    }
    if deleted {
        row.op = row.op.or(Some(Op::Delete));
    }
    times.settle(&mut row.source)
}

fn source(part: Part, slot: Slot, row: &mut Row, times: &mut Times) {
    let source = &mut row.source;
    match part {
        Part::TsMs => times.source_ms = int(slot),
        Part::TsUs => times.source_us = int(slot),
        Part::ServerId => source.server_id = int(slot),
        Part::Pos => source.pos = int(slot),
        Part::Row => source.row = int(slot),
        Part::Gtid => source.gtid = span(slot),
        Part::File => source.file = span(slot),
        Part::Snapshot => source.snapshot = span(slot),
        Part::Db => source.db = span(slot),
        Part::Table => source.table = span(slot),
        Part::Detail(_) | Part::Other => {}
    }
}

fn op(slot: Slot, row: &Row, value: &[u8]) -> Option<Op> {
    let Slot::Bytes(span) = slot else { return None };
    Op::of(row.bytes(span, value))
}

fn int(slot: Slot) -> Option<i64> {
    if let Slot::Int(int) = slot { Some(int) } else { None }
}

fn span(slot: Slot) -> Option<super::row::Span> {
    if let Slot::Bytes(span) = slot { Some(span) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_transform_makes_say_something() {
        for (column, expected) in [
            ("__op", Some(Extra::Op)),
            ("__deleted", Some(Extra::Deleted)),
            ("__ts_ms", Some(Extra::Envelope(Part::TsMs))),
            ("__source_ts_ms", Some(Extra::Source(Part::TsMs))),
            ("__table", Some(Extra::Source(Part::Table))),
            ("__source_table", Some(Extra::Source(Part::Table))),
            ("__transaction_id", Some(Extra::TxId)),
            ("__colour", None),
            ("__source_colour", None),
            ("op", None),
            ("_op", None),
        ] {
            assert_eq!(extra(column), expected, "{column}");
        }
    }
}
