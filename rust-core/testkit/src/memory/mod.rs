//! A store in memory with the semantics of real ones: conditional creates, multipart uploads that
//! are invisible until completed, listings in ascending order.
//!
//! In go requests, out come answers as a store of the chosen [`Personality`] gives them. No faults
//! here: `FaultyStore` wraps any store with those.

mod journal;
mod personality;
mod state;

pub use journal::Change;
pub use personality::Personality;

use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::store::{Completed, Content, Created, ObjectInfo, PublishMode, Store, lacking};
use async_trait::async_trait;
use bytes::Bytes;
use md5::{Digest, Md5};
use state::{Object, State, Upload, hex};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory. Clones share their content.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    personality: Personality,
    mode: PublishMode,
    part_size: usize,
}

/// An upload that was begun and not completed, as [`MemoryStore::open_uploads`] tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// Its id.
    pub id: String,
    /// The key it would become visible under.
    pub key: String,
    /// Parts stored so far.
    pub parts: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Personality::AWS)
    }
}

impl MemoryStore {
    /// An empty store with parts of 8 MiB.
    pub fn new(personality: Personality) -> Self {
        let state = Arc::default();
        Self { state, personality, mode: PublishMode::Mpu, part_size: 8 << 20 }
    }

    /// The same store with parts of `bytes`.
    #[must_use]
    pub fn with_part_size(mut self, bytes: usize) -> Self {
        self.part_size = bytes;
        self
    }

    /// The same store saying that its files become visible in another way.
    #[must_use]
    pub fn with_mode(mut self, mode: PublishMode) -> Self {
        self.mode = mode;
        self
    }

    /// Every visible key, ascending.
    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// The bytes of a visible object.
    pub fn object(&self, key: &str) -> Option<Bytes> {
        self.state().objects.get(key).map(|o| o.body.clone())
    }

    /// Puts an object whatever is there: somebody else's hand.
    pub fn overwrite(&self, key: &str, body: impl Into<Bytes>) {
        self.state().put(key, Object::plain(body.into()));
    }

    /// Removes an object: somebody else's hand.
    pub fn remove(&self, key: &str) {
        self.state().remove(key);
    }

    /// Uploads begun and neither completed nor aborted, in order of id.
    pub fn open_uploads(&self) -> Vec<OpenUpload> {
        let open = |(id, u): (&String, &Upload)| OpenUpload {
            id: id.clone(),
            key: u.key.clone(),
            parts: u.parts.len(),
        };
        self.state().uploads.iter().map(open).collect()
    }

    /// Forgets an upload and that it ever was completed, as a lifecycle rule does.
    pub fn expire_upload(&self, id: &str) {
        let mut state = self.state();
        state.uploads.remove(id);
        state.completed.remove(id);
    }

    /// From now on listings show what there is now, until [`Self::thaw_listing`].
    pub fn freeze_listing(&self) {
        let mut state = self.state();
        state.frozen = Some(state.objects.clone());
    }

    /// Listings show the truth again.
    pub fn thaw_listing(&self) {
        self.state().frozen = None;
    }

    /// From now on a listing may show what there was up to `lag` ago, seeded.
    pub fn weaken_listing(&self, seed: u64, lag: std::time::Duration) {
        self.state().weak = Some((fastrand::Rng::with_seed(seed), lag));
    }

    /// Listings show the truth again.
    pub fn strengthen_listing(&self) {
        self.state().weak = None;
    }

    /// Uploads begun longer than `age` ago expire. Gives their ids.
    pub fn expire_uploads(&self, age: std::time::Duration) -> Vec<String> {
        let mut state = self.state();
        let old = |u: &Upload| u.begun.elapsed() > age;
        let ids: Vec<String> =
            state.uploads.iter().filter(|(_, u)| old(u)).map(|(id, _)| id.clone()).collect();
        ids.iter().for_each(|id| _ = state.uploads.remove(id));
        ids
    }

    /// What happened to objects and uploads since the last call, in order.
    pub fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.state().journal)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn mode(&self) -> PublishMode {
        self.mode
    }

    fn part_size(&self) -> usize {
        self.part_size
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.object(key))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        Ok(self.state().objects.get(key).map(|o| o.info(key)))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        let mut state = self.state();
        let weak = state.weak_listing();
        let objects = weak.as_ref().or(state.frozen.as_ref()).unwrap_or(&state.objects);
        let wanted = |k: &str| k.starts_with(prefix) && after.is_none_or(|a| k > a);
        let from = objects.range(prefix.to_owned()..);
        Ok(from.filter(|(k, _)| wanted(k)).take(1000).map(|(k, o)| o.info(k)).collect())
    }

    async fn create(&self, key: &str, body: Bytes) -> Created {
        let exists = self.state().objects.contains_key(key);
        if !self.personality.atomic_create {
            tokio::task::yield_now().await;
        }
        let mut state = self.state();
        let exists =
            if self.personality.atomic_create { state.objects.contains_key(key) } else { exists };
        if exists && self.personality.honours_condition {
            return Created::Refused;
        }
        state.put(key, Object::plain(body));
        Created::Done
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.remove(key);
        Ok(())
    }

    async fn put(&self, key: &str, body: Bytes, _content: Content) -> Result<()> {
        self.overwrite(key, body);
        Ok(())
    }

    async fn copy(&self, from: &str, to: &str) -> Completed {
        if self.personality.no_copies {
            return Completed::Failed(lacking("copying", to));
        }
        match self.object(from) {
            Some(body) => {
                self.overwrite(to, body);
                Completed::Done
            }
            None => Completed::Gone,
        }
    }

    async fn start_upload(&self, key: &str) -> Result<String> {
        if self.personality.no_uploads {
            return Err(lacking("beginning an upload", key));
        }
        let mut state = self.state();
        state.uploads_begun += 1;
        let id = format!("upload-{:06}", state.uploads_begun);
        let upload = Upload::begin(key);
        state.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        let mut state = self.state();
        state.parts_stored += 1;
        let id = match self.personality.opaque_parts {
            true => format!("{:032x}", state.parts_stored),
            false => hex(&Md5::digest(&body)),
        };
        let Some(open) = state.uploads.get_mut(upload).filter(|u| u.key == key) else {
            return Err(no_such_upload(key, upload));
        };
        open.parts.insert(index, (body, id.clone()));
        if self.personality.visible_uploads {
            let so_far = open.body();
            state.put(key, Object::plain(so_far));
        }
        Ok(id)
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        let mut state = self.state();
        if self.personality.repeat_completion
            && state.completed.get(upload).is_some_and(|k| k == key)
        {
            return Completed::Done;
        }
        let Some(open) = state.uploads.get(upload).filter(|u| u.key == key) else {
            return Completed::Gone;
        };
        match open.assemble(parts, self.personality.equal_parts) {
            Err(reason) => Completed::Failed(
                Error::new(Kind::Store, reason).with("key", key).with("upload", upload),
            ),
            Ok(mut object) => {
                if self.personality.opaque_parts {
                    object.etag = format!("{:032x}-{}", state.parts_stored, parts.len());
                }
                state.put(key, object);
                state.uploads.remove(upload);
                state.completed.insert(upload.to_owned(), key.to_owned());
                Completed::Done
            }
        }
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let mut state = self.state();
        if state.uploads.remove(upload).is_some() {
            state.journal.push(Change::Aborted(upload.to_owned()));
        }
        if self.personality.abort_destroys_completed
            && state.completed.remove(upload).is_some_and(|k| k == key)
        {
            state.remove(key);
        }
        Ok(())
    }
}

fn no_such_upload(key: &str, upload: &str) -> Error {
    Error::new(Kind::Store, "NoSuchUpload").with("key", key).with("upload", upload)
}
