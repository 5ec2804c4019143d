//! One topic-partition between Kafka, Connect, the task's two halves and the log: polls, seeks,
//! rebalances, `preCommit`, fencing, drops before `put`, markers, retention, group offsets that are
//! lost or set back. The log itself is simple here; [`crate::log`] shows that it may be.

pub mod actions;
mod heal;
pub mod pipeline;
mod properties;
pub mod rules;
pub mod state;
pub mod thread;

use crate::check::Found;
use actions::Action;
use pipeline::Pipeline;
use rules::Rules;
use state::{Job, Offset, Phase, State, Worker, below};
use stateright::{Model, Property};
use thread::{Step, members};

/// One search: the rules in force, and how far it goes.
#[derive(Debug, Clone)]
pub struct ConnectModel {
    /// Rules in force.
    pub rules: Rules,
    /// What lies in Kafka.
    pub kafka: Vec<Offset>,
    /// Workers.
    pub workers: usize,
    /// Claims, of all owners together.
    pub claims: u8,
    /// Messages in a queue, at most.
    pub queue: usize,
    /// Records in one poll, at most.
    pub polled: u8,
    /// Whether an owner outside of the workers claims and commits too.
    pub foreign: bool,
    /// Crashes.
    pub crashes: u8,
    /// Offsets that retention takes.
    pub expiries: u8,
    /// Times the group's offset is set back or lost.
    pub rewinds: u8,
    /// Whether each state is asked if a single worker, left alone, makes everything visible.
    pub healing: bool,
    /// What was found already.
    pub found: Found,
}

impl Default for ConnectModel {
    /// One worker, another owner, three offsets.
    fn default() -> Self {
        Self {
            rules: Rules::ALL,
            kafka: vec![Offset::Row; 2],
            workers: 1,
            claims: 3,
            queue: 4,
            polled: 2,
            foreign: true,
            crashes: 1,
            expiries: 0,
            rewinds: 0,
            healing: true,
            found: Found::default(),
        }
    }
}

impl Model for ConnectModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            workers: vec![Worker::default(); self.workers],
            crashes: self.crashes,
            expiries: self.expiries,
            rewinds: self.rewinds,
            ..State::default()
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for w in 0..self.workers {
            self.thread_actions(state, w, actions);
            self.pipeline_actions(state, w, actions);
        }
        if self.foreign && state.log.epoch < self.claims {
            actions.push(Action::ForeignClaim);
        }
        if state.foreign {
            let from = state.log.next.unwrap_or(state.group.unwrap_or(0).max(state.earliest));
            actions.extend((from + 1..=self.end()).map(Action::ForeignCommit));
        }
        if state.expiries > 0 && state.earliest < self.end() {
            actions.push(Action::Expire);
        }
        if let Some(group) = state.group
            && state.rewinds > 0
            && state.workers.iter().all(|worker| !worker.connect.assigned)
        {
            actions.push(Action::GroupBack(None));
            actions.extend((0..group).map(|to| Action::GroupBack(Some(to))));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.step(&mut state, action);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl ConnectModel {
    fn end(&self) -> u8 {
        self.kafka.len() as u8
    }

    fn step(&self, state: &mut State, action: Action) {
        match action {
            Action::Assign(w) => {
                let group = state.group;
                self.thread(state, w).assign(group);
            }
            Action::AssignAgain(w) => {
                let group = state.group;
                self.thread(state, w).assign_again(group);
            }
            Action::Poll(w, most) => self.thread(state, w).poll(most),
            Action::CloseOther(w) => self.thread(state, w).take_events(),
            Action::Put(w) => self.thread(state, w).put(),
            Action::PreCommit(w, known) => {
                let answer = self.thread(state, w).pre_commit();
                let last = state.workers[w].connect.last;
                if known {
                    state.commit_group(answer, last);
                    state.workers[w].connect.last = answer.unwrap_or(last);
                }
            }
            Action::Revoke(w, known) => {
                let last = state.workers[w].connect.last;
                let answer = self.thread(state, w).revoke(true);
                if known {
                    state.commit_group(answer, last);
                }
            }
            Action::Lost(w) => _ = self.thread(state, w).revoke(false),
            Action::Closed(w) => self.thread(state, w).closed(),
            Action::Claim(w) => self.pipeline(state, w).claim(),
            Action::Take(w) => self.pipeline(state, w).take(),
            Action::RecordStart(w) => self.pipeline(state, w).record_start(),
            Action::Cut(w) => self.pipeline(state, w).cut(),
            Action::Settle(w) => self.pipeline(state, w).settle(),
            Action::Apply(w) => self.pipeline(state, w).apply(),
            Action::ApplyOrphan(w) => self.pipeline(state, w).apply_orphan(),
            Action::Crash(w) => {
                state.workers[w] = Worker::default();
                state.crashes -= 1;
            }
            Action::ForeignClaim => {
                state.log.epoch += 1;
                state.foreign = true;
            }
            Action::ForeignCommit(end) => self.foreign_commit(state, end),
            Action::Expire => {
                state.earliest += 1;
                state.expiries -= 1;
            }
            Action::GroupBack(to) => {
                (state.group, state.ours) = (to, false);
                state.rewinds -= 1;
            }
        }
    }

    fn thread<'a>(&'a self, state: &'a mut State, w: usize) -> Step<'a> {
        Step {
            rules: &self.rules,
            kafka: &self.kafka,
            earliest: state.earliest,
            worker: &mut state.workers[w],
        }
    }

    fn pipeline<'a>(&'a self, state: &'a mut State, w: usize) -> Pipeline<'a> {
        Pipeline { rules: &self.rules, state, w }
    }

    /// An owner that does everything right, in one step.
    fn foreign_commit(&self, state: &mut State, end: u8) {
        if state.log.next.is_none() {
            let start = state.group.unwrap_or(0).max(state.earliest);
            state.append(&Job { epoch: state.log.epoch, next: start, rows: 0, gaps: 0 });
        }
        let from = state.log.next.unwrap_or(0);
        let range = below(end) & !below(from);
        let rows = members(range & self.rows(state)).fold(0, |set, offset| set | 1 << offset);
        state.append(&Job { epoch: state.log.epoch, next: end, rows, gaps: range & !rows });
    }

    /// Rows that Kafka still has.
    fn rows(&self, state: &State) -> state::Set {
        let kept = state.earliest..self.end();
        let rows = kept.filter(|offset| self.kafka[*offset as usize] == Offset::Row);
        rows.fold(0, |set, offset| set | 1 << offset)
    }
}

impl State {
    /// Kafka takes the answer; what was left out is committed where Connect last knew it to be.
    fn commit_group(&mut self, answer: Option<u8>, last: u8) {
        self.group = Some(answer.unwrap_or(last));
        self.ours = answer.is_some();
    }
}

/// Whether the task thread takes records now.
fn is_running(worker: &Worker) -> bool {
    worker.task.phase == Phase::Running
}
