//! One cut on its way into the log: in go a range of offsets and its sealed files, out comes the
//! log's state with every file visible (`docs/delivery.md`, flush). Never aborts an upload.

use super::errants::Gate;
use super::sealing::Sealing;
use super::topic_partition::CutRange;
use crate::clock::Clock;
use crate::commit::LogAccess;
use crate::error::{Error, Kind, Result};
use crate::log::{FileEntry, LogRecord, RecordKind};
use crate::publish::{self, Before};
use crate::recover::{LogContext, LogState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Offsets of skipped records kept in a log record; beyond, the count alone.
const SKIPPED_OFFSETS_MAX: usize = 8_000;

/// What a flush works with.
#[derive(Debug, Clone)]
pub(super) struct Flush {
    pub(super) context: LogContext,
    pub(super) log: LogAccess,
    pub(super) state: LogState,
    pub(super) clock: Arc<dyn Clock>,
    /// `upload.max.age.ms`.
    pub(super) upload_max_age_ms: i64,
}

impl Flush {
    /// Commits a cut: waits for its uploads and for the reports of its errant records, writes one
    /// record, confirms it as the head, publishes.
    ///
    /// # Errors
    /// `Fenced`: another owner has the log, or the uploads are too old to be trusted; open again.
    /// Any other: an operator is needed; nothing the record names may be aborted.
    pub(super) async fn commit(
        self,
        cut: CutRange,
        files: Vec<Sealing>,
        gate: Gate,
    ) -> Result<LogState> {
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            let begun_at_ms = file.begun_at_ms;
            // The store may have expired the upload with parts of it still on their way.
            let entry = file.staged().await;
            entries.push(entry.map_err(|e| self.too_old(begun_at_ms).unwrap_or(e))?);
        }
        gate.open().await;
        let record = self.record(cut, entries)?;
        self.check_age(&record.files)?;
        self.log.commit(&record).await?;
        let (files, seq) = (record.files.len(), record.seq);
        tracing::info!(
            tp = %self.context.tp, seq, files, rows = record.rows, start = record.start_offset,
            next = record.next_offset, "commit recorded"
        );
        let table = &self.context.lake.table.store;
        publish::publish(&self.log, table, &record.files, seq, Before::Staged).await?;
        tracing::info!(tp = %self.context.tp, seq, files, "commit published");
        self.count(&record);
        let mut state = self.state.after(&record);
        state.pending.retain(|link| link.seq != seq);
        Ok(state)
    }

    /// Records a position or a shorter `unsettled`, without files.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub(super) async fn advance(self, next: Option<i64>) -> Result<LogState> {
        let now_ms = self.clock.now_ms();
        let mut record = self.context.record(&self.state, RecordKind::Advance, next, now_ms);
        if self.state.next.is_none() {
            record.start_offset = next;
        }
        self.log.commit(&record).await?;
        self.context.metrics.advances.add(1);
        Ok(self.state.after(&record))
    }

    fn record(&self, cut: CutRange, files: Vec<FileEntry>) -> Result<LogRecord> {
        let rows = files.iter().map(|file| file.rows).sum();
        cut.check(rows)?;
        if let Some(stray) =
            files.iter().find(|file| file.first_offset < cut.start || file.last_offset >= cut.end)
        {
            let text =
                "a file reaches beyond its cut, so it is not committed; please report this bug";
            return Err(Error::new(Kind::Corrupt, text).with("file", &stray.key));
        }
        let kind = if files.is_empty() { RecordKind::Advance } else { RecordKind::Commit };
        let now_ms = self.clock.now_ms();
        let mut record = self.context.record(&self.state, kind, Some(cut.end), now_ms);
        record.records = cut.tally.records;
        record.rows = rows;
        record.skipped_offsets = skipped_offsets(cut.start, &cut.tally.errant_offsets);
        record.skipped = cut.tally.skipped;
        record.gaps = cut.tally.gaps;
        record.files = files;
        if kind == RecordKind::Commit {
            let link = record.link();
            record.unsettled.push(link);
        }
        Ok(record)
    }

    /// A store may have expired what was uploaded long ago; then reading again is the only safe
    /// way. The record was not sent yet, so nothing refers to these uploads.
    fn check_age(&self, files: &[FileEntry]) -> Result<()> {
        let oldest = files.iter().map(|file| file.upload_created_at).min();
        oldest.and_then(|oldest| self.too_old(oldest)).map_or(Ok(()), Err)
    }

    fn too_old(&self, begun_at_ms: i64) -> Option<Error> {
        (self.clock.now_ms() - begun_at_ms > self.upload_max_age_ms).then(|| {
            Error::new(
                Kind::Fenced,
                "uploads of this commit are older than upload.max.age.ms; the records are read \
                 again",
            )
        })
    }

    fn count(&self, record: &LogRecord) {
        let metrics = &self.context.metrics;
        metrics.rows.add(record.rows as i64);
        metrics.files.add(record.files.len() as i64);
        metrics.bytes.add(record.files.iter().map(|file| file.size as i64).sum());
        metrics.skipped.add(record.skipped.total() as i64);
        metrics.gaps.add(record.gaps.sum);
        if record.files.is_empty() {
            metrics.advances.add(1);
        } else {
            metrics.commits.add(1);
        }
    }
}

fn skipped_offsets(start: i64, errants: &[i64]) -> BTreeMap<String, Vec<i64>> {
    if errants.is_empty() || errants.len() > SKIPPED_OFFSETS_MAX {
        return BTreeMap::new();
    }
    let deltas = errants.iter().scan(start, |last, offset| {
        let delta = offset - *last;
        *last = *offset;
        Some(delta)
    });
    BTreeMap::from([("errant".to_owned(), deltas.collect())])
}
