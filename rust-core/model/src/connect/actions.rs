//! Every step there is, and when each may happen.

use super::ConnectModel;
use super::state::{State, Worker};

/// One step. The first number is the worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The consumer gets the topic-partition; the task opens it.
    Assign(usize),
    /// The same although the last assignment was never closed.
    AssignAgain(usize),
    /// A poll: seeks are carried out, then at most so many records come.
    Poll(usize, u8),
    /// `close` of another topic-partition within that poll; only without the rule.
    CloseOther(usize),
    /// `put` of what was polled.
    Put(usize),
    /// `preCommit`; whether Kafka gets to know.
    PreCommit(usize, bool),
    /// `preCommit`, whether Kafka gets to know, then `close`.
    Revoke(usize, bool),
    /// `close` alone: the partition was lost.
    Lost(usize),
    /// `close` returns.
    Closed(usize),
    /// The claim is made.
    Claim(usize),
    /// The pipeline takes the queue's next record, start or position.
    Take(usize),
    /// A first offset is on its way into the log.
    RecordStart(usize),
    /// A cut is on its way into the log.
    Cut(usize),
    /// A settle is on its way into the log.
    Settle(usize),
    /// What is on its way takes effect, or is refused.
    Apply(usize),
    /// The same for a topic-partition that was closed meanwhile.
    ApplyOrphan(usize),
    /// The worker's process ends.
    Crash(usize),
    /// An owner outside claims the log.
    ForeignClaim,
    /// It commits what lies below this offset.
    ForeignCommit(u8),
    /// Retention takes the first offset.
    Expire,
    /// The group's offset is lost, or set to this one.
    GroupBack(Option<u8>),
}

impl ConnectModel {
    pub(super) fn thread_actions(&self, state: &State, w: usize, actions: &mut Vec<Action>) {
        let worker = &state.workers[w];
        let connect = &worker.connect;
        if state.crashes > 0 && *worker != Worker::default() {
            actions.push(Action::Crash(w));
        }
        if connect.closing {
            if worker.orphan.is_none() {
                actions.push(Action::Closed(w));
            }
            return;
        }
        if !connect.assigned {
            actions.push(Action::Assign(w));
            return;
        }
        let room = worker.queue.len() + 2 <= self.queue;
        if connect.polled.is_some() {
            if room {
                actions.push(Action::Put(w));
            }
            if !self.rules.only_put_takes_ready && !worker.outbox.is_empty() {
                actions.push(Action::CloseOther(w));
            }
            return;
        }
        actions.extend((0..=self.polled).map(|most| Action::Poll(w, most)));
        if room {
            actions.extend([true, false].map(|known| Action::PreCommit(w, known)));
        }
        if worker.orphan.is_none() {
            actions.push(Action::AssignAgain(w));
        }
        actions.extend([true, false].map(|known| Action::Revoke(w, known)));
        actions.push(Action::Lost(w));
    }

    pub(super) fn pipeline_actions(&self, state: &State, w: usize, actions: &mut Vec<Action>) {
        let worker = &state.workers[w];
        if worker.orphan.is_some() {
            actions.push(Action::ApplyOrphan(w));
        }
        let Some(lane) = &worker.lane else { return };
        if lane.opening && state.log.epoch < self.claims {
            actions.push(Action::Claim(w));
        }
        if !worker.queue.is_empty() {
            actions.push(Action::Take(w));
        }
        if lane.start_wanted() {
            actions.push(Action::RecordStart(w));
        }
        if lane.may_cut() {
            actions.push(Action::Cut(w));
        }
        if lane.may_settle() {
            actions.push(Action::Settle(w));
        }
        if lane.job.is_some() {
            actions.push(Action::Apply(w));
        }
    }
}
