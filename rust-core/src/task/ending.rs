//! How topic-partitions leave a driver: failed, closed, or with the task. What is healthy is
//! committed first.

use super::driver::Driver;
use super::inbox::Event;
use crate::error::{Error, Kind};
use crate::position::TpId;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long healthy topic-partitions are committed before a fatal error is told.
const FAIL_WITHIN: Duration = Duration::from_secs(30);
/// How often failed topic-partitions are named again while others go on.
const REMIND_EVERY: Duration = Duration::from_secs(5 * 60);

/// A task that is about to fail: healthy topic-partitions are being committed.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) error: Error,
    pub(super) deadline: Instant,
}

/// Topic-partitions that Connect takes away.
#[derive(Debug)]
pub(super) struct Closing {
    pub(super) ids: Vec<TpId>,
    pub(super) cut_at: Instant,
    pub(super) deadline: Instant,
    pub(super) done: oneshot::Sender<()>,
}

impl Driver {
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
        if error.kind() == Kind::RangeLost {
            self.parts.metrics.ranges_lost.add(1);
        }
        if error.kind() == Kind::LostUpload {
            self.parts.metrics.lost_uploads.add(1);
        }
        tracing::error!(tp = %lane.tp, %error, "topic-partition failed");
        lane.failed = true;
        lane.failure = error.to_string();
        lane.forget();
        self.outbox.push(Event::Failed { tp: id });
        self.remind_at.get_or_insert(Instant::now() + REMIND_EVERY);
        if !self.parts.config.isolate_failures || self.lanes.values().all(|lane| lane.failed) {
            self.fail(error);
        }
    }

    /// Isolated topic-partitions stand still while the task shows RUNNING: an operator who missed
    /// the one message must meet another.
    pub(super) fn look_at_failed(&mut self) {
        if self.remind_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        for lane in self.lanes.values().filter(|lane| lane.failed) {
            tracing::error!(tp = %lane.tp, error = lane.failure, "topic-partition still failed");
        }
        let any = self.lanes.values().any(|lane| lane.failed);
        self.remind_at = any.then(|| Instant::now() + REMIND_EVERY);
    }

    /// The task cannot go on: everything healthy is committed first.
    pub(super) fn fail(&mut self, error: Error) {
        if self.failing.is_none() && !self.failed {
            tracing::error!(%error, "the task fails when everything healthy is committed");
            self.failing = Some(Failing { error, deadline: Instant::now() + FAIL_WITHIN });
        }
    }

    pub(super) fn look_at_failing(&mut self) {
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

    pub(super) fn look_at_closing(&mut self) {
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
}
