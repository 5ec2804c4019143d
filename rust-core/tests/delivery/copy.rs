//! `publish.mode=copy`: files are staged as objects beside the commit log, and copied.

use crate::ownership::until_fatal;
use crate::world::{META, Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::store::PublishMode;
use alluvium_testkit::{Fault, Op};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn copying() -> Options {
    Options::default().with("publish.mode", "copy")
}

fn staged(world: &World) -> Vec<String> {
    let folder = format!("{META}/staging/");
    world.memory.keys().into_iter().filter(|key| key.starts_with(&folder)).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_arrive_once_and_nothing_stays_staged() {
    let mut world = World::new().with_rows(0, 25);
    let (mut worker, store) = world.faulty_worker(&copying());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 20 * SECOND).await;
    world.check_all(0);
    assert_eq!(staged(&world), [] as [&str; 0]);
    assert_eq!(store.count(Op::Complete), 0, "small files are staged by one request");
    assert_eq!(world.memory.open_uploads(), []);
    let log = world.check_log(0);
    let files: Vec<_> = log.iter().flat_map(|record| &record.files).collect();
    assert!(!files.is_empty());
    for file in &files {
        assert_eq!(file.mode, PublishMode::Copy);
        let folder = format!("{META}/staging/{:08}/", log[0].epoch);
        assert!(file.staging_key.as_ref().unwrap().starts_with(&folder), "{file:?}");
    }
    assert!(log.last().unwrap().unsettled.is_empty());
    // Staged, recorded, copied, looked at, taken out of staging, and only then settled.
    let seen = store.requests();
    let place = |op, key: &str| seen.iter().position(|r| r.op == op && r.key == key).unwrap();
    let keys = |seq| alluvium_core::log::LogKeys::new(META, "sink", &tp(0), 1).record(seq);
    let commit = log.iter().find(|record| !record.files.is_empty()).unwrap();
    let (file, from) = (&commit.files[0].key, commit.files[0].staging_key.as_ref().unwrap());
    let order = [
        place(Op::Put, from),
        place(Op::Create, &keys(commit.seq)),
        place(Op::Copy, file),
        place(Op::Head, file),
        place(Op::Delete, from),
        place(Op::Create, &keys(commit.seq + 1)),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_recovered_whether_or_not_it_was_copied() {
    for (op, part, recovered) in [(Op::Copy, "", 1), (Op::Delete, "/staging/", 0)] {
        let mut world = World::new().with_rows(0, 10);
        let (mut worker, store) = world.faulty_worker(&copying());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        let hold = store.hold(op, part);
        world.run(&mut worker, 3 * SECOND).await;
        hold.reached().await;
        assert_eq!(staged(&world).len(), 1, "{op:?}");
        worker.crash().await;
        // The next owner publishes by the record, whatever its own way is.
        let mut heir = world.worker(&Options::default());
        heir.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut heir, SECOND).await;
        world.check_all(0);
        assert_eq!(heir.metrics()["recovered_files"], recovered, "{op:?}");
        assert_eq!(staged(&world), [] as [&str; 0], "{op:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_completed_by_an_owner_that_copies() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Complete, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    worker.crash().await;
    let mut heir = world.worker(&copying());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, SECOND).await;
    world.check_all(0);
}

/// Once settled, files are their readers': an owner that stood still must not bring one back.
#[tokio::test(start_paused = true)]
async fn a_late_copy_brings_nothing_back() {
    let mut world = World::new().with_rows(0, 10);
    let (mut zombie, store) = world.faulty_worker(&copying());
    zombie.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Copy, "");
    world.run(&mut zombie, 3 * SECOND).await;
    hold.reached().await;
    let mut heir = world.worker(&copying());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, 20 * SECOND).await;
    assert!(world.check_log(0).last().unwrap().unsettled.is_empty());
    let compacted: Vec<String> =
        world.memory.keys().into_iter().filter(|key| key.ends_with(".parquet")).collect();
    assert_eq!(compacted.len(), 1);
    world.memory.remove(&compacted[0]);
    hold.release();
    tokio::time::sleep(60 * SECOND).await;
    let left = world.memory.keys().into_iter().filter(|key| key.ends_with(".parquet")).count();
    assert_eq!(left, 0, "the copy came back");
}

#[tokio::test(start_paused = true)]
async fn a_staged_object_that_is_gone_is_lost_after_a_quarter_of_an_hour() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&copying());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Copy, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    for key in staged(&world) {
        world.memory.remove(&key);
    }
    hold.release();
    let began = tokio::time::Instant::now();
    let error = loop {
        if let Err(error) = worker.iterate(&world.kafka) {
            break error;
        }
        tokio::time::sleep(SECOND).await;
    };
    let waited = began.elapsed();
    assert!((15 * 60..20 * 60).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(error.kind(), Kind::LostUpload);
    let gone = format!("upload={META}/staging/");
    assert!(error.to_string().contains(&gone), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_staged_object_that_may_not_be_deleted_stops_by_name() {
    let world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&copying());
    store.always_on(Op::Delete, "/staging/", Fault::Deny);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Store, "{error}");
    assert!(error.to_string().contains(&format!("key={META}/staging/")), "{error}");
    let log = world.log(0, "sink");
    assert_eq!(log.last().unwrap().unsettled.len(), 1, "not settled: the next open tries again");
}

#[tokio::test(start_paused = true)]
async fn files_that_were_never_recorded_leave_nothing_staged() {
    let mut world = World::new().with_rows(0, 10);
    let options = copying().with("file.max.records", 3).with("commit.interval.ms", 600_000);
    let mut worker = world.worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND).await;
    let sealed = staged(&world);
    assert_eq!(sealed.len(), 3);
    worker.forget(&[tp(0)]);
    worker.assign(&[], &world.kafka, &world.group);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND).await;
    let now = staged(&world);
    assert_eq!(now.len(), 3, "read and staged again");
    assert!(sealed.iter().all(|key| !now.contains(key)), "the first ones were given up");
}
