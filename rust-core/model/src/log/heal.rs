//! "Eventually" for a graph with cycles: `stateright` judges its `eventually` at ends of paths
//! only, and this graph has none. Instead each reachable state is asked whether one owner, left
//! alone with a store that answers, makes every row visible within a bounded number of steps.

use super::state::{Phase, State};
use super::steps::Outcome;
use super::{Action, LogModel};

/// Far above what any healing takes.
const STEPS: usize = 60;

impl LogModel {
    /// Whether each of the owners, left alone, would make everything visible and settled.
    pub(super) fn heals(&self, state: &State) -> bool {
        (0..self.owners).all(|o| self.heals_by(state, o))
    }

    fn heals_by(&self, state: &State, o: u8) -> bool {
        let mut state = state.clone();
        state.owners = vec![state.owners[o as usize]];
        for rec in &mut state.recs {
            (rec.owner, rec.claimed_by, rec.late) = (0, 0, 0);
        }
        (state.crashes, state.faults, state.ages, state.takes) = (0, 0, 0, 0);
        state.tidy();
        let mut way = Vec::new();
        for _ in 0..STEPS {
            if self.found.is_known_good(&state, &mut way) || self.is_whole(&state) {
                self.found.know_good(&way);
                return true;
            }
            let Some(action) = self.lonely(&state) else { return false };
            self.step(&mut state, action);
            state.tidy();
        }
        false
    }

    /// Every row is visible, and a record says so.
    fn is_whole(&self, state: &State) -> bool {
        let all = ((1u16 << (self.offsets * 2)) - 1) as u8;
        state.visible() == all && state.unsettled() == 0
    }

    /// What an owner that is alone does next.
    fn lonely(&self, state: &State) -> Option<Action> {
        let o = 0;
        let owner = &state.owners[o as usize];
        Some(match owner.phase {
            Phase::Down => Action::Open(o),
            Phase::Opening => Action::List(o, state.listed().map_or(0, |(seq, _)| seq)),
            Phase::Reading => Action::ReadHead(o),
            Phase::Put => Action::Put(o, Outcome::Answered),
            Phase::Refused | Phase::Unknown => Action::ReadBack(o),
            Phase::Verify => Action::Verify(o),
            Phase::ReadUnsettled => Action::ReadUnsettled(o),
            Phase::Recover | Phase::Publish => Action::Publish(o, owner.seen & 1),
            Phase::Ready if state.rec(owner.head).next < self.offsets => {
                Action::Cut(o, self.offsets)
            }
            Phase::Ready if self.settle_wanted(state, o) => Action::Settle(o),
            Phase::Fenced => Action::Reopen(o),
            Phase::Ready | Phase::Failed => return None,
        })
    }
}

impl State {
    /// Rows that readers see, or saw, one bit each.
    pub fn visible(&self) -> u8 {
        self.recs.iter().fold(self.rows, |rows, rec| rows | Self::rows_of(rec))
    }
}
