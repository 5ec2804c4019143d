//! The driver's work on records: one slice of a frame at a time, so that a cut may stand between
//! any two slices and nothing else on the runtime waits long.

use super::ErrantPolicy;
use super::budget::Pressure;
use super::driver::Driver;
use super::inbox::Event;
use super::lane::{Lane, Took};
use super::topic_partition::Generation;
use crate::envelope::{Definitions, Input, Row};
use crate::error::{Error, Kind};
use crate::frame::{Cursor, Frame, RawRecord};
use crate::position::TpId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Records of one slice: about half a millisecond,
const SLICE: usize = 512;
/// and about as many bytes: memory is looked at between two slices only.
const SLICE_BYTES: usize = 256 << 10;

/// The frame in work.
#[derive(Debug, Default)]
pub(super) struct Work {
    frame: Option<Frame>,
    cursor: Cursor,
    lives: Vec<(TpId, Generation)>,
    row: Row,
    /// Schemas of the frame in work.
    definitions: Definitions,
    touched: BTreeSet<TpId>,
    /// Errant records logged since the task began; the log is not flooded.
    errants_logged: u64,
    /// Topics and reasons of skipped records that were told.
    skips_said: BTreeSet<(Arc<str>, &'static str)>,
    /// Topics and what their records were told to be.
    inputs_said: BTreeSet<(Arc<str>, Input)>,
}

/// Memory behind the queue, bytes.
struct Held {
    /// Of open files, and collected for parts that are not full: until they are sealed.
    in_files: u64,
    /// On its way to the store.
    moving: u64,
}

impl Work {
    pub(super) fn has_frame(&self) -> bool {
        self.frame.is_some()
    }

    /// Begins a frame; the last one is done.
    pub(super) fn begin(&mut self, frame: Frame, lives: Vec<(TpId, Generation)>) {
        self.frame = Some(frame);
        self.cursor = Cursor::default();
        self.definitions.begin_frame();
        self.lives = lives;
    }

    fn life(&self, tp: TpId) -> Option<Generation> {
        self.lives.iter().find(|(id, _)| *id == tp).map(|(_, generation)| *generation)
    }
}

impl Driver {
    /// Takes the next slice of the frame in work.
    pub(super) fn work_slice(&mut self) {
        let Some(frame) = self.work.frame.take() else { return };
        let mut ended = !self.takes_rows();
        let mut bytes = 0;
        for _ in 0..SLICE {
            if ended || bytes >= SLICE_BYTES {
                break;
            }
            match frame.next(&mut self.work.cursor) {
                Ok(None) => ended = true,
                Ok(Some(record)) => {
                    bytes += record.value.map_or(0, <[u8]>::len);
                    let index = self.work.cursor.index - 1;
                    ended = !self.take(&record, frame.id, index);
                }
                Err(error) => {
                    self.fail(error);
                    ended = true;
                }
            }
        }
        self.turn();
        if ended {
            self.parts.metrics.queue_bytes.add(-(frame.bytes.len() as i64));
            let id = frame.id;
            // The buffer is free once nothing here points into it.
            drop(frame);
            self.outbox.push(Event::Release { frame: id });
        } else {
            self.work.frame = Some(frame);
        }
    }

    /// Takes one record; false when nothing behind it may be taken.
    fn take(&mut self, record: &RawRecord<'_>, frame: u64, index: u32) -> bool {
        // Whoever wants this record: one behind it may have the same schema.
        if let Err(error) = self.work.definitions.note(record.value) {
            self.fail(error);
            return false;
        }
        let Some(generation) = self.work.life(record.tp) else { return true };
        let (policy, now_ms) = (self.parts.errant_policy, self.now_ms());
        let Some(lane) = self.lanes.get_mut(&record.tp) else { return true };
        if !lane.takes() {
            return true;
        }
        let work = &mut self.work;
        match lane.take((&work.definitions, record), generation, &mut work.row, policy, now_ms) {
            Ok(Took::Stale) => true,
            Ok(Took::Held) => {
                self.ask(record.tp);
                true
            }
            Ok(took @ (Took::Row | Took::Skipped(_))) => {
                self.work.touched.insert(record.tp);
                self.parts.metrics.records.add(1);
                let input = lane.new_input();
                if let Took::Skipped(reason) = took {
                    self.say_skip(record.tp, reason);
                }
                if let Some(input) = input {
                    self.say_input(record.tp, input);
                }
                self.count(false)
            }
            Ok(Took::Errant(error)) => {
                self.work.touched.insert(record.tp);
                self.parts.metrics.records.add(1);
                self.errant(record, frame, index, &error);
                self.count(true)
            }
            Err(error) => {
                self.refuse(record.tp, error);
                self.takes_rows()
            }
        }
    }

    /// Once for each topic and reason: a table that stays empty has to be explained, a topic of
    /// heartbeats must not flood the log.
    fn say_skip(&mut self, tp: TpId, reason: &'static str) {
        let Some(topic) = self.lanes.get(&tp).map(|lane| lane.tp.topic.clone()) else { return };
        if self.work.skips_said.insert((topic.clone(), reason)) {
            tracing::info!(
                %topic, reason,
                "a record of this topic leaves no row; such records are skipped and counted"
            );
        }
    }

    /// Once for each topic and form: what `input.format=auto` decided must not be guessed.
    fn say_input(&mut self, tp: TpId, input: Input) {
        let Some(topic) = self.lanes.get(&tp).map(|lane| lane.tp.topic.clone()) else { return };
        if self.work.inputs_said.insert((topic.clone(), input)) {
            tracing::info!(%topic, input = input.name(), "what the records of this topic are");
        }
    }

    fn count(&mut self, errant: bool) -> bool {
        match self.errants.count(errant) {
            Ok(()) => true,
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    fn errant(&mut self, record: &RawRecord<'_>, frame: u64, index: u32, error: &Error) {
        self.parts.metrics.errants.add(1);
        self.work.errants_logged += 1;
        // Each of the first hundred, then each thousandth: never silent, never a flood.
        if self.work.errants_logged <= 100 || self.work.errants_logged.is_multiple_of(1_000) {
            tracing::warn!(errant = self.work.errants_logged, %error, "errant record");
        }
        if self.parts.errant_policy == ErrantPolicy::Report
            && let Some(lane) = self.lanes.get(&record.tp)
        {
            let errant = self.errants.report(&lane.gate, frame, index, error.to_string());
            self.outbox.push(Event::Errant(errant));
        }
    }

    /// A record that stops its topic-partition, or the task.
    fn refuse(&mut self, tp: TpId, error: Error) {
        match error.kind() {
            Kind::OffsetRegression => self.fail_lane(tp, error),
            // What was taken before is whole: it is committed, then the task fails.
            Kind::BadRecord | Kind::Config | Kind::SchemaConflict => self.fail(error),
            _ => {
                let told = Error::new(error.kind(), error.to_string());
                self.fail_lane(tp, error);
                self.fail(told);
            }
        }
    }

    /// Between two slices: finished bytes go to uploads.
    fn turn(&mut self) {
        for id in std::mem::take(&mut self.work.touched) {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.turn();
            }
        }
    }

    /// Counts what is held, and frees some when it is much: the file that frees most is sealed.
    pub(super) fn count_memory(&mut self) {
        let queued = self.parts.metrics.queue_bytes.get().max(0) as u64;
        let open: usize = self.lanes.values().map(Lane::open_files).sum();
        let held = self.held();
        self.parts.share.set_used(queued + held.in_files + held.moving);
        self.parts.metrics.open_files.set(open as i64);
        self.parts.metrics.open_partitions.set(self.lanes.len() as i64);
        self.free_memory(held);
    }

    /// Seals the files that hold most, until what open files hold leaves room: sealing frees that,
    /// not what is on its way, which leaves by itself.
    fn free_memory(&mut self, mut held: Held) {
        let limit = self.parts.share.limit();
        loop {
            let much = match self.parts.share.pressure() {
                Pressure::Low => return,
                Pressure::High => false,
                Pressure::Full => held.in_files > held.moving && self.memory_full(),
            };
            if !much && held.in_files < limit / 2 {
                return;
            }
            let largest = self.lanes.iter_mut().max_by_key(|(_, lane)| lane.largest_file_bytes());
            let Some((id, lane)) = largest.map(|(id, lane)| (*id, lane)) else { return };
            match lane.seal_largest() {
                Ok(true) => held = self.held(),
                Ok(false) => return,
                Err(error) => return self.fail_lane(id, error),
            }
        }
    }

    /// Whether memory is held back by what leaves without a word: uploads on their way.
    pub(super) fn memory_leaves(&self) -> bool {
        self.parts.share.pressure() != Pressure::Low && self.held().moving > 0
    }

    fn held(&self) -> Held {
        let collected: u64 = self.lanes.values().map(Lane::collected_bytes).sum();
        Held {
            in_files: self.lanes.values().map(Lane::memory_bytes).sum(),
            moving: self.parts.uploads.in_flight_bytes().saturating_sub(collected),
        }
    }

    /// Whether the frame in work has to wait until files or uploads free memory. A queue that
    /// fills the share alone is only freed by working on it.
    pub(super) fn memory_full(&self) -> bool {
        if self.parts.share.pressure() != Pressure::Full {
            return false;
        }
        let held = self.held();
        held.in_files + held.moving >= self.parts.share.limit() / 2
    }
}
