//! Room 12, task: in go Connect's calls, out come actions and safe offsets. The only room with
//! the control flow: it calls all the others.
//!
//! A task has two halves. [`SinkTask`] is called on Connect's task thread and never waits; the
//! driver runs on the runtime, takes the queue's messages in order and does the work. Each half
//! has its part of a topic-partition's state ([`assigned`], [`topic_partition`]); they share
//! nothing but the queue, the events and counters.

mod action;
mod archiving;
mod assigned;
mod budget;
mod driver;
mod ending;
mod errants;
mod facts;
mod files;
mod flush;
mod inbox;
mod jobs;
mod lane;
mod sealing;
mod sink_task;
mod topic_partition;
mod trying;
mod work;

pub use crate::offsets::SafeOffset;
pub use action::Action;
pub use budget::{MemoryBudget, MemoryShare};
pub use errants::Errant;
pub use facts::Answer;
pub use sink_task::SinkTask;

use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::TaskMetrics;
use crate::partition::PathTemplate;
use crate::recover::Identity;
use crate::store::Lake;
use crate::upload::UploadLimits;
use std::sync::Arc;

/// What a task is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The configuration.
    pub config: Arc<Config>,
    /// Who we are.
    pub identity: Arc<Identity>,
    /// Where the table is.
    pub lake: Lake,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// The task's share of the library's memory.
    pub share: Arc<MemoryShare>,
    /// The task's counters.
    pub metrics: Arc<TaskMetrics>,
    /// `partition.path`, parsed.
    pub paths: PathTemplate,
    /// What the task's uploads share.
    pub uploads: UploadLimits,
    /// What becomes of errant records.
    pub errant_policy: ErrantPolicy,
}

/// What becomes of a record that cannot become a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrantPolicy {
    /// `errors.tolerance=none`: commit everything before it, then fail naming it.
    Stop,
    /// `errors.tolerance=all` without a reporter: log and count it.
    Log,
    /// `errors.tolerance=all`: report it; the cut that skips it waits for the report.
    Report,
}
