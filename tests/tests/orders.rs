//! The main job, as a user sets it up: MySQL to Parquet on S3 and in a folder, through the plugin
//! zip and the connectors' own JSON files.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use alluvium_tests::{Connector, Program, Stack, Table};
use common::{LIMIT, SINK, SOURCE, TABLE, TOPIC, register, sink, snapshot_is_there};
use serde_json::{Value, json};

#[test]
fn orders_go_from_mysql_to_the_lake_with_the_shipped_files() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    let rest = stack.rest().unwrap();
    rest.post_file(&stack.clone_path(SOURCE)).unwrap();
    rest.post_file(&stack.clone_path(SINK)).unwrap();
    rest.wait_running("orders-lake", 3, LIMIT).unwrap();
    let folder = format!("file://{}/table", stack.folder().display());
    let local = sink(&stack).named("orders-local").with("lake.url", &folder);
    register(&stack, &local, 3);
    snapshot_is_there(&stack, TOPIC, 4);
    let mysql = stack.mysql().unwrap();
    mysql
        .execute(
            "INSERT INTO inventory.orders (id, customer_id, product, price) VALUES
               (10, 1, 'Tea', 2.50), (11, 2, 'Ångström ruler 📏', 99999999.99), (12, 3, '', 0);
             UPDATE inventory.orders SET status = 'paid', note = 'a \"quoted\" note' WHERE id = 10;
             DELETE FROM inventory.orders WHERE id = 12;",
        )
        .unwrap();
    // 4 of the snapshot, 3 inserts, 1 update, 1 delete, 1 tombstone.
    stack.kafka().unwrap().tool().wait_for(TOPIC, 10, 60).unwrap();

    for (url, sink) in [(TABLE, &sink(&stack)), (folder.as_str(), &local)] {
        let table = Table::new(&stack, url).unwrap();
        let seen = table.wait_complete(&[TOPIC], LIMIT).unwrap();
        println!("orders in {url}: {}", seen.to_json());
        assert_eq!((seen.records, seen.rows, seen.compared), (10, 9, 9));
        let state = table.against_mysql(TOPIC, "inventory.orders").unwrap();
        println!("orders against MySQL: {state}");
        assert_eq!((&state["compared"], &state["wrong"]), (&json!(6), &json!(0)), "{state}");
        let types = &state["types"];
        assert_eq!(types["price"], "Decimal", "{types}");
        assert_eq!(types["created_at"], "datetime", "{types}");
        let ops = table.query("SELECT _op, count(*) AS n FROM lake GROUP BY 1 ORDER BY 1").unwrap();
        let expected =
            json!([{"_op":"c","n":3},{"_op":"d","n":1},{"_op":"r","n":4},{"_op":"u","n":1}]);
        assert_eq!(Value::Array(ops), expected);
        let verified = Program::verify(&stack, sink).unwrap();
        assert_eq!(
            (&verified["summary"]["rows"], &verified["summary"]["kafka"]),
            (&json!(9), &json!(10))
        );
    }
}

#[test]
fn transactions_go_to_a_folder_typed_as_in_mysql() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    let source = stack.clone_path("connector-config/register-transactions-connector.json");
    register(&stack, &Connector::shipped(&source).unwrap(), 1);
    let topic = "bank.inventory.transactions";
    let folder = format!("file://{}/bank", stack.folder().display());
    let sink = sink(&stack)
        .named("bank-lake")
        .with("topics", topic)
        .with("lake.url", &folder)
        .with("event.time", "after.timestamp");
    register(&stack, &sink, 1);
    snapshot_is_there(&stack, topic, 3);
    stack
        .mysql()
        .unwrap()
        .execute(
            "INSERT INTO inventory.transactions (id, name, amount) VALUES
               (20, 'Zoë', -9999999999999999.99), (21, 'nobody', 0.00);
             UPDATE inventory.transactions SET amount = 12.34 WHERE id = 1;
             DELETE FROM inventory.transactions WHERE id = 2;",
        )
        .unwrap();
    stack.kafka().unwrap().tool().wait_for(topic, 8, 60).unwrap();
    let table = Table::new(&stack, &folder).unwrap();
    let seen = table.wait_complete(&[topic], Duration::from_secs(60)).unwrap();
    println!("transactions: {}", seen.to_json());
    assert_eq!((seen.records, seen.rows), (8, 7));
    let state = table.against_mysql(topic, "inventory.transactions").unwrap();
    println!("transactions against MySQL: {state}");
    assert_eq!((&state["compared"], &state["wrong"]), (&json!(4), &json!(0)), "{state}");
    assert_eq!(state["types"]["amount"], "Decimal");
}
