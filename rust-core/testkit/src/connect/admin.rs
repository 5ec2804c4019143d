//! Kafka's admin client as the shim has it: asked by actions, answers before a `put`, late or not
//! at all.

use super::{Task, Worker};
use crate::kafka::{Entry, Kafka};
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::recover::GroupOffset;
use alluvium_core::task::{Action, Answer, SafeOffset};
use std::collections::{BTreeMap, VecDeque};

/// What was asked, and what is known of the group.
#[derive(Debug, Default)]
pub struct Admin {
    /// It does not answer: questions wait.
    pub away: bool,
    /// Turns between the moment it answers and the `put` that hands the answer over.
    pub delay: usize,
    /// What the group has committed: filled by `preCommit`.
    pub committed: BTreeMap<TopicPartition, GroupOffset>,
    /// Number of questions so far.
    pub asked: usize,
    questions: Vec<Action>,
    answers: VecDeque<(usize, Vec<Answer>)>,
    turn: usize,
}

impl Admin {
    pub(super) fn ask(&mut self, question: Action) {
        self.asked += 1;
        self.questions.push(question);
    }

    pub(super) fn note_committed(
        &mut self,
        assigned: &BTreeMap<TpId, TopicPartition>,
        safe: &[SafeOffset],
    ) {
        for each in safe {
            if let Some(tp) = assigned.get(&each.tp) {
                let metadata = format!("alluvium/{}/{}", each.log_id, each.seq);
                let offset = GroupOffset { offset: each.offset, metadata };
                self.committed.insert(tp.clone(), offset);
            }
        }
    }

    fn answer(&self, question: Action, tp: &TopicPartition, kafka: &Kafka) -> Option<Answer> {
        match question {
            Action::Facts(id, ticket) => {
                let mut facts = kafka.facts(tp);
                facts.group = self.committed.get(tp).cloned();
                Some(Answer::Facts { tp: id, ticket, facts })
            }
            Action::Tail(id, from) => {
                let partition = kafka.partition(tp)?;
                let is_empty = partition.from(from).all(|(_, entry)| *entry == Entry::Gap);
                is_empty.then(|| Answer::EmptyTail { tp: id, from, end: partition.end() })
            }
            _ => None,
        }
    }
}

impl<T: Task> Worker<T> {
    /// The shim hands over what Kafka's admin client said.
    pub(super) fn answer(&mut self, kafka: &Kafka) {
        if self.admin.away {
            return;
        }
        let mut answers = Vec::new();
        for question in std::mem::take(&mut self.admin.questions) {
            let (Action::Facts(id, _) | Action::Tail(id, _)) = question else { continue };
            if let Some(tp) = self.assigned.get(&id) {
                answers.extend(self.admin.answer(question, tp, kafka));
            }
        }
        self.admin.turn += 1;
        self.admin.answers.push_back((self.admin.turn + self.admin.delay, answers));
        while self.admin.answers.front().is_some_and(|(turn, _)| *turn <= self.admin.turn) {
            let (_, answers) = self.admin.answers.pop_front().unwrap_or_default();
            self.task.answers(answers);
        }
    }
}
