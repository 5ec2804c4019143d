//! The archive of one log, run by run: what it writes and deletes, in which order, and that the
//! log can be read back to its first record whatever happens on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by failing")]

mod upkeep_log;

use alluvium_core::error::Kind;
use alluvium_core::log::{LogRecord, read_block};
use alluvium_core::upkeep::{Archived, archive};
use alluvium_testkit::faulty::Rates;
use alluvium_testkit::{Fault, FaultyStore, Op, Request};
use std::sync::Arc;
use std::time::Duration;
use upkeep_log::TestLog;
use uuid::Uuid;

fn faulty(log: &mut TestLog) -> FaultyStore {
    let faulty = FaultyStore::new(Arc::new(log.memory.clone()));
    log.access.store = Arc::new(faulty.clone());
    faulty
}

fn count(requests: &[Request], op: Op) -> usize {
    requests.iter().filter(|request| request.op == op).count()
}

#[tokio::test]
async fn blocks_of_64_wait_until_another_64_are_settled_above_them() {
    let mut log = TestLog::standard();
    log.grow_to(64);
    for (head, blocks, first_live) in [(64, 0, 1), (128, 1, 64), (192, 1, 128), (256, 1, 192)] {
        log.grow_to(head);
        let done = archive(&log.access, &log.state(&[head])).await.unwrap();
        assert_eq!(done.blocks, blocks, "at {head}");
        assert_eq!(log.live(), (first_live..=head).collect::<Vec<_>>(), "at {head}");
        assert_eq!(log.read().await.unwrap(), log.all);
    }
    let stored = log.memory.object(&log.access.keys.archive(0)).unwrap();
    assert_eq!(read_block("k", &stored).unwrap(), log.all[..63], "ascending, none missing");
}

#[tokio::test]
async fn what_the_record_calls_unsettled_and_a_blocks_length_below_stay() {
    for (unsettled, first_live) in [(40, 36), (39, 32), (8, 4), (7, 1), (1, 1)] {
        let mut log = TestLog::small();
        log.grow_to(40);
        archive(&log.access, &log.state(&[unsettled, 40])).await.unwrap();
        assert_eq!(log.live().first(), Some(&first_live), "unsettled {unsettled}");
        assert_eq!(log.read().await.unwrap(), log.all);
    }
}

#[tokio::test]
async fn bytes_are_kept_as_they_were_and_large_records_are_read_again() {
    let mut log = TestLog::small();
    log.padding = 300 << 10;
    log.grow_to(40);
    let stored: Vec<_> =
        (4..8).map(|s| log.memory.object(&log.access.keys.record(s)).unwrap()).collect();
    let store = faulty(&mut log);
    let done = archive(&log.access, &log.state(&[])).await.unwrap();
    assert_eq!(done, Archived { blocks: 9, deleted: 35 });
    let gets = count(&store.requests(), Op::Get);
    assert!(gets > 9 + 40 && gets < 9 + 80, "{gets}: only what did not fit was read twice");
    let block = log.memory.object(&log.access.keys.archive(1)).unwrap();
    let text = zstd::decode_all(&*block).unwrap();
    let lines: Vec<&[u8]> = text.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').collect();
    assert_eq!(lines, stored.iter().map(|b| &**b).collect::<Vec<_>>());
    assert_eq!(log.read().await.unwrap(), log.all);
}

/// Every request of a run meets every fault; the owner dies there. Whatever is left, the log reads
/// back to its first record, and the next owner's run leaves what a run without faults leaves.
#[tokio::test(start_paused = true)]
async fn a_run_that_dies_at_any_request_is_finished_by_the_next() {
    let mut clean = TestLog::small();
    clean.grow_to(16);
    let recorder = faulty(&mut clean);
    archive(&clean.access, &clean.state(&[16])).await.unwrap();
    let requests = recorder.requests();
    assert_eq!(clean.live(), (12..=16).collect::<Vec<_>>());
    assert!(count(&requests, Op::Create) == 3 && count(&requests, Op::Delete) == 11);
    let late = Fault::Late(Duration::from_secs(5));
    let faults =
        [Fault::FailBefore, Fault::FailAfter, Fault::Deny, Fault::Hang, Fault::Twice, late];
    let mut died = 0;
    for (at, request) in requests.iter().enumerate() {
        for fault in faults {
            let mut log = TestLog::small();
            log.grow_to(16);
            let store = faulty(&mut log);
            let same = |r: &&Request| r.op == request.op && r.key == request.key;
            for _ in requests[..at].iter().filter(same) {
                store.next_on(request.op, &request.key, Fault::None);
            }
            store.next_on(request.op, &request.key, fault);
            let state = log.state(&[16]);
            let run = archive(&log.access, &state);
            let ended = tokio::time::timeout(Duration::from_secs(1), run).await;
            died += usize::from(!matches!(ended, Ok(Ok(_))));
            assert_eq!(log.read().await.unwrap(), log.all, "{request:?} {fault:?}");
            log.grow_to(20);
            let next = archive(&log.access, &log.state(&[20])).await;
            // What the dead owner sent may still land.
            tokio::time::sleep(Duration::from_secs(9)).await;
            assert_eq!(log.read().await.unwrap(), log.all, "{request:?} {fault:?}");
            next.unwrap();
            assert_eq!(log.live(), (16..=20).collect::<Vec<_>>(), "{request:?} {fault:?}");
        }
    }
    println!("{} requests, {died} runs died", requests.len());
    assert!(died > requests.len() * 4, "{died}");
}

/// Two owners and a bad store: the first believes it still owns the log.
#[tokio::test(start_paused = true)]
async fn two_owners_at_once_and_a_late_one_lose_nothing() {
    let mut both = 0;
    for seed in 0..300 {
        let mut old = TestLog::small();
        old.grow_to(16);
        let mut new = old.clone();
        new.grow_to(24);
        let (old_store, new_store) = (faulty(&mut old), faulty(&mut new));
        // Mostly pauses, so that the two interleave; a failure would end a run.
        let rates = Rates { fail_before: 1, fail_after: 1, delay: 60, late: 1, ..Rates::ROUGH };
        old_store.seed(seed, rates);
        new_store.seed(!seed, rates);
        let (old_state, new_state) = (old.state(&[15]), new.state(&[24]));
        let (one, two) =
            futures::join!(archive(&old.access, &old_state), archive(&new.access, &new_state));
        let worked = [&one, &two].iter().filter(|r| matches!(r, Ok(d) if d.deleted > 0)).count();
        both += usize::from(worked == 2);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(new.read().await.unwrap(), new.all, "seed {seed}");
        // The old one again, with what it knew long ago; then the next owner.
        old_store.heal();
        new_store.heal();
        drop(archive(&old.access, &old_state).await);
        assert_eq!(new.read().await.unwrap(), new.all, "seed {seed}, late");
        new.grow_to(28);
        archive(&new.access, &new.state(&[28])).await.unwrap();
        assert_eq!(new.live(), (24..=28).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(new.read().await.unwrap(), new.all, "seed {seed}, next");
    }
    println!("{both} of 300 seeds: both deleted something");
    assert!(both > 10, "{both}");
}

#[tokio::test]
async fn a_record_that_came_too_late_is_deleted_unread() {
    let mut log = TestLog::small();
    log.grow_to(16);
    archive(&log.access, &log.state(&[16])).await.unwrap();
    let key = log.access.keys.record(6);
    log.memory.overwrite(&key, "a zombie's record, of a version nobody knows");
    assert_eq!(log.read().await.unwrap(), log.all);
    log.grow_to(20);
    let store = faulty(&mut log);
    let done = archive(&log.access, &log.state(&[20])).await.unwrap();
    assert_eq!(done, Archived { blocks: 1, deleted: 1 + 4 });
    let touched: Vec<Op> = store.requests().iter().filter(|r| r.key == key).map(|r| r.op).collect();
    assert_eq!(touched, [Op::Delete], "its content says nothing to us");
    assert_eq!(log.live(), (16..=20).collect::<Vec<_>>());
    assert_eq!(log.read().await.unwrap(), log.all);
}

#[tokio::test]
async fn what_is_not_linked_from_the_head_is_neither_archived_nor_deleted() {
    for at in [2, 6, 10, 14] {
        let mut log = TestLog::small();
        log.grow_to(16);
        let foreign = LogRecord { nonce: Uuid::new_v4(), ..log.all[at as usize - 1].clone() };
        log.memory.overwrite(&log.access.keys.record(at), foreign.to_bytes().unwrap());
        let error = archive(&log.access, &log.state(&[16])).await.unwrap_err();
        assert_eq!(error.context("key"), Some(&*log.access.keys.record(at)), "{error}");
        assert_eq!(log.live().len(), 16);
        assert_eq!(log.memory.keys().len(), 16, "no block was written");
    }
}

/// Large records are read twice; what changes in between is not what the links named.
#[tokio::test]
async fn a_record_that_is_replaced_meanwhile_is_not_archived() {
    let mut log = TestLog::small();
    log.padding = 300 << 10;
    log.grow_to(16);
    let (store, state, key) = (faulty(&mut log), log.state(&[16]), log.access.keys.record(6));
    let foreign = LogRecord { nonce: Uuid::new_v4(), ..log.all[5].clone() };
    let first = store.hold(Op::Get, &key);
    let hand = async {
        first.reached().await;
        let second = store.hold(Op::Get, &key);
        first.release();
        second.reached().await;
        log.memory.overwrite(&key, foreign.to_bytes().unwrap());
        second.release();
    };
    let (run, ()) = futures::join!(archive(&log.access, &state), hand);
    assert_eq!(run.unwrap_err().context("key"), Some(&*key));
    assert_eq!(log.live(), (4..=16).collect::<Vec<_>>(), "block 0 was done, block 1 was not");
}

#[tokio::test]
async fn a_block_that_is_torn_or_of_another_log_lets_nothing_be_deleted() {
    let mut other = TestLog::small();
    other.grow_to(16);
    archive(&other.access, &other.state(&[16])).await.unwrap();
    let theirs = other.memory.object(&other.access.keys.archive(0)).unwrap();
    for block in [theirs, "torn".into(), zstd::encode_all(&b""[..], 3).unwrap().into()] {
        let mut log = TestLog::small();
        log.grow_to(16);
        log.memory.overwrite(&log.access.keys.archive(0), block);
        let error = archive(&log.access, &log.state(&[16])).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Log);
        assert_eq!(error.context("key"), Some(&*log.access.keys.archive(0)), "{error}");
        assert_eq!(log.live().len(), 16);
    }
}

/// A store may refuse a write because another one is racing, and then have neither.
#[tokio::test]
async fn a_refused_block_is_seen_before_its_records_go() {
    let mut log = TestLog::small();
    log.grow_to(16);
    let store = faulty(&mut log);
    let hold = store.hold(Op::Create, "/archive/000000000001");
    let state = log.state(&[16]);
    let foreign = async {
        hold.reached().await;
        log.memory.overwrite(&log.access.keys.archive(1), "something else");
        hold.release();
    };
    let (run, ()) = futures::join!(archive(&log.access, &state), foreign);
    assert_eq!(run.unwrap_err().context("key"), Some(&*log.access.keys.archive(1)));
    assert_eq!(log.live(), (4..=16).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_log_that_was_never_archived_is_caught_up_with() {
    let mut log = TestLog::standard();
    log.grow_to(3_200);
    let store = faulty(&mut log);
    let done = archive(&log.access, &log.state(&[3_200])).await.unwrap();
    assert_eq!(done, Archived { blocks: 49, deleted: 3_135 });
    assert!(count(&store.requests(), Op::List) <= 5);
    assert_eq!(log.live().len(), 65);
    assert_eq!(log.read().await.unwrap(), log.all);
}
