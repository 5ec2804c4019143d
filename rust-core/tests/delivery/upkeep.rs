//! Archiving as the pipeline does it: beside commits, never before them, and nothing that a later
//! owner may need. Blocks of 4 bring a test there within seconds.

use crate::world::{CLOSE, Options, World, tp};
use alluvium_core::log::{Blocks, RecordKind};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::{Fault, Op};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn small_blocks() -> World {
    World { blocks: Blocks::for_tests(4), ..World::new() }
}

/// One row and the commit it makes, `times` times. The next row's id is the table's size.
async fn commits(world: &mut World, worker: &mut Worker, times: usize) {
    for _ in 0..times {
        let id = world.kafka.partition(&tp(0)).map_or(0, |p| p.end());
        world.kafka.insert(&tp(0), id);
        world.run(worker, Duration::from_millis(1_300)).await;
        world.check_all(0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_stays_small_and_reads_back_to_offset_0() {
    let mut world = small_blocks();
    for life in 0..4 {
        let mut worker = world.worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        commits(&mut world, &mut worker, 10).await;
        assert!(world.live(0).len() <= 12, "life {life}: {:?}", world.live(0));
        assert!(worker.metrics()["archived_blocks"].as_i64().unwrap() >= 1);
        worker.crash().await;
    }
    let log = world.check_log(0);
    assert!(log.len() > 40 && log[0].seq == 1);
    let rows: u64 = log.iter().map(|record| record.rows).sum();
    assert_eq!((rows, log.last().unwrap().next_offset), (40, Some(40)));
}

/// A key that clean-up opened again takes a zombie's record; nobody believes it.
#[tokio::test(start_paused = true)]
async fn a_record_on_a_reopened_key_is_rejected_and_cleaned_up() {
    let mut world = small_blocks().with_rows(0, 60);
    let (mut zombie, zombie_store) = world.faulty_worker(&Options::default());
    zombie.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut zombie, SECOND / 2).await;
    let hold = zombie_store.hold(Op::Create, "/logs/");
    hold.reached().await;
    let stalled = world.log(0, "sink").last().unwrap().seq + 1;

    let mut heir = world.worker(&Options::default());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut heir, 5 * SECOND).await;
    commits(&mut world, &mut heir, 12).await;
    assert!(!world.live(0).contains(&stalled), "archived, its key deleted");
    let before = world.check_log(0);
    assert_eq!(before[stalled as usize - 1].kind, RecordKind::Claim, "the heir's");

    hold.release();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(world.live(0).contains(&stalled), "the zombie's record landed");
    assert_eq!(zombie.metrics()["resurrect_rejected"], 1);
    world.check_all(0);
    zombie.crash().await;
    assert_eq!(world.check_log(0), before, "it is no part of the log");
    commits(&mut world, &mut heir, 5).await;
    assert!(!world.live(0).contains(&stalled), "cleaned up");
    world.check_log(0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stands_still_holds_up_no_commit_and_stays_the_only_one() {
    for (op, part) in [(Op::Delete, "/logs/"), (Op::Create, "/archive/"), (Op::Get, "/archive/")] {
        let mut world = small_blocks();
        let (mut worker, store) = world.faulty_worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        store.always_on(op, part, Fault::Hang);
        // Each commit is visible within its interval, which `commits` sees to.
        commits(&mut world, &mut worker, 20).await;
        let stuck = store.requests().iter().filter(|r| r.op == op && r.key.contains(part)).count();
        assert_eq!(stuck, 1, "{op:?}: no second run beside the first");
        worker.crash().await;
        let mut heir = world.worker(&Options::default());
        heir.assign(&[tp(0)], &world.kafka, &world.group);
        commits(&mut world, &mut heir, 5).await;
        assert!(world.live(0).len() <= 12, "{op:?}: finished by the next owner");
        world.check_log(0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_is_left_to_the_next_and_fails_nothing() {
    for fault in [Fault::Deny, Fault::FailBefore] {
        let mut world = small_blocks();
        let (mut worker, store) = world.faulty_worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        store.always_on(Op::Delete, "/logs/", fault);
        commits(&mut world, &mut worker, 20).await;
        assert!(store.count(Op::Delete) > 1, "each run tries");
        store.heal();
        commits(&mut world, &mut worker, 5).await;
        assert!(world.live(0).len() <= 12, "{:?}", world.live(0));
        world.check_log(0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_with_the_life_that_began_it() {
    for fenced in [false, true] {
        let mut world = small_blocks();
        let (mut worker, store) = world.faulty_worker(&Options::default());
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        let hold = store.hold(Op::Delete, "/logs/");
        commits(&mut world, &mut worker, 12).await;
        hold.reached().await;
        let live = world.live(0);
        if fenced {
            let mut other = world.worker(&Options::default());
            other.assign(&[tp(0)], &world.kafka, &world.group);
            world.run(&mut other, SECOND).await;
            other.crash().await;
            world.kafka.insert(&tp(0), 99);
            // Until it finds out, and no longer: then it claims again, and cleans up again.
            for _ in 0..20 {
                if worker.metrics()["fenced_total"] == 0 {
                    world.run(&mut worker, SECOND / 10).await;
                }
            }
            assert_eq!(worker.metrics()["fenced_total"], 1);
        } else {
            let mut group = std::mem::take(&mut world.group);
            worker.revoke(&[tp(0)], &mut group, CLOSE).await;
        }
        hold.release();
        tokio::time::sleep(SECOND / 10).await;
        assert_eq!(store.count(Op::Delete), 1, "fenced {fenced}: the rest is the next owner's");
        assert!(world.live(0).contains(&live[0]), "fenced {fenced}");
        world.check_log(0);
    }
}

/// Owners that come and go often must not let the log grow: a claim's number counts too.
#[tokio::test(start_paused = true)]
async fn a_claim_is_followed_by_a_run_like_any_record() {
    let mut world = small_blocks();
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    while world.log(0, "sink").last().is_none_or(|head| head.seq < 14) {
        commits(&mut world, &mut worker, 1).await;
    }
    world.run(&mut worker, 12 * SECOND).await;
    assert_eq!(world.log(0, "sink").last().unwrap().seq, 15, "settled, so that nothing is held");
    worker.crash().await;
    assert_eq!(world.live(0)[0], 8);
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    let head = world.check_log(0).last().unwrap().clone();
    assert_eq!((head.kind, head.seq), (RecordKind::Claim, 16));
    assert_eq!(world.live(0)[0], 12);
}

/// We know that a commit is settled; the record at the head does not say so yet. If we die here,
/// the next owner reads that commit by its key.
#[tokio::test(start_paused = true)]
async fn what_the_head_calls_unsettled_stays_though_it_is_published() {
    let mut world = small_blocks().with_rows(0, 5);
    let (mut worker, store) = world.faulty_worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    let hold = store.hold(Op::Complete, "");
    world.run(&mut worker, 3 * SECOND).await;
    hold.reached().await;
    worker.crash().await;
    let commit = world.log(0, "sink").last().unwrap().clone();
    assert_eq!((commit.kind, commit.seq), (RecordKind::Commit, 3));
    // Owner after owner dies in recovery: claims only.
    for _ in 4..12 {
        let (mut worker, store) = world.faulty_worker(&Options::default());
        store.always_on(Op::Complete, "", Fault::Hang);
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, SECOND).await;
        worker.crash().await;
    }
    // This one recovers, by a claim after which a run is due, and dies before it says so.
    let mut worker = world.worker(&Options::default());
    worker.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut worker, 2 * SECOND).await;
    worker.crash().await;
    let head = world.log(0, "sink").last().unwrap().clone();
    assert_eq!((head.kind, head.seq), (RecordKind::Claim, 12));
    assert_eq!(head.unsettled, [commit.link()]);
    assert!(world.live(0).contains(&3), "{:?}", world.live(0));
    world.check_all(0);

    let mut heir = world.worker(&Options::default());
    heir.assign(&[tp(0)], &world.kafka, &world.group);
    commits(&mut world, &mut heir, 8).await;
    assert!(!world.live(0).contains(&3), "settled on record, then archived");
    world.check_log(0);
}
