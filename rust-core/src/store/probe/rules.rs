//! The trials P1, P3 and P5: in goes a folder of a store, out comes nothing, or which promise the
//! store breaks.

use super::again::{READS, TRIALS, again};
use crate::config::Guarantee;
use crate::error::{Error, Kind, Result};
use crate::store::{Created, Location, Store, is_lacking};
use bytes::Bytes;
use futures::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Requests that take away what was made, at once.
const DELETES: usize = 16;

pub(super) const CREATE_TWICE: &str = "the store accepted a second create of the same key; exactly-once is \
    impossible here. Use a store that honours If-None-Match on writes, also under concurrency: \
    AWS S3, SeaweedFS above 4.16, MinIO, Ceph, R2; or set delivery.guarantee=at_least_once";

/// Trials in a folder of their own.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) store: Arc<dyn Store>,
    /// Full key of the folder, with a `/` at its end.
    pub(super) folder: String,
    /// Keys that may exist because of us.
    pub(super) made: Mutex<Vec<String>>,
}

impl Trial {
    pub(super) fn begin(meta: &Location) -> Self {
        let folder = format!("{}/", meta.key(&format!("v1/probe/{}", Uuid::new_v4().simple())));
        Self { store: Arc::clone(&meta.store), folder, made: Mutex::default() }
    }

    /// What the commit log rests on, the cheap trials first.
    pub(super) async fn log(&self, guarantee: Guarantee) -> Result<()> {
        again(TRIALS, |n| self.creates_once(n)).await?;
        again(TRIALS, |n| self.lists_what_is_there(n)).await?;
        if guarantee == Guarantee::AtLeastOnce {
            // Rivals are what it does without.
            return Ok(());
        }
        self.lets_one_rival_win().await
    }

    /// Removes what the trials made; what stays is small and in nobody's way.
    pub(super) async fn clean_up(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let deletes = futures::stream::iter(made).map(|key| async move {
            if let Err(error) = again(READS, |_| self.store.delete(&key)).await {
                tracing::debug!(%key, %error, "an object of the probe could not be removed");
            }
        });
        deletes.buffer_unordered(DELETES).collect::<()>().await;
    }

    /// P1: a second create of a key is refused and changes nothing. P5: after a delete it is not.
    /// What is not answered ends it: a create that lands late could not be told from the store's
    /// word broken.
    async fn creates_once(&self, n: u32) -> Result<()> {
        let key = self.key(&format!("once-{n}"));
        self.expect_created(&key, "first").await?;
        if self.create(&key, "second").await? {
            return Err(broken("P1", &key, CREATE_TWICE));
        }
        self.expect_content("P1", &key, "first").await?;
        self.store.delete(&key).await?;
        if self.content(&key).await?.is_some() {
            return Err(broken("P5", &key, "the store still gives an object that was deleted"));
        }
        self.expect_created(&key, "again").await?;
        self.expect_content("P5", &key, "again").await
    }

    /// P3: what was written is there at once, for GET, HEAD and LIST; listings ascend and begin
    /// where they are told to.
    async fn lists_what_is_there(&self, n: u32) -> Result<()> {
        let folder = format!("{}list-{n}/", self.folder);
        let name = |seq: u64| format!("{folder}{seq:020}.json");
        let mut there: Vec<String> = Vec::new();
        for seq in [3, 1, 4, 0, 2] {
            let key = name(seq);
            // Nothing is deleted here: the same create that lands twice changes nothing.
            again(READS, |_| self.expect_created(&key, "listed")).await?;
            self.expect_content("P3", &key, "listed").await?;
            let head = again(READS, |_| self.store.head(&key)).await?;
            if head.is_none_or(|info| info.size != 6) {
                return Err(broken("P3", &key, "HEAD does not see what was just written"));
            }
            there.push(key);
            there.sort_unstable();
            self.expect_listing(&folder, None, &there).await?;
        }
        self.expect_listing(&folder, Some(&there[1]), &there[2..]).await
    }

    async fn expect_listing(
        &self,
        folder: &str,
        after: Option<&str>,
        keys: &[String],
    ) -> Result<()> {
        let listed = again(READS, |_| self.store.list(folder, after)).await?;
        let listed: Vec<String> = listed.into_iter().map(|info| info.key).collect();
        if listed == keys {
            return Ok(());
        }
        let mut sorted = listed.clone();
        sorted.sort_unstable();
        let message = match (sorted == keys, after) {
            (true, _) => "the store does not list keys in ascending order",
            (false, Some(_)) => "the store does not begin a listing after the key it is told",
            (false, None) => "a listing does not show what is there: no strong consistency",
        };
        Err(broken("P3", folder, message).with("listed", listed.len()).with("there", keys.len()))
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    pub(super) fn note(&self, key: &str) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }

    /// The object, if it is there.
    pub(super) async fn content(&self, key: &str) -> Result<Option<Bytes>> {
        again(READS, |_| self.store.get(key)).await
    }

    /// Whether the store said that it created the object.
    pub(super) async fn create(&self, key: &str, body: &str) -> Result<bool> {
        self.note(key);
        match self.store.create(key, Bytes::from(body.to_owned())).await {
            Created::Done => Ok(true),
            Created::Refused => Ok(false),
            Created::Unknown(error) if is_lacking(&error) => {
                let message = "the store does not implement creates under a condition \
                               (If-None-Match); exactly-once is impossible here. Use another \
                               store, or set delivery.guarantee=at_least_once";
                Err(broken("P1", key, message).because(error))
            }
            Created::Unknown(error) => Err(error),
        }
    }

    async fn expect_created(&self, key: &str, body: &str) -> Result<()> {
        // A refused create may have met itself, repeated on the way.
        if self.create(key, body).await? || self.content(key).await?.is_some_and(|it| it == body) {
            return Ok(());
        }
        Err(broken("P1", key, "the store refuses to create a key that is not there"))
    }

    async fn expect_content(&self, rule: &str, key: &str, body: &str) -> Result<()> {
        match self.content(key).await? {
            Some(content) if content == body.as_bytes() => Ok(()),
            Some(_) if rule == "P3" => Err(broken(rule, key, "GET gives what was never written")),
            Some(_) => Err(broken(rule, key, CREATE_TWICE)),
            None => Err(broken(rule, key, "GET does not see what was just written")),
        }
    }
}

pub(super) fn broken(rule: &str, key: &str, message: &str) -> Error {
    Error::new(Kind::Config, message)
        .with("key", "lake.meta.url")
        .with("rule", rule)
        .with("object", key)
}
