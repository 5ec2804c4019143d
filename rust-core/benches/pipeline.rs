//! Records/s of the whole native path on one core: frames in, committed Parquet files in a store in
//! memory out. One runtime thread does all the work; the main thread only hands frames over.
//!
//! `cargo bench -p alluvium-core --bench pipeline`. One hourly folder, zstd(1).

#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so")]

mod events;

use alluvium_core::clock::SystemClock;
use alluvium_core::config::Config;
use alluvium_core::frame::{self, Frame, RawRecord};
use alluvium_core::metrics::TaskMetrics;
use alluvium_core::partition::PathTemplate;
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::recover::Identity;
use alluvium_core::store::{Lake, Location};
use alluvium_core::task::{Action, ErrantPolicy, MemoryBudget, Parts, SinkTask};
use alluvium_core::upload::UploadLimits;
use alluvium_testkit::MemoryStore;
use events::{payload, with_schema};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RECORDS: usize = 400_000;
/// Different events; repeated with other offsets.
const DISTINCT: usize = 20_000;
const FRAME: usize = 1 << 20;
const ROUNDS: usize = 5;
const TP: TpId = TpId(1);

fn main() {
    let mut random = fastrand::Rng::with_seed(7);
    let plain: Vec<String> = (0..DISTINCT).map(|at| payload(&mut random, at as i64)).collect();
    let with_schema = with_schema(&plain);
    for (name, values) in [("plain", &plain), ("with schema", &with_schema)] {
        let mut rates: Vec<f64> = (0..ROUNDS).map(|_| round(values)).collect();
        rates.sort_by(f64::total_cmp);
        println!(
            "{name:12} median {:.0} records/s (least {:.0}, most {:.0}), {RECORDS} records a round",
            rates[ROUNDS / 2],
            rates[0],
            rates[ROUNDS - 1]
        );
    }
}

fn round(values: &[String]) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (mut task, metrics) = task(&runtime);
    let mut start = || {
        let actions = task.put(None).expect("no fault");
        actions.iter().any(|action| matches!(action, Action::Resume(_)))
    };
    while !start() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let frames = frames(values);
    let began = Instant::now();
    for frame in frames {
        while metrics.queue_bytes.get() > 8 << 20 {
            std::thread::sleep(Duration::from_micros(200));
        }
        task.put(None).expect("no fault");
        task.put(Some(frame)).expect("no fault");
    }
    while (metrics.rows.get() as usize) < RECORDS {
        task.put(None).expect("no fault");
        std::thread::sleep(Duration::from_millis(1));
    }
    let rate = RECORDS as f64 / began.elapsed().as_secs_f64();
    runtime.block_on(task.shutdown());
    rate
}

fn task(runtime: &tokio::runtime::Runtime) -> (SinkTask, Arc<TaskMetrics>) {
    let keys = [
        ("lake.url", "s3://bucket/lake/cdc"),
        ("event.time", "after.created_at"),
        // The plain topic has no schema to say so.
        ("columns.types", "created_at:timestamp_us"),
        ("commit.max.records", "400000"),
        ("memory.limit.bytes", "1073741824"),
    ];
    let keys: BTreeMap<String, String> =
        keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config = Arc::new(Config::parse(&keys, "bench").expect("a good configuration"));
    let store = Arc::new(MemoryStore::default());
    let place = |prefix: &str| Location { store: store.clone(), prefix: prefix.to_owned() };
    let metrics = Arc::new(TaskMetrics::default());
    let identity = Identity {
        sink_id: config.sink_id.clone(),
        table_url: config.lake_url.clone(),
        group_id: None,
        owner: Default::default(),
        layout: Default::default(),
        config_fp: String::new(),
        log_bootstrap: false,
        rewind_allowed: false,
        rebuild_lost: false,
        record_losses: false,
    };
    let parts = Parts {
        paths: PathTemplate::parse(&config.partition_path).expect("a good path"),
        share: MemoryBudget::new().join(config.memory_limit_bytes),
        identity: Arc::new(identity),
        lake: Lake { table: place("lake/cdc"), meta: place("lake/cdc.alluvium") },
        clock: Arc::new(SystemClock),
        metrics: metrics.clone(),
        errant_policy: ErrantPolicy::Stop,
        uploads: UploadLimits {
            file_max_bytes: config.file_max_bytes,
            etags: true,
            held: Arc::default(),
            opaque_parts: false,
            copy: None,
        },
        config,
    };
    let mut task = SinkTask::start(parts, runtime.handle());
    task.open(vec![(TP, TopicPartition::new("orders", 0))]);
    (task, metrics)
}

fn frames(values: &[String]) -> Vec<Frame> {
    let (mut frames, mut bytes, mut count) = (Vec::new(), Vec::with_capacity(FRAME + 8192), 0);
    for offset in 0..RECORDS {
        let value = values[offset % values.len()].as_bytes();
        let record = RawRecord {
            tp: TP,
            offset: offset as i64,
            timestamp_ms: None,
            key: None,
            value: Some(value),
        };
        frame::append(&mut bytes, &record);
        count += 1;
        if bytes.len() >= FRAME || offset == RECORDS - 1 {
            let id = frames.len() as u64;
            frames.push(Frame { id, bytes: std::mem::take(&mut bytes).into(), count });
            count = 0;
        }
    }
    frames
}
