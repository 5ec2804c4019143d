//! The real stack under attack, with the shipped source and sink: zombies, rebalances without end,
//! lost replies, dead servers, a full disk, a clock that jumps, a person who plays with REST.
//!
//! In: nothing; MINUTES of rebalances for `make chaos` (10). Out: a table, one row a scenario and
//! sink. Never: a scenario passed without the proof that its attack happened.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

mod attacks;
mod common;

use std::time::Duration;

use alluvium_tests::Connector;
use attacks::{Arena, broker, clock, full_disk, idle_file, lifecycle, no_tmp, replies, row};
use attacks::{store_killed, storm, zombie};
use common::sink;

/// The cheapest that tell the most, for every change.
#[test]
fn attacks_in_short() {
    let mut arena = Arena::start(storm::stack());
    let shipped = sessions(sink(&arena.stack));
    zombie::with_a_record_on_its_way(&mut arena, &shipped, zombie::Late::AfterTheClaim);
    replies::cut(&mut arena, &shipped, Duration::from_secs(10));
    arena.delete(&[&shipped]);
    let consumer = storm::sinks(&shipped, Duration::from_secs(1)).remove(2);
    storm::rebalances(&mut arena, "tasks come and go", &[&consumer], Duration::from_secs(15));
    arena.delete(&[&consumer]);
    lifecycle::over_rest(&mut arena, &lifecycle::ageing(&shipped));
    row::print(&arena.rows);
}

#[test]
#[ignore = "takes eight minutes: make chaos"]
fn attacks_one_after_another() {
    let mut arena = Arena::start(storm::stack());
    let shipped = sessions(sink(&arena.stack));
    zombie::stands_still(&mut arena, &shipped, 3);
    zombie::with_a_record_on_its_way(&mut arena, &shipped, zombie::Late::AfterTheClaim);
    zombie::with_a_record_on_its_way(&mut arena, &shipped, zombie::Late::BeforeTheClaim);
    replies::cut(&mut arena, &shipped, Duration::from_secs(30));
    store_killed::in_mid_upload(&mut arena, &shipped, 3);
    broker::restarted(&mut arena, &shipped);
    broker::killed(&mut arena, &shipped);
    let ageing = lifecycle::ageing(&shipped);
    lifecycle::over_rest(&mut arena, &ageing);
    arena.delete(&[&ageing]);
    no_tmp::gone(&mut arena, &shipped);
    arena.delete(&[&shipped]);
    idle_file::deleted(&mut arena);
    let disk = full_disk::Disk::mount(&arena.stack.folder().join("disk"));
    let on_disk = full_disk::sink(&shipped, &disk);
    full_disk::fills_up(&mut arena, &on_disk, &disk);
    arena.delete(&[&on_disk]);
    row::print(&arena.rows);
}

#[test]
#[ignore = "takes twelve minutes: make chaos"]
fn rebalances_without_end() {
    let minutes = std::env::var("MINUTES").unwrap_or_else(|_| "10".to_owned());
    let lasts = Duration::from_secs(60 * minutes.parse::<u64>().unwrap());
    let mut arena = Arena::start(storm::stack());
    let sinks = storm::sinks(&sink(&arena.stack), Duration::from_secs(60));
    let sinks: Vec<&Connector> = sinks.iter().collect();
    let name = "tasks and workers come and go, commit.interval.ms=60000";
    storm::rebalances(&mut arena, name, &sinks, lasts);
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
