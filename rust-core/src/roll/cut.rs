//! When a topic-partition is cut: everything it holds below one next offset becomes one commit.

use crate::config::Config;
use std::fmt;

/// When a topic-partition is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutLimits {
    /// `commit.interval.ms`: greatest age of what is not committed.
    pub interval_ms: u64,
    /// `commit.max.records`.
    pub max_records: Option<u64>,
    /// `commit.max.bytes`.
    pub max_bytes: u64,
    /// `commit.max.files`.
    pub max_files: u64,
    /// Half of `upload.max.age.ms`: greatest age of an upload.
    pub upload_age_ms: u64,
    /// This topic-partition's share of `memory.limit.bytes`, bytes.
    pub memory_bytes: u64,
}

/// What a topic-partition holds that no cut has taken yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CutStats {
    /// Records taken, with and without rows.
    pub records: u64,
    /// Bytes of its files, estimated, open and sealed.
    pub bytes: u64,
    /// Its files, open and sealed.
    pub files: u64,
    /// Memory counted, bytes.
    pub memory_bytes: u64,
    /// When the oldest record or position was taken, ms since 1970; `None` = nothing to commit.
    pub oldest_taken_at_ms: Option<i64>,
    /// When the oldest upload was begun, ms since 1970.
    pub oldest_upload_at_ms: Option<i64>,
}

/// Why a topic-partition is cut; displays as the key that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CutReason {
    /// `commit.max.records` is reached.
    Records,
    /// `commit.max.bytes` is reached.
    Bytes,
    /// `commit.max.files` is reached.
    Files,
    /// The share of `memory.limit.bytes` is used up.
    Memory,
    /// An upload has reached half of `upload.max.age.ms`.
    UploadAge,
    /// `commit.interval.ms` has passed.
    Interval,
}

/// Whether a topic-partition is cut now; `now_ms` is the wall clock, ms since 1970.
///
/// With nothing to commit there is nothing to cut, whatever the numbers. Of several reasons the
/// first in the order of [`CutReason`] is told.
pub fn cut_reason(stats: &CutStats, limits: &CutLimits, now_ms: i64) -> Option<CutReason> {
    stats.oldest_taken_at_ms?;
    let reached = |due: Option<i64>| due.is_some_and(|due| now_ms >= due);
    if limits.max_records.is_some_and(|max| stats.records >= max) {
        Some(CutReason::Records)
    } else if stats.bytes >= limits.max_bytes {
        Some(CutReason::Bytes)
    } else if stats.files >= limits.max_files {
        Some(CutReason::Files)
    } else if stats.memory_bytes >= limits.memory_bytes {
        Some(CutReason::Memory)
    } else if reached(upload_due_ms(stats, limits)) {
        Some(CutReason::UploadAge)
    } else if reached(interval_due_ms(stats, limits)) {
        Some(CutReason::Interval)
    } else {
        None
    }
}

/// When a cut falls due by age alone, ms since 1970; `None` = never, as things stand. For timers.
pub fn cut_due_ms(stats: &CutStats, limits: &CutLimits) -> Option<i64> {
    let interval = interval_due_ms(stats, limits)?;
    Some(upload_due_ms(stats, limits).map_or(interval, |upload| upload.min(interval)))
}

fn interval_due_ms(stats: &CutStats, limits: &CutLimits) -> Option<i64> {
    Some(stats.oldest_taken_at_ms?.saturating_add_unsigned(limits.interval_ms))
}

fn upload_due_ms(stats: &CutStats, limits: &CutLimits) -> Option<i64> {
    Some(stats.oldest_upload_at_ms?.saturating_add_unsigned(limits.upload_age_ms))
}

impl CutLimits {
    /// The limits of the configuration; `memory_bytes` is one topic-partition's share.
    pub fn new(config: &Config, memory_bytes: u64) -> Self {
        Self {
            interval_ms: config.commit_interval_ms,
            max_records: config.commit_max_records,
            max_bytes: config.commit_max_bytes,
            max_files: config.commit_max_files,
            upload_age_ms: config.upload_max_age_ms / 2,
            memory_bytes,
        }
    }
}

impl fmt::Display for CutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CutReason::Records => "commit.max.records",
            CutReason::Bytes => "commit.max.bytes",
            CutReason::Files => "commit.max.files",
            CutReason::Memory => "memory.limit.bytes",
            CutReason::UploadAge => "upload.max.age.ms",
            CutReason::Interval => "commit.interval.ms",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CutLimits = CutLimits {
        interval_ms: 60_000,
        max_records: Some(1_000),
        max_bytes: 5_000,
        max_files: 10,
        upload_age_ms: 3_000_000,
        memory_bytes: 9_000,
    };

    const HELD: CutStats = CutStats {
        records: 999,
        bytes: 4_999,
        files: 9,
        memory_bytes: 8_999,
        oldest_taken_at_ms: Some(100_000),
        oldest_upload_at_ms: Some(100_000),
    };

    #[test]
    fn each_limit_cuts_when_reached_and_not_before() {
        use CutReason::*;
        let cases = [
            ("below every limit", HELD, 159_999, None),
            ("records", CutStats { records: 1_000, ..HELD }, 100_000, Some(Records)),
            ("bytes", CutStats { bytes: 5_000, ..HELD }, 100_000, Some(Bytes)),
            ("files", CutStats { files: 10, ..HELD }, 100_000, Some(Files)),
            ("memory", CutStats { memory_bytes: 9_000, ..HELD }, 100_000, Some(Memory)),
            ("interval", HELD, 160_000, Some(Interval)),
            ("clock went back", HELD, -5, None),
            (
                "an upload older than its data, as after a retried part",
                CutStats { oldest_upload_at_ms: Some(-2_900_000), ..HELD },
                100_000,
                Some(UploadAge),
            ),
            ("no upload yet", CutStats { oldest_upload_at_ms: None, ..HELD }, 159_999, None),
            (
                "nothing to commit",
                CutStats { oldest_taken_at_ms: None, bytes: 9_999, ..HELD },
                i64::MAX,
                None,
            ),
        ];
        for (name, stats, now_ms, expected) in cases {
            assert_eq!(cut_reason(&stats, &LIMITS, now_ms), expected, "{name}");
        }
        let unlimited = CutLimits { max_records: None, ..LIMITS };
        let many = CutStats { records: u64::MAX, ..HELD };
        assert_eq!(cut_reason(&many, &unlimited, 100_000), None, "no commit.max.records");
    }

    #[test]
    fn the_timer_fires_exactly_when_age_cuts() {
        let early_upload = CutStats { oldest_upload_at_ms: Some(-2_900_000), ..HELD };
        let cases = [
            (HELD, Some(160_000)),
            (early_upload, Some(100_000)),
            (CutStats { oldest_upload_at_ms: None, ..HELD }, Some(160_000)),
            (CutStats { oldest_taken_at_ms: None, ..HELD }, None),
            (CutStats { oldest_taken_at_ms: Some(i64::MAX), ..HELD }, Some(3_100_000)),
        ];
        for (stats, expected) in cases {
            assert_eq!(cut_due_ms(&stats, &LIMITS), expected, "{stats:?}");
            if let Some(due) = expected {
                assert_eq!(cut_reason(&stats, &LIMITS, due - 1), None, "{stats:?} before");
                assert!(cut_reason(&stats, &LIMITS, due).is_some(), "{stats:?} at");
            }
        }
    }

    #[test]
    fn a_reason_displays_as_its_key() {
        use CutReason::*;
        let keys = [Records, Bytes, Files, Memory, UploadAge, Interval].map(|r| r.to_string());
        assert_eq!(keys[0..3], ["commit.max.records", "commit.max.bytes", "commit.max.files"]);
        assert_eq!(keys[3..], ["memory.limit.bytes", "upload.max.age.ms", "commit.interval.ms"]);
    }
}
