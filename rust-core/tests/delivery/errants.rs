//! Records that cannot become rows: the four cells of the table in `docs/delivery.md`.

use crate::ownership::until_fatal;
use crate::world::{Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::task::ErrantPolicy;
use alluvium_testkit::kafka::Entry;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Ten rows, a record that is none, ten rows.
fn world() -> World {
    let mut world = World::new().with_rows(0, 10);
    world.kafka.append(&tp(0), Entry::Record(Some(b"not JSON".to_vec())));
    for id in 10..20 {
        world.kafka.insert(&tp(0), id);
    }
    world
}

fn options(errants: ErrantPolicy) -> Options {
    Options { errants, ..Options::default() }
}

/// `errors.tolerance=none`, with and without a reporter.
#[tokio::test(start_paused = true)]
async fn none_commits_all_before_and_stops_naming_the_record() {
    let mut world = world();
    let mut worker = world.worker(&options(ErrantPolicy::Stop));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::BadRecord);
    for part in ["topic=orders", "partition=0", "offset=10"] {
        assert!(error.to_string().contains(part), "{part} in: {error}");
    }
    assert_eq!(world.check().len(), 10, "everything before it is visible, nothing behind");
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(10));
}

/// `errors.tolerance=all` without a reporter.
#[tokio::test(start_paused = true)]
async fn all_without_reporter_counts_and_goes_on() {
    let mut world = world();
    let mut worker = world.worker(&options(ErrantPolicy::Log));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
    assert_eq!(worker.metrics()["errants"], 1);
    let log = world.check_log(0);
    let errant = log.iter().find(|record| record.skipped.0.contains_key("errant")).unwrap();
    let start = errant.start_offset.unwrap();
    assert_eq!(errant.skipped_offsets["errant"], [10 - start], "its offset is on record");
}

/// `errors.tolerance=all` with a reporter.
#[tokio::test(start_paused = true)]
async fn all_with_reporter_reports_before_the_cut_that_skips() {
    let mut world = world();
    let mut worker = world.worker(&options(ErrantPolicy::Report));
    worker.acknowledge = false;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    assert_eq!(worker.reported.len(), 1);
    assert!(worker.reported[0].reason.contains("offset=10"), "{:?}", worker.reported[0]);
    assert!(!world.check().contains_key(&(tp(0), 11)), "the cut waits for the report");

    // The report's future never comes; after the restart it does.
    worker.crash().await;
    let mut worker = world.worker(&options(ErrantPolicy::Report));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    world.check_all(0);
    assert_eq!(worker.reported.len(), 1, "reported again: the queue is at least once");
    assert!(worker.lent.is_empty(), "the frame of an errant record comes back too");
}

#[tokio::test(start_paused = true)]
async fn too_many_errants_fail_the_task() {
    let mut world = World::new();
    for _ in 0..500 {
        world.kafka.append(&tp(0), Entry::Record(Some(b"[]".to_vec())));
    }
    let mut worker = world.worker(&options(ErrantPolicy::Report));
    worker.poll_records = 50;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert!(error.to_string().contains("errant.max.ratio=0.5"), "{error}");
    assert!(worker.reported.len() <= 150, "{} drained", worker.reported.len());
}
