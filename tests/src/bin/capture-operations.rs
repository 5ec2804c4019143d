//! Captures `tests/fixtures/debezium/operations.*.jsonl` from the running source: a truncate, an
//! incremental snapshot, the signal table and the notifications of it.
//!
//! In: the SQL of `tests/sql/operations`. Out: a file a topic and variant, one record a line, keys
//! and values as the exact text that was on the topic. Never: a record written or changed by hand.

use std::path::Path;
use std::time::Duration;

use alluvium_tests::{ConnectRest, Error, Result, Server as _, Stack, say};
use serde_json::{Map, Value, json};

/// Name (also the topic prefix), and whether schemas are sent along.
const VARIANTS: [(&str, bool); 2] = [("schemas", true), ("plain", false)];
/// Part of a file's name, and the topic behind the prefix.
const TOPICS: [(&str, &str); 3] = [
    ("operations", ".operations.parcels"),
    ("operations_signals", ".operations.signals"),
    ("operations_notifications", ".notifications"),
];
const LIMIT: Duration = Duration::from_secs(120);
const QUIET: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let stack = Stack::builder().without_s3().seed().start()?;
    let (mysql, worker) = (stack.mysql()?, stack.worker(0)?);
    let sql =
        |name: &str| mysql.run_file(&stack.clone_path(&format!("tests/sql/operations/{name}")));
    sql("01-tables.sql")?;
    let file = stack.clone_path("connector-config/register-orders-connector.json");
    for (index, (name, schemas)) in VARIANTS.iter().enumerate() {
        register(worker.rest(), &file, index, name, *schemas)?;
    }
    for (name, _) in VARIANTS {
        let done = format!(
            "debezium-mysqlconnector-{name}-change-event-source-coordinator] \
            AbstractSnapshotChangeEventSource Snapshot completed"
        );
        worker.process().wait_for_log(&done, LIMIT)?;
    }
    let tool = stack.kafka()?.tool();
    sql("02-incremental.sql")?;
    tool.dump_at_rest(&topics(), QUIET, LIMIT)?;
    sql("03-changes.sql")?;
    let records = tool.dump_at_rest(&topics(), QUIET, LIMIT)?;
    for (name, _) in VARIANTS {
        for (part, behind) in TOPICS {
            let topic = format!("{name}{behind}");
            let of_topic = records.iter().filter(|record| record["topic"] == topic.as_str());
            let lines: Vec<String> = of_topic.map(|record| format!("{record}\n")).collect();
            let path = stack.clone_path(&format!("tests/fixtures/debezium/{part}.{name}.jsonl"));
            std::fs::write(&path, lines.concat()).map_err(|error| Error::new(error.to_string()))?;
            say(format!("{part}.{name}: {} records", lines.len()));
        }
    }
    VARIANTS.iter().try_for_each(|(name, _)| worker.rest().wait_running(name, 1, Duration::ZERO))
}

/// The source as it is registered by everybody, but of these tables, unrouted, and with all it does.
fn register(
    rest: &ConnectRest,
    file: &Path,
    index: usize,
    name: &str,
    schemas: bool,
) -> Result<()> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::new(error.to_string()))?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| Error::new(error.to_string()))?;
    let mut config: Map<String, Value> =
        document["config"].as_object().cloned().unwrap_or_default();
    config.retain(|key, _| !key.starts_with("transforms") && !key.starts_with("topic.creation"));
    let (history, notifications) =
        (format!("{name}.schema-history"), format!("{name}.notifications"));
    let server = (950 + index).to_string();
    let own = [
        ("topic.prefix", name),
        ("database.server.id", &server),
        ("database.include.list", "operations"),
        ("table.include.list", "operations.*"),
        ("skipped.operations", "none"),
        ("signal.data.collection", "operations.signals"),
        ("notification.enabled.channels", "sink"),
        ("notification.sink.topic.name", &notifications),
        ("schema.history.internal.kafka.topic", &history),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("key.converter.schemas.enable", if schemas { "true" } else { "false" }),
        ("value.converter.schemas.enable", if schemas { "true" } else { "false" }),
    ];
    for (key, value) in own {
        config.insert(key.to_owned(), json!(value));
    }
    rest.put_config(name, &Value::Object(config)).map(|_| ())
}

fn topics() -> Vec<String> {
    let all =
        VARIANTS.iter().flat_map(|(name, _)| TOPICS.map(|(_, behind)| format!("{name}{behind}")));
    all.collect()
}
