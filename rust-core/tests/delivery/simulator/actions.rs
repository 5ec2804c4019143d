//! What may happen in a step, and what happens to owners and their store.

use super::Simulation;
use super::oracle::Broken;
use super::owner::Owner;
use alluvium_testkit::connect::Turn;
use alluvium_testkit::{Doom, Fault, Op};
use std::time::Duration;

/// Everything the store does.
const ALL: [Op; 7] =
    [Op::Get, Op::Head, Op::List, Op::Create, Op::StartUpload, Op::PutPart, Op::Complete];

impl Simulation {
    pub(super) async fn act(&mut self) -> Result<(), Broken> {
        let may = self.scenario.may;
        match self.random.u8(..100) {
            0..=5 => self.join().await?,
            6..=7 if may.crash => self.crash().await,
            8..=10 if may.crash || may.stall => self.doom(),
            11..=12 if may.stall => self.stall(),
            13..=15 if may.stall => self.wake().await?,
            16..=18 if may.rebalance => self.rebalance("rebalance").await?,
            19 => self.leave().await?,
            20..=21 if may.outage => self.outage(),
            22 if may.pause => self.pause(),
            23 if may.partitions && self.scenario.tps.len() < 3 => self.add_partition().await?,
            24..=25 if may.retention => self.expire(),
            26..=27 if may.truncation => self.truncate(),
            28..=29 if may.group => self.rewind_group(),
            30..=31 if may.deletion => self.delete_settled(),
            32..=35 if may.cleaning => self.clean(),
            36..=37 if may.dead_letters => self.dead_letters()?,
            38..=39 if may.waiting => self.wait().await?,
            40..=55 => {
                let tp = self.scenario.tps[self.random.usize(..self.scenario.tps.len())].clone();
                for _ in 0..self.random.usize(1..6) {
                    self.produce(&tp);
                }
            }
            _ => self.go_on().await?,
        }
        self.bury().await
    }

    /// Every living owner takes some turns.
    async fn go_on(&mut self) -> Result<(), Broken> {
        for _ in 0..self.random.usize(1..4) {
            for at in 0..self.owners.len() {
                let commit = self.random.u8(..8) == 0;
                self.turn(at, Turn { commit, ..Turn::default() }).await?;
            }
            // Now and then Connect is back before the pipeline has seen anything.
            let pause = [0, 250, 250, 1_500][self.random.usize(..4)];
            if pause > 0 {
                tokio::time::sleep(Duration::from_millis(self.random.u64(1..pause))).await;
            }
            self.look()?;
        }
        Ok(())
    }

    pub(super) async fn turn(&mut self, at: usize, turn: Turn) -> Result<(), Broken> {
        let refused = self.scenario.may.group && self.random.u8(..4) == 0;
        self.owners[at].worker.commits_refused = refused;
        self.owners[at].turn(turn, &mut self.world, &mut self.oracle).await
    }

    pub(super) fn new_owner(&mut self, isolate: bool) {
        self.named += 1;
        let newer = self.scenario.may.newer && self.random.bool();
        let (name, seed) = (self.named, self.random.u64(..));
        let owner = Owner::start(&self.world, &self.scenario, (name, newer, isolate), seed);
        self.stores.push((name, owner.store.clone()));
        self.owners.push(owner);
        self.tell(|| {
            format!("owner {name} starts{}", if newer { ", of a newer version" } else { "" })
        });
    }

    async fn join(&mut self) -> Result<(), Broken> {
        let living = self.owners.iter().filter(|owner| owner.member).count();
        if living < self.scenario.owners_max {
            self.new_owner(false);
            self.rebalance("somebody joins").await?;
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Broken> {
        if let Some(at) = self.pick(|owner| owner.acts() && owner.member) {
            let name = self.owners[at].name;
            self.tell(|| format!("owner {name} is stopped"));
            self.owners[at].leave(&mut self.world, &mut self.oracle).await?;
            self.owners.remove(at).worker.crash().await;
            self.rebalance("somebody left").await?;
        }
        Ok(())
    }

    async fn crash(&mut self) {
        if let Some(at) = self.pick(|_| true) {
            let owner = self.owners.remove(at);
            self.tell(|| format!("owner {} dies", owner.name));
            self.deaths += 1;
            owner.worker.crash().await;
        }
    }

    /// An owner will die or stand still at one of its next requests.
    fn doom(&mut self) {
        let may = self.scenario.may;
        let dooms = [Doom::DieBefore, Doom::DieAfter, Doom::StallBefore, Doom::StallAfter];
        let from = if may.crash { 0 } else { 2 };
        let to = if may.stall { 4 } else { 2 };
        let doom = dooms[self.random.usize(from..to)];
        let part = ["", "/logs/", self.scenario.extension, ".started"][self.random.usize(..4)];
        let skip = self.random.u32(..6);
        if let Some(at) = self.pick(Owner::acts) {
            self.owners[at].store.doom(doom, part, skip);
            let name = self.owners[at].name;
            self.tell(|| format!("owner {name}: {doom:?} after {skip} requests of '{part}'"));
        }
    }

    fn stall(&mut self) {
        if let Some(at) = self.pick(Owner::acts) {
            self.owners[at].store.stall();
            let name = self.owners[at].name;
            self.tell(|| format!("owner {name} stands still"));
        }
    }

    fn outage(&mut self) {
        let Some(at) = self.pick(|_| true) else { return };
        let store = &self.owners[at].store;
        if self.random.u8(..3) == 0 {
            store.heal();
            store.seed(self.random.u64(..), self.scenario.rates);
            return self.tell(|| "the store is back".to_owned());
        }
        let fault = if self.random.bool() { Fault::FailBefore } else { Fault::FailAfter };
        let some = self.random.usize(..ALL.len());
        let ops = if self.random.bool() { &ALL[..] } else { &ALL[some..=some] };
        ops.iter().for_each(|op| store.always_on(*op, "", fault));
        let name = self.owners[at].name;
        self.tell(|| format!("owner {name}: the store is away for {ops:?}, {fault:?}"));
    }

    fn pause(&mut self) {
        let paused = self.random.bool();
        self.owners.iter_mut().for_each(|owner| owner.worker.rest_paused = paused);
        self.tell(|| format!("connector paused: {paused}"));
    }

    fn dead_letters(&mut self) -> Result<(), Broken> {
        let Some(at) = self.pick(Owner::acts) else { return Ok(()) };
        let worker = &mut self.owners[at].worker;
        worker.acknowledge = !worker.acknowledge;
        let answers = worker.acknowledge;
        if answers {
            worker.acknowledge_all();
        }
        self.tell(|| format!("the dead letter queue answers: {answers}"));
        self.look()
    }

    /// Nobody polls for a while; perhaps for longer than uploads may live.
    async fn wait(&mut self) -> Result<(), Broken> {
        let seconds = if self.random.u8(..3) == 0 { 150 } else { self.random.u64(5..50) };
        self.tell(|| format!("nobody polls for {seconds} s"));
        for _ in 0..seconds.div_ceil(10) {
            tokio::time::sleep(Duration::from_secs(10)).await;
            self.look()?;
        }
        Ok(())
    }

    /// One of those owners.
    pub(super) fn pick(&mut self, which: impl Fn(&Owner) -> bool) -> Option<usize> {
        let those: Vec<usize> =
            (0..self.owners.len()).filter(|at| which(&self.owners[*at])).collect();
        (!those.is_empty()).then(|| those[self.random.usize(..those.len())])
    }

    /// Owners that died at a request are gone; failed ones are taken down as the worker does.
    pub(super) async fn bury(&mut self) -> Result<(), Broken> {
        while let Some(at) = self.owners.iter().position(|o| o.store.is_dead() || o.failed) {
            let mut owner = self.owners.remove(at);
            let name = owner.name;
            self.deaths += usize::from(!owner.failed);
            let how = if owner.failed { "has failed and is taken down" } else { "has died" };
            self.tell(|| format!("owner {name} {how}"));
            owner.leave(&mut self.world, &mut self.oracle).await?;
            owner.worker.crash().await;
        }
        Ok(())
    }
}
