//! What a request to the store is, in the words of the protocol.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use alluvium_tests::Exchange;
use serde_json::Value;

/// Between the folder of a log and the name of a record.
const LOGS: &str = "/v1/logs/";

/// A commit of the log, as its owner sent it.
#[derive(Debug, Clone)]
pub struct Commit {
    /// What it was sent to.
    pub target: String,
    /// The log's folder: one a topic-partition.
    pub folder: String,
    keys: Vec<String>,
}

/// The commits among these requests that the store has taken.
pub fn commits(seen: &[Arc<Exchange>]) -> Vec<Commit> {
    seen.iter().filter(|one| one.status() == Some(200)).filter_map(|one| Commit::of(one)).collect()
}

/// Parts sent for files of the same topic-partition as this key, of files that no commit names.
pub fn unrecorded(seen: &[Arc<Exchange>], key: &str) -> Vec<Arc<Exchange>> {
    // Sent is enough: the store may have taken a record that it has not answered yet.
    let sent: Vec<_> = seen.iter().filter_map(|one| Commit::of(one)).collect();
    let named = |key: &str| sent.iter().any(|one| one.keys.iter().any(|name| key.ends_with(name)));
    let ours = |other: &str| topic_partition(other) == topic_partition(key) && !named(other);
    seen.iter().filter(|one| one.part_of().is_some_and(ours)).cloned().collect()
}

impl Commit {
    fn of(exchange: &Exchange) -> Option<Self> {
        let (folder, record) = record_of(exchange)?;
        if record["kind"] != "commit" {
            return None;
        }
        let keys = record["files"].as_array()?.iter().map(|file| file["key"].as_str());
        let keys = keys.map(|key| key.map(str::to_owned)).collect::<Option<_>>()?;
        Some(Self { target: exchange.target.clone(), folder, keys })
    }

    /// How many files it has.
    pub fn files(&self) -> usize {
        self.keys.len()
    }

    /// Whether this is the completion of one of its files.
    pub fn completes(&self, exchange: &Exchange) -> bool {
        self.key_of(exchange).is_some()
    }

    /// How many of its files these requests have completed.
    pub fn completed(&self, seen: &[Arc<Exchange>]) -> usize {
        let good = seen.iter().filter(|one| one.status() == Some(200));
        let mut keys: Vec<_> = good.filter_map(|one| self.key_of(one)).collect();
        keys.sort();
        keys.dedup();
        keys.len()
    }

    fn key_of(&self, exchange: &Exchange) -> Option<&String> {
        let (path, query) = exchange.target.split_once('?')?;
        let completion = exchange.method == "POST" && query.contains("uploadId=");
        self.keys.iter().find(|key| completion && path.ends_with(key.as_str()))
    }
}

/// What tests ask of a request.
pub trait Request {
    /// The folder of the log that it lists.
    fn lists(&self) -> Option<String>;
    /// The file that it sends a part of.
    fn part_of(&self) -> Option<&str>;
    /// Whether it puts a record of the log.
    fn is_record(&self) -> bool;
    /// Whether it claimed the log in this folder.
    fn claims(&self, folder: &str) -> bool;
}

impl Request for Exchange {
    fn lists(&self) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="))?;
        let listing = self.method == "GET" && prefix.contains(LOGS);
        listing.then(|| prefix.trim_end_matches('/').to_owned())
    }

    fn part_of(&self) -> Option<&str> {
        let (path, query) = self.target.split_once('?')?;
        (self.method == "PUT" && query.contains("partNumber=")).then_some(path)
    }

    fn is_record(&self) -> bool {
        record_of(self).is_some()
    }

    fn claims(&self, folder: &str) -> bool {
        self.status() == Some(200)
            && record_of(self).is_some_and(|(of, record)| of == folder && record["kind"] == "claim")
    }
}

/// `<topic>-<partition>` of `…/<topic>-<partition>-<offset>-<claim>-<n>-<nonce>.parquet`.
fn topic_partition(key: &str) -> Option<&str> {
    key.rsplit('/').next()?.rsplitn(5, '-').last()
}

/// The log's folder, without the bucket, and the record that is being put there.
pub fn record_of(exchange: &Exchange) -> Option<(String, Value)> {
    let (folder, name) = exchange.target.rsplit_once('/')?;
    if exchange.method != "PUT" || !folder.contains(LOGS) || !name.ends_with(".json") {
        return None;
    }
    let (_, folder) = folder.trim_start_matches('/').split_once('/')?;
    Some((folder.to_owned(), serde_json::from_slice(&exchange.body).ok()?))
}

/// Whether a process holds this end of a connection.
pub fn holder(pid: u32, end: SocketAddr) -> bool {
    // Local address and inode of each connection, as the process sees them.
    let port = format!(":{:04X}", end.port());
    let sockets: Vec<_> = ["tcp", "tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok())
        .flat_map(|table| {
            let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let ours = rows.filter(|row| row.len() > 9 && row[1].ends_with(&port));
            ours.map(|row| format!("socket:[{}]", row[9])).collect::<Vec<_>>()
        })
        .collect();
    let files = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd"));
    files.into_iter().flatten().flatten().any(|file| {
        let target = std::fs::read_link(file.path()).unwrap_or_default();
        target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target))
    })
}
