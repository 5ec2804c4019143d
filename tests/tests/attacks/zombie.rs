//! A worker that stands still for longer than its sessions last, and then goes on: the zombie.
//!
//! SIGSTOP and SIGCONT of the real process; its late requests must be refused, or be of a commit
//! that its successor has taken over.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Exchange, Server as _, Worker};

use super::requests::{Request as _, holder, record_of};
use super::row::Proof;
use super::{Arena, LIMIT};

/// Longer than the sessions of worker and consumer, 6 s.
const STILL: Duration = Duration::from_secs(15);
const FENCED: &str = "fenced; the log is claimed again";

/// When the record that is on its way reaches the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// While its sender stands still, before another has claimed the log.
    BeforeTheClaim,
    /// After another has.
    AfterTheClaim,
}

/// Nothing of it is under way in particular.
pub fn stands_still(arena: &mut Arena, sink: &Connector, times: usize) {
    arena.attack("SIGSTOP for 15 s", &[sink], |arena| {
        let (mut claims, mut again) = (0, Duration::ZERO);
        let fenced = arena.said(FENCED);
        arena.proxy.release();
        for _ in 0..times {
            let began = Instant::now();
            let victim = freeze(arena.worker_of(sink));
            claims += wait_claim(arena, &logs_of(sink), began);
            sleep(STILL.saturating_sub(began.elapsed()));
            again = again.max(thaw(arena, sink, victim));
        }
        let seen = arena.proxy.seen();
        let refused = seen.iter().filter(|one| refused(one)).count();
        let fenced = arena.said(FENCED) - fenced;
        let what = format!(
            "{times} times in state T; {claims} claims meanwhile by the other worker; \
             {refused} record(s) answered 412; {fenced} times fenced"
        );
        Proof { what, times, again }
    });
}

/// With the PUT of a commit's record on its way.
pub fn with_a_record_on_its_way(arena: &mut Arena, sink: &Connector, late: Late) {
    let name = match late {
        Late::BeforeTheClaim => "SIGSTOP, its record arrives",
        Late::AfterTheClaim => "SIGSTOP, its record arrives after the next claim",
    };
    arena.attack(name, &[sink], |arena| {
        let fenced = arena.said(FENCED);
        let held = hold_record(arena, sink);
        let mut workers = arena.stack.workers();
        let victim = workers.find(|one| holder(one.process().pid().unwrap(), held.client));
        let began = Instant::now();
        let victim = freeze(victim.unwrap());
        let claims = if late == Late::AfterTheClaim {
            // Of the very log: another partition may be claimed earlier.
            let (log, _) = record_of(&held).unwrap();
            let claims = wait_claim(arena, &log, began);
            arena.proxy.release();
            claims
        } else {
            arena.proxy.release();
            wait_claim(arena, &logs_of(sink), began)
        };
        let answered = |_: &[Arc<Exchange>]| held.status();
        let status = arena.proxy.wait("answer to the late record", LIMIT, answered).unwrap();
        sleep(STILL.saturating_sub(began.elapsed()));
        let again = thaw(arena, sink, victim);
        let expected = if late == Late::AfterTheClaim { 412 } else { 200 };
        assert_eq!(status, expected, "{}", held.target);
        let fenced = arena.said(FENCED) - fenced;
        let what = format!(
            "state T; {claims} claim(s) by the other worker; PUT of the record answered \
             {status}; {fenced} times fenced"
        );
        Proof { what, times: 1, again }
    });
}

/// The first commit's record of this sink, held before it reaches the store.
fn hold_record(arena: &Arena, sink: &Connector) -> Arc<Exchange> {
    let log = logs_of(sink);
    arena.proxy.hold(move |before, now| {
        let commit = record_of(now)
            .is_some_and(|(folder, record)| folder.contains(&log) && record["kind"] == "commit");
        commit && !before.iter().any(|one| one.held())
    });
    let held = |seen: &[Arc<Exchange>]| seen.iter().find(|one| one.held()).cloned();
    arena.proxy.wait("held record", LIMIT, held).unwrap()
}

fn freeze(worker: &Worker) -> &Worker {
    let pid = worker.process().pid().unwrap();
    worker.process().sigstop();
    for _ in 0..100 {
        if state_of(pid) == Some('T') {
            return worker;
        }
        sleep(Duration::from_millis(10));
    }
    unreachable!("process {pid} does not stand still: {:?}", state_of(pid));
}

/// How long after it goes on each partition has new visible rows.
fn thaw(arena: &Arena, sink: &Connector, worker: &Worker) -> Duration {
    worker.process().sigcont();
    let again = arena.again(sink, Instant::now());
    worker.wait_ready().unwrap();
    arena.stack.rest().unwrap().wait_running(&sink.name, 1, LIMIT).unwrap();
    again
}

fn logs_of(sink: &Connector) -> String {
    format!("/v1/logs/{}/", sink.name)
}

/// Waits for claims, since then, of logs whose folder contains `log`, which only the other worker
/// can make.
fn wait_claim(arena: &Arena, log: &str, since: Instant) -> usize {
    let claims = |seen: &[Arc<Exchange>]| {
        let new = seen.iter().filter(|one| one.at > since).filter(|one| {
            record_of(one).is_some_and(|(folder, _)| folder.contains(log) && one.claims(&folder))
        });
        Some(new.count()).filter(|count| *count > 0)
    };
    arena.proxy.wait("claim by the other worker", LIMIT, claims).unwrap()
}

fn refused(exchange: &Exchange) -> bool {
    exchange.status() == Some(412) && record_of(exchange).is_some()
}

/// The letter in `/proc/<pid>/stat`, behind the name in brackets.
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
