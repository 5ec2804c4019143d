//! The pipeline half of one topic-partition's state machine (`docs/delivery.md`, steady state):
//! in go records' offsets, starts, positions and the ends of requests; out come verdicts and what
//! to ask of the log next. No I/O, no clock, no bytes.

use crate::error::{Error, Kind, Result};
use crate::log::{Gaps, Skipped};
use crate::recover::LogState;
use uuid::Uuid;

/// Counts one life of a topic-partition: each open, and each re-open after it was fenced. A frame
/// is taken only by the life it was delivered to.
pub(super) type Generation = u64;

/// A gap of more offsets than this is asked about.
const WIDE: i64 = 1_000;

/// The pipeline half of one topic-partition.
#[derive(Debug, Default)]
pub(super) struct TopicPartitionState {
    /// The claimed log; `None` while it is being opened.
    log: Option<LogState>,
    /// The life begun by the last honoured start.
    life: Option<Life>,
    /// The offset of a record that is not taken before Kafka was asked about it; nor is anything
    /// behind it.
    held: Option<i64>,
    /// The gap up to this offset was asked about: nothing is lost in it.
    asked: Option<i64>,
    /// A log PUT of ours may be under way. There is at most one, whatever its kind.
    log_busy: bool,
    /// What was taken since the last cut.
    tally: Tally,
}

#[derive(Debug, Clone, Copy)]
struct Life {
    generation: Generation,
    /// Where the consumer was sought to, if it was.
    start: Option<i64>,
    /// The next offset in sequence; unknown until the first record when nobody sought.
    expected: Option<i64>,
}

/// What was taken in a range of offsets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    /// The first offset of the range, once anything was taken.
    pub(super) from: Option<i64>,
    /// Records.
    pub(super) records: u64,
    /// Records that left no row.
    pub(super) skipped: Skipped,
    /// Offsets of the errant ones.
    pub(super) errant_offsets: Vec<i64>,
    /// Offsets that never came.
    pub(super) gaps: Gaps,
}

/// Whether a record is for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take it.
    Take,
    /// It belongs to another life of the topic-partition; it will be read again, or was.
    Stale,
}

/// A range of offsets to be committed, with all that was taken in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CutRange {
    /// The log's next offset.
    pub(super) start: i64,
    /// The offset behind the last one taken.
    pub(super) end: i64,
    /// What was taken.
    pub(super) tally: Tally,
}

impl TopicPartitionState {
    /// The log is ours and stands at `state`.
    pub(super) fn ready(&mut self, state: LogState) {
        self.forget();
        self.log = Some(state);
    }

    /// The present claim, while there is one.
    pub(super) fn log(&self) -> Option<&LogState> {
        self.log.as_ref()
    }

    /// Forgets everything: fenced or closed. Whatever is still queued is of an earlier life.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Nothing that was taken since the last cut counts, and nothing more is taken.
    pub(super) fn end_life(&mut self) {
        (self.life, self.held, self.tally) = (None, None, Tally::default());
    }

    /// A life begins, if it answers the present claim: its epoch, in its log. A start that was still
    /// queued when its claim ended must not be honoured after the next one, and the logs of a
    /// topic's generations count their epochs anew.
    pub(super) fn start(
        &mut self,
        generation: Generation,
        (epoch, log_id): (u64, Uuid),
        x: Option<i64>,
    ) -> Verdict {
        if self.log.as_ref().is_none_or(|log| (log.epoch, log.log_id) != (epoch, log_id)) {
            return Verdict::Stale;
        }
        self.asked = self.held.take();
        match &mut self.life {
            // The same life goes on where it was held.
            Some(life) if self.asked.is_some() && life.expected == x => {
                life.generation = generation;
            }
            life => {
                *life = Some(Life { generation, start: x, expected: x });
                self.tally = Tally::default();
                self.asked = None;
            }
        }
        Verdict::Take
    }

    /// Whether a record of the present life should not be taken before Kafka was asked about it:
    /// offsets went backwards, or the gap before it is wide, or `quiet`, for long nothing came
    /// before it.
    pub(super) fn is_doubtful(&self, generation: Generation, offset: i64, quiet: bool) -> bool {
        let Some(expected) = self.life_of(generation).and_then(|life| life.expected) else {
            return false;
        };
        let unasked = self.asked.is_none_or(|asked| offset > asked);
        let wide = offset - expected > WIDE;
        offset < expected || offset > expected && unasked && (wide || quiet)
    }

    /// Takes nothing any more until the next start: Kafka is asked about the record at `offset`.
    pub(super) fn hold(&mut self, offset: i64) {
        self.held = Some(offset);
    }

    /// The expected offset and that of the record about which Kafka is asked, if it is.
    pub(super) fn held(&self) -> Option<(i64, i64)> {
        Some((self.life?.expected?, self.held?))
    }

    /// The next offset in sequence, where it is known.
    pub(super) fn expected(&self) -> Option<i64> {
        self.life?.expected
    }

    /// The present life's number.
    pub(super) fn generation(&self) -> Option<Generation> {
        self.life.map(|life| life.generation)
    }

    fn life_of(&self, generation: Generation) -> Option<Life> {
        self.life.filter(|life| life.generation == generation && self.held.is_none())
    }

    /// Judges a record before it is parsed. Changes nothing.
    ///
    /// # Errors
    /// `OffsetRegression`: below what was taken already, within one life. Never dropped in silence.
    pub(super) fn judge(&self, generation: Generation, offset: i64) -> Result<Verdict> {
        let Some(life) = self.life_of(generation) else {
            return Ok(Verdict::Stale);
        };
        match life.expected {
            Some(expected) if offset < expected => Err(regression(offset, expected)),
            _ => Ok(Verdict::Take),
        }
    }

    #[cfg(test)]
    pub(super) fn taken(&mut self, offset: i64) {
        self.taken_behind(offset, None);
    }

    /// Notes a record as taken, which [`judge`](Self::judge) allowed, and why there is a gap before
    /// it, if there is one.
    pub(super) fn taken_behind(&mut self, offset: i64, cause: Option<&str>) {
        self.reach(offset, cause);
        if let Some(life) = &mut self.life {
            life.expected = Some(offset + 1);
        }
        self.tally.records += 1;
    }

    /// Notes that the record just taken left no row.
    pub(super) fn skip(&mut self, reason: &str) {
        self.tally.skipped.add(reason);
    }

    /// Notes that the record just taken is errant.
    pub(super) fn errant(&mut self, offset: i64) {
        self.skip("errant");
        self.tally.errant_offsets.push(offset);
    }

    /// The consumer moved to `end` without delivering what lies between.
    pub(super) fn position(&mut self, generation: Generation, end: i64, cause: &str) -> Verdict {
        let Some(life) = self.life_of(generation) else {
            return Verdict::Stale;
        };
        if life.expected.is_none_or(|expected| expected < end) {
            self.reach(end, Some(cause));
            if let Some(life) = &mut self.life {
                life.expected = Some(end);
            }
        }
        Verdict::Take
    }

    /// Moves up to `offset`, noting what is missing.
    fn reach(&mut self, offset: i64, cause: Option<&str>) {
        let Some(life) = &mut self.life else { return };
        life.start.get_or_insert(offset);
        let expected = life.expected.unwrap_or(offset);
        let from = *self.tally.from.get_or_insert(expected);
        if expected < offset {
            self.tally.gaps.note(from, expected, offset, cause);
        }
    }

    /// The start that must be made durable before anything else: the log's next offset is unknown
    /// and something was taken.
    pub(super) fn start_to_record(&self) -> Option<i64> {
        let log = self.log.as_ref().filter(|log| log.next.is_none() && !self.log_busy)?;
        debug_assert!(log.pending.is_empty());
        self.life.filter(|life| life.expected.is_some()).and_then(|life| life.start)
    }

    /// Whether anything was taken that no record of the log covers.
    pub(super) fn has_uncommitted(&self) -> bool {
        let next = self.log.as_ref().and_then(|log| log.next);
        self.life.and_then(|life| life.expected).is_some_and(|expected| next != Some(expected))
    }

    /// Whether a log PUT of ours may be under way.
    pub(super) fn log_busy(&self) -> bool {
        self.log_busy
    }

    /// Whether a cut or a settle may begin now.
    pub(super) fn log_free(&self) -> bool {
        !self.log_busy && self.log.as_ref().is_some_and(|log| log.next.is_some())
    }

    /// Whether the head of the log names commits that are settled by now.
    pub(super) fn settle_wanted(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.head_unsettled != log.pending)
    }

    /// What was taken since the last cut.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes everything below the expected offset for a commit. `None` when there is nothing, or
    /// the log is busy. The log is busy from now on.
    pub(super) fn cut(&mut self) -> Option<CutRange> {
        if !self.log_free() || !self.has_uncommitted() {
            return None;
        }
        let start = self.log.as_ref()?.next?;
        let end = self.life?.expected?;
        self.log_busy = true;
        Some(CutRange { start, end, tally: std::mem::take(&mut self.tally) })
    }

    /// A record that moves no data is about to be sent. The log is busy from now on.
    pub(super) fn occupy(&mut self) {
        self.log_busy = true;
    }

    /// The log's state after our latest record; the log is free again. Ignored when the claim it
    /// belongs to is no longer ours.
    pub(super) fn recorded(&mut self, state: LogState) -> Verdict {
        match &mut self.log {
            Some(log) if log.epoch == state.epoch && log.log_id == state.log_id => {
                *log = state;
                self.log_busy = false;
                Verdict::Take
            }
            _ => Verdict::Stale,
        }
    }
}

/// Offsets that went backwards, without a new life of the topic.
pub(super) fn regression(offset: i64, expected: i64) -> Error {
    Error::new(
        Kind::OffsetRegression,
        "offsets went backwards: the topic was truncated or created again. Nothing is dropped or \
         written twice; if the topic was created again, start it over under another connector name \
         and lake.url",
    )
    .with("offset", offset)
    .with("expected", expected)
}

impl CutRange {
    /// Holds the books against each other: counted on the way in, counted on the way out.
    ///
    /// # Errors
    /// `Corrupt` when a record or an offset is not accounted for.
    pub(super) fn check(&self, rows: u64) -> Result<()> {
        let Tally { from, records, skipped, gaps, .. } = &self.tally;
        let covered = i64::try_from(*records).ok().and_then(|n| n.checked_add(gaps.sum));
        let rows_agree = *records == rows + skipped.total();
        if rows_agree && covered == Some(self.end - self.start) && *from == Some(self.start) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Corrupt,
            "a cut does not add up, so it is not committed; please report this bug",
        )
        .with("start", self.start)
        .with("end", self.end)
        .with("records", records)
        .with("rows", rows)
        .with("skipped", skipped.total())
        .with("gaps", gaps.sum))
    }
}

#[cfg(test)]
mod tests;
