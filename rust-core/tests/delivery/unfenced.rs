//! `delivery.guarantee=at_least_once`, on stores whose creates keep no condition.

use crate::world::{CLOSE, Options, World, tp};
use alluvium_core::store::{PlainStore, Store};
use alluvium_testkit::connect::Worker;
use alluvium_testkit::{Fault, FaultyStore, MemoryStore, Op, Personality};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A world on a store that ignores conditions.
fn world() -> World {
    let mut world = World::new().with_rows(0, 40);
    world.memory = MemoryStore::new(Personality::GCS_INTEROP);
    world
}

fn worker(world: &World) -> (Worker, Arc<FaultyStore>) {
    let faulty = Arc::new(FaultyStore::new(Arc::new(world.memory.clone())));
    let store: Arc<dyn Store> = Arc::new(PlainStore::new(faulty.clone()));
    let options = Options::default().with("delivery.guarantee", "at_least_once");
    (world.worker_on(store, &options), faulty)
}

#[tokio::test(start_paused = true)]
async fn one_owner_after_another_is_exact_even_there() {
    let mut world = world();
    for life in 0..6 {
        let (mut worker, store) = worker(&world);
        worker.assign(&[tp(0)], &world.kafka, &world.group);
        world.run(&mut worker, Duration::from_millis(2_700 + 900 * life)).await;
        assert_eq!(worker.metrics()["unfenced"], 1);
        assert_eq!(store.count(Op::Create), 0, "nothing rests on a condition");
        worker.crash().await;
        for id in 0..10 {
            world.kafka.insert(&tp(0), 100 * (life as i64 + 1) + id);
        }
    }
    let (mut last, _) = worker(&world);
    last.assign(&[tp(0)], &world.kafka, &world.group);
    world.run(&mut last, 10 * SECOND).await;
    world.check_all(0);
    world.check_log(0);
    let fenced = Options::default();
    assert_eq!(world.worker(&fenced).metrics()["unfenced"], 0);
}

/// Overlapping owners may double rows there, and lose none.
#[tokio::test(start_paused = true)]
async fn two_live_owners_lose_nothing() {
    let mut world = world();
    let (mut one, _) = worker(&world);
    let (mut two, _) = worker(&world);
    one.assign(&[tp(0)], &world.kafka, &world.group);
    two.assign(&[tp(0)], &world.kafka, &world.group);
    for _ in 0..100 {
        one.iterate(&world.kafka).unwrap();
        two.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    two.lose(&[tp(0)], CLOSE).await;
    for _ in 0..600 {
        one.iterate(&world.kafka).unwrap();
        tokio::time::sleep(SECOND / 10).await;
    }
    let visible = world.reader.read(&world.memory, crate::world::TABLE).unwrap();
    for offset in 0..40 {
        assert!(visible.contains_key(&(tp(0), offset)), "offset {offset} is lost");
    }
}

/// Whoever wrote last within the pause has the key; the other one is told.
#[tokio::test(start_paused = true)]
async fn a_write_that_was_overwritten_is_not_taken_for_ours() {
    use alluvium_core::store::Created;
    let memory = MemoryStore::new(Personality::GCS_INTEROP);
    let late = FaultyStore::new(Arc::new(memory.clone()));
    late.next(Op::Put, Fault::Delay(SECOND / 2));
    let (one, two) = (PlainStore::new(Arc::new(memory.clone())), PlainStore::new(Arc::new(late)));
    // Both see that there is none; the second writes while the first waits.
    let (second, first) = tokio::join!(two.create("k", "2".into()), one.create("k", "1".into()));
    assert!(matches!(first, Created::Refused), "{first:?}");
    assert!(matches!(second, Created::Done), "{second:?}");
    assert!(matches!(one.create("k", "3".into()).await, Created::Refused), "it is there");
    assert_eq!(memory.object("k").unwrap(), "2");
}
