//! A topic that is deleted and created again: its offsets begin at 0 once more, and every row of
//! both lives is visible.

use crate::identity::{admin, turns};
use crate::world::{CLOSE, Options, TABLE, World, tp};
use alluvium_core::log::RecordKind;
use alluvium_testkit::Op;
use alluvium_testkit::connect::Worker;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn insert(world: &mut World, partition: i32, rows: std::ops::Range<i64>) {
    rows.for_each(|id| _ = world.kafka.insert(&tp(partition), id));
}

/// How often each of the offsets `0..` of a topic-partition is visible.
fn times(world: &mut World, partition: i32) -> Vec<u32> {
    let visible = world.reader.read(&world.memory, TABLE).unwrap();
    let of = |(at, _): &((_, i64), u32)| at.0 == tp(partition);
    visible.into_iter().filter(of).map(|(_, times)| times).collect()
}

/// The consumer is reset, since its position lies behind the new end.
#[tokio::test(start_paused = true)]
async fn while_it_is_read_what_was_taken_is_committed_and_a_new_generation_begins() {
    let mut world = World::new().with_rows(0, 30);
    let mut worker = world.worker(&admin().with("commit.interval.ms", 600_000));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    assert!(world.check().is_empty(), "taken, not committed");
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    worker.jump(&tp(0), 0);
    turns(&world, &mut worker, 10 * SECOND).await;
    worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;

    assert_eq!(times(&mut world, 0), [[2; 5].as_slice(), &[1; 25]].concat());
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(30));
    let log = world.log_of(0, "sink", 2);
    assert_eq!(log[0].next_offset, Some(0), "known, without a first record");
    assert_eq!(log.last().unwrap().next_offset, Some(5));
    assert_eq!(log[0].topic_id.as_deref(), Some("orders#2"));
    assert_ne!(log[0].log_id, world.log(0, "sink")[0].log_id);
}

/// The former life's rows are in nobody's hands but ours: a slow store is waited for.
#[tokio::test(start_paused = true)]
async fn a_slow_store_is_waited_for_before_the_former_life_is_left() {
    let mut world = World::new().with_rows(0, 30);
    let (mut worker, store) = world.faulty_worker(&admin().with("commit.interval.ms", 600_000));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    let hold = store.hold(Op::PutPart, "");
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    worker.jump(&tp(0), 0);
    turns(&world, &mut worker, 30 * SECOND).await;
    hold.reached().await;
    assert!(world.log_of(0, "sink", 2).is_empty(), "not yet");
    hold.release();
    turns(&world, &mut worker, 10 * SECOND).await;
    worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;
    assert_eq!(times(&mut world, 0), [[2; 5].as_slice(), &[1; 25]].concat());
}

#[tokio::test(start_paused = true)]
async fn while_nobody_reads_it_is_seen_though_it_has_grown_past_the_old_offsets() {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    worker.commit(&mut world.group);
    let committed = worker.admin.committed.clone();
    worker.crash().await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..150);
    let mut worker = world.worker(&admin());
    // Kafka may still hold the group's offset in the former life.
    worker.admin.committed = committed;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 5 * SECOND).await;
    assert_eq!(times(&mut world, 0), [[2; 10].as_slice(), &[1; 40]].concat());
}

/// Nothing is delivered: the position of the consumer lies behind the new end. The ids are read
/// again every minute, of each topic-partition.
#[tokio::test(start_paused = true)]
async fn it_is_noticed_within_a_minute_by_every_topic_partition() {
    let mut world = World::new().with_rows(0, 10).with_rows(1, 7);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    insert(&mut world, 1, 100..103);
    turns(&world, &mut worker, 70 * SECOND).await;
    assert_eq!(times(&mut world, 0), [[2; 5], [1; 5]].concat());
    assert_eq!(times(&mut world, 1), [[2; 3].as_slice(), &[1; 4]].concat());
    assert_eq!(worker.metrics()["regressions"], 0);
}

/// A broker whose metadata are behind tells the former life's id.
#[tokio::test(start_paused = true)]
async fn an_earlier_lifes_id_is_not_believed() {
    let mut world = World::new().with_rows(0, 10);
    let before = world.kafka.clone();
    world.kafka.recreate("orders");
    let first = World { kafka: before.clone(), memory: world.memory.clone(), ..World::new() };
    for each in [&first, &world] {
        let mut worker = each.worker(&admin());
        worker.assign(&[tp(0)], &each.kafka, &each.group);
        turns(each, &mut worker, 3 * SECOND).await;
        worker.crash().await;
    }
    let records = |world: &World| (world.log(0, "sink").len(), world.log_of(0, "sink", 2).len());
    let claimed = records(&world);
    assert!(claimed.0 > 0 && claimed.1 > 0, "{claimed:?}");

    let mut worker = first.worker(&admin());
    worker.assign(&[tp(0)], &first.kafka, &first.group);
    turns(&first, &mut worker, 20 * SECOND).await;
    assert_eq!(records(&world), claimed, "nothing is claimed");
    assert!(
        worker.is_paused(&tp(0)) && worker.admin.asked > 3,
        "asked {} times",
        worker.admin.asked
    );
    insert(&mut world, 0, 100..105);
    turns(&world, &mut worker, 5 * SECOND).await;
    assert_eq!(times(&mut world, 0), [[2; 5], [1; 5]].concat());
}

/// Two tasks find out at the same time: one creates the generation, the other reads it.
#[tokio::test(start_paused = true)]
async fn two_tasks_agree_on_the_new_generation() {
    let mut world = World::new().with_rows(0, 10).with_rows(1, 10);
    let mut workers: Vec<Worker> = (0..2).map(|_| world.worker(&admin())).collect();
    for (partition, worker) in (0..).zip(&mut workers) {
        worker.assign(&[tp(partition)], &world.kafka, &world.group);
    }
    for life in 0..3 {
        for _ in 0..700 {
            for worker in &mut workers {
                worker.iterate(&world.kafka).unwrap();
            }
            tokio::time::sleep(SECOND / 10).await;
        }
        let generation = life + 1;
        for partition in 0..2 {
            let log = world.log_of(partition, "sink", generation);
            assert_eq!(log.last().unwrap().next_offset, Some(10), "{partition} of {generation}");
        }
        assert!(world.log_of(0, "sink", generation + 1).is_empty());
        world.kafka.recreate("orders");
        insert(&mut world, 0, 0..10);
        insert(&mut world, 1, 0..10);
    }
}

/// Without an admin client the offsets alone tell, and only while they go backwards.
#[tokio::test(start_paused = true)]
async fn without_an_admin_client_it_stops_by_name() {
    let mut world = World::new().with_rows(0, 30);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    worker.jump(&tp(0), 0);
    let error = crate::ownership::until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), alluvium_core::error::Kind::OffsetRegression);
}

/// Truncated, and the same topic: nobody knows which rows are which.
#[tokio::test(start_paused = true)]
async fn a_topic_that_was_truncated_stops_by_name_with_an_admin_client_too() {
    let mut world = World::new().with_rows(0, 30);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    world.kafka.create(&tp(0), 0);
    insert(&mut world, 0, 100..105);
    worker.jump(&tp(0), 0);
    let error = crate::ownership::until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), alluvium_core::error::Kind::OffsetRegression);
    assert!(error.to_string().contains("orders-0"), "{error}");
    assert!(world.log(0, "sink").iter().all(|record| record.kind != RecordKind::Loss));
}

/// The record landed, its owner died, and the topic went with it: the rows are still to be seen.
#[tokio::test(start_paused = true)]
async fn a_recorded_commit_of_the_former_life_is_published() {
    let mut world = World::new().with_rows(0, 10);
    let (mut worker, store) = world.faulty_worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Complete, "");
    turns(&world, &mut worker, 3 * SECOND).await;
    hold.reached().await;
    assert!(world.check().is_empty(), "recorded, not published");
    worker.crash().await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    assert_eq!(times(&mut world, 0), [[2; 5], [1; 5]].concat());
    let former = world.check_log(0);
    assert!(former.last().unwrap().unsettled.is_empty(), "and that is durable");
}

/// A worker that Kafka forgot still has rows of the topic's former life, or of the new one: both
/// would be doubled.
#[tokio::test(start_paused = true)]
async fn a_zombie_in_the_former_generation_is_fenced() {
    let mut world = World::new().with_rows(0, 10);
    let (mut zombie, store) = world.faulty_worker(&admin());
    zombie.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut zombie, SECOND / 2).await;
    let hold = store.hold(Op::Create, "/logs/");
    hold.reached().await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..105);
    let mut heir = world.worker(&admin());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut heir, 3 * SECOND).await;
    hold.release();
    turns(&world, &mut heir, 3 * SECOND).await;
    assert_eq!(zombie.metrics()["fenced_total"], 1);
    assert_eq!(times(&mut world, 0), [1; 5]);
    world.check_log(0);
}

/// The new life grew past the position before anybody looked: what was taken since may be of
/// either, and must not be laid down twice.
#[tokio::test(start_paused = true)]
async fn what_may_be_of_either_life_is_dropped_and_read_again() {
    let mut world = World::new().with_rows(0, 30);
    let mut worker = world.worker(&admin().with("commit.interval.ms", 600_000));
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    world.kafka.recreate("orders");
    insert(&mut world, 0, 100..150);
    turns(&world, &mut worker, 70 * SECOND).await;
    worker.revoke(&[tp(0)], &mut world.group, CLOSE).await;
    assert_eq!(times(&mut world, 0), [1; 50]);
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(0));
    assert_eq!(world.log_of(0, "sink", 2).last().unwrap().next_offset, Some(50));
}
