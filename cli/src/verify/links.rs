//! How one record follows another: in go records from the newest to the oldest, out comes what
//! does not join. What a record says alone is in `cut`.

use super::findings::{At, Findings, Kind};
use crate::show;
use alluvium_core::log::{LogId, LogRecord, RecordKind};
use std::io;

/// The record behind the one that comes next.
#[derive(Debug)]
struct Later {
    seq: u64,
    start: Option<i64>,
    epoch: u64,
}

/// The chain of one log.
#[derive(Debug, Default)]
pub(super) struct Links {
    later: Option<Later>,
    /// The first offset any record covers, as far as the chain was read.
    pub(super) begins: Option<i64>,
    /// The head's next offset.
    pub(super) ends: Option<i64>,
}

impl Links {
    /// The next older record.
    pub(super) fn take(
        &mut self,
        log: &LogId,
        record: &LogRecord,
        findings: &mut Findings<'_>,
    ) -> io::Result<()> {
        let at = At::log(log);
        if self.later.is_none() {
            self.ends = record.next_offset;
        }
        if let (Some(start), Some(next)) = (record.start_offset, record.next_offset)
            && start > next
            && !moves(record)
        {
            let text = format!("its range {} runs backwards", show::range(record));
            findings.add(Kind::BrokenRange, 1, at.seq(record.seq).offsets(next, start), &text)?;
        }
        if let Some(later) = &self.later {
            joins(record, later, at, findings)?;
        }
        let starts = record.start_offset.filter(|_| !moves(record));
        self.begins = self.begins.into_iter().chain(starts).min();
        let LogRecord { seq, start_offset: start, epoch, .. } = *record;
        self.later = Some(Later { seq, start, epoch });
        Ok(())
    }
}

/// Whether a record may go back: by an operator's wish, or over commits whose uploads were lost.
fn moves(record: &LogRecord) -> bool {
    matches!(record.kind, RecordKind::Reset | RecordKind::Rebuild)
}

fn joins(
    record: &LogRecord,
    later: &Later,
    at: At<'_>,
    findings: &mut Findings<'_>,
) -> io::Result<()> {
    let at = at.seq(later.seq);
    if later.epoch < record.epoch {
        let text = format!("its epoch {} is below that of the record before", later.epoch);
        findings.add(Kind::BrokenChain, 1, at, &text)?;
    }
    let Some(next) = record.next_offset else { return Ok(()) };
    let Some(start) = later.start else {
        let text = format!("its start is unknown, though record {} ends at {next}", record.seq);
        return findings.add(Kind::BrokenRange, 1, at, &text);
    };
    if start == next {
        return Ok(());
    }
    let (from, to, by) = if start > next {
        (next, start, "no record: record")
    } else {
        (start, next, "two records:")
    };
    let text = format!(
        "{} are covered by {by} {} ends at {next}, this one starts at {start}",
        show::offsets(from, to),
        record.seq
    );
    findings.add(Kind::BrokenRange, (to - from).unsigned_abs(), at.offsets(from, to), &text)
}
