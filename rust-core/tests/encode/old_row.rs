//! The old row: a struct of the table's columns, with nulls of its own, in or out of reach of a
//! mapping.

use crate::cells::{Cell, KINDS, any_cell, cases, expected, extremes};
use crate::files::{PLAIN, finish, read, row, schema, stamp};
use alluvium_core::buffer::{FileLayout, OpenFile};
use alluvium_core::config::{FileFormat, ParquetConfig, RowsConfig};
use alluvium_core::encode;
use alluvium_core::envelope::{Row, SpanSource};
use alluvium_core::error::{Kind, Result};
use alluvium_core::schema::{ColumnKind, TableSchema};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::basic::LogicalType;
use proptest::prelude::*;
use std::sync::Arc;

type Cells = Vec<Cell>;

fn open(schema: &Arc<TableSchema>, config: &ParquetConfig) -> OpenFile {
    let kept = RowsConfig { before: true, ..RowsConfig::default() };
    let format = FileFormat::Parquet(config.clone());
    encode::open(&Arc::new(FileLayout::of(schema.clone(), &kept)), &format)
}

/// A row with its old row.
fn both(cells: &[Cell], old: Option<&[Cell]>) -> (Row, Vec<u8>) {
    let (mut row, mut value) = row(cells);
    for cell in old.unwrap_or_default() {
        row.before.push(cell.slot(SpanSource::Value, &mut value));
    }
    row.has_before = old.is_some();
    (row, value)
}

fn append(
    file: &mut OpenFile,
    offset: i64,
    cells: &[Cell],
    old: Option<&[Cell]>,
    mapping: Option<&[Option<u16>]>,
) -> Result<()> {
    let (row, value) = both(cells, old);
    file.append(&row, &value, &stamp(offset), mapping)
}

/// Whether the last column holds the old rows.
fn assert_old(batch: &RecordBatch, kinds: &[ColumnKind], olds: &[Option<Cells>]) {
    let old = batch.column_by_name("_before").unwrap().as_struct();
    let null: Vec<bool> = olds.iter().map(Option::is_none).collect();
    assert_eq!((0..old.len()).map(|at| old.is_null(at)).collect::<Vec<_>>(), null);
    for (at, kind) in kinds.iter().enumerate() {
        let cells = olds.iter().map(|old| old.as_ref().map_or(&Cell::Null, |cells| &cells[at]));
        let expected = expected(*kind, &cells.collect::<Vec<_>>());
        assert_eq!(old.column(at), &expected, "old values of {kind:?}");
    }
}

#[test]
fn the_extremes_of_every_kind_come_back_and_null_is_told_from_no_old_row() {
    let values: Vec<Cells> =
        KINDS.iter().map(|kind| [extremes(*kind), vec![Cell::Null]].concat()).collect();
    let nth = |n: usize| -> Cells { values.iter().map(|v| v[n % v.len()].clone()).collect() };
    let olds: Vec<Option<Cells>> = (0..5_000usize)
        .map(|n| match n % 5 {
            0 => None,
            1 => Some(vec![Cell::Null; KINDS.len()]),
            _ => Some(nth(n / 7)),
        })
        .collect();
    let schema = schema(&KINDS);
    let mut file = open(&schema, &ParquetConfig { row_group_rows: 3_000, ..PLAIN });
    for (offset, old) in (0..).zip(&olds) {
        append(&mut file, offset, &nth(0), old.as_deref(), None).unwrap();
    }
    let (batch, metadata) = read(&finish(file, Vec::new()).0);
    assert_old(&batch, &KINDS, &olds);

    let descriptor = metadata.file_metadata().schema_descr();
    let json = KINDS.iter().position(|kind| *kind == ColumnKind::Json).unwrap();
    let column = descriptor.column(KINDS.len() + 14 + json);
    assert_eq!(column.path().string(), format!("_before.c{json}"));
    assert_eq!(column.logical_type_ref(), Some(&LogicalType::Json));
    assert_eq!(column.self_type().get_basic_info().id(), 1_000_001 + json as i32);
    assert_eq!(descriptor.root_schema().get_fields()[KINDS.len() + 14].name(), "_before");
    let chunk = metadata.row_group(0).column(KINDS.len() + 14);
    let nulls = olds[..3_000].iter().filter(|o| o.as_ref().is_none_or(|c| c[0] == Cell::Null));
    let told = chunk.statistics().unwrap().null_count_opt();
    assert_eq!(told, Some(nulls.count() as u64), "a null struct has null in it");
}

#[test]
fn an_old_value_that_does_not_fit_leaves_nothing_of_its_row() {
    let kinds = [ColumnKind::Utf8, ColumnKind::Int16];
    let good = [Cell::Bytes(b"text".to_vec()), Cell::Int(1)];
    let bad = [Cell::Bytes(b"other".to_vec()), Cell::Int(1 << 20)];
    let mut file = open(&schema(&kinds), &PLAIN);
    append(&mut file, 1, &good, Some(&good), None).unwrap();
    let error = append(&mut file, 2, &good, Some(&bad), None).unwrap_err();
    assert_eq!((error.kind(), error.context("column")), (Kind::BadRecord, Some("c1")));
    append(&mut file, 2, &good, None, None).unwrap();
    let error = append(&mut file, 3, &bad, Some(&good), None).unwrap_err();
    assert_eq!(error.kind(), Kind::BadRecord);
    append(&mut file, 3, &good, Some(&good), None).unwrap();
    let (batch, _) = read(&finish(file, Vec::new()).0);
    assert_old(&batch, &kinds, &[Some(good.to_vec()), None, Some(good.to_vec())]);
}

#[test]
fn an_old_row_of_an_older_schema_is_mapped_like_its_row() {
    let kinds = [ColumnKind::Int64, ColumnKind::Int64, ColumnKind::Int64];
    let mut file = open(&schema(&kinds), &PLAIN);
    let cells = |values: &[i64]| values.iter().map(|n| Cell::Int(*n)).collect::<Cells>();
    let mapping = [Some(2), None, Some(0)];
    append(&mut file, 1, &cells(&[1, 2, 3]), Some(&cells(&[4, 5, 6])), Some(&mapping)).unwrap();
    append(&mut file, 2, &cells(&[7, 8, 9]), None, Some(&mapping)).unwrap();
    append(&mut file, 3, &[], None, Some(&mapping)).unwrap();
    append(&mut file, 4, &[], None, None).unwrap();
    let (batch, _) = read(&finish(file, Vec::new()).0);
    let old = [Cell::Int(6), Cell::Null, Cell::Int(4)].to_vec();
    assert_old(&batch, &kinds, &[Some(old), None, None, None]);
    let ints = batch.column(0).as_primitive::<Int64Type>();
    assert_eq!(ints.iter().collect::<Vec<_>>(), [Some(3), Some(9), None, None]);
}

fn any_rows() -> impl Strategy<Value = (Vec<ColumnKind>, Vec<(Cells, Option<Cells>)>)> {
    let kinds = prop::collection::vec(prop::sample::select(KINDS.to_vec()), 1..6);
    kinds.prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.iter().map(|kind| any_cell(*kind)).collect();
        let rows = (row.clone(), prop::option::of(row));
        (Just(kinds), prop::collection::vec(rows, 1..200))
    })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn any_old_rows_come_back(
        (kinds, rows) in any_rows(),
        row_group_rows in 1usize..100,
        repeat in 1usize..30,
    ) {
        let rows = vec![rows; repeat].concat();
        let mut file = open(&schema(&kinds), &ParquetConfig { row_group_rows, ..PLAIN });
        for (offset, (cells, old)) in (0..).zip(&rows) {
            append(&mut file, offset, cells, old.as_deref(), None).unwrap();
        }
        let (batch, _) = read(&finish(file, Vec::new()).0);
        let (cells, olds): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        crate::files::assert_rows(&batch, &kinds, &cells);
        assert_old(&batch, &kinds, &olds);
    }
}
