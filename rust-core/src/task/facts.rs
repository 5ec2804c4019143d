//! What Kafka's admin client is asked about topic-partitions, and what follows from its answers
//! (`docs/delivery.md`, identity): the topic is another one, a range was expired, or all is well.
//! The shim asks Kafka; nothing here does, and without an admin client nothing here happens.

use super::driver::Driver;
use super::inbox::{Control, Event};
use super::lane::Lane;
use super::sink_task::SinkTask;
use super::topic_partition::regression;
use crate::position::TpId;
use crate::recover::Facts;
use std::sync::Arc;
use std::time::Duration;

/// The ticket of the question that goes with an assignment.
pub(super) const OPENING: u64 = 0;
/// How often ids are read again.
const EVERY_MS: i64 = 60_000;
/// After so many times `commit.interval.ms` without a delivery the tail of a topic-partition is
/// looked into,
const IDLE_INTERVALS: u64 = 10;
/// after so long at least and at most: a topic that is kept for minutes has short intervals.
const IDLE_MS: std::ops::RangeInclusive<u64> = 30_000..=600_000;

/// An answer to an [`Action`](super::Action) that asked something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `Facts`.
    Facts {
        /// The assignment asked about.
        tp: TpId,
        /// The question.
        ticket: u64,
        /// The answer.
        facts: Facts,
    },
    /// To `Tail`: no record lies from `from` to below `end`.
    EmptyTail {
        /// The assignment asked about.
        tp: TpId,
        /// As asked.
        from: i64,
        /// Behind the last offset a consumer may see.
        end: i64,
    },
}

/// What is asked and known of a topic-partition in Kafka.
#[derive(Debug, Default)]
pub(super) struct Asking {
    last_ticket: u64,
    /// The question whose answer is waited for.
    awaited: Option<u64>,
    /// The log is claimed when the answer is there, after this pause.
    opens: Option<Duration>,
    /// What the present claim was made by.
    opened_by: Option<Arc<Facts>>,
    /// When to ask again, ms of the driver's clock.
    again_ms: Option<i64>,
    /// Kafka was asked because nothing came behind this offset.
    idle: Option<i64>,
    /// The tail behind this offset was asked about.
    tail: Option<i64>,
}

impl Asking {
    pub(super) fn opened_by(&self) -> Option<Arc<Facts>> {
        self.opened_by.clone()
    }
}

impl Lane {
    /// Whether Kafka may be asked in between: not while an answer is waited for or acted on.
    fn may_ask(&self) -> bool {
        let free = !self.failed && !self.leaving && self.state.held().is_none();
        free && self.asking.awaited.is_none() && self.state.log().is_some()
    }

    /// When it counts as idle, unless something comes, ms of the driver's clock.
    fn idle_at(&self) -> Option<i64> {
        let interval = self.config().commit_interval_ms;
        let (least, most) = IDLE_MS.into_inner();
        let idle_ms = interval.saturating_mul(IDLE_INTERVALS).clamp(least, most);
        self.last_taken_ms.map(|last| last + idle_ms as i64)
    }

    /// When Kafka is asked next, ms of the driver's clock: in time, and once when it has become
    /// idle.
    fn asks_at(&self) -> Option<i64> {
        let again = self.asking.again_ms.filter(|_| self.may_ask())?;
        let expected = self.state.expected();
        let idle = self.idle_at().filter(|_| expected.is_some() && expected != self.asking.idle);
        Some(idle.map_or(again, |idle| idle.min(again)))
    }
}

impl SinkTask {
    /// What Kafka's admin client said to the questions asked by actions.
    pub fn answers(&mut self, answers: Vec<Answer>) {
        self.send_control(Control::Answers(answers));
    }
}

impl Driver {
    /// Opens a topic-partition that was just assigned: the task thread has asked already.
    pub(super) fn first_open(&mut self, id: TpId) {
        if let Some(lane) = self.lanes.get_mut(&id).filter(|_| self.parts.config.admin) {
            lane.asking.awaited = Some(OPENING);
        }
        self.open(id, Duration::ZERO);
    }

    /// Opens a topic-partition's log, after what has to be known of it in Kafka is known.
    pub(super) fn open(&mut self, id: TpId, after: Duration) {
        if !self.parts.config.admin {
            return self.claim(id, after);
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.asking.opens = Some(after);
        if lane.asking.awaited != Some(OPENING) {
            self.ask(id);
        }
    }

    /// Asks Kafka. An answer to an earlier question does not count any more: it may be of a time
    /// before what is asked about.
    pub(super) fn ask(&mut self, id: TpId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.asking.last_ticket += 1;
        let ticket = lane.asking.last_ticket;
        lane.asking.awaited = Some(ticket);
        self.outbox.push(Event::Ask { tp: id, ticket });
    }

    pub(super) fn on_answers(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            match answer {
                Answer::Facts { tp, ticket, facts } => self.on_facts(tp, ticket, facts),
                Answer::EmptyTail { tp, from, end } => self.on_empty_tail(tp, from, end),
            }
        }
    }

    fn on_facts(&mut self, id: TpId, ticket: u64, facts: Facts) {
        let now_ms = self.now_ms();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.failed || lane.asking.awaited != Some(ticket) {
            return;
        }
        lane.asking.awaited = None;
        lane.asking.again_ms = Some(now_ms + EVERY_MS);
        if let Some(after) = lane.asking.opens.take() {
            lane.asking.opened_by = Some(Arc::new(facts));
            return self.claim(id, after);
        }
        if lane.leaving || lane.state.log().is_none() {
            return;
        }
        let known = lane.asking.opened_by.as_ref().and_then(|known| known.topic_id.as_ref());
        if facts.topic_id.is_some() && facts.topic_id.as_ref() != known {
            return self.reborn(id, &facts);
        }
        match lane.state.held() {
            Some((expected, offset)) => self.on_held(id, expected, offset, &facts),
            None => self.look_at_tail(id, &facts),
        }
    }

    /// The doubt about a record is settled.
    fn on_held(&mut self, id: TpId, expected: i64, offset: i64, facts: &Facts) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if offset < expected {
            self.fail_lane(id, regression(offset, expected));
        } else if facts.earliest > expected {
            tracing::warn!(
                tp = %lane.tp, from = expected, earliest = facts.earliest,
                "Kafka expired records before they were read"
            );
            // The next open tells it, or puts it on record.
            lane.leaving = true;
        } else if let Some(log) = lane.state.log() {
            let (epoch, log_id) = (log.epoch, log.log_id);
            self.outbox.push(Event::Again { tp: id, epoch, log_id, next: expected });
        }
    }

    /// The topic was deleted and created again: each topic-partition of it begins anew, in a new
    /// generation, as soon as it has heard so itself. What was taken of the former life is
    /// committed first, unless it may be of the new one, whose records come again.
    fn reborn(&mut self, id: TpId, facts: &Facts) {
        let Some(topic) = self.lanes.get(&id).map(|lane| lane.tp.topic.clone()) else { return };
        tracing::warn!(
            topic = %topic, topic_id = facts.topic_id.as_deref(),
            "the topic is another one than the commit log was opened for: opening it again"
        );
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        // Nothing the new life has delivered lies behind its end.
        let old = lane.state.held().is_some_and(|(expected, offset)| offset < expected)
            || lane.state.expected().is_some_and(|expected| expected > facts.end);
        lane.leaving = true;
        if !old && lane.state.has_uncommitted() {
            lane.state.end_life();
            tracing::warn!(
                tp = %lane.tp, next = lane.state.log().and_then(|log| log.next),
                "what was taken and not committed may be of either life of the topic: it is \
                 dropped, and read again where Kafka still has it"
            );
        }
        let others = self.lanes.iter().filter(|(_, lane)| lane.tp.topic == topic);
        let others: Vec<TpId> =
            others.filter(|(_, lane)| lane.may_ask()).map(|(id, _)| *id).collect();
        others.into_iter().for_each(|other| self.ask(other));
    }

    /// Asks again in time, and leaves the present claim when what was taken is committed.
    pub(super) fn look_at_facts(&mut self, id: TpId, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.leaving && !lane.closing && !lane.is_unfinished() {
            self.reopen(id);
        } else if lane.asks_at().is_some_and(|at| now_ms >= at) {
            if lane.idle_at().is_some_and(|at| now_ms >= at) {
                lane.asking.idle = lane.state.expected();
            }
            self.ask(id);
        }
    }

    /// Begins anew under another claim.
    fn reopen(&mut self, id: TpId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.forget();
        self.outbox.push(Event::Fenced { tp: id });
        self.open(id, Duration::ZERO);
    }

    /// The log was claimed: just now Kafka still had the next offset.
    pub(super) fn facts_known(&mut self, id: TpId) {
        let now_ms = self.now_ms();
        if let Some(lane) = self.lanes.get_mut(&id).filter(|_| self.parts.config.admin) {
            lane.last_taken_ms = Some(now_ms);
            (lane.asking.idle, lane.asking.tail) = (None, None);
        }
    }

    /// When Kafka is asked next, ms of the driver's clock.
    pub(super) fn ask_due_ms(&self) -> Option<i64> {
        self.lanes.values().filter_map(Lane::asks_at).min()
    }

    /// An idle topic-partition may end in offsets that are no records, such as the marker of a
    /// transaction. Once Kafka expires it, it looks like a lost range: so it is looked into before.
    fn look_at_tail(&mut self, id: TpId, facts: &Facts) {
        let now_ms = self.now_ms();
        let quiet = self.queue.is_empty() && !self.work.has_frame();
        let Some(lane) = self.lanes.get_mut(&id).filter(|lane| quiet && lane.takes()) else {
            return;
        };
        let Some(from) = lane.state.expected().filter(|from| facts.end > *from) else { return };
        let idle = lane.idle_at().is_some_and(|at| now_ms >= at);
        if idle && lane.asking.tail != Some(from) {
            lane.asking.tail = Some(from);
            self.outbox.push(Event::AskTail { tp: id, from });
        }
    }

    fn on_empty_tail(&mut self, id: TpId, from: i64, end: i64) {
        let now_ms = self.now_ms();
        let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.takes()) else { return };
        if lane.state.expected() == Some(from)
            && let Some(generation) = lane.state.generation()
        {
            tracing::info!(tp = %lane.tp, from, end, "no record lies in the idle tail");
            lane.position(generation, end, "control", now_ms);
            lane.asking.idle = Some(end);
        }
    }
}
