//! The task-thread half of a sink task: in go Connect's calls, out come actions for the shim
//! (`docs/delivery.md`, open and steady state). Never waits but in `close`, never parses a record.

mod reports;

use super::Parts;
use super::action::Action;
use super::assigned::{Assigned, Phase};
use super::budget::{MemoryShare, Pressure};
use super::driver::Driver;
use super::errants::Errant;
use super::facts::OPENING;
use super::inbox::{Control, Event, Message, Outbox};
use crate::config::Guarantee;
use crate::error::{Error, Kind, Result};
use crate::frame::{Cursor, Frame};
use crate::log::Blocks;
use crate::metrics::TaskMetrics;
use crate::offsets::{self, SafeOffset, SettledPosition};
use crate::position::{TopicPartition, TpId};
use reports::UNACKNOWLEDGED_MAX;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

/// One sink task, as the task thread holds it.
#[derive(Debug)]
pub struct SinkTask {
    assigned: BTreeMap<TpId, Assigned>,
    /// Counts Connect's `put`s.
    call: u64,
    queue: mpsc::UnboundedSender<Message>,
    control: mpsc::UnboundedSender<Control>,
    outbox: Arc<Outbox>,
    metrics: Arc<TaskMetrics>,
    share: Arc<MemoryShare>,
    queue_soft_limit: i64,
    /// Questions about Kafka are answered.
    admin: bool,
    /// The queue is over its soft limit, memory is full or errant records wait for the dead letter
    /// queue; until all are low again.
    held_back: bool,
    errants: VecDeque<Errant>,
    unacknowledged: usize,
    /// Frames that are parsed while errant records of theirs are not taken yet.
    held_frames: HashSet<u64>,
    closing: Option<oneshot::Receiver<()>>,
    /// Events that came up while closing and wait for the next `put`.
    later: Vec<Event>,
    fatal: Option<Arc<Error>>,
    driver: tokio::task::JoinHandle<()>,
}

impl SinkTask {
    /// Starts the pipeline of a task on a runtime.
    pub fn start(parts: Parts, runtime: &tokio::runtime::Handle) -> Self {
        Self::start_with(parts, runtime, Blocks::STANDARD)
    }

    /// The same with a store that was not tried yet: that is done while topic-partitions are
    /// opening, and what is found of its uploads takes the place of `parts.uploads`.
    pub fn start_untried(parts: Parts, runtime: &tokio::runtime::Handle) -> Self {
        Self::begin(parts, runtime, Blocks::STANDARD, true)
    }

    /// The same with another size of the archive's blocks: for tests.
    #[doc(hidden)]
    pub fn start_with(parts: Parts, runtime: &tokio::runtime::Handle, blocks: Blocks) -> Self {
        Self::begin(parts, runtime, blocks, false)
    }

    fn begin(
        parts: Parts,
        runtime: &tokio::runtime::Handle,
        blocks: Blocks,
        untried: bool,
    ) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let (control, controls) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox::default());
        let (metrics, share) = (parts.metrics.clone(), parts.share.clone());
        metrics.unfenced.set((parts.config.guarantee == Guarantee::AtLeastOnce).into());
        let admin = parts.config.admin;
        // A queue of this size keeps the pipeline busy between two polls.
        let queue_soft_limit = (share.limit() / 16).clamp(2 << 20, 32 << 20) as i64;
        let driver = Driver::new(parts, messages, controls, outbox.clone(), blocks, untried);
        let driver = runtime.spawn(driver.run());
        Self {
            assigned: BTreeMap::new(),
            call: 0,
            queue,
            control,
            outbox,
            metrics,
            share,
            queue_soft_limit,
            admin,
            held_back: false,
            errants: VecDeque::new(),
            unacknowledged: 0,
            held_frames: HashSet::new(),
            closing: None,
            later: Vec::new(),
            fatal: None,
            driver,
        }
    }

    /// Topic-partitions were assigned. They are paused, whatever Connect thinks of them from an
    /// earlier assignment, and opened in the background.
    pub fn open(&mut self, tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
        let mut actions = Vec::with_capacity(tps.len());
        for (id, tp) in tps {
            self.assigned.insert(id, Assigned::new());
            actions.push(Action::Pause(id));
            if self.admin {
                actions.push(Action::Facts(id, OPENING));
            }
            self.send_control(Control::Open { id, tp });
        }
        actions
    }

    /// A Connect `put` begins with `None`, then hands over its frames one by one.
    ///
    /// # Errors
    /// The error that ends the task; the same at every later call.
    pub fn put(&mut self, frame: Option<Frame>) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        match frame {
            None => self.begin_put(&mut actions),
            Some(frame) => self.enqueue(frame)?,
        }
        if let Some(fatal) = &self.fatal {
            return Err(Error::new(fatal.kind(), fatal.to_string()));
        }
        self.pause_rule(&mut actions);
        Ok(actions)
    }

    fn begin_put(&mut self, actions: &mut Vec<Action>) {
        self.call += 1;
        // It may have ended while all is paused, and then no frame would ever tell.
        if self.driver.is_finished() {
            self.driver_gone();
        }
        for assigned in self.assigned.values_mut() {
            // Connect carries a seek out before the next poll, so one asked for in an earlier
            // call is done by now.
            assigned.seek_asked = assigned.seek_asked.filter(|asked| *asked == self.call);
        }
        let mut events = std::mem::take(&mut self.later);
        events.extend(self.outbox.take());
        self.take_events(events, actions);
    }

    fn take_events(&mut self, events: Vec<Event>, actions: &mut Vec<Action>) {
        for event in events {
            match event {
                Event::Ready { tp, epoch, next, seq, log_id } => {
                    self.begin_life(tp, (epoch, log_id), next, actions);
                    self.settled(tp, next.map(|next| SettledPosition { next, seq, log_id }));
                }
                Event::Again { tp, epoch, log_id, next } => {
                    self.begin_life(tp, (epoch, log_id), Some(next), actions);
                }
                Event::Ask { tp, ticket } => actions.push(Action::Facts(tp, ticket)),
                Event::AskTail { tp, from } => actions.push(Action::Tail(tp, from)),
                Event::Fenced { tp } => self.leave(tp, Phase::Fenced),
                Event::Failed { tp } => self.leave(tp, Phase::Failed),
                Event::Settled { tp, next, seq, log_id } => {
                    self.settled(tp, Some(SettledPosition { next, seq, log_id }));
                }
                Event::Throttle { tp, on } => {
                    if let Some(assigned) = self.assigned.get_mut(&tp) {
                        assigned.throttled = on;
                    }
                }
                Event::Release { frame } => self.release(frame, actions),
                Event::Errant(errant) => self.errants.push_back(errant),
                Event::Fatal(error) => _ = self.fatal.get_or_insert_with(|| Arc::new(error)),
            }
        }
        if !self.errants.is_empty() && self.unacknowledged < UNACKNOWLEDGED_MAX {
            actions.push(Action::Errants);
        }
    }

    fn begin_life(
        &mut self,
        id: TpId,
        (epoch, log_id): (u64, Uuid),
        next: Option<i64>,
        actions: &mut Vec<Action>,
    ) {
        let Some(assigned) = self.assigned.get_mut(&id) else { return };
        let x = assigned.begin(next, self.call);
        if let Some(x) = x {
            actions.push(Action::Seek(id, x));
        }
        let generation = assigned.generation;
        self.send(Message::Start { tp: id, generation, epoch, log_id, x });
    }

    fn settled(&mut self, id: TpId, settled: Option<SettledPosition>) {
        if let Some(assigned) = self.assigned.get_mut(&id) {
            assigned.settled = settled;
        }
    }

    fn leave(&mut self, id: TpId, phase: Phase) {
        if let Some(assigned) = self.assigned.get_mut(&id) {
            assigned.phase = phase;
            assigned.seek_asked = None;
            assigned.throttled = false;
            assigned.settled = None;
        }
    }

    /// Notes what the frame holds and queues it, for those topic-partitions that take records now.
    fn enqueue(&mut self, frame: Frame) -> Result<()> {
        let mut lives: Vec<(TpId, u64)> = Vec::new();
        let mut cursor = Cursor::default();
        while let Some(record) = frame.next(&mut cursor)? {
            let Some(assigned) = self.assigned.get_mut(&record.tp) else { continue };
            assigned.first_seen.get_or_insert(record.offset);
            if !assigned.takes_records() {
                continue;
            }
            assigned.enqueued = record.offset + 1;
            if !lives.iter().rev().any(|(id, _)| *id == record.tp) {
                lives.push((record.tp, assigned.generation));
            }
        }
        self.metrics.queue_bytes.add(frame.bytes.len() as i64);
        self.send(Message::Records { frame, lives });
        Ok(())
    }

    /// The only place where Connect is told to pause or resume, but for `open`.
    fn pause_rule(&mut self, actions: &mut Vec<Action>) {
        let queued = self.metrics.queue_bytes.get();
        let pressure = self.share.pressure();
        // Frames stay lent, and their records in Java's heap, until their errants are reported.
        let errants = self.errants.len();
        self.held_back = if self.held_back {
            queued > self.queue_soft_limit / 2 || pressure != Pressure::Low || errants > 0
        } else {
            queued > self.queue_soft_limit
                || pressure == Pressure::Full
                || errants > UNACKNOWLEDGED_MAX
        };
        for (id, assigned) in &mut self.assigned {
            let pause = assigned.phase != Phase::Running || assigned.throttled || self.held_back;
            if pause != assigned.paused {
                assigned.paused = pause;
                actions.push(if pause { Action::Pause(*id) } else { Action::Resume(*id) });
            }
        }
    }

    /// Answers Connect's `preCommit`, which says how far the consumer has come. Offsets of records
    /// that were dropped before `put` are taken as delivered, where that can be known.
    pub fn pre_commit(&mut self, current: &[(TpId, i64)]) -> Vec<SafeOffset> {
        let mut safe = Vec::new();
        for (id, position) in current {
            let Some(assigned) = self.assigned.get_mut(id) else { continue };
            if assigned.phase != Phase::Running {
                continue;
            }
            if assigned.seek_asked.is_none() && *position > assigned.enqueued {
                assigned.enqueued = *position;
                let generation = assigned.generation;
                let message = Message::Position { tp: *id, generation, end: *position };
                // The driver is gone only after a fatal error, which the next put reports.
                _ = self.queue.send(message);
            }
            if let Some(settled) = assigned.settled {
                safe.push(offsets::safe(*id, &settled, *position));
            }
        }
        safe
    }

    /// Topic-partitions were revoked: what was taken of them is committed as far as the time of
    /// `close.flush.ms` allows. Waits at most `wait`; true when it is finished. Called again with
    /// the same ids until then.
    pub async fn close(&mut self, ids: &[TpId], flush: Duration, wait: Duration) -> bool {
        if self.closing.is_none() {
            let (done, closing) = oneshot::channel();
            let now = Instant::now();
            let (cut_at, deadline) = (now + flush / 3, now + flush);
            for id in ids {
                self.assigned.remove(id);
            }
            self.send_control(Control::Close { ids: ids.to_vec(), cut_at, deadline, done });
            self.closing = Some(closing);
        }
        let Some(closing) = &mut self.closing else { return true };
        let finished = tokio::time::timeout(wait, closing).await.is_ok();
        if finished {
            self.closing = None;
        }
        finished
    }

    /// The actions that have come up since the last call, without a `put`: while closing. Only
    /// frames and errant records: Connect calls `close` from within a poll, after it has carried
    /// out its seeks, so a life that began now would be sought a turn late, and the position that
    /// `preCommit` tells in between would be one from before the seek.
    pub fn poll_actions(&mut self) -> Vec<Action> {
        let (now, later) = self.outbox.take().into_iter().partition(|event| {
            matches!(event, Event::Release { .. } | Event::Errant(_) | Event::Fatal(_))
        });
        self.later.extend::<Vec<Event>>(later);
        let mut actions = Vec::new();
        self.take_events(now, &mut actions);
        actions
    }

    /// The task's counters, and its memory.
    pub fn metrics(&self) -> serde_json::Value {
        let mut all = self.metrics.snapshot();
        all.insert("memory_used".into(), self.share.used().into());
        all.insert("memory_limit".into(), self.share.limit().into());
        serde_json::Value::Object(all)
    }

    /// Ends the pipeline; every frame is free when it returns.
    pub async fn shutdown(self) {
        drop((self.queue, self.control));
        self.driver.abort();
        // Cancelled is what it is meant to be.
        _ = self.driver.await;
    }

    fn send(&mut self, message: Message) {
        if self.queue.send(message).is_err() {
            self.driver_gone();
        }
    }

    pub(super) fn send_control(&mut self, control: Control) {
        if self.control.send(control).is_err() {
            self.driver_gone();
        }
    }

    fn driver_gone(&mut self) {
        self.fatal.get_or_insert_with(|| {
            Arc::new(Error::new(Kind::Poisoned, "the pipeline of this task has ended; see the log"))
        });
    }
}
