//! What only Kafka's admin client can tell, on real Kafka, Connect and S3: a topic that is deleted
//! and created again, records that expire unread, offsets that are altered over REST; and what is
//! the sink's own: its log by another connector's name, folder and cluster (`kinship/`).

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;
mod kinship;

use std::time::Instant;

use alluvium_tests::{Server as _, Stack, Table};
use common::{LIMIT, events, register, sink_of};
use serde_json::{Value, json};

/// Stands in a setting of the admin client, and nowhere else.
const SECRET: &str = "hush-4711";

#[test]
fn topics_are_created_again_records_expire_offsets_are_altered() {
    let stack = Stack::builder().without_mysql().alluvium().start().unwrap();
    // Idle while all else is tried.
    let tail = kinship::tails::begin(&stack, "tails");
    created_again_while_it_is_read(&stack);
    expired_while_stopped(&stack);
    altered_over_rest(&stack);
    kinship::renamed(&stack);
    kinship::another_folder(&stack);
    let unseen = kinship::tails::begin(&stack, "unseen");
    kinship::tails::expires_unseen(&stack, &unseen);
    let other = Stack::builder().without_mysql().without_s3().workers(0).start().unwrap();
    kinship::another_cluster(&stack, &other);
    kinship::tails::is_looked_into(&stack, &tail);
    let log = stack.worker(0).unwrap().process().log();
    assert!(!log.contains(SECRET), "a secret of the admin client was logged");
}

fn created_again_while_it_is_read(stack: &Stack) {
    let tool = stack.kafka().unwrap().tool();
    let jaas = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" \
         password=\"{SECRET}\";"
    );
    let sink = sink_of(stack, "reborn", "reborn", "reborn")
        .with("consumer.override.metadata.max.age.ms", "2000")
        .with("admin.sasl.jaas.config", &jaas);
    tool.create_topic("reborn", 2).unwrap();
    register(stack, &sink, 1);
    tool.produce(&events("reborn", 2, 0..200)).unwrap();
    wait_for_rows(stack, "reborn", 200, 200);

    tool.run(&["delete-topic", "reborn"], &[]).unwrap();
    tool.create_topic("reborn", 2).unwrap();
    let began = Instant::now();
    tool.produce(&events("reborn", 2, 1_000..1_060)).unwrap();
    wait_for_rows(stack, "reborn", 260, 260);
    println!("created again: all rows of both lives, {:?} after the first", began.elapsed());
    let log = stack.worker(0).unwrap().process().log();
    assert!(log.contains("a new generation of it begins"), "{}", log.tail());
    stack.rest().unwrap().wait_running("reborn", 3, LIMIT).unwrap();
}

fn expired_while_stopped(stack: &Stack) {
    let tool = stack.kafka().unwrap().tool();
    let sink = sink_of(stack, "expires", "expires", "expires");
    tool.create_topic("expires", 1).unwrap();
    register(stack, &sink, 1);
    tool.produce(&events("expires", 1, 0..100)).unwrap();
    wait_for_rows(stack, "expires", 100, 100);
    stack.stop_sink(&sink.name, LIMIT).unwrap();
    tool.produce(&events("expires", 1, 100..200)).unwrap();
    tool.run(&["delete-records", "expires", "--partition", "0", "--before", "150"], &[]).unwrap();
    stack.rest().unwrap().set_state("expires", "resume").unwrap();
    let trace = wait_for_failure(stack, "expires");
    for part in ["range lost", "expires-0", "next=100", "earliest=150", "range.lost=record"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }

    let on_record = sink.with("range.lost", "record");
    stack.rest().unwrap().put_config("expires", &on_record.config()).unwrap();
    wait_for_rows(stack, "expires", 150, 150);
    let log = stack.worker(0).unwrap().process().log();
    assert!(log.contains("it is on record, going on behind them"), "{}", log.tail());
    println!("expired: fails by name, then goes on with a loss record");
}

fn altered_over_rest(stack: &Stack) {
    let (tool, rest) = (stack.kafka().unwrap().tool(), stack.rest().unwrap());
    let sink = sink_of(stack, "moved", "moved", "moved");
    tool.create_topic("moved", 1).unwrap();
    register(stack, &sink, 1);
    tool.produce(&events("moved", 1, 0..100)).unwrap();
    wait_for_rows(stack, "moved", 100, 100);
    stack.stop_sink(&sink.name, LIMIT).unwrap();
    tool.produce(&events("moved", 1, 100..200)).unwrap();

    let to = |offset: i64| {
        json!({"offsets": [{"partition": {"kafka_topic": "moved", "kafka_partition": 0},
                            "offset": {"kafka_offset": offset}}]})
    };
    for refused in
        [rest.alter_offsets("moved", &to(50)).unwrap(), rest.reset_offsets("moved").unwrap()]
    {
        let said = refused.body["message"].as_str().unwrap_or_default();
        assert!(refused.status >= 400 && said.contains("rewind.allowed=true"), "{refused:?}");
    }
    let forward = rest.alter_offsets("moved", &to(150)).unwrap();
    assert_eq!(forward.status, 200, "{forward:?}");
    rest.set_state("moved", "resume").unwrap();
    wait_for_rows(stack, "moved", 150, 150);

    stack.stop_sink(&sink.name, LIMIT).unwrap();
    let rewind = sink.with("rewind.allowed", "true");
    rest.put_config("moved", &rewind.config()).unwrap();
    let back = rest.alter_offsets("moved", &to(0)).unwrap();
    assert_eq!(back.status, 200, "{back:?}");
    rest.set_state("moved", "resume").unwrap();
    wait_for_rows(stack, "moved", 350, 200);
    println!("altered: {} / {}", forward.body["message"], back.body["message"]);
}

/// Waits until the table has so many rows, of so many ids.
fn wait_for_rows(stack: &Stack, folder: &str, rows: u64, ids: u64) {
    let table = Table::new(stack, &format!("s3://lake/{folder}")).unwrap();
    let began = Instant::now();
    loop {
        let seen = table.query("SELECT count(*) AS n, count(DISTINCT id) AS d FROM lake");
        // Without any file there is no row to count.
        let number = |name: &str| seen.as_ref().ok()?.first()?[name].as_u64();
        if (number("n"), number("d")) == (Some(rows), Some(ids)) {
            return;
        }
        let log = stack.worker(0).unwrap().process().log();
        assert!(began.elapsed() < LIMIT, "{folder}: {seen:?}, not {rows}\n{}", log.tail());
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

fn wait_for_failure(stack: &Stack, name: &str) -> String {
    wait_for_status(stack, name, |status| {
        let failed = status["tasks"].as_array()?.iter().find(|task| task["state"] == "FAILED")?;
        failed["trace"].as_str().map(str::to_owned)
    })
}

fn wait_for_status(stack: &Stack, name: &str, is: impl Fn(&Value) -> Option<String>) -> String {
    let began = Instant::now();
    loop {
        // A connector that was just posted has none yet.
        let status = stack.rest().unwrap().status(name).unwrap_or_default();
        if let Some(found) = is(&status) {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "{name}: {status}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
