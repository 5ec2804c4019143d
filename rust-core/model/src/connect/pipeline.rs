//! The pipeline's half of a worker (`task/driver.rs`, `task/topic_partition.rs`, `task/jobs.rs`).

use super::rules::Rules;
use super::state::{Event, Job, Lane, Life, Message, State, below, wrong};
use super::thread::members;

/// What a step of one worker's pipeline stands on.
#[derive(Debug)]
pub struct Pipeline<'a> {
    /// Rules in force.
    pub rules: &'a Rules,
    /// The world.
    pub state: &'a mut State,
    /// The worker.
    pub w: usize,
}

impl Pipeline<'_> {
    fn lane(&mut self) -> Option<&mut Lane> {
        self.state.workers[self.w].lane.as_mut()
    }

    /// `recover::open`, `Driver::on_opened`.
    pub fn claim(&mut self) {
        self.state.log.epoch += 1;
        self.state.foreign = false;
        let (epoch, next) = (self.state.log.epoch, self.state.log.next);
        let settle = next.is_some();
        let worker = &mut self.state.workers[self.w];
        let kept = if self.rules.fenced_forgets_life { None } else { worker.lane.take() };
        let lane = kept.unwrap_or_default();
        worker.lane = Some(Lane { opening: false, log: Some((epoch, next)), settle, ..lane });
        worker.outbox.push(Event::Ready { epoch, next });
    }

    /// The queue's next message, or the next record of it.
    pub fn take(&mut self) {
        let worker = &mut self.state.workers[self.w];
        let Some(message) = worker.queue.first().copied() else { return };
        if let Message::Records { generation, rows } = message
            && rows.count_ones() > 1
        {
            worker.queue[0] = Message::Records { generation, rows: rows & (rows - 1) };
        } else {
            worker.queue.remove(0);
        }
        match message {
            Message::Start { generation, epoch, x } => self.start(generation, epoch, x),
            Message::Records { generation, rows } => {
                if let Some(offset) = members(rows).next() {
                    self.record(generation, offset);
                }
            }
            Message::Position { generation, end } => self.position(generation, end),
        }
    }

    /// `TopicPartitionState::start`.
    fn start(&mut self, generation: u8, epoch: u8, x: Option<u8>) {
        let named = self.rules.start_names_epoch;
        let Some(lane) = self.lane() else { return };
        if lane.log.is_none_or(|(ours, _)| named && ours != epoch) {
            return;
        }
        lane.life = Some(Life { generation, start: x, expected: x });
        (lane.from, lane.rows, lane.gaps) = (None, 0, 0);
    }

    /// `TopicPartitionState::judge`, `taken`.
    fn record(&mut self, generation: u8, offset: u8) {
        let Some(lane) = self.lane() else { return };
        let Some(life) = lane.life.filter(|life| life.generation == generation) else { return };
        if life.expected.is_some_and(|expected| offset < expected) {
            return self.fail(wrong::REGRESSION);
        }
        lane.reach(offset);
        lane.rows |= 1 << offset;
        lane.expect(offset + 1);
    }

    /// `TopicPartitionState::position`.
    fn position(&mut self, generation: u8, end: u8) {
        let Some(lane) = self.lane() else { return };
        let Some(life) = lane.life.filter(|life| life.generation == generation) else { return };
        if life.expected.is_none_or(|expected| expected < end) {
            lane.reach(end);
            lane.expect(end);
        }
    }

    /// The topic-partition fails by name: said by a property.
    fn fail(&mut self, why: u8) {
        self.state.wrong |= why;
        if let Some(lane) = self.lane() {
            *lane = Lane::default();
        }
    }

    /// `Driver::look_at`: the start is made durable first.
    pub fn record_start(&mut self) {
        let Some(lane) = self.lane() else { return };
        if let (Some((epoch, None)), Some(start)) = (lane.log, lane.life.and_then(|l| l.start)) {
            lane.job = Some(Job { epoch, next: start, rows: 0, gaps: 0 });
        }
    }

    /// `Lane::cut`, `CutRange::check`.
    pub fn cut(&mut self) {
        let (rules, current) = (*self.rules, self.state.workers[self.w].connect.current);
        let Some(lane) = self.lane() else { return };
        let (Some((epoch, Some(start))), Some(expected)) = (lane.log, lane.expected()) else {
            return;
        };
        let end = if rules.cut_end_from_queue { expected } else { expected.max(current) };
        let covered = lane.rows | lane.gaps;
        let agree = covered == below(end) & !below(start) && lane.from == Some(start);
        if rules.books && !agree {
            return self.fail(wrong::BOOKS);
        }
        lane.job = Some(Job { epoch, next: end, rows: lane.rows, gaps: lane.gaps });
        (lane.from, lane.rows, lane.gaps) = (None, 0, 0);
    }

    /// `Driver::look_at`: settle.
    pub fn settle(&mut self) {
        let Some(lane) = self.lane() else { return };
        if let Some((epoch, Some(next))) = lane.log {
            lane.job = Some(Job { epoch, next, rows: 0, gaps: 0 });
            lane.settle = false;
        }
    }

    /// The record takes effect or is refused; `Driver::on_recorded`, `on_fenced`.
    pub fn apply(&mut self) {
        let Some(job) = self.lane().and_then(|lane| lane.job.take()) else { return };
        let ours = self.state.append(&job);
        let worker = &mut self.state.workers[self.w];
        if ours {
            if let Some(lane) = &mut worker.lane {
                lane.log = Some((job.epoch, Some(job.next)));
                lane.settle = false;
            }
            worker.outbox.push(Event::Settled(job.next));
        } else {
            let kept = if self.rules.fenced_forgets_life { None } else { worker.lane.take() };
            let lane = kept.unwrap_or_default();
            worker.lane = Some(Lane { opening: true, log: None, settle: false, ..lane });
            worker.outbox.push(Event::Fenced);
        }
    }

    /// The same for a lane that is gone: nobody learns of it.
    pub fn apply_orphan(&mut self) {
        if let Some(job) = self.state.workers[self.w].orphan.take() {
            self.state.append(&job);
        }
    }
}

impl Lane {
    fn expected(&self) -> Option<u8> {
        self.life.and_then(|life| life.expected)
    }

    fn expect(&mut self, offset: u8) {
        if let Some(life) = &mut self.life {
            life.expected = Some(offset);
        }
    }

    /// `TopicPartitionState::reach`.
    fn reach(&mut self, offset: u8) {
        let Some(life) = &mut self.life else { return };
        life.start.get_or_insert(offset);
        let expected = life.expected.unwrap_or(offset);
        self.from.get_or_insert(expected);
        self.gaps |= below(offset) & !below(expected.min(offset));
    }

    /// Whether the start is to be made durable now.
    pub fn start_wanted(&self) -> bool {
        let unknown = matches!(self.log, Some((_, None)));
        unknown && self.job.is_none() && self.expected().is_some()
    }

    /// Whether a cut may begin now.
    pub fn may_cut(&self) -> bool {
        let Some((_, Some(next))) = self.log else { return false };
        self.job.is_none() && self.expected().is_some_and(|expected| expected != next)
    }

    /// Whether a settle may begin now.
    pub fn may_settle(&self) -> bool {
        self.settle && self.job.is_none() && matches!(self.log, Some((_, Some(_))))
    }
}
