//! What may happen in a step: to owners, to the store, to Kafka, by users.

use super::Simulation;
use super::oracle::Broken;
use super::owner::Owner;
use alluvium_core::position::TopicPartition;
use alluvium_testkit::connect::Turn;
use alluvium_testkit::kafka::{Entry, event};
use alluvium_testkit::{Doom, Fault, Op};
use std::time::Duration;

/// Everything the store does.
const ALL: [Op; 7] =
    [Op::Get, Op::Head, Op::List, Op::Create, Op::StartUpload, Op::PutPart, Op::Complete];

impl Simulation {
    pub(super) fn begin(&mut self) {
        for tp in self.scenario.tps.clone() {
            let first = if self.random.u8(..4) == 0 { self.random.i64(1..500) } else { 0 };
            self.create(&tp, first);
            for _ in 0..self.random.usize(..30) {
                self.produce(&tp);
            }
        }
    }

    fn create(&mut self, tp: &TopicPartition, first: i64) {
        self.world.kafka.create(tp, first);
        self.oracle.parts.entry(tp.clone()).or_default().expired = first;
    }

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
        let part = ["", "/logs/", ".parquet", ".started"][self.random.usize(..4)];
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

    async fn add_partition(&mut self) -> Result<(), Broken> {
        let tp = TopicPartition::new("orders", self.scenario.tps.len() as i32);
        self.create(&tp, 0);
        self.produce(&tp);
        self.scenario.tps.push(tp);
        self.rebalance("a partition is added").await
    }

    fn expire(&mut self) {
        let tp = self.any_tp();
        let Some(partition) = self.world.kafka.partition(&tp) else { return };
        let first = self.random.i64(partition.first()..=partition.end());
        self.world.kafka.expire(&tp, first);
        if let Some(seen) = self.oracle.parts.get_mut(&tp) {
            seen.expired = seen.expired.max(first);
        }
        self.tell(|| format!("{tp} begins at {first}"));
    }

    fn truncate(&mut self) {
        if self.oracle.parts.values().any(|seen| seen.truncated) {
            return;
        }
        let tp = self.any_tp();
        let Some(partition) = self.world.kafka.partition(&tp) else { return };
        let end = self.random.i64(partition.first()..=partition.end());
        self.world.kafka.truncate(&tp, end);
        if let Some(seen) = self.oracle.parts.get_mut(&tp) {
            seen.truncated = true;
        }
        self.tell(|| format!("{tp} is truncated to {end}"));
    }

    fn rewind_group(&mut self) {
        let tp = self.any_tp();
        let Some(offset) = self.world.group.get(&tp).copied().filter(|offset| *offset > 0) else {
            return;
        };
        let known = self.oracle.parts.get(&tp).and_then(|seen| seen.chain.head());
        // Before the log knows where it is, the group's word is all there is.
        if known.is_none_or(|head| head.next_offset.is_none()) {
            return;
        }
        let to = self.random.i64(0..=offset);
        if self.random.bool() {
            self.world.group.remove(&tp);
        } else {
            self.world.group.insert(tp.clone(), to);
        }
        self.tell(|| format!("the group's offset of {tp} goes back from {offset}, or is lost"));
    }

    fn delete_settled(&mut self) {
        if let Some(key) = self.oracle.delete_settled(&mut self.random) {
            self.world.memory.remove(&key);
            self.tell(|| format!("a user deletes {}", super::without_nonce(&key)));
        }
    }

    /// What the log's upkeep may do at any time: never the head, nothing unsettled.
    fn clean(&mut self) {
        let tp = self.any_tp();
        let keys = alluvium_core::log::LogKeys::new(crate::world::META, "sink", &tp, 1);
        let Some(seen) = self.oracle.parts.get(&tp) else { return };
        let below = seen.chain.needed_from();
        for seq in 1..below {
            self.world.memory.remove(&keys.record(seq));
        }
        self.tell(|| format!("{tp}: records below {below} are cleaned away"));
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

    fn produce(&mut self, tp: &TopicPartition) {
        self.next_id += 1;
        let id = self.next_id;
        let entry = match self.random.u8(..24) {
            0 => Entry::Gap,
            1 => Entry::Record(None),
            2 => Entry::Record(Some(b"broken".to_vec())),
            3 => Entry::Dropped,
            // Spread over hours: several files a cut.
            _ => Entry::Record(Some(event(id, self.random.i64(0..3) * 3_600))),
        };
        self.records += 1;
        let offset = self.world.kafka.append(tp, entry.clone());
        self.oracle.produced(tp, offset, &entry, id);
    }

    fn any_tp(&mut self) -> TopicPartition {
        self.scenario.tps[self.random.usize(..self.scenario.tps.len())].clone()
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
