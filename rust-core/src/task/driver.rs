//! The pipeline half of a task: takes the queue's messages in order, does the work, begins cuts.
//! Runs on the runtime; never on Connect's thread, never called by it.

use super::Parts;
use super::archiving::Archiving;
use super::ending::{Closing, Failing};
use super::errants::Errants;
use super::files::Place;
use super::inbox::{Control, Event, Message, Outbox};
use super::jobs::Done;
use super::lane::Lane;
use super::topic_partition::{Generation, Verdict};
use super::trying::Trying;
use super::work::Work;
use crate::log::Blocks;
use crate::position::TpId;
use crate::roll::{CutLimits, CutReason};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often a full memory is looked at again: uploads free it without a word.
const MEMORY_AGAIN: Duration = Duration::from_millis(20);

/// The pipeline of one task.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) parts: Parts,
    pub(super) place: Arc<Place>,
    /// No log is claimed in a store that was not tried.
    pub(super) trying: Trying,
    limits: CutLimits,
    pub(super) queue: mpsc::UnboundedReceiver<Message>,
    control: mpsc::UnboundedReceiver<Control>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) lanes: BTreeMap<TpId, Lane>,
    pub(super) errants: Errants,
    /// The frame being worked on, and its neighbours in the queue.
    pub(super) work: Work,
    pub(super) jobs: JoinSet<(TpId, Done)>,
    pub(super) archiving: Archiving,
    pub(super) closing: VecDeque<Closing>,
    pub(super) failing: Option<Failing>,
    /// When failed topic-partitions are named again.
    pub(super) remind_at: Option<Instant>,
    /// The fatal error was told: nothing more is taken.
    pub(super) failed: bool,
    pub(super) began: Instant,
}

impl Driver {
    pub(super) fn new(
        parts: Parts,
        queue: mpsc::UnboundedReceiver<Message>,
        control: mpsc::UnboundedReceiver<Control>,
        outbox: Arc<Outbox>,
        blocks: Blocks,
        untried: bool,
    ) -> Self {
        let config = &parts.config;
        Self {
            limits: CutLimits::new(config, u64::MAX),
            place: Arc::new(Place::of(&parts)),
            trying: Trying::new(untried),
            errants: Errants::new(config.errant_max_ratio),
            parts,
            queue,
            control,
            outbox,
            lanes: BTreeMap::new(),
            work: Work::default(),
            jobs: JoinSet::new(),
            archiving: Archiving::new(blocks),
            closing: VecDeque::new(),
            failing: None,
            remind_at: None,
            failed: false,
            began: Instant::now(),
        }
    }

    /// Works until the task thread lets go of the channels.
    pub(super) async fn run(mut self) {
        self.trying.begin(&self.parts);
        loop {
            let wake = self.wake_at();
            tokio::select! {
                biased;
                control = self.control.recv() => match control {
                    Some(control) => self.on_control(control),
                    None => return,
                },
                Some(done) = self.jobs.join_next() => self.on_done(done),
                told = self.trying.ended() => self.on_tried(told),
                () = sleep_until(wake) => {}
                () = std::future::ready(()), if self.may_work() => self.work_slice(),
                Some(message) = self.queue.recv(), if !self.work.has_frame() => self.on_message(message),
            }
            self.look_round();
            // Uploads and other tasks share this runtime.
            tokio::task::yield_now().await;
        }
    }

    fn on_control(&mut self, control: Control) {
        match control {
            Control::Open { id, tp } => {
                // Connect may not have closed an earlier assignment: it would claim against us.
                for (_, mut earlier) in self.lanes.extract_if(.., |_, lane| lane.tp == tp) {
                    earlier.forget();
                }
                match Lane::new(tp, self.place.clone()) {
                    Ok(lane) => _ = self.lanes.insert(id, lane),
                    Err(error) => self.fail(error),
                }
                self.first_open(id);
            }
            Control::Close { ids, cut_at, deadline, done } => {
                self.closing.push_back(Closing { ids, cut_at, deadline, done });
            }
            Control::ErrantsDone(ids) => self.errants.done(&ids),
            Control::Answers(answers) => self.on_answers(answers),
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Start { tp, generation, epoch, log_id, x } => {
                if let Some(lane) = self.lanes.get_mut(&tp)
                    && lane.takes()
                    && lane.state.start(generation, (epoch, log_id), x) == Verdict::Stale
                {
                    tracing::debug!(tp = %lane.tp, generation, epoch, "stale start dropped");
                }
            }
            Message::Records { frame, lives } => self.work.begin(frame, lives),
            Message::Position { tp, generation, end } => self.on_position(tp, generation, end),
        }
    }

    fn on_position(&mut self, tp: TpId, generation: Generation, end: i64) {
        let (now_ms, takes_rows) = (self.now_ms(), self.takes_rows());
        // Where records were dropped, what lies behind them must not be taken for delivered.
        if let Some(lane) = self.lanes.get_mut(&tp).filter(|lane| takes_rows && lane.takes()) {
            lane.position(generation, end, "before_put", now_ms);
        }
    }

    /// Milliseconds of the driver's own clock: it never jumps.
    pub(super) fn now_ms(&self) -> i64 {
        self.began.elapsed().as_millis() as i64
    }

    fn may_work(&self) -> bool {
        self.work.has_frame() && (self.failed || self.failing.is_some() || !self.memory_full())
    }

    /// Whether rows are still taken. After a fatal record none is appended.
    pub(super) fn takes_rows(&self) -> bool {
        !self.failed && self.failing.is_none()
    }

    /// Looks at what is due: the only place where cuts, settles and ends begin.
    fn look_round(&mut self) {
        self.count_memory();
        self.look_at_closing();
        let ids: Vec<TpId> = self.lanes.keys().copied().collect();
        for id in ids {
            self.look_at(id);
        }
        self.look_at_failing();
        self.look_at_failed();
    }

    fn look_at(&mut self, id: TpId) {
        let (now_ms, failing) = (self.now_ms(), self.failing.is_some());
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.failed {
            return;
        }
        lane.say_first_file(&self.limits);
        if let Some(start) = lane.state.start_to_record() {
            lane.state.occupy();
            self.advance(id, Some(start));
        } else if lane.cut_due(&self.limits, now_ms, failing) {
            self.cut(id);
        } else if lane.state.log_free() && lane.state.settle_wanted() && lane.settle_due(now_ms) {
            lane.state.occupy();
            let next = lane.state.log().and_then(|log| log.next);
            self.advance(id, next);
        }
        self.look_at_facts(id, now_ms);
        self.throttle(id, now_ms);
    }

    /// A topic-partition whose commit is in flight while its next cut has reached a limit waits; so
    /// does one about which Kafka is asked.
    fn throttle(&mut self, id: TpId, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let reached = lane.limit_reached(&self.limits, now_ms);
        let waits =
            !lane.state.log_free() && reached.is_some_and(|reason| reason != CutReason::Interval);
        let on = waits || lane.state.held().is_some() || lane.leaving;
        if on != lane.throttled {
            lane.throttled = on;
            self.outbox.push(Event::Throttle { tp: id, on });
        }
    }

    /// When something is due by the clock, if anything is.
    fn wake_at(&self) -> Option<Instant> {
        let at = |ms: i64| self.began + Duration::from_millis(ms.max(0) as u64);
        let lanes = self.lanes.values().filter(|lane| !lane.failed);
        let due = lanes.filter_map(|lane| lane.due_ms(&self.limits)).min().map(at);
        let closing = self.closing.front().map(|closing| {
            let passed = closing.ids.iter().any(|id| self.lanes.get(id).is_some_and(|l| l.closing));
            if passed { closing.deadline } else { closing.cut_at }
        });
        let failing = self.failing.as_ref().map(|failing| failing.deadline);
        let asking = self.ask_due_ms().map(at);
        let memory = self.memory_leaves().then(|| Instant::now() + MEMORY_AGAIN);
        let reminder = self.remind_at;
        [due, closing, failing, asking, memory, reminder].into_iter().flatten().min()
    }
}

/// Sleeps until then; for ever without a time.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
