//! The open files of one topic-partition: in go parsed rows, out come sealed files whose uploads
//! are under way. Knows paths, names and schemas; never looks at the log.

use super::Parts;
use super::sealing::Sealing;
use crate::buffer::{FileLayout, OpenFile, RowStamp};
use crate::clock::Clock;
use crate::columns::{Choice, ColumnRules};
use crate::config::Config;
use crate::encode;
use crate::envelope::Row;
use crate::error::{Error, Kind, Result};
use crate::event_time::{BoundEventTime, EventTimeRule};
use crate::frame::RawRecord;
use crate::partition::{BoundPath, PathTemplate};
use crate::position::TopicPartition;
use crate::roll::{RollLimits, roll};
use crate::schema::{Evolution, TableSchema};
use crate::store::Location;
use crate::upload::{FileUpload, UploadLimits};
use indexmap::IndexMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

/// Schemas of one topic whose bindings are kept; more than this many versions or tables in one
/// topic-partition are bound again as they come.
const BOUND_MAX: usize = 64;
/// Bytes of a topic's name in a file's name. Kafka takes 249, file systems 255 for the whole name,
/// and they say so when the file is renamed: after it is on record. Nonces keep names apart.
const TOPIC_MAX: usize = 128;

/// Time for a file that is given up: its parts on their way, then the store's answer.
const DISCARD_WITHIN: Duration = Duration::from_secs(30);

/// What all files of a task share.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) config: Arc<Config>,
    pub(super) table: Location,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) times: EventTimeRule,
    pub(super) paths: PathTemplate,
    pub(super) columns: ColumnRules,
    pub(super) roll: RollLimits,
    pub(super) uploads: UploadLimits,
}

impl Place {
    pub(super) fn of(parts: &Parts) -> Self {
        Self {
            config: parts.config.clone(),
            table: parts.lake.table.clone(),
            clock: parts.clock.clone(),
            times: EventTimeRule::new(&parts.config),
            paths: parts.paths.clone(),
            columns: ColumnRules::new(&parts.config.rows.columns),
            roll: RollLimits::from(&*parts.config),
            uploads: parts.uploads.clone(),
        }
    }
}

/// The open and the sealed files of one topic-partition since the last cut.
#[derive(Debug)]
pub(super) struct Files {
    place: Arc<Place>,
    tp: TopicPartition,
    /// Sequence number of the claim, part of every name.
    epoch: u64,
    /// Files named so far under this claim.
    named: u32,
    open: IndexMap<String, Slot>,
    /// Index in `open` of the file the last row went to.
    last: usize,
    sealing: Vec<Sealing>,
    evolution: Evolution,
    layout: Option<Arc<FileLayout>>,
    bound: Vec<Bound>,
    /// The path of the present row, kept for its memory.
    path: String,
}

/// A file that takes rows, and its upload.
#[derive(Debug)]
struct Slot {
    file: OpenFile,
    upload: FileUpload,
}

/// Everything that depends on the schema a row was read with.
#[derive(Debug)]
struct Bound {
    seen: Arc<TableSchema>,
    mapping: Option<Vec<Option<u16>>>,
    /// What `column.*` makes of the columns, if anything.
    choice: Option<Choice>,
    time: BoundEventTime,
    path: BoundPath,
}

impl Files {
    /// No files yet, under the claim `epoch`.
    pub(super) fn new(place: Arc<Place>, tp: TopicPartition, epoch: u64) -> Self {
        Self {
            place,
            tp,
            epoch,
            named: 0,
            open: IndexMap::new(),
            last: 0,
            sealing: Vec::new(),
            evolution: Evolution::default(),
            layout: None,
            bound: Vec::new(),
            path: String::new(),
        }
    }

    /// Appends a row to the file of its path. On a `BadRecord` nothing of it is in any file.
    ///
    /// # Errors
    /// `BadRecord`: this record is errant. Any other ends the task.
    pub(super) fn append(
        &mut self,
        schema: &Arc<TableSchema>,
        row: &mut Row,
        record: &RawRecord<'_>,
    ) -> Result<()> {
        let value = record.value.unwrap_or_default();
        let bound = self.bind(schema)?;
        let Bound { time, path, choice, .. } = &mut self.bound[bound];
        let event_time_us = time.event_time_us(row, value, record.timestamp_ms)?;
        if let Some(choice) = choice {
            self.place.columns.mask(choice, row, value)?;
        }
        path.render(event_time_us, row, value, &mut self.path)?;
        let file = self.file(record.offset)?;
        let stamp = RowStamp {
            topic: &self.tp.topic,
            partition: self.tp.partition,
            offset: record.offset,
            event_time_us,
        };
        let mapping = self.bound[bound].mapping.as_deref();
        let slot = &mut self.open[file];
        if let Err(error) = slot.file.append(row, value, &stamp, mapping) {
            if slot.file.stats().rows == 0 {
                // The file was opened for this row: without it there is none to seal.
                self.open.swap_remove_index(file);
            }
            return Err(error);
        }
        match roll(&slot.file.stats(), &self.place.roll) {
            Some(reason) => self.seal(file, &reason),
            None => Ok(()),
        }
    }

    /// The open file of the present path: mostly the one the last row went to.
    fn file(&mut self, offset: i64) -> Result<usize> {
        let is_last = self.open.get_index(self.last).is_some_and(|(path, _)| *path == self.path);
        if !is_last {
            self.last = match self.open.get_index_of(&self.path) {
                Some(index) => index,
                None => self.begin_file(offset)?,
            };
        }
        Ok(self.last)
    }

    fn begin_file(&mut self, first_offset: i64) -> Result<usize> {
        let Some(layout) = &self.layout else {
            return Err(Error::new(
                Kind::Corrupt,
                "a row without a schema; please report this bug",
            ));
        };
        let Place { config, table, clock, uploads, .. } = &*self.place;
        let nonce = Uuid::new_v4().simple().to_string();
        let topic = self.tp.topic.get(..TOPIC_MAX).unwrap_or(&self.tp.topic);
        let name = format!(
            "{}/{topic}-{}-{first_offset:020}-{:08}-{:04}-{}.{}",
            self.path,
            self.tp.partition,
            self.epoch,
            self.named,
            &nonce[..8],
            config.format.extension()
        );
        self.named += 1;
        let key = table.key(&name);
        let upload = FileUpload::new(table.store.clone(), key, uploads.clone(), clock.clone())
            .of_epoch(self.epoch);
        let slot = Slot { file: encode::open(layout, &config.format), upload };
        Ok(self.open.insert_full(self.path.clone(), slot).0)
    }

    /// Binds a schema that rows are read with to the table's columns; a schema that widens the
    /// table ends the open files: each has one schema.
    fn bind(&mut self, seen: &Arc<TableSchema>) -> Result<usize> {
        if let Some(index) = self.bound.iter().position(|bound| Arc::ptr_eq(&bound.seen, seen)) {
            return Ok(index);
        }
        let choice = self.place.columns.choose(seen);
        let written = choice.as_ref().map_or(seen, |choice| &choice.file);
        let learnt = self.evolution.admit(written)?.clone();
        let table = &learnt.merged;
        if self.layout.as_ref().is_none_or(|layout| !Arc::ptr_eq(layout.table(), table)) {
            self.seal_all()?;
            self.bound.clear();
            self.layout = Some(Arc::new(FileLayout::of(table.clone(), &self.place.config.rows)));
        }
        if self.bound.len() == BOUND_MAX {
            self.bound.remove(0);
        }
        let Place { config, times, paths, .. } = &*self.place;
        let zone = config.partition_timezone;
        let shown = choice.as_ref().map_or(&**seen, |choice| &choice.shown);
        let path = paths.bind(zone, &self.tp.topic, self.tp.partition, shown);
        if !path.missing_columns().is_empty() {
            tracing::warn!(
                tp = %self.tp, columns = ?path.missing_columns(),
                "partition.path names columns the table lacks; their value is null in every path"
            );
        }
        let mut mapping = columns_of_slots(written.columns.len(), &learnt.slots);
        if let Some(choice) = &choice {
            mapping = Some(through(&choice.places, mapping.as_deref()));
        }
        let time = times.resolve(seen)?;
        self.bound.push(Bound { seen: seen.clone(), mapping, choice, time, path });
        Ok(self.bound.len() - 1)
    }

    /// Hands finished bytes to the uploads. Called between two slices of the queue.
    pub(super) fn turn(&mut self) {
        self.open.values_mut().for_each(Slot::drain);
    }

    /// Seals the file that holds most memory. Gives whether there was one.
    pub(super) fn seal_largest(&mut self) -> Result<bool> {
        let largest = (0..self.open.len()).max_by_key(|index| self.open[*index].memory_bytes());
        match largest {
            None => Ok(false),
            Some(index) => self.seal(index, &"memory.limit.bytes").map(|()| true),
        }
    }

    /// Memory of the open file that holds most.
    pub(super) fn largest_bytes(&self) -> u64 {
        self.open.values().map(Slot::memory_bytes).max().unwrap_or(0)
    }

    fn seal_all(&mut self) -> Result<()> {
        while !self.open.is_empty() {
            self.seal(self.open.len() - 1, &"cut")?;
        }
        Ok(())
    }

    fn seal(&mut self, index: usize, reason: &dyn std::fmt::Display) -> Result<()> {
        let Some((path, mut slot)) = self.open.swap_remove_index(index) else {
            return Ok(());
        };
        slot.drain();
        let Slot { file, upload } = slot;
        let sealed = file.seal()?;
        tracing::debug!(tp = %self.tp, %path, %reason, rows = sealed.stats.rows, "file sealed");
        let store = self.place.table.store.clone();
        let begun_at_ms = upload.begun_at_ms().unwrap_or_else(|| self.place.clock.now_ms());
        let mut task = JoinSet::new();
        task.spawn(upload.finish(sealed.tail));
        self.sealing.push(Sealing { task, stats: sealed.stats, path, store, begun_at_ms });
        Ok(())
    }

    /// Ends every file: what the next cut commits.
    pub(super) fn cut(&mut self) -> Result<Vec<Sealing>> {
        self.seal_all()?;
        Ok(std::mem::take(&mut self.sealing))
    }

    /// Files of the next cut so far.
    pub(super) fn count(&self) -> usize {
        self.open.len() + self.sealing.len()
    }

    /// Open files now.
    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Bytes of the next cut so far, as files.
    pub(super) fn bytes(&self) -> u64 {
        let open: u64 = self.open.values().map(|slot| slot.file.stats().estimated_bytes).sum();
        open + self.sealing.iter().map(|file| file.stats.encoded_bytes).sum::<u64>()
    }

    /// Memory that sealing the open files would set free: what is not on its way to the store.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.open.values().map(Slot::memory_bytes).sum()
    }

    /// The part of it that uploads have collected.
    pub(super) fn collected_bytes(&self) -> u64 {
        self.open.values().map(|slot| slot.upload.collected_bytes()).sum()
    }

    /// Gives all files up. No record ever named them, so their uploads may be aborted. A store that
    /// is away is not waited for: what it holds is left to its lifecycle rule, and memory is freed.
    pub(super) fn discard(self) {
        for (_, slot) in self.open {
            tokio::spawn(timeout(DISCARD_WITHIN, slot.upload.abort()));
        }
        for file in self.sealing {
            tokio::spawn(timeout(DISCARD_WITHIN, file.abort()));
        }
    }
}

impl Slot {
    fn memory_bytes(&self) -> u64 {
        self.file.stats().memory_bytes + self.upload.collected_bytes()
    }

    fn drain(&mut self) {
        while let Some(bytes) = self.file.drain_encoded() {
            self.upload.push(bytes);
        }
    }
}

/// The column each slot of a row goes to, from the slot each column takes; `None` when they are the
/// same throughout.
fn columns_of_slots(slots: usize, columns: &[Option<u32>]) -> Option<Vec<Option<u16>>> {
    let same = |(column, slot): (usize, &Option<u32>)| *slot == u32::try_from(column).ok();
    if slots == columns.len() && columns.iter().enumerate().all(same) {
        return None;
    }
    let mut of_slots = vec![None; slots];
    for (column, slot) in (0u16..).zip(columns) {
        if let Some(entry) = slot.and_then(|slot| of_slots.get_mut(slot as usize)) {
            *entry = Some(column);
        }
    }
    Some(of_slots)
}

/// The column each slot of a row goes to, where the slots are first put into other places.
fn through(places: &[Option<u32>], mapping: Option<&[Option<u16>]>) -> Vec<Option<u16>> {
    let column = |place: u32| match mapping {
        None => u16::try_from(place).ok(),
        Some(mapping) => mapping.get(place as usize).copied().flatten(),
    };
    places.iter().map(|place| place.and_then(column)).collect()
}
