//! What the end-to-end tests share: connectors of the shipped files, registered on a stack.

// Each test file uses its own part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::time::Duration;

use alluvium_tests::{Connector, Stack};

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
}
