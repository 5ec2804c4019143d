//! The main job, as a user sets it up: MySQL to Parquet on S3 and in a folder, through the plugin
//! zip and the connectors' own JSON files.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use alluvium_tests::{Stack, Table};
use serde_json::{Value, json};

const SOURCE: &str = "connector-config/register-orders-connector.json";
const SINK: &str = "connector-config/orders-lake-sink.json";
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn orders_go_from_mysql_to_the_lake_with_the_shipped_files() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    let rest = stack.rest().unwrap();
    rest.post_file(&stack.clone_path(SOURCE)).unwrap();
    rest.post_file(&stack.clone_path(SINK)).unwrap();
    rest.wait_running("orders-lake", 3, LIMIT).unwrap();
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
    stack.kafka().unwrap().tool().wait_for("orders_cdc", 10, 60).unwrap();

    let table = Table::new(&stack, "s3://lake/cdc").unwrap();
    let seen = table.wait_complete(&["orders_cdc"], Duration::from_secs(90)).unwrap();
    println!("orders on S3: {}", seen.to_json());
    assert_eq!((seen.records, seen.rows, seen.compared), (10, 9, 9));
    let state = table.against_mysql("orders_cdc", "inventory.orders").unwrap();
    println!("orders against MySQL: {state}");
    assert_eq!((&state["compared"], &state["wrong"]), (&json!(6), &json!(0)), "{state}");
    let types = &state["types"];
    assert_eq!(types["price"], "Decimal", "{types}");
    assert_eq!(types["created_at"], "datetime", "{types}");
    let ops = table.query("SELECT _op, count(*) AS n FROM lake GROUP BY 1 ORDER BY 1").unwrap();
    let expected = json!([{"_op":"c","n":3},{"_op":"d","n":1},{"_op":"r","n":4},{"_op":"u","n":1}]);
    assert_eq!(Value::Array(ops), expected);
}
