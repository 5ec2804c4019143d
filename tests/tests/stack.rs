//! The stack itself: it starts, MySQL's changes come out of Kafka, and nothing is left of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use alluvium_tests::{Server as _, Stack};
use serde_json::{Value, json};

const SOURCE: &str = "connector-config/register-orders-connector.json";
const TRANSACTIONS: &str = "connector-config/register-transactions-connector.json";
const RUNNING_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn the_store_answers_nobody_without_the_key() {
    let stack = Stack::builder().without_mysql().workers(0).start().unwrap();
    let address = stack.s3().unwrap().endpoint().replace("http://", "");
    let mut connection = TcpStream::connect(&address).unwrap();
    connection.write_all(b"GET /lake?list-type=2 HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.lines().next().unwrap().contains(" 403 "), "{answer}");
}

#[test]
fn the_tool_sees_what_the_broker_holds() {
    let stack = Stack::builder().without_mysql().without_s3().workers(0).start().unwrap();
    let tool = stack.kafka().unwrap().tool();
    tool.create_topic("t", 1).unwrap();
    tool.create_topic("t", 1).unwrap();
    assert!(tool.create_topic("t", 2).is_err());
    tool.add_partitions("t", 3).unwrap();
    let record = |value: &str| json!({"topic": "t", "partition": 2, "key": "k", "value": value});
    let mut odd = json!({"topic": "t", "partition": 2, "key_base64": "/w==", "value": null});
    odd["headers"] = json!([["h", "1"], ["none", null]]);
    tool.produce(&[record("a"), odd.clone()]).unwrap();
    let aborted = tool.produce_aborted("tx", &[record("b"), record("c")]).unwrap();
    assert_eq!(aborted[1]["offset"], 3);
    let offsets = tool.run(&["offsets", "t"], &[]).unwrap();
    assert_eq!(offsets[2], json!({"topic": "t", "partition": 2, "first": 0, "next": 5}));

    let committed = tool.dump("t").unwrap();
    assert_eq!(committed.len(), 2);
    for field in ["key_base64", "value", "headers"] {
        assert_eq!(committed[1][field], odd[field], "{field}");
    }
    let all = tool.run(&["dump", "t", "--isolation", "read_uncommitted"], &[]).unwrap();
    assert_eq!(all.iter().filter(|record| record["value"].is_string()).count(), 3);

    tool.run(&["delete-records", "t", "--partition", "2", "--before", "1"], &[]).unwrap();
    assert_eq!(tool.dump("t").unwrap()[0]["offset"], 1);
    assert!(tool.wait_for("t", 9, 2).is_err());
}

#[test]
fn changes_of_a_table_arrive_on_its_topic_and_nothing_is_left() {
    let stack = Stack::builder().seed().start().unwrap();
    let pids: Vec<u32> = stack.processes().map(|process| process.pid().unwrap()).collect();
    assert_eq!(pids.len(), 4);
    let folder = stack.folder().to_path_buf();

    let rest = stack.rest().unwrap();
    rest.post_file(&stack.clone_path(SOURCE)).unwrap();
    rest.wait_running("inventory-orders", 1, RUNNING_LIMIT).unwrap();
    let tool = stack.kafka().unwrap().tool();
    let snapshot = tool.wait_for("orders_cdc", 4, 60).unwrap();
    assert_eq!(ops(&snapshot), ["r", "r", "r", "r"]);

    let mysql = stack.mysql().unwrap();
    mysql
        .execute(
            "INSERT INTO inventory.orders (id, customer_id, product, price) VALUES (7, 1, 'Tea', 2);
             UPDATE inventory.orders SET status = 'paid' WHERE id = 7;
             DELETE FROM inventory.orders WHERE id = 7;",
        )
        .unwrap();
    let records = tool.wait_for("orders_cdc", 8, 60).unwrap();
    let of_new_row: Vec<&Value> =
        records.iter().filter(|record| payload(&record["key"])["id"] == 7).collect();
    assert_eq!(ops(of_new_row.iter().copied()), ["c", "u", "d", "tombstone"]);
    assert!(of_new_row.iter().all(|record| record["partition"] == of_new_row[0]["partition"]));

    drop(stack);
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} is left");
    }
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[test]
fn servers_come_back_with_their_data() {
    let stack = Stack::builder().seed().workers(2).start().unwrap();
    let rest = stack.rest().unwrap();
    rest.post_file(&stack.clone_path(TRANSACTIONS)).unwrap();
    rest.wait_running("inventory-transactions", 1, RUNNING_LIMIT).unwrap();
    let (mysql, kafka) = (stack.mysql().unwrap(), stack.kafka().unwrap());
    let topic = "bank.inventory.transactions";
    assert_eq!(ops(&kafka.tool().wait_for(topic, 3, 60).unwrap()), ["r", "r", "r"]);

    stack.workers().for_each(|worker| worker.process().kill9());
    assert!(stack.rest().is_err());
    mysql.process().sigstop();
    let address = ("127.0.0.1", mysql.port());
    let mut frozen = TcpStream::connect(address).unwrap();
    frozen.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(frozen.read(&mut [0]).is_err(), "a frozen server says nothing");
    mysql.process().sigcont();
    frozen.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(frozen.read(&mut [0]).unwrap(), 1, "one that goes on greets");

    mysql.restart().unwrap();
    kafka.restart().unwrap();
    stack.s3().unwrap().restart().unwrap();
    mysql.execute("INSERT INTO inventory.transactions (name, amount) VALUES ('Late', 1)").unwrap();
    stack.workers().try_for_each(|worker| worker.restart()).unwrap();
    let records = kafka.tool().wait_for(topic, 4, 60).unwrap();
    assert_eq!(records.iter().filter(|record| op(record) == "c").count(), 1);
    assert_eq!(records.len(), 4);
}

/// `op` of each record in the order of partition and offset.
fn ops<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    records.into_iter().map(op).collect()
}

fn op(record: &Value) -> String {
    payload(&record["value"])["op"].as_str().unwrap_or("tombstone").to_owned()
}

/// The payload of a JsonConverter text with a schema; null for anything else.
fn payload(text: &Value) -> Value {
    let parsed = text.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.map_or(Value::Null, |value| value["payload"].clone())
}
