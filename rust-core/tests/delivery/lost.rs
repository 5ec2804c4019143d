//! Offsets that were never delivered: legal gaps, and ranges that Kafka expired unread.

use crate::identity::{admin, turns};
use crate::ownership::until_fatal;
use crate::world::{Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::log::{LogRecord, RecordKind};
use alluvium_testkit::kafka::Entry;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn insert(world: &mut World, rows: i64) {
    (0..rows).for_each(|id| _ = world.kafka.insert(&tp(0), id));
}

fn of_kind(log: &[LogRecord], kind: RecordKind) -> Vec<(Option<i64>, Option<i64>)> {
    let found = log.iter().filter(|record| record.kind == kind);
    found.map(|record| (record.start_offset, record.next_offset)).collect()
}

/// Ten rows are committed, then the sink is away while 50 more come and 40 of them expire.
async fn expired_while_away() -> World {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    world.check_all(0);
    insert(&mut world, 50);
    world.kafka.expire(&tp(0), 50);
    world
}

#[tokio::test(start_paused = true)]
async fn a_range_that_expired_while_away_fails_by_name() {
    let world = expired_while_away().await;
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::RangeLost);
    for part in ["orders-0", "next=10", "earliest=50", "range.lost=record"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(10), "nothing goes on");
    assert_eq!(worker.metrics()["ranges_lost"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_range_that_expired_while_away_goes_on_record_where_that_is_said() {
    let mut world = expired_while_away().await;
    let mut worker = world.worker(&admin().with("range.lost", "record"));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    let log = world.check_log(0);
    assert_eq!(of_kind(&log, RecordKind::Loss), [(Some(10), Some(50))]);
    assert_eq!(log.last().unwrap().next_offset, Some(60));
    let visible = world.reader.read(&world.memory, crate::world::TABLE).unwrap();
    let offsets: Vec<i64> = visible.keys().map(|(_, offset)| *offset).collect();
    assert_eq!(offsets, (0..10).chain(50..60).collect::<Vec<_>>());
    assert_eq!(worker.metrics()["ranges_lost"], 1);
}

/// Without an admin client nobody can know; it is a gap, and said to be unverified.
#[tokio::test(start_paused = true)]
async fn without_an_admin_client_it_is_a_gap_nobody_looked_into() {
    let world = expired_while_away().await;
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    let log = world.check_log(0);
    let gaps: Vec<_> = log.iter().flat_map(|record| &record.gaps.named).collect();
    assert_eq!((gaps[0].from, gaps[0].to), (10, 50));
    assert_eq!(gaps[0].cause.as_deref(), Some("unverified"));
}

/// Twenty rows are taken; then 3,000 more come, and 2,000 expire under the consumer.
async fn expires_while_running(options: Options) -> (World, alluvium_testkit::connect::Worker) {
    let mut world = World::new().with_rows(0, 20);
    let mut worker = world.worker(&options.with("commit.interval.ms", 600_000));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    insert(&mut world, 3_000);
    world.kafka.expire(&tp(0), 2_000);
    worker.jump(&tp(0), 2_000);
    worker.poll_records = 500;
    (world, worker)
}

#[tokio::test(start_paused = true)]
async fn a_range_that_expires_while_running_fails_after_what_was_taken_is_committed() {
    let (world, mut worker) = expires_while_running(admin()).await;
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::RangeLost);
    assert!(error.to_string().contains("next=20, earliest=2000"), "{error}");
    let log = world.check_log(0);
    assert_eq!(of_kind(&log, RecordKind::Commit), [(Some(0), Some(20))]);
}

#[tokio::test(start_paused = true)]
async fn a_range_that_expires_while_running_goes_on_record() {
    let (world, mut worker) = expires_while_running(admin().with("range.lost", "record")).await;
    turns(&world, &mut worker, 700 * SECOND).await;
    let log = world.check_log(0);
    assert_eq!(of_kind(&log, RecordKind::Loss), [(Some(20), Some(2_000))]);
    let commits = of_kind(&log, RecordKind::Commit);
    assert_eq!(commits, [(Some(0), Some(20)), (Some(2_000), Some(3_020))]);
}

/// An answer that was on its way already when the gap was seen says nothing about it.
#[tokio::test(start_paused = true)]
async fn only_what_kafka_says_after_the_gap_counts() {
    let mut world = World::new().with_rows(0, 20);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.admin.delay = 20;
    while worker.admin.asked < 2 {
        world.run(&mut worker, SECOND / 10).await;
    }
    // Asked, as every minute, and answered, but not handed over yet.
    world.run(&mut worker, SECOND / 5).await;
    insert(&mut world, 3_000);
    world.kafka.expire(&tp(0), 2_000);
    worker.jump(&tp(0), 2_000);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::RangeLost);
    assert_eq!(worker.admin.asked, 4, "for the gap, and at the open after it");
}

/// Aborted or compacted records: Kafka is asked, and what was taken before is not cut for it.
#[tokio::test(start_paused = true)]
async fn a_wide_gap_is_asked_about_and_nothing_is_lost_by_that() {
    let mut world = World::new().with_rows(0, 10);
    (0..1_500).for_each(|_| _ = world.kafka.append(&tp(0), Entry::Gap));
    insert(&mut world, 10);
    let mut worker = world.worker(&admin().with("commit.interval.ms", 60_000));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    assert_eq!(worker.admin.asked, 2, "at the open, and for the gap");
    assert!(!worker.is_paused(&tp(0)));
    world.run(&mut worker, 70 * SECOND).await;
    world.check_all(0);
    let log = world.check_log(0);
    assert_eq!(of_kind(&log, RecordKind::Commit), [(Some(0), Some(1_520))]);
    let gap = &log.iter().find(|record| record.gaps.count > 0).unwrap().gaps;
    assert_eq!((gap.named[0].from, gap.named[0].to, &gap.named[0].cause), (10, 1_510, &None));
}

#[tokio::test(start_paused = true)]
async fn a_gap_waits_for_kafka_and_the_others_go_on() {
    let mut world = World::new().with_rows(0, 10).with_rows(1, 5);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.admin.away = true;
    (0..1_500).for_each(|_| _ = world.kafka.append(&tp(0), Entry::Gap));
    insert(&mut world, 10);
    (0..10).for_each(|id| _ = world.kafka.insert(&tp(1), id));
    world.run(&mut worker, 100 * SECOND).await;
    assert!(worker.is_paused(&tp(0)) && !worker.is_paused(&tp(1)));
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(10));
    assert_eq!(world.check_log(1).last().unwrap().next_offset, Some(15));
    worker.admin.away = false;
    world.run(&mut worker, 5 * SECOND).await;
    world.check_all(0);
}

/// A small gap within a minute of the last delivery is taken; after longer it is asked about.
#[tokio::test(start_paused = true)]
async fn small_gaps_are_asked_about_only_after_a_quiet_minute() {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.kafka.append(&tp(0), Entry::Gap);
    insert(&mut world, 1);
    world.run(&mut worker, 3 * SECOND).await;
    assert_eq!(worker.admin.asked, 1, "at the open");
    world.run(&mut worker, 90 * SECOND).await;
    let before = worker.admin.asked;
    assert_eq!(before, 3, "the ids, once a minute, and once it was idle");
    world.kafka.append(&tp(0), Entry::Gap);
    insert(&mut world, 1);
    world.run(&mut worker, 3 * SECOND).await;
    assert_eq!(worker.admin.asked, before + 1);
    world.check_all(0);
    world.check_log(0);
}

/// The marker at the end of a transaction is no record: before Kafka expires it, the log moves
/// behind it, so that it is not taken for a lost range.
#[tokio::test(start_paused = true)]
async fn the_idle_tail_of_a_transaction_is_looked_into_before_it_expires() {
    // Ten intervals, 30 s at least, 10 minutes at most.
    for (interval_ms, early, more) in
        [(60_000, 590, 100), (300_000, 590, 600), (6_000, 55, 40), (1_000, 28, 20)]
    {
        idle_tail(interval_ms, early, more).await;
    }
}

async fn idle_tail(interval_ms: u64, early: u32, more: u32) {
    let mut world = World::new().with_rows(0, 5);
    world.kafka.append(&tp(0), Entry::Gap);
    let mut worker = world.worker(&admin().with("commit.interval.ms", interval_ms));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, early * SECOND).await;
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(5));
    let before = worker.admin.asked;
    world.run(&mut worker, more * SECOND).await;
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(6));
    let asked = worker.admin.asked - before;
    assert!(asked as u32 <= 3 + more / 60, "asked {asked} times in {more} s");
    worker.crash().await;
    world.kafka.expire(&tp(0), 6);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    assert!(!worker.is_paused(&tp(0)), "nothing was lost");
}
