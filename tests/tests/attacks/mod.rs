//! What the scenarios share: a stack with changes flowing, and what is looked at after each attack.
//!
//! In: a scenario, the sinks that it is about. Out: one row of the table of evidence a sink. Never:
//! a duplicate accepted, a sink's task that has failed, an attack without proof that it happened.

// A test is a crate of its own, in which `pub` reaches no farther; each test file uses a part.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod broker;
pub mod clock;
pub mod full_disk;
pub mod idle_file;
pub mod lifecycle;
pub mod no_tmp;
pub mod replies;
#[path = "../killing/requests.rs"]
pub mod requests;
pub mod row;
pub mod storm;
pub mod store_killed;
mod watch;
pub mod zombie;

use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{
    Connector, Exchange, Load, Program, Proxy, Server as _, Stack, StackBuilder, Table, Worker, say,
};

use crate::common::{TOPIC, register_source};
use requests::commits;
use row::{Proof, Row};
use watch::Watch;

/// A worker's JVM starts in ten seconds, on two cores that it has to share.
pub const LIMIT: Duration = Duration::from_secs(180);
pub const PARTITIONS: usize = 3;
/// Connect 4.3.0 removes from a map that `group.protocol=consumer` gives it as one that cannot be
/// changed: any sink's task dies when it has committed and then loses some of its partitions.
pub const CONNECTS_OWN: &str = "WorkerSinkTask$SinkTaskMetricsGroup.clearOffsets";
const PAUSE: Duration = Duration::from_millis(300);
/// Rows of the snapshot.
const SEEDED: u64 = 4;

/// A stack under attack: MySQL → Debezium → Kafka → two workers → a proxy → SeaweedFS.
#[derive(Debug)]
pub struct Arena {
    pub stack: Stack,
    pub proxy: Proxy,
    pub rows: Vec<Row>,
    next_order: u64,
    changes: u64,
    revived: Cell<u64>,
}

impl Arena {
    /// Starts what is wanted, with the shipped source.
    pub fn start(builder: StackBuilder) -> Self {
        let proxy = Proxy::start().unwrap();
        let builder = builder.seed().alluvium().worker_env("S3_ENDPOINT", &proxy.endpoint());
        let stack = builder.start().unwrap();
        proxy.forward_to(&stack.s3().unwrap().endpoint()).unwrap();
        register_source(&stack);
        let (rows, revived) = (Vec::new(), Cell::default());
        Self { stack, proxy, rows, next_order: 1_000, changes: 0, revived }
    }

    /// One scenario: changes flow, the sinks go, the attack, all go again, the changes end, then
    /// Kafka and MySQL are held against each sink's table.
    pub fn attack(
        &mut self,
        name: &str,
        sinks: &[&Connector],
        attack: impl FnOnce(&Self) -> Proof,
    ) {
        say(format!("attack: {name}"));
        let began = Instant::now();
        for sink in sinks {
            self.stack.rest().unwrap().put_config(&sink.name, &sink.config()).unwrap();
            self.wait_running(sink);
        }
        let mysql = self.stack.mysql().unwrap();
        let load = Load::start(mysql, self.next_order, PAUSE).unwrap();
        for sink in sinks {
            self.again(sink, Instant::now());
        }
        let proof = attack(self);
        say(format!("{name}: {}", proof.what));
        assert!(proof.times > 0, "{name} did not happen: {}", proof.what);
        let changes = load.stop().unwrap();
        assert!(changes > 0, "{name}: nothing flowed");
        self.changes += changes;
        self.next_order += changes / 3 * 2;
        self.wait_in_kafka();
        for sink in sinks {
            let row = self.reconciled(name, sink, &proof, began);
            say(format!("counted: attacks={}", proof.times));
            say(row.to_string());
            self.rows.push(row);
        }
    }

    /// Ends sinks that no later scenario needs.
    pub fn delete(&self, sinks: &[&Connector]) {
        sinks.iter().for_each(|sink| self.stack.rest().unwrap().delete(&sink.name).unwrap());
    }

    /// Waits until each partition has a new commit since then, with all of its files visible; how
    /// long after then that was.
    pub fn again(&self, sink: &Connector, since: Instant) -> Duration {
        match url_of(sink).strip_prefix("file://").map(str::to_owned) {
            Some(folder) => self.again_in_folder(sink, &folder, since),
            None => self.again_in_store(sink, since),
        }
    }

    fn again_in_store(&self, sink: &Connector, since: Instant) -> Duration {
        let mut watch = Watch::new(self, Some(sink));
        let whole = |seen: &[Arc<Exchange>]| {
            watch.look();
            let new: Vec<_> = seen.iter().filter(|one| one.at > since).cloned().collect();
            (visible_partitions(&new, sink) == PARTITIONS).then_some(())
        };
        self.proxy
            .wait(&format!("commit of each partition by {}", sink.name), LIMIT, whole)
            .unwrap();
        since.elapsed()
    }

    fn again_in_folder(&self, sink: &Connector, folder: &str, since: Instant) -> Duration {
        let before = files_below(Path::new(folder));
        let mut watch = Watch::new(self, Some(sink));
        loop {
            watch.look();
            let now = files_below(Path::new(folder));
            let new = now.difference(&before).filter_map(|name| partition_of(name));
            if new.collect::<HashSet<_>>().len() == PARTITIONS {
                return since.elapsed();
            }
            assert!(since.elapsed() < LIMIT, "no commit of each partition in {folder}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Debezium is behind MySQL. Each batch of 30 changes has 3 deletes, each with a tombstone.
    fn wait_in_kafka(&self) {
        let records = self.changes + self.changes / 10 + SEEDED;
        let began = Instant::now();
        let tool = self.stack.kafka().unwrap().tool();
        let mut watch = Watch::new(self, None);
        while let Err(late) = tool.wait_for(TOPIC, records as usize, 20) {
            assert!(began.elapsed() < LIMIT * 3, "MySQL's changes are not in Kafka: {late:?}");
            watch.look();
        }
    }

    /// Waits until all tasks of a sink run; none may have failed, but by a bug of Connect's own.
    pub fn wait_running(&self, sink: &Connector) {
        let rest = self.stack.rest().unwrap();
        while let Err(failed) = rest.wait_running(&sink.name, PARTITIONS, LIMIT) {
            let own = failed.to_string().contains(CONNECTS_OWN);
            assert!(own, "{failed:?}");
            watch::revive_sink(self, sink);
            sleep(Duration::from_secs(1));
        }
    }

    fn reconciled(&self, name: &str, sink: &Connector, proof: &Proof, began: Instant) -> Row {
        self.wait_running(sink);
        let table = Table::new(&self.stack, &url_of(sink)).unwrap();
        let seen = table.wait_complete(&[TOPIC], LIMIT).unwrap();
        let state = table.against_mysql(TOPIC, "inventory.orders").unwrap();
        assert_eq!(seen.compared, seen.rows, "{seen:?}");
        assert_eq!(
            seen.compared,
            self.changes + SEEDED,
            "{name}: of each change one row: {seen:?}"
        );
        assert_eq!(state["wrong"], 0, "{name}: {state}");
        assert!(state["compared"].as_u64().unwrap() > 0, "{state}");
        Program::verify(&self.stack, sink).unwrap();
        Row::new(name, sink, proof, &seen, &state, began.elapsed())
    }

    /// The first worker that has a task of this sink.
    pub fn worker_of(&self, sink: &Connector) -> &Worker {
        let status = self.stack.rest().unwrap().status(&sink.name).unwrap();
        let id = status["tasks"][0]["worker_id"].as_str().unwrap().to_owned();
        let mut workers = self.stack.workers();
        workers.find(|worker| id.ends_with(&format!(":{}", worker.port()))).unwrap()
    }

    /// How often the workers' logs say this.
    pub fn said(&self, text: &str) -> usize {
        let logs = self.stack.workers().map(|worker| worker.process().log().text());
        logs.map(|log| log.matches(text).count()).sum()
    }
}

/// The table of a sink.
pub fn url_of(sink: &Connector) -> String {
    sink.config()["lake.url"].as_str().unwrap().to_owned()
}

/// Partitions of which these requests made a whole commit of this sink visible.
pub fn visible_partitions(seen: &[Arc<Exchange>], sink: &Connector) -> usize {
    let log = format!("/v1/logs/{}/", sink.name);
    let ours = commits(seen).into_iter().filter(|commit| commit.folder.contains(&log));
    let whole = ours.filter(|commit| commit.completed(seen) == commit.files());
    whole.map(|commit| commit.folder).collect::<HashSet<_>>().len()
}

fn files_below(folder: &Path) -> HashSet<String> {
    let mut names = HashSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            names.extend(files_below(&path));
        } else {
            names.insert(path.display().to_string());
        }
    }
    names
}

/// `<partition>` of `…/orders_cdc-<partition>-…`.
fn partition_of(name: &str) -> Option<String> {
    let file = name.rsplit('/').next()?.strip_prefix(TOPIC)?;
    file.split('-').nth(1).map(str::to_owned)
}
