//! One topic-partition on its way through the pipeline: in go its records, out come rows in open
//! files, and cuts when they are due. No I/O of its own.

mod reading;

use super::ErrantPolicy;
use super::errants::Gate;
use super::facts::Asking;
use super::files::{Files, Place};
use super::sealing::Sealing;
use super::topic_partition::{CutRange, Generation, TopicPartitionState, Verdict};
use crate::commit::LogAccess;
use crate::config::Config;
use crate::envelope::{Definitions, EnvelopeReader, Input, Row};
use crate::error::{Error, Kind, Result};
use crate::frame::RawRecord;
use crate::position::TopicPartition;
use crate::recover::Claimed;
use crate::roll::{CutLimits, CutReason, CutStats, cut_due_ms, cut_reason};
use std::sync::Arc;
use std::time::Duration;

/// A moved position without a file is recorded this often at most: it only matters for lag.
const ADVANCE_EVERY_MS: i64 = 10_000;
/// A settle waits for a following record at least this long,
const SETTLE_MIN: Duration = Duration::from_secs(10);
/// and at most this long.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// A gap after longer than this without a delivery is not taken for a legal one unasked.
const QUIET_MS: i64 = 60_000;

/// One topic-partition in the pipeline.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) tp: TopicPartition,
    pub(super) state: TopicPartitionState,
    /// The log while it is ours.
    pub(super) log: Option<LogAccess>,
    place: Arc<Place>,
    reader: EnvelopeReader,
    files: Option<Files>,
    /// Reports the next cut waits for.
    pub(super) gate: Gate,
    /// When the first record since the last cut was taken, ms of the driver's clock.
    first_taken_ms: Option<i64>,
    /// When a settle is due, if no record follows.
    pub(super) settle_at_ms: Option<i64>,
    /// The topic-partition needs an operator.
    pub(super) failed: bool,
    /// Why, as it was told.
    pub(super) failure: String,
    /// Told the task thread to hold deliveries back.
    pub(super) throttled: bool,
    /// Being closed: cut as soon as the queue allows.
    pub(super) closing: bool,
    /// Times in a row that it was fenced: how patient the next claim is.
    pub(super) fenced_in_a_row: u32,
    /// What is asked and known of it in Kafka.
    pub(super) asking: Asking,
    /// No more is taken under the present claim: once what was taken is committed, the log is
    /// opened again.
    pub(super) leaving: bool,
    /// When a record was last taken, or Kafka last known to hold the next one at a claim, ms of the
    /// driver's clock.
    pub(super) last_taken_ms: Option<i64>,
    /// The claim under way: a topic-partition that is gone must not claim any more.
    pub(super) opening: Option<tokio::task::AbortHandle>,
    /// The run of the archive under way: it ends with the life that began it.
    pub(super) archiving: Option<tokio::task::AbortHandle>,
    first_file_said: bool,
    /// What its records were last said to be.
    input_said: Option<Input>,
}

/// What became of a record.
#[derive(Debug)]
pub(super) enum Took {
    /// It belongs to another life.
    Stale,
    /// It is a row now.
    Row,
    /// It leaves no row, for this reason.
    Skipped(&'static str),
    /// It cannot become a row; it is skipped and counted.
    Errant(Error),
    /// It waits for what Kafka says of it.
    Held,
}

impl Lane {
    /// A topic-partition whose log is not ours yet.
    ///
    /// # Errors
    /// `Config`: `columns.types` names a type that is none.
    pub(super) fn new(tp: TopicPartition, place: Arc<Place>) -> Result<Self> {
        let reader = EnvelopeReader::of(place.config.input, &place.config.columns_types)?
            .keeping_before(place.config.rows.before || place.config.rows.envelope)
            .keeping_details(place.config.rows.envelope);
        Ok(Self {
            tp,
            state: TopicPartitionState::default(),
            log: None,
            place,
            reader,
            files: None,
            gate: Gate::default(),
            first_taken_ms: None,
            settle_at_ms: None,
            failed: false,
            failure: String::new(),
            throttled: false,
            closing: false,
            fenced_in_a_row: 0,
            asking: Asking::default(),
            leaving: false,
            last_taken_ms: None,
            opening: None,
            archiving: None,
            first_file_said: false,
            input_said: None,
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.place.config
    }

    /// Its files go here from now on; there are none yet.
    pub(super) fn move_to(&mut self, place: Arc<Place>) {
        self.place = place;
    }

    /// The log is ours.
    pub(super) fn ready(&mut self, claimed: Claimed) {
        self.files = Some(Files::new(self.place.clone(), self.tp.clone(), claimed.state.epoch));
        self.log = Some(claimed.log);
        self.opening = None;
        self.state.ready(claimed.state);
    }

    /// Whether what comes down the queue is for it: not for one that is being closed or failed.
    pub(super) fn takes(&self) -> bool {
        !self.closing && !self.failed && !self.leaving
    }

    /// Forgets everything that is not in the log: fenced, failed or closed.
    pub(super) fn forget(&mut self) {
        self.state.forget();
        if let Some(opening) = self.opening.take() {
            opening.abort();
        }
        if let Some(archiving) = self.archiving.take() {
            archiving.abort();
        }
        self.log = None;
        self.gate = Gate::default();
        self.first_taken_ms = None;
        self.settle_at_ms = None;
        self.leaving = false;
        self.last_taken_ms = None;
        if let Some(files) = self.files.take() {
            files.discard();
        }
    }

    /// Takes one record of the given life, from a frame with these schemas. `row` is scratch.
    ///
    /// # Errors
    /// `OffsetRegression` fails the topic-partition, any other kind the task; the record is not
    /// taken then. With `errors.tolerance=none` an errant record is such an error.
    pub(super) fn take(
        &mut self,
        (frame, record): (&Definitions, &RawRecord<'_>),
        generation: Generation,
        row: &mut Row,
        policy: ErrantPolicy,
        now_ms: i64,
    ) -> Result<Took> {
        let quiet = self.last_taken_ms.is_none_or(|last| now_ms - last > QUIET_MS);
        let doubtful = self.state.is_doubtful(generation, record.offset, quiet);
        if doubtful && self.place.config.admin {
            self.state.hold(record.offset);
            return Ok(Took::Held);
        }
        if self.state.judge(generation, record.offset)? == Verdict::Stale {
            return Ok(Took::Stale);
        }
        let cause = doubtful.then_some("unverified");
        let skip = match self.place_row(frame, record, row) {
            Ok(skip) => skip,
            Err(error) if error.kind() == Kind::BadRecord && policy != ErrantPolicy::Stop => {
                self.note_taken(record.offset, cause, now_ms);
                self.state.errant(record.offset);
                return Ok(Took::Errant(self.locate(error, record)));
            }
            Err(error) => return Err(self.locate(error, record)),
        };
        self.note_taken(record.offset, cause, now_ms);
        let Some(reason) = skip else { return Ok(Took::Row) };
        self.state.skip(reason);
        Ok(Took::Skipped(reason))
    }

    fn note_taken(&mut self, offset: i64, cause: Option<&str>, now_ms: i64) {
        self.state.taken_behind(offset, cause);
        self.last_taken_ms = Some(now_ms);
        self.first_taken_ms.get_or_insert(now_ms);
    }

    fn locate(&self, error: Error, record: &RawRecord<'_>) -> Error {
        error
            .with("topic", &self.tp.topic)
            .with("partition", self.tp.partition)
            .with("offset", record.offset)
    }

    /// Between two slices of the queue: finished bytes go to uploads.
    pub(super) fn turn(&mut self) {
        if let Some(files) = &mut self.files {
            files.turn();
        }
    }

    /// The consumer moved without delivering records.
    pub(super) fn position(&mut self, life: Generation, end: i64, cause: &str, now_ms: i64) {
        self.state.position(life, end, cause);
        if self.state.has_uncommitted() {
            self.first_taken_ms.get_or_insert(now_ms);
        }
    }

    /// Why a cut is due now, if one is; `force` = whatever there is.
    pub(super) fn cut_due(&self, limits: &CutLimits, now_ms: i64, force: bool) -> bool {
        if !self.state.log_free() || !self.state.has_uncommitted() {
            return false;
        }
        if force || self.closing || self.leaving {
            return true;
        }
        match self.limit_reached(limits, now_ms) {
            Some(CutReason::Interval) if !self.has_files() => {
                self.first_taken_ms.is_some_and(|first| now_ms - first >= ADVANCE_EVERY_MS)
            }
            reason => reason.is_some(),
        }
    }

    /// The limit the next cut has reached.
    pub(super) fn limit_reached(&self, limits: &CutLimits, now_ms: i64) -> Option<CutReason> {
        cut_reason(&self.cut_stats(), limits, now_ms)
    }

    /// When the next cut is due by the clock alone.
    pub(super) fn cut_due_ms(&self, limits: &CutLimits) -> Option<i64> {
        if !self.state.log_free() || !self.state.has_uncommitted() {
            return None;
        }
        let due = cut_due_ms(&self.cut_stats(), limits)?;
        let slow = self.first_taken_ms.filter(|_| !self.has_files());
        Some(slow.map_or(due, |first| due.max(first + ADVANCE_EVERY_MS)))
    }

    /// When anything is due by the clock alone.
    pub(super) fn due_ms(&self, limits: &CutLimits) -> Option<i64> {
        let settle =
            self.settle_at_ms.filter(|_| self.state.log_free() && self.state.settle_wanted());
        [self.cut_due_ms(limits), settle].into_iter().flatten().min()
    }

    /// The head names commits as unsettled that are settled: if no record follows soon, one that
    /// says so is written, so that a later owner never looks at those files again.
    pub(super) fn settle_soon(&mut self, now: Duration) {
        let interval = Duration::from_millis(self.place.config.commit_interval_ms);
        let wait = SETTLE_MIN.max((interval * 2).min(SETTLE_MAX));
        let wanted = self.state.settle_wanted();
        self.settle_at_ms = wanted.then(|| (now + wait).as_millis() as i64);
    }

    pub(super) fn settle_due(&self, now_ms: i64) -> bool {
        self.closing || self.settle_at_ms.is_some_and(|at| now_ms >= at)
    }

    /// Whether something taken is not committed, or a log PUT is under way.
    pub(super) fn is_unfinished(&self) -> bool {
        self.state.log().is_some() && (self.state.log_busy() || self.state.has_uncommitted())
    }

    /// Whether nothing is left to do for a topic-partition that is being closed.
    pub(super) fn is_closed(&self) -> bool {
        let untouched =
            self.state.log().is_none_or(|log| log.next.is_none()) && !self.state.has_uncommitted();
        untouched || (!self.is_unfinished() && !self.state.settle_wanted())
    }

    fn has_files(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.count() > 0)
    }

    fn cut_stats(&self) -> CutStats {
        let files = self.files.as_ref();
        CutStats {
            records: self.state.tally().records,
            bytes: files.map_or(0, Files::bytes),
            files: files.map_or(0, |files| files.count() as u64),
            memory_bytes: self.memory_bytes(),
            oldest_taken_at_ms: self.first_taken_ms,
            // No upload of the cut is older than its first record.
            oldest_upload_at_ms: self.first_taken_ms.filter(|_| self.has_files()),
        }
    }

    /// Cuts: everything taken so far, its files sealed.
    ///
    /// # Errors
    /// `Encode`: the cut is lost; the records have to be read again.
    pub(super) fn cut(&mut self) -> Result<Option<(CutRange, Vec<Sealing>, Gate)>> {
        let Some(files) = &mut self.files else { return Ok(None) };
        let sealed = files.cut()?;
        let Some(range) = self.state.cut() else { return Ok(None) };
        self.first_taken_ms = None;
        self.settle_at_ms = None;
        Ok(Some((range, sealed, std::mem::take(&mut self.gate))))
    }

    /// Whether a life of it was never told when its first file will be visible.
    pub(super) fn say_first_file(&mut self, limits: &CutLimits) {
        if !self.first_file_said && self.state.tally().records > 0 {
            self.first_file_said = true;
            tracing::info!(
                tp = %self.tp, within_ms = limits.interval_ms,
                "first record taken; its file is visible within commit.interval.ms, earlier when \
                 commit.max.* is reached"
            );
        }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.files.as_ref().map_or(0, Files::memory_bytes)
    }

    pub(super) fn collected_bytes(&self) -> u64 {
        self.files.as_ref().map_or(0, Files::collected_bytes)
    }

    pub(super) fn largest_file_bytes(&self) -> u64 {
        self.files.as_ref().map_or(0, Files::largest_bytes)
    }

    pub(super) fn seal_largest(&mut self) -> Result<bool> {
        self.files.as_mut().map_or(Ok(false), Files::seal_largest)
    }

    pub(super) fn open_files(&self) -> usize {
        self.files.as_ref().map_or(0, Files::open_count)
    }
}
