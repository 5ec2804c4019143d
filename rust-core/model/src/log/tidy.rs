//! Forgetting and renaming: two states that differ only in what nobody can refer to, or in the
//! names of records, become one.

use super::state::{File, Id, KEYS, Kind, NONE, OTHER, Phase, READ_ON, State, ids, wrong};

impl State {
    /// Brings the state into its one form.
    pub fn tidy(&mut self) {
        if self.alike {
            self.sort_owners();
        }
        let order = self.referred();
        for (id, rec) in self.recs.iter().enumerate() {
            if order.contains(&(id as Id)) {
                continue;
            }
            let rows = Self::rows_of(rec);
            let lost = rec.files.iter().any(|file| file.is_open() || *file == File::Gone);
            if rec.chain && lost {
                self.wrong |= wrong::LOST;
            }
            if !rec.chain && rows != 0 {
                self.wrong |= wrong::UNCOMMITTED;
            }
            if self.rows & rows != 0 {
                self.wrong |= wrong::TWICE;
            }
            self.rows |= rows;
        }
        self.rename(&order);
    }

    /// Owners are alike: which of them stands where makes no difference. Two that this cannot tell
    /// apart stay as they are, which costs states and nothing else.
    fn sort_owners(&mut self) {
        let of = |id: Id| {
            self.recs.get(id as usize).map(|rec| {
                (rec.seq, rec.kind, rec.epoch, rec.start, rec.next, rec.late, rec.chain, rec.files)
            })
        };
        let seqs = |set: u16| ids(set).fold(0u16, |seqs, id| seqs | 1 << self.rec(id).seq);
        let mut order: Vec<usize> = (0..self.owners.len()).collect();
        order.sort_by_key(|o| {
            let owner = &self.owners[*o];
            let recs = (of(owner.cur), of(owner.head), of(owner.at));
            (owner.phase, recs, owner.seen, seqs(owner.pending), seqs(owner.todo))
        });
        if order.is_sorted() {
            return;
        }
        let mut places = [0u8; 8];
        for (place, o) in order.iter().enumerate() {
            places[*o] = place as u8;
        }
        self.owners = order.iter().map(|o| self.owners[*o]).collect();
        for rec in &mut self.recs {
            rec.owner = places[rec.owner as usize];
            let by = rec.claimed_by;
            let bits = (0..8).filter(|o| by & (1 << o) != 0);
            rec.claimed_by = bits.fold(0, |set, o: usize| set | 1 << places[o]);
        }
    }

    /// Every record that something still refers to, in an order that does not hang on its name.
    fn referred(&self) -> Vec<Id> {
        let mut order = Vec::with_capacity(self.recs.len());
        let mut visit = |id: Id| {
            if id < OTHER && !order.contains(&id) {
                order.push(id);
            }
        };
        visit(self.head);
        if self.fine && self.faults > 0 {
            self.live.iter().copied().for_each(&mut visit);
        }
        for owner in &self.owners {
            visit(owner.cur);
            visit(owner.head);
            visit(owner.at);
            self.by_seq(owner.pending | owner.todo).into_iter().for_each(&mut visit);
            if owner.phase == Phase::Reading {
                self.live[(owner.seen & !READ_ON) as usize..].iter().copied().for_each(&mut visit);
            }
        }
        let late: u16 = (0..self.recs.len())
            .filter(|id| self.recs[*id].late > 0)
            .fold(0, |set, id| set | 1 << id);
        self.by_seq(late).into_iter().for_each(&mut visit);
        let mut done = 0;
        while done < order.len() {
            let rec = self.recs[order[done] as usize];
            done += 1;
            for id in self.by_seq(rec.unsettled).into_iter().chain([rec.prev]) {
                if id < OTHER && !order.contains(&id) {
                    order.push(id);
                }
            }
        }
        order
    }

    fn by_seq(&self, set: u16) -> Vec<Id> {
        let mut all: Vec<Id> = ids(set).collect();
        all.sort_by_key(|id| {
            let rec = self.rec(*id);
            (rec.seq, rec.owner, rec.kind, rec.start, rec.next, rec.late, rec.files)
        });
        all
    }

    fn rename(&mut self, order: &[Id]) {
        let mut names = [OTHER; 256];
        names[NONE as usize] = NONE;
        for (name, id) in order.iter().enumerate() {
            names[*id as usize] = name as Id;
        }
        let set = |old: u16| ids(old).fold(0, |new, id| new | 1u16 << names[id as usize]);
        let mut recs = Vec::with_capacity(order.len());
        for id in order {
            let mut rec = self.recs[*id as usize];
            rec.prev = names[rec.prev as usize];
            rec.unsettled = set(rec.unsettled);
            if !rec.files.iter().any(|file| file.is_open()) {
                rec.claimed_by = 0;
            }
            recs.push(rec);
        }
        for owner in &mut self.owners {
            owner.cur = names[owner.cur as usize];
            owner.head = names[owner.head as usize];
            owner.at = names[owner.at as usize];
            owner.pending = set(owner.pending);
            owner.todo = set(owner.todo);
        }
        self.head = names[self.head as usize];
        for key in 1..KEYS {
            self.live[key] = names[self.live[key] as usize];
        }
        self.recs = recs;
    }
}

impl super::state::Rec {
    /// A record of `owner` behind the record `prev`.
    pub fn new(kind: Kind, owner: u8, seq: u8) -> Self {
        Self {
            kind,
            seq,
            owner,
            epoch: seq,
            start: 0,
            next: 0,
            files: [File::Absent; 2],
            late: 0,
            chain: false,
            claimed_by: 0,
            carry: 0,
            prev: NONE,
            unsettled: 0,
        }
    }
}

impl super::state::Owner {
    /// Goes to `phase`, holding nothing but what is in the log.
    pub fn forget(&mut self, phase: Phase) {
        *self = super::state::DOWN;
        self.phase = phase;
    }
}
