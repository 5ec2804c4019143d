//! The commit log of one topic-partition as it was first written: records that come back after
//! they were cleaned away change nothing.

use super::newer::CARRIED;
use super::oracle::Broken;
use alluvium_core::log::{LogRecord, RecordKind};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(crate) struct Chain {
    records: BTreeMap<u64, LogRecord>,
    files: BTreeSet<String>,
    uploads: BTreeMap<String, u64>,
}

impl Chain {
    /// A record was written. Gives it when it is a new one.
    pub(crate) fn add(&mut self, seq: u64, record: LogRecord) -> Result<Option<LogRecord>, Broken> {
        if self.records.contains_key(&seq) {
            return Ok(None);
        }
        if record.seq != seq {
            return Err(format!("the record at {seq} says that it is {}", record.seq));
        }
        self.check(&record).map_err(|rule| format!("seq {seq} of {}: {rule}", record.partition))?;
        for file in &record.files {
            self.files.insert(file.key.clone());
            self.uploads.insert(file.upload_id.clone(), seq);
        }
        self.records.insert(seq, record.clone());
        Ok(Some(record))
    }

    fn check(&self, record: &LogRecord) -> Result<(), Broken> {
        let ensure = |holds: bool, rule: &str| if holds { Ok(()) } else { Err(rule.to_owned()) };
        let books = record.records == record.rows + record.skipped.total();
        ensure(books, "records = rows + skipped")?;
        let rows: u64 = record.files.iter().map(|file| file.rows).sum();
        ensure(record.rows == rows, "rows = the rows of its files")?;
        if let (Some(start), Some(next)) = (record.start_offset, record.next_offset) {
            let covered = record.records as i64 + record.gaps.sum;
            ensure(next - start == covered, "next - start = records + gaps")?;
        }
        let own = record.unsettled.contains(&record.link());
        ensure(own != record.files.is_empty(), "a commit is unsettled, nothing else")?;
        let Some(before) = self.before(record.seq) else {
            return ensure(
                record.seq == 1 && self.records.is_empty(),
                "no sequence number is left out",
            );
        };
        ensure(record.prev == Some(before.link()), "prev names the record before")?;
        ensure(record.log_id == before.log_id, "one log has one id")?;
        ensure(
            before.next_offset.is_none() || record.start_offset == before.next_offset,
            "it begins where the last ended",
        )?;
        ensure(
            record.unsettled.iter().all(|l| *l == record.link() || before.unsettled.contains(l)),
            "unsettled commits come from the record before",
        )?;
        let carried = before.carry.get(CARRIED);
        ensure(carried.is_none() || record.carry.get(CARRIED) == carried, "carry is copied")?;
        if record.kind == RecordKind::Claim {
            ensure(record.epoch == record.seq, "a claim's epoch is its seq")?;
            ensure(record.next_offset == before.next_offset, "a claim moves nothing")?;
            ensure(record.unsettled == before.unsettled, "a claim copies what is unsettled")
        } else {
            ensure(record.epoch == before.epoch, "it is the present owner's")
        }
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&LogRecord> {
        self.records.get(&seq)
    }

    pub(crate) fn before(&self, seq: u64) -> Option<&LogRecord> {
        self.records.get(&(seq - 1))
    }

    pub(crate) fn head(&self) -> Option<&LogRecord> {
        self.records.values().next_back()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.records.values()
    }

    pub(crate) fn names_file(&self, key: &str) -> bool {
        self.files.contains(key)
    }

    pub(crate) fn names_upload(&self, id: &str) -> Option<u64> {
        self.uploads.get(id).copied()
    }

    /// Whether the log has come as far as `offset`.
    pub(crate) fn reaches(&self, offset: i64) -> bool {
        self.head().and_then(|head| head.next_offset).is_some_and(|next| next >= offset)
    }

    /// Files that the head calls settled.
    pub(crate) fn settled_files(&self) -> Vec<String> {
        let Some(head) = self.head() else { return Vec::new() };
        let settled = |record: &&LogRecord| !head.unsettled.contains(&record.link());
        let files = self.records.values().filter(settled).flat_map(|record| &record.files);
        files.map(|file| file.key.clone()).collect()
    }

    /// The lowest sequence number that must stay: the head, and what it calls unsettled.
    pub(crate) fn needed_from(&self) -> u64 {
        let head = self.head();
        let unsettled = head.and_then(|head| head.unsettled.iter().map(|link| link.seq).min());
        unsettled.or(head.map(|head| head.seq)).unwrap_or(0)
    }
}
