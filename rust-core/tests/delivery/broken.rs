//! Traces that once lost rows, stopped a topic-partition for good or let memory grow.

use crate::ownership::until_fatal;
use crate::world::{CLOSE, Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::position::TopicPartition;
use alluvium_core::task::ErrantPolicy;
use alluvium_testkit::kafka::{Entry, event};
use alluvium_testkit::{Fault, Op};
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Connect carries a seek asked for in `close` out a whole turn later: the `put` of the turn in
/// between must not take it for done, or `preCommit` believes a position from before the seek.
#[tokio::test(start_paused = true)]
async fn a_log_claimed_again_while_another_partition_is_closed_loses_nothing() {
    let mut world = World::new().with_rows(0, 40).with_rows(1, 5);
    let mut worker = world.worker(&Options::default().with("commit.interval.ms", 3_000));
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND).await;
    assert!(world.check().is_empty(), "taken, not committed");
    let mut other = world.worker(&Options::default().with("commit.interval.ms", 600_000));
    other.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut other, SECOND).await;
    other.crash().await;
    // Its cut is fenced and the log claimed again, while the task thread is in a long poll.
    tokio::time::sleep(20 * SECOND).await;
    worker.iterate_losing(&[tp(1)], &world.kafka, CLOSE).await.unwrap();
    worker.commit(&mut world.group);
    world.run(&mut worker, 10 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

/// One poll of more bytes than the task may hold: nothing but working on it frees memory.
#[tokio::test(start_paused = true)]
async fn a_batch_larger_than_the_memory_limit_does_not_stop_the_task() {
    let mut world = World::new();
    for id in 0..20 {
        world.kafka.append(&tp(0), Entry::Record(Some(large_event(id, 0, &"x".repeat(1 << 20)))));
    }
    let options = Options::default().with("memory.limit.bytes", 16 << 20);
    let mut worker = world.worker(&options);
    worker.poll_records = 20;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 10 * SECOND).await;
    world.check_all(0);
}

/// What uploads have collected for a part does not leave by itself: only sealing frees it.
#[tokio::test(start_paused = true)]
async fn memory_filled_by_parts_that_never_fill_is_freed() {
    let mut world = World::new();
    let mut random = fastrand::Rng::with_seed(1);
    for id in 0..300 {
        let noise: String =
            std::iter::repeat_with(|| random.alphanumeric()).take(1 << 17).collect();
        let value = large_event(id, (id % 3) * 3_600, &noise);
        world.kafka.append(&tp(0), Entry::Record(Some(value)));
    }
    let options = Options::default()
        .with("memory.limit.bytes", 16 << 20)
        .with("parquet.row.group.rows", 5)
        .with("partition.path", "h={event_time:%H}")
        .with("commit.interval.ms", 3_600_000);
    let mut worker = world.worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 20 * SECOND).await;
    assert_eq!(worker.metrics()["records"], 300, "{}", worker.metrics());
}

fn large_event(id: i64, second: i64, text: &str) -> Vec<u8> {
    let event = String::from_utf8(event(id, second)).unwrap();
    event.replace(&format!("row {id}"), text).into_bytes()
}

/// Errant records keep their frames: while the dead letter queue is away they must not pile up.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_that_is_away_pauses_the_consumer() {
    let mut world = World::new();
    for _ in 0..20_000 {
        world.kafka.append(&tp(0), Entry::Record(Some(b"[]".to_vec())));
    }
    let options = Options { errants: ErrantPolicy::Report, ..Options::default() };
    let mut worker = world.worker(&options.with("errant.max.ratio", 1));
    worker.acknowledge = false;
    worker.poll_records = 100;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.kafka.insert(&tp(0), 0);
    for _ in 0..400 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    assert!(worker.is_paused(&tp(0)), "{} frames are held", worker.lent.len());
    assert!(worker.lent.len() <= 30, "{} frames are held", worker.lent.len());
    worker.acknowledge = true;
    worker.acknowledge_all();
    for _ in 0..400 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    assert!(worker.lent.is_empty());
    world.check_all(0);
}

/// A topic-partition that never saw a record has nothing that could be waited for.
#[tokio::test(start_paused = true)]
async fn an_empty_partition_does_not_delay_the_fatal_error() {
    let mut world = World::new().with_rows(0, 5);
    world.kafka.create(&tp(1), 0);
    world.kafka.append(&tp(0), Entry::Record(Some(b"broken".to_vec())));
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    let start = Instant::now();
    assert_eq!(until_fatal(&world, &mut worker).await.kind(), Kind::BadRecord);
    assert!(start.elapsed() < 10 * SECOND, "{:?}", start.elapsed());
    world.check_all(0);
}

/// Recorded, and then the store refuses completions for good: not a warning for ever.
#[tokio::test(start_paused = true)]
async fn a_completion_refused_for_good_fails_by_name_and_is_recovered() {
    let mut world = World::new().with_rows(0, 5);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    store.always_on(Op::Complete, "", Fault::Deny);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.to_string().contains("orders-0"), "{error}");
    worker.crash().await;
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(5), "it was recorded");
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
}

/// A file system takes 255 bytes in a name, and finds out at the rename: after the record.
#[tokio::test(start_paused = true)]
async fn the_longest_topic_name_gives_file_names_a_file_system_takes() {
    let mut world = World::new();
    let long = TopicPartition::new("t".repeat(249), 99_999);
    world.kafka.insert(&long, 0);
    let mut worker = world.worker(&Options::default());
    worker.assign(std::slice::from_ref(&long), &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
    for key in world.memory.keys() {
        assert!(key.split('/').all(|name| name.len() <= 255), "{key}");
    }
}

/// A worker that is gone sends nothing any more.
#[tokio::test(start_paused = true)]
async fn uploads_of_a_task_that_ended_end_too() {
    let mut world = World::new().with_rows(0, 5);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    store.always_on(Op::PutPart, "", Fault::FailBefore);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 5 * SECOND).await;
    worker.crash().await;
    tokio::time::sleep(SECOND / 100).await;
    let before = store.count(Op::PutPart);
    assert!(before > 0, "a cut was under way");
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(store.count(Op::PutPart), before);
}

/// All is paused, so no frame is sent: the end of the pipeline must be seen all the same.
#[test]
fn a_pipeline_that_ended_is_told_while_all_is_paused() {
    let pipelines = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let mut worker = {
        let _runtime = pipelines.enter();
        world.worker(&Options::default())
    };
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    worker.iterate(&world.kafka).unwrap();
    drop(pipelines);
    assert_eq!(worker.iterate(&world.kafka).unwrap_err().kind(), Kind::Poisoned);
}

/// Connect may fail to call `close`: an earlier assignment must not fence the present one.
#[tokio::test(start_paused = true)]
async fn a_partition_assigned_twice_has_one_owner() {
    let mut world = World::new().with_rows(0, 30);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND / 2).await;
    worker.forget(&[tp(0)]);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 60 * SECOND).await;
    world.check_all(0);
    assert_eq!(worker.metrics()["fenced_total"], 0);
    assert_eq!(worker.metrics()["open_partitions"], 1);
}

/// The log is listed, then another owner begins it, then its marker is looked at.
#[tokio::test(start_paused = true)]
async fn a_log_begun_by_another_owner_meanwhile_is_not_taken_for_a_lost_one() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    let hold = store.hold(Op::Head, ".started");
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    hold.reached().await;
    let mut other = world.worker(&Options::default());
    other.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut other, 2 * SECOND).await;
    other.crash().await;
    hold.release();
    world.kafka.insert(&tp(0), 10);
    world.run(&mut worker, 10 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

/// A listing that is behind: an empty one and a marker are no proof that the log was deleted.
#[tokio::test(start_paused = true)]
async fn a_log_that_a_late_listing_does_not_show_is_not_taken_for_a_lost_one() {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND / 2).await;
    worker.crash().await;
    for key in world.memory.keys().iter().filter(|key| key.contains("/logs/")) {
        let record = world.memory.object(key).unwrap();
        world.memory.remove(key);
        let (memory, key) = (world.memory.clone(), key.clone());
        tokio::spawn(async move {
            tokio::time::sleep(3 * SECOND).await;
            memory.overwrite(&key, record);
        });
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 20 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}

/// An owner stood still with a part on its way, and the store expired the upload: that is read
/// again, and no reason to fail.
#[tokio::test(start_paused = true)]
async fn an_upload_that_expires_with_parts_on_their_way_is_read_again() {
    let mut world = World::new().with_rows(0, 10);
    let options = Options::default().with("upload.max.age.ms", 60_000);
    let (mut worker, store) = world.faulty_worker(&options);
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::PutPart, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    world.run(&mut worker, 130 * SECOND).await;
    assert_eq!(world.memory.expire_uploads(120 * SECOND).len(), 1);
    hold.release();
    world.run(&mut worker, 60 * SECOND).await;
    world.check_all(0);
    assert_eq!(worker.metrics()["fenced_total"], 1);
}
