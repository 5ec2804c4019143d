//! One worker process with its task, seen from outside: it lives, stands still or is dead.

use super::newer::Newer;
use super::oracle::{Broken, Oracle};
use super::scenario::Scenario;
use crate::world::{CLOSE, World};
use alluvium_core::store::Store;
use alluvium_testkit::FaultyStore;
use alluvium_testkit::connect::{Turn, Worker};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) name: u32,
    pub(crate) worker: Worker,
    pub(crate) store: Arc<FaultyStore>,
    /// The group counts on it.
    pub(crate) member: bool,
    /// Its task has failed; the worker keeps it, and does nothing.
    pub(crate) failed: bool,
}

impl Owner {
    pub(crate) fn start(
        world: &World,
        scenario: &Scenario,
        (name, newer, isolate): (u32, bool, bool),
        seed: u64,
    ) -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(world.memory.clone())));
        store.seed(seed, scenario.rates);
        let seen: Arc<dyn Store> =
            if newer { Arc::new(Newer(store.clone())) } else { store.clone() };
        let worker = world.worker_on(seen, &scenario.options(name, isolate));
        Self { name, worker, store, member: true, failed: false }
    }

    /// Whether it does anything.
    pub(crate) fn acts(&self) -> bool {
        !self.failed && !self.store.is_dead() && !self.store.is_stalled()
    }

    /// One turn of its worker.
    pub(crate) async fn turn(
        &mut self,
        turn: Turn,
        world: &mut World,
        oracle: &mut Oracle,
    ) -> Result<(), Broken> {
        if !self.acts() {
            return Ok(());
        }
        self.worker.commits_refused |= !self.member;
        if turn.commit {
            self.worker.commit(&mut world.group);
            self.look(world, oracle)?;
        }
        let mut outcome = Ok(());
        let turn = Turn { commit: false, close_flush: CLOSE, ..turn };
        if let Err(error) = self.worker.turn(&turn, &world.kafka, &mut world.group).await {
            outcome = oracle.failed(&error);
            self.failed = true;
        }
        self.look(world, oracle)?;
        outcome
    }

    /// The worker takes its task down: everything is closed, the group is told.
    pub(crate) async fn leave(
        &mut self,
        world: &mut World,
        oracle: &mut Oracle,
    ) -> Result<(), Broken> {
        if !self.store.is_dead() && !self.store.is_stalled() {
            self.worker.commits_refused |= !self.member;
            self.worker.stop(&mut world.group, CLOSE).await;
            self.look(world, oracle)?;
        }
        self.member = false;
        Ok(())
    }

    /// What it has told Connect is held against the table.
    fn look(&mut self, world: &World, oracle: &mut Oracle) -> Result<(), Broken> {
        oracle.dead_letters.extend(self.worker.dead_letters.iter().cloned());
        oracle.observe(world)?;
        for (tp, offset) in std::mem::take(&mut self.worker.answered) {
            oracle.answered(&tp, offset).map_err(|rule| format!("owner {}: {rule}", self.name))?;
        }
        Ok(())
    }
}
