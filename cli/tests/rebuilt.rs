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
    let lost = table.first_commit();
    let head = (lost.seq..).take_while(|seq| table.record_file(*seq).exists()).last().unwrap();
    let head = table.record(head);
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
    let (code, findings, _) = table.verify(&[]);
    assert_eq!(code, 0, "nothing is missing while its records are read again: {findings:?}");

    table.insert(0, 5);
    table.lay_down(&[0], 10);
    let (code, findings, last) = table.verify(&[]);
    assert_eq!((code, &last["findings"]), (0, &0.into()), "{findings:?}");
    let numbers = (&last["summary"]["rows"], &last["summary"]["offsets"]);
    assert_eq!(numbers, (&15.into(), &15.into()), "{last}");
    let said = table.alluvium(&["files", "--keys"]);
    let listed: Vec<&str> = said.out.lines().collect();
    assert_eq!(listed.len(), table.files().len(), "{said:?}");
    assert!(lost.files.iter().all(|file| !listed.contains(&file.key.as_str())), "{said:?}");
}
