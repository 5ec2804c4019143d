//! What happens to a sink while it runs, on real Kafka, Connect and S3: rebalances, restarts, new
//! partitions, aborted transactions, many topics, quiet topics, a store that stands still.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use alluvium_tests::{Load, Server as _, Stack, Table};
use common::{LIMIT, TABLE, TOPIC, events, register, register_source, sink, sink_of};
use serde_json::{Value, json};

/// A jar without classes: the end of an empty zip's directory.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// Rows of the snapshot.
const SEEDED: u64 = 4;

/// Eager and cooperative, one after the other: the worker dies with its tasks while rows flow, and
/// comes back.
#[test]
fn a_killed_worker_goes_on_where_the_log_stands() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    register_source(&stack);
    let cooperative = sink(&stack);
    let eager = cooperative
        .clone()
        .named("orders-eager")
        .without("consumer.override.partition.assignment.strategy")
        .with("lake.url", "s3://lake/eager");
    register(&stack, &cooperative, 3);
    register(&stack, &eager, 3);
    let load = Load::start(stack.mysql().unwrap(), 1_000, Duration::from_millis(100)).unwrap();
    let worker = stack.worker(0).unwrap();
    for kill in 1..=2 {
        load.wait_for(kill * 1_000).unwrap();
        worker.process().kill9();
        worker.process().start_again().unwrap();
        worker.wait_ready().unwrap();
        stack.rest().unwrap().wait_running(&cooperative.name, 3, LIMIT).unwrap();
    }
    let changes = load.stop().unwrap();
    wait_for_changes(&stack, changes);
    for url in [TABLE, "s3://lake/eager"] {
        let table = Table::new(&stack, url).unwrap();
        let seen = table.wait_complete(&[TOPIC], LIMIT * 2).unwrap();
        println!("{url}: 2 kills, {changes} changes, {}", seen.to_json());
        assert_eq!(seen.compared, changes + SEEDED, "{seen:?} of {changes} changes");
        let state = table.against_mysql(TOPIC, "inventory.orders").unwrap();
        assert_eq!(state["wrong"], 0, "{state}");
        assert!(state["compared"].as_u64().unwrap() > 500, "{state}");
    }
}

/// Debezium is behind MySQL, the more so after a kill. Each batch of 30 changes has 3 deletes, each
/// with a tombstone.
fn wait_for_changes(stack: &Stack, changes: u64) {
    let records = changes + changes / 10 + SEEDED;
    stack.kafka().unwrap().tool().wait_for(TOPIC, records as usize, 240).unwrap();
}

#[test]
fn partitions_are_added_transactions_abort_topics_are_many() {
    let stack = Stack::builder().without_mysql().alluvium().start().unwrap();
    let tool = stack.kafka().unwrap().tool();

    tool.create_topic("grows", 2).unwrap();
    let grows = sink_of(&stack, "grows", "grows", "grows")
        .with("consumer.override.metadata.max.age.ms", "2000");
    register(&stack, &grows, 3);
    tool.produce(&events("grows", 2, 0..500)).unwrap();
    tool.produce_aborted("tx", &events("grows", 2, 500..700)).unwrap();
    tool.produce(&events("grows", 2, 700..800)).unwrap();
    tool.add_partitions("grows", 5).unwrap();
    tool.produce(&events("grows", 5, 800..1_300)).unwrap();
    let seen = Table::new(&stack, "s3://lake/grows").unwrap();
    let seen = seen.wait_complete(&["grows"], LIMIT).unwrap();
    println!("partitions added, transactions aborted: {}", seen.to_json());
    assert_eq!((seen.records, seen.rows), (1_100, 1_100), "the aborted 200 are not among them");
    // Lag never reads 0 here: the aborting marker is the last offset. The group gets behind it.
    let offsets = stack.rest().unwrap().offsets("grows").unwrap();
    println!("group: {offsets}");

    let topics: Vec<String> = (0..30).map(|n| format!("many-{n}")).collect();
    for topic in &topics {
        tool.create_topic(topic, 6).unwrap();
    }
    let many =
        sink_of(&stack, "many", "", "many").without("topics").with("topics.regex", "many-.*");
    register(&stack, &many, 3);
    let records: Vec<Value> = topics.iter().flat_map(|topic| events(topic, 6, 0..60)).collect();
    tool.produce(&records).unwrap();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let seen = Table::new(&stack, "s3://lake/many").unwrap();
    let seen = seen.wait_complete(&names, LIMIT * 2).unwrap();
    println!("30 topics of 6 partitions: {}", seen.to_json());
    assert_eq!(seen.rows, 30 * 60);
}

/// `commit.interval.ms=1000`, one burst, then silence: nothing wakes the task thread.
#[test]
fn the_last_rows_of_a_quiet_topic_are_visible_in_time() {
    let stack = Stack::builder().without_mysql().alluvium().start().unwrap();
    let tool = stack.kafka().unwrap().tool();
    tool.create_topic("quiet", 3).unwrap();
    let folder = stack.folder().join("quiet-table");
    let quiet = sink_of(&stack, "quiet", "quiet", "quiet")
        .with("lake.url", &format!("file://{}", folder.display()));
    register(&stack, &quiet, 1);
    tool.produce(&events("quiet", 3, 0..30)).unwrap();
    let table = Table::new(&stack, &format!("file://{}", folder.display())).unwrap();
    table.wait_complete(&["quiet"], LIMIT).unwrap();

    let mut waits = Vec::new();
    for burst in 1..=10 {
        let before = count_files(&folder);
        // One partition: one commit, one file.
        tool.produce(&events("quiet", 1, burst * 100..burst * 100 + 5)).unwrap();
        let began = Instant::now();
        while count_files(&folder) == before {
            assert!(began.elapsed() < Duration::from_secs(10), "burst {burst} is not visible");
            std::thread::sleep(Duration::from_millis(10));
        }
        waits.push(began.elapsed());
        std::thread::sleep(Duration::from_millis(1_500));
    }
    waits.sort();
    println!("visible after a burst: median {:?}, longest {:?}", waits[5], waits[9]);
    assert!(waits[9] < Duration::from_millis(2_500), "{waits:?}");
    let seen = table.wait_complete(&["quiet"], LIMIT).unwrap();
    assert_eq!(seen.rows, 80);
}

fn count_files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

/// The S3 server stands still for three minutes under load: the consumer is paused, nothing fails,
/// nobody rebalances, all rows are there afterwards.
#[test]
fn a_store_that_stands_still_is_waited_for() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    register_source(&stack);
    register(&stack, &sink(&stack), 3);
    let load = Load::start(stack.mysql().unwrap(), 1_000, Duration::from_millis(100)).unwrap();
    load.wait_for(600).unwrap();
    let worker = stack.worker(0).unwrap();
    let rebalances = || worker.process().log().text().matches("(Re-)joining group").count();
    let before = rebalances();
    stack.s3().unwrap().process().sigstop();
    for _ in 0..18 {
        std::thread::sleep(Duration::from_secs(10));
        let status = stack.rest().unwrap().status("orders-lake").unwrap();
        let states: Vec<&Value> =
            status["tasks"].as_array().unwrap().iter().map(|task| &task["state"]).collect();
        assert!(states.iter().all(|state| *state == "RUNNING"), "{status}");
    }
    stack.s3().unwrap().process().sigcont();
    let changes = load.stop().unwrap();
    wait_for_changes(&stack, changes);
    let table = Table::new(&stack, TABLE).unwrap();
    let seen = table.wait_complete(&[TOPIC], LIMIT * 2).unwrap();
    println!("store stopped for 180 s, {changes} changes: {}", seen.to_json());
    assert_eq!(rebalances(), before, "nobody rebalanced");
    assert_eq!(seen.compared, changes + SEEDED, "{seen:?}");
}

#[test]
fn mistakes_are_told_by_name_and_the_worker_lives() {
    let stack = Stack::builder().without_mysql().alluvium().start().unwrap();
    let rest = stack.rest().unwrap();
    let tool = stack.kafka().unwrap().tool();
    // The worker's JsonConverter: known only when the first record comes.
    let value = json!({"schema": {"type": "int32"}, "payload": 7}).to_string();
    tool.create_topic("typed", 1).unwrap();
    tool.produce(&[json!({"topic": "typed", "partition": 0, "key": "k", "value": value})]).unwrap();
    let wrong = sink_of(&stack, "json", "typed", "json").without("value.converter");
    rest.put_config("json", &wrong.config()).unwrap();
    let trace = failure(&stack, "json");
    assert!(trace.contains("\"input.format\": \"connect\""), "{trace}");
    rest.delete("json").unwrap();

    let refused = |key: &str, value: &str| {
        let config = sink_of(&stack, "bad", "events", "bad").with(key, value).config();
        let answer = rest.call("PUT", "/connectors/bad/config", config.to_string().as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, 400, "{key}={value}: {answer:?}");
        let said = answer.body["message"].as_str().unwrap().to_owned();
        assert!(said.contains(key), "{key}={value}: {said}");
        println!("{key}={value}: {}", said.lines().nth(1).unwrap_or(&said));
    };
    refused("partition.path", "{topic}/{nothing}");
    refused("commit.interval.ms", "soon");
    refused("parquet.compresion", "zstd");
    refused("lake.url", "ftp://lake");
    refused("event.time", "before.noon");
    refused("s3.secret.access.key", "wrong");
    refused("lake.url", "s3://no-such-bucket/x");

    // A bad record, with and without tolerance.
    tool.create_topic("events", 1).unwrap();
    tool.produce(&events("events", 1, 0..10)).unwrap();
    tool.produce(&[json!({"topic": "events", "partition": 0, "key": "k", "value": "broken"})])
        .unwrap();
    tool.produce(&events("events", 1, 10..20)).unwrap();
    register(&stack, &sink_of(&stack, "strict", "events", "strict"), 1);
    let trace = failure(&stack, "strict");
    for part in ["topic=events", "partition=0", "offset=10"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    let seen = Table::new(&stack, "s3://lake/strict").unwrap().against_kafka(&["events"]).unwrap();
    assert_eq!(seen.rows, 10, "everything before it is visible: {seen:?}");

    let tolerant = sink_of(&stack, "tolerant", "events", "tolerant")
        .with("errors.tolerance", "all")
        .with("errors.deadletterqueue.topic.name", "dead")
        .with("errors.deadletterqueue.topic.replication.factor", "1")
        .with("errors.deadletterqueue.context.headers.enable", "true");
    register(&stack, &tolerant, 1);
    let dead = tool.wait_for("dead", 1, 60).unwrap();
    assert_eq!(dead[0]["value"], "broken");
    assert!(dead[0]["headers"].to_string().contains("offset=10"), "{}", dead[0]);
    let table = Table::new(&stack, "s3://lake/tolerant").unwrap();
    let began = Instant::now();
    while table.against_kafka(&["events"]).unwrap().rows < 20 {
        assert!(began.elapsed() < LIMIT, "rows behind the errant record");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(rest.must("GET", "/", b"").unwrap()["version"], "4.3.0", "the worker lives");
}

fn failure(stack: &Stack, name: &str) -> String {
    let began = Instant::now();
    loop {
        let status = stack.rest().unwrap().call("GET", &format!("/connectors/{name}/status"), b"");
        let status = status.unwrap().body;
        let failed = status["tasks"].as_array().into_iter().flatten();
        let failed: Vec<&Value> = failed.filter(|task| task["state"] == "FAILED").collect();
        if let Some(task) = failed.first() {
            return task["trace"].as_str().unwrap_or_default().to_owned();
        }
        assert!(began.elapsed() < LIMIT, "{name} does not fail: {status}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The bare jar in `plugin.path`, in the oldest worker that is promised. Beside it lies another
/// version: the worker takes one and says nothing, so the connector names the other.
#[test]
fn the_bare_jar_runs_in_the_oldest_worker() {
    let jar = alluvium_tests::Plugin::bare_jar().unwrap();
    std::fs::write(jar.path().join("alluvium-connect-0.0.1.jar"), EMPTY_ZIP).unwrap();
    let stack = Stack::builder()
        .without_mysql()
        .worker_line(alluvium_tests::Line::Oldest)
        .plugin_path(jar.path())
        .start()
        .unwrap();
    let tool = stack.kafka().unwrap().tool();
    tool.create_topic("old", 2).unwrap();
    register(&stack, &sink_of(&stack, "old", "old", "old"), 2);
    tool.produce(&events("old", 2, 0..100)).unwrap();
    let table = Table::new(&stack, "s3://lake/old").unwrap();
    let seen = table.wait_complete(&["old"], LIMIT).unwrap();
    println!("Connect 3.7, bare jar: {}", seen.to_json());
    assert_eq!(seen.rows, 100);
    let log = stack.worker(0).unwrap().process().log().text();
    let named = log.lines().find(|line| line.contains("alluvium-connect-0.0.1.jar is another one"));
    println!("{}", named.expect("the other version is named"));
}
