//! What tests ask of a broker, answered by `tests/readback/kafka_tool.py`: a client that shares no
//! code with what is tested.
//!
//! In: a sub-command and its arguments, records as JSON lines. Out: JSON lines. Never: state
//! between two calls.

use std::fmt::Debug;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::{Context as _, Error, Result};
use crate::parts::Parts;

/// Runs the tool against one broker. Its sub-commands are listed by `kafka_tool.py --help`.
#[derive(Debug, Clone)]
pub struct KafkaTool {
    python: PathBuf,
    script: PathBuf,
    bootstrap: String,
}

impl KafkaTool {
    /// A tool for the broker at `bootstrap`.
    ///
    /// # Errors
    /// The Python part of the stack is not installed.
    pub fn new(parts: &Parts, bootstrap: impl Into<String>) -> Result<Self> {
        let script = parts.root().join("tests/readback/kafka_tool.py");
        Ok(Self { python: parts.python()?, script, bootstrap: bootstrap.into() })
    }

    /// Makes a topic; one that exists with as many partitions is fine.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn create_topic(&self, topic: &str, partitions: u32) -> Result<()> {
        let count = partitions.to_string();
        self.run(&["create-topic", topic, "--partitions", &count], &[]).map(|_| ())
    }

    /// Raises the number of partitions of a topic to `total`.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn add_partitions(&self, topic: &str, total: u32) -> Result<()> {
        let count = total.to_string();
        self.run(&["add-partitions", topic, "--partitions", &count], &[]).map(|_| ())
    }

    /// Sends records `{topic, partition?, key, value, headers?, timestamp?}`, in no transaction.
    ///
    /// # Errors
    /// One of them was not taken.
    pub fn produce(&self, records: &[Value]) -> Result<Vec<Value>> {
        self.run(&["produce"], records)
    }

    /// Sends records in one transaction that is then aborted: they take offsets, nobody reads them.
    ///
    /// # Errors
    /// One of them was not taken.
    pub fn produce_aborted(&self, transactional_id: &str, records: &[Value]) -> Result<Vec<Value>> {
        self.run(&["produce", "--transactional-id", transactional_id, "--abort"], records)
    }

    /// All committed records of a topic, as they stand now.
    ///
    /// # Errors
    /// There is no such topic.
    pub fn dump(&self, topic: &str) -> Result<Vec<Value>> {
        self.run(&["dump", topic], &[])
    }

    /// The first `count` committed records of a topic, waiting for them.
    ///
    /// # Errors
    /// They are not there within `seconds`.
    pub fn wait_for(&self, topic: &str, count: usize, seconds: u32) -> Result<Vec<Value>> {
        let (count, limit) = (count.to_string(), seconds.to_string());
        self.run(&["dump", topic, "--count", &count, "--timeout", &limit], &[])
    }

    /// All records of the topics, when their number has not changed for `quiet`.
    ///
    /// # Errors
    /// The tool fails, or records still come after `limit`.
    pub fn dump_at_rest<T: AsRef<str> + Debug>(
        &self,
        topics: &[T],
        quiet: Duration,
        limit: Duration,
    ) -> Result<Vec<Value>> {
        // With a count the tool waits for topics that Debezium makes with their first record.
        let mut args = vec!["dump", "--count", "1", "--"];
        args.extend(topics.iter().map(AsRef::as_ref));
        self.run(&args, &[])?;
        args.drain(1..4);
        let (began, mut quiet_since) = (Instant::now(), Instant::now());
        let mut records = self.run(&args, &[])?;
        while quiet_since.elapsed() < quiet {
            if began.elapsed() > limit {
                return Err(Error::new(format!("{topics:?} do not come to rest within {limit:?}")));
            }
            let now = self.run(&args, &[])?;
            if now.len() != records.len() {
                (records, quiet_since) = (now, Instant::now());
            }
        }
        Ok(records)
    }

    /// Runs any sub-command with `input` as JSON lines on its standard input.
    ///
    /// # Errors
    /// The tool fails; the message has what it said.
    pub fn run(&self, args: &[&str], input: &[Value]) -> Result<Vec<Value>> {
        let doing = || format!("kafka_tool.py {}", args.join(" "));
        let mut child = Command::new(&self.python)
            .arg(&self.script)
            .args(["--bootstrap", &self.bootstrap])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(doing)?;
        // On its own thread: the tool answers while it reads, and a full pipe would stop both.
        let (mut stdin, lines) = (child.stdin.take(), to_lines(input));
        let writer = std::thread::spawn(move || {
            // A tool that failed has closed its end; what it said is the error then.
            stdin.as_mut().is_some_and(|stdin| stdin.write_all(lines.as_bytes()).is_ok())
        });
        let output = child.wait_with_output().context(doing)?;
        let _ = writer.join();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(format!("{}: {said}", doing())));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().map(|line| serde_json::from_str(line).context(doing)).collect()
    }
}

fn to_lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}
