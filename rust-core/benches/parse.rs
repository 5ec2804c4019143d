//! ns per record of room envelope on one core, against `serde_json::Value` in the same run.
//!
//! `cargo bench -p alluvium-core --bench parse`. The work is that of a Debezium topic as it really
//! arrives: 13 columns, half of the events creates, 40 % updates with both images, the rest deletes;
//! some nulls, escapes and non-ASCII text. Each figure is the best of the rounds: noise only adds.

#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so")]

use alluvium_core::envelope::{EnvelopeReader, Row};
use alluvium_core::frame::RawRecord;
use alluvium_core::position::TpId;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

const RECORDS: usize = 2_000;
const ROUNDS: usize = 60;

fn main() {
    let mut random = fastrand::Rng::with_seed(7);
    let plain: Vec<String> = (0..RECORDS).map(|i| payload(&mut random, i as i64)).collect();
    let schema = schema();
    let with_schema: Vec<String> = plain
        .iter()
        .map(|payload| format!("{{\"schema\":{schema},\"payload\":{payload}}}"))
        .collect();
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

/// The columns: name, the rest of the Connect field.
const COLUMNS: &[(&str, &str)] = &[
    ("id", r#""type":"int64","optional":false"#),
    ("customer_id", r#""type":"int32","optional":false"#),
    ("name", r#""type":"string","optional":false"#),
    (
        "amount",
        r#""type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"18"}"#,
    ),
    ("quantity", r#""type":"int32","optional":false,"default":1"#),
    ("price", r#""type":"double","optional":true"#),
    (
        "status",
        r#""type":"string","optional":false,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"new,paid,shipped"},"default":"new""#,
    ),
    ("note", r#""type":"string","optional":true"#),
    ("active", r#""type":"boolean","optional":true"#),
    ("day", r#""type":"int32","optional":true,"name":"io.debezium.time.Date","version":1"#),
    (
        "created_at",
        r#""type":"int64","optional":false,"name":"io.debezium.time.MicroTimestamp","version":1,"default":0"#,
    ),
    (
        "updated_at",
        r#""type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","version":1"#,
    ),
    ("channel", r#""type":"string","optional":true"#),
];

fn payload(random: &mut fastrand::Rng, at: i64) -> String {
    let (op, before, after) = match random.u32(0..100) {
        0..50 => ("c", "null".into(), image(random, at)),
        50..90 => ("u", image(random, at), image(random, at)),
        _ => ("d", image(random, at), "null".into()),
    };
    let us = 1_795_254_760_459_974 + at * 1_731;
    let ms = us / 1_000;
    format!(
        r#"{{"before":{before},"after":{after},"source":{{"version":"3.6.1.Final","connector":"mysql","name":"shop","ts_ms":{ms},"snapshot":"false","db":"inventory","sequence":null,"ts_us":{us},"ts_ns":{us}000,"table":"orders","server_id":1,"gtid":"c5fc10bb-e590-11f1-b2cd-02fc00000001:{at}","file":"binlog.000001","pos":{},"row":0,"thread":20,"query":null}},"transaction":{{"id":"c5fc10bb-e590-11f1-b2cd-02fc00000001:{at}","total_order":1,"data_collection_order":1}},"op":"{op}","ts_ms":{ms},"ts_us":{us},"ts_ns":{us}141}}"#,
        6_918 + at * 411,
    )
}

fn image(random: &mut fastrand::Rng, at: i64) -> String {
    const NAMES: &[&str] =
        &["Ada Lovelace", "José Núñez", "O'Neil; \\\"Tim\\\"", "Grace Hopper", "Møller"];
    const NOTES: &[&str] = &["null", "\"gift, no bill\"", "\"two\\nlines\"", "\"door B, ring\""];
    const AMOUNTS: &[&str] = &["EtaH", "AdTA", "4ps=", "AlQL4/8=", "HL6ZGhQ="];
    let mut image = format!(r#"{{"id":{at},"customer_id":{}"#, random.u32(1_000..90_000));
    let mut field = |name: &str, value: &str| {
        let _ = write!(image, r#","{name}":{value}"#);
    };
    field("name", &format!("\"{}\"", NAMES[random.usize(0..NAMES.len())]));
    field("amount", &format!("\"{}\"", AMOUNTS[random.usize(0..AMOUNTS.len())]));
    field("quantity", &random.u32(1..20).to_string());
    field("price", &format!("{}.{:02}", random.u32(0..500), random.u32(0..100)));
    field("status", ["\"new\"", "\"paid\"", "\"shipped\""][random.usize(0..3)]);
    field("note", NOTES[random.usize(0..NOTES.len())]);
    field("active", ["true", "false", "null"][random.usize(0..3)]);
    field("day", &random.u32(18_000..21_000).to_string());
    field("created_at", &(1_772_352_900_000_001 + at * 977).to_string());
    field("updated_at", &format!("\"2026-03-{:02}T09:00:00Z\"", random.u32(1..29)));
    field("channel", ["\"web\"", "\"shop\"", "null"][random.usize(0..3)]);
    image + "}"
}

fn schema() -> String {
    let field = |(name, json): &(&str, &str)| format!(r#"{{{json},"field":"{name}"}}"#);
    let row = COLUMNS.iter().map(field).collect::<Vec<_>>().join(",");
    let of = |literal: &str, names: &str| {
        let one = |n: &str| format!(r#"{{"type":"{literal}","optional":true,"field":"{n}"}}"#);
        names.split(' ').map(one).collect::<Vec<_>>().join(",")
    };
    let image = |name: &str| {
        format!(
            r#"{{"type":"struct","fields":[{row}],"optional":true,"name":"shop.inventory.orders.Value","field":"{name}"}}"#
        )
    };
    format!(
        r#"{{"type":"struct","fields":[{},{},{{"type":"struct","fields":[{},{},{},{},{},{},{},{},{}],"optional":false,"name":"io.debezium.connector.mysql.Source","version":1,"field":"source"}},{{"type":"struct","fields":[{},{}],"optional":true,"name":"event.block","version":1,"field":"transaction"}},{},{}],"optional":false,"name":"shop.inventory.orders.Envelope","version":2}}"#,
        image("before"),
        image("after"),
        of("string", "version connector name"),
        of("int64", "ts_ms"),
        of("string", "snapshot db sequence"),
        of("int64", "ts_us ts_ns"),
        of("string", "table"),
        of("int64", "server_id"),
        of("string", "gtid file"),
        of("int64", "pos row thread"),
        of("string", "query"),
        of("string", "id"),
        of("int64", "total_order data_collection_order"),
        of("string", "op"),
        of("int64", "ts_ms ts_us ts_ns"),
    )
}
