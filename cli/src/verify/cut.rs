//! One record against its files: in goes what the record says and what the files hold, out comes
//! every offset of its range that is not in exactly one row or accounted for.

use super::findings::{At, Findings, Kind};
use super::offsets::Offsets;
use crate::show;
use alluvium_core::log::LogRecord;
use std::io;

/// Missing ranges kept of one cut; more are counted.
const KEPT: usize = 10_000;

/// What is known of the offsets of one record.
#[derive(Debug)]
pub(super) struct Cut<'r> {
    pub(super) record: &'r LogRecord,
    pub(super) start: i64,
    pub(super) next: i64,
    /// In a row.
    pub(super) rows: Offsets,
    /// On record as no row, by offset.
    pub(super) skipped: Offsets,
    /// On record as never delivered, in order.
    pub(super) gaps: Vec<(i64, i64)>,
    /// How many more are accounted for, without their offsets (tombstones, mostly).
    pub(super) unlisted: u64,
    /// Files with fewer rows than on record, as ranges of offsets.
    pub(super) short: Vec<(i64, i64)>,
}

impl<'r> Cut<'r> {
    /// Of a record that covers offsets; `None` of one that covers none.
    pub(super) fn of(record: &'r LogRecord) -> Option<Self> {
        let (start, next) = (record.start_offset?, record.next_offset?);
        if next <= start {
            return None;
        }
        let mut skipped = Offsets::default();
        for deltas in record.skipped_offsets.values() {
            let mut at = start;
            for delta in deltas {
                at = at.saturating_add(*delta);
                skipped.insert(at);
            }
        }
        let named = record.gaps.named.iter().map(|gap| (gap.from, gap.to));
        let mut gaps: Vec<(i64, i64)> = named.chain(record.gaps.small_ranges(start)).collect();
        gaps.sort_unstable();
        let listed: i64 = gaps.iter().map(|(from, to)| to - from).sum();
        let unlisted_gaps = u64::try_from(record.gaps.sum - listed).unwrap_or(0);
        let unlisted_skips = record.skipped.total().saturating_sub(skipped.len());
        let unlisted = unlisted_gaps + unlisted_skips;
        let (rows, short) = (Offsets::default(), Vec::new());
        Some(Self { record, start, next, rows, skipped, gaps, unlisted, short })
    }

    /// The books of the record: what it says of itself.
    pub(super) fn books(&self, at: At<'_>, findings: &mut Findings<'_>) -> io::Result<()> {
        let LogRecord { records, rows, skipped, gaps, files, .. } = self.record;
        let mut wrong = Vec::new();
        if *records != rows + skipped.total() {
            wrong.push(format!(
                "{records} records are not {rows} rows and {} skipped",
                skipped.total()
            ));
        }
        let covered =
            i64::try_from(*records).ok().and_then(|records| records.checked_add(gaps.sum));
        if covered != Some(self.next - self.start) {
            wrong.push(format!(
                "{} offsets are not {records} records and {} in gaps",
                self.next - self.start,
                gaps.sum
            ));
        }
        let of_files: u64 = files.iter().map(|file| file.rows).sum();
        if of_files != *rows {
            wrong.push(format!("{rows} rows are not the {of_files} of its files"));
        }
        for file in files {
            if file.first_offset < self.start || file.last_offset >= self.next {
                wrong.push(format!("the file {} reaches beyond its range", file.key));
            }
        }
        for text in wrong {
            findings.add(Kind::Books, 1, at.offsets(self.start, self.next), &text)?;
        }
        Ok(())
    }

    /// Rows for offsets that are on record as no row.
    pub(super) fn stray(&self, at: At<'_>, findings: &mut Findings<'_>) -> io::Result<()> {
        let in_gaps = self.gaps.iter().flat_map(|(from, to)| self.rows.range(*from, *to));
        let gaps = in_gaps.map(|offset| (offset, "a gap"));
        let skipped = self.skipped.iter().filter(|offset| self.rows.contains(*offset));
        for (offset, what) in gaps.chain(skipped.map(|offset| (offset, "skipped"))) {
            let text = format!("offset {offset} is on record as {what}, and has a row");
            findings.add(Kind::StrayRow, 1, at.offsets(offset, offset + 1), &text)?;
        }
        Ok(())
    }

    /// Offsets in no row and not accounted for.
    pub(super) fn missing(&self, at: At<'_>, findings: &mut Findings<'_>) -> io::Result<()> {
        let (missing, total) = self.neither();
        if total == self.unlisted {
            return Ok(());
        }
        if total < self.unlisted {
            let text = format!(
                "{} offsets left no row by the record, but only {total} have none",
                self.unlisted
            );
            return findings.add(Kind::StrayRow, self.unlisted - total, at, &text);
        }
        if self.unlisted == 0 {
            let mut told = 0;
            for (from, to) in missing {
                told += (to - from).unsigned_abs();
                let text = format!("{} in no row", is_are(from, to));
                findings.add(
                    Kind::MissingOffset,
                    (to - from).unsigned_abs(),
                    at.offsets(from, to),
                    &text,
                )?;
            }
            return match total - told {
                0 => Ok(()),
                more => findings.add(Kind::MissingOffset, more, at, "more offsets in no row"),
            };
        }
        // Some of them are tombstones, whose offsets the record does not hold.
        let near = |(from, to): &&(i64, i64)| {
            self.short.is_empty() || self.short.iter().any(|(a, b)| from < b && a < to)
        };
        let few: Vec<String> = missing
            .iter()
            .filter(near)
            .take(20)
            .map(
                |(from, to)| {
                    if to - from == 1 { from.to_string() } else { format!("{from}–{}", to - 1) }
                },
            )
            .collect();
        let lost = total - self.unlisted;
        let text = format!(
            "{lost} offsets are in no row, out of {total} of which {} are accounted for without \
             their offsets ({}): among {}; --kafka tells which",
            self.unlisted,
            reasons(self.record),
            few.join(", ")
        );
        findings.add(Kind::MissingOffset, lost, at.offsets(self.start, self.next), &text)
    }

    /// Whether an offset is in a gap on record.
    pub(super) fn in_gap(&self, offset: i64) -> bool {
        let behind = self.gaps.partition_point(|(from, _)| *from <= offset);
        behind > 0 && self.gaps[behind - 1].1 > offset
    }

    /// The ranges that are neither rows nor listed as skipped or gaps, and the number of offsets.
    fn neither(&self) -> (Vec<(i64, i64)>, u64) {
        let (mut ranges, mut total, mut at) = (Vec::new(), 0, self.start);
        let mut hole = |from: i64, to: i64| {
            if from < to {
                total += (to - from).unsigned_abs();
                if ranges.len() < KEPT {
                    ranges.push((from, to));
                }
            }
        };
        let mut known = self.rows.clone();
        known.merge(&self.skipped);
        for (from, to) in self.gaps.iter().copied().chain([(self.next, self.next)]) {
            for offset in known.range(at, from) {
                hole(at, offset);
                at = offset + 1;
            }
            hole(at, from);
            at = at.max(to);
        }
        (ranges, total)
    }
}

fn is_are(from: i64, to: i64) -> String {
    let verb = if to - from == 1 { "is" } else { "are" };
    format!("{} {verb}", show::offsets(from, to))
}

fn reasons(record: &LogRecord) -> String {
    let listed = |reason: &String| record.skipped_offsets.contains_key(reason);
    let skips = record.skipped.0.iter().filter(|(reason, _)| !listed(reason));
    let all: Vec<String> = skips.map(|(reason, count)| format!("{count} {reason}")).collect();
    if all.is_empty() { "gaps".to_owned() } else { all.join(", ") }
}
