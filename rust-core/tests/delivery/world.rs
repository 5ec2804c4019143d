//! The small world the tests share: a lake in memory, Kafka in memory, any number of tasks.

use alluvium_core::clock::{Clock, UnixMillis};
use alluvium_core::commit::LogAccess;
use alluvium_core::config::{Config, PublishChoice};
use alluvium_core::error::Error;
use alluvium_core::log::{Blocks, LogKeys, LogRecord, Owner};
use alluvium_core::metrics::TaskMetrics;
use alluvium_core::partition::PathTemplate;
use alluvium_core::position::TopicPartition;
use alluvium_core::recover::Identity;
use alluvium_core::store::{Lake, Location, Store};
use alluvium_core::task::{ErrantPolicy, MemoryBudget, Parts, SinkTask};
use alluvium_core::upkeep::history;
use alluvium_core::upload::{CopyStaging, UploadLimits};
use alluvium_testkit::connect::{Group, Worker};
use alluvium_testkit::kafka::Kafka;
use alluvium_testkit::readback::{Reader, Visible};
use alluvium_testkit::{FaultyStore, MemoryStore};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const TABLE: &str = "lake/cdc";
pub(crate) const META: &str = "lake/cdc.alluvium";
pub(crate) const CLOSE: Duration = Duration::from_secs(3);

/// Wall clock that goes with tokio's.
#[derive(Debug)]
struct TestClock(tokio::time::Instant);

impl Clock for TestClock {
    fn now_ms(&self) -> UnixMillis {
        1_767_225_600_000 + self.0.elapsed().as_millis() as i64
    }
}

/// Everything outside the tasks.
pub(crate) struct World {
    pub(crate) memory: MemoryStore,
    pub(crate) kafka: Kafka,
    pub(crate) group: Group,
    pub(crate) reader: Reader,
    pub(crate) clock: Arc<dyn Clock>,
    /// How old log records are archived; small blocks bring a test there soon.
    pub(crate) blocks: Blocks,
}

/// What a test may choose of a task.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) keys: Vec<(&'static str, String)>,
    pub(crate) errants: ErrantPolicy,
    pub(crate) sink_id: &'static str,
    /// What its records call their owner.
    pub(crate) owner: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            errants: ErrantPolicy::Stop,
            sink_id: "sink",
            owner: String::new(),
        }
    }
}

impl Options {
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.keys.push((key, value.to_string()));
        self
    }

    fn config(&self) -> Config {
        let mut keys = BTreeMap::from([
            ("lake.url".to_owned(), "s3://bucket/lake/cdc".to_owned()),
            ("commit.interval.ms".to_owned(), "1000".to_owned()),
            ("sink.id".to_owned(), self.sink_id.to_owned()),
        ]);
        keys.extend(self.keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
        Config::parse(&keys, "connector").expect("a good configuration")
    }

    pub(crate) fn identity(&self) -> Identity {
        let config = self.config();
        Identity {
            sink_id: config.sink_id.clone(),
            table_url: config.lake_url.clone(),
            owner: Owner { task: self.owner.clone(), ..Owner::default() },
            log_bootstrap: config.log_bootstrap,
            rewind_allowed: config.rewind_allowed,
            rebuild_lost: config.rebuild_lost,
            record_losses: config.record_losses,
            ..Identity::default()
        }
    }
}

/// The table and its commit log on a store.
pub(crate) fn lake_on(store: &Arc<dyn Store>) -> Lake {
    let location = |prefix: &str| Location { store: store.clone(), prefix: prefix.to_owned() };
    Lake { table: location(TABLE), meta: location(META) }
}

pub(crate) fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("orders", partition)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(MemoryStore::default())
    }

    /// A world whose lake is this store.
    pub(crate) fn on(memory: MemoryStore) -> Self {
        Self {
            memory,
            kafka: Kafka::default(),
            group: Group::new(),
            reader: Reader::default(),
            clock: Arc::new(TestClock(tokio::time::Instant::now())),
            blocks: Blocks::STANDARD,
        }
    }

    /// A topic-partition with rows `0..rows`.
    pub(crate) fn with_rows(mut self, partition: i32, rows: i64) -> Self {
        for id in 0..rows {
            self.kafka.insert(&tp(partition), id);
        }
        self
    }

    /// A worker on the world's own store.
    pub(crate) fn worker(&self, options: &Options) -> Worker {
        self.worker_on(Arc::new(self.memory.clone()), options)
    }

    /// A worker on a store with faults, and the switches of the faults.
    pub(crate) fn faulty_worker(&self, options: &Options) -> (Worker, Arc<FaultyStore>) {
        let faulty = Arc::new(FaultyStore::new(Arc::new(self.memory.clone())));
        (self.worker_on(faulty.clone(), options), faulty)
    }

    /// The configuration of a task.
    pub(crate) fn config(&self, options: &Options) -> Config {
        options.config()
    }

    /// A worker on any store.
    pub(crate) fn worker_on(&self, store: Arc<dyn Store>, options: &Options) -> Worker {
        let runtime = tokio::runtime::Handle::current();
        Worker::new(SinkTask::start_with(self.parts(&store, options), &runtime, self.blocks))
    }

    /// A worker whose task has to try its store first, and the switches of the faults.
    pub(crate) fn untried_worker(&self, options: &Options) -> (Worker, Arc<FaultyStore>) {
        let faulty = Arc::new(FaultyStore::new(Arc::new(self.memory.clone())));
        let store: Arc<dyn Store> = faulty.clone();
        let parts = Parts {
            uploads: UploadLimits::untried(&self.config(options)),
            ..self.parts(&store, options)
        };
        let runtime = tokio::runtime::Handle::current();
        (Worker::new(SinkTask::start_untried(parts, &runtime)), faulty)
    }

    fn parts(&self, store: &Arc<dyn Store>, options: &Options) -> Parts {
        let config = Arc::new(self.config(options));
        Parts {
            paths: PathTemplate::parse(&config.partition_path).expect("a good path"),
            share: MemoryBudget::new().join(config.memory_limit_bytes),
            identity: Arc::new(options.identity()),
            lake: lake_on(store),
            clock: self.clock.clone(),
            metrics: Arc::new(TaskMetrics::default()),
            errant_policy: options.errants,
            uploads: UploadLimits {
                file_max_bytes: config.file_max_bytes,
                etags: true,
                held: Arc::default(),
                opaque_parts: config.s3.objects.sse.as_deref() == Some("aws:kms"),
                copy: (config.publish == PublishChoice::Copy)
                    .then(|| CopyStaging { folder: format!("{META}/staging"), whole: false }),
            },
            config,
        }
    }

    /// Lets a worker poll for a while, a poll each 100 ms, and holds the table against Kafka after
    /// each.
    pub(crate) async fn run(&mut self, worker: &mut Worker, time: Duration) {
        for _ in 0..time.as_millis() / 100 {
            worker.iterate(&self.kafka).expect("the task goes on");
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.check();
        }
    }

    /// What is visible now: never a position twice, never one that Kafka does not have.
    pub(crate) fn check(&mut self) -> Visible {
        let visible = self.reader.read(&self.memory, TABLE).expect("the table reads");
        for ((tp, offset), times) in &visible {
            assert_eq!(*times, 1, "{tp} offset {offset} is visible {times} times");
            let known = self.kafka.partition(tp).is_some_and(|p| p.row_offsets().contains(offset));
            assert!(known, "{tp} offset {offset} is visible and was never a row");
        }
        visible
    }

    /// Every row Kafka has, from `from` on, is visible, once.
    pub(crate) fn check_all(&mut self, from: i64) {
        let visible = self.check();
        for tp in self.kafka.topic_partitions() {
            let rows = self.kafka.partition(tp).expect("listed").row_offsets();
            for offset in rows.into_iter().filter(|offset| *offset >= from) {
                assert!(
                    visible.contains_key(&(tp.clone(), offset)),
                    "{tp} offset {offset} is lost"
                );
            }
        }
        assert!(!visible.is_empty(), "nothing was compared");
    }

    /// The log of a topic-partition back to its first record, oldest first.
    pub(crate) fn log(&self, partition: i32, sink_id: &str) -> Vec<LogRecord> {
        self.log_of(partition, sink_id, 1)
    }

    /// The same in a generation of the topic.
    pub(crate) fn log_of(&self, partition: i32, sink_id: &str, generation: u32) -> Vec<LogRecord> {
        let store: Arc<dyn Store> = Arc::new(self.memory.clone());
        let keys = LogKeys::new(META, sink_id, &tp(partition), generation);
        let keys = keys.with_blocks(self.blocks);
        let access = LogAccess { store, keys, metrics: Arc::default() };
        let read = async {
            let (mut history, mut log) = (history(&access).await?, Vec::new());
            while let Some(record) = history.next().await? {
                log.push(record);
            }
            log.reverse();
            Ok::<_, Error>(log)
        };
        let log = read.now_or_never().expect("a store in memory answers at once");
        log.expect("the whole log is readable")
    }

    /// The sequence numbers that stand at keys of their own, ascending.
    pub(crate) fn live(&self, partition: i32) -> Vec<u64> {
        let keys = LogKeys::new(META, "sink", &tp(partition), 1);
        let mut live: Vec<u64> = self.memory.keys().iter().filter_map(|k| keys.seq(k)).collect();
        live.sort_unstable();
        live
    }

    /// Blocks in the archives of all logs.
    pub(crate) fn archived(&self) -> usize {
        self.memory.keys().iter().filter(|key| key.contains("/archive/")).count()
    }

    /// The log's ranges are contiguous and its books agree.
    pub(crate) fn check_log(&self, partition: i32) -> Vec<LogRecord> {
        let log = self.log(partition, "sink");
        assert!(log.first().is_none_or(|record| record.seq == 1), "back to the first record");
        for pair in log.windows(2) {
            assert_eq!(pair[1].prev, Some(pair[0].link()), "the chain at seq {}", pair[1].seq);
            if pair[0].next_offset.is_some() {
                assert_eq!(pair[1].start_offset, pair[0].next_offset, "seq {}", pair[1].seq);
            }
        }
        for record in &log {
            assert_eq!(record.records, record.rows + record.skipped.total(), "seq {}", record.seq);
            assert_eq!(record.rows, record.files.iter().map(|f| f.rows).sum::<u64>());
        }
        log
    }
}
