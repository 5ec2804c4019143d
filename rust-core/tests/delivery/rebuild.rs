//! `lost.upload=rebuild`: commits whose uploads the store expired before they were visible are laid
//! down anew, once, whoever dies or stands still meanwhile; or they stop by name.

use crate::identity::admin;
use crate::world::{Options, World, tp};
use alluvium_core::error::{Error, Kind};
use alluvium_core::log::{LogRecord, RecordKind};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::{Doom, Fault, FaultyStore, Op};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn rebuilding() -> Options {
    admin().with("lost.upload", "rebuild")
}

/// Turns of five seconds: a lost upload is believed after a quarter of an hour.
async fn minutes(world: &mut World, worker: &mut Worker, minutes: u32) -> Result<(), Error> {
    for _ in 0..minutes {
        for _ in 0..12 {
            worker.iterate(&world.kafka)?;
            tokio::time::sleep(5 * SECOND).await;
        }
        world.check();
    }
    Ok(())
}

/// Two files of rows 10 to 19 are on record, and none is visible when their owner dies.
async fn recorded_and_not_visible() -> (World, Vec<String>) {
    let mut world = World::new().with_rows(0, 10);
    let options = rebuilding().with("file.max.records", 5);
    let (mut worker, store) = world.faulty_worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
    store.always_on(Op::Complete, "", Fault::FailBefore);
    (0..10).for_each(|id| _ = world.kafka.insert(&tp(0), id));
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    let head = world.check_log(0).pop().unwrap();
    assert_eq!((head.kind, head.files.len()), (RecordKind::Commit, 2));
    let uploads = head.files.into_iter().map(|file| file.upload_id).collect();
    (world, uploads)
}

async fn all_expired() -> World {
    let (world, uploads) = recorded_and_not_visible().await;
    uploads.iter().for_each(|id| world.memory.expire_upload(id));
    world
}

fn rebuilds(log: &[LogRecord]) -> Vec<(Option<i64>, Option<i64>)> {
    let found = log.iter().filter(|record| record.kind == RecordKind::Rebuild);
    found.map(|record| (record.start_offset, record.next_offset)).collect()
}

fn whole(world: &mut World) -> Vec<LogRecord> {
    world.check_all(0);
    let log = world.check_log(0);
    assert_eq!(log.last().unwrap().next_offset, Some(20));
    assert!(log.last().unwrap().unsettled.is_empty());
    log
}

#[tokio::test(start_paused = true)]
async fn expired_uploads_are_read_again_from_kafka() {
    let mut world = all_expired().await;
    let mut worker = world.worker(&rebuilding());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    minutes(&mut world, &mut worker, 14).await.unwrap();
    assert_eq!(world.check().len(), 10, "a large completion may be at work");
    minutes(&mut world, &mut worker, 4).await.unwrap();
    let log = whole(&mut world);
    assert_eq!(rebuilds(&log), [(Some(20), Some(10))]);
    assert_eq!(worker.metrics()["lost_uploads"], 1);
    // Nobody waits a second time.
    worker.crash().await;
    let mut worker = world.worker(&rebuilding());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    minutes(&mut world, &mut worker, 1).await.unwrap();
    assert!(!worker.is_paused(&tp(0)));
    whole(&mut world);
}

/// The task of the commit itself goes on, without a person.
#[tokio::test(start_paused = true)]
async fn an_owner_that_lives_lays_its_own_commit_down_anew() {
    let mut world = World::new().with_rows(0, 20);
    let (mut worker, store) = world.faulty_worker(&rebuilding());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Complete, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    world.memory.expire_uploads(Duration::ZERO);
    hold.release();
    minutes(&mut world, &mut worker, 40).await.unwrap();
    let log = whole(&mut world);
    assert_eq!(rebuilds(&log), [(Some(20), Some(0))]);
}

#[tokio::test(start_paused = true)]
async fn without_it_an_expired_upload_stops_by_name() {
    let mut world = all_expired().await;
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = minutes(&mut world, &mut worker, 20).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LostUpload, "{error}");
    assert!(error.to_string().contains("lost.upload=rebuild"), "{error}");
    assert_eq!(rebuilds(&world.check_log(0)), []);
}

/// What is visible would be laid down twice.
#[tokio::test(start_paused = true)]
async fn a_commit_of_which_a_file_is_visible_stops_by_name() {
    let (mut world, uploads) = recorded_and_not_visible().await;
    world.memory.expire_upload(&uploads[0]);
    let mut worker = world.worker(&rebuilding());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = minutes(&mut world, &mut worker, 20).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LostUpload, "{error}");
    for part in ["orders-0", "1 of 2 files of the commit are visible", "first_offset=1"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert_eq!(world.check().len(), 15, "the other file became visible");
    assert_eq!(rebuilds(&world.check_log(0)), []);
}

#[tokio::test(start_paused = true)]
async fn what_kafka_has_no_longer_stops_by_name() {
    let mut world = all_expired().await;
    world.kafka.expire(&tp(0), 11);
    let mut worker = world.worker(&rebuilding());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let mut error = None;
    for _ in 0..20 * 60 {
        error = worker.iterate(&world.kafka).err();
        if error.is_some() {
            break;
        }
        tokio::time::sleep(SECOND).await;
    }
    let error = error.expect("the task fails");
    assert_eq!(error.kind(), Kind::LostUpload, "{error}");
    for part in ["orders-0", "Kafka has expired the records up to 11", "start=10"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert_eq!(rebuilds(&world.check_log(0)), [], "the log still names what was lost");
}

/// Without a word of Kafka nobody knows; the configuration is refused before.
#[test]
fn it_needs_an_admin_client_and_fencing() {
    use alluvium_core::config::Config;
    let parse = |more: &[(&str, &str)]| {
        let all = [("lake.url", "s3://b/t"), ("lost.upload", "rebuild")];
        let keys = all.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::parse(&keys.collect(), "sink")
    };
    let admin = ("admin.bootstrap.servers", "kafka:9092");
    assert!(parse(&[admin]).unwrap().rebuild_lost);
    let unfenced = ("delivery.guarantee", "at_least_once");
    for (more, word) in [(&[][..], "admin.bootstrap.servers"), (&[admin, unfenced], "exactly_once")]
    {
        let error = Error::from(parse(more).unwrap_err()).to_string();
        assert!(error.contains("lost.upload") && error.contains(word), "{error}");
    }
}

/// The owner that rebuilds dies at each of its first requests, and at each that names one of the
/// records it writes, sent or not; the next one finishes.
#[tokio::test(start_paused = true)]
async fn an_owner_that_dies_at_any_request_is_followed_by_one_that_finishes() {
    let head = all_expired().await.check_log(0).last().unwrap().seq;
    let first = (0..14).map(|skip| (String::new(), skip));
    let records = (head + 1..head + 5).flat_map(|seq| [(key_of(seq), 0), (key_of(seq), 1)]);
    let mut deaths = 0;
    for (part, skip) in first.chain(records) {
        for doom in [Doom::DieBefore, Doom::DieAfter] {
            let mut world = all_expired().await;
            let (mut worker, store) = world.faulty_worker(&rebuilding());
            store.doom(doom, &part, skip);
            worker.assign(&[tp(0)], &world.kafka, &world.group);
            minutes(&mut world, &mut worker, 18).await.unwrap();
            deaths += u32::from(store.is_dead());
            worker.crash().await;
            let mut heir = world.worker(&rebuilding());
            heir.assign(&[tp(0)], &world.kafka, &world.group);
            minutes(&mut world, &mut heir, 18).await.unwrap();
            let times = rebuilds(&whole(&mut world)).len();
            assert_eq!(times, 1, "{doom:?} at {part} {skip}");
        }
    }
    assert!(deaths > 30, "{deaths} deaths");
}

fn key_of(seq: u64) -> String {
    format!("/{:020}.json", u64::MAX - seq)
}

/// One of two owners stands still at its `rebuild` record; the other goes on.
#[tokio::test(start_paused = true)]
async fn of_two_owners_that_rebuild_one_is_fenced_and_no_row_is_there_twice() {
    for (doom, slow_first) in
        [(Doom::StallBefore, true), (Doom::StallAfter, true), (Doom::StallBefore, false)]
    {
        let mut world = all_expired().await;
        let (mut slow, store) = world.faulty_worker(&rebuilding());
        let mut quick = world.worker(&rebuilding());
        let (one, other) =
            if slow_first { (&mut slow, &mut quick) } else { (&mut quick, &mut slow) };
        // Its claim comes first or second, the rebuild behind it.
        let seq = world.check_log(0).last().unwrap().seq + if slow_first { 2 } else { 3 };
        store.doom(doom, &key_of(seq), 0);
        one.assign(&[tp(0)], &world.kafka, &world.group);
        minutes(&mut world, one, 5).await.unwrap();
        other.assign(&[tp(0)], &world.kafka, &world.group);
        for _ in 0..30 {
            minutes(&mut world, one, 1).await.unwrap();
            minutes(&mut world, other, 1).await.unwrap();
        }
        store.wake();
        store.heal();
        for _ in 0..20 {
            minutes(&mut world, &mut slow, 1).await.unwrap();
        }
        let log = whole(&mut world);
        let times = rebuilds(&log).len();
        assert!(times == 1, "{doom:?}, {slow_first}: {times} times");
    }
}

/// Objects staged beside the log, which a rule expired.
#[tokio::test(start_paused = true)]
async fn staged_objects_that_expired_are_read_again_too() {
    let mut world = World::new().with_rows(0, 20);
    let options = rebuilding().with("publish.mode", "copy");
    let (mut worker, store) = world.faulty_worker(&options);
    store.always_on(Op::Copy, "", Fault::FailBefore);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    for key in world.memory.keys().into_iter().filter(|key| key.contains("/staging/")) {
        world.memory.remove(&key);
    }
    let mut worker = world.worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    minutes(&mut world, &mut worker, 18).await.unwrap();
    let log = whole(&mut world);
    assert_eq!(rebuilds(&log), [(Some(20), Some(0))]);
    let left = world.memory.keys().into_iter().filter(|key| key.contains("/staging/")).count();
    assert_eq!(left, 0);
}

/// An owner that stood still between its record and its completions cannot make them visible later.
#[tokio::test(start_paused = true)]
async fn the_lost_commits_own_zombie_publishes_nothing() {
    let mut world = World::new().with_rows(0, 20);
    let (mut zombie, store): (Worker, Arc<FaultyStore>) = world.faulty_worker(&rebuilding());
    let hold = store.hold(Op::Complete, "");
    zombie.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut zombie, 3 * SECOND).await;
    hold.reached().await;
    world.memory.expire_uploads(Duration::ZERO);
    let mut heir = world.worker(&rebuilding());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    minutes(&mut world, &mut heir, 18).await.unwrap();
    let log = whole(&mut world);
    assert_eq!(rebuilds(&log), [(Some(20), Some(0))]);
    hold.release();
    minutes(&mut world, &mut zombie, 20).await.unwrap();
    whole(&mut world);
}
