//! ns per record of room envelope on one core, against `serde_json::Value` in the same run.
//!
//! `cargo bench -p alluvium-core --bench parse`. The work is that of a Debezium topic as it really
//! arrives: 13 columns, half of the events creates, 40 % updates with both images, the rest deletes;
//! some nulls, escapes and non-ASCII text. Each figure is the best of the rounds: noise only adds.

#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so")]

use alluvium_core::config::InputFormat;
use alluvium_core::envelope::{Definitions, EnvelopeReader, Parsed, Row};
use alluvium_core::frame::{Cursor, Frame, RawRecord};
use alluvium_core::position::TpId;
use std::hint::black_box;
use std::time::Instant;

mod events;

use events::{payload, with_schema};

const RECORDS: usize = 2_000;
const ROUNDS: usize = 60;

fn main() {
    let mut random = fastrand::Rng::with_seed(7);
    let plain: Vec<String> = (0..RECORDS).map(|i| payload(&mut random, i as i64)).collect();
    let with_schema = with_schema(&plain);
    for (name, values) in [("plain", &plain), ("with schema", &with_schema)] {
        let bytes: usize = values.iter().map(String::len).sum();
        let ours = best(values, &mut read_all);
        let value = best(values, &mut |values: &[String]| {
            for value in values {
                black_box(serde_json::from_str::<serde_json::Value>(value).expect("JSON"));
            }
        });
        let slow: Vec<String> = values.iter().map(|value| format!("{value} ")).collect();
        let slow = best(&slow, &mut read_all);
        println!(
            "{name:12} {ours:6.0} ns/record   {:5.2} GB/s   slow way {slow:6.0}   \
             serde_json::Value {value:6.0} ({:.1} times ours)   mean {} bytes",
            bytes as f64 / RECORDS as f64 / ours,
            value / ours,
            bytes / RECORDS,
        );
    }
    structs();
}

/// The captured events of `orders`, taken apart by the worker's JsonConverter and laid down by the
/// shim, against the same events in JSON with their schemas.
fn structs() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
    let bytes = std::fs::read(format!("{fixtures}/structs/orders.frames")).expect("frames");
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let frame =
        Frame { id: 1, bytes: bytes[8..8 + word(0) as usize].to_vec().into(), count: word(4) };
    let lines = std::fs::read_to_string(format!("{fixtures}/debezium/orders.schemas.jsonl"));
    let json: Vec<String> = lines
        .expect("events")
        .lines()
        .take(frame.count as usize)
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter_map(|record| record["value"].as_str().map(str::to_owned))
        .collect();
    let times = 200;
    let mut reader = EnvelopeReader::of(InputFormat::Auto, &[]).expect("no types");
    let (mut definitions, mut row) = (Definitions::default(), Row::default());
    let mut rows = 0;
    let ours = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        rows = 0;
        for _ in 0..times {
            let mut cursor = Cursor::default();
            definitions.begin_frame();
            while let Some(record) = frame.next(&mut cursor).expect("a frame") {
                definitions.note(record.value).expect("a schema");
                let parsed = reader.read_in(&definitions, &record, &mut row).expect("a row");
                rows += usize::from(matches!(parsed, Parsed::Row(_)));
                black_box(&row.slots);
            }
        }
        start.elapsed().as_nanos() as f64 / rows as f64
    });
    let ours = ours.fold(f64::MAX, f64::min);
    let many: Vec<String> = json.iter().cycle().take(json.len() * times).cloned().collect();
    let json = best(&many, &mut read_all);
    println!("structs      {ours:6.0} ns/record   the same events in JSON {json:6.0}");
}

/// Best time of a round, in ns per record.
fn best(values: &[String], read: &mut dyn FnMut(&[String])) -> f64 {
    let round = |_| {
        let start = Instant::now();
        read(values);
        start.elapsed().as_nanos() as f64 / values.len() as f64
    };
    (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
}

fn read_all(values: &[String]) {
    let mut reader = EnvelopeReader::new(&[]).expect("no types");
    let mut row = Row::default();
    for (offset, value) in values.iter().enumerate() {
        let (offset, value) = (offset as i64, Some(value.as_bytes()));
        let record = RawRecord { tp: TpId(1), offset, timestamp_ms: None, key: None, value };
        black_box(reader.read(&record, &mut row).expect("a row"));
        black_box(&row.slots);
    }
}
