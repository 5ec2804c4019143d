//! A row is in its file or it is not.

use crate::cells::{Cell, KINDS, any_cell, cases};
use crate::files::{PLAIN, append, assert_rows, finish, open, read, row, schema, stamp};
use alluvium_core::buffer::RowStamp;
use alluvium_core::envelope::{Op, Row, Slot, Span, SpanSource};
use alluvium_core::error::Kind;
use alluvium_core::schema::ColumnKind;
use proptest::prelude::*;

/// Values that do not fit, by kind.
fn misfits() -> Vec<(ColumnKind, Cell)> {
    let wide = |byte: u8| Cell::Bytes([vec![0; 31], vec![byte]].concat());
    vec![
        (ColumnKind::Int16, Cell::Int(32_768)),
        (ColumnKind::Int16, Cell::Int(-32_769)),
        (ColumnKind::Int32, Cell::Int(1 << 31)),
        (ColumnKind::Date, Cell::Int(i64::MIN)),
        (ColumnKind::Time, Cell::Int(-1)),
        (ColumnKind::Time, Cell::Int(86_400_000_000)),
        (ColumnKind::Float32, Cell::Float(1e39)),
        (ColumnKind::Decimal { precision: 5, scale: 2 }, Cell::Decimal(100_000)),
        (ColumnKind::Decimal { precision: 38, scale: 0 }, Cell::Decimal(i128::MIN)),
        (ColumnKind::Decimal { precision: 65, scale: 0 }, wide(0x7F)),
        (ColumnKind::Decimal { precision: 65, scale: 0 }, wide(0x80)),
    ]
}

#[test]
fn a_value_that_does_not_fit_is_a_bad_record_naming_its_place() {
    for (kind, cell) in misfits() {
        let kinds = [ColumnKind::Utf8, kind];
        let text = Cell::Bytes(b"text".to_vec());
        let mut file = open(&schema(&kinds), &PLAIN);
        append(&mut file, 1, &[text.clone(), Cell::Null]).unwrap();
        let before = file.stats();
        let error = append(&mut file, 5, &[text.clone(), cell.clone()]).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRecord, "{kind:?} {cell:?}");
        for (name, value) in
            [("column", "c1"), ("topic", "orders_cdc"), ("partition", "3"), ("offset", "5")]
        {
            assert_eq!(error.context(name), Some(value), "{error}");
        }
        assert_eq!(file.stats().rows, before.rows);
        assert_eq!(file.stats().last_offset, before.last_offset);
        append(&mut file, 5, &[Cell::Null, Cell::Null]).unwrap();
        let (batch, _) = read(&finish(file, Vec::new()).0);
        assert_rows(&batch, &kinds, &[vec![text, Cell::Null], vec![Cell::Null, Cell::Null]]);
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn nothing_of_a_refused_row_is_in_the_file(
        rows in prop::collection::vec(
            (KINDS.map(any_cell), prop::option::weighted(0.3, 0..KINDS.len())),
            1..100,
        ),
    ) {
        let mut file = open(&schema(&KINDS), &PLAIN);
        let mut kept = Vec::new();
        for (offset, (cells, spoil)) in (0..).zip(rows) {
            let mut cells = cells.to_vec();
            let spoilt = spoil.and_then(|at| {
                let (_, cell) = misfits().into_iter().find(|(kind, _)| *kind == KINDS[at])?;
                cells[at] = cell;
                Some(())
            });
            let appended = append(&mut file, offset, &cells);
            prop_assert_eq!(appended.is_err(), spoilt.is_some());
            if spoilt.is_none() {
                kept.push(cells);
            }
        }
        prop_assume!(!kept.is_empty());
        let (batch, _) = read(&finish(file, Vec::new()).0);
        assert_rows(&batch, &KINDS, &kept);
    }
}

#[test]
fn rows_of_an_older_plan_land_in_their_columns() {
    let kinds = [
        ColumnKind::Utf8,
        ColumnKind::Int64,
        ColumnKind::Decimal { precision: 65, scale: 2 },
        ColumnKind::Boolean,
    ];
    let mut file = open(&schema(&kinds), &PLAIN);
    let text = Cell::Bytes(b"new".to_vec());
    let (new, wide) = (Cell::Bool(true), Cell::Decimal(-5));
    append(&mut file, 0, &[text.clone(), Cell::Int(7), wide.clone(), new.clone()]).unwrap();

    // An Int32 that has become Int64, a dropped column, a decimal that has grown; no c0, no c3.
    let (old, value) = row(&[Cell::Int(-7), Cell::Float(0.5), Cell::Decimal(12)]);
    let mapping = [Some(1), None, Some(2)];
    file.append(&old, &value, &stamp(1), Some(&mapping)).unwrap();

    let truncate = Row { op: Some(Op::Truncate), ..Row::default() };
    file.append(&truncate, b"", &stamp(2), Some(&mapping)).unwrap();
    file.append(&truncate, b"", &stamp(3), None).unwrap();

    let nulls = vec![Cell::Null; 4];
    let rows = [
        vec![text, Cell::Int(7), wide, new],
        vec![Cell::Null, Cell::Int(-7), Cell::Decimal(12), Cell::Null],
        nulls.clone(),
        nulls,
    ];
    let (batch, _) = read(&finish(file, Vec::new()).0);
    assert_rows(&batch, &kinds, &rows);
}

#[test]
fn a_row_that_does_not_belong_to_the_file_is_our_own_bug() {
    let kinds = [ColumnKind::Int64, ColumnKind::Utf8];
    let mut file = open(&schema(&kinds), &PLAIN);
    append(&mut file, 10, &[Cell::Int(1), Cell::Null]).unwrap();
    let (good, value) = row(&[Cell::Int(2), Cell::Null]);

    let stamps = [
        ("offset again", stamp(10)),
        ("offset before", stamp(9)),
        ("other topic", RowStamp { topic: "other", ..stamp(11) }),
        ("other partition", RowStamp { partition: 4, ..stamp(11) }),
    ];
    for (name, stamp) in stamps {
        let error = file.append(&good, &value, &stamp, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Encode, "{name}");
    }
    let span = Span { source: SpanSource::Value, start: 0, len: 1 };
    type Case<'a> = (&'a str, Vec<Slot>, Option<&'a [Option<u16>]>);
    let rows: [Case<'_>; 6] = [
        ("too few slots", vec![Slot::Int(1)], None),
        ("too many slots", vec![Slot::Int(1), Slot::Null, Slot::Null], None),
        ("text for an integer", vec![Slot::Bytes(span), Slot::Null], None),
        ("integer for a text", vec![Slot::Int(1), Slot::Int(1)], None),
        ("mapped beyond the table", vec![Slot::Int(1)], Some(&[Some(2)])),
        ("two slots for a column", vec![Slot::Int(1); 2], Some(&[Some(0), Some(0)])),
    ];
    for (name, slots, mapping) in rows {
        let row = Row { slots, ..Row::default() };
        let error = file.append(&row, b"x", &stamp(11), mapping).unwrap_err();
        assert_eq!(error.kind(), Kind::Encode, "{name}");
    }
    append(&mut file, 11, &[Cell::Null, Cell::Null]).unwrap();
    let (batch, _) = read(&finish(file, Vec::new()).0);
    assert_rows(&batch, &kinds, &[vec![Cell::Int(1), Cell::Null], vec![Cell::Null, Cell::Null]]);
}

#[test]
fn a_file_without_rows_is_not_sealed() {
    let error = open(&schema(&KINDS), &PLAIN).seal().unwrap_err();
    assert_eq!(error.kind(), Kind::Encode);
}
