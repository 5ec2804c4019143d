//! The estimates a file gives of itself, against what it really takes.

use crate::cells::Cell;
use crate::files::{PLAIN, append, finish, open, schema};
use alluvium_core::buffer::OpenFile;
use alluvium_core::config::ParquetConfig;
use alluvium_core::schema::ColumnKind;

const KINDS: [ColumnKind; 6] = [
    ColumnKind::Int64,
    ColumnKind::Utf8,
    ColumnKind::Decimal { precision: 12, scale: 2 },
    ColumnKind::Enum,
    ColumnKind::Float64,
    ColumnKind::Timestamp { utc: true },
];

fn cells(n: i64) -> Vec<Cell> {
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64);
    vec![
        Cell::Int(n),
        Cell::Bytes(format!("customer {:x}", mix >> 20).into_bytes()),
        Cell::Decimal((mix % 100_000).into()),
        Cell::Bytes([b"new".to_vec(), b"paid".to_vec()][(mix & 1) as usize].clone()),
        Cell::Float((mix >> 30) as f64 / 100.0),
        Cell::Int(1_772_366_400_000_000 + n * 1_000 + (mix & 0xFFF)),
    ]
}

fn filled(config: &ParquetConfig, rows: i64) -> OpenFile {
    let mut file = open(&schema(&KINDS), config);
    (0..rows).for_each(|n| append(&mut file, n, &cells(n)).unwrap());
    file
}

#[test]
fn the_size_estimated_is_near_the_size_sealed() {
    for rows in [1, 100, 2_000, 2_100, 10_000, 70_000] {
        let file = filled(&PLAIN, rows);
        let estimated = file.stats().estimated_bytes as f64;
        let size = finish(file, Vec::new()).1.stats.encoded_bytes as f64;
        // Rows still in builders count by a guess, which is all a small file has.
        assert!(estimated <= size * 2.0 + 65_536.0, "{rows} rows: {estimated} for {size}");
        assert!(estimated >= size * 0.5 - 8_192.0, "{rows} rows: {estimated} for {size}");
    }
}

#[test]
fn the_memory_counted_is_near_the_memory_taken() {
    for rows in [1, 50, 1_000, 2_100, 20_000, 60_000, 70_000] {
        let (mut counted, mut file) = (0, None);
        let taken = allocation_counter::measure(|| {
            let open = filled(&PLAIN, rows);
            counted = open.stats().memory_bytes as i64;
            file = Some(open);
        });
        let taken = taken.bytes_current;
        // Besides, a file has some 40 KB that do not grow with it; zstd's memory is not seen here.
        assert!(counted * 10 >= taken * 9 - 400_000, "{rows} rows: counted {counted} of {taken}");
        assert!(counted * 10 <= taken * 11, "{rows} rows: counted {counted} for {taken}");
        drop(file);
    }
}

#[test]
fn draining_gives_memory_back() {
    let config = ParquetConfig { row_group_rows: 10_000, ..PLAIN };
    let mut file = filled(&config, 10_300);
    let before = file.stats().memory_bytes;
    let drained = file.drain_encoded().unwrap().len() as u64;
    assert!(drained > 100_000, "a row group: {drained} bytes");
    assert!(file.stats().memory_bytes + drained <= before);
    assert_eq!(file.drain_encoded(), None, "once");
}
