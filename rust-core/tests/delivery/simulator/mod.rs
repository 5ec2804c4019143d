//! The simulator: two or three owners of the same topic-partitions on one thread with stopped time,
//! a store that fails, a Kafka that loses, users who delete; every choice by one seed.
//!
//! In goes a seed, out come what was done and the first rule broken. The same seed does the same,
//! request by request.

mod actions;
mod chain;
mod group;
mod healing;
mod newer;
mod oracle;
mod outside;
mod owner;
mod scenario;
mod seen;

use crate::world::{META, TABLE, World};
use alluvium_core::error::Kind;
use alluvium_core::log::Blocks;
use alluvium_core::position::TopicPartition;
use alluvium_core::store::probe::probe;
use alluvium_core::store::{Lake, Location};
use alluvium_testkit::{FaultyStore, MemoryStore};
use oracle::{Broken, Oracle};
use owner::Owner;
use scenario::Scenario;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One seed of so many publishes by copies.
const COPIES: u64 = 8;
/// Of so many, one writes JSON, and one CSV.
const FORMATS: u64 = 16;

/// What a seed did.
#[derive(Debug, Default, Clone)]
pub(crate) struct Report {
    /// What was done, in words.
    pub(crate) story: Vec<String>,
    /// Every request of every owner, without what is random in a key.
    pub(crate) requests: Vec<String>,
    /// Entries given to Kafka.
    pub(crate) records: usize,
    /// Rows that became visible.
    pub(crate) rows: usize,
    pub(crate) owners: u32,
    /// Owners that died without a word.
    pub(crate) deaths: usize,
    /// Blocks of log records in archives.
    pub(crate) archived: usize,
    /// The first rule broken.
    pub(crate) broken: Option<Broken>,
}

/// A world in motion.
struct Simulation {
    random: fastrand::Rng,
    scenario: Scenario,
    world: World,
    oracle: Oracle,
    owners: Vec<Owner>,
    /// Stores of all owners that ever were, for their requests.
    stores: Vec<(u32, Arc<FaultyStore>)>,
    named: u32,
    /// Where the group's offset was set back to while a member held the topic-partition.
    set_back: BTreeMap<TopicPartition, Option<i64>>,
    deaths: usize,
    records: usize,
    next_id: i64,
    step: usize,
    story: Vec<String>,
}

/// Runs one seed from beginning to end.
pub(crate) fn run(seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    // Jitter of the core comes from the thread's generator.
    fastrand::seed(seed);
    runtime.block_on(async {
        let mut simulation = Simulation::new(seed);
        let broken = simulation.live().await.err();
        simulation.report(broken)
    })
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scenario = Scenario::draw(&mut random);
        if seed % COPIES == COPIES - 1 {
            scenario.publish_by_copy();
        }
        match seed % FORMATS {
            5 => scenario.write(".json.gz", &[("format", "json")]),
            9 => scenario.write(".csv.zst", &[("format", "csv"), ("csv.compression", "zstd")]),
            _ => {}
        }
        let part_size = if scenario.small_parts { 700 } else { 8 << 20 };
        let memory = MemoryStore::new(scenario.personality).with_part_size(part_size);
        if scenario.weak_listing {
            memory.weaken_listing(random.u64(..), Duration::from_millis(1_500));
        }
        let mut world = World::on(memory);
        if scenario.may.archive {
            world.blocks = Blocks::for_tests(4);
        }
        let mut simulation = Self {
            random,
            oracle: Oracle::new(&scenario),
            world,
            scenario,
            owners: Vec::new(),
            stores: Vec::new(),
            named: 0,
            set_back: BTreeMap::new(),
            deaths: 0,
            records: 0,
            next_id: 0,
            step: 0,
            story: Vec::new(),
        };
        if simulation.scenario.weak_listing {
            simulation.tell(|| "listings lag".to_owned());
        }
        simulation.begin();
        simulation
    }

    async fn live(&mut self) -> Result<(), Broken> {
        if self.scenario.lies() {
            return self.probe().await;
        }
        while self.step < self.scenario.steps {
            self.step += 1;
            self.act().await?;
            self.look()?;
        }
        self.heal().await
    }

    /// A task that starts on a store which lies must be refused, whatever else fails.
    async fn probe(&mut self) -> Result<(), Broken> {
        self.tell(|| "a task probes a store that lies".to_owned());
        let store = Arc::new(FaultyStore::new(Arc::new(self.world.memory.clone())));
        store.seed(self.random.u64(..), self.scenario.rates);
        self.named += 1;
        self.stores.push((self.named, store.clone()));
        let at = |prefix: &str| Location { store: store.clone(), prefix: prefix.to_owned() };
        let lake = Lake { table: at(TABLE), meta: at(META) };
        let config = self.world.config(&self.scenario.options(1, false));
        for _ in 0..100 {
            match probe(&lake, &config, self.world.clock.now_ms()).await {
                Ok(_) => return Err("the probe passes a store that lies".to_owned()),
                Err(error) if error.is_temporary() => {}
                Err(error) if error.kind() == Kind::Config => return Ok(()),
                Err(error) => return Err(format!("the probe fails otherwise: {error}")),
            }
        }
        Err("the probe does not come to an end".to_owned())
    }

    /// Holds what is there now against every rule; buries the dead.
    fn look(&mut self) -> Result<(), Broken> {
        if self.scenario.may.expiry {
            self.oracle.uploads_expired(self.world.memory.expire_uploads(scenario::UPLOAD_EXPIRY));
        }
        for owner in &self.owners {
            self.oracle.dead_letters.extend(owner.worker.dead_letters.iter().cloned());
        }
        self.oracle.observe(&self.world)
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        let at = self.step;
        self.story.push(format!("{at:3}  {}", what()));
    }

    fn report(self, broken: Option<Broken>) -> Report {
        let mut requests = Vec::new();
        for (owner, store) in &self.stores {
            for request in store.requests() {
                let key = without_nonce(&request.key);
                requests.push(format!("{owner} {:?} {key} {:?}", request.op, request.fault));
            }
        }
        let (rows, archived) = (self.oracle.rows(), self.world.archived());
        let Self { mut story, records, named, deaths, .. } = self;
        if broken.is_some() {
            story.extend(self.oracle.parts.iter().flat_map(|(tp, seen)| seen.tell(tp)));
        }
        Report { story, requests, records, rows, owners: named, deaths, archived, broken }
    }
}

/// Names of data files end in eight random digits, those of staged ones are random.
fn without_nonce(key: &str) -> &str {
    if let Some((folder, _)) = key.rsplit_once('/').filter(|_| key.contains("/staging/")) {
        return folder;
    }
    let name = [".parquet", ".json.gz", ".csv.zst"].iter().find_map(|end| key.strip_suffix(end));
    name.and_then(|name| name.rsplit_once('-')).map_or(key, |(name, _)| name)
}
