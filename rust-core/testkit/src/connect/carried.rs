//! What the task asks of Connect, carried out: seeks, pauses, reports.

use super::{Task, Worker};
use alluvium_core::task::{Action, Errant};

impl<T: Task> Worker<T> {
    pub(super) fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Seek(id, offset) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.seeks.insert(tp.clone(), offset);
                    }
                }
                Action::Pause(id) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.paused.insert(tp.clone());
                    }
                }
                Action::Resume(id) => {
                    if let Some(tp) = self.assigned.get(&id) {
                        self.paused.remove(tp);
                    }
                }
                Action::Release(frame) => {
                    self.lent.remove(&frame);
                }
                Action::Errants => self.report(),
                Action::Facts(..) | Action::Tail(..) => self.admin.ask(action),
            }
        }
    }

    /// Every report so far is written.
    pub fn acknowledge_all(&mut self) {
        let errants = self.reported.clone();
        self.written(&errants);
    }

    fn report(&mut self) {
        let errants = self.task.take_errants();
        if self.acknowledge {
            self.written(&errants);
        }
        self.reported.extend(errants);
    }

    fn written(&mut self, errants: &[Errant]) {
        for errant in errants {
            let record = self.frames.get(&errant.frame).and_then(|f| f.get(errant.index as usize));
            self.dead_letters.extend(record.cloned());
        }
        let ids: Vec<u64> = errants.iter().map(|errant| errant.id).collect();
        self.task.errants_done(&ids);
    }
}
