//! Which topic, cluster and log this is, as Kafka's admin client tells it.

use crate::ownership::until_fatal;
use crate::world::{META, Options, World, tp};
use alluvium_core::error::Kind;
use alluvium_core::log::{LogRecord, TopicGeneration, TopicIds};
use alluvium_core::position::TopicPartition;
use alluvium_core::recover::GroupOffset;
use alluvium_testkit::connect::Worker;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn admin() -> Options {
    Options::default().with("admin.bootstrap.servers", "kafka:9092")
}

fn in_cluster(id: &str, mut world: World) -> World {
    world.kafka.cluster_id = Some(id.to_owned());
    world
}

/// Polls without holding the table against Kafka: a topic's former life is not there any more.
pub(crate) async fn turns(world: &World, worker: &mut Worker, time: Duration) {
    for _ in 0..time.as_millis() / 100 {
        worker.iterate(&world.kafka).expect("the task goes on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn json<T: serde::de::DeserializeOwned>(world: &World, key: &str) -> T {
    serde_json::from_slice(&world.memory.object(&format!("{META}/v1/{key}")).expect(key)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_topic_partition_waits_for_its_facts_and_the_others_go_on() {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&admin());
    worker.admin.away = true;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 120 * SECOND).await;
    assert!(worker.is_paused(&tp(0)), "nothing is known of it");
    assert!(world.log(0, "sink").is_empty(), "and nothing is claimed");
    assert_eq!(worker.admin.asked, 1, "asked once");
    worker.admin.away = false;
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn ids_are_written_down_where_they_are_known() {
    let mut world = in_cluster("k1", World::new().with_rows(0, 5));
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    let named = |record: &LogRecord| (record.topic_id.clone(), record.cluster_id.clone());
    let ids = (Some("orders#1".to_owned()), Some("k1".to_owned()));
    assert!(world.check_log(0).iter().all(|record| named(record) == ids));
    let object: TopicGeneration = json(&world, "topics/orders/0001.json");
    assert_eq!((object.topic_id, object.cluster_id), ids);
}

/// The first owner had no admin client; its generation object cannot be changed any more.
#[tokio::test(start_paused = true)]
async fn the_first_owner_that_knows_the_ids_writes_them_down() {
    let mut world = in_cluster("k1", World::new().with_rows(0, 5));
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    assert_eq!(world.log(0, "sink").last().unwrap().topic_id, None);

    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    let ids: TopicIds = json(&world, "topics/orders/0001/ids.json");
    assert_eq!(
        (ids.topic_id.as_deref(), ids.cluster_id.as_deref()),
        (Some("orders#1"), Some("k1"))
    );
    assert_eq!(world.check_log(0).last().unwrap().topic_id, ids.topic_id);

    // From then on another life of the topic is told from this one.
    world.kafka.recreate("orders");
    world.kafka.insert(&tp(0), 7);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    assert_eq!(json::<TopicGeneration>(&world, "topics/orders/0002.json").start, Some(0));
}

#[tokio::test(start_paused = true)]
async fn another_cluster_is_refused_by_name_before_anything_is_claimed() {
    let mut world = in_cluster("k1", World::new().with_rows(0, 5));
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    let before = world.log(0, "sink").len();

    let world = in_cluster("k2", world);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Ownership);
    assert!(
        error.to_string().contains("cluster k1") && error.to_string().contains("k2"),
        "{error}"
    );
    assert_eq!(world.log(0, "sink").len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_not_the_last_owners_is_refused_unless_bootstrap_is_said() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.commit(&mut world.group);
    let committed = worker.admin.committed.clone();
    worker.crash().await;

    // The same group on another worker's own folder.
    let other = World { kafka: world.kafka.clone(), group: world.group.clone(), ..World::new() };
    let mut worker = other.worker(&admin());
    worker.admin.committed = committed.clone();
    worker.assign(&[tp(0)], &other.kafka, &other.group);
    let error = until_fatal(&other, &mut worker).await;
    assert_eq!(error.kind(), Kind::Ownership);
    assert!(error.to_string().contains(&committed[&tp(0)].metadata), "{error}");
    assert!(error.to_string().contains("log.bootstrap=true"), "{error}");
    assert!(other.log(0, "sink").is_empty());

    let mut worker = other.worker(&admin().with("log.bootstrap", true));
    worker.admin.committed = committed.clone();
    worker.assign(&[tp(0)], &other.kafka, &other.group);
    turns(&other, &mut worker, 3 * SECOND).await;
    assert!(!other.log(0, "sink").is_empty());

    // On the right one all is well.
    let mut worker = world.worker(&admin());
    worker.admin.committed = committed;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_lacks_what_the_group_was_told_of_is_refused() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 3 * SECOND).await;
    worker.crash().await;
    let head = world.log(0, "sink").last().unwrap().clone();
    let mut worker = world.worker(&admin());
    let metadata = format!("alluvium/{}/{}", head.log_id, head.seq + 1);
    worker.admin.committed.insert(tp(0), GroupOffset { offset: 5, metadata });
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut worker).await;
    assert_eq!(error.kind(), Kind::Ownership);
    assert!(error.to_string().contains("backup"), "{error}");
}

/// A sink of another id may share the table, for other topics; each has logs of its own.
#[tokio::test(start_paused = true)]
async fn two_sinks_of_different_topics_share_a_table() {
    let customers = TopicPartition::new("customers", 0);
    let mut world = World::new().with_rows(0, 10);
    (0..7).for_each(|id| _ = world.kafka.insert(&customers, id));
    let mut one = world.worker(&admin());
    let mut two = world.worker(&Options { sink_id: "customers-lake", ..admin() });
    one.assign(&[tp(0)], &world.kafka, &world.group);
    two.assign(std::slice::from_ref(&customers), &world.kafka, &world.group);
    for _ in 0..30 {
        world.run(&mut one, SECOND / 10).await;
        world.run(&mut two, SECOND / 10).await;
    }
    world.check_all(0);
    two.crash().await;
    let mut thief = world.worker(&Options { sink_id: "customers-lake", ..admin() });
    thief.assign(&[tp(0)], &world.kafka, &world.group);
    let error = until_fatal(&world, &mut thief).await;
    assert!(error.to_string().contains("'sink' already lays topic orders down"), "{error}");
}

/// Partitions are added and tasks are: topic-partitions move, logs do not.
#[tokio::test(start_paused = true)]
async fn partitions_and_tasks_are_added_while_rows_flow() {
    let mut world = World::new().with_rows(0, 40).with_rows(1, 40);
    let mut workers = vec![world.worker(&admin())];
    workers[0].assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut workers[0], SECOND / 2).await;
    for partition in 2..5 {
        (0..20).for_each(|id| _ = world.kafka.insert(&tp(partition), id));
        workers[0].assign(&[tp(partition)], &world.kafka, &world.group);
        let mut joined = world.worker(&admin());
        let moved = [tp(partition - 2), tp(partition)];
        workers[0].revoke(&moved, &mut world.group, crate::world::CLOSE).await;
        joined.assign(&moved, &world.kafka, &world.group);
        workers.push(joined);
        for _ in 0..20 {
            for worker in &mut workers {
                world.run(worker, SECOND / 10).await;
            }
        }
    }
    world.check_all(0);
    for partition in 0..5 {
        let log = world.check_log(partition);
        let rows = if partition < 2 { 40 } else { 20 };
        assert_eq!(log.last().unwrap().next_offset, Some(rows), "{partition}");
        assert!(log.iter().all(|record| record.log_id == log[0].log_id), "one log");
    }
}
