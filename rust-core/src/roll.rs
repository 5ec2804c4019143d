//! Room 6, roll: in come numbers, out goes whether to end a file or cut a topic-partition, and
//! which key says so. Pure: no clock, no store, nothing is sealed here.

use crate::buffer::OpenFileStats;
use crate::config::Config;
use std::fmt;

/// When a file ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollLimits {
    /// `file.max.bytes`.
    pub max_bytes: u64,
    /// `file.max.records`.
    pub max_records: Option<u64>,
}

/// Why a file ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RollReason {
    /// `file.max.bytes` is reached.
    Bytes,
    /// `file.max.records` is reached.
    Records,
}

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

/// Why a topic-partition is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CutReason {
    /// `commit.max.records` is reached.
    Records,
    /// `commit.max.bytes` is reached.
    Bytes,
    /// `commit.max.files` is reached.
    Files,
    /// An upload has reached half of `upload.max.age.ms`.
    UploadAge,
    /// The share of `memory.limit.bytes` is used up.
    Memory,
    /// `commit.interval.ms` has passed.
    Interval,
}

/// Whether a file ends now; asked after each append, before the next row of its path.
pub fn roll(stats: &OpenFileStats, limits: &RollLimits) -> Option<RollReason> {
    if stats.estimated_bytes >= limits.max_bytes {
        Some(RollReason::Bytes)
    } else if limits.max_records.is_some_and(|max| stats.rows >= max) {
        Some(RollReason::Records)
    } else {
        None
    }
}

/// Whether a topic-partition is cut now; `now_ms` is the wall clock, ms since 1970.
///
/// With nothing to commit there is nothing to cut, whatever the age. Of several reasons the first
/// of the order of [`CutReason`] is told.
pub fn cut_reason(stats: &CutStats, limits: &CutLimits, now_ms: i64) -> Option<CutReason> {
    let _ = (stats, limits, now_ms);
    None
}

/// When a cut falls due by age alone, ms since 1970; `None` = never, as things stand. For timers.
pub fn cut_due_ms(stats: &CutStats, limits: &CutLimits) -> Option<i64> {
    let _ = (stats, limits);
    None
}

impl From<&Config> for RollLimits {
    fn from(config: &Config) -> Self {
        Self { max_bytes: config.file_max_bytes, max_records: config.file_max_records }
    }
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

impl fmt::Display for RollReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RollReason::Bytes => "file.max.bytes",
            RollReason::Records => "file.max.records",
        })
    }
}

impl fmt::Display for CutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CutReason::Records => "commit.max.records",
            CutReason::Bytes => "commit.max.bytes",
            CutReason::Files => "commit.max.files",
            CutReason::UploadAge => "upload.max.age.ms",
            CutReason::Memory => "memory.limit.bytes",
            CutReason::Interval => "commit.interval.ms",
        })
    }
}
