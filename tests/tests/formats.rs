//! JSON and CSV: the goldens read by foreign readers, and the shipped export of `transactions` on
//! the real stack, with a worker killed while rows are on their way.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{
    Connector, Parts, Server as _, Stack, TRANSACTIONS_CSV_SINK, TRANSACTIONS_SINK,
    TRANSACTIONS_SOURCE, TRANSACTIONS_TYPES, Table, say,
};
use common::{LIMIT, register, snapshot_is_there};
use serde_json::{Value, json};

const TOPIC: &str = "bank.inventory.transactions";
/// Rows of the snapshot.
const SEEDED: u64 = 3;

/// Every kind of value, as `rust-core/tests/encode/text.rs` writes it, against values by hand.
#[test]
fn duckdb_and_pyarrow_read_the_goldens_as_what_was_written() {
    let parts = Parts::find().unwrap();
    let folder = parts.root().join("tests/golden");
    let script = parts.root().join("tests/readback/golden.py");
    let output = Command::new(parts.python().unwrap()).arg(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let compared: Value = serde_json::from_slice(&output.stdout).unwrap();
    say(format!("values compared: {compared}"));
    let numbers: Vec<u64> =
        compared.as_object().unwrap().values().filter_map(Value::as_u64).collect();
    // Both readers, two files of JSON and three of CSV: 8 rows of 34 columns, 2 of 2.
    assert_eq!(numbers.len(), 10, "{compared}");
    assert_eq!(numbers.iter().sum::<u64>(), 6 * 8 * 34 + 4 * 2 * 2, "{compared}");
}

#[test]
fn transactions_are_exported_once_each_though_a_worker_is_killed() {
    let stack = Stack::builder().seed().alluvium().start().unwrap();
    let source = Connector::shipped(&stack.clone_path(TRANSACTIONS_SOURCE)).unwrap();
    register(&stack, &source, 1);
    let files = [TRANSACTIONS_SINK, TRANSACTIONS_CSV_SINK];
    let sinks = files.map(|file| Connector::shipped(&stack.clone_path(file)).unwrap());
    let tables = sinks.map(|sink| {
        register(&stack, &sink.clone().with("commit.interval.ms", "1000"), 1);
        let url = sink.config()["lake.url"].as_str().unwrap().to_owned();
        Table::new(&stack, &url).unwrap().with_types(TRANSACTIONS_TYPES)
    });
    snapshot_is_there(&stack, TOPIC, SEEDED as usize);
    let mut changes = transact(&stack, 1_000);
    wait_rows(&tables, 1);

    // Into the next cut of one, or behind it; the other task is wherever it is.
    changes += transact(&stack, 2_000);
    sleep(Duration::from_millis(400));
    let worker = stack.worker(0).unwrap();
    worker.process().kill9();
    let before = tables.each_ref().map(|table| table.against_kafka(&[TOPIC]).unwrap());
    changes += transact(&stack, 3_000);
    worker.process().start_again().unwrap();
    worker.wait_ready().unwrap();
    changes += transact(&stack, 4_000);

    let old = ["to_json(_before)", "_before::JSON"];
    let names = files.into_iter().zip(old);
    for ((table, before), (file, old)) in tables.iter().zip(before).zip(names) {
        wait_rows(std::slice::from_ref(table), SEEDED + changes);
        let seen = table.wait_complete(&[TOPIC], LIMIT).unwrap();
        say(format!("{file}: {} at the kill, then {}", before.to_json(), seen.to_json()));
        assert!(before.rows > 0 && before.rows < seen.rows, "{before:?} {seen:?}");
        assert_eq!(seen.rows, SEEDED + changes, "{seen:?}");
        assert_eq!(seen.rows, seen.records - seen.tombstones, "{seen:?}");
        let state = table.against_mysql(TOPIC, "inventory.transactions").unwrap();
        assert_eq!(state["wrong"], 0, "{state}");
        assert_eq!(state["types"]["amount"], "Decimal", "{state}");
        assert!(state["compared"].as_u64().unwrap() > 20, "{state}");
        let ops = table.query("SELECT _op, count(*) AS n FROM lake GROUP BY 1 ORDER BY 1").unwrap();
        let expected = json!([
            {"_op": "c", "n": 40}, {"_op": "d", "n": 8}, {"_op": "r", "n": 3}, {"_op": "u", "n": 20}
        ]);
        assert_eq!(Value::Array(ops), expected);
        // The state before each update and delete is the one that the change before it left.
        let unlike = format!(
            "WITH changes AS (SELECT *, lag(amount) OVER (PARTITION BY id ORDER BY _offset) AS last
               FROM lake)
             SELECT count(*) FILTER (_op IN ('u', 'd')) AS changed,
               count(*) FILTER (_op IN ('u', 'd')
                 AND ({old}->>'amount')::DECIMAL(18,2) IS DISTINCT FROM last) AS wrong,
               count(*) FILTER (_op IN ('c', 'r') AND _before IS NOT NULL) AS too_many
             FROM changes"
        );
        let unlike = table.query(&unlike).unwrap();
        assert_eq!(json!(unlike), json!([{"changed": 28, "wrong": 0, "too_many": 0}]));
    }
}

/// Ten inserts, five updates, two deletes; gives how many changes that are.
fn transact(stack: &Stack, first: u64) -> u64 {
    let mut sql = String::new();
    for id in first..first + 10 {
        sql.push_str(&format!(
            "INSERT INTO inventory.transactions (id, name, amount) VALUES
               ({id}, 'Zoë, \"{id}\"', 9999999999990000.01 + {id});"
        ));
    }
    for id in first..first + 5 {
        sql.push_str(&format!(
            "UPDATE inventory.transactions SET amount = -amount, name = '' WHERE id = {id};"
        ));
    }
    for id in [first, first + 9] {
        sql.push_str(&format!("DELETE FROM inventory.transactions WHERE id = {id};"));
    }
    stack.mysql().unwrap().execute(&sql).unwrap();
    17
}

fn wait_rows(tables: &[Table], rows: u64) {
    let began = Instant::now();
    for table in tables {
        while table.against_kafka(&[TOPIC]).unwrap().rows < rows {
            assert!(began.elapsed() < LIMIT, "a table has no {rows} rows");
            sleep(Duration::from_millis(300));
        }
    }
}
