//! `alluvium log`, `files`, `gc` and `forget` on tables that the core laid down.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use alluvium_core::log::LogRecord;
use common::{Table, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn table() -> Table {
    let mut table = Table::new();
    table.insert(0, 25);
    table.insert(1, 7);
    table.lay_down(&[0, 1], 10);
    table
}

#[test]
fn the_list_of_logs_says_where_each_stands() {
    let table = table();
    let logs = table.alluvium(&["log", "--json"]).json();
    let stands: Vec<_> = logs
        .iter()
        .map(|log| (log["partition"].as_i64().unwrap(), log["next_offset"].as_i64().unwrap()))
        .collect();
    assert_eq!(stands, [(0, 25), (1, 7)]);
    assert!(logs.iter().all(|log| log["topic"] == "orders" && log["unsettled"] == 0));
    let text = table.alluvium(&["log"]).out;
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().nth(1).unwrap().starts_with("orders "), "{text}");
}

#[test]
fn a_log_is_printed_oldest_first_or_newest_first() {
    let table = table();
    let partition = ["--topic", "orders", "--partition", "0"];
    let records = |more: &[&str]| -> Vec<LogRecord> {
        let said = table.alluvium(&[&["log", "--json"], &partition[..], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let parse = |line: &str| LogRecord::from_bytes("a line", line.as_bytes()).unwrap();
        said.out.lines().map(parse).collect()
    };
    let mut oldest_first = records(&[]);
    assert!(oldest_first.len() > 3);
    assert!(oldest_first.iter().zip(1..).all(|(record, seq)| record.seq == seq));
    assert_eq!(oldest_first.last().unwrap().next_offset, Some(25));
    oldest_first.reverse();
    assert_eq!(records(&["--reverse"]), oldest_first);
    let said = table.alluvium(&[&["log", "--files"], &partition[..]].concat());
    assert!(said.out.starts_with("orders 0 of sink orders-lake, generation 1: head "), "{said:?}");
    let commit = table.first_commit();
    for part in [" commit ", " 0..", &*commit.files[0].key] {
        assert!(said.out.contains(part), "{part} in {}", said.out);
    }
}

#[test]
fn the_settled_files_are_listed_and_no_others() {
    let table = table();
    let there: BTreeSet<PathBuf> = table.files().into_iter().collect();
    let keys = table.alluvium(&["files", "--keys"]).out;
    let listed: BTreeSet<PathBuf> = keys.lines().map(|key| Path::new("/").join(key)).collect();
    assert_eq!(listed, there);
    let urls = table.alluvium(&["files"]).out;
    let first = urls.lines().next().unwrap();
    assert!(there.contains(Path::new(first.strip_prefix("file://").unwrap())), "{first}");
    let objects = table.alluvium(&["files", "--json"]).json();
    let rows: u64 = objects.iter().map(|file| file["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 25 + 7);
    // The head says that a commit is not settled: its files are in no snapshot.
    let commit = table.first_commit();
    let seq = (1..).find(|seq| !table.record_file(seq + 1).exists()).unwrap();
    let mut head = table.record(seq);
    head.unsettled = vec![commit.link()];
    table.replace(&head);
    let keys = table.alluvium(&["files", "--keys"]).out;
    let listed: BTreeSet<&str> = keys.lines().collect();
    assert!(commit.files.iter().all(|file| !listed.contains(&*file.key)));
    assert_eq!(listed.len(), there.len() - commit.files.len());
}

#[test]
fn what_is_asked_for_and_not_there_is_a_mistake() {
    let table = table();
    let said = table.alluvium(&["files", "--topic", "order"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("orders 0 of sink orders-lake"), "{}", said.err);
    assert_eq!(table.alluvium(&["log", "--topic", "orders", "--generation", "2"]).code, 2);
    assert_eq!(table.alluvium(&["--sink-id", "other", "log"]).code, 2);
    assert_eq!(table.alluvium(&["log", "--sink-id", "orders-lake"]).code, 0);
}

#[test]
fn the_posted_json_is_enough() {
    let table = table();
    let file = table.path("connector.json");
    let json = r#"{"name": "orders-lake", "config": {"lake.url": "${env:PWD_OF_LAKE}"}}"#;
    fs::write(&file, json).unwrap();
    let said = run(&["--config", file.to_str().unwrap(), "log"], "");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("PWD_OF_LAKE"), "{}", said.err);
    fs::write(&file, json.replace("${env:PWD_OF_LAKE}", &table.url())).unwrap();
    let said = run(&["--config", file.to_str().unwrap(), "verify"], "");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
}

#[test]
fn old_staged_files_go_unless_a_record_names_them() {
    let table = table();
    let staging = table.path("lake.alluvium/staging");
    let stage = |id: &str, days: u64| {
        let file = staging.join(format!("{id}.tmp"));
        fs::write(&file, "some bytes").unwrap();
        let then = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
        fs::File::options().write(true).open(&file).unwrap().set_modified(then).unwrap();
        file
    };
    let left = stage(&"a".repeat(32), 8);
    let young = stage(&"b".repeat(32), 6);
    let named = stage(&table.first_commit().files[0].upload_id, 30);
    let foreign = stage("something else", 30);
    let said = table.alluvium(&["gc", "--dry-run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("would remove") && said.out.contains("8 days old"), "{}", said.out);
    assert!(said.out.contains("keeping") && said.out.contains("named in record"), "{}", said.out);
    assert!([&left, &young, &named, &foreign].iter().all(|file| file.exists()));
    let said = table.alluvium(&["gc"]);
    assert!(said.out.contains("1 of 2 old staged files removed"), "{}", said.out);
    assert!(!left.exists());
    assert!([&young, &named, &foreign].iter().all(|file| file.exists()));
    assert_eq!(table.verify(&[]).0, 0);
}

#[test]
fn a_log_that_is_broken_keeps_every_staged_file() {
    let table = table();
    let left = table.path("lake.alluvium/staging").join(format!("{}.tmp", "a".repeat(32)));
    fs::write(&left, "").unwrap();
    let then = SystemTime::now() - Duration::from_secs(30 * 86_400);
    fs::File::options().write(true).open(&left).unwrap().set_modified(then).unwrap();
    fs::remove_file(table.record_file(2)).unwrap();
    assert_eq!(table.alluvium(&["gc"]).code, 3);
    assert!(left.exists());
}

#[test]
fn a_topic_that_is_forgotten_goes_on_in_its_next_generation() {
    let mut table = table();
    let before = table.files();
    let said = table.alluvium(&["forget", "--topic", "orders"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--yes"), "{}", said.err);
    assert_eq!(table.alluvium(&["forget", "--topic", "other", "--yes"]).code, 2);
    let other = table.alluvium(&["--sink-id", "other", "forget", "--topic", "orders", "--yes"]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.err.contains("orders-lake"), "{}", other.err);

    let said = table.alluvium(&["forget", "--topic", "orders", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("closed orders 0 at offset 25"), "{}", said.out);
    assert!(said.out.contains("generation 2 begins"), "{}", said.out);
    assert_eq!(table.files(), before, "files stay");

    // The group's offsets stand: nothing is laid down twice.
    table.insert(0, 4);
    table.lay_down(&[0, 1], 10);
    let (code, lines, last) = table.verify(&[]);
    assert_eq!((code, lines.len()), (0, 0), "{lines:?}");
    assert_eq!(last["summary"]["rows"], 25 + 7 + 4);
    let newest = table.alluvium(&["files", "--json", "--generation", "newest"]).json();
    assert_eq!(newest.iter().map(|file| file["rows"].as_u64().unwrap()).sum::<u64>(), 4);

    // Without them everything that Kafka has is laid down again, beside what was there.
    assert_eq!(table.alluvium(&["forget", "--topic", "orders", "--yes"]).code, 0);
    table.group.clear();
    table.lay_down(&[0, 1], 10);
    let (code, lines, last) = table.verify(&[]);
    assert_eq!(code, 0, "{lines:?}");
    assert_eq!(last["summary"]["rows"], 2 * (25 + 7 + 4));
    let notes: Vec<&str> = lines.iter().filter_map(|line| line["note"].as_str()).collect();
    assert!(notes.iter().any(|note| note.contains("generations 1 and 3 both hold")), "{notes:?}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let table = table();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_alluvium"))
        .args(["--url", &table.url(), "log", "--topic", "orders", "--reverse"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
