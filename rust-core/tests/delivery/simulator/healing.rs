//! The end of every seed: faults end, zombies learn or die, one fair worker is left. Then
//! everything must be visible and settled, and the group where the log is.

use super::Simulation;
use super::oracle::Broken;
use super::seen::Seen;
use alluvium_core::log::LogRecord;
use alluvium_testkit::connect::Turn;
use std::time::Duration;

/// Two owners in a duel pause for up to five minutes.
const PATIENCE: Duration = Duration::from_secs(1_800);

impl Simulation {
    pub(super) async fn heal(&mut self) -> Result<(), Broken> {
        self.tell(|| "healing".to_owned());
        for owner in &mut self.owners {
            owner.store.heal();
            owner.worker.rest_paused = false;
            owner.worker.acknowledge = true;
            owner.worker.acknowledge_all();
        }
        self.look()?;
        let survivor = self.pick(|owner| owner.acts() && owner.member);
        let fair = match survivor.filter(|_| self.random.bool()) {
            Some(at) => self.owners[at].name,
            None => self.fair_owner(),
        };
        self.part_others(fair).await?;
        let began = tokio::time::Instant::now();
        let mut fair = fair;
        loop {
            fair = self.fair_turn(fair).await?;
            self.look()?;
            let unfinished = self.oracle.unfinished().or_else(|| self.lag());
            let Some(unfinished) = unfinished else { break };
            let waited = began.elapsed();
            if waited > PATIENCE {
                return Err(format!("after {} s of healing: {unfinished}", waited.as_secs()));
            }
            let pause = if waited < Duration::from_secs(30) { 200 } else { 5_000 };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.regression_named(fair).await?;
        self.look()?;
        self.history_is_whole()
    }

    /// The log reads back to its first record, archived ones too, as it was first written.
    fn history_is_whole(&self) -> Result<(), Broken> {
        if self.scenario.may.cleaning {
            return Ok(());
        }
        // It is the simulator that reads here, and wants all of it.
        self.world.memory.strengthen_listing();
        for (tp, seen) in &self.oracle.parts {
            let log = self.world.log(tp.partition, "sink");
            if !log.iter().eq(seen.chain.records()) {
                let told = |record: &LogRecord| format!("{} {:?}", record.seq, record.kind);
                let (read, written): (Vec<_>, Vec<_>) =
                    (log.iter().map(told).collect(), seen.chain.records().map(told).collect());
                return Err(format!(
                    "{tp}: the log reads otherwise than it was written: {read:?}, not {written:?}"
                ));
            }
        }
        Ok(())
    }

    fn fair_owner(&mut self) -> u32 {
        self.new_owner(true);
        let owner = &self.owners[self.owners.len() - 1];
        owner.store.heal();
        owner.name
    }

    /// Everybody else dies, finds out, or works on for a while as a zombie.
    async fn part_others(&mut self, fair: u32) -> Result<(), Broken> {
        let mut at = 0;
        while at < self.owners.len() {
            if self.owners[at].name == fair {
                at += 1;
                continue;
            }
            let name = self.owners[at].name;
            let choice = self.random.u8(..4);
            self.tell(|| format!("owner {name} ends by way {choice}"));
            self.owners[at].member = false;
            if choice == 0 {
                self.owners.remove(at).worker.crash().await;
                continue;
            }
            self.owners[at].store.wake();
            if choice == 1 {
                let lost = self.owners[at].worker.assignment();
                self.turn(at, Turn { lost, ..Turn::default() }).await?;
            }
            at += 1;
        }
        Ok(())
    }

    /// One turn of the fair worker, and of the zombies in their last minute. A fair worker that
    /// fails is replaced by one that isolates what cannot go on.
    async fn fair_turn(&mut self, fair: u32) -> Result<u32, Broken> {
        let commit = self.random.u8(..4) == 0;
        for at in 0..self.owners.len() {
            let is_fair = self.owners[at].name == fair;
            let held = self.owners[at].worker.assignment();
            let missing = self.scenario.tps.iter().filter(|tp| is_fair && !held.contains(tp));
            let assigned = missing.cloned().collect();
            self.turn(at, Turn { commit: commit && is_fair, assigned, ..Turn::default() }).await?;
        }
        let ends = self.random.u8(..20) == 0;
        if let Some(at) = self.owners.iter().position(|owner| ends && owner.name != fair) {
            self.owners.remove(at).worker.crash().await;
        }
        self.bury().await?;
        match self.owners.iter().any(|owner| owner.name == fair) {
            true => Ok(fair),
            false => Ok(self.fair_owner()),
        }
    }

    /// The group must come to where the log is.
    fn lag(&self) -> Option<String> {
        let whole = |seen: &Seen| !seen.truncated && !self.oracle.is_lost(seen);
        self.oracle.parts.iter().filter(|(_, seen)| whole(seen)).find_map(|(tp, seen)| {
            let next = seen.chain.head()?.next_offset?;
            let group = self.world.group.get(tp).copied();
            // Connect commits what differs from what it committed last: of what happens to the
            // group behind its back it learns nothing.
            let unheard = self.set_back.get(tp) == Some(&group);
            (group != Some(next) && !unheard)
                .then(|| format!("{tp}: the group is at {group:?}, not {next}"))
        })
    }

    /// Offsets that went back are told by name, wherever there is something to read.
    async fn regression_named(&mut self, fair: u32) -> Result<(), Broken> {
        let truncated = self.oracle.parts.iter().find(|(_, seen)| seen.truncated);
        let Some((tp, seen)) = truncated else { return Ok(()) };
        let next = seen.chain.head().and_then(|head| head.next_offset);
        let (Some(next), Some(partition)) = (next, self.world.kafka.partition(tp)) else {
            return Ok(());
        };
        let (first, end) = (partition.first(), partition.end());
        let readable = || seen.records.range(first..end).next().is_some();
        if end >= next || first >= end || !readable() {
            return Ok(());
        }
        let tp = tp.clone();
        for _ in 0..400 {
            let fair_one = self.owners.iter().find(|owner| owner.name == fair);
            let named = fair_one.map(|owner| owner.worker.metrics()["regressions_total"] != 0);
            if named.unwrap_or(true) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.fair_turn(fair).await?;
        }
        Err(format!("{tp} ends at {end}, the log is at {next}, and nobody says so"))
    }
}
