//! `delivery.guarantee=at_least_once`: any store with creates made of plain writes, for those that
//! know no conditions. In go creates, out come their answers after a look before and a look after a
//! pause. Two owners that write at one time may both be told that they did: nothing fences them.

use super::{Completed, Content, Created, LifecycleRule, ObjectInfo, PublishMode, Store};
use crate::error::{Error, Kind, Result};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How long another's write of the same key may be on its way before ours counts. A longer pause
/// would make a false answer rarer and every commit slower.
const READ_BACK: Duration = Duration::from_secs(1);

/// A store whose creates need no condition.
#[derive(Debug)]
pub struct PlainStore {
    inner: Arc<dyn Store>,
}

impl PlainStore {
    /// The same store with creates made of plain writes.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner }
    }

    /// Whether the object is ours after all; an error is an outcome that nobody knows.
    async fn write_and_look(&self, key: &str, body: Bytes) -> Result<bool> {
        if self.inner.head(key).await?.is_some() {
            return Ok(false);
        }
        self.inner.put(key, body.clone(), Content::Log).await?;
        tokio::time::sleep(READ_BACK).await;
        match self.inner.get(key).await? {
            Some(found) => Ok(found == body),
            None => {
                let message = "an object that was just written is not there";
                Err(Error::new(Kind::Store, message).temporary().with("key", key))
            }
        }
    }
}

#[async_trait]
impl Store for PlainStore {
    async fn create(&self, key: &str, body: Bytes) -> Created {
        match self.write_and_look(key, body).await {
            Ok(true) => Created::Done,
            Ok(false) => Created::Refused,
            Err(error) => Created::Unknown(error),
        }
    }

    fn mode(&self) -> PublishMode {
        self.inner.mode()
    }

    fn part_size(&self) -> usize {
        self.inner.part_size()
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.inner.get(key).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        self.inner.list(prefix, after).await
    }

    async fn list_first(&self, prefix: &str, max: usize) -> Result<Vec<ObjectInfo>> {
        self.inner.list_first(prefix, max).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn put(&self, key: &str, body: Bytes, content: Content) -> Result<()> {
        self.inner.put(key, body, content).await
    }

    async fn copy(&self, from: &str, to: &str) -> Completed {
        self.inner.copy(from, to).await
    }

    async fn start_upload(&self, key: &str) -> Result<String> {
        self.inner.start_upload(key).await
    }

    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        self.inner.put_part(key, upload, index, body).await
    }

    async fn put_part_once(
        &self,
        key: &str,
        upload: &str,
        index: usize,
        body: Bytes,
    ) -> Result<String> {
        self.inner.put_part_once(key, upload, index, body).await
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        self.inner.complete(key, upload, parts).await
    }

    async fn lifecycle(&self) -> Result<Option<Vec<LifecycleRule>>> {
        self.inner.lifecycle().await
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        self.inner.abort(key, upload).await
    }
}
