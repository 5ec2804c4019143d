//! Records/s of one sink task in a real worker: from the first record taken to the last commit
//! published, by the worker's own log. Run it with the plugin of `make dist` (docs/performance.md).

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use alluvium_tests::{Stack, Table};
use common::{events, register, sink_of};

const RECORDS: i64 = 1_600_000;
const BATCH: i64 = 50_000;

#[test]
#[ignore = "a measurement: needs a release plugin and a quiet machine"]
fn records_a_second_in_the_worker() {
    let stack = Stack::builder().without_mysql().alluvium().optimising_jvms().start().unwrap();
    let tool = stack.kafka().unwrap().tool();
    tool.create_topic("speed", 1).unwrap();
    for from in (0..RECORDS).step_by(BATCH as usize) {
        tool.produce(&events("speed", 1, from..from + BATCH)).unwrap();
    }
    let sink = sink_of(&stack, "speed", "speed", "speed")
        .with("tasks.max", "1")
        .with("partition.path", "{topic}/{partition}")
        .with("commit.interval.ms", "1000")
        .with("consumer.override.max.poll.records", "5000")
        .with("consumer.override.max.partition.fetch.bytes", "16777216");
    let began = Instant::now();
    register(&stack, &sink, 1);
    let table = Table::new(&stack, "s3://lake/speed").unwrap();
    let process = stack.worker(0).unwrap();
    let last = format!("next={RECORDS}");
    while !process_log(process).contains(&last) {
        assert!(began.elapsed() < Duration::from_secs(120), "not within two minutes");
        std::thread::sleep(Duration::from_millis(100));
    }
    let took = seconds_between(&process_log(process), "first record taken", &last);
    println!(
        "{RECORDS} records without schema in {took:.1} s: {:.0} records/s",
        RECORDS as f64 / took
    );
    let seen = table.wait_complete(&["speed"], Duration::from_secs(120)).unwrap();
    assert_eq!(seen.rows, RECORDS as u64);
}

fn process_log(worker: &alluvium_tests::Worker) -> String {
    use alluvium_tests::Server as _;
    worker.process().log().text()
}

/// The log's lines begin with `HH:MM:SS.mmm`.
fn seconds_between(log: &str, from: &str, to: &str) -> f64 {
    let at = |text: &str| {
        let line = log.lines().find(|line| line.contains(text)).unwrap();
        let clock = line.split_whitespace().next().unwrap();
        let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
        parts[0] * 3_600.0 + parts[1] * 60.0 + parts[2]
    };
    at(to) - at(from)
}
