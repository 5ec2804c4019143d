//! Traces that once lost rows, stopped a topic-partition for good or let memory grow.

use crate::world::{CLOSE, Options, World, tp};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Connect carries a seek asked for in `close` out a whole turn later: the `put` of the turn in
/// between must not take it for done, or `preCommit` believes a position from before the seek.
#[tokio::test(start_paused = true)]
async fn a_log_claimed_again_while_another_partition_is_closed_loses_nothing() {
    let mut world = World::new().with_rows(0, 40).with_rows(1, 5);
    let mut worker = world.worker(&Options::default().with("commit.interval.ms", 3_000));
    worker.assign(&[tp(0), tp(1)], &world.kafka, &world.group);
    world.run(&mut worker, SECOND).await;
    assert!(world.check().is_empty(), "taken, not committed");
    let mut other = world.worker(&Options::default().with("commit.interval.ms", 600_000));
    other.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut other, SECOND).await;
    other.crash().await;
    // Its cut is fenced and the log claimed again, while the task thread is in a long poll.
    tokio::time::sleep(20 * SECOND).await;
    worker.iterate_losing(&[tp(1)], &world.kafka, CLOSE).await.unwrap();
    worker.commit(&mut world.group);
    world.run(&mut worker, 10 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
}
