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
fn logs(longest: u64) -> Vec<(LogId, u64)> {
    let log = |topic: &str, partition, records| {
        let tp = TopicPartition::new(topic, partition);
        (LogId { sink_id: "sink".to_owned(), tp, generation: 1 }, records)
    };
    vec![
        log("a", 0, longest),
        log("a", 1, 2),
        log("a-b", 0, 30),
        log("a.b", 3, 20),
        log("ab", 0, 1),
    ]
}

async fn fill(place: &Location, longest: u64) -> Vec<String> {
    let mut keys = Vec::new();
    for (log, records) in logs(longest) {
        keys.extend((1..=records).map(|seq| log.keys(&place.prefix).record(seq)));
    }
    let all: Vec<_> = keys.iter().map(|key| place.store.create(key, Bytes::new())).collect();
    let created: Vec<Created> = futures::stream::iter(all).buffer_unordered(16).collect().await;
    assert!(created.iter().all(|created| matches!(created, Created::Done)));
    keys.sort();
    keys
}

async fn everything_is_found(place: &Location, longest: u64) {
    let keys = fill(place, longest).await;
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
    let mut wanted: Vec<LogId> = logs(longest).into_iter().map(|(log, _)| log).collect();
    wanted.sort();
    assert_eq!(survey::logs(place).await.unwrap(), wanted);
}

#[tokio::test]
async fn in_memory_with_few_requests_however_long_a_log_is() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    let place = Location { store: store.clone(), prefix: "lake/cdc.alluvium".to_owned() };
    everything_is_found(&place, 5_000).await;
    store.take_requests();
    survey::logs(&place).await.unwrap();
    let lists = store.count(Op::List);
    assert!(
        (2..=4).contains(&lists),
        "{lists} listings for 5 logs, of which one has 5,000 records"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lake", folder.path().display());
    let keys = [("lake.url".to_owned(), url)].into();
    let config = alluvium_core::config::Config::parse(&keys, "sink").unwrap();
    everything_is_found(&open(&config).unwrap().meta, 1_200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_s3_server() {
    let weed = Weed::shared();
    let lake = open(&weed.config("s3://lake/survey", &[])).unwrap();
    everything_is_found(&lake.meta, 1_200).await;
}
