//! Offsets altered over REST: noted first, carried out at the next open where Connect did change
//! the group.

use crate::identity::{admin, turns};
use crate::world::{Options, TABLE, World, lake_on, tp};
use alluvium_core::error::{Kind, Result};
use alluvium_core::log::{RecordKind, Target};
use alluvium_core::recover::{GroupOffset, request_reset};
use alluvium_core::store::Store;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Twenty rows, of which the first ten are committed; the connector is stopped.
async fn stopped() -> World {
    let mut world = World::new().with_rows(0, 10);
    let mut worker = world.worker(&admin());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(&world, &mut worker, 3 * SECOND).await;
    worker.crash().await;
    (10..20).for_each(|id| _ = world.kafka.insert(&tp(0), id));
    world
}

async fn alter(world: &World, options: &Options, offset: Option<i64>) -> Result<()> {
    let target = Target { topic: "orders".to_owned(), partition: 0, offset };
    let store: Arc<dyn Store> = Arc::new(world.memory.clone());
    request_reset(&lake_on(&store), options.identity(), vec![target], 0).await
}

/// A task runs for a while; the group stands where Connect put it, or where a sink did.
async fn run(world: &World, options: &Options, group: Option<(i64, &str)>) {
    let mut worker = world.worker(options);
    if let Some((offset, metadata)) = group {
        let metadata = metadata.to_owned();
        worker.admin.committed.insert(tp(0), GroupOffset { offset, metadata });
    }
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turns(world, &mut worker, 5 * SECOND).await;
    worker.crash().await;
}

fn resets(world: &World) -> Vec<(Option<i64>, Option<i64>)> {
    let log = world.check_log(0);
    let found = log.iter().filter(|record| record.kind == RecordKind::Reset);
    found.map(|record| (record.start_offset, record.next_offset)).collect()
}

fn times(world: &mut World) -> Vec<(i64, u32)> {
    let visible = world.reader.read(&world.memory, TABLE).unwrap();
    visible.into_iter().map(|((_, offset), times)| (offset, times)).collect()
}

#[tokio::test(start_paused = true)]
async fn forward_skips_and_says_so_once() {
    let mut world = stopped().await;
    alter(&world, &admin(), Some(15)).await.unwrap();
    for _ in 0..2 {
        run(&world, &admin(), Some((15, ""))).await;
        assert_eq!(resets(&world), [(Some(10), Some(15))]);
    }
    let expected: Vec<(i64, u32)> = (0..10).chain(15..20).map(|offset| (offset, 1)).collect();
    assert_eq!(times(&mut world), expected);
    let log = world.check_log(0);
    let reset = log.iter().find(|record| record.kind == RecordKind::Reset).unwrap();
    assert_eq!(reset.gaps.sum, 5, "the skipped range is on record");
    assert!(log.last().unwrap().carry.contains_key("resets"));
}

/// REST answered 500: we had agreed, the group was not changed.
#[tokio::test(start_paused = true)]
async fn a_wish_that_connect_did_not_carry_out_is_dropped() {
    let mut world = stopped().await;
    let log = world.log(0, "sink").last().unwrap().clone();
    alter(&world, &admin(), Some(15)).await.unwrap();
    let ours = format!("alluvium/{}/{}", log.log_id, log.seq);
    run(&world, &admin(), Some((10, &ours))).await;
    // Nor later, when somebody moves the group by hand to just there.
    run(&world, &admin(), Some((15, ""))).await;
    assert_eq!(resets(&world), []);
    world.check_all(0);
}

#[tokio::test(start_paused = true)]
async fn back_needs_rewind_allowed_and_then_rows_are_there_twice() {
    let mut world = stopped().await;
    let error = alter(&world, &admin(), Some(4)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    for part in ["orders-0", "from 10 to 4", "rewind.allowed=true"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    let rewind = admin().with("rewind.allowed", true);
    alter(&world, &rewind, Some(4)).await.unwrap();
    run(&world, &admin(), Some((4, ""))).await;
    assert_eq!(resets(&world), [], "the task must be allowed to, too");
    alter(&world, &rewind, Some(4)).await.unwrap();
    run(&world, &rewind, Some((4, ""))).await;
    assert_eq!(resets(&world), [(Some(20), Some(4))]);
    let expected: Vec<(i64, u32)> =
        (0..20).map(|offset| (offset, if offset < 4 { 1 } else { 2 })).collect();
    assert_eq!(times(&mut world), expected);
}

#[tokio::test(start_paused = true)]
async fn a_reset_to_nowhere_begins_where_the_consumer_does() {
    let world = stopped().await;
    let error = alter(&world, &admin(), None).await.unwrap_err();
    assert!(error.to_string().contains("from 10 to null"), "{error}");
    let store: Arc<dyn Store> = Arc::new(world.memory.clone());
    let all = request_reset(&lake_on(&store), admin().identity(), Vec::new(), 0).await;
    assert!(all.unwrap_err().to_string().contains("rewind.allowed=true"), "DELETE of everything");

    let rewind = admin().with("rewind.allowed", true);
    alter(&world, &rewind, None).await.unwrap();
    let log = world.log(0, "sink").last().unwrap().clone();
    let ours = format!("alluvium/{}/{}", log.log_id, log.seq);
    run(&world, &rewind, Some((10, &ours))).await;
    assert_eq!(resets(&world), [], "the group's offset is still there");
    alter(&world, &rewind, None).await.unwrap();
    run(&world, &rewind, None).await;
    assert_eq!(resets(&world), [(Some(20), None)]);
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(20));
}

#[tokio::test(start_paused = true)]
async fn without_logs_anything_may_be_reset() {
    let world = World::new().with_rows(0, 20);
    let store: Arc<dyn Store> = Arc::new(world.memory.clone());
    request_reset(&lake_on(&store), admin().identity(), Vec::new(), 0).await.unwrap();
    alter(&world, &admin(), Some(15)).await.unwrap();
    alter(&world, &admin(), Some(12)).await.unwrap();
    run(&world, &admin(), Some((12, ""))).await;
    assert_eq!(resets(&world), [(None, Some(12))], "the later wish counts");
    assert_eq!(world.check_log(0).last().unwrap().next_offset, Some(20));
}
