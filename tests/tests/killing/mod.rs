//! Kills a worker at a request of one's choice, and proves from the proxy's record that it was so.

// A test is a crate of its own, in which `pub` reaches no farther.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod requests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alluvium_tests::{Exchange, Proxy, Server as _, Stack, Worker, say};

use crate::common::{DEAD_LEADER, revive_source};
use requests::{Commit, Request as _, commits, holder, unrecorded};

const LIMIT: Duration = Duration::from_secs(180);
/// With as many files, one can be visible, one be left to recovery, and one be left by that.
const FILES: usize = 3;
const PARTITIONS: usize = 3;
const LOOK: Duration = Duration::from_secs(3);

/// Where in the life of a commit a worker dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Some parts of a cut are at the store; no record names them.
    Buffering,
    /// The record is in the log; its owner has not looked whether it is the head.
    AfterRecord,
    /// Some files of a commit are visible, others not.
    MidPublish,
    /// The next owner has published some of the rest, not all.
    MidRecovery,
}

pub const PHASES: [Phase; 4] =
    [Phase::Buffering, Phase::AfterRecord, Phase::MidPublish, Phase::MidRecovery];

/// Kills workers of a stack.
#[derive(Debug)]
pub struct Killer<'a> {
    stack: &'a Stack,
    proxy: &'a Proxy,
    done: Vec<Phase>,
}

type Seen<'a> = &'a [Arc<Exchange>];

impl<'a> Killer<'a> {
    pub fn new(stack: &'a Stack, proxy: &'a Proxy) -> Self {
        Self { stack, proxy, done: Vec::new() }
    }

    /// How many workers were killed in a phase.
    pub fn kills(&self, phase: Phase) -> usize {
        self.done.iter().filter(|one| **one == phase).count()
    }

    /// Kills a worker in this phase and starts it again; everything runs when this returns.
    pub fn run(&mut self, run: usize, phase: Phase) {
        match phase {
            Phase::Buffering => self.buffering(run),
            Phase::AfterRecord => self.after_record(run),
            Phase::MidPublish => drop(self.mid_publish(run)),
            Phase::MidRecovery => {
                let commit = self.mid_publish(run);
                self.mid_recovery(run, commit);
            }
        }
        self.proxy.release();
        self.stack.workers().for_each(|worker| worker.wait_ready().unwrap());
        let rest = self.stack.rest().unwrap();
        rest.wait_running("orders-lake", PARTITIONS, LIMIT).unwrap();
    }

    /// Waits until each partition has a new commit, with all of its files completed.
    pub fn wait_progress(&self) {
        let began = Instant::now();
        self.proxy.release();
        let mut looked = began;
        let whole = |seen: Seen<'_>| {
            if looked.elapsed() > LOOK {
                looked = Instant::now();
                revive_source(self.stack.rest().unwrap(), &[DEAD_LEADER]);
            }
            let whole = commits(seen).into_iter().filter(|one| one.completed(seen) == one.files());
            let mut folders: Vec<_> = whole.map(|commit| commit.folder).collect();
            folders.sort();
            folders.dedup();
            (folders.len() == PARTITIONS).then_some(())
        };
        self.proxy.wait("commit of each partition", LIMIT, whole).unwrap();
        say(format!("each partition goes on after {:.1} s", began.elapsed().as_secs_f32()));
    }

    fn buffering(&mut self, run: usize) {
        self.proxy.hold(|before, now| {
            let held = before.iter().any(|one| one.held());
            let part = now.part_of();
            // Records too, once a part is held: none may name the parts before it meanwhile.
            now.is_record() && held || part.is_some_and(|key| !unrecorded(before, key).is_empty())
        });
        let (held, ()) = self.wait_held("part of a cut", |seen, held| {
            let parts = unrecorded(seen, held.part_of()?);
            parts.iter().any(|one| one.status() == Some(200)).then_some(())
        });
        let killed = self.kill(&held, Phase::Buffering);
        let parts = unrecorded(&self.proxy.seen(), held.part_of().unwrap());
        let stored = parts.iter().filter(|one| one.status() == Some(200)).count();
        assert!(stored > 0);
        say(format!(
            "run {run}, buffering: killed {} after {stored} part(s) that no record names were \
             answered 200, before PUT {}",
            killed.process().recipe().name,
            held.target
        ));
        killed.process().start_again().unwrap();
    }

    fn after_record(&mut self, run: usize) {
        self.proxy.hold(|before, now| {
            now.lists()
                .is_some_and(|folder| commits(before).iter().any(|commit| commit.folder == folder))
        });
        let (held, commit) = self.wait_held("listing behind a record", |seen, held| {
            let folder = held.lists()?;
            commits(seen).into_iter().find(|commit| commit.folder == folder)
        });
        let killed = self.kill(&held, Phase::AfterRecord);
        assert_eq!(commit.completed(&self.proxy.seen()), 0);
        say(format!(
            "run {run}, after the log record: killed {} after PUT {} of {} file(s) was answered \
             200, before the head was listed; 0 completions",
            killed.process().recipe().name,
            commit.target,
            commit.files()
        ));
        killed.process().start_again().unwrap();
    }

    /// Gives the commit that was left half published.
    fn mid_publish(&mut self, run: usize) -> Commit {
        self.proxy.hold(|before, now| {
            // One commit only, and all of its completions but the first.
            let held = before.iter().find(|one| one.held() || one.dropped());
            let commits = commits(before);
            let of = |one: &Exchange| commits.iter().find(|commit| commit.completes(one));
            of(now).is_some_and(|commit| {
                commit.files() >= FILES
                    && before.iter().any(|one| commit.completes(one))
                    && held.is_none_or(|held| commit.completes(held))
            })
        });
        let (held, commit) = self.wait_held("second completion", |seen, held| {
            let commit = commits(seen).into_iter().find(|commit| commit.completes(held))?;
            (commit.completed(seen) == 1).then_some(commit)
        });
        let killed = self.kill(&held, Phase::MidPublish);
        let done = commit.completed(&self.proxy.seen());
        assert_eq!(done, 1);
        say(format!(
            "run {run}, mid-publish: killed {} after {done} of {} completions of {} was answered \
             200; the others never reached the store",
            killed.process().recipe().name,
            commit.files(),
            commit.target
        ));
        killed.process().start_again().unwrap();
        commit
    }

    fn mid_recovery(&mut self, run: usize, commit: Commit) {
        let wanted = commit.clone();
        self.proxy.hold(move |before, now| {
            wanted.completes(now) && before.iter().any(|one| wanted.completes(one))
        });
        let (held, ()) = self.wait_held("second completion of a recovery", |seen, held| {
            (commit.completes(held) && commit.completed(seen) == 1).then_some(())
        });
        let killed = self.kill(&held, Phase::MidRecovery);
        let seen = self.proxy.seen();
        let claimed = seen.iter().any(|one| one.claims(&commit.folder));
        assert!(claimed, "no claim was seen before the recovery");
        assert_eq!(commit.completed(&seen), 1);
        say(format!(
            "run {run}, mid-recovery: killed {} after its claim and 1 of {} completions that were \
             left of {} were answered 200; the others never reached the store",
            killed.process().recipe().name,
            commit.files() - 1,
            commit.target
        ));
        killed.process().start_again().unwrap();
    }

    /// Waits for a held request of which `find` knows all that has to be before it.
    fn wait_held<T>(
        &self,
        what: &str,
        find: impl Fn(Seen<'_>, &Exchange) -> Option<T>,
    ) -> (Arc<Exchange>, T) {
        let found = |seen: Seen<'_>| {
            let mut held = seen.iter().filter(|one| one.held());
            held.find_map(|one| Some((one.clone(), find(seen, one)?)))
        };
        self.proxy.wait(&format!("held {what}"), LIMIT, found).unwrap()
    }

    /// Kills the worker whose request this is, and sees the request die with it.
    fn kill(&mut self, held: &Arc<Exchange>, phase: Phase) -> &'a Worker {
        let mut workers = self.stack.workers();
        let owner =
            workers.find(|one| one.process().pid().is_some_and(|pid| holder(pid, held.client)));
        let killed = owner.unwrap();
        killed.process().kill9();
        let dead = |_: Seen<'_>| held.dropped().then_some(());
        self.proxy.wait("end of the killed worker's request", LIMIT, dead).unwrap();
        self.done.push(phase);
        killed
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Buffering => "buffering",
            Self::AfterRecord => "after the record",
            Self::MidPublish => "mid-publish",
            Self::MidRecovery => "mid-recovery",
        })
    }
}
