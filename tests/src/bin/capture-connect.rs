//! Captures `tests/fixtures/connect/*.jsonl`: what a real worker calls, in scenarios that the
//! worker in memory (`alluvium_testkit::connect`) must take alike.
//!
//! In: the scenarios below, `tests/trace-sink`. Out: one file a scenario: its settings, then each
//! step with the calls that it led to. Never: a call written or changed by hand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Error, Parts, Result, Server as _, Stack, say};
use serde_json::{Value, json};

const EAGER: (&str, &str) = ("eager", "");
const COOPERATIVE: (&str, &str) =
    ("cooperative", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
const CONSUMER: (&str, &str) = ("consumer", "");

/// A step ends when nothing was called for this long: rebalances take some seconds.
const QUIET: Duration = Duration::from_secs(6);
const SESSION_OVER: Duration = Duration::from_secs(12);

/// Name, protocol, the task's script, steps.
type Scenario = (&'static str, (&'static str, &'static str), &'static str, Vec<Value>);

fn scenarios() -> Vec<Scenario> {
    let produce = |counts: &[u32]| json!({"produce": counts});
    let begin = || [json!("start"), produce(&[3, 3])];
    let steps = |middle: &[Value]| {
        let all = begin().into_iter().chain(middle.iter().cloned()).chain([json!("stop")]);
        all.collect::<Vec<_>>()
    };
    let two = [json!("join"), produce(&[2, 2]), json!("leave"), produce(&[1, 1])];
    vec![
        ("rebalance-eager", EAGER, "0:2=commit", steps(&two)),
        ("rebalance-cooperative", COOPERATIVE, "0:2=commit", steps(&two)),
        ("rebalance-consumer", CONSUMER, "0:2=commit", steps(&two)),
        (
            "stop-after-revoke",
            EAGER,
            "",
            steps(&[json!("join"), produce(&[1, 1])]).into_iter().chain([json!("leave")]).collect(),
        ),
        ("seek", EAGER, "0:4=seek:0:2 0:4=commit", steps(&[produce(&[2, 0])])),
        ("paused", EAGER, "open=pause:0", steps(&two)),
        (
            "lost",
            EAGER,
            "0:2=commit",
            steps(&[produce(&[2, 0]), json!("freeze"), produce(&[1, 1])]),
        ),
        (
            "rest-pause",
            EAGER,
            "",
            steps(&[json!("pause"), produce(&[2, 1]), json!("resume"), produce(&[1, 0])]),
        ),
        ("partition-added", EAGER, "", steps(&[json!("partition"), produce(&[1, 0, 2])])),
        (
            "partition-added-cooperative",
            COOPERATIVE,
            "",
            steps(&[json!("partition"), produce(&[1, 0, 2])]),
        ),
    ]
}

fn main() -> Result<()> {
    let plugin = tempfile::tempdir().map_err(|e| Error::new(e.to_string()))?;
    build(Parts::find()?.folder("kafka")?, plugin.path())?;
    let builder = Stack::builder()
        .without_mysql()
        .without_s3()
        .plugin_path(plugin.path())
        // Commits come when the script or Connect itself asks for them.
        .worker_property("offset.flush.interval.ms", "600000")
        .worker_property("consumer.metadata.max.age.ms", "1000");
    // Names on the command line are those that are captured.
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |s: &Scenario| names.is_empty() || names.iter().any(|name| name == s.0);
    let (new, classic): (Vec<_>, Vec<_>) =
        scenarios().into_iter().filter(wanted).partition(|s| s.1 == CONSUMER);
    if !classic.is_empty() {
        capture(&builder.clone().start()?, classic)?;
    }
    if new.is_empty() {
        return Ok(());
    }
    // The consumer protocol refuses to start where these are set: the broker decides them.
    let builder = builder
        .without_worker_property("consumer.session.timeout.ms")
        .without_worker_property("consumer.heartbeat.interval.ms");
    capture(&builder.start()?, new)
}

fn capture(stack: &Stack, scenarios: Vec<Scenario>) -> Result<()> {
    let folder = stack.clone_path("tests/fixtures/connect");
    for scenario in scenarios {
        let name = scenario.0;
        let text = Capture::new(stack, scenario)?.run()?;
        let file = folder.join(format!("{name}.jsonl"));
        std::fs::write(&file, text).map_err(|e| Error::new(format!("{}: {e}", file.display())))?;
        say(format!("{name} captured"));
    }
    Ok(())
}

/// Compiles the tracing sink into a plugin folder.
fn build(kafka: &Path, plugin: &Path) -> Result<()> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("trace-sink/dev/alluvium/trace");
    let classes = plugin.join("trace-sink");
    let services = classes.join("META-INF/services");
    let doing = |e: std::io::Error| Error::new(format!("building the tracing sink: {e}"));
    std::fs::create_dir_all(&services).map_err(doing)?;
    let service = services.join("org.apache.kafka.connect.sink.SinkConnector");
    std::fs::write(service, "dev.alluvium.trace.TraceSinkConnector\n").map_err(doing)?;
    let output = Command::new("javac")
        .args(["--release", "17", "-cp", &format!("{}/*", kafka.display()), "-d"])
        .arg(&classes)
        .args(["TraceSinkConnector.java", "TraceSinkTask.java"].map(|file| sources.join(file)))
        .output()
        .map_err(doing)?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr)));
    }
    let output = Command::new("jar")
        .args(["cf", "trace-sink.jar", "-C", "trace-sink", "."])
        .current_dir(plugin)
        .output()
        .map_err(doing)?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr)));
    }
    std::fs::remove_dir_all(&classes).map_err(doing)
}

struct Capture<'a> {
    stack: &'a Stack,
    scenario: Scenario,
    file: PathBuf,
    lines: Vec<String>,
}

impl<'a> Capture<'a> {
    fn new(stack: &'a Stack, scenario: Scenario) -> Result<Self> {
        stack.kafka()?.tool().create_topic(scenario.0, 2)?;
        let file = stack.folder().join(format!("{}.jsonl", scenario.0));
        Ok(Self { stack, scenario, file, lines: Vec::new() })
    }

    fn run(mut self) -> Result<String> {
        let (name, protocol, script, steps) = self.scenario.clone();
        let head = json!({"scenario": name, "protocol": protocol.0, "script": script});
        self.lines.push(head.to_string());
        let mut seen = 0;
        for step in steps {
            self.step(&step)?;
            self.lines.push(json!({ "step": step }).to_string());
            let calls = self.quiet()?;
            self.lines.extend(calls.iter().skip(seen).cloned());
            seen = calls.len();
        }
        self.stack.rest()?.delete(&format!("{name}-a"))?;
        Ok(self.lines.join("\n") + "\n")
    }

    fn step(&self, step: &Value) -> Result<()> {
        let rest = self.stack.rest()?;
        let name = self.scenario.0;
        let (a, b) = (format!("{name}-a"), format!("{name}-b"));
        match step.as_str() {
            Some("start") => self.register(&a, &self.file, self.scenario.2),
            Some("join") => self.register(&b, &self.file.with_extension("other"), ""),
            Some("leave") => rest.delete(&b),
            Some(verb @ ("pause" | "resume" | "stop")) => rest.set_state(&a, verb),
            Some("partition") => self.stack.kafka()?.tool().add_partitions(name, 3),
            Some("freeze") => {
                let process = self.stack.worker(0)?.process();
                process.sigstop();
                sleep(SESSION_OVER);
                process.sigcont();
                Ok(())
            }
            _ => self.produce(step["produce"].as_array().map_or(&[], Vec::as_slice)),
        }
    }

    fn produce(&self, counts: &[Value]) -> Result<()> {
        let mut records = Vec::new();
        for (partition, count) in counts.iter().enumerate() {
            for _ in 0..count.as_u64().unwrap_or(0) {
                records.push(json!({
                    "topic": self.scenario.0, "partition": partition, "key": "k", "value": "v"
                }));
            }
        }
        self.stack.kafka()?.tool().produce(&records).map(|_| ())
    }

    /// A member of the scenario's group.
    fn register(&self, connector: &str, file: &Path, script: &str) -> Result<()> {
        let (name, (protocol, assignor)) = (self.scenario.0, self.scenario.1);
        let mut config = json!({
            "connector.class": "dev.alluvium.trace.TraceSinkConnector",
            "tasks.max": "1",
            "topics": name,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "trace.file": file.display().to_string(),
            "trace.script": script,
            "consumer.override.group.id": format!("group-{name}"),
            "consumer.override.auto.offset.reset": "earliest",
        });
        if protocol == "consumer" {
            config["consumer.override.group.protocol"] = json!("consumer");
        }
        if !assignor.is_empty() {
            config["consumer.override.partition.assignment.strategy"] = json!(assignor);
        }
        let rest = self.stack.rest()?;
        rest.put_config(connector, &config)?;
        rest.wait_running(connector, 1, Duration::from_secs(60))
    }

    /// The calls so far, when no more have come for a while.
    fn quiet(&self) -> Result<Vec<String>> {
        let (mut calls, mut since) = (Vec::new(), Instant::now());
        while since.elapsed() < QUIET {
            let text = std::fs::read_to_string(&self.file).unwrap_or_default();
            let now: Vec<String> = text.lines().map(str::to_owned).collect();
            if now.len() != calls.len() {
                (calls, since) = (now, Instant::now());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(calls)
    }
}
