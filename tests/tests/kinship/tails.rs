//! The marker behind an idle topic-partition's last transaction, on a real broker: it is looked into
//! before it expires, the log and the group move behind it, and its expiry is no lost range.

use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Program, Server as _, Stack};
use serde_json::Value;

use super::super::common::{LIMIT, events, register, sink_of};
use super::super::{wait_for_failure, wait_for_rows};

/// Ten intervals of a second, but 30 s at least; then the answer, and its commit 10 s later.
const IDLE: Duration = Duration::from_secs(30);
const TRANSACTION: i64 = 20;

/// A topic that goes idle behind the marker of its second transaction.
pub(crate) struct Tail {
    sink: Connector,
    topic: &'static str,
    idle_from: Instant,
}

/// Two transactions are laid down: offsets 0 to 19, a marker, 21 to 40, a marker.
pub(crate) fn begin(stack: &Stack, topic: &'static str) -> Tail {
    let sink = sink_of(stack, topic, topic, topic);
    stack.kafka().unwrap().tool().create_topic(topic, 1).unwrap();
    register(stack, &sink, 1);
    transaction(stack, topic, 0);
    transaction(stack, topic, 1);
    wait_for_rows(stack, topic, 40, 40);
    assert_eq!(next_offset(stack, topic), 42, "a marker lies behind the last row");
    Tail { sink, topic, idle_from: Instant::now() }
}

/// It was idle for long enough: its marker was read, and nothing is lost when all of it expires.
pub(crate) fn is_looked_into(stack: &Stack, tail: &Tail) {
    let began = Instant::now();
    let limit = IDLE.saturating_sub(tail.idle_from.elapsed()) + LIMIT;
    let log = stack.worker(0).unwrap().process().log();
    while !log.contains("no record lies in the idle tail") {
        assert!(began.elapsed() < limit, "nobody looks into the tail\n{}", log.tail());
        std::thread::sleep(Duration::from_millis(500));
    }
    let idle = tail.idle_from.elapsed();
    assert_eq!(group_offset(stack, tail.topic), Some(41), "Connect knows of no record behind it");
    let seen = Program::verify(stack, &tail.sink).unwrap();
    expire(stack, tail, 42);
    // Sought by the log, the consumer stands behind the marker, and so does the group.
    let began = Instant::now();
    while group_offset(stack, tail.topic) != Some(42) {
        let group = group_offset(stack, tail.topic);
        assert!(began.elapsed() < LIMIT, "the group stays at {group:?}\n{}", log.tail());
        std::thread::sleep(Duration::from_millis(500));
    }
    transaction(stack, tail.topic, 2);
    wait_for_rows(stack, tail.topic, 60, 60);
    Program::verify(stack, &tail.sink).unwrap();
    println!("idle tail: had been looked into {idle:?} after the last row; verify: {seen}");
}

/// What the look is for: stopped before it was made, an expired marker cannot be told from rows.
pub(crate) fn expires_unseen(stack: &Stack, tail: &Tail) {
    while group_offset(stack, tail.topic) != Some(41) {
        assert!(tail.idle_from.elapsed() < IDLE, "the group is not told of the last row");
        std::thread::sleep(Duration::from_millis(200));
    }
    expire(stack, tail, 42);
    let trace = wait_for_failure(stack, tail.topic);
    for part in ["range lost", "next=41", "earliest=42", "markers of transactions"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    println!("an idle tail that expires unseen is called a lost range");
}

/// Everything below an offset expires while the sink is away.
fn expire(stack: &Stack, tail: &Tail, before: i64) {
    let (tool, rest) = (stack.kafka().unwrap().tool(), stack.rest().unwrap());
    stack.stop_sink(&tail.sink.name, LIMIT).unwrap();
    let before = before.to_string();
    tool.run(&["delete-records", tail.topic, "--partition", "0", "--before", &before], &[])
        .unwrap();
    rest.set_state(&tail.sink.name, "resume").unwrap();
}

fn transaction(stack: &Stack, topic: &str, n: i64) {
    let records = events(topic, 1, n * TRANSACTION..(n + 1) * TRANSACTION);
    let id = format!("tail-of-{topic}");
    let tool = stack.kafka().unwrap().tool();
    tool.run(&["produce", "--transactional-id", &id], &records).unwrap();
}

fn next_offset(stack: &Stack, topic: &str) -> i64 {
    let said = stack.kafka().unwrap().tool().run(&["offsets", topic], &[]).unwrap();
    said[0]["next"].as_i64().unwrap()
}

/// What the sink's group has committed of the topic's only partition.
fn group_offset(stack: &Stack, topic: &str) -> Option<i64> {
    let group = format!("connect-{topic}");
    let said: Vec<Value> =
        stack.kafka().unwrap().tool().run(&["group-offsets", &group], &[]).unwrap();
    said.first()?["offset"].as_i64()
}
