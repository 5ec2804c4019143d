//! Many short lives under a store that fails at random: the same core, one thread, stopped time.

use crate::world::{CLOSE, Options, World, tp};
use alluvium_core::log::Blocks;
use alluvium_core::task::ErrantPolicy;
use alluvium_testkit::FaultyStore;
use alluvium_testkit::connect::Worker;
use alluvium_testkit::faulty::Rates;
use alluvium_testkit::kafka::Entry;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 60;

/// Seeds run by default; `ALLUVIUM_SEEDS=from..to` replays or goes on.
#[test]
fn rows_are_visible_once_whatever_the_store_does() {
    let range = std::env::var("ALLUVIUM_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let (mut records, mut rows, mut lives, mut blocks) = (0, 0, 0, 0);
    for seed in range.unwrap_or(0..SEEDS) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        fastrand::seed(seed);
        println!("seed {seed}");
        let (seen, l) = runtime.block_on(one_seed(seed, &options()));
        records += seen.records;
        rows += seen.rows;
        blocks += seen.blocks;
        lives += l;
    }
    alluvium_testkit::counted(&format!("records={records} rows={rows} kills={lives}"));
    println!("blocks archived {blocks}");
    assert!(records > rows && rows > 0 && lives > 0 && blocks > 0);
}

#[derive(Default)]
pub(crate) struct Seen {
    records: usize,
    pub(crate) rows: usize,
    /// Of the archive.
    blocks: usize,
}

/// What was in Kafka, and how many owners died.
pub(crate) async fn one_seed(seed: u64, options: &Options) -> (Seen, usize) {
    let mut rng = fastrand::Rng::with_seed(seed);
    // Small blocks: old records are archived while all this goes on.
    let mut world = World { blocks: Blocks::for_tests(4), ..World::new() };
    let mut workers: Vec<(Worker, Arc<FaultyStore>)> = Vec::new();
    let tps = [tp(0), tp(1)];
    for id in 0..rng.i64(1..60) {
        let partition = rng.i32(0..2);
        produce(&mut world, &mut rng, partition, id);
    }
    let mut lives = 0;
    for step in 0..rng.usize(20..120) {
        match rng.u8(0..100) {
            0..=4 if workers.len() < 3 => {
                lives += 1;
                let (mut worker, store) = world.faulty_worker(options);
                store.seed(rng.u64(..), Rates::ROUGH);
                worker.assign(&tps, &world.kafka, &world.group);
                workers.push((worker, store));
            }
            5..=7 if !workers.is_empty() => {
                let (worker, _) = workers.swap_remove(rng.usize(..workers.len()));
                worker.crash().await;
            }
            8..=10 if !workers.is_empty() => {
                let at = rng.usize(..workers.len());
                let worker = &mut workers[at].0;
                let tp = &tps[rng.usize(..2)];
                if worker.assignment().contains(tp) && rng.bool() {
                    let tps = std::slice::from_ref(tp);
                    let turn = worker.iterate_losing(tps, &world.kafka, CLOSE).await;
                    turn.expect("no fault is fatal");
                    worker.commit(&mut world.group);
                } else if worker.assignment().contains(tp) {
                    worker.revoke(std::slice::from_ref(tp), &mut world.group, CLOSE).await;
                } else {
                    worker.assign(std::slice::from_ref(tp), &world.kafka, &world.group);
                }
            }
            11..=30 => produce(&mut world, &mut rng, step as i32 % 2, step as i64),
            _ => {
                for (worker, _) in &mut workers {
                    worker.iterate(&world.kafka).expect("no fault is fatal");
                    if rng.u8(0..10) == 0 {
                        worker.commit(&mut world.group);
                    }
                }
                tokio::time::sleep(Duration::from_millis(rng.u64(1..800))).await;
            }
        }
        world.check();
    }
    for (worker, _) in workers {
        worker.crash().await;
    }
    // Late requests of the dead land now or never.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mut heir = world.worker(options);
    heir.assign(&tps, &world.kafka, &world.group);
    world.run(&mut heir, Duration::from_secs(30)).await;
    let mut seen = Seen { blocks: world.archived(), ..Seen::default() };
    for partition in world.kafka.topic_partitions().filter_map(|tp| world.kafka.partition(tp)) {
        seen.records += partition.records();
        seen.rows += partition.row_offsets().len();
    }
    if seen.rows > 0 {
        world.check_all(0);
    }
    world.check_log(0);
    world.check_log(1);
    (seen, lives)
}

pub(crate) fn options() -> Options {
    Options { errants: ErrantPolicy::Report, ..Options::default() }
        .with("commit.max.records", 7)
        .with("errant.max.ratio", 1)
}

fn produce(world: &mut World, rng: &mut fastrand::Rng, partition: i32, id: i64) {
    match rng.u8(0..20) {
        0 => _ = world.kafka.append(&tp(partition), Entry::Gap),
        1 => _ = world.kafka.append(&tp(partition), Entry::Record(None)),
        2 => _ = world.kafka.append(&tp(partition), Entry::Record(Some(b"broken".to_vec()))),
        // Spread over hours: several files a cut.
        _ => {
            let value = alluvium_testkit::kafka::event(id, rng.i64(0..4) * 3600);
            _ = world.kafka.append(&tp(partition), Entry::Record(Some(value)));
        }
    }
}
