//! One log, newest record to oldest: each record's books, its files read back, its range without
//! holes. In goes a log, out come findings and the range it covers.

use super::cut::Cut;
use super::findings::{At, Findings, Kind};
use super::kafka::{self, Source};
use super::links::Links;
use super::rows::{self, FileRows};
use super::table::Listed;
use super::{Summary, is_damage};
use crate::chain::Chain;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::show;
use alluvium_core::log::{FileEntry, Link, LogId, LogRecord, RecordKind, Voids};
use futures::StreamExt;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Files of one record read side by side.
const AT_ONCE: usize = 8;
/// MiB of files in memory at a time; a larger file has it all.
const MEMORY_MIB: u32 = 256;

/// The check of one log.
#[derive(Debug)]
pub(super) struct Check<'c, 'o> {
    pub(super) settings: &'c Settings,
    pub(super) log: &'c LogId,
    pub(super) transforms_drop: bool,
    pub(super) listed: &'c mut Listed,
    pub(super) findings: &'c mut Findings<'o>,
    pub(super) summary: &'c mut Summary,
}

/// A file as it was found.
enum Found {
    /// Not there.
    Absent,
    /// There, but not of the format its name says.
    Unreadable(u64, String),
    /// Its size and its rows.
    Rows(u64, FileRows),
}

impl Check<'_, '_> {
    /// Runs the check. Gives the range the log covers.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn run(
        &mut self,
        mut source: Option<&mut Source>,
    ) -> Outcome<Option<(i64, i64)>> {
        let at = At::log(self.log);
        let mut links = Links::default();
        let mut unsettled: Vec<Link> = Vec::new();
        let mut voids = Voids::default();
        let mut chain = match Chain::open(&self.settings.lake.meta, self.log).await {
            Ok(chain) => chain,
            Err(error) if is_damage(&error) => {
                self.findings.add(Kind::BrokenChain, 1, at, &error.to_string())?;
                self.listed.incomplete = true;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(head) = chain.head() {
            unsettled.clone_from(&head.unsettled);
            self.summary.logs += 1;
            self.summary.unsettled += unsettled.len() as u64;
        }
        loop {
            let record = match chain.next().await {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) if is_damage(&error) => {
                    let text = format!("{error}; nothing before it can be checked");
                    self.findings.add(Kind::BrokenChain, 1, at, &text)?;
                    self.listed.incomplete = true;
                    source = None;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            links.take(self.log, &record, self.findings)?;
            self.moved(&record)?;
            if voids.is_void(&record) {
                // Its offsets are covered by later records.
                self.summary.records += 1;
                continue;
            }
            let settled = !unsettled.contains(&record.link());
            self.record(&record, settled, source.as_deref_mut()).await?;
        }
        let Some((begins, ends)) = links.begins.zip(links.ends) else { return Ok(None) };
        if let Some(source) = source {
            source.outside(self.log, begins, ends, self.findings, self.summary).await?;
        }
        Ok(Some((begins, ends)))
    }

    /// Offsets that were moved: on record, so no finding, but worth knowing.
    fn moved(&mut self, record: &LogRecord) -> Outcome<()> {
        if record.kind == RecordKind::Rebuild {
            self.findings.note(&format!(
                "{} {}, record {}: the store lost uploads that were on record and not visible; \
                 their records were read from Kafka again, {}",
                self.log.tp.topic,
                self.log.tp.partition,
                record.seq,
                show::range(record)
            ))?;
        }
        if record.kind == RecordKind::Reset {
            self.findings.note(&format!(
                "{} {}, record {}: an operator moved the offsets, {}; what lies before may be laid \
                 down twice, what was left out is a gap",
                self.log.tp.topic,
                self.log.tp.partition,
                record.seq,
                show::range(record)
            ))?;
        }
        Ok(())
    }

    async fn record(
        &mut self,
        record: &LogRecord,
        settled: bool,
        source: Option<&mut Source>,
    ) -> Outcome<()> {
        let at = At::log(self.log).seq(record.seq);
        self.summary.records += 1;
        self.summary.skipped += record.skipped.total();
        self.summary.gaps += record.gaps.sum.unsigned_abs();
        self.summary.commits += u64::from(!record.files.is_empty());
        let Some(mut cut) = Cut::of(record) else {
            if !record.files.is_empty() {
                let text = "it has files and covers no offsets";
                self.findings.add(Kind::Books, 1, at, text)?;
            }
            return Ok(());
        };
        self.summary.offsets += (cut.next - cut.start).unsigned_abs();
        cut.books(at, self.findings)?;
        let mut whole = true;
        let read = read_all(self.settings, self.log, &record.files).await?;
        for (file, found) in record.files.iter().zip(read) {
            whole &= self.file(&mut cut, file, found, settled)?;
        }
        cut.stray(at, self.findings)?;
        if whole {
            cut.missing(at, self.findings)?;
            if let Some(source) = source {
                let held = kafka::Held { cut: &cut, log: self.log, at };
                held.against(source, self.transforms_drop, self.findings, self.summary).await?;
            }
        }
        Ok(())
    }

    /// One file into the cut. Gives `false` when it is not visible yet, which is no finding.
    fn file(
        &mut self,
        cut: &mut Cut<'_>,
        file: &FileEntry,
        found: Found,
        settled: bool,
    ) -> Outcome<bool> {
        let at = At::log(self.log).seq(cut.record.seq).file(&file.key);
        if self.listed.claim(&file.key) {
            self.findings.add(Kind::Books, 1, at, "two log records name this file")?;
        }
        let range = (file.first_offset, file.last_offset + 1);
        let (size, rows) = match found {
            Found::Absent if !settled => {
                self.summary.not_visible += 1;
                return Ok(false);
            }
            Found::Absent => {
                let text = format!(
                    "the file is not there: {} rows, {}",
                    file.rows,
                    show::offsets(range.0, range.1)
                );
                self.findings.add(Kind::MissingFile, 1, at.offsets(range.0, range.1), &text)?;
                cut.short.push(range);
                return Ok(true);
            }
            Found::Unreadable(size, why) => {
                let text = format!("the file is not readable: {why}");
                self.findings.add(Kind::UnreadableFile, 1, at, &text)?;
                cut.short.push(range);
                (size, FileRows::default())
            }
            Found::Rows(size, rows) => {
                if rows.rows != file.rows {
                    let text = format!("{} rows, {} on record", rows.rows, file.rows);
                    self.findings.add(Kind::FileRows, 1, at.offsets(range.0, range.1), &text)?;
                    if rows.rows < file.rows {
                        cut.short.push(range);
                    }
                }
                (size, rows)
            }
        };
        if size != file.size {
            let text = format!("{size} bytes, {} on record", file.size);
            self.findings.add(Kind::FileSize, 1, at, &text)?;
        }
        self.summary.files += 1;
        self.summary.bytes += size;
        self.rows(cut, file, &rows, at)?;
        Ok(true)
    }

    fn rows(
        &mut self,
        cut: &mut Cut<'_>,
        file: &FileEntry,
        rows: &FileRows,
        at: At<'_>,
    ) -> Outcome<()> {
        for (tp, offset) in &rows.doubled {
            let text = format!("offset {offset} of {} {} is in it twice", tp.topic, tp.partition);
            self.findings.add(Kind::DoubledOffset, 1, at.offsets(*offset, offset + 1), &text)?;
        }
        let untold = rows.doubled_rows - rows.doubled.len() as u64;
        if untold > 0 {
            self.findings.add(Kind::DoubledOffset, untold, at, "and more offsets twice")?;
        }
        if rows.nameless > 0 {
            let text = format!("{} rows do not say where they are from", rows.nameless);
            self.findings.add(Kind::StrayRow, rows.nameless, at, &text)?;
        }
        for (tp, offsets) in &rows.offsets {
            if *tp != self.log.tp {
                let text = format!("{} rows are of {} {}", offsets.len(), tp.topic, tp.partition);
                self.findings.add(Kind::StrayRow, offsets.len(), at, &text)?;
                continue;
            }
            let (first, last) = (file.first_offset, file.last_offset);
            for offset in offsets.iter().filter(|offset| !(first..=last).contains(offset)) {
                let text = format!("offset {offset} is outside of its range {first} to {last}");
                self.findings.add(Kind::StrayRow, 1, at.offsets(offset, offset + 1), &text)?;
            }
            let both = cut.rows.merge(offsets);
            for offset in both.iter() {
                let text = format!("offset {offset} is in another file of the record, too");
                self.findings.add(Kind::DoubledOffset, 1, at.offsets(offset, offset + 1), &text)?;
            }
            self.summary.rows += offsets.len() - both.len();
        }
        Ok(())
    }
}

/// Reads files side by side, in order, as far as memory allows.
async fn read_all(settings: &Settings, log: &LogId, files: &[FileEntry]) -> Outcome<Vec<Found>> {
    let memory = Arc::new(Semaphore::new(MEMORY_MIB as usize));
    let read = |file| read(settings, log, file, Arc::clone(&memory));
    let each: Vec<_> = files.iter().map(read).collect();
    let mut found = Vec::with_capacity(files.len());
    let mut all = futures::stream::iter(each).buffered(AT_ONCE);
    while let Some(one) = all.next().await {
        found.push(one?);
    }
    Ok(found)
}

async fn read(
    settings: &Settings,
    log: &LogId,
    file: &FileEntry,
    memory: Arc<Semaphore>,
) -> Outcome<Found> {
    let mib = u32::try_from((file.size >> 20) + 1).unwrap_or(MEMORY_MIB).min(MEMORY_MIB);
    // The semaphore is never closed.
    let _room = memory.acquire_many_owned(mib).await.ok();
    let Some(bytes) = settings.lake.table.store.get_file(&file.key).await? else {
        return Ok(Found::Absent);
    };
    let size = bytes.len() as u64;
    let (key, tp) = (file.key.clone(), log.tp.clone());
    let rows = tokio::task::spawn_blocking(move || rows::read(&key, bytes, Some(&tp))).await;
    match rows {
        Ok(Ok(rows)) => Ok(Found::Rows(size, rows)),
        Ok(Err(why)) => Ok(Found::Unreadable(size, why)),
        Err(ended) => {
            Err(Failure::unreadable(format!("reading {} ended early: {ended}", file.key)))
        }
    }
}
