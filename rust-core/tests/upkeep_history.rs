//! Reading a log back to its first record: live keys, blocks of the archive, and what is wrong
//! with either.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by failing")]

mod upkeep_log;

use alluvium_core::commit::{Head, LogAccess};
use alluvium_core::error::{Error, Kind};
use alluvium_core::log::{BlockWriter, LogRecord};
use alluvium_core::upkeep::history;
use alluvium_testkit::{Fault, FaultyStore, MemoryStore, Op};
use std::sync::Arc;
use upkeep_log::TestLog;
use uuid::Uuid;

fn log(records: u64) -> (MemoryStore, LogAccess, Vec<LogRecord>) {
    let mut log = TestLog::small();
    log.grow_to(records);
    (log.memory, log.access, log.all)
}

/// Moves records into blocks, as upkeep does, up to and without `until`.
fn archive(memory: &MemoryStore, log: &LogAccess, until: u64) {
    for block in 0..log.keys.blocks().of(until) {
        let mut writer = BlockWriter::new().unwrap();
        for seq in log.keys.blocks().records(block) {
            let key = log.keys.record(seq);
            writer.append(&memory.object(&key).unwrap()).unwrap();
            memory.remove(&key);
        }
        memory.overwrite(&log.keys.archive(block), writer.finish().unwrap());
    }
}

async fn read(log: &LogAccess) -> Result<Vec<LogRecord>, Error> {
    let (mut history, mut found) = (history(log).await?, Vec::new());
    while let Some(record) = history.next().await? {
        found.insert(0, record);
    }
    Ok(found)
}

#[tokio::test]
async fn live_records_come_newest_first_and_an_empty_log_has_none() {
    let (_, log, all) = log(9);
    let mut history = history(&log).await.unwrap();
    assert_eq!(history.next().await.unwrap().unwrap(), all[8]);
    assert_eq!(history.next().await.unwrap().unwrap(), all[7]);
    assert_eq!(read(&log).await.unwrap(), all);
    let (_, empty, _) = self::log(0);
    assert!(read(&empty).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_archive_goes_on_where_live_keys_end() {
    let (memory, log, all) = log(19);
    archive(&memory, &log, 12);
    assert_eq!(memory.keys().len(), 8 + 3);
    let counting = FaultyStore::new(Arc::new(memory.clone()));
    let counted = LogAccess { store: Arc::new(counting.clone()), ..log.clone() };
    assert_eq!(read(&counted).await.unwrap(), all);
    // The 8 live ones, one behind each end, 3 blocks.
    assert_eq!((counting.count(Op::Get), counting.count(Op::List)), (8 + 2 + 3, 1));
    // A record that landed late on a key whose own was archived is not part of the log.
    memory.overwrite(&log.keys.record(11), all[10].to_bytes().map(other_nonce).unwrap());
    memory.overwrite(&log.keys.record(2), "no record at all");
    assert_eq!(read(&log).await.unwrap(), all);
}

#[tokio::test]
async fn the_head_is_found_behind_keys_of_somebody_else() {
    let (memory, log, all) = log(9);
    for n in 0..20 {
        memory.overwrite(&format!("{}!somebody's {n}", log.keys.prefix()), "x");
    }
    assert_eq!(log.head().await.unwrap(), Head::At(9));
    assert_eq!(read(&log).await.unwrap(), all);
}

fn other_nonce(bytes: Vec<u8>) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    value["nonce"] = serde_json::json!(Uuid::new_v4());
    value.to_string().into_bytes()
}

#[tokio::test]
async fn what_is_wrong_is_named_by_key_and_seq() {
    let check =
        async |harm: &dyn Fn(&MemoryStore, &LogAccess, &[LogRecord]), seq: u64, at: &str| {
            let (memory, log, all) = log(19);
            archive(&memory, &log, 12);
            harm(&memory, &log, &all);
            let error = read(&log).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Log);
            assert_eq!(error.context("seq"), Some(&*seq.to_string()), "{error}");
            assert!(error.context("key").unwrap().ends_with(at), "{error}");
            assert!(!error.is_temporary());
        };
    let live = |seq: u64| format!("{:020}.json", u64::MAX - seq);
    let block = |block: u64| format!("archive/{block:012}.json.zst");
    check(&|m, l, _| m.remove(&l.keys.record(15)), 15, &live(15)).await;
    check(&|m, l, _| m.overwrite(&l.keys.record(15), "{}"), 15, &live(15)).await;
    check(&|m, l, _| m.overwrite(&l.keys.record(19), "{}"), 19, &live(19)).await;
    let replaced = |m: &MemoryStore, l: &LogAccess, all: &[LogRecord]| {
        m.overwrite(&l.keys.record(15), other_nonce(all[14].to_bytes().unwrap()));
    };
    check(&replaced, 15, &live(15)).await;
    check(&|m, l, _| m.remove(&l.keys.archive(1)), 7, &live(7)).await;
    check(&|m, l, _| m.overwrite(&l.keys.archive(1), "torn"), 7, &block(1)).await;
    let empty = |m: &MemoryStore, l: &LogAccess, _: &[LogRecord]| {
        m.overwrite(&l.keys.archive(1), BlockWriter::new().unwrap().finish().unwrap());
    };
    check(&empty, 7, &block(1)).await;
    let cut_off = |m: &MemoryStore, l: &LogAccess, all: &[LogRecord]| {
        let unlinked = LogRecord { prev: None, ..all[14].clone() };
        m.overwrite(&l.keys.record(15), unlinked.to_bytes().unwrap());
    };
    check(&cut_off, 15, &live(15)).await;
    let foreign = |m: &MemoryStore, l: &LogAccess, all: &[LogRecord]| {
        let foreign = LogRecord { log_id: Uuid::new_v4(), ..all[14].clone() };
        m.overwrite(&l.keys.record(15), foreign.to_bytes().unwrap());
    };
    check(&foreign, 15, &live(15)).await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_is_asked_again() {
    let (memory, mut log, all) = log(19);
    archive(&memory, &log, 12);
    let faulty = FaultyStore::new(Arc::new(memory));
    log.store = Arc::new(faulty.clone());
    let mut history = history(&log).await.unwrap();
    let mut found = Vec::new();
    for seq in (1..=19).rev() {
        faulty.next(Op::Get, Fault::FailBefore);
        let record = match history.next().await {
            Err(error) if error.is_temporary() => history.next().await.unwrap(),
            other => other.unwrap(),
        };
        assert_eq!(record.as_ref().unwrap().seq, seq);
        found.extend(record);
        faulty.heal();
    }
    found.reverse();
    assert_eq!(found, all);
    assert!(history.next().await.unwrap().is_none());
}
