//! One file on its way to the store: in go bytes as they are encoded, out goes a [`StoredFile`].
//!
//! Nothing is sent for a file that never fills a part until it is sealed. A store that is away
//! delays and loses nothing: every part is tried until it is stored or the upload is dropped. Where
//! files become visible by a copy, the bytes go to a staged object, which is whole at the end.

use super::held::Hold;
use super::target::{StoredPart, Target};
use super::{PARTS_MAX, StoredFile, UploadLimits};
use crate::clock::{Clock, UnixMillis};
use crate::config::part_size;
use crate::error::{Error, Kind, Result};
use crate::store::{PublishMode, Store, etag};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;

/// The upload of one file. Dropping it ends its requests and leaves what is stored to the store's
/// lifecycle rule: aborting is asked for, never implied.
#[derive(Debug)]
pub struct FileUpload {
    target: Arc<Target>,
    limits: UploadLimits,
    part_size: usize,
    /// Bytes that do not fill a part yet.
    filling: BytesMut,
    filling_held: Hold,
    /// Parts being stored.
    running: JoinSet<Result<StoredPart>>,
    /// Ids of stored parts, by index; `None` = on its way.
    stored: Vec<Option<String>>,
    first_digest: Option<[u8; 16]>,
    /// The first part refused for good; nothing is sent after it.
    failure: Option<Error>,
    size: u64,
    clock: Arc<dyn Clock>,
    created_at_ms: UnixMillis,
}

impl FileUpload {
    /// An upload of which nothing is sent yet. The clock tells when its age begins to count.
    pub fn new(
        store: Arc<dyn Store>,
        key: String,
        limits: UploadLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let whole = limits.copy.as_ref().is_some_and(|copy| copy.whole);
        let parts = match store.mode() {
            PublishMode::Mpu => part_size(store.part_size(), limits.file_max_bytes),
            // The parts of a staged file are not counted by anybody.
            _ => store.part_size(),
        };
        Self {
            part_size: if whole { usize::MAX } else { parts },
            target: Arc::new(Target::new(store, key.clone(), key)),
            filling: BytesMut::new(),
            filling_held: Hold::new(Arc::clone(&limits.held)),
            limits,
            running: JoinSet::new(),
            stored: Vec::new(),
            first_digest: None,
            failure: None,
            size: 0,
            clock,
            created_at_ms: 0,
        }
    }

    /// Names the claim under which the file is made; a staged object lies in its folder. To be said
    /// before the first byte.
    #[must_use]
    pub fn of_epoch(mut self, epoch: u64) -> Self {
        if let Some(copy) = &self.limits.copy {
            let at = format!("{}/{epoch:08}/{}", copy.folder, Uuid::new_v4().simple());
            let Target { store, key, .. } = &*self.target;
            self.target = Arc::new(Target::new(store.clone(), key.clone(), at));
        }
        self
    }

    /// Takes the next bytes of the file; full parts are sent at once, side by side. Must be called
    /// within the runtime; never waits. What fails for good is told by [`Self::finish`].
    pub fn push(&mut self, mut bytes: Bytes) {
        while let Some(ended) = self.running.try_join_next() {
            self.note(ended);
        }
        self.size += bytes.len() as u64;
        while !bytes.is_empty() && self.failure.is_none() {
            let room = self.part_size - self.filling.len();
            let piece = bytes.split_to(room.min(bytes.len()));
            self.filling_held.grow(piece.len());
            if piece.len() == self.part_size {
                self.send(piece);
                continue;
            }
            self.filling.extend_from_slice(&piece);
            if self.filling.len() == self.part_size {
                let part = self.filling.split().freeze();
                self.send(part);
            }
        }
    }

    /// Bytes collected for a part that is not full: only more bytes or the end send them.
    pub fn collected_bytes(&self) -> u64 {
        self.filling.len() as u64
    }

    /// When its first part was sent; `None` = nothing was sent yet.
    pub fn begun_at_ms(&self) -> Option<UnixMillis> {
        (!self.stored.is_empty()).then_some(self.created_at_ms)
    }

    /// Takes the file's last bytes and waits until every part is stored. No request of this upload
    /// is under way any more when this returns, whatever it returns.
    ///
    /// # Errors
    /// A part that the store refused for good, or a file of more than [`PARTS_MAX`] parts. Nothing
    /// is aborted. [`Kind::Fenced`]: what is stored cannot be trusted; the records must be read
    /// again.
    pub async fn finish(mut self, tail: Bytes) -> Result<StoredFile> {
        self.push(tail);
        if self.limits.copy.is_some() && self.stored.is_empty() && self.failure.is_none() {
            return self.stage_whole().await;
        }
        // A file without a byte still needs one part, or it cannot be completed.
        if !self.filling.is_empty() || self.stored.is_empty() {
            let part = self.filling.split().freeze();
            self.send(part);
        }
        while self.failure.is_none()
            && let Some(ended) = self.running.join_next().await
        {
            self.note(ended);
        }
        self.running.shutdown().await;
        match self.failure.take() {
            Some(error) => Err(error),
            None if self.limits.copy.is_some() => {
                let parts: Vec<String> = self.stored.iter().flatten().cloned().collect();
                self.target.complete_staged(&parts, self.size).await?;
                Ok(self.staged())
            }
            None => Ok(self.stored()),
        }
    }

    /// A file of less than one part is staged by one request.
    async fn stage_whole(mut self) -> Result<StoredFile> {
        self.created_at_ms = self.clock.now_ms();
        let (body, held) = (self.filling.split().freeze(), self.filling_held.take());
        self.target.put_staged(body).await?;
        drop(held);
        Ok(self.staged())
    }

    /// Ends this upload's requests and gives the upload up. It was never finished, so no log
    /// record can name it.
    ///
    /// # Errors
    /// The store's; what is stored is then left to the store's lifecycle rule.
    pub async fn abort(mut self) -> Result<()> {
        self.running.shutdown().await;
        match self.target.id.get() {
            Some(id) => self.target.store.abort(&self.target.at, id).await,
            None => Ok(()),
        }
    }

    fn send(&mut self, part: Bytes) {
        let index = self.stored.len();
        let mpu = self.target.store.mode() == PublishMode::Mpu;
        if mpu && index >= PARTS_MAX {
            self.failure = Some(too_many_parts(&self.target.key, self.part_size));
        }
        if self.failure.is_some() {
            return;
        }
        if index == 0 {
            self.created_at_ms = self.clock.now_ms();
        }
        self.stored.push(None);
        let (target, held) = (Arc::clone(&self.target), self.filling_held.take());
        let (digest, once) = (self.limits.etags && index == 0, self.limits.opaque_parts);
        self.running.spawn(async move {
            let stored = target.store_part(index, part, digest, once).await;
            drop(held);
            stored
        });
    }

    fn note(&mut self, ended: Result<Result<StoredPart>, JoinError>) {
        match ended {
            Ok(Ok(part)) => {
                self.first_digest = self.first_digest.or(part.digest);
                self.stored[part.index] = Some(part.id);
            }
            Ok(Err(error)) => self.failure = Some(error),
            Err(ended_early) => {
                let message = "storing a part ended early; please report this bug";
                let error = Error::new(Kind::Store, message).because(ended_early);
                self.failure = Some(error.with("key", &self.target.key));
            }
        }
    }

    /// What is in the store, once every part is.
    fn stored(self) -> StoredFile {
        let parts: Vec<String> = self.stored.into_iter().flatten().collect();
        StoredFile {
            key: self.target.key.clone(),
            mode: self.target.store.mode(),
            staging_key: None,
            upload_id: self.target.id.get().cloned().unwrap_or_default(),
            etag: self.first_digest.and_then(|first| etag::of_parts(first, &parts)),
            parts,
            size: self.size,
            upload_created_at_ms: self.created_at_ms,
        }
    }

    /// What is in the store as an object of its own. Its copy is another object: nothing is said of
    /// its ETag.
    fn staged(&self) -> StoredFile {
        StoredFile {
            key: self.target.key.clone(),
            mode: PublishMode::Copy,
            staging_key: Some(self.target.at.clone()),
            upload_id: String::new(),
            parts: Vec::new(),
            size: self.size,
            etag: None,
            upload_created_at_ms: self.created_at_ms,
        }
    }
}

fn too_many_parts(key: &str, part_size: usize) -> Error {
    let message = "the file needs more than 10,000 parts, which S3 does not take: lower \
                   file.max.bytes or raise s3.part.size";
    Error::new(Kind::Store, message).with("file", key).with("part_size", part_size)
}
