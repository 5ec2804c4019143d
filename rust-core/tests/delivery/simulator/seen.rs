//! What is known of one topic-partition: what Kafka was given, what a reader has seen, its log.

use super::chain::Chain;
use super::oracle::Broken;
use alluvium_core::log::LogRecord;
use alluvium_core::position::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};

/// One topic-partition.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Everything ever delivered to the task: rows with their ids (several where a truncated
    /// topic used an offset again), other records with none.
    pub(crate) records: BTreeMap<i64, Vec<i64>>,
    /// Visible rows.
    pub(super) visible: BTreeSet<i64>,
    pub(crate) chain: Chain,
    /// Below, retention took everything.
    pub(crate) expired: i64,
    /// Rows may be missing: the topic was truncated.
    pub(crate) truncated: bool,
}

impl Seen {
    /// Rows that Kafka still has, and no reader.
    pub(super) fn missing(&self) -> impl Iterator<Item = i64> {
        let rows = self.records.range(self.expired..).filter(|(_, ids)| !ids.is_empty());
        rows.map(|(offset, _)| *offset).filter(|offset| !self.visible.contains(offset))
    }

    /// The log in words, for whoever has to understand a broken seed.
    pub(crate) fn tell(&self, tp: &TopicPartition) -> Vec<String> {
        let gone = if self.truncated { ", truncated" } else { "" };
        let head = format!("{tp}, begins at {}{gone}, its log:", self.expired);
        let line = |r: &LogRecord| {
            let unsettled: Vec<u64> = r.unsettled.iter().map(|link| link.seq).collect();
            format!(
                "  {} {:?} by owner {}, epoch {}: {:?}..{:?}, {} records, {} rows, unsettled {unsettled:?}",
                r.seq,
                r.kind,
                r.owner.task,
                r.epoch,
                r.start_offset,
                r.next_offset,
                r.records,
                r.rows
            )
        };
        std::iter::once(head).chain(self.chain.records().map(line)).collect()
    }

    /// A record of the log may not step over a record of Kafka, nor begin behind one.
    pub(super) fn check_ranges(
        &self,
        tp: &TopicPartition,
        record: &LogRecord,
    ) -> Result<(), Broken> {
        if self.truncated {
            return Ok(());
        }
        let seq = record.seq;
        let before = self.chain.before(seq).and_then(|record| record.next_offset);
        let start = record.start_offset.filter(|_| before.is_none());
        let stepped = start.map(|start| (0, start));
        let named = record.gaps.named.iter().map(|gap| (gap.from, gap.to));
        let small = record.gaps.small_ranges(record.start_offset.unwrap_or(0));
        for (from, to) in stepped.into_iter().chain(named).chain(small) {
            let from = from.max(self.expired);
            if from < to
                && let Some((offset, _)) = self.records.range(from..to).next()
            {
                return Err(format!("LOSS: seq {seq} of {tp} steps over offset {offset}"));
            }
        }
        Ok(())
    }
}
