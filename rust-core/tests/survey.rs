//! What lies in a table's folders is all found, once, on a store that walks folders and on one
//! that compares keys; and with few requests.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::log::LogId;
use alluvium_core::position::TopicPartition;
use alluvium_core::store::{Created, Location, open};
use alluvium_core::survey::{self, Pages};
use alluvium_testkit::weed::Weed;
use alluvium_testkit::{FaultyStore, MemoryStore, Op};
use bytes::Bytes;
use futures::StreamExt;
use std::sync::Arc;

/// Logs whose topics' names sort in another order than their folders' contents: '-' and '.' come
/// before '/'. The first is longer than a page.
fn logs() -> Vec<(LogId, u64)> {
    let log = |topic: &str, partition, records| {
        let tp = TopicPartition::new(topic, partition);
        (LogId { sink_id: "sink".to_owned(), tp, generation: 1 }, records)
    };
    vec![log("a", 0, 1_200), log("a", 1, 2), log("a-b", 0, 30), log("a.b", 3, 20), log("ab", 0, 1)]
}

async fn fill(place: &Location) -> Vec<String> {
    let mut keys = Vec::new();
    for (log, records) in logs() {
        keys.extend((1..=records).map(|seq| log.keys(&place.prefix).record(seq)));
    }
    let all: Vec<_> = keys.iter().map(|key| place.store.create(key, Bytes::new())).collect();
    let created: Vec<Created> = futures::stream::iter(all).buffer_unordered(16).collect().await;
    assert!(created.iter().all(|created| matches!(created, Created::Done)));
    keys.sort();
    keys
}

async fn everything_is_found(place: &Location) {
    let keys = fill(place).await;
    let (mut pages, mut found) = (Pages::of(place), Vec::new());
    loop {
        let page = pages.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|object| object.key));
    }
    found.sort();
    assert_eq!(found.len(), keys.len());
    assert!(found == keys, "each object once");
    let mut wanted: Vec<LogId> = logs().into_iter().map(|(log, _)| log).collect();
    wanted.sort();
    assert_eq!(survey::logs(place).await.unwrap(), wanted);
}

#[tokio::test]
async fn in_memory_with_two_requests_a_log_at_most() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    let place = Location { store: store.clone(), prefix: "lake/cdc.alluvium".to_owned() };
    everything_is_found(&place).await;
    store.take_requests();
    survey::logs(&place).await.unwrap();
    let lists = store.count(Op::List);
    assert!((2..=5).contains(&lists), "{lists} listings for 5 logs with 1,253 records");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lake", folder.path().display());
    let keys = [("lake.url".to_owned(), url)].into();
    let config = alluvium_core::config::Config::parse(&keys, "sink").unwrap();
    everything_is_found(&open(&config).unwrap().meta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_s3_server() {
    let weed = Weed::shared();
    let lake = open(&weed.config("s3://lake/survey", &[])).unwrap();
    everything_is_found(&lake.meta).await;
}
