//! What goes in comes out.

use crate::cells::{Cell, KINDS, any_cell, cases, extremes};
use crate::files::{PLAIN, append, assert_rows, finish, open, read, schema, write};
use alluvium_core::config::{Compression, ParquetConfig};
use alluvium_core::schema::ColumnKind;
use proptest::prelude::*;

#[test]
fn the_extremes_and_null_of_every_kind_come_back() {
    let kinds = [&KINDS[..], &[ColumnKind::Timestamp { utc: false }]].concat();
    let values: Vec<Vec<Cell>> =
        kinds.iter().map(|kind| [extremes(*kind), vec![Cell::Null]].concat()).collect();
    let most = values.iter().map(Vec::len).max().unwrap();
    let rows: Vec<Vec<Cell>> =
        (0..most).map(|n| values.iter().map(|v| v[n % v.len()].clone()).collect()).collect();
    let (batch, _) = read(&write(&schema(&kinds), &PLAIN, &rows));
    assert_rows(&batch, &kinds, &rows);
}

#[test]
fn columns_of_nulls_and_of_one_value_come_back() {
    let nulls: Vec<Vec<Cell>> = (0..3_000).map(|_| vec![Cell::Null; KINDS.len()]).collect();
    let (batch, _) = read(&write(&schema(&KINDS), &PLAIN, &nulls));
    assert_rows(&batch, &KINDS, &nulls);

    let ones: Vec<Cell> = KINDS.iter().map(|kind| extremes(*kind)[0].clone()).collect();
    let ones = vec![ones; 3_000];
    let (batch, _) = read(&write(&schema(&KINDS), &PLAIN, &ones));
    assert_rows(&batch, &KINDS, &ones);
}

/// Several batches and row groups, each encoding, and a dictionary that was the wrong guess: the
/// first batch has few values, all later ones have many.
#[test]
fn a_long_file_comes_back_whatever_its_first_rows_promised() {
    let kinds = [ColumnKind::Utf8, ColumnKind::Utf8, ColumnKind::Int64, ColumnKind::Float64];
    let text = |text: String| Cell::Bytes(text.into_bytes());
    let rows: Vec<Vec<Cell>> = (0..30_000i64)
        .map(|n| {
            let few = if n < 3_000 { n % 3 } else { n };
            vec![
                text(format!("3E11FA47-71CA-11E1-9E33-C80AA9429562:{n}")),
                text(format!("value {few} {}", "y".repeat(20))),
                Cell::Int(few * 1_000_003),
                Cell::Float(few as f64 / 7.0),
            ]
        })
        .collect();
    let config = ParquetConfig { row_group_rows: 12_345, ..PLAIN };
    let file = write(&schema(&kinds), &config, &rows);
    let (batch, metadata) = read(&file);
    assert_rows(&batch, &kinds, &rows);
    let groups: Vec<_> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [12_345, 12_345, 5_310]);
}

#[test]
fn a_value_of_many_megabytes_comes_back() {
    let kinds = [ColumnKind::Binary, ColumnKind::Utf8];
    let blob = |len: usize, byte: u8| Cell::Bytes(vec![byte; len]);
    let rows: Vec<Vec<Cell>> = vec![
        vec![blob(1, 0), blob(1, b'a')],
        vec![blob(16 << 20, 0xFF), blob(3 << 20, b'b')],
        vec![Cell::Null, blob(2, b'c')],
    ];
    let (batch, _) = read(&write(&schema(&kinds), &PLAIN, &rows));
    assert_rows(&batch, &kinds, &rows);
}

fn any_rows() -> impl Strategy<Value = (Vec<ColumnKind>, Vec<Vec<Cell>>)> {
    let kinds = prop::collection::vec(prop::sample::select(KINDS.to_vec()), 1..8);
    kinds.prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.iter().map(|kind| any_cell(*kind)).collect();
        (Just(kinds), prop::collection::vec(row, 1..200))
    })
}

fn any_compression() -> impl Strategy<Value = Compression> {
    prop::sample::select(vec![
        Compression::Zstd(1),
        Compression::Zstd(19),
        Compression::Snappy,
        Compression::Lz4,
        Compression::Gzip(6),
        Compression::None,
    ])
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn any_rows_come_back(
        (kinds, rows) in any_rows(),
        compression in any_compression(),
        row_group_rows in 1usize..100,
        repeat in 1usize..30,
    ) {
        let rows = vec![rows; repeat].concat();
        let config = ParquetConfig { compression, row_group_rows, ..PLAIN };
        let (batch, _) = read(&write(&schema(&kinds), &config, &rows));
        assert_rows(&batch, &kinds, &rows);
    }

    #[test]
    fn whenever_it_is_drained_the_file_is_the_same(every in 1i64..3_000) {
        let kinds = [ColumnKind::Int64];
        let row = |n: i64| vec![Cell::Int(n * n)];
        let config = ParquetConfig { row_group_rows: 1_000, ..PLAIN };
        let all = write(&schema(&kinds), &config, &(0..3_000).map(row).collect::<Vec<_>>());
        let (mut file, mut drained) = (open(&schema(&kinds), &config), Vec::new());
        for n in 0..3_000 {
            append(&mut file, n, &row(n)).unwrap();
            if n % every == 0 {
                drained.extend(file.drain_encoded().unwrap_or_default());
            }
        }
        prop_assert_eq!(finish(file, drained).0, all);
    }
}
