//! What Kafka has, held against table and log: in go the records of a range of offsets, out comes
//! every offset that is neither a row nor accounted for. Reads only what a `read_committed`
//! consumer gets.

mod broker;
mod compression;
mod connection;
mod held;
mod listed;
#[cfg(test)]
mod tests;
mod wire;

pub(in crate::verify) use held::Held;

use super::Summary;
use super::findings::{At, Findings, Kind};
use crate::args;
use crate::failure::Outcome;
use crate::show;
use alluvium_core::log::LogId;
use alluvium_core::position::TopicPartition;
use broker::Broker;
use bytes::Bytes;
use listed::Listed;
use std::collections::BTreeSet;

/// A record of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) offset: i64,
    pub(super) value: Value,
}

/// As much as is known of a record's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// Not even whether it is null.
    Unknown,
    /// It is not null.
    Some,
    Bytes(Bytes),
}

/// Where records come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Nowhere: table and log alone are compared.
    None,
    Broker(Broker),
    Listed(Listed),
}

/// Some of the records of a range, and where to go on.
pub(super) type Batch = (Vec<Seen>, i64);

impl Source {
    /// What the flags name.
    ///
    /// # Errors
    /// `Usage`: a list that is none. `Unreadable`: no broker answers.
    pub(super) async fn open(asked: &args::Verify) -> Outcome<Self> {
        match (&asked.kafka, &asked.kafka_offsets) {
            (Some(bootstrap), _) => Ok(Self::Broker(Broker::connect(bootstrap).await?)),
            (None, Some(file)) => Ok(Self::Listed(Listed::read(file)?)),
            (None, None) => Ok(Self::None),
        }
    }

    /// The first offset there is and the one behind the last that is committed; `None` when the
    /// source does not know the topic-partition.
    async fn bounds(&mut self, tp: &TopicPartition) -> Outcome<Option<(i64, i64)>> {
        match self {
            Self::None => Ok(None),
            Self::Broker(broker) => broker.bounds(tp).await,
            Self::Listed(listed) => Ok(listed.bounds(tp)),
        }
    }

    /// Some records of `from..to`, `from` not below the first there is.
    async fn batch(&mut self, tp: &TopicPartition, from: i64, to: i64) -> Outcome<Batch> {
        match self {
            Self::None => Ok((Vec::new(), to)),
            Self::Broker(broker) => broker.batch(tp, from, to).await,
            Self::Listed(listed) => Ok(listed.batch(tp, from, to)),
        }
    }

    async fn partitions(&mut self, topic: &str) -> Outcome<Vec<i32>> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Broker(broker) => broker.partitions(topic).await,
            Self::Listed(listed) => Ok(listed.partitions(topic)),
        }
    }

    /// What Kafka has before the log begins, which is in no row, and behind its end, which will be.
    ///
    /// # Errors
    /// The source's.
    pub(super) async fn outside(
        &mut self,
        log: &LogId,
        begins: i64,
        ends: i64,
        findings: &mut Findings<'_>,
        summary: &mut Summary,
    ) -> Outcome<()> {
        let Some((first, end)) = self.bounds(&log.tp).await? else { return Ok(()) };
        let at = At::log(log);
        self.never_laid_down(
            &log.tp,
            (first, begins.min(end)),
            at,
            "before the log begins",
            findings,
        )
        .await?;
        let mut from = ends.max(first);
        while from < end {
            let (seen, next) = self.batch(&log.tp, from, end).await?;
            summary.kafka_ahead += seen.len() as u64;
            from = next;
        }
        Ok(())
    }

    async fn never_laid_down(
        &mut self,
        tp: &TopicPartition,
        (mut from, to): (i64, i64),
        at: At<'_>,
        why: &str,
        findings: &mut Findings<'_>,
    ) -> Outcome<()> {
        while from < to {
            let (seen, next) = self.batch(tp, from, to).await?;
            for Seen { offset, .. } in seen {
                let text = format!("offset {offset} is in Kafka and in no row: {why}");
                findings.add(Kind::NotLaidDown, 1, at.offsets(offset, offset + 1), &text)?;
            }
            from = next;
        }
        Ok(())
    }

    /// Partitions of the topics that have records and no log at all.
    ///
    /// # Errors
    /// The source's.
    pub(super) async fn without_log(
        &mut self,
        logs: &[LogId],
        which: &args::Which,
        findings: &mut Findings<'_>,
    ) -> Outcome<()> {
        if which.partition.is_some() {
            return Ok(());
        }
        let topics: BTreeSet<&str> = logs.iter().map(|log| &*log.tp.topic).collect();
        for topic in topics {
            for partition in self.partitions(topic).await? {
                let tp = TopicPartition::new(topic, partition);
                if logs.iter().any(|log| log.tp == tp) {
                    continue;
                }
                let at = At { topic: Some(topic), partition: Some(partition), ..At::default() };
                if let Some(bounds) = self.bounds(&tp).await? {
                    let why = "the partition has no commit log";
                    self.never_laid_down(&tp, bounds, at, why, findings).await?;
                }
            }
        }
        Ok(())
    }
}

/// One offset or a range, for errors.
fn at(tp: &TopicPartition, from: i64, to: i64) -> String {
    format!("{} {}, {}", tp.topic, tp.partition, show::offsets(from, to))
}
