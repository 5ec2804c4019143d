//! Connect's task thread: polls, callbacks, and the task's half that answers them
//! (`task/sink_task.rs`, `task/assigned.rs`).

use super::rules::Rules;
use super::state::{Assigned, Event, Lane, Message, Offset, Phase, Set, Worker, below};

/// What a step of one worker stands on.
#[derive(Debug)]
pub struct Step<'a> {
    /// Rules in force.
    pub rules: &'a Rules,
    /// What lies in Kafka.
    pub kafka: &'a [Offset],
    /// Kafka's first offset.
    pub earliest: u8,
    /// The worker.
    pub worker: &'a mut Worker,
}

impl Step<'_> {
    /// The consumer gets the topic-partition; `SinkTask::open`, `Control::Open`.
    pub fn assign(&mut self, group: Option<u8>) {
        let position = group.unwrap_or(self.earliest).max(self.earliest);
        let connect = &mut self.worker.connect;
        connect.assigned = true;
        (connect.position, connect.current, connect.last) = (position, position, position);
        connect.paused |= self.rules.open_pauses;
        let paused = self.rules.open_pauses;
        self.worker.task = Assigned { phase: Phase::Opening, paused, ..Assigned::default() };
        self.worker.lane = Some(Lane { opening: true, ..Lane::default() });
    }

    /// `Driver::on_control`: the earlier assignment's lane is forgotten; its job goes on.
    pub fn assign_again(&mut self, group: Option<u8>) {
        self.rewind();
        self.closed();
        self.assign(group);
    }

    /// `WorkerSinkTask.poll` up to the consumer's answer: seeks first, then at most `most` records.
    pub fn poll(&mut self, most: u8) {
        self.rewind();
        let connect = &mut self.worker.connect;
        connect.position = connect.position.max(self.earliest);
        let mut polled = 0;
        for offset in connect.position..self.kafka.len() as u8 {
            if polled_count(polled) == most || connect.paused {
                break;
            }
            if self.kafka[offset as usize] != Offset::Marker {
                polled |= 1 << offset;
                connect.position = offset + 1;
            }
        }
        connect.polled = Some(polled);
    }

    /// `WorkerSinkTask.rewind`.
    fn rewind(&mut self) {
        let connect = &mut self.worker.connect;
        if let Some(x) = connect.rewind.take() {
            (connect.position, connect.current, connect.last) = (x, x, x);
        }
    }

    /// `SinkTask::put`, then `currentOffsets` moves.
    pub fn put(&mut self) {
        let Some(polled) = self.worker.connect.polled.take() else { return };
        self.worker.task.seek = false;
        self.take_events();
        let is_row = |offset: &u8| self.kafka[*offset as usize] == Offset::Row;
        let rows: Set = members(polled).filter(is_row).fold(0, |set, offset| set | 1 << offset);
        self.enqueue(rows);
        self.pause_rule();
        if let Some(last) = members(polled).last() {
            self.worker.connect.current = last + 1;
        }
    }

    /// `SinkTask::enqueue`.
    fn enqueue(&mut self, rows: Set) {
        let task = &mut self.worker.task;
        let (Some(first), Some(last)) = (members(rows).next(), members(rows).last()) else {
            return;
        };
        if task.phase == Phase::Closed {
            return;
        }
        task.first_seen.get_or_insert(first);
        let seeking = task.seek && self.rules.nothing_taken_while_seeking;
        if task.phase != Phase::Running || seeking {
            return;
        }
        task.enqueued = last + 1;
        let generation = task.generation;
        self.worker.queue.push(Message::Records { generation, rows });
    }

    /// `SinkTask::take_events`.
    pub fn take_events(&mut self) {
        for event in std::mem::take(&mut self.worker.outbox) {
            if self.worker.task.phase == Phase::Closed {
                continue;
            }
            match event {
                Event::Ready { epoch, next } => {
                    self.begin(epoch, next);
                    self.worker.task.settled = next;
                }
                Event::Settled(next) => self.worker.task.settled = Some(next),
                Event::Fenced => self.leave(),
            }
        }
    }

    /// `Assigned::begin`.
    fn begin(&mut self, epoch: u8, next: Option<u8>) {
        let task = &mut self.worker.task;
        let seen = task.first_seen.filter(|_| self.rules.seek_at_unknown_next);
        let x = next.or(seen);
        if self.rules.generation_at_reopen || task.generation == 0 {
            task.generation += 1;
        }
        task.phase = Phase::Running;
        task.enqueued = x.unwrap_or(0);
        task.seek = x.is_some();
        let generation = task.generation;
        self.worker.connect.rewind = x.or(self.worker.connect.rewind);
        self.worker.queue.push(Message::Start { generation, epoch, x });
    }

    /// `SinkTask::leave`.
    fn leave(&mut self) {
        let task = &mut self.worker.task;
        task.phase = Phase::Fenced;
        task.seek = false;
        task.settled = None;
        if !self.rules.first_seen_kept {
            task.first_seen = None;
        }
    }

    /// `SinkTask::pause_rule`; the queue's limit is not in the model.
    fn pause_rule(&mut self) {
        let task = &mut self.worker.task;
        let pause = task.phase != Phase::Running;
        if task.phase != Phase::Closed && pause != task.paused {
            task.paused = pause;
            self.worker.connect.paused = pause;
        }
    }

    /// `SinkTask::pre_commit`; gives the answer.
    pub fn pre_commit(&mut self) -> Option<u8> {
        let current = self.worker.connect.current;
        let task = &mut self.worker.task;
        if task.phase != Phase::Running {
            return None;
        }
        let seeking = task.seek && self.rules.no_position_while_seeking;
        if !seeking && current > task.enqueued {
            task.enqueued = current;
            let generation = task.generation;
            self.worker.queue.push(Message::Position { generation, end: current });
        }
        match self.worker.task.settled {
            Some(next) => Some(next.min(current)),
            None if self.rules.unknown_next_left_out => None,
            None => Some(current),
        }
    }

    /// The topic-partition is taken away within a poll; `told` = with a `preCommit` before.
    pub fn revoke(&mut self, told: bool) -> Option<u8> {
        self.rewind();
        let answer = if told { self.pre_commit() } else { None };
        self.worker.task = Assigned::default();
        let connect = &mut self.worker.connect;
        (connect.assigned, connect.closing) = (false, true);
        (connect.position, connect.current, connect.last) = (0, 0, 0);
        answer
    }

    /// `close` has waited long enough, or everything is done: the lane goes, its job does not.
    pub fn closed(&mut self) {
        let worker = &mut *self.worker;
        worker.connect.closing = false;
        worker.orphan = worker.lane.take().and_then(|lane| lane.job);
        worker.queue.clear();
        worker.outbox.clear();
    }
}

fn polled_count(set: Set) -> u8 {
    set.count_ones() as u8
}

/// The offsets of a set, ascending.
pub fn members(set: Set) -> impl Iterator<Item = u8> + Clone {
    (0..8).filter(move |offset| set & below(offset + 1) & !below(*offset) != 0)
}
