//! As for the log: each reachable state is asked whether one worker, left alone, with the partition
//! its own, makes every row visible that Kafka still has.

use super::actions::Action;
use super::state::{Phase, State, Worker};
use super::{ConnectModel, is_running};

/// Far above what any healing takes.
const STEPS: usize = 150;

impl ConnectModel {
    /// Whether each of the workers, left alone, would make everything visible.
    pub(super) fn heals(&self, state: &State) -> bool {
        (0..self.workers).all(|w| self.heals_by(state, w))
    }

    fn heals_by(&self, state: &State, w: usize) -> bool {
        let mut state = state.clone();
        for (other, worker) in state.workers.iter_mut().enumerate() {
            if other != w {
                *worker = Worker::default();
            }
        }
        (state.crashes, state.expiries, state.rewinds) = (0, 0, 0);
        state.foreign = false;
        let mut way = Vec::new();
        for _ in 0..STEPS {
            if self.found.is_known_good(&state, &mut way) || self.is_whole(&state) {
                self.found.know_good(&way);
                return true;
            }
            let Some(action) = self.lonely(&state, w) else { return false };
            self.step(&mut state, action);
        }
        false
    }

    /// Every row that Kafka still has is visible.
    pub(super) fn is_whole(&self, state: &State) -> bool {
        self.rows(state) & !state.log.visible == 0
    }

    /// What a worker that is alone does next: its pipeline first.
    fn lonely(&self, state: &State, w: usize) -> Option<Action> {
        let worker = &state.workers[w];
        let connect = &worker.connect;
        if worker.orphan.is_some() {
            return Some(Action::ApplyOrphan(w));
        }
        if connect.closing {
            return Some(Action::Closed(w));
        }
        if !connect.assigned {
            return Some(Action::Assign(w));
        }
        let lane = worker.lane.as_ref()?;
        if lane.opening {
            return Some(Action::Claim(w));
        }
        if !worker.queue.is_empty() {
            return Some(Action::Take(w));
        }
        if lane.job.is_some() {
            return Some(Action::Apply(w));
        }
        if lane.start_wanted() {
            return Some(Action::RecordStart(w));
        }
        if lane.may_cut() {
            return Some(Action::Cut(w));
        }
        if connect.polled.is_some() {
            return Some(Action::Put(w));
        }
        let unread = !connect.paused && connect.position < self.end();
        let told = worker.task.seek || connect.rewind.is_some() || !worker.outbox.is_empty();
        if unread || told || worker.task.phase == Phase::Opening {
            return Some(Action::Poll(w, self.polled));
        }
        let dropped = is_running(worker) && connect.current > worker.task.enqueued;
        dropped.then_some(Action::PreCommit(w, true))
    }
}
