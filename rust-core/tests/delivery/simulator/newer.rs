//! An owner of a newer version, as an older one sees it: its records have members that the older
//! does not know, in the record and in `carry`.

use alluvium_core::error::Result;
use alluvium_core::store::{Completed, Content, Created, ObjectInfo, PublishMode, Store};
use alluvium_testkit::FaultyStore;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// The member of `carry` that only a newer version knows.
pub(crate) const CARRIED: &str = "newer_mark";

#[derive(Debug)]
pub(crate) struct Newer(pub(crate) Arc<FaultyStore>);

fn as_newer(body: &Bytes) -> Option<Bytes> {
    let mut record: Value = serde_json::from_slice(body).ok()?;
    let members = record.as_object_mut()?;
    members.insert("newer_member".into(), json!({"kind": "unknown", "list": [1, null]}));
    members.get_mut("carry")?.as_object_mut()?.insert(CARRIED.into(), json!({"high": 7}));
    serde_json::to_vec(&record).ok().map(Bytes::from)
}

#[async_trait]
impl Store for Newer {
    fn mode(&self) -> PublishMode {
        self.0.mode()
    }
    fn part_size(&self) -> usize {
        self.0.part_size()
    }
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.0.head(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        self.0.list(prefix, after).await
    }
    async fn create(&self, key: &str, body: Bytes) -> Created {
        let body = if key.contains("/logs/") { as_newer(&body).unwrap_or(body) } else { body };
        self.0.create(key, body).await
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key).await
    }
    async fn put(&self, key: &str, body: Bytes, content: Content) -> Result<()> {
        self.0.put(key, body, content).await
    }
    async fn copy(&self, from: &str, to: &str) -> Completed {
        self.0.copy(from, to).await
    }
    async fn start_upload(&self, key: &str) -> Result<String> {
        self.0.start_upload(key).await
    }
    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        self.0.put_part(key, upload, index, body).await
    }
    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        self.0.complete(key, upload, parts).await
    }
    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        self.0.abort(key, upload).await
    }
}
