//! When a topic-partition's old log records are archived: after a record of ours was confirmed and
//! its commit answered, one run a topic-partition at a time, a few a task. Nothing waits for a
//! run, and what it cannot do is said and left to the next.

use super::driver::Driver;
use super::jobs::Done;
use crate::error::Result;
use crate::log::Blocks;
use crate::position::TpId;
use crate::upkeep::{self, Archived};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Runs of a task at once. Topic-partitions that commit in step come due together.
const AT_ONCE: usize = 4;

/// What the runs of a task share.
#[derive(Debug)]
pub(super) struct Archiving {
    blocks: Blocks,
    turns: Arc<Semaphore>,
}

impl Archiving {
    pub(super) fn new(blocks: Blocks) -> Self {
        Self { blocks, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Driver {
    /// Begins a run, if the record just confirmed is one after which a run is due.
    pub(super) fn archive(&mut self, id: TpId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let (Some(log), Some(state)) = (&lane.log, lane.state.log()) else { return };
        let mut log = log.clone();
        log.keys = log.keys.with_blocks(self.archiving.blocks);
        let running = lane.archiving.as_ref().is_some_and(|run| !run.is_finished());
        if running || !upkeep::is_due(&log, state) {
            return;
        }
        let (state, turns) = (state.clone(), self.archiving.turns.clone());
        lane.archiving = Some(self.jobs.spawn(async move {
            // Never closed; without a turn it would only run beside more others.
            let _turn = turns.acquire().await.ok();
            (id, Done::Archived(upkeep::archive(&log, &state).await))
        }));
    }

    pub(super) fn on_archived(&self, id: TpId, archived: Result<Archived>) {
        let Some(lane) = self.lanes.get(&id) else { return };
        match archived {
            Ok(Archived { blocks, deleted }) => {
                tracing::debug!(tp = %lane.tp, blocks, deleted, "old log records archived");
            }
            Err(error) => {
                tracing::warn!(tp = %lane.tp, %error, "old log records wait for the next archiving");
            }
        }
    }
}
