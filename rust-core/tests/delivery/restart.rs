//! Starts, stops, crashes and rebalances of one owner after another.

use crate::world::{CLOSE, Options, World, tp};
use alluvium_core::log::RecordKind;
use alluvium_testkit::connect::Group;
use alluvium_testkit::kafka::Entry;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn rows_become_visible_and_offsets_follow() {
    let mut world = World::new().with_rows(0, 25).with_rows(1, 7);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
    worker.commit(&mut world.group);
    assert_eq!(world.group, Group::from([(tp(0), 25), (tp(1), 7)]));
    assert!(worker.lent.is_empty(), "every frame came back");
    let log = world.check_log(0);
    assert_eq!(log.last().unwrap().next_offset, Some(25));
}

#[tokio::test(start_paused = true)]
async fn the_last_rows_of_a_quiet_topic_are_visible_within_the_interval() {
    let mut world = World::new().with_rows(0, 3);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    for id in 3..20 {
        world.kafka.insert(&tp(0), id);
        // No poll wakes the task: the core's own timer must.
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        world.check_all(0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_committed_at_a_crash_is_read_again() {
    let mut world = World::new().with_rows(0, 40);
    for life in 0..6 {
        let mut worker = world.worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, Duration::from_millis(700 + 400 * life)).await;
        worker.crash().await;
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

/// Connect's pause set outlives revoke and assign; the log is claimed before the next `put`, which
/// therefore never saw the topic-partition opening.
#[tokio::test(start_paused = true)]
async fn a_pause_of_the_last_assignment_does_not_outlive_the_next() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    worker.iterate(&world.kafka).unwrap();
    assert!(worker.is_paused(&tp(0)), "it is opening");
    worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    tokio::time::sleep(5 * SECOND).await;
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn a_revoke_commits_what_was_taken() {
    let mut world = World::new().with_rows(0, 30);
    let options = Options::default().with("commit.interval.ms", 600_000);
    let mut worker = world.worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    assert!(world.check().is_empty(), "the interval is long");
    worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;
    world.check_all(0);
    let log = world.check_log(0);
    let last = log.last().unwrap();
    assert_eq!(last.kind, RecordKind::Advance, "settled at close");
    assert!(last.unsettled.is_empty());
}

#[tokio::test(start_paused = true)]
async fn rebalances_faster_than_the_interval_still_make_progress() {
    let mut world = World::new().with_rows(0, 200);
    let mut worker = world.worker(&Options::default().with("commit.interval.ms", 600_000));
    for _ in 0..30 {
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, SECOND).await;
        worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;
    }
    world.check_all(0);
    world.check_log(0);
}

#[tokio::test(start_paused = true)]
async fn a_first_offset_above_zero_is_made_durable_before_anything_else() {
    let mut world = World::new();
    world.kafka.create(&tp(0), 500);
    for id in 0..20 {
        world.kafka.insert(&tp(0), id);
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(500);
    let log = world.check_log(0);
    assert_eq!(log[0].next_offset, None, "the claim of an empty log knows nothing");
    assert_eq!((log[1].kind, log[1].next_offset), (RecordKind::Advance, Some(500)));
}

#[tokio::test(start_paused = true)]
async fn gaps_and_tombstones_move_the_offset_and_are_on_record() {
    let mut world = World::new().with_rows(0, 5);
    for _ in 0..3 {
        world.kafka.append(&tp(0), Entry::Gap);
    }
    world.kafka.append(&tp(0), Entry::Record(None));
    world.kafka.insert(&tp(0), 9);
    // A transform drops the last one: Connect's offset moves, nothing is delivered.
    world.kafka.append(&tp(0), Entry::Dropped);
    // The marker of a transaction moves the consumer only: lag never comes to 0 behind it.
    world.kafka.append(&tp(0), Entry::Gap);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.commit(&mut world.group);
    world.run(&mut worker, 15 * SECOND).await;
    worker.commit(&mut world.group);
    world.check_all(0);
    assert_eq!(world.group[&tp(0)], 11, "the dropped record's offset is committed too");
    let log = world.check_log(0);
    let skipped: u64 = log.iter().filter_map(|r| r.skipped.0.get("tombstone")).sum();
    let gaps: i64 = log.iter().map(|r| r.gaps.sum).sum();
    assert_eq!((skipped, gaps), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn settling_is_durable_and_settled_files_are_never_looked_at_again() {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 20 * SECOND).await;
    let log = world.check_log(0);
    assert!(log.last().unwrap().unsettled.is_empty(), "settled though nothing followed");
    worker.crash().await;
    // A user compacts the files away: their right, once settled.
    for key in world.memory.keys().iter().filter(|key| key.ends_with(".parquet")) {
        world.memory.remove(key);
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.kafka.insert(&tp(0), 10);
    world.reader = Default::default();
    world.run(&mut worker, 3 * SECOND).await;
    assert_eq!(world.check().len(), 1, "only the new row");
}
