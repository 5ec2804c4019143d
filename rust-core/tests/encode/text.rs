//! JSON and CSV: goldens, byte for byte; any row read back by readers written for this; blocks.

use crate::cells::{Cell, KINDS, any_cell, cases, expected};
use crate::files::{append, finish, row, schema, stamp};
use crate::lines;
use alluvium_core::buffer::{FileLayout, OpenFile};
use alluvium_core::config::{CsvConfig, FileFormat, TextCompression};
use alluvium_core::encode;
use alluvium_core::envelope::{Op, Row};
use alluvium_core::schema::{Column, ColumnKind, TableSchema};
use proptest::prelude::*;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const JSON: FileFormat = FileFormat::Json(TextCompression::None);

fn csv(compression: TextCompression) -> CsvConfig {
    CsvConfig { compression, header: true, delimiter: b',', null: String::new() }
}

/// Every kind that a schema gives a column, under names that are telling, and one that is not.
fn columns() -> Vec<(&'static str, ColumnKind)> {
    let decimal = |precision, scale| ColumnKind::Decimal { precision, scale };
    vec![
        ("bool", ColumnKind::Boolean),
        ("int16", ColumnKind::Int16),
        ("int32", ColumnKind::Int32),
        ("int64", ColumnKind::Int64),
        ("float32", ColumnKind::Float32),
        ("float64", ColumnKind::Float64),
        ("decimal_7_2", decimal(7, 2)),
        ("decimal_18_18", decimal(18, 18)),
        ("decimal_38_0", decimal(38, 0)),
        ("decimal_65_30", decimal(65, 30)),
        ("text", ColumnKind::Utf8),
        ("enum", ColumnKind::Enum),
        ("json", ColumnKind::Json),
        ("binary", ColumnKind::Binary),
        ("date", ColumnKind::Date),
        ("time", ColumnKind::Time),
        ("duration", ColumnKind::Duration),
        ("datetime", ColumnKind::Timestamp { utc: false }),
        ("timestamp", ColumnKind::Timestamp { utc: true }),
        ("Größe, \"cm\"", ColumnKind::Int32),
    ]
}

/// The rows of the goldens: plain values, the least, the greatest, nulls, the emptiest, text that
/// needs care, text that looks like something else. `tests/readback/golden.py` has them too, by
/// hand.
fn rows() -> Vec<Vec<Cell>> {
    use Cell::{Bool, Decimal, Float, Int, Null};
    let text = |text: &str| Cell::Bytes(text.as_bytes().to_vec());
    let bytes = |bytes: &[u8]| Cell::Bytes(bytes.to_vec());
    let nines = |digits: u32| Decimal(10i128.pow(digits) - 1);
    let minus_nines = |digits: u32| Decimal(1 - 10i128.pow(digits));
    let wide = |text: &str| {
        Cell::Bytes(arrow::datatypes::i256::from_string(text).unwrap().to_le_bytes().to_vec())
    };
    let nulls = vec![Null; columns().len()];
    #[rustfmt::skip]
    let rows = vec![
        vec![
            Bool(true), Int(-7), Int(70_000), Int(5_000_000_000), Float(0.1f32.into()), Float(0.1),
            Decimal(1_234), Decimal(5), Decimal(42), Decimal(-15 * 10i128.pow(29)), text("Kettle"),
            text("paid"), text("{\"a\":[1,2.50]}"), bytes(&[0, 1, 250]), Int(20_513),
            Int(29_700_000_001), Int(-3_020_399_000_000), Int(1_772_352_900_000_001),
            Int(1_772_352_900_123_456), Int(170),
        ],
        vec![
            Bool(false), Int(i16::MIN.into()), Int(i32::MIN.into()), Int(i64::MIN),
            Float(f32::MIN.into()), Float(f64::MIN), minus_nines(7), minus_nines(18),
            minus_nines(38), wide(&format!("-{}", "9".repeat(65))), text("\0\u{1}\u{1f}\u{7f}"),
            text("a"), text("null"), bytes(&[0]), Int(-719_162), Int(0), Int(i64::MIN),
            Int(-62_135_596_800_000_000), Int(-62_135_596_800_000_000), Int(-1),
        ],
        vec![
            Bool(true), Int(i16::MAX.into()), Int(i32::MAX.into()), Int(i64::MAX),
            Float(f32::MAX.into()), Float(f64::MAX), nines(7), nines(18), nines(38),
            wide(&"9".repeat(65)), text("Ångström 📏 \u{2028}"), text("ÿ"), text("[]"),
            bytes(&[255; 4]), Int(2_932_896), Int(86_399_999_999), Int(i64::MAX),
            Int(253_402_300_799_999_999), Int(253_402_300_799_999_999), Int(0),
        ],
        nulls,
        vec![
            Bool(false), Int(0), Int(0), Int(0), Float(-0.0), Float(5e-324), Decimal(0), Decimal(0),
            Decimal(0), Decimal(0), text(""), text(""), text(""), bytes(b""), Int(0), Int(0),
            Int(0), Int(0), Int(0), Int(0),
        ],
        vec![
            Bool(true), Int(1), Int(1), Int((1 << 53) + 1), Float(1.5),
            Float(-1e-7), Decimal(-1), Decimal(-1), Decimal(1), Decimal(-1),
            text("a \"quoted\" note,\r\nwith\ta tab; and C:\\new"), text("x,y"),
            text("{\"k\": \"v, \\\"w\\\"\"}"), bytes(b">>>???"), Int(-1), Int(1), Int(-1), Int(-1),
            Int(-1), Int(1),
        ],
        vec![
            Bool(false), Int(2), Int(2), Int(-(1 << 53) - 1), Float(16_777_216.0),
            Float(1e16), Decimal(100), Decimal(100), Decimal(-100), Decimal(100), text("\\N"),
            text("# no comment"), text("\"\""), bytes(b"n"), Int(19_782), Int(43_200_000_000),
            Int(1), Int(1_709_164_800_000_000), Int(1_709_164_800_000_000), Int(2),
        ],
    ];
    rows
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
}

/// Name and bytes of each golden.
fn goldens() -> [(&'static str, Vec<u8>); 5] {
    let plain = csv(TextCompression::None);
    let other = CsvConfig { header: false, delimiter: b';', null: "\\N".into(), ..plain.clone() };
    let (csv, other) = (FileFormat::Csv(plain), FileFormat::Csv(other));
    [
        ("types.json", golden_file(&JSON)),
        ("types.csv", golden_file(&csv)),
        ("types-no-header.csv", golden_file(&other)),
        ("not-finite.json", not_finite(&JSON)),
        ("not-finite.csv", not_finite(&csv)),
    ]
}

fn open(columns: &[(&str, ColumnKind)], format: &FileFormat) -> OpenFile {
    let column = |(name, kind): &(&str, ColumnKind)| Column { name: (*name).into(), kind: *kind };
    let table = Arc::new(TableSchema { columns: columns.iter().map(column).collect() });
    encode::open(&Arc::new(FileLayout::new(table)), format)
}

fn golden_file(format: &FileFormat) -> Vec<u8> {
    let mut file = open(&columns(), format);
    for (offset, cells) in (40..).zip(rows()) {
        append(&mut file, offset, &cells).unwrap();
    }
    // A truncate has no image: nulls in every column of the table.
    let truncate = Row { op: Some(Op::Truncate), ..Row::default() };
    file.append(&truncate, b"", &stamp(47), None).unwrap();
    finish(file, Vec::new()).0.to_vec()
}

fn not_finite(format: &FileFormat) -> Vec<u8> {
    let columns = [("float32", ColumnKind::Float32), ("float64", ColumnKind::Float64)];
    let mut file = open(&columns, format);
    let rows = [[f64::NAN, f64::INFINITY], [f64::NEG_INFINITY, f64::NAN]];
    for (offset, row) in (40..).zip(rows) {
        append(&mut file, offset, &row.map(Cell::Float)).unwrap();
    }
    finish(file, Vec::new()).0.to_vec()
}

#[test]
fn goldens_are_written_byte_for_byte() {
    for (name, written) in goldens() {
        let there = std::fs::read(golden(name)).unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(&written),
            String::from_utf8_lossy(&there),
            "{name}: cargo test -p alluvium-core --test encode -- --ignored write_goldens"
        );
    }
}

#[test]
#[ignore = "writes tests/golden anew: every change is to be read by eye, and by golden.py"]
fn write_goldens() {
    for (name, written) in goldens() {
        std::fs::write(golden(name), written).unwrap();
    }
}

fn filled(kinds: &[ColumnKind], format: &FileFormat, rows: &[Vec<Cell>]) -> OpenFile {
    let mut file = encode::open(&Arc::new(FileLayout::new(schema(kinds))), format);
    for (offset, cells) in (0..).zip(rows) {
        append(&mut file, offset, cells).unwrap();
    }
    file
}

fn any_rows() -> impl Strategy<Value = (Vec<ColumnKind>, Vec<Vec<Cell>>)> {
    let kinds = prop::collection::vec(prop::sample::select(KINDS.to_vec()), 1..8);
    kinds.prop_flat_map(|kinds| {
        let row: Vec<_> = kinds.iter().map(|kind| any_cell(*kind)).collect();
        (Just(kinds), prop::collection::vec(row, 1..50))
    })
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn any_rows_come_back_from_json((kinds, rows) in any_rows()) {
        let (file, _) = finish(filled(&kinds, &JSON, &rows), Vec::new());
        lines::assert_rows(&lines::of_json(&file), &kinds, &rows);
    }

    #[test]
    fn any_rows_come_back_from_csv(
        (kinds, rows) in any_rows(),
        delimiter in prop::sample::select(b",;|\t@".to_vec()),
        null in prop::sample::select(vec!["", "NULL", "\\N", "0", "a"]),
        header: bool,
    ) {
        let config = CsvConfig { header, delimiter, null: null.into(), ..csv(TextCompression::None) };
        let (file, _) = finish(filled(&kinds, &FileFormat::Csv(config), &rows), Vec::new());
        let mut read = lines::of_csv(&file, delimiter, null);
        if header {
            let names: Vec<_> = read.remove(0).into_iter().flatten().collect();
            prop_assert_eq!(names.len(), kinds.len() + 14);
            prop_assert_eq!(&names[kinds.len()..][..2], ["_op", "_event_time"]);
        }
        lines::assert_rows(&read, &kinds, &rows);
    }
}

fn many_rows() -> (Vec<ColumnKind>, Vec<Vec<Cell>>) {
    let kinds = vec![ColumnKind::Int64, ColumnKind::Utf8];
    let text = |n: i64| Cell::Bytes(format!("row {n} of them all, {}", n * n).into_bytes());
    (kinds, (0..20_000).map(|n| vec![Cell::Int(n), text(n)]).collect())
}

#[test]
fn compressed_files_hold_the_same_text_however_many_blocks_they_have() {
    let (kinds, rows) = many_rows();
    let whole = |format: &FileFormat| finish(filled(&kinds, format, &rows), Vec::new()).0;
    let of = |compression| {
        [FileFormat::Json(compression), FileFormat::Csv(csv(compression))].map(|f| whole(&f))
    };
    let plain = of(TextCompression::None);
    for (gzip, plain) in of(TextCompression::Gzip).iter().zip(&plain) {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&gzip[..]).read_to_end(&mut text).unwrap();
        assert!(text == plain[..], "{} bytes of {}", text.len(), plain.len());
        let mut first = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut first).unwrap();
        assert!(first.len() < text.len(), "more than one block");
    }
    for (zstd, plain) in of(TextCompression::Zstd).iter().zip(&plain) {
        assert!(zstd::decode_all(&zstd[..]).unwrap() == plain[..]);
    }
}

#[test]
fn the_size_estimated_is_near_the_size_sealed() {
    let (kinds, rows) = many_rows();
    for compression in [TextCompression::None, TextCompression::Gzip, TextCompression::Zstd] {
        for format in [FileFormat::Json(compression), FileFormat::Csv(csv(compression))] {
            for rows in [&rows[..100], &rows[..2_500], &rows[..]] {
                let file = filled(&kinds, &format, rows);
                let estimated = file.stats().estimated_bytes as f64;
                let size = finish(file, Vec::new()).1.stats.encoded_bytes as f64;
                let n = rows.len();
                assert!(
                    estimated <= size * 2.0 + 65_536.0,
                    "{format:?} {n}: {estimated} for {size}"
                );
                assert!(
                    estimated >= size * 0.5 - 8_192.0,
                    "{format:?} {n}: {estimated} for {size}"
                );
            }
        }
    }
}

#[test]
fn the_memory_counted_is_near_the_memory_taken_and_given_back() {
    let (kinds, rows) = many_rows();
    for compression in [TextCompression::None, TextCompression::Gzip] {
        for rows in [&rows[..50], &rows[..2_100], &rows[..]] {
            let (mut counted, mut file) = (0, None);
            let taken = allocation_counter::measure(|| {
                let open = filled(&kinds, &FileFormat::Json(compression), rows);
                counted = open.stats().memory_bytes as i64;
                file = Some(open);
            });
            let (taken, n) = (taken.bytes_current, rows.len());
            assert!(counted * 10 >= taken * 9 - 400_000, "{n} rows: counted {counted} of {taken}");
            assert!(counted * 10 <= taken * 11, "{n} rows: counted {counted} for {taken}");
        }
    }
    let mut file = filled(&kinds, &JSON, &rows);
    let before = file.stats().memory_bytes;
    let drained = file.drain_encoded().unwrap().len() as u64;
    assert!(drained > 1 << 20, "{drained} bytes");
    assert!(file.stats().memory_bytes + drained <= before);
    assert_eq!(file.drain_encoded(), None, "once");
}

/// What a reader must get for a cell is said by Arrow's own arrays, not by the encoder.
#[test]
fn the_kinds_of_the_goldens_are_all_there_are() {
    for (at, (name, kind)) in columns().into_iter().enumerate() {
        let cells: Vec<Cell> = rows().into_iter().map(|row| row[at].clone()).collect();
        assert_eq!(expected(kind, &cells.iter().collect::<Vec<_>>()).len(), 7, "{name}");
        let (row, _) = row(&cells[..1]);
        assert_eq!(row.slots.len(), 1);
    }
    for kind in KINDS {
        let same =
            |other: &ColumnKind| std::mem::discriminant(other) == std::mem::discriminant(&kind);
        assert!(columns().iter().any(|(_, other)| same(other)), "{kind:?} is in no golden");
    }
}
