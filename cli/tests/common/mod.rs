//! A table on a folder, laid down by the real core as Connect drives it, and the program that
//! looks at it.

use alluvium_core::clock::SystemClock;
use alluvium_core::config::Config;
use alluvium_core::log::{LogId, LogRecord};
use alluvium_core::metrics::TaskMetrics;
use alluvium_core::partition::PathTemplate;
use alluvium_core::position::TopicPartition;
use alluvium_core::recover::Identity;
use alluvium_core::store;
use alluvium_core::task::{ErrantPolicy, MemoryBudget, Parts, SinkTask};
use alluvium_core::upload::UploadLimits;
use alluvium_testkit::connect::{Group, Worker};
use alluvium_testkit::kafka::{Entry, Kafka, event};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A table, and Kafka in memory.
pub(crate) struct Table {
    folder: tempfile::TempDir,
    /// More of the sink's keys.
    keys: Vec<(&'static str, String)>,
    /// `lake.url` and how to reach it, for a table that is not in the folder.
    elsewhere: Option<(String, Vec<(&'static str, String)>)>,
    pub(crate) kafka: Kafka,
    pub(crate) group: Group,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("orders", partition)
}

impl Table {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (kafka, group) = (Kafka::default(), Group::new());
        Self { folder, keys: Vec::new(), elsewhere: None, kafka, group }
    }

    /// A table in the folder, of a sink with these keys.
    pub(crate) fn in_folder(keys: &[(&'static str, &str)]) -> Self {
        let keys = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self { keys, ..Self::new() }
    }

    /// A table on a store.
    pub(crate) fn on_store(url: &str, keys: Vec<(&'static str, String)>) -> Self {
        Self { elsewhere: Some((url.to_owned(), keys)), ..Self::new() }
    }

    /// Rows in Kafka, one each ten minutes of event time: six of a file's hour.
    pub(crate) fn insert(&mut self, partition: i32, rows: i64) {
        for id in 0..rows {
            self.kafka.append(&tp(partition), Entry::Record(Some(event(id, id * 600))));
        }
    }

    pub(crate) fn url(&self) -> String {
        match &self.elsewhere {
            Some((url, _)) => url.clone(),
            None => format!("file://{}", self.folder.path().join("lake").display()),
        }
    }

    /// The sink's configuration.
    pub(crate) fn config(&self, per_cut: u64) -> Config {
        let keys = [
            ("lake.url", self.url()),
            ("sink.id", "orders-lake".to_owned()),
            ("commit.interval.ms", "300".to_owned()),
            ("commit.max.records", per_cut.to_string()),
        ];
        let more = self.elsewhere.iter().flat_map(|(_, keys)| keys.clone());
        let more = more.chain(self.keys.clone());
        let keys: BTreeMap<String, String> =
            keys.into_iter().chain(more).map(|(key, value)| (key.to_owned(), value)).collect();
        Config::parse(&keys, "orders-lake").unwrap()
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A sink takes all there is, `per_cut` records at a time, and ends cleanly.
    pub(crate) fn lay_down(&mut self, partitions: &[i32], per_cut: u64) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(async {
            let mut worker = self.worker(per_cut);
            let tps: Vec<_> = partitions.iter().copied().map(tp).collect();
            worker.assign(&tps, &self.kafka, &self.group);
            let limit = tokio::time::Instant::now() + Duration::from_secs(120);
            loop {
                worker.iterate(&self.kafka).unwrap();
                worker.commit(&mut self.group);
                let end = |tp: &TopicPartition| self.kafka.partition(tp).map(|p| p.end());
                if tps.iter().all(|tp| self.group.get(tp).copied() >= end(tp)) {
                    break;
                }
                assert!(tokio::time::Instant::now() < limit, "not all was committed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            worker.revoke(&tps, &mut self.group, Duration::from_secs(10)).await;
            worker.crash().await;
        });
    }

    fn worker(&self, per_cut: u64) -> Worker {
        let config = Arc::new(self.config(per_cut));
        let identity = Identity {
            sink_id: config.sink_id.clone(),
            table_url: config.lake_url.clone(),
            ..Identity::default()
        };
        let parts = Parts {
            paths: PathTemplate::parse(&config.partition_path).unwrap(),
            share: MemoryBudget::new().join(config.memory_limit_bytes),
            identity: Arc::new(identity),
            lake: store::open(&config).unwrap(),
            clock: Arc::new(SystemClock),
            metrics: Arc::new(TaskMetrics::default()),
            errant_policy: ErrantPolicy::Report,
            uploads: UploadLimits {
                file_max_bytes: config.file_max_bytes,
                etags: false,
                held: Arc::default(),
                opaque_parts: false,
                copy: None,
            },
            config,
        };
        let mut worker = Worker::new(SinkTask::start(parts, &tokio::runtime::Handle::current()));
        worker.poll_records = usize::try_from(per_cut).unwrap();
        worker
    }

    /// Runs the program on this table.
    pub(crate) fn alluvium(&self, arguments: &[&str]) -> Said {
        self.alluvium_with(arguments, "")
    }

    /// The same with this on its standard input.
    pub(crate) fn alluvium_with(&self, arguments: &[&str], input: &str) -> Said {
        let url = self.url();
        run(&[&["--url", &url], arguments].concat(), input)
    }

    /// `verify --json`: exit code, findings, and the last line.
    pub(crate) fn verify(&self, arguments: &[&str]) -> (i32, Vec<Value>, Value) {
        self.verify_with(arguments, "")
    }

    pub(crate) fn verify_with(&self, arguments: &[&str], input: &str) -> (i32, Vec<Value>, Value) {
        let said = self.alluvium_with(&[&["verify", "--json"], arguments].concat(), input);
        let mut lines = said.json();
        let last = lines.pop().unwrap_or_else(|| panic!("it said nothing: {said:?}"));
        (said.code, lines, last)
    }

    /// Every data file, in order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.path("lake"), &mut files);
        files.sort();
        files
    }

    /// Where a record of the log of partition 0 lies.
    pub(crate) fn record_file(&self, seq: u64) -> PathBuf {
        let id = LogId { sink_id: "orders-lake".to_owned(), tp: tp(0), generation: 1 };
        let meta = format!("{}.alluvium", self.url().trim_start_matches("file:///"));
        Path::new("/").join(id.keys(&meta).record(seq))
    }

    pub(crate) fn record(&self, seq: u64) -> LogRecord {
        let file = self.record_file(seq);
        LogRecord::from_bytes("a record", &fs::read(file).unwrap()).unwrap()
    }

    /// The first record with files.
    pub(crate) fn first_commit(&self) -> LogRecord {
        (1..).map(|seq| self.record(seq)).find(|record| !record.files.is_empty()).unwrap()
    }

    /// Writes a record over the one that is there.
    pub(crate) fn replace(&self, record: &LogRecord) {
        fs::write(self.record_file(record.seq), record.to_bytes().unwrap()).unwrap();
    }
}

impl Said {
    /// Its lines as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs the program.
pub(crate) fn run(arguments: &[&str], input: &str) -> Said {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_alluvium"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not want any.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().expect("it ended by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The offsets that findings of a kind name, as ranges.
pub(crate) fn offsets(findings: &[Value], kind: &str) -> Vec<(i64, i64)> {
    let of_kind = findings.iter().filter(|finding| finding["finding"] == kind);
    let range =
        |finding: &Value| Some((finding["at"]["from"].as_i64()?, finding["at"]["to"].as_i64()?));
    let mut all: Vec<_> = of_kind.filter_map(range).collect();
    all.sort_unstable();
    all
}

/// Kinds of findings, each once.
pub(crate) fn kinds(findings: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        findings.iter().filter_map(|finding| finding["finding"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
