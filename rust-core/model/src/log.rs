//! The commit log of one topic-partition: several owners, a store that loses, delays and doubles,
//! GC. What an owner reads from Kafka is in [`crate::connect`]; here it always goes on at the log's
//! next offset.

pub mod rules;
pub mod state;
pub mod steps;
mod heal;
mod properties;
mod record;
mod recovery;
mod tidy;

use crate::check::Found;
use rules::Rules;
use state::{DOWN, File, Id, KEYS, NONE, Phase, READ_ON, State};
use stateright::{Model, Property};
use steps::{OUTCOMES, Outcome, World, gc_below, is_settled};

/// One search: the rules in force, and how far it goes.
#[derive(Debug, Clone)]
pub struct LogModel {
    /// Rules in force.
    pub rules: Rules,
    /// Owners.
    pub owners: u8,
    /// Offsets.
    pub offsets: u8,
    /// Sequence numbers.
    pub seqs: u8,
    /// Crashes.
    pub crashes: u8,
    /// Requests that go wrong.
    pub faults: u8,
    /// Times that the files of a cut grow old.
    pub ages: u8,
    /// Files that users take away.
    pub takes: u8,
    /// Whether owners may change places: fewer states, traces that are harder to read.
    pub alike: bool,
    /// Whether the head is read one request at a time, from a listing that may be behind.
    pub fine: bool,
    /// Whether old records are archived and deleted.
    pub gc: bool,
    /// Whether each state is asked if a single owner, left alone, makes everything visible.
    pub healing: bool,
    /// What was found already.
    pub found: Found,
}

impl Default for LogModel {
    /// Two owners, two offsets, two files a cut.
    fn default() -> Self {
        Self {
            rules: Rules::ALL,
            owners: 2,
            offsets: 2,
            seqs: 5,
            crashes: 1,
            faults: 1,
            ages: 0,
            takes: 0,
            alike: true,
            fine: false,
            gc: true,
            healing: true,
            found: Found::default(),
        }
    }
}

/// One step. The number is the owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is assigned the topic-partition.
    Open(u8),
    /// It lists; the head shown may be an earlier one. Then it reads the head and decides on a
    /// claim, in the same step unless the model is fine.
    List(u8, u8),
    /// It reads the next key, or decides on a claim when there is nothing.
    ReadHead(u8),
    /// It sends its record.
    Put(u8, Outcome),
    /// It reads its record's key.
    ReadBack(u8),
    /// It lists, to see whether its record is the head.
    Verify(u8),
    /// It reads the record of the oldest unsettled commit.
    ReadUnsettled(u8),
    /// It makes a file visible.
    Publish(u8, u8),
    /// It cuts below this offset and uploads.
    Cut(u8, u8),
    /// It is about to say durably that its commits are settled.
    Settle(u8),
    /// The same while another record of it is under way; only without the rule.
    SecondPut(u8),
    /// It archives and deletes this key.
    Gc(u8, u8),
    /// It was fenced and opens again.
    Reopen(u8),
    /// Its process ends.
    Crash(u8),
    /// A late request takes effect.
    Land(Id),
    /// The uploads of a record grow old before it is sent.
    Age(Id),
    /// The store expires one of them; never of a record that was sent.
    Expire(Id),
    /// A user takes away a settled file.
    Take(Id, u8),
}

impl Model for LogModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            recs: Vec::new(),
            live: [NONE; KEYS],
            head: NONE,
            rows: 0,
            owners: vec![DOWN; self.owners as usize],
            crashes: self.crashes,
            faults: self.faults,
            ages: self.ages,
            takes: self.takes,
            fine: self.fine,
            alike: self.alike,
            wrong: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for o in 0..self.owners {
            self.owner_actions(state, o, actions);
        }
        for (id, rec) in state.recs.iter().enumerate() {
            if rec.late > 0 {
                actions.push(Action::Land(id as Id));
            }
            let unsent = rec.late == 0 && !rec.chain;
            if state.ages > 0 && unsent && rec.files.contains(&File::Open) {
                actions.push(Action::Age(id as Id));
            }
            if unsent && rec.files == [File::Old; 2] {
                actions.push(Action::Expire(id as Id));
            }
            if state.takes > 0 && rec.chain && is_settled(&self.rules, state, id as Id) {
                let files = (0..2).filter(|file| rec.files[*file] == File::Visible);
                actions.extend(files.map(|file| Action::Take(id as Id, file as u8)));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.step(&mut state, action);
        state.tidy();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl LogModel {
    fn owner_actions(&self, state: &State, o: u8, actions: &mut Vec<Action>) {
        let owner = &state.owners[o as usize];
        let room = |seq: u8| seq <= self.seqs;
        let head_seq = |id: Id| if id == NONE { 0 } else { state.rec(id).seq };
        match owner.phase {
            Phase::Down => actions.push(Action::Open(o)),
            Phase::Opening => {
                let head = state.listed().map_or(0, |(seq, _)| seq);
                let least = if self.fine && state.faults > 0 { head.min(1) } else { head };
                if room(head + 1) {
                    actions.extend((least..=head).map(|shown| Action::List(o, shown)));
                }
            }
            Phase::Reading if room(owner.seen & !READ_ON) => actions.push(Action::ReadHead(o)),
            Phase::Put => {
                let faults = if state.faults > 0 { OUTCOMES.len() } else { 1 };
                actions.extend(OUTCOMES[..faults].iter().map(|outcome| Action::Put(o, *outcome)));
            }
            Phase::Refused | Phase::Unknown => actions.push(Action::ReadBack(o)),
            Phase::Verify => actions.push(Action::Verify(o)),
            Phase::ReadUnsettled => actions.push(Action::ReadUnsettled(o)),
            Phase::Recover | Phase::Publish => {
                let unseen = (0..2).filter(|file| owner.seen & (1 << file) == 0);
                actions.extend(unseen.map(|file| Action::Publish(o, file)));
            }
            Phase::Ready if room(head_seq(owner.head) + 1) => {
                let next = state.rec(owner.head).next;
                actions.extend((next + 1..=self.offsets).map(|end| Action::Cut(o, end)));
                if self.settle_wanted(state, o) {
                    actions.push(Action::Settle(o));
                }
            }
            Phase::Fenced => actions.push(Action::Reopen(o)),
            _ => {}
        }
        if !self.rules.one_put
            && matches!(owner.phase, Phase::Put | Phase::Refused | Phase::Unknown)
            && owner.head != NONE
            && self.settle_wanted(state, o)
        {
            actions.push(Action::SecondPut(o));
        }
        if self.gc {
            let below = gc_below(&self.rules, state, o);
            let there = (1..below).filter(|seq| state.live[*seq as usize] != NONE);
            actions.extend(there.map(|seq| Action::Gc(o, seq)));
        }
        if state.crashes > 0 && owner.phase != Phase::Down {
            actions.push(Action::Crash(o));
        }
    }

    fn settle_wanted(&self, state: &State, o: u8) -> bool {
        let owner = &state.owners[o as usize];
        self.rules.durable_settle && state.rec(owner.head).unsettled != owner.pending
    }

    fn step(&self, state: &mut State, action: Action) {
        let mut world = World { rules: &self.rules, state };
        match action {
            Action::Open(o) | Action::Reopen(o) => {
                world.state.owners[o as usize].forget(Phase::Opening);
            }
            Action::List(o, shown) => world.list(o, shown),
            Action::ReadHead(o) => world.read_head(o),
            Action::Put(o, outcome) => world.put(o, outcome),
            Action::ReadBack(o) => world.read_back(o),
            Action::Verify(o) => world.verify(o),
            Action::ReadUnsettled(o) => world.read_unsettled(o),
            Action::Publish(o, file) => world.publish(o, file),
            Action::Cut(o, end) => world.cut(o, end),
            Action::Settle(o) => world.settle(o),
            Action::SecondPut(o) => world.second_put(o),
            Action::Gc(_, seq) => world.state.live[seq as usize] = NONE,
            Action::Crash(o) => world.crash(o),
            Action::Land(id) => {
                world.state.rec_mut(id).late -= 1;
                world.state.land(id);
            }
            Action::Age(id) => {
                world.state.ages -= 1;
                world.state.rec_mut(id).files = [File::Old; 2];
            }
            Action::Expire(id) => world.state.rec_mut(id).files[0] = File::Gone,
            Action::Take(id, file) => {
                world.state.takes -= 1;
                world.state.rec_mut(id).files[file as usize] = File::Taken;
            }
        }
    }
}
