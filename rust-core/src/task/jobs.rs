//! What a driver asks of the log, and what comes back: claims, commits, advances. One job a
//! topic-partition at a time; none of them runs on the driver's own time.

use super::driver::Driver;
use super::flush::Flush;
use super::inbox::Event;
use super::lane::Lane;
use super::topic_partition::Verdict;
use crate::error::{Error, Kind, Result};
use crate::pause::Pauses;
use crate::position::TpId;
use crate::recover::{self, Claimed, LogContext, LogState};
use crate::upkeep::Archived;
use std::time::Duration;
use tokio::task::JoinError;

/// How long after facts that were behind the next ones are believed.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The end of something asked of the log.
#[derive(Debug)]
pub(super) enum Done {
    Opened(Result<Claimed>),
    Recorded(Result<LogState>),
    Archived(Result<Archived>),
}

impl Driver {
    /// Claims the log of a topic-partition; what has to be known of it in Kafka is known.
    pub(super) fn claim(&mut self, id: TpId, after: Duration) {
        if self.trying.holds(id) {
            return;
        }
        let Some(lane) = self.lanes.get(&id) else { return };
        let context = self.context(lane);
        let clock = self.parts.clock.clone();
        let opening = self.jobs.spawn(async move {
            tokio::time::sleep(after).await;
            (id, Done::Opened(recover::open(&context, || clock.now_ms()).await))
        });
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.opening = Some(opening);
        }
    }

    pub(super) fn context(&self, lane: &Lane) -> LogContext {
        LogContext {
            tp: lane.tp.clone(),
            identity: self.parts.identity.clone(),
            lake: self.parts.lake.clone(),
            metrics: self.parts.metrics.clone(),
            facts: lane.asking.opened_by(),
        }
    }

    pub(super) fn cut(&mut self, id: TpId) {
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

    pub(super) fn advance(&mut self, id: TpId, next: Option<i64>) {
        if let Some(flush) = self.flush(id) {
            self.jobs.spawn(async move { (id, Done::Recorded(flush.advance(next).await)) });
        }
    }

    pub(super) fn flush(&self, id: TpId) -> Option<Flush> {
        let lane = self.lanes.get(&id)?;
        Some(Flush {
            context: self.context(lane),
            log: lane.log.clone()?,
            state: lane.state.log()?.clone(),
            clock: self.parts.clock.clone(),
            upload_max_age_ms: self.parts.config.upload_max_age_ms as i64,
        })
    }

    pub(super) fn on_done(&mut self, done: Result<(TpId, Done), JoinError>) {
        match done {
            Ok((id, Done::Opened(Ok(claimed)))) => self.on_opened(id, claimed),
            Ok((id, Done::Recorded(Ok(state)))) => self.on_recorded(id, state),
            Ok((id, Done::Recorded(Err(error)))) if error.kind() == Kind::Fenced => {
                self.on_fenced(id, &error);
            }
            // The next open finds out for itself, and lays the rows down anew.
            Ok((id, Done::Recorded(Err(error))))
                if error.kind() == Kind::LostUpload && self.parts.config.rebuild_lost =>
            {
                self.on_fenced(id, &error);
            }
            Ok((id, Done::Opened(Err(error)))) if error.kind() == Kind::StaleFacts => {
                tracing::warn!(%error, "opening the commit log");
                self.open(id, ASK_AGAIN);
            }
            Ok((id, Done::Opened(Err(error)) | Done::Recorded(Err(error)))) => {
                self.fail_lane(id, error);
            }
            Ok((id, Done::Archived(archived))) => self.on_archived(id, archived),
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                let text = "a task of the pipeline panicked; please report this bug";
                self.fail(Error::new(Kind::Poisoned, text).because(error));
            }
        }
    }

    pub(super) fn on_opened(&mut self, id: TpId, claimed: Claimed) {
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
        self.archive(id);
        self.facts_known(id);
    }

    pub(super) fn on_recorded(&mut self, id: TpId, state: LogState) {
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
        self.archive(id);
    }

    pub(super) fn on_fenced(&mut self, id: TpId, error: &Error) {
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
}
