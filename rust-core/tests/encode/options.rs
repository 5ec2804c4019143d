//! Bloom filters and sorted row groups: what the file says of itself, and whether it is true.

use crate::cells::Cell;
use crate::files::{PLAIN, append, assert_rows, finish, open, read, schema, write};
use alluvium_core::config::ParquetConfig;
use alluvium_core::schema::ColumnKind;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use parquet::data_type::AsBytes;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

const KINDS: [ColumnKind; 3] = [ColumnKind::Int64, ColumnKind::Utf8, ColumnKind::Float64];

fn rows(count: i64) -> Vec<Vec<Cell>> {
    let mix = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64).rem_euclid(1_000_003);
    let row = |n: i64| {
        let text = format!("{}", mix(n) % 13);
        vec![
            if mix(n) % 11 == 0 { Cell::Null } else { Cell::Int(mix(n) % 500) },
            if mix(n) % 7 == 0 { Cell::Null } else { Cell::Bytes(text.into_bytes()) },
            Cell::Float(mix(n) as f64),
        ]
    };
    (0..count).map(row).collect()
}

fn sorted_by(columns: &[&str], row_group_rows: usize) -> ParquetConfig {
    let sort_columns = columns.iter().map(|name| (*name).to_owned()).collect();
    ParquetConfig { row_group_rows, sort_columns, ..PLAIN }
}

/// Text, number and offset of each row, in the order of the file; `None` sorts first.
fn keys(batch: &RecordBatch) -> Vec<(Option<Vec<u8>>, Option<i64>, i64)> {
    let (numbers, texts) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1));
    let (texts, offsets) = (texts.as_string::<i32>(), batch.column_by_name("_offset").unwrap());
    let offsets = offsets.as_primitive::<Int64Type>();
    let text = |row| texts.is_valid(row).then(|| texts.value(row).as_bytes().to_vec());
    let number = |row| numbers.is_valid(row).then(|| numbers.value(row));
    (0..batch.num_rows()).map(|row| (text(row), number(row), offsets.value(row))).collect()
}

#[test]
fn each_row_group_is_sorted_and_says_so() {
    let rows = rows(5_500);
    let file = write(&schema(&KINDS), &sorted_by(&["c1", "none", "c0"], 2_500), &rows);
    let (batch, metadata) = read(&file);
    let column = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
    let keys = keys(&batch);
    let mut start = 0;
    for (group, len) in metadata.row_groups().iter().zip([2_500, 2_500, 500]) {
        assert_eq!(group.num_rows(), len as i64);
        // A column that is not in the file is not said to sort it.
        assert_eq!(group.sorting_columns(), Some(&vec![column(1), column(0)]));
        let keys = &keys[start..start + len];
        // Strictly: rows that are alike follow by offset.
        assert!(keys.is_sorted_by(|a, b| a < b), "rows {start} to {}", start + len);
        let mut offsets: Vec<i64> = keys.iter().map(|(.., offset)| *offset).collect();
        offsets.sort_unstable();
        assert!(offsets.into_iter().eq(start as i64..(start + len) as i64));
        start += len;
    }
    let in_order: Vec<Vec<Cell>> =
        keys.iter().map(|(.., offset)| rows[*offset as usize].clone()).collect();
    assert_rows(&batch, &KINDS, &in_order);
}

#[test]
fn without_a_column_to_sort_by_nothing_is_sorted_or_said() {
    let rows = rows(100);
    for config in [PLAIN, sorted_by(&["C0"], 65_536)] {
        let (batch, metadata) = read(&write(&schema(&KINDS), &config, &rows));
        assert_eq!(metadata.row_group(0).sorting_columns(), None);
        assert_rows(&batch, &KINDS, &rows);
    }
}

#[test]
fn rows_that_wait_for_their_order_are_counted_and_end_their_group_by_size() {
    let config = sorted_by(&["c0"], 1_000_000);
    let kinds = [ColumnKind::Int64, ColumnKind::Binary];
    let mut file = open(&schema(&kinds), &config);
    for n in 0..60 {
        let cells = [Cell::Int(-n), Cell::Bytes(vec![n as u8; 1 << 20])];
        append(&mut file, n, &cells).unwrap();
        let counted = file.stats().memory_bytes;
        assert!(counted < 140 << 20, "{n} rows: {counted}");
        assert!(n > 25 || counted >= (n as u64) << 20, "{n} rows: {counted}");
    }
    let (_, metadata) = read(&finish(file, Vec::new()).0);
    assert!(metadata.num_row_groups() > 1);
}

/// Whether the filter of a column says "perhaps" of a value; `None` = it has no filter.
fn perhaps<B: AsBytes + ?Sized>(file: &Bytes, column: usize, value: &B) -> Option<bool> {
    let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let options = ReadOptionsBuilder::new().with_reader_properties(properties).build();
    let reader = SerializedFileReader::new_with_options(file.clone(), options).unwrap();
    let group = reader.get_row_group(0).unwrap();
    group.get_column_bloom_filter(column).map(|filter| filter.check(value))
}

#[test]
fn a_bloom_filter_knows_every_value_and_few_others() {
    let decimal = |precision, scale| ColumnKind::Decimal { precision, scale };
    let kinds = [
        ColumnKind::Int16,
        ColumnKind::Int64,
        decimal(7, 2),
        decimal(18, 2),
        decimal(38, 2),
        decimal(65, 2),
        ColumnKind::Utf8,
        ColumnKind::Float32,
        ColumnKind::Boolean,
        ColumnKind::Int64,
    ];
    let row = |n: i64| {
        vec![
            Cell::Int(n),
            Cell::Int(n << 40),
            Cell::Decimal(n.into()),
            Cell::Decimal(n.into()),
            Cell::Decimal((-n).into()),
            Cell::Decimal((-n).into()),
            Cell::Bytes(format!("text {n}").into_bytes()),
            Cell::Float(n as f64),
            Cell::Bool(n % 2 == 0),
            if n == 0 { Cell::Null } else { Cell::Int(n) },
        ]
    };
    let names = (0..9).map(|at| format!("c{at}")).chain(["none".to_owned()]);
    let config = ParquetConfig { bloom_columns: names.collect(), ..PLAIN };
    let rows: Vec<Vec<Cell>> = (0..3_000).map(row).collect();
    let file = write(&schema(&kinds), &config, &rows);
    let (batch, metadata) = read(&file);
    assert_rows(&batch, &kinds, &rows);

    let says = |n: i64| -> Vec<Option<bool>> {
        let negative = i128::from(-n).to_be_bytes();
        // As wide as the digits need: 16 bytes for 38, 28 for 65.
        let wide = arrow::datatypes::i256::from(-n).to_be_bytes();
        vec![
            perhaps(&file, 0, &(n as i32)),
            perhaps(&file, 1, &(n << 40)),
            perhaps(&file, 2, &(n as i32)),
            perhaps(&file, 3, &n),
            perhaps(&file, 4, &negative[..]),
            perhaps(&file, 5, &wide[4..]),
            perhaps(&file, 6, format!("text {n}").as_bytes()),
            perhaps(&file, 7, &(n as f32)),
        ]
    };
    for n in (0..3_000).step_by(97) {
        assert_eq!(says(n), [Some(true); 8], "{n}");
    }
    let others = (3_000..3_300).flat_map(says);
    let wrong = others.filter(|said| *said != Some(false)).count();
    assert!(wrong < 8 * 300 / 20, "{wrong} of 2,400 values that are not there");
    for column in [8, 9, 10] {
        assert_eq!(perhaps(&file, column, &1i64), None, "nobody asked for one");
    }
    // 3,000 values need some 4 KiB, not what 65,536 would.
    let length = metadata.row_group(0).column(1).bloom_filter_length().unwrap();
    assert!(length < 10_000, "{length} bytes");
}
