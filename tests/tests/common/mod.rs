//! What the end-to-end tests share: connectors of the shipped files, registered on a stack.

// Each test file uses its own part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::time::Duration;

use alluvium_tests::{ConnectRest, Connector, Stack, say};
use serde_json::{Value, json};

pub const SOURCE: &str = "connector-config/register-orders-connector.json";
pub const SINK: &str = "connector-config/orders-lake-sink.json";
pub const LIMIT: Duration = Duration::from_secs(90);
pub const TABLE: &str = "s3://lake/cdc";
pub const TOPIC: &str = "orders_cdc";

/// The shipped sink, which tests make quicker.
pub fn sink(stack: &Stack) -> Connector {
    let shipped = Connector::shipped(&stack.clone_path(SINK)).unwrap();
    shipped.with("commit.interval.ms", "1000")
}

pub fn register(stack: &Stack, connector: &Connector, tasks: usize) {
    let rest = stack.rest().unwrap();
    rest.put_config(&connector.name, &connector.config()).unwrap();
    rest.wait_running(&connector.name, tasks, LIMIT).unwrap();
}

pub fn register_source(stack: &Stack) {
    let source = Connector::shipped(&stack.clone_path(SOURCE)).unwrap();
    register(stack, &source, 1);
    snapshot_is_there(stack, TOPIC, 4);
}

/// What is changed before the source has taken its snapshot is in the snapshot, and no event: a
/// test that counts events waits for the snapshot first.
pub fn snapshot_is_there(stack: &Stack, topic: &str, rows: usize) {
    stack.kafka().unwrap().tool().wait_for(topic, rows, 90).unwrap();
}

/// A worker that starts an exactly-once source asks the leader to fence the task's last life.
/// Connect fails the task for good when the leader is the one that was just killed.
pub const DEAD_LEADER: &str = "fenceZombieSourceTasks";

/// Restarts the source if it has failed for one of these reasons of Connect's own, which it leaves
/// to a person; any other failure is one of the test. Gives whether it had.
pub fn revive_source(rest: &ConnectRest, reasons: &[&str]) -> bool {
    let name = "inventory-orders";
    let status = rest.status(name).unwrap();
    let task = &status["tasks"][0];
    if task["state"] != "FAILED" {
        return false;
    }
    let trace = task["trace"].as_str().unwrap_or_default();
    let known = reasons.iter().any(|reason| trace.contains(reason));
    assert!(known, "the source has failed: {trace}");
    say(format!("restarting the source: {}", trace.lines().next().unwrap_or_default()));
    rest.restart(name).unwrap();
    true
}

/// Debezium change events of rows `ids` as records for a topic, spread over its partitions by id.
pub fn events(topic: &str, partitions: i64, ids: std::ops::Range<i64>) -> Vec<Value> {
    let record = |id: i64| {
        let ts_us = 1_767_225_600_000_000 + id * 60_000_000;
        let event = json!({
            "before": null,
            "after": {"id": id, "name": format!("row {id}"), "created_at": ts_us},
            "source": {
                "version": "3.6.1.Final", "connector": "mysql", "name": "shop", "ts_us": ts_us,
                "snapshot": "false", "db": "inventory", "table": "events", "server_id": 1,
                "file": "binlog.000001", "pos": id, "row": 0,
            },
            "op": "c", "ts_us": ts_us, "transaction": null,
        });
        json!({
            "topic": topic, "partition": id % partitions, "key": id.to_string(),
            "value": event.to_string(),
        })
    };
    ids.map(record).collect()
}

/// The shipped sink, for topics of such events.
pub fn sink_of(stack: &Stack, name: &str, topics: &str, folder: &str) -> Connector {
    sink(stack)
        .named(name)
        .with("topics", topics)
        .with("lake.url", &format!("s3://lake/{folder}"))
        .without("event.time")
}
