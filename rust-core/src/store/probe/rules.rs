//! The trials P1 to P5: in goes a folder of a store, out comes what the store does, or which
//! promise it breaks.

use crate::error::{Error, Kind, Result};
use crate::store::{Completed, Created, Location, Store, etag};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Creates of one key at once, and how often: SeaweedFS up to 4.16 let three of three win.
const RIVALS: usize = 16;
const ROUNDS: usize = 3;
/// A store may refuse all rivals of a round as conflicting; it may not do so for ever.
const TRIES: usize = 5;

const CREATE_TWICE: &str = "the store accepted a second create of the same key; exactly-once is \
    impossible here. Use a store that honours If-None-Match on writes, also under concurrency: \
    AWS S3, SeaweedFS above 4.16, MinIO, Ceph, R2";

/// What the trials found.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) etags: bool,
    pub(super) repeat_completion: bool,
}

/// Trials in a folder of their own.
#[derive(Debug)]
pub(super) struct Trial {
    store: Arc<dyn Store>,
    /// Full key of the folder, with a `/` at its end.
    folder: String,
    /// Keys that may exist because of us.
    made: Mutex<Vec<String>>,
}

impl Trial {
    pub(super) fn begin(meta: &Location) -> Self {
        let folder = format!("{}/", meta.key(&format!("v1/probe/{}", Uuid::new_v4().simple())));
        Self { store: Arc::clone(&meta.store), folder, made: Mutex::default() }
    }

    /// All trials, the cheap ones first.
    pub(super) async fn all(&self) -> Result<Tried> {
        self.creates_once().await?;
        self.lists_what_is_there().await?;
        for round in 0..ROUNDS {
            self.lets_one_rival_win(round).await?;
        }
        self.uploads().await
    }

    /// Removes what the trials made; what stays is small and in nobody's way.
    pub(super) async fn clean_up(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let deletes = futures::stream::iter(made).map(|key| async move {
            if let Err(error) = self.store.delete(&key).await {
                tracing::debug!(%key, %error, "an object of the probe could not be removed");
            }
        });
        deletes.buffer_unordered(RIVALS).collect::<()>().await;
    }

    /// P1: a second create of a key is refused and changes nothing. P5: after a delete it is not.
    async fn creates_once(&self) -> Result<()> {
        let key = self.key("once");
        self.expect_created(&key, "first").await?;
        if self.create(&key, "second").await? {
            return Err(broken("P1", &key, CREATE_TWICE));
        }
        self.expect_content("P1", &key, "first").await?;
        self.store.delete(&key).await?;
        if self.store.get(&key).await?.is_some() {
            return Err(broken("P5", &key, "the store still gives an object that was deleted"));
        }
        self.expect_created(&key, "again").await?;
        self.expect_content("P5", &key, "again").await
    }

    /// P2: of rivals that create one key at once, exactly one is told that it did.
    async fn lets_one_rival_win(&self, round: usize) -> Result<()> {
        for attempt in 0..TRIES {
            let key = self.key(&format!("rivals-{round}-{attempt}"));
            let nonces: Vec<String> = (0..RIVALS).map(|_| Uuid::new_v4().to_string()).collect();
            let told = join_all(nonces.iter().map(|nonce| self.create(&key, nonce))).await;
            let told = told.into_iter().collect::<Result<Vec<bool>>>()?;
            let winners: Vec<&String> =
                nonces.iter().zip(&told).filter_map(|(n, won)| won.then_some(n)).collect();
            match *winners.as_slice() {
                [] => {}
                [winner] => return self.expect_content("P2", &key, winner).await,
                _ => return Err(broken("P2", &key, CREATE_TWICE).with("winners", winners.len())),
            }
        }
        let message = "the store refuses every one of several racing creates; nobody could commit";
        Err(broken("P2", &self.folder, message))
    }

    /// P3: what was written is there at once, for GET, HEAD and LIST; listings ascend and begin
    /// where they are told to.
    async fn lists_what_is_there(&self) -> Result<()> {
        let folder = format!("{}list/", self.folder);
        let name = |seq: u64| format!("{folder}{seq:020}.json");
        let mut there: Vec<String> = Vec::new();
        for seq in [3, 1, 4, 0, 2] {
            let key = name(seq);
            self.expect_created(&key, "listed").await?;
            self.expect_content("P3", &key, "listed").await?;
            if self.store.head(&key).await?.is_none_or(|info| info.size != 6) {
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
        let listed = self.store.list(folder, after).await?;
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

    /// P4: an upload is invisible until it is completed, then whole.
    async fn uploads(&self) -> Result<Tried> {
        let (key, body) = (self.key("upload"), Bytes::from_static(b"staged, then published"));
        let (upload, id) = self.stage(&key, &body).await?;
        let parts = [id];
        match self.store.complete(&key, &upload, &parts).await {
            Completed::Done => {}
            Completed::Gone => return Err(broken("P4", &key, "the store lost an upload at once")),
            Completed::Failed(error) => return Err(error),
        }
        let Some(info) = self.store.head(&key).await? else {
            return Err(broken("P4", &key, "a completed upload is not visible"));
        };
        if self.store.get(&key).await?.is_none_or(|content| content != body) {
            return Err(broken("P4", &key, "a completed upload has other bytes than were sent"));
        }
        let foretold = etag::of_parts(etag::digest(&body), &parts);
        let repeated = self.store.complete(&key, &upload, &parts).await;
        Ok(Tried {
            etags: foretold.is_some() && info.etag == foretold,
            repeat_completion: matches!(repeated, Completed::Done),
        })
    }

    /// P4 where nothing may be made visible: an upload that is given up.
    pub(super) async fn uploads_are_invisible(table: &Location) -> Result<()> {
        let folder = format!("{}/", table.key("alluvium-probe"));
        let trial = Self { store: Arc::clone(&table.store), folder, made: Mutex::default() };
        let key = trial.key(&Uuid::new_v4().simple().to_string());
        let staged = trial.stage(&key, &Bytes::from_static(b"never published")).await;
        trial.clean_up().await;
        trial.store.abort(&key, &staged?.0).await
    }

    /// Stages an upload of one part. Gives its id and the part's.
    async fn stage(&self, key: &str, body: &Bytes) -> Result<(String, String)> {
        self.note(key);
        let upload = self.store.start_upload(key).await?;
        let id = self.store.put_part(key, &upload, 0, body.clone()).await?;
        let listed = self.store.list(&self.folder, None).await?;
        if self.store.head(key).await?.is_some() || listed.iter().any(|info| info.key == key) {
            let message = "the store shows an upload before it is completed; readers would see \
                           rows that are not committed";
            return Err(broken("P4", key, message));
        }
        Ok((upload, id))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    fn note(&self, key: &str) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }

    /// Whether the store said that it created the object.
    async fn create(&self, key: &str, body: &str) -> Result<bool> {
        self.note(key);
        match self.store.create(key, Bytes::from(body.to_owned())).await {
            Created::Done => Ok(true),
            Created::Refused => Ok(false),
            Created::Unknown(error) => Err(error),
        }
    }

    async fn expect_created(&self, key: &str, body: &str) -> Result<()> {
        match self.create(key, body).await? {
            true => Ok(()),
            false => Err(broken("P1", key, "the store refuses to create a key that is not there")),
        }
    }

    async fn expect_content(&self, rule: &str, key: &str, body: &str) -> Result<()> {
        match self.store.get(key).await? {
            Some(content) if content == body.as_bytes() => Ok(()),
            Some(_) if rule == "P3" => Err(broken(rule, key, "GET gives what was never written")),
            Some(_) => Err(broken(rule, key, CREATE_TWICE)),
            None => Err(broken(rule, key, "GET does not see what was just written")),
        }
    }
}

fn broken(rule: &str, key: &str, message: &str) -> Error {
    Error::new(Kind::Config, message)
        .with("key", "lake.meta.url")
        .with("rule", rule)
        .with("object", key)
}
