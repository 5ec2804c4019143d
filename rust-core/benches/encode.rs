//! ns and bytes per row of rooms buffer and encode on one core: rows to a whole file of each format.
//!
//! `cargo bench -p alluvium-core --bench encode`. The rows are those of a Debezium topic as it
//! really arrives: 11 columns of orders, event times over an hour with 20 s of disorder, and the 14
//! `_` columns of every file. `17 columns` leaves out those of the binlog but its gtid (they are
//! null then), the work of the earlier probes. Each time is the best of the rounds, and the thread's
//! own: what other processes take of the core does not count. A word behind `--` chooses: those whose
//! names hold it.

#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so")]

use alluvium_core::buffer::{FileLayout, RowStamp};
use alluvium_core::config::{Compression, CsvConfig, FileFormat, ParquetConfig, TextCompression};
use alluvium_core::encode;
use alluvium_core::envelope::{Op, Row, Slot, Source, Span, SpanSource};
use alluvium_core::schema::{Column, ColumnKind, TableSchema};
use fastrand::Rng;
use std::sync::Arc;
use std::time::Instant;

const ROWS: usize = 131_072;
const ROUNDS: usize = 12;
const START_US: i64 = 1_772_366_400_000_000;

const COLUMNS: [(&str, ColumnKind); 11] = [
    ("id", ColumnKind::Int64),
    ("customer_id", ColumnKind::Int32),
    ("status", ColumnKind::Enum),
    ("amount", ColumnKind::Decimal { precision: 12, scale: 2 }),
    ("currency", ColumnKind::Utf8),
    ("name", ColumnKind::Utf8),
    ("email", ColumnKind::Utf8),
    ("note", ColumnKind::Utf8),
    ("quantity", ColumnKind::Int32),
    ("created_at", ColumnKind::Timestamp { utc: true }),
    ("updated_at", ColumnKind::Timestamp { utc: false }),
];

fn main() {
    let rows = rows(true);
    let few = self::rows(false);
    let parquet = |compression| {
        FileFormat::Parquet(ParquetConfig {
            compression,
            row_group_rows: 65_536,
            bloom_columns: Vec::new(),
            sort_columns: Vec::new(),
        })
    };
    let csv = |compression| {
        FileFormat::Csv(CsvConfig { compression, header: true, delimiter: b',', null: "".into() })
    };
    let zstd = parquet(Compression::Zstd(1));
    println!("{ROWS} rows, best of {ROUNDS} rounds");
    run("25 columns, zstd(1)", &rows, &zstd);
    run("17 columns, zstd(1)", &few, &zstd);
    run("17 columns, zstd(3)", &few, &parquet(Compression::Zstd(3)));
    run("17 columns, lz4", &few, &parquet(Compression::Lz4));
    run("17 columns, snappy", &few, &parquet(Compression::Snappy));
    run("17 columns, none", &few, &parquet(Compression::None));
    let texts = [
        ("none", TextCompression::None),
        ("gzip", TextCompression::Gzip),
        ("zstd", TextCompression::Zstd),
    ];
    for (name, compression) in texts {
        run(&format!("25 columns, JSON {name}"), &rows, &FileFormat::Json(compression));
        run(&format!("25 columns, CSV {name}"), &rows, &csv(compression));
    }
}

/// CPU time of this thread so far, ns.
fn cpu_ns() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says");
    said.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number")
}

fn run(name: &str, rows: &[(Row, i64)], format: &FileFormat) {
    if std::env::args().skip(1).any(|word| !word.starts_with('-') && !name.contains(&word)) {
        return;
    }
    let column = |(name, kind): &(&str, ColumnKind)| Column { name: (*name).into(), kind: *kind };
    let table = TableSchema { columns: COLUMNS.iter().map(column).collect() };
    let layout = Arc::new(FileLayout::new(Arc::new(table)));
    let (mut best, mut append, mut size, mut memory) = (f64::MAX, f64::MAX, 0, 0);
    for _ in 0..ROUNDS {
        let mut file = encode::open(&layout, format);
        // What the kernel counts moves by milliseconds: the first rows are too few for it.
        let (start, first) = (cpu_ns(), Instant::now());
        for (offset, (row, event_time_us)) in (0i64..).zip(rows) {
            let stamp = RowStamp {
                topic: "orders_cdc",
                partition: 1,
                offset,
                event_time_us: *event_time_us,
            };
            file.append(row, b"", &stamp, None).expect("a row");
            memory = memory.max(file.stats().memory_bytes);
            if offset % 1_024 == 1_023 {
                // The part before the first batch is handed over: appending alone.
                if offset == 1_023 {
                    append = append.min(first.elapsed().as_nanos() as f64 / 1_024.0);
                }
                drop(file.drain_encoded());
            }
        }
        size = file.seal().expect("a file").stats.encoded_bytes;
        best = best.min((cpu_ns() - start) / rows.len() as f64);
    }
    println!(
        "{name:22} {best:5.0} ns/row (append {append:4.0})   {:6.1} bytes/row   \
         {:.1} MB counted at most",
        size as f64 / rows.len() as f64,
        memory as f64 / 1e6,
    );
}

/// Rows with their event times; texts are in the arena of each row.
fn rows(binlog: bool) -> Vec<(Row, i64)> {
    let mut rng = Rng::with_seed(7);
    (0..ROWS as i64).map(|n| row(&mut rng, n, binlog)).collect()
}

fn row(rng: &mut Rng, n: i64, binlog: bool) -> (Row, i64) {
    let mut row = Row::default();
    let created = START_US + n * 3_600_000_000 / ROWS as i64 + rng.i64(-20_000_000..20_000_000);
    let customer = rng.i32(0..50_000);
    let first = ["Ada", "Grace", "José", "Zoë", "Linus", "Margaret", "Edsger", "Barbara"];
    let last = ["Lovelace", "Hopper", "Núñez", "Ångström", "Hamilton", "Dijkstra", "Liskov"];
    let name = format!(
        "{} {} {}",
        rng.choice(first).expect("a name"),
        customer % 97,
        rng.choice(last).expect("a name")
    );
    let email = format!("customer{customer}@example.com");
    let note = format!("Leave at door {}, ring {} times", rng.u32(1..500), rng.u32(1..4));
    let status = *rng.choice(&["new", "paid", "packed", "shipped", "done"]).expect("a status");
    let currency = *rng.choice(&["EUR", "USD", "GBP", "SEK"]).expect("a currency");
    row.slots = vec![
        Slot::Int(1_000_000 + n),
        Slot::Int(customer.into()),
        text(&mut row.arena, status),
        Slot::Decimal(rng.i64(100..500_000).into()),
        text(&mut row.arena, currency),
        text(&mut row.arena, &name),
        text(&mut row.arena, &email),
        if rng.u8(0..10) < 7 { Slot::Null } else { text(&mut row.arena, &note) },
        Slot::Int(rng.i64(1..10)),
        Slot::Int(created),
        Slot::Int(created + rng.i64(0..60_000_000)),
    ];
    row.op = Some(*rng.choice(&[Op::Create, Op::Update, Op::Update, Op::Delete]).expect("an op"));
    row.source = source(rng, n, created, binlog, &mut row.arena);
    (row, created)
}

fn source(rng: &mut Rng, n: i64, created: i64, binlog: bool, arena: &mut Vec<u8>) -> Source {
    let gtid = span(arena, &format!("3e11fa47-71ca-11e1-9e33-c80aa9429562:{}", 4_000_000 + n / 3));
    let ts_us = Some(created / 1_000_000 * 1_000_000 + 1_000_000);
    let all = Source { ts_us, gtid: Some(gtid), ..Source::default() };
    if !binlog {
        return all;
    }
    Source {
        server_id: Some(223_344),
        file: Some(span(arena, "binlog.000042")),
        pos: Some(1_000 + n * 350 + rng.i64(0..100)),
        row: Some(n % 3),
        snapshot: Some(span(arena, "false")),
        tx_id: Some(gtid),
        ..all
    }
}

fn span(arena: &mut Vec<u8>, text: &str) -> Span {
    let start = arena.len() as u32;
    arena.extend_from_slice(text.as_bytes());
    Span { source: SpanSource::Arena, start, len: text.len() as u32 }
}

fn text(arena: &mut Vec<u8>, text: &str) -> Slot {
    Slot::Bytes(span(arena, text))
}
