//! Errant records on the task thread: in go those the pipeline found, out they go to the shim, a
//! bounded number at a time. A frame goes back only when none of its records is still wanted.

use super::SinkTask;
use crate::task::action::Action;
use crate::task::errants::Errant;
use crate::task::inbox::{Control, Event};

/// Errant records handed to the shim and not yet known to be written.
pub(super) const UNACKNOWLEDGED_MAX: usize = 1_000;

impl SinkTask {
    pub(super) fn release(&mut self, frame: u64, actions: &mut Vec<Action>) {
        if self.errants.iter().any(|errant| errant.frame == frame) {
            self.held_frames.insert(frame);
        } else {
            actions.push(Action::Release(frame));
        }
    }

    /// Errant records for the dead letter queue; a bounded number at a time.
    pub fn take_errants(&mut self) -> Vec<Errant> {
        let room = UNACKNOWLEDGED_MAX.saturating_sub(self.unacknowledged);
        let taken: Vec<Errant> = self.errants.drain(..room.min(self.errants.len())).collect();
        self.unacknowledged += taken.len();
        let held: Vec<u64> = self.held_frames.iter().copied().collect();
        for frame in held {
            if !self.errants.iter().any(|errant| errant.frame == frame) {
                self.held_frames.remove(&frame);
                self.outbox.push(Event::Release { frame });
            }
        }
        taken
    }

    /// The reports of these errant records are written.
    pub fn errants_done(&mut self, ids: &[u64]) {
        self.unacknowledged = self.unacknowledged.saturating_sub(ids.len());
        self.send_control(Control::ErrantsDone(ids.to_vec()));
    }
}
