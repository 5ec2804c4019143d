//! What must hold at every step, whatever happened: held against Kafka, from outside.
//!
//! In go the store's changes in order and what Kafka was given; out comes the first rule broken,
//! in words. Never asks the sink what it thinks.

use super::scenario::{Scenario, UPLOAD_MAX_AGE};
use super::seen::Seen;
use crate::world::{META, TABLE, World};
use alluvium_core::error::{Error, Kind};
use alluvium_core::log::{LogKeys, LogRecord};
use alluvium_core::position::TopicPartition;
use alluvium_testkit::Change;
use alluvium_testkit::kafka::Entry;
use alluvium_testkit::readback;
use std::collections::{BTreeMap, BTreeSet};

/// The first rule broken.
pub(crate) type Broken = String;

/// What was given to Kafka, and what a reader has seen.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) parts: BTreeMap<TopicPartition, Seen>,
    /// Visible files: key and ETag.
    files: BTreeMap<String, String>,
    deleted: BTreeSet<String>,
    /// Uploads that the store purged.
    expired: BTreeSet<String>,
    pub(crate) dead_letters: BTreeSet<(TopicPartition, i64)>,
    pub(crate) reports: bool,
}

impl Oracle {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let reports = scenario.policy == alluvium_core::task::ErrantPolicy::Report;
        Self { reports, ..Self::default() }
    }

    /// An entry was appended to Kafka.
    pub(crate) fn produced(&mut self, tp: &TopicPartition, offset: i64, entry: &Entry, id: i64) {
        let seen = self.parts.entry(tp.clone()).or_default();
        if let Entry::Record(value) = entry {
            let is_row = value.as_ref().is_some_and(|v| v.first() == Some(&b'{'));
            let ids = seen.records.entry(offset).or_default();
            ids.extend(is_row.then_some(id));
        }
    }

    /// Rows that are or were visible.
    pub(crate) fn rows(&self) -> usize {
        self.parts.values().map(|seen| seen.visible.len()).sum()
    }

    pub(crate) fn uploads_expired(&mut self, ids: Vec<String>) {
        self.expired.extend(ids);
    }

    /// Takes in what has changed in the store since the last step.
    pub(crate) fn observe(&mut self, world: &World) -> Result<(), Broken> {
        for change in world.memory.take_changes() {
            match change {
                Change::Put(key, etag) => self.put(world, key, etag)?,
                Change::Removed(key) => self.removed(&key)?,
                Change::Aborted(id) => {
                    if let Some(seq) = self.parts.values().find_map(|p| p.chain.names_upload(&id)) {
                        return Err(format!("{id}, named by the record {seq}, was aborted"));
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, world: &World, key: String, etag: String) -> Result<(), Broken> {
        if key.starts_with(&format!("{TABLE}/")) {
            return self.file(world, key, etag);
        }
        for (tp, seen) in &mut self.parts {
            let Some(seq) = LogKeys::new(META, "sink", tp, 1).seq(&key) else { continue };
            // Whoever deletes it within the step has seen it as it was.
            let Some(bytes) = world.memory.object(&key) else { continue };
            let record = LogRecord::from_bytes(&key, &bytes).map_err(|e| e.to_string())?;
            let Some(record) = seen.chain.add(seq, record)? else { return Ok(()) };
            seen.check_ranges(tp, &record)?;
            let before = seen.chain.before(seq).map(|r| r.unsettled.clone()).unwrap_or_default();
            for link in before.iter().filter(|link| !record.unsettled.contains(link)) {
                let files = seen.chain.get(link.seq).map(|r| r.files.as_slice()).unwrap_or(&[]);
                let is_visible = |key| self.files.contains_key(key) || self.deleted.contains(key);
                if let Some(file) = files.iter().find(|file| !is_visible(&file.key)) {
                    return Err(format!("seq {seq} calls {} settled: it is not visible", file.key));
                }
            }
            if self.reports {
                for offset in errant_offsets(&record) {
                    if !self.dead_letters.contains(&(tp.clone(), offset)) {
                        return Err(format!(
                            "{tp} offset {offset} is skipped by seq {seq} and not in the dead \
                             letter queue"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, world: &World, key: String, etag: String) -> Result<(), Broken> {
        match self.files.get(&key) {
            Some(before) if *before == etag => return Ok(()),
            Some(_) => return Err(format!("{key} was visible and has changed")),
            None if self.deleted.contains(&key) => {
                return Err(format!("{key} was settled, deleted by its user, and is back"));
            }
            None => {}
        }
        let named = self.parts.values().any(|seen| seen.chain.names_file(&key));
        if !named {
            return Err(format!("{key} is visible, and no valid record names it"));
        }
        let bytes = world.memory.object(&key).ok_or("put, not there")?;
        for row in readback::rows(&key, bytes).map_err(|e| format!("{key}: {e}"))? {
            let (tp, offset) = (row.tp, row.offset);
            let seen = self.parts.get_mut(&tp).ok_or(format!("{tp} is no topic-partition"))?;
            let ids = seen.records.get(&offset);
            if !ids.is_some_and(|ids| row.id.is_some_and(|id| ids.contains(&id))) {
                return Err(format!(
                    "{tp} offset {offset} is visible as {:?}, not {ids:?}",
                    row.id
                ));
            }
            if !seen.visible.insert(offset) {
                return Err(format!("DUPLICATE: {tp} offset {offset} is visible again in {key}"));
            }
        }
        self.files.insert(key, etag);
        Ok(())
    }

    fn removed(&mut self, key: &str) -> Result<(), Broken> {
        if self.files.contains_key(key) {
            return Err(format!("{key} was visible and is gone"));
        }
        Ok(())
    }

    /// A user deletes a file that the log calls settled. Gives its key.
    pub(crate) fn delete_settled(&mut self, random: &mut fastrand::Rng) -> Option<String> {
        let settled: Vec<String> =
            self.parts.values().flat_map(|seen| seen.chain.settled_files()).collect();
        let there: Vec<&String> = settled.iter().filter(|k| self.files.contains_key(*k)).collect();
        let key = (*there.get(random.usize(..there.len().max(1)))?).clone();
        self.files.remove(&key);
        self.deleted.insert(key.clone());
        Some(key)
    }

    /// `preCommit` answered: everything below must be visible, and the log must say so (I5).
    pub(crate) fn answered(&self, tp: &TopicPartition, offset: i64) -> Result<(), Broken> {
        let Some(seen) = self.parts.get(tp).filter(|seen| !seen.truncated) else { return Ok(()) };
        if !seen.chain.reaches(offset) {
            return Err(format!("preCommit answers {offset} of {tp}: no record has come so far"));
        }
        match seen.missing().next() {
            Some(missing) if missing < offset => {
                Err(format!("preCommit answers {offset} of {tp}: {missing} is not visible"))
            }
            _ => Ok(()),
        }
    }

    /// A task failed: whether it had a reason that the world gave it.
    pub(crate) fn failed(&self, error: &Error) -> Result<(), Broken> {
        let excused = match error.kind() {
            Kind::OffsetRegression => self.parts.values().any(|seen| seen.truncated),
            Kind::LostUpload => self.parts.values().any(|seen| self.is_lost(seen)),
            _ => false,
        };
        if excused { Ok(()) } else { Err(format!("the task failed: {error}")) }
    }

    /// Whether an upload of a commit that is not settled has expired in the store although its
    /// record was sent in time: nobody was there to publish it.
    pub(crate) fn is_lost(&self, seen: &Seen) -> bool {
        let unsettled = seen.chain.head().map(|head| head.unsettled.as_slice()).unwrap_or_default();
        let records = unsettled.iter().filter_map(|link| seen.chain.get(link.seq));
        records.filter(|record| is_in_time(record)).flat_map(|record| &record.files).any(|file| {
            self.expired.contains(&file.upload_id) && !self.files.contains_key(&file.key)
        })
    }

    /// What is still to be done before all is well, if anything.
    pub(crate) fn unfinished(&self) -> Option<String> {
        for (tp, seen) in &self.parts {
            if seen.truncated || self.is_lost(seen) {
                continue;
            }
            if let Some(offset) = seen.missing().next() {
                return Some(format!("LOSS: {tp} offset {offset} is not visible"));
            }
            if let Some(head) = seen.chain.head().filter(|head| !head.unsettled.is_empty()) {
                return Some(format!("{tp}: the head, {}, is not settled", head.seq));
            }
        }
        None
    }
}

/// Whether no upload of the record was older than allowed when it was made.
fn is_in_time(record: &LogRecord) -> bool {
    let oldest = record.files.iter().map(|file| file.upload_created_at).min();
    oldest.is_none_or(|at| record.created_at - at <= UPLOAD_MAX_AGE.as_millis() as i64)
}

fn errant_offsets(record: &LogRecord) -> Vec<i64> {
    let Some(deltas) = record.skipped_offsets.get("errant") else { return Vec::new() };
    let mut at = record.start_offset.unwrap_or(0);
    deltas
        .iter()
        .map(|delta| {
            at += delta;
            at
        })
        .collect()
}
