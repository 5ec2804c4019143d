//! The real stack under attack, with the shipped source and sink: zombies, rebalances without end,
//! lost replies, dead servers, a full disk, a clock that jumps, a person who plays with REST.
//!
//! In: for `make chaos` MINUTES of rebalances (10), ATTACK to make some of [`SCENARIOS`] only. Out:
//! a table, one row a scenario and sink. Never: a scenario passed without the proof that its attack
//! happened.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod attacks;
mod common;

use std::time::Duration;

use alluvium_tests::Connector;
use attacks::zombie::Late::{AfterTheClaim, BeforeTheClaim};
use attacks::{Arena, broker, clock, full_disk, idle_file, lifecycle, no_tmp, replies, row};
use attacks::{store_killed, storm, zombie};
use common::sink;

type Scenario = fn(&mut Arena, &Connector);

/// By the names that ATTACK takes; each leaves the shipped sink running.
const SCENARIOS: [(&str, Scenario); 12] = [
    ("zombie", |arena, sink| zombie::stands_still(arena, sink, 3)),
    ("zombie-late", |arena, sink| zombie::with_a_record_on_its_way(arena, sink, AfterTheClaim)),
    ("zombie-early", |arena, sink| zombie::with_a_record_on_its_way(arena, sink, BeforeTheClaim)),
    ("replies", |arena, sink| replies::cut(arena, sink, Duration::from_secs(30))),
    ("store", |arena, sink| store_killed::in_mid_upload(arena, sink, 3)),
    ("store-away", store_killed::away_at_a_start),
    ("broker-restarted", broker::restarted),
    ("broker-killed", broker::killed),
    ("lifecycle", lifecycle::over_rest),
    ("tmp", no_tmp::gone),
    ("idle", |arena, _| idle_file::deleted(arena)),
    ("disk", full_disk::fills_up),
];

/// The cheapest that tell the most, for every change.
#[test]
fn attacks_in_short() {
    let mut arena = Arena::start(storm::stack());
    let shipped = sessions(sink(&arena.stack));
    zombie::with_a_record_on_its_way(&mut arena, &shipped, AfterTheClaim);
    replies::cut(&mut arena, &shipped, Duration::from_secs(10));
    arena.delete(&[&shipped]);
    // Not the consumer protocol, under which Connect ends tasks: `make chaos` has it.
    let cooperative = storm::sinks(&shipped).remove(1);
    let (name, lasts) = ("tasks come and go", Duration::from_secs(15));
    storm::rebalances(&mut arena, name, &[&cooperative], "60000", lasts);
    arena.delete(&[&cooperative]);
    lifecycle::over_rest(&mut arena, &shipped);
    row::print(&arena.rows);
}

#[test]
#[ignore = "takes ten minutes: make chaos"]
fn attacks_one_after_another() {
    let wanted = std::env::var("ATTACK").unwrap_or_default();
    let mut arena = Arena::start(storm::stack());
    let shipped = sessions(sink(&arena.stack));
    let scenarios = SCENARIOS.iter().filter(|(name, _)| name.contains(&wanted));
    for (_, scenario) in scenarios {
        scenario(&mut arena, &shipped);
    }
    row::print(&arena.rows);
    assert!(!arena.rows.is_empty(), "no attack is named '{wanted}'");
}

#[test]
#[ignore = "takes twelve minutes: make chaos"]
fn rebalances_without_end() {
    let minutes = std::env::var("MINUTES").unwrap_or_else(|_| "10".to_owned());
    let lasts = Duration::from_secs(60 * minutes.parse::<u64>().unwrap());
    let mut arena = Arena::start(storm::stack());
    let sinks = storm::sinks(&sink(&arena.stack));
    let sinks: Vec<&Connector> = sinks.iter().collect();
    let name = "tasks and workers come and go, commit.interval.ms=60000";
    storm::rebalances(&mut arena, name, &sinks, "60000", lasts);
    row::print(&arena.rows);
}

#[test]
#[ignore = "takes two minutes and libfaketime: make chaos"]
fn the_clock_jumps() {
    let time = clock::Clock::new();
    let mut arena = Arena::start(time.stack());
    let on_s3 = sink(&arena.stack);
    let folder = format!("file://{}/clock", arena.stack.folder().display());
    let in_folder = on_s3.clone().named("orders-folder").with("lake.url", &folder);
    clock::jumps(&mut arena, &[&on_s3, &in_folder], &time);
    row::print(&arena.rows);
}

/// The short sessions that other stacks give all consumers of a worker.
fn sessions(sink: Connector) -> Connector {
    sink.with("consumer.override.session.timeout.ms", "6000")
        .with("consumer.override.heartbeat.interval.ms", "1000")
}
