//! One suite, every store: in memory, on a folder, on a real S3 server.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::store::{PlainStore, Store, open};
use alluvium_testkit::weed::{self, Weed};
use alluvium_testkit::{MemoryStore, Personality, conformance};
use std::sync::Arc;

#[tokio::test]
async fn in_memory() {
    for personality in [Personality::AWS, Personality::MINIO, Personality::R2] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(personality).with_part_size(1 << 16));
        conformance(store, "table").await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_conditions() {
    for personality in [Personality::AWS, Personality::GCS_INTEROP] {
        let memory = MemoryStore::new(personality).with_part_size(1 << 16);
        conformance(Arc::new(PlainStore::new(Arc::new(memory))), "table").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lake", root.path().display());
    let config = weed::config(&[("lake.url", url.as_str()), ("s3.part.size", "5242880")]);
    let lake = open(&config).unwrap();
    conformance(Arc::clone(&lake.table.store), &lake.table.key("conformance")).await;
    let staging = root.path().join("lake.alluvium/staging");
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0, "nothing is left in staging");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_s3() {
    let weed = Weed::shared();
    let config = weed.config("s3://lake/cdc", &[("s3.part.size", "5242880")]);
    let lake = open(&config).unwrap();
    conformance(Arc::clone(&lake.table.store), &lake.table.key("conformance")).await;
}
