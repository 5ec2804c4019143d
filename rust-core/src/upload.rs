//! Room 8, upload: in go the bytes of a file as they are finished, out comes a stored file that
//! nobody sees yet. Never completes an upload; never aborts one but its own, and only when asked.

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::pause::Pauses;
use crate::store::{PublishMode, Store};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::Semaphore;

/// What the uploads of a task share: the number of requests at once, and a count of the bytes
/// they hold.
#[derive(Debug, Clone)]
pub struct UploadLimits {
    requests: Arc<Semaphore>,
    in_flight: Arc<AtomicU64>,
}

impl UploadLimits {
    /// At most `requests` part uploads at once.
    pub fn new(requests: usize) -> Self {
        Self { requests: Arc::new(Semaphore::new(requests)), in_flight: Arc::default() }
    }

    /// Bytes held by all uploads.
    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }
}

/// Bytes counted as held, until dropped.
#[derive(Debug)]
struct Held {
    bytes: u64,
    limits: UploadLimits,
}

impl Held {
    fn new(bytes: usize, limits: &UploadLimits) -> Self {
        limits.in_flight.fetch_add(bytes as u64, Relaxed);
        Self { bytes: bytes as u64, limits: limits.clone() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.limits.in_flight.fetch_sub(self.bytes, Relaxed);
    }
}

/// A file whose bytes are all in the store, and not visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its full key.
    pub key: String,
    /// How it becomes visible.
    pub mode: PublishMode,
    /// The upload, or the staging file.
    pub upload_id: String,
    /// The store's ids of its parts' content, in order.
    pub parts: Vec<String>,
    /// Size in bytes.
    pub size: u64,
    /// The ETag it will have, where that can be computed.
    pub etag: Option<String>,
    /// When the upload was begun, ms since 1970.
    pub upload_created_at_ms: i64,
}

/// The upload of one file.
#[derive(Debug)]
pub struct FileUpload {
    store: Arc<dyn Store>,
    key: String,
    limits: UploadLimits,
    clock: Arc<dyn Clock>,
    pending: VecDeque<(Bytes, Held)>,
    pending_bytes: usize,
}

impl FileUpload {
    /// Nothing is asked of the store before the first part is full or the file ends.
    pub fn new(
        store: Arc<dyn Store>,
        key: String,
        limits: UploadLimits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, key, limits, clock, pending: VecDeque::new(), pending_bytes: 0 }
    }

    /// Takes finished bytes of the file.
    pub fn push(&mut self, bytes: Bytes) {
        self.pending_bytes += bytes.len();
        let held = Held::new(bytes.len(), &self.limits);
        self.pending.push_back((bytes, held));
    }

    /// Takes the last bytes and waits until all are stored, however long the store is away.
    ///
    /// # Errors
    /// Only what trying again cannot help.
    pub async fn finish(mut self, tail: Bytes) -> Result<StoredFile> {
        self.push(tail);
        let mut all = BytesMut::with_capacity(self.pending_bytes);
        for (bytes, _) in &self.pending {
            all.extend_from_slice(bytes);
        }
        let all = all.freeze();
        let upload_created_at_ms = self.clock.now_ms();
        let upload_id = again(|| self.store.start_upload(&self.key)).await?;
        let mut parts = Vec::new();
        let part_size = self.store.part_size();
        for index in 0..all.len().div_ceil(part_size).max(1) {
            let part = all.slice(index * part_size..((index + 1) * part_size).min(all.len()));
            let _permit = self.limits.requests.acquire().await;
            let id = again(|| self.store.put_part(&self.key, &upload_id, index, part.clone()));
            parts.push(id.await?);
        }
        Ok(StoredFile {
            key: self.key.clone(),
            mode: self.store.mode(),
            upload_id,
            parts,
            size: all.len() as u64,
            etag: None,
            upload_created_at_ms,
        })
    }

    /// Gives the upload up: no log record ever named it.
    pub async fn abort(self) {}
}

/// Repeats a request while trying again may help.
async fn again<T, F: Future<Output = Result<T, Error>>>(request: impl Fn() -> F) -> Result<T> {
    let mut pauses = Pauses::store();
    loop {
        match request().await {
            Err(error) if error.is_temporary() => {
                tracing::warn!(%error, "upload: the store fails; trying again");
                pauses.wait().await;
            }
            other => return other,
        }
    }
}
