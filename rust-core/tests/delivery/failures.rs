//! A store that is away, memory that is full, offsets that go back.

use crate::ownership::until_fatal;
use crate::world::{Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_testkit::kafka::Entry;
use alluvium_testkit::said::Said;
use alluvium_testkit::{Fault, MemoryStore, Op, Personality};
use std::time::Duration;
use tracing::Level;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_long_pauses_the_consumer_and_loses_nothing() {
    let mut world = World::new().with_rows(0, 50);
    let options = Options::default().with("commit.max.records", 10);
    let (mut worker, store) = world.faulty_worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND).await;
    for op in [Op::Get, Op::Head, Op::List, Op::Create, Op::StartUpload, Op::PutPart, Op::Complete]
    {
        store.always_on(op, "", Fault::FailBefore);
    }
    for id in 50..400 {
        world.kafka.insert(&tp(0), id);
    }
    world.run(&mut worker, 180 * SECOND).await;
    assert!(worker.is_paused(&tp(0)), "its next cut has reached a limit");
    store.heal();
    world.run(&mut worker, 120 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_open_is_waited_for() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    store.always_on(Op::List, "", Fault::FailBefore);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 60 * SECOND).await;
    assert!(worker.is_paused(&tp(0)));
    store.heal();
    world.run(&mut worker, 60 * SECOND).await;
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_refusal_fails_the_task_naming_the_topic_partition() {
    let world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    store.always_on(Op::PutPart, "", Fault::Deny);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.to_string().contains("orders-0"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_was_created_again_fails_and_is_not_dropped_in_silence() {
    let mut world = World::new().with_rows(0, 30).with_rows(1, 5);
    let options = Options::default().with("commit.interval.ms", 600_000);
    let mut worker = world.worker(&options);
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    assert!(world.check().is_empty(), "taken, not committed");
    world.kafka.create(&tp(0), 0);
    world.kafka.insert(&tp(0), 1_000);
    // The consumer's position is out of range: `auto.offset.reset` takes it to 0.
    worker.jump(&tp(0), 0);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::OffsetRegression);
    assert!(error.to_string().contains("orders-0"), "{error}");
    let log = world.check_log(1);
    assert_eq!(log.last().unwrap().next_offset, Some(5), "the healthy one was committed first");
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(0), "the other was not");
}

#[tokio::test(start_paused = true)]
async fn with_isolate_the_others_go_on() {
    let said = Said::from(Level::ERROR);
    let mut world = World::new().with_rows(0, 30).with_rows(1, 5);
    let mut worker = world.worker(&Options::default().with("partition.failure", "isolate"));
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    let mut again = alluvium_testkit::kafka::Kafka::default();
    for id in 0..9 {
        again.insert(&tp(1), id);
    }
    again.insert(&tp(0), 1_000);
    world.kafka = again;
    worker.jump(&tp(0), 0);
    for _ in 0..30 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    assert!(worker.is_paused(&tp(0)));
    assert_eq!(world.check_log(1).last().unwrap().next_offset, Some(9));
    assert_eq!(said.with("orders-0").len(), 1);
    tokio::time::sleep(11 * 60 * SECOND).await;
    let again = said.with("still failed");
    assert_eq!(again.len(), 2, "it is named every five minutes: {again:?}");
    assert!(again[1].contains("orders-0") && again[1].contains("offsets went backwards"));
}

#[tokio::test(start_paused = true)]
async fn what_leaves_no_row_is_told_once_by_topic_and_reason() {
    let said = Said::from(Level::INFO);
    let mut world = World::new().with_rows(0, 3).with_rows(1, 3);
    for partition in [0, 1, 0, 1] {
        world.kafka.append(&tp(partition), Entry::Record(None));
        let heartbeat = br#"{"ts_ms":1767225600000}"#.to_vec();
        world.kafka.append(&tp(partition), Entry::Record(Some(heartbeat)));
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    for _ in 0..30 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    let log = world.check_log(0);
    let skipped: u64 = log.iter().map(|record| record.skipped.total()).sum();
    assert_eq!(skipped, 4, "two tombstones and two heartbeats");
    let lines = said.with("leaves no row");
    assert_eq!(lines.len(), 2, "{lines:?}");
    for reason in ["tombstone", "heartbeat"] {
        let named = |line: &String| line.contains(reason) && line.contains("topic=orders");
        assert!(lines.iter().any(named), "{reason}: {lines:?}");
    }
}

/// What is given up while the store is away must not be sent, or kept in memory, for ever.
#[tokio::test(start_paused = true)]
async fn uploads_that_were_given_up_end_though_the_store_is_away() {
    let mut world = World::new().with_rows(0, 20);
    let options = Options::default()
        .with("file.max.records", 5)
        .with("commit.interval.ms", 600_000)
        .with("close.flush.ms", 0);
    let (mut worker, store) = world.faulty_worker(&options);
    store.always_on(Op::StartUpload, "", Fault::FailBefore);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    assert!(store.count(Op::StartUpload) > 3, "sealed and on their way");
    worker.lose(&[tp(0)], Duration::ZERO).await;
    tokio::time::sleep(60 * SECOND).await;
    let by_then = store.count(Op::StartUpload);
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(store.count(Op::StartUpload), by_then);
}

/// With keys of one's own a part may not be repeated: the rows are read again.
#[tokio::test(start_paused = true)]
async fn a_part_of_unknown_outcome_is_read_again_under_encryption() {
    for fault in [Fault::FailBefore, Fault::FailAfter, Fault::Late(5 * SECOND)] {
        let mut world = World::new().with_rows(0, 30);
        world.memory = MemoryStore::new(Personality::KMS);
        let (mut worker, store) =
            world.faulty_worker(&Options::default().with("s3.sse", "aws:kms"));
        store.next(Op::PutPart, fault);
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, 30 * SECOND).await;
        world.check_all(0);
        world.check_log(0);
        assert_eq!(worker.metrics()["fenced_total"], 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn uploads_that_are_too_old_are_read_again() {
    let mut world = World::new().with_rows(0, 10);
    let options =
        Options::default().with("commit.interval.ms", 10_000).with("upload.max.age.ms", 60_000);
    let (mut worker, store) = world.faulty_worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    // Staged, and then the errant gate, a slow store or a stopped machine takes too long.
    let hold = store.hold(Op::PutPart, "");
    world.run(&mut worker, 10 * SECOND).await;
    hold.reached().await;
    world.run(&mut worker, 100 * SECOND).await;
    hold.release();
    world.run(&mut worker, 60 * SECOND).await;
    world.check_all(0);
    assert_eq!(worker.metrics()["fenced_total"], 1);
}
