//! One record of the log held against Kafka: in go the offsets it has in rows, skipped and in gaps,
//! out comes every offset that Kafka has and that is none of these.

use super::{Seen, Source, Value};
use crate::failure::Outcome;
use crate::verify::Summary;
use crate::verify::cut::Cut;
use crate::verify::findings::{At, Findings, Kind};
use alluvium_core::envelope::{EnvelopeReader, Parsed, Row};
use alluvium_core::frame::RawRecord;
use alluvium_core::log::{LogId, RecordKind};
use alluvium_core::position::TpId;

/// One record of the log whose files are all there, to be held against Kafka.
#[derive(Debug)]
pub(in crate::verify) struct Held<'h> {
    pub(in crate::verify) cut: &'h Cut<'h>,
    pub(in crate::verify) log: &'h LogId,
    pub(in crate::verify) at: At<'h>,
}

impl Held<'_> {
    /// Names every offset of the cut that Kafka has and that is neither a row nor accounted for.
    ///
    /// # Errors
    /// The source's.
    pub(in crate::verify) async fn against(
        &self,
        source: &mut Source,
        transforms_drop: bool,
        findings: &mut Findings<'_>,
        summary: &mut Summary,
    ) -> Outcome<()> {
        let Some((first, end)) = source.bounds(&self.log.tp).await? else { return Ok(()) };
        let (mut from, to) = (self.cut.start.max(first), self.cut.next.min(end));
        let mut reader = EnvelopeReader::new(&[])?;
        // Skips on record without their offsets that nothing in Kafka explains.
        let mut unlisted = self.unlisted_errants();
        while from < to {
            let (seen, next) = source.batch(&self.log.tp, from, to).await?;
            summary.kafka += seen.len() as u64;
            for record in seen {
                let why = match self.judge(&record, &mut reader, &mut unlisted) {
                    Some(Why::Gap) if transforms_drop => continue,
                    Some(why) => why.text(),
                    None => continue,
                };
                let offset = record.offset;
                let text = format!("offset {offset} is in Kafka and in no row: {why}");
                findings.add(Kind::NotLaidDown, 1, self.at.offsets(offset, offset + 1), &text)?;
            }
            from = next;
        }
        Ok(())
    }

    /// Errant records are listed up to a limit; beyond it the record has their number only.
    fn unlisted_errants(&self) -> u64 {
        let record = self.cut.record;
        let listed = |reason: &String| record.skipped_offsets.contains_key(reason);
        let errant = |(reason, count): (&String, &u64)| {
            if *reason == "errant" && !listed(reason) { *count } else { 0 }
        };
        record.skipped.0.iter().map(errant).sum()
    }

    /// Whether records with a value are skipped without their offsets on record.
    fn unlisted_values(&self) -> bool {
        let record = self.cut.record;
        let listed = |reason: &String| record.skipped_offsets.contains_key(reason);
        record.skipped.0.keys().any(|reason| reason != "tombstone" && !listed(reason))
    }

    /// `None` = the record is in a row, or it is accounted for.
    fn judge(
        &self,
        record: &Seen,
        reader: &mut EnvelopeReader,
        unlisted_errants: &mut u64,
    ) -> Option<Why> {
        let (cut, offset) = (self.cut, record.offset);
        if cut.rows.contains(offset) || cut.skipped.contains(offset) {
            return None;
        }
        // What an operator left out is in Kafka and is meant to be in no row.
        if cut.record.kind == RecordKind::Reset {
            return None;
        }
        if cut.in_gap(offset) {
            return Some(Why::Gap);
        }
        match &record.value {
            // Whether the record's count holds is checked without Kafka.
            Value::Null if cut.record.skipped.0.contains_key("tombstone") => None,
            Value::Null => Some(Why::Tombstone),
            Value::Unknown if cut.unlisted > 0 => None,
            Value::Some if self.unlisted_values() => None,
            Value::Unknown | Value::Some => Some(Why::Missing),
            Value::Bytes(value) => {
                let raw = RawRecord {
                    tp: TpId(0),
                    offset,
                    timestamp_ms: None,
                    key: None,
                    value: Some(value),
                };
                match reader.read(&raw, &mut Row::default()) {
                    Ok(Parsed::Skip(reason)) if cut.record.skipped.0.contains_key(reason) => None,
                    Ok(Parsed::Tombstone) if cut.record.skipped.0.contains_key("tombstone") => None,
                    _ if *unlisted_errants > 0 => {
                        *unlisted_errants -= 1;
                        None
                    }
                    _ => Some(Why::Missing),
                }
            }
        }
    }
}

/// Why an offset that Kafka has is in no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Gap,
    Tombstone,
    Missing,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::Gap => {
                "the log notes it as never delivered: lost, or dropped by a transform before the \
                 sink (--transforms-drop)"
            }
            Self::Tombstone => "it is a tombstone, and none is on record",
            Self::Missing => "and not on record as skipped",
        }
    }
}
