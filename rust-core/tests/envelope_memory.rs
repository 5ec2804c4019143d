//! The fast way allocates nothing per record, once the row's own memory has grown to its size.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use alluvium_core::envelope::{EnvelopeReader, Parsed, Row};
use alluvium_core::frame::RawRecord;
use alluvium_core::position::TpId;

/// The values of a fixture that was captured from the running Debezium.
fn values(name: &str) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/debezium/");
    let lines = std::fs::read_to_string(format!("{folder}{name}.jsonl")).unwrap();
    let value = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["value"].as_str().map(str::to_owned)
    };
    lines.lines().filter_map(value).collect()
}

#[test]
fn the_fast_way_allocates_nothing() {
    for fixture in ["basic_types", "orders", "transactions"] {
        for ending in ["schemas", "plain"] {
            let values = values(&format!("{fixture}.{ending}"));
            let mut reader = EnvelopeReader::new(&[]).unwrap();
            let mut row = Row::default();
            let mut read = |value: &str| {
                let value = Some(value.as_bytes());
                let record =
                    RawRecord { tp: TpId(1), offset: 0, timestamp_ms: None, key: None, value };
                let before = reader.ways().fast;
                let is_row = matches!(reader.read(&record, &mut row), Ok(Parsed::Row(_)));
                is_row && reader.ways().fast > before
            };
            for value in values.iter().chain(&values) {
                read(value);
            }
            let mut fast = 0;
            for value in &values {
                let mut was_fast = false;
                let counted = allocation_counter::measure(|| was_fast = read(value));
                if was_fast {
                    fast += 1;
                    assert_eq!(counted.count_total, 0, "{fixture}.{ending}: {value}");
                }
            }
            assert!(fast >= 5, "{fixture}.{ending}: only {fast} took the fast way");
        }
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1, 2, 3])));
    assert_eq!(counted.count_total, 1);
}
