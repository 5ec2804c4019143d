//! Room 6, roll: in come numbers, out goes whether to end a file or cut a topic-partition, and
//! which key says so. Pure: no clock, no store, nothing is sealed here.

mod cut;

pub use cut::{CutLimits, CutReason, CutStats, cut_due_ms, cut_reason};

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

/// Why a file ended by itself; displays as the key that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RollReason {
    /// `file.max.bytes` is reached.
    Bytes,
    /// `file.max.records` is reached.
    Records,
}

/// Whether a file ends now; asked after each append, before the next row of its path.
///
/// The size is the estimate: what is still in builders counts by what it is likely to weigh. A
/// file without rows never ends, whatever the limits.
pub fn roll(stats: &OpenFileStats, limits: &RollLimits) -> Option<RollReason> {
    if stats.rows == 0 {
        None
    } else if stats.estimated_bytes >= limits.max_bytes {
        Some(RollReason::Bytes)
    } else if limits.max_records.is_some_and(|max| stats.rows >= max) {
        Some(RollReason::Records)
    } else {
        None
    }
}

impl From<&Config> for RollLimits {
    fn from(config: &Config) -> Self {
        Self { max_bytes: config.file_max_bytes, max_records: config.file_max_records }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ends_at_its_limits_and_not_before() {
        use RollReason::{Bytes, Records};
        let cases = [
            // rows, bytes, max bytes, max records, expected
            (10, 99, 100, None, None),
            (10, 100, 100, None, Some(Bytes)),
            (10, 101, 100, None, Some(Bytes)),
            (9, 0, 100, Some(10), None),
            (10, 0, 100, Some(10), Some(Records)),
            (10, 100, 100, Some(10), Some(Bytes)),
            (u64::MAX, 0, 1, None, None),
            (0, 500, 100, Some(1), None),
        ];
        for (rows, estimated_bytes, max_bytes, max_records, expected) in cases {
            let stats = OpenFileStats { rows, estimated_bytes, ..OpenFileStats::default() };
            let limits = RollLimits { max_bytes, max_records };
            assert_eq!(roll(&stats, &limits), expected, "{stats:?} {limits:?}");
        }
        assert_eq!(Bytes.to_string(), "file.max.bytes");
        assert_eq!(Records.to_string(), "file.max.records");
    }
}
