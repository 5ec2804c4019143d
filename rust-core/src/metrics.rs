//! Port: the task's counters. Rooms count, the shim shows. Nothing here decides anything.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// A number that anybody may change and read at any time.
#[derive(Debug, Default)]
pub struct Number(AtomicI64);

impl Number {
    /// Adds (or, negative, takes away).
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// Sets it.
    pub fn set(&self, to: i64) {
        self.0.store(to, Relaxed);
    }

    /// Reads it.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters and gauges of one sink task, since its start.
        #[derive(Debug, Default)]
        pub struct TaskMetrics { $($(#[$doc])* pub $name: Number,)* }

        impl TaskMetrics {
            /// Every number by name, in the order of declaration.
            pub fn snapshot(&self) -> serde_json::Map<String, serde_json::Value> {
                let mut all = serde_json::Map::new();
                $(all.insert(stringify!($name).to_owned(), self.$name.get().into());)*
                all
            }
        }
    };
}

numbers! {
    /// Records taken from frames (not those ignored before a seek).
    records,
    /// Rows in committed files.
    rows,
    /// Records that left no row.
    skipped,
    /// Errant records.
    errants,
    /// Files published.
    files,
    /// Bytes of published files.
    bytes,
    /// Cuts recorded with files.
    commits,
    /// Records of the log that only moved a position or settled.
    advances,
    /// Times a topic-partition of this task was fenced.
    fenced_total,
    /// Records of ours that landed on a key re-opened by clean-up, and were not believed.
    resurrect_rejected,
    /// Files of an earlier owner that we made visible.
    recovered_files,
    /// Uploads of committed files that the store lost.
    lost_uploads,
    /// Offsets that went backwards.
    regressions,
    /// Ranges that Kafka expired before they were read.
    ranges_lost,
    /// Offsets that never were delivered.
    gaps,
    /// Log records whose outcome was unknown at first.
    unknown_outcomes,
    /// 1 with `delivery.guarantee=at_least_once`: nothing fences an owner that stood still.
    unfenced,
    /// Bytes of frames in the queue.
    queue_bytes,
    /// Topic-partitions open now.
    open_partitions,
    /// Files open now.
    open_files,
    /// Blocks of old log records that were written to the archive.
    archived_blocks,
}
