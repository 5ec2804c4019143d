//! Uploads against a store that misbehaves: what arrives, what is sent, what is never sent.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::clock::{Clock, UnixMillis};
use alluvium_core::error::Kind;
use alluvium_core::store::{Completed, Store};
use alluvium_core::upload::{FileUpload, StoredFile, UploadLimits};
use alluvium_testkit::faulty::Rates;
use alluvium_testkit::{Fault, FaultyStore, MemoryStore, Op, Personality};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

const KEY: &str = "table/dt=1/orders-0-1.parquet";
const PART: usize = 1024;

#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now_ms(&self) -> UnixMillis {
        self.0.load(Relaxed)
    }
}

/// A store of equal parts only, its faulty front, and the limits of the uploads to it.
struct Bench {
    memory: MemoryStore,
    store: FaultyStore,
    limits: UploadLimits,
    clock: Arc<SetClock>,
}

impl Bench {
    fn new() -> Self {
        let memory = MemoryStore::new(Personality::R2).with_part_size(PART);
        let store = FaultyStore::new(Arc::new(memory.clone()));
        let limits = UploadLimits {
            file_max_bytes: 4096,
            etags: true,
            held: Arc::default(),
            opaque_parts: false,
            copy: None,
        };
        Self { memory, store, limits, clock: Arc::default() }
    }

    fn upload(&self) -> FileUpload {
        let store = Arc::new(self.store.clone());
        FileUpload::new(store, KEY.to_owned(), self.limits.clone(), self.clock.clone())
    }

    /// Publishes the file and gives its bytes; checks what was foretold of it.
    async fn publish(&self, file: &StoredFile) -> Bytes {
        assert!(self.memory.keys().is_empty(), "visible before it was published");
        let done = self.store.complete(&file.key, &file.upload_id, &file.parts).await;
        assert!(matches!(done, Completed::Done), "{done:?}");
        let seen = self.memory.head(KEY).await.unwrap().unwrap();
        assert_eq!((seen.size, &seen.etag), (file.size, &file.etag));
        self.memory.object(KEY).unwrap()
    }
}

fn content(bytes: usize) -> Bytes {
    (0..bytes).map(|i| (i * 7 % 251) as u8).collect()
}

/// Pushes the content in pieces of growing, odd sizes; the last one is the tail.
async fn send(
    mut upload: FileUpload,
    mut content: Bytes,
) -> alluvium_core::error::Result<StoredFile> {
    for piece in (0..).map(|i| 1 + i * 37 % 2500) {
        if content.len() <= piece {
            break;
        }
        upload.push(content.split_to(piece));
    }
    upload.finish(content).await
}

#[tokio::test]
async fn a_small_file_sends_nothing_until_it_is_sealed() {
    let bench = Bench::new();
    let mut upload = bench.upload();
    upload.push(content(PART - 1));
    tokio::task::yield_now().await;
    assert_eq!(bench.store.requests(), []);
    assert_eq!(bench.limits.in_flight_bytes(), PART as u64 - 1);
    bench.clock.0.store(1_700_000_000_123, Relaxed);
    let file = upload.finish(Bytes::from_static(b"xy")).await.unwrap();
    assert_eq!(file.upload_created_at_ms, 1_700_000_000_123);
    assert_eq!((file.size, file.parts.len()), (PART as u64 + 1, 2));
    assert_eq!(bench.limits.in_flight_bytes(), 0);
    assert_eq!(bench.publish(&file).await.len(), PART + 1);
    assert_eq!(bench.store.count(Op::StartUpload), 1);
}

#[tokio::test]
async fn every_size_arrives_whole_in_equal_parts() {
    for size in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 5 * PART + 10, 40_000] {
        let bench = Bench::new();
        let file = send(bench.upload(), content(size)).await.unwrap();
        assert_eq!(file.parts.len(), size.div_ceil(PART).max(1), "{size}");
        // The store refuses unequal parts, so publishing shows that they are equal.
        assert_eq!(bench.publish(&file).await, content(size), "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_delays_and_loses_nothing() {
    let bench = Bench::new();
    for _ in 0..50 {
        bench.store.next(Op::StartUpload, Fault::FailBefore);
        bench.store.next(Op::PutPart, Fault::FailAfter);
    }
    let before = tokio::time::Instant::now();
    let file = send(bench.upload(), content(3 * PART)).await.unwrap();
    assert!(before.elapsed() > Duration::from_secs(600), "pauses must grow");
    assert_eq!(bench.publish(&file).await, content(3 * PART));
}

#[tokio::test(start_paused = true)]
async fn rough_days_change_nothing() {
    for seed in 0..30 {
        let bench = Bench::new();
        bench.store.seed(seed, Rates { fail_before: 20, fail_after: 20, ..Rates::ROUGH });
        let file = send(bench.upload(), content(9 * PART + 1)).await.unwrap();
        bench.store.heal();
        assert_eq!(bench.publish(&file).await, content(9 * PART + 1), "seed {seed}");
        assert_eq!(bench.limits.in_flight_bytes(), 0, "seed {seed}");
    }
}

#[tokio::test]
async fn what_the_store_refuses_for_good_surfaces_and_aborts_nothing() {
    let bench = Bench::new();
    bench.store.next(Op::PutPart, Fault::Deny);
    let error = send(bench.upload(), content(5 * PART)).await.unwrap_err();
    assert!(!error.is_temporary());
    assert_eq!(error.context("key"), Some(KEY));
    assert_eq!(bench.store.count(Op::Abort), 0);
    assert_eq!(bench.limits.in_flight_bytes(), 0);
}

#[tokio::test]
async fn finish_waits_for_the_last_part() {
    let bench = Bench::new();
    let hold = bench.store.hold(Op::PutPart, KEY);
    let sending = tokio::spawn(send(bench.upload(), content(3 * PART)));
    hold.reached().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!sending.is_finished());
    assert_eq!(bench.limits.in_flight_bytes(), PART as u64, "the held part only");
    hold.release();
    let file = sending.await.unwrap().unwrap();
    assert_eq!(bench.publish(&file).await, content(3 * PART));
}

#[tokio::test]
async fn an_upload_that_is_dropped_ends_its_requests_and_aborts_nothing() {
    let bench = Bench::new();
    bench.store.always_on(Op::PutPart, KEY, Fault::Hang);
    let mut upload = bench.upload();
    upload.push(content(4 * PART));
    while bench.store.count(Op::PutPart) < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.limits.in_flight_bytes(), 4 * PART as u64);
    drop(upload);
    while bench.limits.in_flight_bytes() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.store.count(Op::Abort), 0);
    assert_eq!(bench.memory.open_uploads().len(), 1, "left to the lifecycle rule");
}

#[tokio::test]
async fn aborting_ends_the_requests_first() {
    let bench = Bench::new();
    bench.store.next(Op::PutPart, Fault::Hang);
    let mut upload = bench.upload();
    upload.push(content(2 * PART));
    while bench.store.count(Op::PutPart) < 2 {
        tokio::task::yield_now().await;
    }
    upload.abort().await.unwrap();
    assert_eq!(bench.limits.in_flight_bytes(), 0);
    assert_eq!(bench.memory.open_uploads(), []);
    let last = bench.store.requests().pop().unwrap();
    assert_eq!((last.op, last.key.as_str()), (Op::Abort, KEY));
    bench.upload().abort().await.unwrap();
    assert_eq!(bench.store.count(Op::Abort), 1, "nothing was begun, nothing is aborted");
}

#[tokio::test]
async fn parts_grow_with_the_greatest_file() {
    let mut bench = Bench::new();
    bench.limits.file_max_bytes = 100 << 20;
    let file = send(bench.upload(), content(3 << 19)).await.unwrap();
    assert_eq!(file.parts.len(), 2, "1.5 MiB in parts of 1 MiB");
    assert_eq!(bench.publish(&file).await.len(), 3 << 19);
}

#[tokio::test]
async fn more_parts_than_s3_takes_are_an_error_that_says_what_to_do() {
    let mut bench = Bench::new();
    let memory = bench.memory.clone().with_part_size(1);
    bench.store = FaultyStore::new(Arc::new(memory));
    let error = send(bench.upload(), content(10_001)).await.unwrap_err();
    assert!(error.message().contains("file.max.bytes"), "{error}");
    assert_eq!(error.context("file"), Some(KEY));
    assert!(send(bench.upload(), content(10_000)).await.is_ok());
}

#[tokio::test]
async fn no_etag_is_foretold_where_the_probe_saw_none() {
    let mut bench = Bench::new();
    bench.limits.etags = false;
    let file = send(bench.upload(), content(PART)).await.unwrap();
    assert_eq!(file.etag, None);
}

/// With ids that do not follow from the bytes, a part that lands late makes the record's ids wrong.
#[tokio::test(start_paused = true)]
async fn a_part_of_unknown_outcome_ends_an_upload_whose_ids_are_opaque() {
    let faults = [Fault::FailBefore, Fault::FailAfter, Fault::Late(Duration::from_secs(60))];
    for fault in faults {
        for opaque in [true, false] {
            let mut bench = Bench::new();
            bench.memory = MemoryStore::new(Personality::KMS).with_part_size(PART);
            bench.store = FaultyStore::new(Arc::new(bench.memory.clone()));
            bench.limits.opaque_parts = opaque;
            bench.store.next(Op::PutPart, fault);
            let sent = send(bench.upload(), content(3 * PART)).await;
            tokio::time::sleep(Duration::from_secs(120)).await;
            if opaque {
                let error = sent.unwrap_err();
                assert_eq!(error.kind(), Kind::Fenced, "{fault:?}: read again: {error}");
                assert!(bench.store.count(Op::PutPart) <= 3, "none is sent a second time");
                continue;
            }
            // What it is good for: repeated, the late one spoils what is already on record.
            let file = sent.unwrap();
            assert_eq!(file.etag, None, "no ETag is foretold");
            let done = bench.store.complete(&file.key, &file.upload_id, &file.parts).await;
            let spoiled = matches!(&done, Completed::Failed(e) if !e.is_temporary());
            assert_eq!(spoiled, matches!(fault, Fault::Late(_)), "{fault:?}: {done:?}");
        }
    }
}

#[tokio::test]
async fn parts_keep_one_size_at_the_very_bound() {
    let mut bench = Bench::new();
    // Twice the limit is 10,000 parts to the byte; one byte more and parts are larger.
    for (limit, parts) in [(5_000 * PART as u64, 10_000), (5_000 * PART as u64 + 1, 10)] {
        bench.limits.file_max_bytes = limit;
        let file = send(bench.upload(), content(10_000 * PART)).await.unwrap();
        assert_eq!(file.parts.len(), parts, "{limit}");
        // The store takes equal parts only.
        assert_eq!(bench.publish(&file).await.len(), 10_000 * PART);
        bench.memory.remove(KEY);
    }
    bench.limits.file_max_bytes = 5_000 * PART as u64;
    let error = send(bench.upload(), content(10_000 * PART + 1)).await.unwrap_err();
    assert!(error.message().contains("10,000 parts"), "{error}");
}
