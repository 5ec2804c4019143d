//! A task whose store was not tried yet: it opens nothing before, waits however long the store is
//! away, and fails by name when the store cannot be trusted.

use crate::identity::admin;
use crate::ownership::until_fatal;
use crate::world::{Options, TABLE, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::store::PublishMode;
use alluvium_testkit::said::Said;
use alluvium_testkit::{Fault, MemoryStore, Op, Personality};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Level;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_waited_for_with_a_reason() {
    let said = Said::from(Level::WARN);
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.untried_worker(&Options::default());
    for op in [Op::Get, Op::Head, Op::List, Op::Create] {
        store.always_on(op, "", Fault::FailBefore);
    }
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 600 * SECOND).await;
    assert!(worker.is_paused(&tp(0)));
    let waits = said.with("the store cannot be tried yet");
    assert!(waits.len() > 50, "at least every ten seconds: {}", waits.len());
    assert!(waits.iter().all(|line| line.contains("cut") && line.contains("s3://")), "{waits:?}");
    assert_eq!(store.count(Op::Create), 0, "nothing is claimed in a store that was not tried");
    store.heal();
    world.run(&mut worker, 15 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

/// What stood still is let go: Connect must not wait for a store that is away.
#[tokio::test(start_paused = true)]
async fn topic_partitions_come_and_go_while_the_store_is_away() {
    let mut world = World::new().with_rows(0, 10).with_rows(1, 10);
    let (mut worker, store) = world.untried_worker(&Options::default());
    store.always_on(Op::List, "", Fault::FailBefore);
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, 20 * SECOND).await;
    let began = Instant::now();
    worker.revoke(&[tp(1)], &mut world.group, 3 * SECOND).await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    store.heal();
    world.run(&mut worker, 20 * SECOND).await;
    let visible = world.reader.read(&world.memory, TABLE).unwrap();
    assert_eq!(visible.len(), 10, "one of two: {visible:?}");
    assert_eq!(world.log(1, "sink"), [], "what was taken away is not claimed");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_trusted_fails_the_task_by_name_soon() {
    for (personality, rule) in
        [(Personality::GCS_INTEROP, "P1"), (Personality::OLD_SEAWEEDFS, "P2")]
    {
        let world = World::on(MemoryStore::new(personality)).with_rows(0, 10);
        let (mut worker, _) = world.untried_worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        let began = Instant::now();
        let error = until_fatal(&world, &mut worker).await;
        assert_eq!(error.kind(), Kind::Config);
        for part in [rule, "exactly-once is impossible here", "at_least_once"] {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
        assert!(began.elapsed() < 5 * SECOND, "{:?}", began.elapsed());
        let keys = world.memory.keys();
        assert!(keys.iter().all(|key| !key.contains("/logs/")), "nothing is claimed: {keys:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_keys_fail_the_task_by_name_soon_partitions_or_not() {
    for tps in [&[tp(0)][..], &[]] {
        let world = World::new().with_rows(0, 10);
        let (mut worker, store) = world.untried_worker(&Options::default());
        for op in [Op::Get, Op::Head, Op::List, Op::Create, Op::Delete] {
            store.always_on(op, "", Fault::Deny);
        }
        worker.assign(tps, &world.kafka, &world.group);
        let began = Instant::now();
        let error = until_fatal(&world, &mut worker).await;
        assert_eq!(error.kind(), Kind::Store);
        assert!(error.to_string().contains("access denied"), "{error}");
        assert!(began.elapsed() < 5 * SECOND, "{:?}", began.elapsed());
    }
}

/// Topic-partitions that were assigned before the trial ended go by what it found.
#[tokio::test(start_paused = true)]
async fn what_the_trial_finds_is_how_files_become_visible() {
    let no_uploads = Personality { no_uploads: true, ..Personality::AWS };
    for (personality, mode, foretold) in [
        (no_uploads, PublishMode::Copy, false),
        (Personality::AWS, PublishMode::Mpu, true),
        (Personality::KMS, PublishMode::Mpu, false),
    ] {
        let mut world = World::on(MemoryStore::new(personality)).with_rows(0, 10);
        let (mut worker, _) = world.untried_worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, 10 * SECOND).await;
        world.check_all(0);
        let log = world.check_log(0);
        let files: Vec<_> = log.iter().flat_map(|record| &record.files).collect();
        assert!(!files.is_empty());
        for file in files {
            assert_eq!((file.mode, file.etag.is_some()), (mode, foretold), "{file:?}");
        }
    }
}

/// Facts from before a long outage are not what a log is opened by.
#[tokio::test(start_paused = true)]
async fn kafka_is_asked_again_when_the_store_was_away_for_long() {
    for (away, asked) in [(5, 1), (300, 2)] {
        let mut world = World::new().with_rows(0, 10);
        let (mut worker, store) = world.untried_worker(&admin());
        store.always_on(Op::List, "", Fault::FailBefore);
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, away * SECOND).await;
        assert_eq!(worker.admin.asked, 1, "while it is away");
        store.heal();
        world.run(&mut worker, 15 * SECOND).await;
        assert_eq!(worker.admin.asked, asked, "away for {away} s");
        world.check_all(0);
    }
}
