//! A topic that is started over while its sink runs, stands still, or was stopped half way.

use crate::world::{CLOSE, META, Options, TABLE, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::log::{LogKeys, LogRecord, RecordKind};
use alluvium_core::recover::{self, Identity};
use alluvium_core::store::{Lake, Location};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::{Fault, Op};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn lake(world: &World) -> Lake {
    let location = |prefix: &str| Location {
        store: Arc::new(world.memory.clone()),
        prefix: prefix.to_owned(),
    };
    Lake { table: location(TABLE), meta: location(META) }
}

fn identity(sink_id: &str) -> Arc<Identity> {
    let (sink_id, table_url) = (sink_id.to_owned(), "s3://bucket/lake/cdc".to_owned());
    Arc::new(Identity { sink_id, table_url, ..Identity::default() })
}

async fn forget(world: &World) -> recover::Forgotten {
    recover::forget(&lake(world), &identity("sink"), "orders", &|| 7).await.unwrap()
}

/// The log of a generation, oldest first.
fn log(world: &World, partition: i32, generation: u32) -> Vec<LogRecord> {
    let keys = LogKeys::new(META, "sink", &tp(partition), generation);
    let mut log: Vec<LogRecord> = world
        .memory
        .keys()
        .iter()
        .filter(|key| keys.seq(key).is_some())
        .map(|key| LogRecord::from_bytes(key, &world.memory.object(key).unwrap()).unwrap())
        .collect();
    log.sort_by_key(|record| record.seq);
    log
}

/// Without the world's check: rows of two generations may be the same.
async fn run(world: &World, worker: &mut Worker, time: Duration) {
    for _ in 0..time.as_millis() / 100 {
        worker.iterate(&world.kafka).expect("the task goes on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn rows(log: &[LogRecord]) -> u64 {
    log.iter().map(|record| record.rows).sum()
}

#[tokio::test(start_paused = true)]
async fn a_stopped_sink_goes_on_at_the_groups_offset_in_the_next_generation() {
    let mut world = World::new().with_rows(0, 20).with_rows(1, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.revoke(&[tp(0), tp(1)], &mut world.group, CLOSE).await;
    worker.crash().await;

    let forgotten = forget(&world).await;
    assert_eq!((forgotten.closed, forgotten.begun), (1, 2));
    assert_eq!(forgotten.logs, [(tp(0), Some(20)), (tp(1), Some(5))]);
    let closed = log(&world, 0, 1).pop().unwrap();
    assert_eq!((closed.kind, closed.next_offset), (RecordKind::Closed, Some(20)));
    assert!(closed.unsettled.is_empty());
    let before: Vec<String> = world.memory.keys();

    for id in 20..30 {
        world.kafka.insert(&tp(0), id);
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
    let second = log(&world, 0, 2);
    assert_eq!(rows(&second), 10);
    assert_eq!(second[1].start_offset, Some(20), "the first offset delivered: {second:#?}");
    let gone = |key: &&String| world.memory.object(key).is_none();
    assert_eq!(before.iter().filter(gone).count(), 0, "nothing is deleted");
}

#[tokio::test(start_paused = true)]
async fn a_running_sink_is_fenced_and_lays_its_assignment_down_again() {
    let mut world = World::new().with_rows(0, 20);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    forget(&world).await;
    let closed = log(&world, 0, 1);
    world.kafka.insert(&tp(0), 20);
    run(&world, &mut worker, 30 * SECOND).await;
    assert_eq!(log(&world, 0, 1), closed, "nobody writes behind a closed log");
    let second = log(&world, 0, 2);
    assert_eq!(second.last().unwrap().next_offset, Some(21));
    assert_eq!((second[1].start_offset, rows(&second)), (Some(0), 21));
    assert_eq!(worker.metrics()["fenced_total"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_nobody_published_is_visible_before_its_log_is_closed() {
    let mut world = World::new().with_rows(0, 20);
    let (mut worker, faulty) = world.faulty_worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    faulty.always_on(Op::Complete, "", Fault::FailBefore);
    world.run(&mut worker, 3 * SECOND).await;
    assert!(world.check().is_empty(), "recorded, and not visible");
    worker.crash().await;
    forget(&world).await;
    world.check_all(0);
    assert!(log(&world, 0, 1).iter().any(|record| record.kind == RecordKind::Commit));
}

#[tokio::test(start_paused = true)]
async fn what_was_closed_half_way_is_closed_by_the_next_try() {
    let mut world = World::new().with_rows(0, 20).with_rows(1, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.revoke(&[tp(0), tp(1)], &mut world.group, CLOSE).await;
    worker.crash().await;
    forget(&world).await;
    // As after a crash before the new generation was there.
    world.memory.remove(&format!("{META}/v1/topics/orders/0002.json"));
    let closed = (log(&world, 0, 1), log(&world, 1, 1));
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    run(&world, &mut worker, 20 * SECOND).await;
    assert_eq!(world.check().len(), 25, "the sink waits for the new generation");
    assert_eq!(forget(&world).await.begun, 2);
    assert_eq!((log(&world, 0, 1), log(&world, 1, 1)), closed, "closed once");
    world.kafka.insert(&tp(1), 5);
    run(&world, &mut worker, 60 * SECOND).await;
    world.check_all(0);
    assert_eq!(rows(&log(&world, 1, 2)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_another_sink_or_of_no_sink_is_left_alone() {
    let mut world = World::new().with_rows(0, 3);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    let before = world.memory.keys();
    let lake = lake(&world);
    let error = recover::forget(&lake, &identity("other"), "orders", &|| 7).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Ownership);
    let error = recover::forget(&lake, &identity("sink"), "nothing", &|| 7).await.unwrap_err();
    assert_eq!(error.context("topic"), Some("nothing"));
    assert_eq!(world.memory.keys(), before);
}
