//! The pipeline half of a task: takes the queue's messages in order, does the work, begins cuts.
//! Runs on the runtime; never on Connect's thread, never called by it.

use super::Parts;
use super::errants::Errants;
use super::files::Place;
use super::flush::Flush;
use super::inbox::{Control, Event, Message, Outbox};
use super::lane::Lane;
use super::topic_partition::{Generation, Verdict};
use super::work::Work;
use crate::error::{Error, Kind, Result};
use crate::event_time::EventTimeRule;
use crate::pause::Pauses;
use crate::position::{TopicPartition, TpId};
use crate::recover::{self, Claimed, LogContext, LogState};
use crate::roll::{CutLimits, CutReason, RollLimits};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long healthy topic-partitions are committed before a fatal error is told.
const FAIL_WITHIN: Duration = Duration::from_secs(30);
/// How often a full memory is looked at again: uploads free it without a word.
const MEMORY_AGAIN: Duration = Duration::from_millis(20);

/// The end of something asked of the log.
#[derive(Debug)]
enum Done {
    Opened(Result<Claimed>),
    Recorded(Result<LogState>),
}

/// A task that is about to fail: healthy topic-partitions are being committed.
#[derive(Debug)]
struct Failing {
    error: Error,
    deadline: Instant,
}

/// Topic-partitions that Connect takes away.
#[derive(Debug)]
struct Closing {
    ids: Vec<TpId>,
    cut_at: Instant,
    deadline: Instant,
    done: oneshot::Sender<()>,
}

/// The pipeline of one task.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) parts: Parts,
    place: Arc<Place>,
    limits: CutLimits,
    queue: mpsc::UnboundedReceiver<Message>,
    control: mpsc::UnboundedReceiver<Control>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) lanes: BTreeMap<TpId, Lane>,
    pub(super) errants: Errants,
    /// The frame being worked on, and its neighbours in the queue.
    pub(super) work: Work,
    jobs: JoinSet<(TpId, Done)>,
    closing: VecDeque<Closing>,
    failing: Option<Failing>,
    /// The fatal error was told: nothing more is taken.
    failed: bool,
    began: Instant,
}

impl Driver {
    pub(super) fn new(
        parts: Parts,
        queue: mpsc::UnboundedReceiver<Message>,
        control: mpsc::UnboundedReceiver<Control>,
        outbox: Arc<Outbox>,
    ) -> Self {
        let config = &parts.config;
        let place = Place {
            config: config.clone(),
            table: parts.lake.table.clone(),
            clock: parts.clock.clone(),
            times: EventTimeRule::new(config),
            paths: parts.paths.clone(),
            roll: RollLimits::from(&**config),
            uploads: parts.uploads.clone(),
        };
        Self {
            limits: CutLimits::new(config, u64::MAX),
            place: Arc::new(place),
            errants: Errants::new(config.errant_max_ratio),
            parts,
            queue,
            control,
            outbox,
            lanes: BTreeMap::new(),
            work: Work::default(),
            jobs: JoinSet::new(),
            closing: VecDeque::new(),
            failing: None,
            failed: false,
            began: Instant::now(),
        }
    }

    /// Works until the task thread lets go of the channels.
    pub(super) async fn run(mut self) {
        loop {
            let wake = self.wake_at();
            tokio::select! {
                biased;
                control = self.control.recv() => match control {
                    Some(control) => self.on_control(control),
                    None => return,
                },
                Some(done) = self.jobs.join_next() => self.on_done(done),
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
                self.open(id, Duration::ZERO);
            }
            Control::Close { ids, cut_at, deadline, done } => {
                self.closing.push_back(Closing { ids, cut_at, deadline, done });
            }
            Control::ErrantsDone(ids) => self.errants.done(&ids),
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Start { tp, generation, epoch, x } => {
                if let Some(lane) = self.lanes.get_mut(&tp)
                    && lane.takes()
                    && lane.state.start(generation, epoch, x) == Verdict::Stale
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
            lane.position(generation, end, now_ms);
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
        self.throttle(id, now_ms);
    }

    /// A topic-partition whose commit is in flight while its next cut has reached a limit waits.
    fn throttle(&mut self, id: TpId, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let reached = lane.limit_reached(&self.limits, now_ms);
        let on =
            !lane.state.log_free() && reached.is_some_and(|reason| reason != CutReason::Interval);
        if on != lane.throttled {
            lane.throttled = on;
            self.outbox.push(Event::Throttle { tp: id, on });
        }
    }

    fn open(&mut self, id: TpId, after: Duration) {
        let Some(lane) = self.lanes.get(&id) else { return };
        let context = self.context(&lane.tp);
        let clock = self.parts.clock.clone();
        let opening = self.jobs.spawn(async move {
            tokio::time::sleep(after).await;
            (id, Done::Opened(recover::open(&context, || clock.now_ms()).await))
        });
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.opening = Some(opening);
        }
    }

    fn context(&self, tp: &TopicPartition) -> LogContext {
        LogContext {
            tp: tp.clone(),
            identity: self.parts.identity.clone(),
            lake: self.parts.lake.clone(),
            metrics: self.parts.metrics.clone(),
        }
    }

    fn cut(&mut self, id: TpId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        match lane.cut() {
            Ok(None) => {}
            Ok(Some((range, files, gate))) => {
                if let Some(flush) = self.flush(id) {
                    self.jobs.spawn(async move {
                        (id, Done::Recorded(flush.commit(range, files, gate).await))
                    });
                }
            }
            Err(error) => self.fail_lane(id, error),
        }
    }

    fn advance(&mut self, id: TpId, next: Option<i64>) {
        if let Some(flush) = self.flush(id) {
            self.jobs.spawn(async move { (id, Done::Recorded(flush.advance(next).await)) });
        }
    }

    fn flush(&self, id: TpId) -> Option<Flush> {
        let lane = self.lanes.get(&id)?;
        Some(Flush {
            context: self.context(&lane.tp),
            log: lane.log.clone()?,
            state: lane.state.log()?.clone(),
            clock: self.parts.clock.clone(),
            upload_max_age_ms: self.parts.config.upload_max_age_ms as i64,
        })
    }

    fn on_done(&mut self, done: Result<(TpId, Done), tokio::task::JoinError>) {
        match done {
            Ok((id, Done::Opened(Ok(claimed)))) => self.on_opened(id, claimed),
            Ok((id, Done::Recorded(Ok(state)))) => self.on_recorded(id, state),
            Ok((id, Done::Recorded(Err(error)))) if error.kind() == Kind::Fenced => {
                self.on_fenced(id, &error);
            }
            Ok((id, Done::Opened(Err(error)) | Done::Recorded(Err(error)))) => {
                self.fail_lane(id, error);
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                let text = "a task of the pipeline panicked; please report this bug";
                self.fail(Error::new(Kind::Poisoned, text).because(error));
            }
        }
    }

    fn on_opened(&mut self, id: TpId, claimed: Claimed) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let LogState { epoch, next, log_id, head, .. } = &claimed.state;
        tracing::info!(tp = %lane.tp, epoch, ?next, "commit log claimed");
        self.outbox.push(Event::Ready {
            tp: id,
            epoch: *epoch,
            next: *next,
            seq: head.seq,
            log_id: *log_id,
        });
        lane.ready(claimed);
        lane.settle_soon(self.began.elapsed());
    }

    fn on_recorded(&mut self, id: TpId, state: LogState) {
        let now = self.began.elapsed();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let (next, seq, log_id) = (state.next, state.head.seq, state.log_id);
        if lane.state.recorded(state) == Verdict::Stale {
            return;
        }
        lane.fenced_in_a_row = 0;
        lane.settle_soon(now);
        if let Some(next) = next {
            self.outbox.push(Event::Settled { tp: id, next, seq, log_id });
        }
    }

    fn on_fenced(&mut self, id: TpId, error: &Error) {
        let Some(lane) = self.lanes.get_mut(&id).filter(|lane| !lane.failed) else { return };
        tracing::warn!(tp = %lane.tp, %error, "fenced; the log is claimed again");
        self.parts.metrics.fenced_total.add(1);
        lane.forget();
        lane.fenced_in_a_row += 1;
        self.outbox.push(Event::Fenced { tp: id });
        if lane.closing {
            return;
        }
        let mut pauses = Pauses::new(Duration::from_secs(1), Duration::from_secs(5 * 60));
        let after = (0..lane.fenced_in_a_row.min(16)).map(|_| pauses.step()).last();
        self.open(id, after.unwrap_or_default());
    }

    /// One topic-partition needs an operator.
    pub(super) fn fail_lane(&mut self, id: TpId, error: Error) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let error = match error.context("topic-partition") {
            None => error.with("topic-partition", &lane.tp),
            Some(_) => error,
        };
        if error.kind() == Kind::OffsetRegression {
            self.parts.metrics.regressions.add(1);
        }
        if error.kind() == Kind::LostUpload {
            self.parts.metrics.lost_uploads.add(1);
        }
        tracing::error!(tp = %lane.tp, %error, "topic-partition failed");
        lane.failed = true;
        lane.forget();
        self.outbox.push(Event::Failed { tp: id });
        if !self.parts.config.isolate_failures || self.lanes.values().all(|lane| lane.failed) {
            self.fail(error);
        }
    }

    /// The task cannot go on: everything healthy is committed first.
    pub(super) fn fail(&mut self, error: Error) {
        if self.failing.is_none() && !self.failed {
            tracing::error!(%error, "the task fails when everything healthy is committed");
            self.failing = Some(Failing { error, deadline: Instant::now() + FAIL_WITHIN });
        }
    }

    fn look_at_failing(&mut self) {
        let busy = self.lanes.values().any(|lane| !lane.failed && lane.is_unfinished());
        match self.failing.take() {
            Some(failing) if busy && Instant::now() < failing.deadline => {
                self.failing = Some(failing);
            }
            Some(failing) => {
                self.failed = true;
                self.outbox.push(Event::Fatal(failing.error));
            }
            None => {}
        }
    }

    fn look_at_closing(&mut self) {
        let now = Instant::now();
        let drained = !self.work.has_frame() && self.queue.is_empty();
        let Some(closing) = self.closing.front() else { return };
        if drained || now >= closing.cut_at || !self.takes_rows() {
            // What is still queued behind the cut is of an assignment that ends; it is read again.
            for id in &closing.ids {
                if let Some(lane) = self.lanes.get_mut(id) {
                    lane.closing = true;
                }
            }
        }
        let finished = |id: &TpId| {
            let lane = self.lanes.get(id);
            lane.is_none_or(|lane| lane.failed || lane.closing && lane.is_closed())
        };
        if (now >= closing.deadline || closing.ids.iter().all(finished))
            && let Some(closing) = self.closing.pop_front()
        {
            for id in &closing.ids {
                if let Some(mut lane) = self.lanes.remove(id) {
                    lane.forget();
                }
            }
            // The task thread stopped waiting: then nobody has to know.
            _ = closing.done.send(());
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
        let memory = self.memory_leaves().then(|| Instant::now() + MEMORY_AGAIN);
        [due, closing, failing, memory].into_iter().flatten().min()
    }
}

/// Sleeps until then; for ever without a time.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
