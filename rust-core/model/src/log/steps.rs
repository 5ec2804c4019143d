//! What each owner does, step by step. Every request to the store is one step, so that anything
//! may happen between any two: a stall is a step that does not come.

use super::rules::Rules;
use super::state::{DOWN, File, Id, Kind, NONE, Phase, Rec, State, ids, wrong};

/// What becomes of a PUT-if-absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It takes effect, or is refused, and the owner is told so.
    Answered,
    /// It takes effect, or is refused, and the answer is lost.
    AnswerLost,
    /// No answer; it may still take effect later, or never.
    Late,
    /// Answered, but the same request is under way once more.
    Doubled,
    /// It takes effect and is answered "exists": a retry below met the first attempt.
    RefusedOwn,
    /// Answered "conflict", and may still take effect later, or never.
    RefusedLate,
}

/// All outcomes; the first needs no fault.
pub const OUTCOMES: [Outcome; 6] = [
    Outcome::Answered,
    Outcome::AnswerLost,
    Outcome::Late,
    Outcome::Doubled,
    Outcome::RefusedOwn,
    Outcome::RefusedLate,
];

/// What a step stands on.
#[derive(Debug)]
pub struct World<'a> {
    /// Rules in force.
    pub rules: &'a Rules,
    /// Before, then after the step.
    pub state: &'a mut State,
}

impl World<'_> {
    pub(super) fn send(&mut self, o: u8, rec: Rec) {
        let id = self.state.add(rec);
        let owner = &mut self.state.owners[o as usize];
        (owner.cur, owner.phase) = (id, Phase::Put);
    }

    /// `Lane::cut`, uploads, `Flush::record`.
    pub fn cut(&mut self, o: u8, end: u8) {
        let owner = self.state.owners[o as usize];
        let head = *self.state.rec(owner.head);
        let mut rec = Rec::new(Kind::Commit, o, head.seq + 1);
        rec.epoch = head.epoch;
        (rec.start, rec.next, rec.prev) = (head.next, end, owner.head);
        rec.carry = end;
        rec.files = [File::Open; 2];
        rec.unsettled = owner.pending;
        self.send(o, rec);
        let cur = self.state.owners[o as usize].cur;
        self.state.rec_mut(cur).unsettled |= 1 << cur;
    }

    fn advance(&self, o: u8) -> Rec {
        let owner = self.state.owners[o as usize];
        let head = *self.state.rec(owner.head);
        let mut rec = Rec::new(Kind::Advance, o, head.seq + 1);
        rec.epoch = head.epoch;
        (rec.start, rec.next, rec.prev) = (head.next, head.next, owner.head);
        rec.unsettled = owner.pending;
        rec.carry = head.carry;
        rec
    }

    /// `Driver::look_at`: settle.
    pub fn settle(&mut self, o: u8) {
        let rec = self.advance(o);
        self.send(o, rec);
    }

    /// A settle while a commit is under way; only without the rule.
    pub fn second_put(&mut self, o: u8) {
        let rec = self.advance(o);
        let id = self.state.add(rec);
        self.state.land(id);
    }

    /// `LogAccess::put`: one attempt.
    pub fn put(&mut self, o: u8, outcome: Outcome) {
        let cur = self.state.owners[o as usize].cur;
        if self.rules.age_guard && self.too_old(cur) {
            return self.not_head(o);
        }
        let state = &mut *self.state;
        if outcome != Outcome::Answered {
            state.faults -= 1;
        }
        let done = match outcome {
            Outcome::Late | Outcome::RefusedLate => false,
            _ => state.land(cur),
        };
        if matches!(outcome, Outcome::Late | Outcome::RefusedLate | Outcome::Doubled) {
            state.rec_mut(cur).late += 1;
        }
        let phase = match outcome {
            Outcome::AnswerLost | Outcome::Late => Phase::Unknown,
            Outcome::Answered | Outcome::Doubled if done => Phase::Verify,
            _ => Phase::Refused,
        };
        state.owners[o as usize].phase = phase;
        if phase == Phase::Refused && !self.rules.refused_keeps_uploads {
            abort(state, cur, |_| true);
        }
        self.unverified(o);
    }

    /// `Flush::check_age`, before the first attempt: nothing refers to the uploads yet.
    fn too_old(&self, cur: Id) -> bool {
        let rec = self.state.rec(cur);
        rec.late == 0 && !rec.chain && rec.files.contains(&File::Old)
    }

    /// `LogAccess::at`, and what `put` makes of it.
    pub fn read_back(&mut self, o: u8) {
        let state = &mut *self.state;
        let owner = state.owners[o as usize];
        let rec = *state.rec(owner.cur);
        let found = state.live[rec.seq as usize];
        if found == owner.cur || (found != NONE && !self.rules.nonce) {
            state.owners[o as usize].phase = Phase::Verify;
            return self.unverified(o);
        }
        if found == NONE && owner.phase == Phase::Unknown {
            state.owners[o as usize].phase = Phase::Put;
            return;
        }
        if (found as usize) < state.recs.len() && rec.kind != Kind::Claim {
            let other = state.rec(found);
            if other.owner == o && other.epoch == rec.epoch {
                state.wrong |= wrong::SELF_FENCED;
            }
        }
        if found != NONE && !self.rules.seen_foreign_keeps_uploads {
            abort(state, owner.cur, |_| true);
        }
        self.not_head(o);
        // Only where the head is read in steps can a listing be behind what the claim met.
        if self.state.fine && rec.kind == Kind::Claim {
            self.state.owners[o as usize].seen = rec.seq;
        }
    }

    /// Without the head check, nothing is looked at after a won PUT.
    fn unverified(&mut self, o: u8) {
        if !self.rules.head_check && self.state.owners[o as usize].phase == Phase::Verify {
            self.confirmed(o);
        }
    }

    /// `LogAccess::verify`.
    pub fn verify(&mut self, o: u8) {
        let cur = self.state.owners[o as usize].cur;
        let seq = self.state.rec(cur).seq;
        match self.state.listed() {
            Some((head, _)) if head > seq => self.not_head(o),
            _ => self.confirmed(o),
        }
    }

    /// A claim is tried again, anything else is fenced.
    fn not_head(&mut self, o: u8) {
        let owner = &mut self.state.owners[o as usize];
        let claim = self.state.recs[owner.cur as usize].kind == Kind::Claim;
        owner.forget(if claim { Phase::Opening } else { Phase::Fenced });
    }

    fn confirmed(&mut self, o: u8) {
        let owner = &mut self.state.owners[o as usize];
        let rec = &self.state.recs[owner.cur as usize];
        owner.head = owner.cur;
        owner.pending = rec.unsettled;
        (owner.seen, owner.todo) = (0, 0);
        match rec.kind {
            Kind::Claim => {
                owner.todo = owner.pending;
                owner.phase = Phase::ReadUnsettled;
                owner.cur = NONE;
                self.next_unsettled(o);
            }
            Kind::Commit => owner.phase = Phase::Publish,
            Kind::Advance => (owner.phase, owner.cur) = (Phase::Ready, NONE),
        }
    }

    /// The process ends.
    pub fn crash(&mut self, o: u8) {
        self.state.owners[o as usize] = DOWN;
        self.state.crashes -= 1;
    }
}

/// Uploads of a record are aborted. On a store where that frees what was completed, files too.
pub(super) fn abort(state: &mut State, id: Id, which: impl Fn(File) -> bool) {
    for file in &mut state.rec_mut(id).files {
        if (file.is_open() || *file == File::Visible) && which(*file) {
            *file = File::Gone;
        }
    }
}

/// Keys below this are archived and deleted by an owner (`delivery.md`, GC).
pub fn gc_below(rules: &Rules, state: &State, o: u8) -> u8 {
    let owner = &state.owners[o as usize];
    if owner.head == NONE {
        return 0;
    }
    let head = state.rec(owner.head);
    let kept = if rules.gc_by_record { head.unsettled } else { owner.pending };
    ids(kept).map(|id| state.rec(id).seq).fold(head.seq, u8::min)
}

/// Whether users were told that the commit is settled, so that they may take its files away.
pub fn is_settled(rules: &Rules, state: &State, id: Id) -> bool {
    if rules.durable_settle {
        return state.unsettled() & (1 << id) == 0;
    }
    let told = |head: &Rec| head.chain && head.seq >= state.rec(id).seq;
    let ready = state.owners.iter().filter(|owner| owner.phase == Phase::Ready);
    ready.map(|owner| state.rec(owner.head)).any(told)
}
