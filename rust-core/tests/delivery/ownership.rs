//! Two owners of one topic-partition: zombies, duels, foreign sinks, lost logs.

use crate::world::{CLOSE, META, Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_testkit::Op;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A worker that Kafka forgot goes on writing while its successor works.
#[tokio::test(start_paused = true)]
async fn a_zombie_is_fenced_and_nothing_is_doubled() {
    let mut world = World::new().with_rows(0, 60);
    let (mut zombie, zombie_store) = world.faulty_worker(&Options::default());
    zombie.assign(&[tp(0)], &world.kafka, &world.group);
    // Claimed, sought, resumed, and a batch taken.
    world.run(&mut zombie, SECOND / 2).await;
    assert_ne!(zombie.metrics()["records"], 0);
    // It stalls just before its commit record is sent.
    let hold = zombie_store.hold(Op::Create, "/logs/");
    hold.reached().await;

    let mut heir = world.worker(&Options::default());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, 5 * SECOND).await;
    world.check_all(0);

    hold.release();
    tokio::time::sleep(SECOND).await;
    world.check_all(0);
    let fenced = zombie.metrics()["fenced_total"].clone();
    assert_eq!(fenced, 1, "the zombie found out");
    world.check_log(0);
}

/// The record landed, the reply did not, the owner died: the next one publishes.
#[tokio::test(start_paused = true)]
async fn a_recorded_commit_is_published_by_the_next_owner() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Complete, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    assert!(world.check().is_empty(), "recorded, not published");
    worker.crash().await;

    let mut heir = world.worker(&Options::default());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, SECOND).await;
    world.check_all(0);
    assert_eq!(heir.metrics()["recovered_files"], 1);
}

#[tokio::test(start_paused = true)]
async fn two_live_claimers_end_with_every_row_once() {
    let mut world = World::new().with_rows(0, 50);
    let mut one = world.worker(&Options::default());
    let mut two = world.worker(&Options::default());
    one.assign(&[tp(0)], &world.kafka, &world.group);
    two.assign(&[tp(0)], &world.kafka, &world.group);
    for _ in 0..100 {
        world.run(&mut one, Duration::from_millis(100)).await;
        world.run(&mut two, Duration::from_millis(100)).await;
    }
    two.lose(&[tp(0)], CLOSE).await;
    world.run(&mut one, 600 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

#[tokio::test(start_paused = true)]
async fn another_sink_id_on_the_same_topic_and_table_is_refused_by_name() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    let mut other = world.worker(&Options { sink_id: "renamed", ..Options::default() });
    other.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut other).await;
    assert_eq!(error.kind(), Kind::Ownership);
    assert!(error.to_string().contains("sink.id=sink"), "{error}");
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_somebody_deleted_is_refused_unless_bootstrap_is_said() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    worker.crash().await;
    for key in world.memory.keys().iter().filter(|k| k.starts_with(&format!("{META}/v1/logs"))) {
        world.memory.remove(key);
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Log);
    assert!(error.to_string().contains("log.bootstrap=true"), "{error}");

    let mut worker = world.worker(&Options::default().with("log.bootstrap", true));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    // Not before it is sure that the listing was not only behind.
    for _ in 0..200 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    assert_eq!(world.log(0, "sink").last().unwrap().next_offset, Some(5));
}

/// A listing that is behind names a head that has followers: the claim meets the first of them and
/// reads on from there, instead of waiting for the listing.
#[tokio::test(start_paused = true)]
async fn a_claim_that_meets_a_record_reads_on_behind_a_listing_that_is_late() {
    let mut world = World::new().with_rows(0, 10);
    let mut owner = world.worker(&Options::default());
    owner.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut owner, 3 * SECOND).await;
    world.memory.freeze_listing();
    world.kafka.insert(&tp(0), 10);
    world.run(&mut owner, 3 * SECOND).await;
    let head = world.log(0, "sink").last().unwrap().seq;
    let mut heir = world.worker(&Options::default());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, 10 * SECOND).await;
    let log = world.log(0, "sink");
    assert_eq!(log.last().unwrap().seq, head + 1, "claimed behind what no listing shows");
    world.memory.thaw_listing();
    world.run(&mut heir, 60 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

pub(crate) async fn until_fatal(
    world: &World,
    worker: &mut alluvium_testkit::connect::Worker,
) -> alluvium_core::error::Error {
    for _ in 0..1_000 {
        if let Err(error) = worker.iterate(&world.kafka) {
            return error;
        }
        tokio::time::sleep(SECOND / 10).await;
    }
    panic!("the task did not fail");
}
