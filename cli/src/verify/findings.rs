//! What is wrong: each finding is counted, the first of each kind are printed as they are found.

use crate::out::{Out, line};
use alluvium_core::log::LogId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Kinds of findings, as `--json` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// A record of the log is missing or not the one its follower names.
    BrokenChain,
    /// Offsets that no record covers, or two.
    BrokenRange,
    /// A record whose numbers do not add up.
    Books,
    /// A settled file that is not there.
    MissingFile,
    /// A file of another size than on record.
    FileSize,
    /// A file of another number of rows than on record.
    FileRows,
    /// A file that is not of the format its name says, or lacks the `_` columns.
    UnreadableFile,
    /// An offset that is in no row and not accounted for.
    MissingOffset,
    /// An offset in two rows.
    DoubledOffset,
    /// A row outside of its file's range, or for an offset on record as no row.
    StrayRow,
    /// A file below the table that no log record names.
    ForeignFile,
    /// An offset that Kafka has and that is neither a row nor accounted for.
    NotLaidDown,
    /// Nothing was compared.
    Nothing,
}

/// Where a finding is.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct At<'a> {
    pub(super) sink_id: Option<&'a str>,
    pub(super) topic: Option<&'a str>,
    pub(super) partition: Option<i32>,
    pub(super) generation: Option<u32>,
    pub(super) seq: Option<u64>,
    pub(super) file: Option<&'a str>,
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
}

impl<'a> At<'a> {
    pub(super) fn log(log: &'a LogId) -> Self {
        Self {
            sink_id: Some(&log.sink_id),
            topic: Some(&log.tp.topic),
            partition: Some(log.tp.partition),
            generation: Some(log.generation),
            ..Self::default()
        }
    }

    pub(super) fn seq(self, seq: u64) -> Self {
        Self { seq: Some(seq), ..self }
    }

    pub(super) fn file(self, file: &'a str) -> Self {
        Self { file: Some(file), ..self }
    }

    pub(super) fn offsets(self, from: i64, to: i64) -> Self {
        Self { from: Some(from), to: Some(to), ..self }
    }
}

/// Findings so far.
#[derive(Debug)]
pub(super) struct Findings<'o> {
    out: &'o mut Out,
    show: usize,
    json: bool,
    counts: BTreeMap<Kind, u64>,
    shown: BTreeMap<Kind, usize>,
}

impl<'o> Findings<'o> {
    pub(super) fn new(out: &'o mut Out, show: usize, json: bool) -> Self {
        Self { out, show, json, counts: BTreeMap::new(), shown: BTreeMap::new() }
    }

    /// Notes `count` findings of a kind that one line tells.
    pub(super) fn add(&mut self, kind: Kind, count: u64, at: At<'_>, text: &str) -> io::Result<()> {
        *self.counts.entry(kind).or_default() += count;
        let shown = self.shown.entry(kind).or_default();
        *shown += 1;
        if *shown > self.show {
            return Ok(());
        }
        if self.json {
            let object =
                serde_json::json!({"finding": kind, "count": count, "at": at, "text": text});
            return line!(self.out, "{object}");
        }
        line!(self.out, "{}: {}{text}", name(kind), place(&at))
    }

    /// A line that is no finding.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        if self.json {
            return line!(self.out, "{}", serde_json::json!({"note": text}));
        }
        line!(self.out, "note: {text}")
    }

    /// Findings in all.
    pub(super) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Prints the sums.
    pub(super) fn close(self, summary: &impl Serialize, text: &str) -> io::Result<()> {
        let total = self.total();
        if self.json {
            let counts: BTreeMap<String, u64> =
                self.counts.iter().map(|(kind, count)| (name(*kind), *count)).collect();
            let object =
                serde_json::json!({"summary": summary, "findings": total, "by_kind": counts});
            return line!(self.out, "{object}");
        }
        for (kind, count) in &self.counts {
            let shown = self.shown.get(kind).copied().unwrap_or(0);
            let more = if shown > self.show { ", not all shown" } else { "" };
            line!(self.out, "{}: {count} in all{more}", name(*kind))?;
        }
        line!(self.out, "{text}")?;
        line!(self.out, "{total} findings")
    }
}

fn name(kind: Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{kind:?}"),
    }
}

/// Topic, partition, record and file, as far as they are known.
fn place(at: &At<'_>) -> String {
    let mut place = String::new();
    if let (Some(topic), Some(partition)) = (at.topic, at.partition) {
        place.push_str(&format!("{topic} {partition}"));
        if let Some(generation) = at.generation.filter(|g| *g != 1) {
            place.push_str(&format!(" generation {generation}"));
        }
        if let Some(seq) = at.seq {
            place.push_str(&format!(", record {seq}"));
        }
    }
    if let Some(file) = at.file {
        place.push_str(if place.is_empty() { "" } else { ", " });
        place.push_str(file);
    }
    if !place.is_empty() {
        place.push_str(": ");
    }
    place
}
