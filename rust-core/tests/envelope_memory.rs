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

/// Values that are made anew: text of a decimal, bytes of a geometry.
#[test]
fn neither_do_wide_decimals_and_structs() {
    let field = |literal: &str, name: &str, more: &str, field: &str| {
        format!(r#"{{"type":"{literal}","optional":true,"name":"{name}",{more}"field":"{field}"}}"#)
    };
    let digits = r#""parameters":{"scale":"30","connect.decimal.precision":"65"},"#;
    let row = [
        field("bytes", "org.apache.kafka.connect.data.Decimal", digits, "wide"),
        field("struct", "io.debezium.data.VariableScaleDecimal", "", "variable"),
        field("struct", "io.debezium.data.geometry.Point", "", "point"),
    ]
    .join(",");
    let value = format!(
        r#"{{"schema":{{"type":"struct","fields":[{{"type":"struct","fields":[{row}],"field":"after"}},{{"type":"string","field":"op"}}]}},"payload":{{"after":{{"wide":"/wzp2OOAPG91dBC5sca6EIXayfYAAAAAAAAAAQ==","variable":{{"scale":3,"value":"AeJA"}},"point":{{"x":0.0,"y":0.0,"wkb":"AQEAAAAAAAAAAAAAAAAAAAAAAAAA","srid":4326}}}},"op":"c"}}}}"#
    );
    let mut reader = EnvelopeReader::new(&[]).unwrap();
    let mut row = Row::default();
    let mut read = || {
        let value = Some(value.as_bytes());
        let record = RawRecord { tp: TpId(1), offset: 0, timestamp_ms: None, key: None, value };
        matches!(reader.read(&record, &mut row).unwrap(), Parsed::Row(_))
    };
    assert!(read() && read());
    let counted = allocation_counter::measure(|| assert!(read()));
    assert_eq!(counted.count_total, 0);
    assert_eq!((reader.ways().fast, reader.ways().slow), (2, 1));
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1, 2, 3])));
    assert_eq!(counted.count_total, 1);
}
