//! docs/types.md, row by row: what MySQL says, what DuckDB reads and what pyarrow reads are equal,
//! for every type, every mode of the source and extreme values, from the snapshot and the binlog.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, KafkaTool, Stack, Table, say};
use common::{LIMIT, SOURCE, register, sink};
use serde_json::{Map, Value, json};

/// A source: its name (also the topics' prefix) and the modes it sends in.
type Source = (&'static str, &'static [(&'static str, &'static str)]);

/// Every mode of every setting is among them.
const SOURCES: [Source; 5] = [
    ("usual", &[]),
    (
        "texts",
        &[
            ("decimal.handling.mode", "string"),
            ("time.precision.mode", "isostring"),
            ("bigint.unsigned.handling.mode", "precise"),
            ("binary.handling.mode", "hex"),
        ],
    ),
    (
        "connect",
        &[
            ("decimal.handling.mode", "double"),
            ("time.precision.mode", "connect"),
            ("binary.handling.mode", "base64"),
        ],
    ),
    (
        "micros",
        &[
            ("time.precision.mode", "microseconds"),
            ("bigint.unsigned.handling.mode", "precise"),
            ("binary.handling.mode", "base64-url-safe"),
        ],
    ),
    ("nanos", &[("time.precision.mode", "nanoseconds")]),
];
/// Each table and the rows that 02-rows.sql puts into it.
const TABLES: [(&str, usize); 6] =
    [("numbers", 7), ("times", 7), ("zero_dates", 2), ("texts", 5), ("shapes", 3), ("misfits", 4)];
/// Rows are written twice: for the snapshot, and for the binlog.
const TIMES: usize = 2;
/// Rows of `misfits` that hold what no column can. Three modes send all four values as they are,
/// and `connect` does so with 24:00:00; what else it and `isostring` make of them is the source's loss.
const MISFITS: usize = (3 * 4 + 1) * TIMES;
const DURATIONS: &str = "usual.types.misfits";
const DEAD: &str = "types_dead";

#[test]
fn every_type_is_read_as_mysql_says_it() {
    let stack = Stack::builder().without_s3().alluvium().start().unwrap();
    let mysql = stack.mysql().unwrap();
    let rows = stack.clone_path("tests/sql/types/02-rows.sql");
    mysql.run_file(&stack.clone_path("tests/sql/types/01-tables.sql")).unwrap();
    mysql.run_file(&rows).unwrap();
    for (at, (name, modes)) in SOURCES.iter().enumerate() {
        let source = source(&stack, at, name, modes);
        stack.rest().unwrap().put_config(name, &source.config()).unwrap();
    }
    let tool = stack.kafka().unwrap().tool();
    let topics = topics();
    let records: usize = TABLES.iter().map(|(_, rows)| rows).sum::<usize>() * SOURCES.len();
    wait(tool, &topics, records);
    say("the snapshots are read");
    mysql.run_file(&rows).unwrap();
    let folder = |name: &str| stack.folder().join(name).display().to_string();
    register(&stack, &lake(&stack, "types-lake", &folder("types")), 1);
    let durations = lake(&stack, "durations-lake", &folder("durations"))
        .without("topics.regex")
        .with("topics", DURATIONS)
        .with("columns.types", "c_time6:duration_us")
        .with("errors.tolerance", "none");
    register(&stack, &durations, 1);
    wait_for_rows(&stack, &folder("types"), (records * TIMES - MISFITS) as u64);
    against_kafka(&stack, &topics, &folder("types"), records * TIMES);
    misfits_are_in_the_dead_letter_queue(tool);
    misfits_are_durations_when_declared_so(&stack, &folder("durations"));
    let said = compare(&stack, &folder("types"));
    println!("types: {said}");
    for trouble in ["types", "unruly", "unused", "values"] {
        let all = said[trouble].as_array().unwrap();
        assert!(all.is_empty(), "{trouble}: {all:#?}");
    }
    // Columns × rows × sources, less the misfits.
    let cases = (26 * 7 + 12 * 7 + 6 * 2 + 16 * 5 + 9 * 3 + 4) * TIMES * SOURCES.len() - MISFITS;
    assert_eq!(said["cases"], json!(cases), "{said}");
    assert!(said["rules"].as_u64().unwrap() > 60, "{said}");
    println!("counted: cases={cases} rows={}", records * TIMES - MISFITS);
}

/// The shipped source, but of the tables here, unrouted.
fn source(stack: &Stack, at: usize, name: &str, modes: &[(&str, &str)]) -> Connector {
    let mut source = Connector::shipped(&stack.clone_path(SOURCE)).unwrap().named(name);
    for key in [
        "transforms",
        "transforms.route.type",
        "transforms.route.regex",
        "transforms.route.replacement",
        "topic.creation.groups",
        "topic.creation.changes.include",
        "topic.creation.changes.partitions",
        "topic.creation.changes.replication.factor",
        "decimal.handling.mode",
    ] {
        source = source.without(key);
    }
    for (key, value) in [
        ("topic.prefix", name),
        ("database.server.id", &(700 + at).to_string()),
        ("database.include.list", "types"),
        ("table.include.list", "types.*"),
        ("provide.transaction.metadata", "false"),
        ("schema.history.internal.kafka.topic", &format!("{name}.schema-history")),
    ] {
        source = source.with(key, value);
    }
    modes.iter().fold(source, |source, (key, value)| source.with(key, value))
}

/// One sink for all of them.
fn lake(stack: &Stack, name: &str, folder: &str) -> Connector {
    let mut lake = sink(stack).named(name);
    for key in [
        "topics",
        "event.time",
        "s3.endpoint",
        "s3.region",
        "s3.access.key.id",
        "s3.secret.access.key",
    ] {
        lake = lake.without(key);
    }
    for (key, value) in [
        ("topics.regex", r".*\.types\..*"),
        ("tasks.max", "1"),
        ("lake.url", &format!("file://{folder}")),
        ("partition.path", "{topic}"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", DEAD),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ] {
        lake = lake.with(key, value);
    }
    lake
}

fn topics() -> Vec<String> {
    let of = |name: &str| TABLES.map(|(table, _)| format!("{name}.types.{table}"));
    SOURCES.iter().flat_map(|(name, _)| of(name)).collect()
}

/// Waits for so many records on all topics together.
fn wait(tool: &KafkaTool, topics: &[String], count: usize) {
    let count = count.to_string();
    let mut args = vec!["dump", "--timeout", "90", "--count", &count, "--"];
    args.extend(topics.iter().map(String::as_str));
    tool.run(&args, &[]).unwrap();
}

/// Waits until so many rows are visible.
fn wait_for_rows(stack: &Stack, folder: &str, rows: u64) {
    let began = Instant::now();
    loop {
        let seen = type_table(stack, folder, &["--count"]).as_u64().unwrap();
        if seen >= rows {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{seen} rows of {rows} after {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// All records are rows, but those that no column can hold.
fn against_kafka(stack: &Stack, topics: &[String], folder: &str, records: usize) {
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let seen = Table::new(stack, folder).unwrap().against_kafka(&topics).unwrap();
    assert_eq!((seen.duplicates, seen.unknown, seen.missing), (0, 0, MISFITS as u64), "{seen:?}");
    assert_eq!(seen.records, records as u64);
    say(format!("counted: records={records}"));
}

fn misfits_are_in_the_dead_letter_queue(tool: &KafkaTool) {
    let dead = tool.wait_for(DEAD, MISFITS, 30).unwrap();
    assert_eq!(dead.len(), MISFITS);
    for record in dead {
        let header = |name: &str| -> String {
            let is = |pair: &&Value| pair[0] == name;
            let pair = record["headers"].as_array().unwrap().iter().find(is);
            pair.and_then(|pair| pair[1].as_str()).unwrap_or_default().to_owned()
        };
        assert!(header("__connect.errors.topic").ends_with(".types.misfits"));
        let reason = header("__connect.errors.exception.message");
        assert!(reason.contains("c_time6") && reason.contains("time of day"), "{reason}");
    }
}

fn misfits_are_durations_when_declared_so(stack: &Stack, folder: &str) {
    let table = Table::new(stack, folder).unwrap();
    table.wait_complete(&[DURATIONS], LIMIT).unwrap();
    let sql = "SELECT c_time6 AS us, count(*) AS n FROM lake GROUP BY 1 ORDER BY 1";
    let hours = 3_020_399_000_000i64;
    let expected = [-hours, -1, 86_400_000_000, hours].map(|us| json!({"us": us, "n": TIMES}));
    assert_eq!(table.query(sql).unwrap(), expected);
}

/// Runs `type_table.py`, which compares values and types with the document.
fn compare(stack: &Stack, folder: &str) -> Value {
    let sources: Map<String, Value> = SOURCES
        .iter()
        .map(|(name, modes)| {
            let modes = modes.iter().map(|(key, value)| ((*key).to_owned(), json!(value)));
            ((*name).to_owned(), Value::Object(modes.collect()))
        })
        .collect();
    let (doc, sources) = (stack.clone_path("docs/types.md"), Value::Object(sources).to_string());
    type_table(stack, folder, &["--doc", &doc.display().to_string(), "--sources", &sources])
}

fn type_table(stack: &Stack, folder: &str, args: &[&str]) -> Value {
    let output = Command::new(stack.parts().python().unwrap())
        .arg(stack.clone_path("tests/readback/type_table.py"))
        .arg(folder)
        .args(args)
        .envs(stack.env().iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
