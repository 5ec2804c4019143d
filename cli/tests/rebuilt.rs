//! A log in which commits were laid down anew (`lost.upload=rebuild`): their files never became
//! visible, and later records cover their offsets.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use alluvium_core::log::{LogRecord, RecordKind};
use common::Table;
use std::fs;
use std::path::Path;

#[test]
fn commits_that_were_laid_down_anew_count_once() {
    let mut table = Table::new();
    table.insert(0, 10);
    table.lay_down(&[0], 10);
    table.insert(0, 5);
    table.lay_down(&[0], 10);
    let log = (1..).take_while(|seq| table.record_file(*seq).exists()).map(|seq| table.record(seq));
    let log: Vec<LogRecord> = log.collect();
    let lost = log.iter().rfind(|record| !record.files.is_empty()).unwrap().clone();
    assert_eq!((lost.start_offset, lost.next_offset), (Some(10), Some(15)));
    let head = log.last().unwrap().clone();
    for file in &lost.files {
        fs::remove_file(Path::new("/").join(&file.key)).unwrap();
    }
    table.replace(&LogRecord {
        kind: RecordKind::Rebuild,
        seq: head.seq + 1,
        prev: Some(head.link()),
        start_offset: head.next_offset,
        next_offset: lost.start_offset,
        records: 0,
        rows: 0,
        files: Vec::new(),
        unsettled: Vec::new(),
        ..head
    });
    let (code, findings, last) = table.verify(&[]);
    assert_eq!((code, &last["summary"]["rows"]), (0, &10.into()), "read again: {findings:?}");

    table.insert(0, 5);
    table.lay_down(&[0], 10);
    let (code, findings, last) = table.verify(&[]);
    assert_eq!((code, &last["findings"]), (0, &0.into()), "{findings:?}");
    let numbers = (&last["summary"]["rows"], &last["summary"]["offsets"]);
    assert_eq!(numbers, (&20.into(), &20.into()), "{last}");
    let said = table.alluvium(&["files", "--keys"]);
    let listed: Vec<&str> = said.out.lines().collect();
    assert_eq!(listed.len(), table.files().len(), "{said:?}");
    assert!(lost.files.iter().all(|file| !listed.contains(&file.key.as_str())), "{said:?}");
}
