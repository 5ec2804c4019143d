//! Offsets of a cut that no record was delivered for: transaction markers, compaction, records
//! dropped before `put`. Bounded however many there are.

use serde::{Deserialize, Serialize};

/// A gap of more offsets than this is kept by name.
const NAMED_FROM: i64 = 1_000;
/// The cause of a gap that may hide records which Kafka expired: kept by name, however small.
const UNVERIFIED: &str = "unverified";
/// Numbers kept of small gaps; about 64 KB of JSON.
const SMALL_MAX: usize = 16_000;
/// Gaps kept by name; beyond, count and sum still tell.
const NAMED_MAX: usize = 1_000;

/// One gap: `from` is the first missing offset, `to` the first present again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First missing offset.
    pub from: i64,
    /// First offset after the gap.
    pub to: i64,
    /// Why, where it is known (`before_put`, `control`, `unverified`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

/// All gaps of a cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Number of gaps.
    pub count: u64,
    /// Missing offsets in all.
    pub sum: i64,
    /// Gaps of over 1,000 offsets, and those nobody could look into.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub named: Vec<Gap>,
    /// The others, delta-coded: pairs (offsets since the end of the last small gap, or since the
    /// record's `start_offset`; length). Ends early when there are too many: count and sum tell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub small: Vec<i64>,
    /// Where the last small gap ended.
    #[serde(skip)]
    last_end: Option<i64>,
}

impl Gaps {
    /// Notes that `from..to` was not delivered; `start` is the cut's first offset.
    pub fn note(&mut self, start: i64, from: i64, to: i64, cause: Option<&str>) {
        debug_assert!(from < to);
        self.count += 1;
        self.sum += to - from;
        if to - from > NAMED_FROM || cause == Some(UNVERIFIED) {
            if self.named.len() < NAMED_MAX {
                self.named.push(Gap { from, to, cause: cause.map(str::to_owned) });
            }
        } else if self.small.len() < SMALL_MAX {
            self.small.extend([from - self.last_end.unwrap_or(start), to - from]);
            self.last_end = Some(to);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The small gaps as half-open ranges of offsets.
    pub fn small_ranges(&self, start: i64) -> impl Iterator<Item = (i64, i64)> {
        self.small.chunks_exact(2).scan(start, |at, pair| {
            let from = *at + pair[0];
            *at = from + pair[1];
            Some((from, *at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_summed_and_come_back() {
        let mut gaps = Gaps::default();
        gaps.note(100, 105, 106, None);
        gaps.note(100, 110, 112, Some("before_put"));
        gaps.note(100, 200, 5_000, Some("before_put"));
        assert_eq!((gaps.count, gaps.sum), (3, 1 + 2 + 4_800));
        assert_eq!(gaps.small_ranges(100).collect::<Vec<_>>(), [(105, 106), (110, 112)]);
        assert_eq!(gaps.named[0].cause.as_deref(), Some("before_put"));
        let json = serde_json::to_string(&gaps).unwrap();
        let back: Gaps = serde_json::from_str(&json).unwrap();
        assert_eq!(back.small_ranges(100).collect::<Vec<_>>(), [(105, 106), (110, 112)]);
    }

    #[test]
    fn very_many_gaps_stay_bounded() {
        let mut gaps = Gaps::default();
        for i in 0..100_000 {
            gaps.note(0, i * 3, i * 3 + 1, None);
            gaps.note(0, i * 9_000, i * 9_000 + 2_000, None);
        }
        assert_eq!(gaps.count, 200_000);
        assert!(serde_json::to_string(&gaps).unwrap().len() < 200_000);
    }
}
