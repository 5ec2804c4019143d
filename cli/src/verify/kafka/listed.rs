//! Offsets that another program read: in go lines `topic partition offset [length of the value]`,
//! out come records. Memory: a few bytes for 64 offsets.

use super::{Batch, Seen, Value};
use crate::failure::{Failure, Outcome};
use crate::verify::offsets::Offsets;
use alluvium_core::position::TopicPartition;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Offsets of one turn.
const BATCH: usize = 10_000;

/// Offsets by topic-partition.
#[derive(Debug, Default)]
pub(in crate::verify) struct Listed {
    partitions: BTreeMap<TopicPartition, Known>,
}

#[derive(Debug, Default)]
struct Known {
    all: Offsets,
    /// Of a null value.
    null: Offsets,
    /// Of a value that is there.
    some: Offsets,
}

impl Listed {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// `Usage`, naming file and line.
    pub(super) fn read(file: &Path) -> Outcome<Self> {
        let failed = |e: &dyn std::fmt::Display| {
            Failure::usage(format!("--kafka-offsets {}: {e}", file.display()))
        };
        let input: Box<dyn Read> = if file.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(std::fs::File::open(file).map_err(|e| failed(&e))?)
        };
        Self::parse(BufReader::new(input)).map_err(|e| failed(&e))
    }

    pub(super) fn parse(input: impl BufRead) -> Result<Self, String> {
        let mut listed = Self::default();
        for (number, line) in (1..).zip(input.lines()) {
            let line = line.map_err(|e| e.to_string())?;
            if line.trim().is_empty() {
                continue;
            }
            let wrong =
                || format!("line {number} is not `topic partition offset [length]`: {line}");
            let (tp, offset, length) = words(&line).ok_or_else(wrong)?;
            let known = listed.partitions.entry(tp).or_default();
            known.all.insert(offset);
            match length {
                Some(-1) => _ = known.null.insert(offset),
                Some(_) => _ = known.some.insert(offset),
                None => {}
            }
        }
        if listed.partitions.is_empty() {
            return Err("no offsets in it".to_owned());
        }
        Ok(listed)
    }

    pub(super) fn bounds(&self, tp: &TopicPartition) -> Option<(i64, i64)> {
        let all = &self.partitions.get(tp)?.all;
        Some((all.iter().next()?, all.last()? + 1))
    }

    pub(super) fn batch(&self, tp: &TopicPartition, from: i64, to: i64) -> Batch {
        let Some(known) = self.partitions.get(tp) else { return (Vec::new(), to) };
        let mut seen = Vec::new();
        for offset in known.all.range(from, to) {
            if seen.len() == BATCH {
                return (seen, offset);
            }
            let value = match (known.null.contains(offset), known.some.contains(offset)) {
                (true, _) => Value::Null,
                (false, true) => Value::Some,
                (false, false) => Value::Unknown,
            };
            seen.push(Seen { offset, value });
        }
        (seen, to)
    }

    pub(super) fn partitions(&self, topic: &str) -> Vec<i32> {
        let of_topic = self.partitions.keys().filter(|tp| *tp.topic == *topic);
        of_topic.map(|tp| tp.partition).collect()
    }
}

fn words(line: &str) -> Option<(TopicPartition, i64, Option<i64>)> {
    let mut words = line.split_whitespace();
    let (topic, partition) = (words.next()?, words.next()?.parse().ok()?);
    let offset = words.next()?.parse().ok().filter(|offset| *offset >= 0)?;
    let length = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some((TopicPartition::new(topic, partition), offset, length))
}
