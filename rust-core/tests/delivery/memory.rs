//! `memory.limit.bytes` holds, whatever the number of open hours.

use crate::world::{Options, World, tp};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::kafka::{Entry, event};
use alluvium_testkit::{Fault, Op};
use std::time::Duration;

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 16 * MIB;
/// A frame that is already delivered is taken, and one slice of it may be appended.
const SLACK: u64 = 2 * MIB;

/// 4,000 rows of 10 KB that hardly compress, over 200 hours: two and a half times the limit.
fn world() -> World {
    let mut world = World::new();
    let mut random = fastrand::Rng::with_seed(1);
    for id in 0..4_000 {
        let note: String = std::iter::repeat_with(|| random.alphanumeric()).take(10_000).collect();
        let value = String::from_utf8(event(id, (id % 200) * 3_600)).unwrap();
        let value = value.replacen(r#""name":"row "#, &format!(r#""name":"{note}"#), 1);
        world.kafka.append(&tp(0), Entry::Record(Some(value.into_bytes())));
    }
    world
}

/// Polls for a while; gives the most memory and the most open files seen.
async fn poll(world: &World, worker: &mut Worker, polls: u32) -> (u64, u64) {
    let (mut memory, mut files) = (0, 0);
    for _ in 0..polls {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let metrics = worker.metrics();
        memory = memory.max(metrics["memory_used"].as_u64().unwrap());
        files = files.max(metrics["open_files"].as_u64().unwrap());
    }
    (memory, files)
}

fn options() -> Options {
    Options::default()
        .with("memory.limit.bytes", LIMIT)
        .with("commit.interval.ms", 60_000)
        .with("commit.max.files", 10_000)
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_open_hours_stay_within_the_limit() {
    let mut world = world();
    let mut worker = world.worker(&options());
    worker.poll_records = 100;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let (most, files) = poll(&world, &mut worker, 300).await;
    println!("at most {most} bytes, {files} open files, limit {LIMIT}");
    assert!(most <= LIMIT + SLACK, "{most} bytes of {LIMIT}");
    assert!(files > 10, "the limit was not the only thing that kept files few");
    poll(&world, &mut worker, 1_200).await;
    world.check_all(0);
    world.check_log(0);
}

/// Sealing frees nothing while the store takes nothing: then the consumer waits.
#[tokio::test(start_paused = true)]
async fn with_the_store_away_the_consumer_waits_within_the_limit() {
    let mut world = world();
    let (mut worker, store) = world.faulty_worker(&options());
    worker.poll_records = 100;
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    poll(&world, &mut worker, 10).await;
    for op in [Op::StartUpload, Op::PutPart] {
        store.always_on(op, "", Fault::FailBefore);
    }
    let (most, _) = poll(&world, &mut worker, 600).await;
    println!("at most {most} bytes of {LIMIT} with the store away");
    assert!(most <= LIMIT + SLACK, "{most} bytes of {LIMIT}");
    store.heal();
    poll(&world, &mut worker, 3_000).await;
    world.check_all(0);
    world.check_log(0);
}
