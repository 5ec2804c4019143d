//! What Kafka, Connect and each worker know of one topic-partition.

/// Offsets in the model's Kafka, at most.
pub const OFFSETS: usize = 4;

/// What lies at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offset {
    /// A record that yields a row.
    Row,
    /// A record that is dropped before `put`, by a transform.
    Dropped,
    /// A transaction marker: never delivered.
    Marker,
}

/// A set of offsets, one bit each.
pub type Set = u8;

/// In the order of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    /// A life begins (`inbox::Message::Start`).
    Start {
        /// The life.
        generation: u8,
        /// The claim it answers.
        epoch: u8,
        /// Where the consumer is sought to.
        x: Option<u8>,
    },
    /// Records of one `put`.
    Records {
        /// The life they were delivered to.
        generation: u8,
        /// Their offsets.
        rows: Set,
    },
    /// The consumer moved to `end` without delivering what lies between.
    Position {
        /// The life.
        generation: u8,
        /// Where to.
        end: u8,
    },
}

/// What the task thread is told (`inbox::Event`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The log is ours.
    Ready {
        /// Our claim.
        epoch: u8,
        /// The log's next offset.
        next: Option<u8>,
    },
    /// It no longer is.
    Fenced,
    /// Everything below is visible.
    Settled(u8),
}

/// `assigned::Phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// Not assigned.
    #[default]
    Closed,
    /// Its log is being claimed.
    Opening,
    /// Records are taken.
    Running,
    /// Claimed again.
    Fenced,
}

/// The framework's side (`WorkerSinkTask`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Consumer {
    /// Whether Connect holds the topic-partition for its own.
    pub assigned: bool,
    /// Where the consumer reads on.
    pub position: u8,
    /// `currentOffsets`.
    pub current: u8,
    /// `lastCommittedOffsets`.
    pub last: u8,
    /// Asked for by `context.offset`, not yet carried out.
    pub rewind: Option<u8>,
    /// In the pause set, which survives assignments.
    pub paused: bool,
    /// Polled, `put` not yet called.
    pub polled: Option<Set>,
    /// Waiting in the task's `close`.
    pub closing: bool,
}

/// The task thread's half (`assigned::Assigned`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Assigned {
    /// Where it stands.
    pub phase: Phase,
    /// The present life.
    pub generation: u8,
    /// A seek was asked for and is not known to be done.
    pub seek: bool,
    /// Behind the last offset handed to the queue.
    pub enqueued: u8,
    /// The first offset delivered to this assignment.
    pub first_seen: Option<u8>,
    /// What Connect was told.
    pub paused: bool,
    /// What `preCommit` may answer.
    pub settled: Option<u8>,
}

/// Something asked of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    /// Whose claim it stands on.
    pub epoch: u8,
    /// The log's next offset after it.
    pub next: u8,
    /// Rows that become visible.
    pub rows: Set,
    /// Offsets it says never came.
    pub gaps: Set,
}

/// `topic_partition::Life`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    /// Which.
    pub generation: u8,
    /// Where it began.
    pub start: Option<u8>,
    /// The next offset in sequence.
    pub expected: Option<u8>,
}

/// The pipeline's half (`lane::Lane`, `topic_partition::TopicPartitionState`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lane {
    /// A claim is under way.
    pub opening: bool,
    /// Our claim, and the log's next offset.
    pub log: Option<(u8, Option<u8>)>,
    /// The life begun by the last honoured start.
    pub life: Option<Life>,
    /// The first offset taken since the last cut.
    pub from: Option<u8>,
    /// Rows taken since the last cut.
    pub rows: Set,
    /// Offsets noted as gaps since the last cut.
    pub gaps: Set,
    /// Under way.
    pub job: Option<Job>,
    /// A settle is wanted.
    pub settle: bool,
}

/// One worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Worker {
    /// Connect.
    pub connect: Consumer,
    /// The task thread.
    pub task: Assigned,
    /// Between the two halves, down.
    pub queue: Vec<Message>,
    /// Between the two halves, up.
    pub outbox: Vec<Event>,
    /// The pipeline.
    pub lane: Option<Lane>,
    /// Under way for a lane that is gone.
    pub orphan: Option<Job>,
}

/// The commit log, as [`crate::log`] shows it to be: only the latest claim's owner appends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Log {
    /// Claims so far; the latest one's number.
    pub epoch: u8,
    /// The first offset that no record covers.
    pub next: Option<u8>,
    /// The first offset that one covers.
    pub start: u8,
    /// Rows that are visible.
    pub visible: Set,
    /// Offsets that the log says never came.
    pub gaps: Set,
}

/// What a step did wrong.
pub mod wrong {
    /// A row became visible twice.
    pub const TWICE: u8 = 1;
    /// A record took the next offset back, or left offsets out.
    pub const NOT_CONTIGUOUS: u8 = 2;
    /// The books of a cut did not agree: the topic-partition failed.
    pub const BOOKS: u8 = 4;
    /// Offsets went backwards within a life, though Kafka's did not: it failed.
    pub const REGRESSION: u8 = 8;
}

/// The whole world of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// The commit log.
    pub log: Log,
    /// Kafka's first offset: what lies below is gone by retention.
    pub earliest: u8,
    /// The consumer group's offset.
    pub group: Option<u8>,
    /// Whether that was our answer, not Connect's own.
    pub ours: bool,
    /// The latest claim is of an owner outside of the model's workers.
    pub foreign: bool,
    /// Workers.
    pub workers: Vec<Worker>,
    /// Crashes left.
    pub crashes: u8,
    /// Offsets that retention may yet take.
    pub expiries: u8,
    /// Times the group's offset may yet be set back or lost.
    pub rewinds: u8,
    /// See [`wrong`].
    pub wrong: u8,
}

impl State {
    /// A record of the log takes effect, if its claim is the latest.
    pub fn append(&mut self, job: &Job) -> bool {
        if job.epoch != self.log.epoch {
            return false;
        }
        let log = &mut self.log;
        let from = log.next.unwrap_or(job.next);
        log.start = if log.next.is_none() { job.next } else { log.start };
        let covered = job.rows | job.gaps;
        if job.next < from || covered != below(job.next) & !below(from) {
            self.wrong |= wrong::NOT_CONTIGUOUS;
        }
        if log.visible & job.rows != 0 {
            self.wrong |= wrong::TWICE;
        }
        log.visible |= job.rows;
        log.gaps |= job.gaps;
        log.next = Some(job.next);
        true
    }
}

/// All offsets below this one.
pub fn below(offset: u8) -> Set {
    ((1u16 << offset) - 1) as Set
}
