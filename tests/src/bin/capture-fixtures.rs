//! Captures `tests/fixtures/debezium/*.jsonl` from the running source.
//!
//! In: the SQL of `tests/sql/fixtures`. Out: one file a table and variant of the source's
//! configuration, one record a line, keys and values as the exact text that was on the topic.
//! Never: a record written or changed by hand.

use std::path::Path;
use std::time::Duration;

use alluvium_tests::{ConnectRest, Error, KafkaTool, Result, Server as _, Stack, say};
use serde_json::{Map, Value, json};

/// Name (also the topic prefix) and what differs from `register-orders-connector.json`.
const VARIANTS: [(&str, &[(&str, &str)]); 4] = [
    ("schemas", &[]),
    (
        "plain",
        &[("key.converter.schemas.enable", "false"), ("value.converter.schemas.enable", "false")],
    ),
    (
        "modes",
        &[
            ("table.include.list", "inventory.basic_types"),
            ("decimal.handling.mode", "string"),
            ("bigint.unsigned.handling.mode", "precise"),
            ("time.precision.mode", "isostring"),
            ("binary.handling.mode", "hex"),
        ],
    ),
    (
        "connect",
        &[
            ("table.include.list", "inventory.basic_types"),
            (
                "column.include.list",
                r"inventory\.basic_types\.(id|label|c_date|c_time6?|c_datetime6?|c_dec_10_2)",
            ),
            ("decimal.handling.mode", "double"),
            ("time.precision.mode", "connect"),
        ],
    ),
];
/// Part of a file's name, and the topic after the prefix.
const TOPICS: [(&str, &str); 5] = [
    ("basic_types", ".inventory.basic_types"),
    ("orders", ".inventory.orders"),
    ("transactions", ".inventory.transactions"),
    ("transaction_metadata", ".transaction"),
    ("schema_changes", ""),
];
/// These are about one table; their other topics would say nothing that another does not.
const ONE_TABLE: [&str; 2] = ["modes", "connect"];
const QUIET: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    let stack = Stack::builder().without_s3().seed().start()?;
    let (mysql, worker) = (stack.mysql()?, stack.worker(0)?);
    mysql.run_file(&stack.clone_path("tests/sql/fixtures/01-tables.sql"))?;
    let file = stack.clone_path("connector-config/register-orders-connector.json");
    for (index, (name, changes)) in VARIANTS.iter().enumerate() {
        register(worker.rest(), &file, index, name, changes)?;
    }
    for (name, _) in VARIANTS {
        let done = format!(
            "debezium-mysqlconnector-{name}-change-event-source-coordinator] \
            AbstractSnapshotChangeEventSource Snapshot completed"
        );
        worker.process().wait_for_log(&done, LIMIT)?;
        say(format!("{name}: snapshot read"));
    }
    mysql.run_file(&stack.clone_path("tests/sql/fixtures/02-changes.sql"))?;
    let folder = stack.clone_path("tests/fixtures/debezium");
    capture(stack.kafka()?.tool(), &folder)?;
    // A source that failed on one of the values has captured too little.
    VARIANTS.iter().try_for_each(|(name, _)| worker.rest().wait_running(name, 1, Duration::ZERO))
}

/// The source as it is registered by everybody, but all tables, unrouted, and the changes.
fn register(
    rest: &ConnectRest,
    file: &Path,
    index: usize,
    name: &str,
    changes: &[(&str, &str)],
) -> Result<()> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::new(error.to_string()))?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| Error::new(error.to_string()))?;
    let mut config: Map<String, Value> =
        document["config"].as_object().cloned().unwrap_or_default();
    config.retain(|key, _| !key.starts_with("transforms") && !key.starts_with("topic.creation"));
    let history = format!("{name}.schema-history");
    let server = (900 + index).to_string();
    let own = [
        ("topic.prefix", name),
        ("database.server.id", &server),
        ("table.include.list", "inventory.*"),
        ("schema.history.internal.kafka.topic", &history),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ];
    for (key, value) in own.iter().chain(changes) {
        config.insert((*key).to_owned(), json!(value));
    }
    rest.put_config(name, &Value::Object(config)).map(|_| ())
}

/// Writes what is on the topics of all variants, once nothing has been added for a while.
fn capture(tool: &KafkaTool, folder: &Path) -> Result<()> {
    let files = files();
    let topics: Vec<&str> = files.iter().map(|(_, topic)| topic.as_str()).collect();
    let records = tool.dump_at_rest(&topics, QUIET, LIMIT)?;
    for (file, topic) in &files {
        let of_topic = records.iter().filter(|record| record["topic"] == topic.as_str());
        let lines: Vec<String> = of_topic.map(|record| format!("{record}\n")).collect();
        let path = folder.join(format!("{file}.jsonl"));
        std::fs::write(&path, lines.concat()).map_err(|error| Error::new(error.to_string()))?;
        say(format!("{file}: {} records, {} bytes", lines.len(), lines.concat().len()));
    }
    Ok(())
}

/// Name of each file and the topic it is captured from.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (name, _) in VARIANTS {
        let topics = if ONE_TABLE.contains(&name) { 1 } else { TOPICS.len() };
        for (part, suffix) in &TOPICS[..topics] {
            files.push((format!("{part}.{name}"), format!("{name}{suffix}")));
        }
    }
    files
}
