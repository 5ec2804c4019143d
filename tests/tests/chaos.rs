//! Two workers, one of which is killed again and again, each time at a chosen request to the store.
//!
//! In: RUNS (20 for `make chaos`; CI makes one of each phase). Out: what was killed where, and the
//! table against Kafka and MySQL. Never: a duplicate accepted, not for a moment.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;
mod killing;

use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Agreement, Load, Program, Proxy, Stack, Table, say};
use common::{SINK, SOURCE, TABLE, TOPIC, register, register_source, sink};
use killing::{Killer, PHASES};
use serde_json::Value;

const PARTITIONS: usize = 3;
const PAUSE: Duration = Duration::from_millis(150);
/// A worker's JVM starts in ten seconds, on two cores that it has to share.
const LIMIT: Duration = Duration::from_secs(180);
/// The first order of the load, behind those of the seed.
const FIRST_ORDER: u64 = 1_000;

#[test]
fn a_kill_in_each_phase_loses_and_doubles_nothing() {
    kill(PHASES.len());
}

#[test]
#[ignore = "takes six minutes: make chaos"]
fn kills_in_each_phase() {
    let runs = std::env::var("RUNS").unwrap_or_else(|_| "20".to_owned());
    kill(runs.parse().unwrap());
}

fn kill(runs: usize) {
    assert!(runs >= PHASES.len(), "fewer runs than phases prove nothing of some");
    let began = Instant::now();
    let proxy = Proxy::start().unwrap();
    let stack = Stack::builder()
        .seed()
        .alluvium()
        .workers(2)
        .worker_env("S3_ENDPOINT", &proxy.endpoint())
        .start()
        .unwrap();
    proxy.forward_to(&stack.s3().unwrap().endpoint()).unwrap();
    register_source(&stack);
    register(&stack, &sink(&stack), PARTITIONS);
    let load = Load::start(stack.mysql().unwrap(), FIRST_ORDER, PAUSE).unwrap();
    let table = Table::new(&stack, TABLE).unwrap();

    let mut killer = Killer::new(&stack, &proxy);
    killer.wait_progress();
    for run in 1..=runs {
        let phase = PHASES[(run - 1) % PHASES.len()];
        killer.run(run, phase);
        killer.wait_progress();
        if run % 5 == 0 {
            unharmed(run, &table);
        }
    }
    let changes = load.stop().unwrap();
    wait_quiet(&stack);
    let seen = table.wait_complete(&[TOPIC], LIMIT).unwrap();
    let state = table.against_mysql(TOPIC, "inventory.orders").unwrap();
    say(report(runs, &killer, changes, &seen, &state, began));
    assert_eq!((seen.duplicates, seen.missing, seen.unknown), (0, 0, 0), "{seen:?}");
    assert_eq!(seen.compared, seen.rows, "{seen:?}");
    assert!(seen.compared >= changes, "fewer rows than changes: {seen:?}");
    assert_eq!(state["wrong"], 0, "{state}");
    assert!(state["compared"].as_u64().unwrap() > 0, "{state}");
    Program::verify(&stack, &sink(&stack)).unwrap();
    for phase in PHASES {
        assert!(killer.kills(phase) > 0, "no kill {phase}");
    }
    no_task_has_failed(&stack);
}

/// Rows may still be on their way; none may be there twice, or be of no record.
fn unharmed(run: usize, table: &Table) {
    let seen = table.against_kafka(&[TOPIC]).unwrap();
    say(format!("after run {run}: {}", seen.to_json()));
    assert_eq!((seen.duplicates, seen.unknown), (0, 0), "after run {run}: {seen:?}");
    assert!(seen.compared > 0, "after run {run}: {seen:?}");
}

/// Waits until MySQL's last change is in Kafka: until its offsets have not moved for a while.
fn wait_quiet(stack: &Stack) {
    let tool = stack.kafka().unwrap().tool();
    let began = Instant::now();
    let mut before = Vec::new();
    loop {
        let now = tool.run(&["offsets", TOPIC], &[]).unwrap();
        if now == before {
            return;
        }
        assert!(began.elapsed() < LIMIT, "the source does not come to rest");
        before = now;
        sleep(Duration::from_secs(6));
    }
}

fn no_task_has_failed(stack: &Stack) {
    for file in [SOURCE, SINK] {
        let connector = alluvium_tests::Connector::shipped(&stack.clone_path(file)).unwrap();
        stack.rest().unwrap().wait_running(&connector.name, 1, LIMIT).unwrap();
    }
}

fn report(
    runs: usize,
    killer: &Killer<'_>,
    changes: u64,
    seen: &Agreement,
    state: &Value,
    began: Instant,
) -> String {
    let kills: Vec<_> =
        PHASES.iter().map(|phase| format!("{phase} {}", killer.kills(*phase))).collect();
    let lines = [
        ("runs", runs.to_string()),
        ("kills", kills.join(", ")),
        ("changes in MySQL", changes.to_string()),
        ("records in Kafka", seen.records.to_string()),
        ("rows visible", seen.rows.to_string()),
        ("files visible", seen.files.to_string()),
        ("compared", seen.compared.to_string()),
        ("duplicates", seen.duplicates.to_string()),
        ("missing", seen.missing.to_string()),
        ("MySQL rows compared", state["compared"].to_string()),
        ("MySQL rows wrong", state["wrong"].to_string()),
        ("seconds", began.elapsed().as_secs().to_string()),
    ];
    let rows: Vec<_> = lines.iter().map(|(name, value)| format!("| {name} | {value} |")).collect();
    format!("\n| {TABLE} | |\n| --- | --- |\n{}\n", rows.join("\n"))
}
