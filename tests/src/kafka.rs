//! The broker: one KRaft node with two listeners.
//!
//! In: three ports. Out: a broker that is up, and a tool to ask it. Never: topics made by a
//! reader's typing error; they are not created automatically.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Context as _, Error, Result};
use crate::java::{Java, Line, java_args, write_properties};
use crate::kafka_tool::KafkaTool;
use crate::parts::Parts;
use crate::process::Process;
use crate::server::Server;

const READY_LIMIT: Duration = Duration::from_secs(90);
const HOST: &str = "127.0.0.1";

/// The ports of a broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KafkaPorts {
    /// For programs outside of the stack.
    pub(crate) host: u16,
    /// For the workers.
    pub(crate) internal: u16,
    pub(crate) controller: u16,
}

/// A Kafka broker.
#[derive(Debug)]
pub struct Kafka {
    process: Process,
    ports: KafkaPorts,
    tool: KafkaTool,
}

impl Kafka {
    pub(crate) fn start(
        parts: &Parts,
        run: &Path,
        ports: KafkaPorts,
        flags: &[String],
        properties: &[(String, String)],
    ) -> Result<Self> {
        let properties = write_broker_properties(parts, run, ports, properties)?;
        format_storage(parts, &properties)?;
        let java = Java {
            name: "kafka",
            line: Line::Newest,
            flags,
            main: "kafka.Kafka",
            properties: &properties,
        };
        let process = Process::start(java.recipe(parts, run)?)?;
        let tool = KafkaTool::new(parts, format!("{HOST}:{}", ports.host))?;
        Ok(Self { process, ports, tool })
    }

    /// `host:port` for programs outside of the stack.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        format!("{HOST}:{}", self.ports.host)
    }

    /// `host:port` for the workers, the value of `KAFKA_BOOTSTRAP`.
    #[must_use]
    pub fn internal_bootstrap(&self) -> String {
        format!("{HOST}:{}", self.ports.internal)
    }

    /// Topics, offsets and records.
    #[must_use]
    pub fn tool(&self) -> &KafkaTool {
        &self.tool
    }
}

impl Server for Kafka {
    fn process(&self) -> &Process {
        &self.process
    }

    fn wait_ready(&self) -> Result<()> {
        self.process.wait_for_log("Kafka Server started", READY_LIMIT)
    }
}

fn write_broker_properties(
    parts: &Parts,
    run: &Path,
    ports: KafkaPorts,
    more: &[(String, String)],
) -> Result<PathBuf> {
    let KafkaPorts { host, internal, controller } = ports;
    let clients = format!("PLAINTEXT://{HOST}:{host},PLAINTEXT_INTERNAL://{HOST}:{internal}");
    let lines = [
        ("listeners", format!("{clients},CONTROLLER://{HOST}:{controller}")),
        ("advertised.listeners", clients),
        ("controller.quorum.voters", format!("1@{HOST}:{controller}")),
        ("log.dirs", run.join("kafka").display().to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let lines = [&lines[..], more].concat();
    let file = run.join("broker.properties");
    write_properties(
        &parts.root().join("tests/stack/kafka/broker.properties"),
        &[],
        &lines,
        &file,
    )?;
    Ok(file)
}

/// A log directory must be given its cluster before a broker starts on it.
fn format_storage(parts: &Parts, properties: &Path) -> Result<()> {
    let output = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(java_args(parts, Line::Newest)?)
        .args(["kafka.tools.StorageTool", "format", "--ignore-formatted"])
        .args(["-t", &cluster_id(), "-c"])
        .arg(properties)
        .output()
        .context(|| "java".to_owned())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("kafka storage format: {said}")))
}

/// A cluster id of its own for each stack: 128 bits as 22 characters of base64, of which hex digits
/// are some and the last may carry two bits only.
fn cluster_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:05x}A", random(), random() >> 44)
}

#[cfg(test)]
mod tests {
    #[test]
    fn cluster_ids_have_kafkas_length_and_differ() {
        let (one, other) = (super::cluster_id(), super::cluster_id());
        assert_eq!(one.len(), 22);
        assert_ne!(one, other);
    }
}
