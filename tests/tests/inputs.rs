//! What values may be by the time the sink gets them: captured events through the worker's
//! converters and single message transforms, several sinks on the same topic, on real Kafka, Connect
//! and S3. The sink that reads the bytes Kafka holds is what the others are held against.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Stack, Table};
use common::{LIMIT, sink_of};
use serde_json::{Value, json};

const TOPIC: &str = "orders";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
/// Columns of the table that every way must give alike.
const COLUMNS: &str = "id, customer_id, product, quantity, price, status, note, updated_at, _topic, \
                       _partition, _offset";

/// Every column; the readers add the name of the file.
const ALL: &str = "* EXCLUDE (filename)";

/// The captured events of a table, and a tombstone that nothing follows.
fn records() -> Vec<Value> {
    let lines = include_str!("../fixtures/debezium/orders.schemas.jsonl").lines();
    let record = |line: &str| {
        let captured: Value = serde_json::from_str(line).unwrap();
        json!({
            "topic": TOPIC, "partition": 0, "key": captured["key"], "value": captured["value"],
            "timestamp": captured["timestamp"],
        })
    };
    let mut records: Vec<Value> = lines.map(record).collect();
    let mut last = records.last().unwrap().clone();
    last["value"] = Value::Null;
    records.push(last);
    records
}

/// A sink whose worker takes values and keys apart.
fn taken_apart(stack: &Stack, name: &str) -> Connector {
    sink_of(stack, name, TOPIC, name)
        .with("value.converter", JSON)
        .with("value.converter.replace.null.with.default", "false")
        .with("key.converter", JSON)
}

/// A transform: its name, its class and its settings.
type Transform = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The same sink with transforms.
fn transformed(sink: Connector, transforms: &[Transform]) -> Connector {
    let names: Vec<&str> = transforms.iter().map(|(name, ..)| *name).collect();
    let mut sink = sink.with("transforms", &names.join(","));
    for (name, class, settings) in transforms {
        sink = sink.with(&format!("transforms.{name}.type"), class);
        for (key, value) in *settings {
            sink = sink.with(&format!("transforms.{name}.{key}"), value);
        }
    }
    sink
}

const UNWRAP: Transform = (
    "unwrap",
    "io.debezium.transforms.ExtractNewRecordState",
    &[
        ("delete.tombstone.handling.mode", "rewrite"),
        ("add.fields", "op,source.ts_us,table,source.db"),
    ],
);

fn rows(stack: &Stack, name: &str, columns: &str) -> Vec<Value> {
    let table = Table::new(stack, &format!("s3://lake/{name}")).unwrap();
    table.query(&format!("SELECT {columns} FROM lake ORDER BY _offset")).unwrap()
}

/// Waits until the group of a sink stands behind the last record, though the last ones may have
/// been dropped before the sink saw them.
fn wait_behind(stack: &Stack, name: &str, end: usize) {
    let began = Instant::now();
    loop {
        let offsets = stack.rest().unwrap().offsets(name).unwrap();
        let now = offsets["offsets"][0]["offset"]["kafka_offset"].as_u64();
        if now == Some(end as u64) {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{name} stands at {offsets}, not at {end}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Eight ways through the worker.
fn sinks(stack: &Stack) -> [Connector; 8] {
    let bare = sink_of(stack, "bytes", TOPIC, "bytes");
    let text = sink_of(stack, "text", TOPIC, "text")
        .with("value.converter", "org.apache.kafka.connect.storage.StringConverter");
    let routed = transformed(
        taken_apart(stack, "routed"),
        &[
            (
                "table",
                "io.debezium.transforms.ByLogicalTableRouter",
                &[("topic.regex", "(.*)orders(.*)"), ("topic.replacement", "$1all$2")],
            ),
            (
                "name",
                "org.apache.kafka.connect.transforms.RegexRouter",
                &[("regex", ".*"), ("replacement", "elsewhere")],
            ),
        ],
    );
    let filtered = transformed(
        taken_apart(stack, "filtered"),
        &[("drop", "org.apache.kafka.connect.transforms.Filter", &[("predicate", "empty")])],
    )
    .with("predicates", "empty")
    .with(
        "predicates.empty.type",
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
    );
    let timed = transformed(
        taken_apart(stack, "timed").with("event.time", "after.created_at"),
        &[
            UNWRAP,
            (
                "at",
                "org.apache.kafka.connect.transforms.TimestampConverter$Value",
                &[
                    ("field", "created_at"),
                    ("target.type", "Timestamp"),
                    ("unix.precision", "microseconds"),
                ],
            ),
        ],
    );
    let unwrapped = transformed(taken_apart(stack, "unwrapped"), &[UNWRAP]);
    [
        bare,
        text,
        taken_apart(stack, "structs"),
        taken_apart(stack, "maps").with("value.converter.schemas.enable", "false"),
        routed,
        filtered,
        timed,
        unwrapped,
    ]
}

#[test]
fn every_way_through_the_worker_gives_the_same_rows() {
    let stack = Stack::builder().without_mysql().alluvium().start().unwrap();
    let tool = stack.kafka().unwrap().tool();
    tool.create_topic(TOPIC, 1).unwrap();
    let records = records();
    let with_value = records.iter().filter(|record| !record["value"].is_null()).count();
    tool.produce(&records).unwrap();

    let rest = stack.rest().unwrap();
    let sinks = sinks(&stack).map(|sink| sink.with("tasks.max", "1"));
    // One validates while the tasks of others start.
    for sink in &sinks {
        rest.put_config(&sink.name, &sink.config()).unwrap();
    }
    for sink in &sinks {
        rest.wait_running(&sink.name, 1, LIMIT).unwrap();
    }
    for sink in &sinks {
        // No gap is left open by what a transform dropped, at the end or before it.
        wait_behind(&stack, &sink.name, records.len());
    }

    compare(&stack, with_value);
    println!("counted: sinks={} rows={}", sinks.len(), with_value);

    let log = stack.worker(0).unwrap();
    let log = alluvium_tests::Server::process(log).log().text();
    for said in
        ["Debezium envelopes, taken apart", "plain structs, taken apart", "Debezium JSON with"]
    {
        assert!(log.contains(said), "{said} is not in the log");
    }
}

/// Holds the rows of each sink against those of the one that reads bytes.
fn compare(stack: &Stack, with_value: usize) {
    let everything = rows(stack, "bytes", ALL);
    assert_eq!(everything.len(), with_value);
    for name in ["text", "structs", "routed", "filtered"] {
        assert_eq!(rows(stack, name, ALL), everything, "{name}");
    }
    let described = format!("{COLUMNS}, created_at, _op, _source_ts, _event_time");
    let expected = rows(stack, "bytes", &described);
    assert_eq!(rows(stack, "unwrapped", &described), expected);
    let added = "__op, __deleted, __table, __source_db";
    for row in rows(stack, "unwrapped", &format!("{added}, _op")) {
        assert_eq!(row["__op"], row["_op"], "{row}");
        assert_eq!(row["__deleted"] == "true", row["_op"] == "d", "{row}");
        assert_eq!((&row["__table"], &row["__source_db"]), (&json!("orders"), &json!("inventory")));
    }
    let millis = format!("{COLUMNS}, date_trunc('milliseconds', created_at) AS at, _op");
    assert_eq!(
        rows(stack, "timed", &format!("{COLUMNS}, created_at AS at, _op")),
        rows(stack, "bytes", &millis)
    );
    let of_column = "epoch_us(_event_time) - epoch_us(created_at) AS off";
    assert!(rows(stack, "timed", of_column).iter().all(|row| row["off"] == 0));
    // The worker read the whole record, schema and all, as a map: JSON says what that map said.
    assert_eq!(rows(stack, "maps", ALL), everything);
}
