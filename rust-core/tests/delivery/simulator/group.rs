//! The consumer group: who has which topic-partition, and who is told of it when.

use super::Simulation;
use super::oracle::Broken;
use alluvium_core::position::TopicPartition;
use alluvium_testkit::connect::Turn;
use std::collections::BTreeMap;

impl Simulation {
    /// Gives every topic-partition to one of the members. Whoever stands still is no member any
    /// more, and does not know.
    pub(super) async fn rebalance(&mut self, why: &str) -> Result<(), Broken> {
        for owner in &mut self.owners {
            owner.member &= owner.acts();
        }
        let members: Vec<usize> =
            (0..self.owners.len()).filter(|at| self.owners[*at].member).collect();
        if members.is_empty() {
            return Ok(());
        }
        let mut wanted: BTreeMap<usize, Vec<TopicPartition>> = BTreeMap::new();
        for tp in self.scenario.tps.clone() {
            let at = members[self.random.usize(..members.len())];
            wanted.entry(at).or_default().push(tp);
        }
        let eager = !self.scenario.cooperative;
        self.tell(|| format!("{why}, {}", if eager { "eager" } else { "cooperative" }));
        let mut given: BTreeMap<usize, Vec<TopicPartition>> = BTreeMap::new();
        for at in &members {
            let wanted = wanted.remove(at).unwrap_or_default();
            let held = self.owners[*at].worker.assignment();
            let keeps = |tp: &TopicPartition| !eager && wanted.contains(tp);
            let revoked: Vec<_> = held.iter().filter(|tp| !keeps(tp)).cloned().collect();
            given.insert(
                *at,
                wanted.iter().filter(|tp| !held.contains(tp) || eager).cloned().collect(),
            );
            self.turn(*at, Turn { revoked, ..Turn::default() }).await?;
        }
        // Between the two halves records may come, requests may land.
        if self.random.bool() {
            let pause = self.random.u64(1..400);
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        }
        for (at, assigned) in given {
            // It may have failed, died or stopped within the first half.
            if !self.owners[at].acts() {
                self.owners[at].member = false;
                continue;
            }
            self.turn(at, Turn { assigned, ..Turn::default() }).await?;
        }
        Ok(())
    }

    /// An owner that stood still goes on: it finds out at once, or works on as if nothing was.
    pub(super) async fn wake(&mut self) -> Result<(), Broken> {
        let Some(at) = self.pick(|owner| owner.store.is_stalled()) else {
            return self.part().await;
        };
        self.owners[at].store.wake();
        let (name, member) = (self.owners[at].name, self.owners[at].member);
        self.tell(|| {
            format!("owner {name} goes on, {}", if member { "a member" } else { "a zombie" })
        });
        Ok(())
    }

    /// A zombie learns that it is one: it has lost its partitions. It joins again, or ends.
    async fn part(&mut self) -> Result<(), Broken> {
        let Some(at) = self.pick(|owner| owner.acts() && !owner.member) else { return Ok(()) };
        let name = self.owners[at].name;
        let lost = self.owners[at].worker.assignment();
        if self.random.u8(..3) == 0 {
            // Connect fails before it calls `close`.
            self.tell(|| format!("owner {name} has lost its partitions and is not told"));
            self.owners[at].worker.forget(&lost);
        } else {
            self.tell(|| format!("owner {name} has lost its partitions"));
            self.turn(at, Turn { lost, ..Turn::default() }).await?;
        }
        self.owners[at].member = true;
        self.rebalance("a zombie joins again").await
    }
}
