use super::*;
use crate::memory::MemoryStore;
use std::time::Duration;

fn both() -> (MemoryStore, FaultyStore) {
    let memory = MemoryStore::default();
    (memory.clone(), FaultyStore::new(Arc::new(memory)))
}

#[tokio::test]
async fn a_failure_before_leaves_nothing_and_one_after_leaves_the_object() {
    let (memory, store) = both();
    store.next(Op::Create, Fault::FailBefore);
    store.next(Op::Create, Fault::FailAfter);
    assert!(matches!(store.create("a", Bytes::new()).await, Created::Unknown(_)));
    assert!(memory.keys().is_empty());
    assert!(
        matches!(store.create("a", Bytes::new()).await, Created::Unknown(e) if e.is_temporary())
    );
    assert_eq!(memory.keys(), ["a"]);
    assert!(matches!(store.create("a", Bytes::new()).await, Created::Refused));
    assert_eq!(store.count(Op::Create), 3);
}

#[tokio::test]
async fn a_repeated_create_meets_its_own_object() {
    let (memory, store) = both();
    store.next(Op::Create, Fault::Twice);
    assert!(matches!(store.create("a", Bytes::new()).await, Created::Refused));
    assert_eq!(memory.keys(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_write_lands_after_its_caller_was_told_of_a_failure() {
    let (memory, store) = both();
    store.next(Op::Create, Fault::Late(Duration::from_secs(9)));
    assert!(matches!(store.create("a", Bytes::new()).await, Created::Unknown(_)));
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(memory.keys().is_empty());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(memory.keys(), ["a"]);
}

#[tokio::test]
async fn rules_pick_by_key_and_once_comes_before_always() {
    let (_, store) = both();
    store.always_on(Op::Head, "logs/", Fault::FailBefore);
    store.next_on(Op::Head, "logs/", Fault::Deny);
    assert!(store.head("data/x").await.is_ok());
    assert!(!store.head("logs/x").await.unwrap_err().is_temporary());
    assert!(store.head("logs/x").await.unwrap_err().is_temporary());
    store.heal();
    assert!(store.head("logs/x").await.is_ok());
}

#[tokio::test]
async fn a_held_request_is_applied_only_when_released() {
    let (memory, store) = both();
    let hold = store.hold(Op::Create, "a");
    let sent = tokio::spawn({
        let store = store.clone();
        async move { store.create("a", Bytes::new()).await }
    });
    hold.reached().await;
    assert!(memory.keys().is_empty());
    hold.release();
    assert!(matches!(sent.await.unwrap(), Created::Done));
    assert_eq!(memory.keys(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    let faults = |seed| async move {
        let (_, store) = both();
        store.seed(seed, Rates::ROUGH);
        for _ in 0..200 {
            drop(store.head("a").await);
        }
        store.requests().iter().map(|r| r.fault).collect::<Vec<_>>()
    };
    let first = faults(7).await;
    assert_eq!(first, faults(7).await);
    assert_ne!(first, faults(8).await);
    let met = first.iter().filter(|f| **f != Fault::None).count();
    assert!((20..60).contains(&met), "{met} of 200");
}
