//! What an open costs, and what a commit: requests, counted and by name. After 100,000 commits as
//! after one.

use crate::world::{META, Options, TABLE, World, tp};
use alluvium_core::log::{BlockWriter, LogKeys, LogRecord};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::kafka::{Entry, event};
use alluvium_testkit::{FaultyStore, Op, Request};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// Requests by name, and how many of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bill(BTreeMap<&'static str, usize>);

impl Bill {
    fn of(requests: &[Request]) -> Self {
        let mut bill = Self::default();
        requests.iter().for_each(|request| *bill.0.entry(name(request)).or_default() += 1);
        bill
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }

    fn with(mut self, name: &'static str, times: usize) -> Self {
        self.0.insert(name, times);
        self
    }
}

impl std::fmt::Display for Bill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(name, n)| format!("{n} {name}")).collect();
        write!(f, "{} = {}", self.total(), parts.join(", "))
    }
}

fn name(request: &Request) -> &'static str {
    let key = request.key.strip_prefix(META).unwrap_or(&request.key);
    match request.op {
        Op::List if key.starts_with("/v1/topics/") => "LIST topic",
        Op::Get if key.starts_with("/v1/topics/") => "GET generation",
        Op::Create if key.ends_with(".started") => "PUT marker",
        Op::List if key.starts_with("/v1/logs/") => "LIST log",
        Op::Get if key.contains("/archive/") => "GET block",
        Op::Create if key.contains("/archive/") => "PUT block",
        Op::Get if key.starts_with("/v1/logs/") => "GET record",
        Op::Create if key.starts_with("/v1/logs/") => "PUT record",
        Op::Delete if key.starts_with("/v1/logs/") => "DELETE record",
        Op::StartUpload if key.starts_with(TABLE) => "begin upload",
        Op::PutPart if key.starts_with(TABLE) => "PUT part",
        Op::Complete if key.starts_with(TABLE) => "complete upload",
        Op::Head if key.starts_with(TABLE) => "HEAD file",
        _ => "other",
    }
}

/// A lake whose log has so many commits of one row and one file, archived as it would be.
fn long_log(commits: u64) -> World {
    let mut world = World::new();
    world.kafka.create(&tp(0), commits as i64);
    let (keys, log_id) = (LogKeys::new(META, "sink", &tp(0), 1), Uuid::new_v4());
    let head = commits + 2;
    let live_from = (head / 64).saturating_sub(1) * 64;
    let (mut prev, mut block) = (None, BlockWriter::new().unwrap());
    for seq in 1..=head {
        let record = record(seq, head, log_id, prev);
        prev = Some(record.link());
        let bytes = record.to_bytes().unwrap();
        if seq >= live_from {
            world.memory.overwrite(&keys.record(seq), bytes);
            continue;
        }
        block.append(&bytes).unwrap();
        if seq % 64 == 63 {
            let done = std::mem::replace(&mut block, BlockWriter::new().unwrap());
            world.memory.overwrite(&keys.archive(seq / 64), done.finish().unwrap());
        }
    }
    world
}

/// The first record claims, the last one settles, those between are commits.
fn record(seq: u64, head: u64, log_id: Uuid, prev: Option<alluvium_core::log::Link>) -> LogRecord {
    let nonce = if seq == 1 { log_id } else { Uuid::new_v4() };
    let next = (seq as i64 - 1).min(head as i64 - 2);
    let mut value = serde_json::json!({
        "v": 1, "kind": "claim", "seq": seq, "nonce": nonce, "prev": prev, "log_id": log_id,
        "sink_id": "sink", "topic": "orders", "generation": 1, "partition": 0, "epoch": 1,
        "start_offset": (next - 1).max(0), "next_offset": next,
    });
    if seq == head {
        (value["kind"], value["start_offset"]) = ("advance".into(), next.into());
    } else if seq > 1 {
        value["kind"] = "commit".into();
        (value["records"], value["rows"]) = (1.into(), 1.into());
        value["unsettled"] = serde_json::json!([{"seq": seq, "nonce": nonce}]);
        let offset = next - 1;
        value["files"] = serde_json::json!([{
            "key": format!("{TABLE}/orders/dt=2026-01-01/hour=00/orders-0-{offset:020}.parquet"),
            "mode": "mpu", "upload_id": Uuid::new_v4(), "parts": [Uuid::new_v4().simple()],
            "size": 4_000, "rows": 1, "path": "dt=2026-01-01/hour=00", "first_offset": offset,
            "last_offset": offset, "min_ts": 0, "max_ts": 0, "upload_created_at": 0,
        }]);
    }
    LogRecord::from_bytes("made", value.to_string().as_bytes()).unwrap()
}

async fn turn(world: &World, worker: &mut Worker) {
    for _ in 0..13 {
        worker.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
}

/// One commit of rows of so many hours, and what it cost.
async fn commit(world: &mut World, worker: &mut Worker, store: &FaultyStore, files: i64) -> Bill {
    for hour in 0..files {
        let value = event(hour, hour * 3_600);
        world.kafka.append(&tp(0), Entry::Record(Some(value)));
    }
    worker.poll_records = 100;
    turn(world, worker).await;
    Bill::of(&store.take_requests())
}

/// The bill of an open, of commits of 1 and 24 files, and of 64 commits with their archiving.
async fn bills(commits: u64) -> [Bill; 4] {
    let mut world = long_log(commits);
    // The topic's generation and the partition's marker are made by its first open.
    let (mut first, store) = world.faulty_worker(&Options::default());
    first.assign(&[tp(0)], &world.kafka, &world.group);
    turn(&world, &mut first).await;
    assert_eq!(Bill::of(&store.take_requests()).total(), 8);
    first.crash().await;

    let (mut worker, store) = world.faulty_worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    turn(&world, &mut worker).await;
    let open = Bill::of(&store.take_requests());
    let one = commit(&mut world, &mut worker, &store, 1).await;
    let many = commit(&mut world, &mut worker, &store, 24).await;

    let keys = LogKeys::new(META, "sink", &tp(0), 1);
    let head = |world: &World| world.memory.keys().iter().find_map(|key| keys.seq(key)).unwrap();
    while head(&world) < 128 || head(&world) % 64 != 2 {
        commit(&mut world, &mut worker, &store, 1).await;
    }
    let mut archiving = Bill::default();
    for _ in 0..64 {
        for (name, times) in commit(&mut world, &mut worker, &store, 1).await.0 {
            *archiving.0.entry(name).or_default() += times;
        }
    }
    for (name, times) in &one.0 {
        *archiving.0.entry(name).or_default() -= 64 * times;
    }
    archiving.0.retain(|_, times| *times > 0);
    let log = world.check_log(0);
    assert!(log.len() as u64 > commits && log[0].seq == 1, "read back to the first record");
    let listed = world.memory.keys().iter().filter(|key| key.starts_with(keys.prefix())).count();
    println!(
        "after {commits} commits: {} live records, {} blocks",
        world.live(0).len(),
        listed - world.live(0).len()
    );
    [open, one, many, archiving]
}

#[tokio::test(start_paused = true)]
async fn an_open_and_a_commit_cost_after_100_000_commits_what_they_cost_after_one() {
    let (short, long) = (bills(1).await, bills(100_000).await);
    for (what, bill) in ["open", "commit of 1 file", "commit of 24 files", "64 commits' archiving"]
        .iter()
        .zip(&long)
    {
        println!("{what}: {bill}");
    }
    assert_eq!(short, long);
    let [open, one, many, archiving] = long;
    let bill = Bill::default();
    let expected = bill.clone().with("LIST topic", 1).with("GET generation", 1);
    let expected = expected.with("LIST log", 2).with("GET record", 1).with("PUT record", 1);
    assert_eq!(open, expected);
    assert!(open.total() <= 6, "and what there is to recover");
    for (files, found) in [(1, one), (24, many)] {
        let expected = bill.clone().with("begin upload", files).with("PUT part", files);
        let expected = expected.with("complete upload", files).with("HEAD file", files);
        assert_eq!(found, expected.with("PUT record", 1).with("LIST log", 1));
    }
    // Three requests a record that is moved, and four a block.
    let expected = bill.with("LIST log", 1).with("GET block", 1).with("GET record", 129);
    assert_eq!(archiving, expected.with("PUT block", 1).with("DELETE record", 64));
}

/// A topic of very many partitions: their markers fill a listing's page before the next generation.
#[tokio::test(start_paused = true)]
async fn the_newest_generation_is_found_behind_more_markers_than_a_page_holds() {
    let mut world = World::new().with_rows(0, 5);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    worker.crash().await;
    let topic = format!("{META}/v1/topics/orders");
    for partition in 0..2_500 {
        world.memory.overwrite(&format!("{topic}/0001/{partition:05}.started"), "");
    }
    let first = world.memory.object(&format!("{topic}/0001.json")).unwrap();
    let first: serde_json::Value = serde_json::from_slice(&first).unwrap();
    for generation in 2..=3 {
        let mut object = first.clone();
        object["generation"] = generation.into();
        world.memory.overwrite(&format!("{topic}/000{generation}.json"), object.to_string());
    }
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND / 2).await;
    let claimed = LogKeys::new(META, "sink", &tp(0), 3).record(1);
    assert!(world.memory.object(&claimed).is_some(), "claimed in generation 3");
}
