//! What a seed is about: the store, the connector's configuration, and which things may happen.
//! Each seed allows some of them only, so that the rare ones meet often enough.

use crate::world::Options;
use alluvium_core::position::TopicPartition;
use alluvium_core::task::ErrantPolicy;
use alluvium_testkit::Personality;
use alluvium_testkit::faulty::Rates;
use std::time::Duration;

/// `upload.max.age.ms` of every seed, and how much later the store purges an upload.
pub(crate) const UPLOAD_MAX_AGE: Duration = Duration::from_secs(60);
pub(crate) const UPLOAD_EXPIRY: Duration = Duration::from_secs(120);

/// What a seed may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct May {
    /// Owners die, also at a chosen request.
    pub(crate) crash: bool,
    /// Owners stand still for longer than anything, and wake.
    pub(crate) stall: bool,
    /// Topic-partitions move while everybody lives.
    pub(crate) rebalance: bool,
    /// The store is away for long.
    pub(crate) outage: bool,
    /// The connector is paused over REST.
    pub(crate) pause: bool,
    /// Partitions are added.
    pub(crate) partitions: bool,
    /// Kafka's retention passes what was not read.
    pub(crate) retention: bool,
    /// A topic-partition is truncated.
    pub(crate) truncation: bool,
    /// The group's offsets are lost or set back.
    pub(crate) group: bool,
    /// Somebody deletes settled files.
    pub(crate) deletion: bool,
    /// Old records of the log are cleaned away as early as the protocol allows,
    pub(crate) cleaning: bool,
    /// or moved into the archive by their owners, in small blocks.
    pub(crate) archive: bool,
    /// The dead letter queue does not answer.
    pub(crate) dead_letters: bool,
    /// Long times in which nobody polls.
    pub(crate) waiting: bool,
    /// Some owners are of a newer version.
    pub(crate) newer: bool,
    /// The store purges uploads.
    pub(crate) expiry: bool,
}

/// A seed's world.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) personality: Personality,
    pub(crate) weak_listing: bool,
    /// Files have several parts, sent while they are open.
    pub(crate) small_parts: bool,
    /// The end of the names of data files.
    pub(crate) extension: &'static str,
    pub(crate) tps: Vec<TopicPartition>,
    pub(crate) cooperative: bool,
    pub(crate) rates: Rates,
    pub(crate) may: May,
    pub(crate) steps: usize,
    pub(crate) owners_max: usize,
    keys: Vec<(&'static str, String)>,
    pub(crate) policy: ErrantPolicy,
}

const QUIET: Rates = Rates {
    fail_before: 0,
    fail_after: 0,
    delay: 5,
    late: 0,
    twice: 0,
    pause_max: Duration::from_secs(1),
};
const AWFUL: Rates = Rates {
    fail_before: 10,
    fail_after: 12,
    delay: 10,
    late: 8,
    twice: 5,
    pause_max: Duration::from_secs(8),
};

impl Scenario {
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        let topic = "orders";
        let stores = [Personality::AWS, Personality::AWS, Personality::MINIO, Personality::R2];
        let rates = [QUIET, Rates::ROUGH, Rates::ROUGH, AWFUL];
        let interval = [500, 1_000, 3_000, 20_000][random.usize(..4)];
        let isolate = random.bool();
        let mut keys = vec![
            ("commit.interval.ms", interval.to_string()),
            ("upload.max.age.ms", UPLOAD_MAX_AGE.as_millis().to_string()),
            ("errant.max.ratio", "1".to_owned()),
            ("partition.failure", if isolate { "isolate" } else { "task" }.to_owned()),
        ];
        if random.bool() {
            keys.push(("commit.max.records", random.u32(3..12).to_string()));
        }
        if random.u8(..4) == 0 {
            keys.push(("partition.path", "all".to_owned()));
        }
        let small_parts = random.u8(..3) == 0;
        if small_parts {
            keys.push(("parquet.row.group.rows", "3".to_owned()));
        }
        let policy = if random.u8(..5) == 0 { ErrantPolicy::Log } else { ErrantPolicy::Report };
        let lying = [Personality::OLD_SEAWEEDFS, Personality::GCS_INTEROP];
        let personality = match random.u8(..40) {
            lie @ 0..=1 => lying[usize::from(lie)],
            _ => stores[random.usize(..stores.len())],
        };
        Self {
            personality,
            small_parts,
            extension: ".parquet",
            weak_listing: random.u8(..6) == 0,
            tps: (0..random.i32(1..3)).map(|p| TopicPartition::new(topic, p)).collect(),
            cooperative: random.bool(),
            rates: rates[random.usize(..rates.len())],
            may: May::draw(random),
            steps: random.usize(20..90),
            owners_max: random.usize(1..4),
            keys,
            policy,
        }
    }

    /// Files become visible by a copy of staged objects.
    pub(crate) fn publish_by_copy(&mut self) {
        self.keys.push(("publish.mode", "copy".to_owned()));
    }

    /// Files are of another format, and end in a name of that.
    pub(crate) fn write(&mut self, extension: &'static str, keys: &[(&'static str, &str)]) {
        self.extension = extension;
        self.keys.retain(|(key, _)| !key.starts_with("parquet."));
        self.keys.extend(keys.iter().map(|(key, value)| (*key, (*value).to_owned())));
    }

    /// Whether exactly once is impossible on this store.
    pub(crate) fn lies(&self) -> bool {
        !self.personality.atomic_create || !self.personality.honours_condition
    }

    /// The options of an owner.
    pub(crate) fn options(&self, owner: u32, isolate: bool) -> Options {
        let mut keys = self.keys.clone();
        if isolate {
            keys.push(("partition.failure", "isolate".to_owned()));
        }
        let owner = owner.to_string();
        Options { keys, errants: self.policy, owner, ..Options::default() }
    }
}

impl May {
    fn draw(random: &mut fastrand::Rng) -> Self {
        let upkeep = random.u8(..6);
        Self {
            crash: random.bool(),
            stall: random.bool(),
            rebalance: random.bool(),
            outage: random.u8(..3) == 0,
            pause: random.u8(..4) == 0,
            partitions: random.u8(..4) == 0,
            retention: random.u8(..5) == 0,
            truncation: random.u8(..12) == 0,
            group: random.u8(..3) == 0,
            deletion: random.u8(..4) == 0,
            cleaning: upkeep < 2,
            archive: upkeep > 3,
            dead_letters: random.u8(..4) == 0,
            waiting: random.u8(..3) == 0,
            newer: random.u8(..4) == 0,
            expiry: random.u8(..4) == 0,
        }
    }
}
