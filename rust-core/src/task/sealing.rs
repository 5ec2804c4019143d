//! A sealed file on its way to the store: out comes the entry that a log record names it by.

use crate::buffer::OpenFileStats;
use crate::error::{Error, Kind, Result};
use crate::log::FileEntry;
use crate::store::Store;
use crate::upload::StoredFile;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A sealed file on its way to the store.
#[derive(Debug)]
pub(super) struct Sealing {
    /// One task; it ends when this is dropped.
    pub(super) task: JoinSet<Result<StoredFile>>,
    pub(super) stats: OpenFileStats,
    pub(super) path: String,
    pub(super) store: Arc<dyn Store>,
    /// When its upload was begun, ms since 1970.
    pub(super) begun_at_ms: i64,
}

impl Sealing {
    /// Waits until the file is staged.
    pub(super) async fn staged(self) -> Result<FileEntry> {
        let stored = join(self.task).await?;
        let stats = self.stats;
        Ok(FileEntry {
            key: stored.key,
            mode: stored.mode,
            staging_key: stored.staging_key,
            upload_id: stored.upload_id,
            parts: stored.parts,
            size: stored.size,
            etag: stored.etag,
            rows: stats.rows,
            path: self.path,
            first_offset: stats.first_offset,
            last_offset: stats.last_offset,
            min_ts: stats.min_event_time_us,
            max_ts: stats.max_event_time_us,
            schema: String::new(),
            upload_created_at: stored.upload_created_at_ms,
        })
    }

    /// Gives the file up: no record ever named it.
    pub(super) async fn abort(self) {
        if let Ok(stored) = join(self.task).await {
            // Best effort: the store's lifecycle rule takes what is left.
            _ = stored.abort(&*self.store).await;
        }
    }
}

async fn join(mut task: JoinSet<Result<StoredFile>>) -> Result<StoredFile> {
    let ended = || Error::new(Kind::Poisoned, "an upload ended early");
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(ended().because(error)),
        None => Err(ended()),
    }
}
