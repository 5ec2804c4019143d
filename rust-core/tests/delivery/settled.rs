//! How long a commit takes on a real S3 server (SeaweedFS as a process): a measurement, so it is
//! ignored unless asked for (`docs/performance.md` has the command).

use crate::world::{META, Options, World, tp};
use alluvium_core::commit::LogAccess;
use alluvium_core::log::LogKeys;
use alluvium_core::position::TopicPartition;
use alluvium_core::store::{Created, Store, open};
use alluvium_core::upkeep::history;
use alluvium_testkit::connect::Worker;
use alluvium_testkit::kafka::{Entry, event};
use alluvium_testkit::weed::Weed;
use std::sync::Arc;
use std::time::{Duration, Instant};

const COMMITS: usize = 50;

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

/// From the `put` that fills a cut to the `preCommit` that may answer its offset: parsing,
/// encoding, uploads, the record, the head check, publishing.
async fn cuts(
    world: &mut World,
    worker: &mut Worker,
    tp: &TopicPartition,
    files: i64,
) -> Vec<Duration> {
    let mut times = Vec::new();
    worker.poll_records = files as usize;
    for _ in 0..COMMITS {
        for hour in 0..files {
            world.kafka.append(tp, Entry::Record(Some(event(hour, hour * 3_600))));
        }
        let end = world.kafka.partition(tp).unwrap().end();
        let began = Instant::now();
        while world.group.get(tp) != Some(&end) {
            worker.iterate(&world.kafka).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            worker.commit(&mut world.group);
            assert!(began.elapsed() < Duration::from_secs(30), "not settled");
        }
        times.push(began.elapsed());
    }
    times
}

/// Goes on until old records are archived beside commits, and reads the log back.
async fn archived(store: &Arc<dyn Store>, world: &mut World, worker: &mut Worker) {
    let mut times = Vec::new();
    for _ in 0..3 {
        times.extend(cuts(world, worker, &tp(0), 1).await);
    }
    let (middle, longest) = median(times);
    println!("1 file, archiving beside it: median {middle:?}, longest {longest:?} of 150");
    let keys = LogKeys::new(META, "sink", &tp(0), 1);
    let log = LogAccess { store: Arc::clone(store), keys, metrics: Arc::default() };
    let began = Instant::now();
    while worker.metrics()["archived_blocks"] != 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < Duration::from_secs(30), "two blocks of 200 records");
    }
    let (mut history, mut records) = (history(&log).await.unwrap(), 0);
    while let Some(record) = history.next().await.unwrap() {
        records += 1;
        assert!(record.seq > 1 || record.prev.is_none());
    }
    assert!(records > 4 * COMMITS, "{records}: back to the first record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement on a real store"]
async fn from_a_cut_to_settled_on_seaweedfs() {
    let weed = Weed::shared();
    let store = open(&weed.config("s3://lake/cdc", &[])).unwrap().meta.store;
    for (partition, files) in [(0, 1), (1, 24)] {
        let mut world = World::new();
        world.kafka.create(&tp(partition), 0);
        let options = Options::default().with("commit.max.records", files);
        let options = options.with("commit.interval.ms", 60_000);
        let mut worker = world.worker_on(store.clone(), &options);
        worker.assign(&[tp(partition)], &world.kafka, &world.group);
        let times = cuts(&mut world, &mut worker, &tp(partition), files).await;
        let (middle, longest) = median(times);
        println!("{files} files: median {middle:?}, longest {longest:?} of {COMMITS}");
        if files == 1 {
            archived(&store, &mut world, &mut worker).await;
        }
        worker.crash().await;
    }
}

/// The head check must not grow with the archive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement on a real store"]
async fn a_head_check_on_seaweedfs_after_100_000_commits() {
    let weed = Weed::shared();
    let store = open(&weed.config("s3://lake/cdc", &[])).unwrap().meta.store;
    for (sink, live, blocks) in [("young", 3, 0), ("mid", 100, 0), ("old", 100, 1_563)] {
        let keys = LogKeys::new(META, sink, &tp(0), 1);
        let records = (1..=live).map(|seq| keys.record(100_000 + seq));
        for key in records.chain((0..blocks).map(|block| keys.archive(block))) {
            assert!(matches!(store.create(&key, "x".into()).await, Created::Done));
        }
        let log = LogAccess { store: Arc::clone(&store), keys, metrics: Arc::default() };
        let mut times = Vec::new();
        for _ in 0..COMMITS {
            let began = Instant::now();
            log.verify(100_000 + live).await.unwrap();
            times.push(began.elapsed());
        }
        let (middle, longest) = median(times);
        let mut pages = Vec::new();
        for _ in 0..COMMITS {
            let began = Instant::now();
            log.store.list(log.keys.prefix(), None).await.unwrap();
            pages.push(began.elapsed());
        }
        let (page, _) = median(pages);
        println!(
            "{live} live records, {blocks} blocks: median {middle:?}, longest {longest:?}; \
             a whole page: median {page:?}"
        );
    }
}
