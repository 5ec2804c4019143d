//! Commits that a `rebuild` made void: their files never became visible, and later records cover
//! their offsets again. In go records from the newest to the oldest, out comes which are void.

use super::record::{LogRecord, RecordKind};

/// What the records that were shown so far say of older ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voids {
    /// Records that end above this offset are void.
    above: Option<i64>,
}

impl Voids {
    /// Whether the next older record's files and offsets count for nothing.
    pub fn is_void(&mut self, record: &LogRecord) -> bool {
        if record.kind == RecordKind::Rebuild {
            self.above = self.above.into_iter().chain(record.next_offset).min();
            return false;
        }
        let void = self.above.is_some_and(|above| record.next_offset.is_some_and(|n| n > above));
        if !void {
            self.above = None;
        }
        void
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, start: i64, next: i64) -> LogRecord {
        let json = format!(
            r#"{{"v":1,"kind":"{kind}","seq":2,"nonce":"67e55044-10b1-426f-9247-bb680e5fe0c8",
            "log_id":"67e55044-10b1-426f-9247-bb680e5fe0c8","sink_id":"s","topic":"t",
            "generation":1,"partition":0,"epoch":1,"start_offset":{start},"next_offset":{next}}}"#
        );
        LogRecord::from_bytes("k", json.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_rebuild_goes_back_over_is_void_and_nothing_else() {
        // Newest first: 10 to 20 was lost, laid down anew, lost again, and laid down at last.
        let log = [
            ("commit", 10, 20, false),
            ("claim", 10, 10, false),
            ("rebuild", 20, 10, false),
            ("claim", 20, 20, true),
            ("commit", 10, 20, true),
            ("rebuild", 20, 10, false),
            ("advance", 18, 20, true),
            ("commit", 15, 18, true),
            ("commit", 10, 15, true),
            ("claim", 10, 10, false),
            ("commit", 0, 10, false),
            ("commit", -5, 30, false),
        ];
        let mut voids = Voids::default();
        for (kind, start, next, void) in log {
            let found = voids.is_void(&record(kind, start, next));
            assert_eq!(found, void, "{kind} from {start} to {next}");
        }
    }
}
