//! What an owner does to get the log, and to publish: `recover/`, `publish.rs`.

use super::state::{File, Id, Kind, NONE, Phase, READ_ON, Rec};
use super::steps::{World, abort};

impl World<'_> {
    /// `ownership::head`: the listing. `shown` = the head it shows, which may be an earlier one.
    pub fn list(&mut self, o: u8, shown: u8) {
        if Some(shown) != self.state.listed().map(|(seq, _)| seq) && shown != 0 {
            self.state.faults -= 1;
        }
        if shown == 0 {
            return self.claim(o, NONE, 1);
        }
        let fine = self.state.fine;
        let owner = &mut self.state.owners[o as usize];
        // What a claim met is there, whatever the listing shows, and more may follow it.
        let met = if owner.seen == 0 { 0 } else { READ_ON };
        (owner.phase, owner.seen) = (Phase::Reading, shown.max(owner.seen) | met);
        if !fine {
            self.read_head(o);
        }
    }

    /// `ownership::head`: reads what the listing showed; after a claim that met a record, reads on
    /// until nothing follows.
    pub fn read_head(&mut self, o: u8) {
        let owner = &mut self.state.owners[o as usize];
        let key = owner.seen & !READ_ON;
        let found = self.state.live[key as usize];
        let (head, next) = match found {
            NONE => (owner.at, key),
            _ if owner.seen & READ_ON != 0 => {
                (owner.at, owner.seen) = (found, owner.seen + 1);
                return;
            }
            _ => (found, key + 1),
        };
        owner.forget(Phase::Opening);
        if head != NONE {
            self.claim(o, head, next);
        }
    }

    /// `claim::claim_record`.
    fn claim(&mut self, o: u8, head: Id, seq: u8) {
        let (rules, state) = (self.rules, &mut *self.state);
        let mut rec = Rec::new(Kind::Claim, o, seq);
        if head != NONE {
            let found = *state.rec(head);
            (rec.start, rec.next, rec.prev) = (found.next, found.next, head);
            if rules.claim_copies_unsettled {
                rec.unsettled = found.unsettled;
            }
            if rules.carry_copied {
                rec.carry = found.carry;
            }
        }
        if !rules.foreign_uploads_kept {
            for id in 0..state.recs.len() as Id {
                if state.rec(id).owner != o && rec.unsettled & (1 << id) == 0 {
                    abort(state, id, File::is_open);
                }
            }
        }
        self.send(o, rec);
    }

    pub(super) fn next_unsettled(&mut self, o: u8) {
        let owner = &mut self.state.owners[o as usize];
        if owner.todo == 0 {
            (owner.phase, owner.pending) = (Phase::Ready, 0);
        }
    }

    /// `unsettled::read`.
    pub fn read_unsettled(&mut self, o: u8) {
        let owner = self.state.owners[o as usize];
        let Some(id) = self.state.oldest(owner.todo) else { return };
        if self.state.live[self.state.rec(id).seq as usize] != id {
            return self.missing(o);
        }
        let owner = &mut self.state.owners[o as usize];
        (owner.phase, owner.at, owner.seen) = (Phase::Recover, id, 0);
    }

    /// `publish::publish_one`: complete whatever the store answers, then look.
    pub fn publish(&mut self, o: u8, file: u8) {
        let owner = self.state.owners[o as usize];
        let id = if owner.phase == Phase::Recover { owner.at } else { owner.cur };
        let found = &mut self.state.rec_mut(id).files[file as usize];
        if found.is_open() {
            *found = File::Visible;
        }
        if *found != File::Visible {
            return self.missing(o);
        }
        let owner = &mut self.state.owners[o as usize];
        owner.seen |= 1 << file;
        if owner.seen != 0b11 {
            return;
        }
        owner.seen = 0;
        if owner.phase == Phase::Publish {
            owner.pending &= !(1 << id);
            (owner.phase, owner.cur) = (Phase::Ready, NONE);
        } else {
            owner.todo &= !(1 << id);
            (owner.phase, owner.at) = (Phase::ReadUnsettled, NONE);
            self.next_unsettled(o);
        }
    }

    /// `publish::still_head`: a later owner settled it, or it is lost.
    fn missing(&mut self, o: u8) {
        let owner = self.state.owners[o as usize];
        let mine = self.state.rec(owner.head).seq;
        let fenced = self.state.listed().is_some_and(|(head, _)| head > mine);
        let recovering = owner.phase != Phase::Publish;
        self.state.owners[o as usize].forget(match (fenced, recovering) {
            (false, _) => Phase::Failed,
            (true, true) => Phase::Opening,
            (true, false) => Phase::Fenced,
        });
    }
}
