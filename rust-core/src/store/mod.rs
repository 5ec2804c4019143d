//! Port: the object store, as far as the pipeline needs one.
//!
//! In go keys and bytes, out come answers that say no more than the store said. Nothing here
//! decides what an answer means for the commit: `commit`, `publish` and `recover` do.
//!
//! Keys are full paths inside the bucket (S3), or absolute paths without the leading `/` (local).

mod check;
pub(crate) mod etag;
mod lifecycle;
pub mod local;
mod open;
mod plain;
pub mod probe;
pub mod s3;
#[cfg(test)]
mod tests;
mod url;

pub use check::{Checked, check};
pub use lifecycle::{Expiry, LifecycleRule};
pub use open::{open, open_as};
pub use plain::PlainStore;

use crate::error::{Error, Kind, Result};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// How a staged file becomes visible (`mode` of a file in a log record).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishMode {
    /// Completion of a multipart upload.
    Mpu,
    /// Rename out of a staging folder on the same mount.
    Rename,
    /// Copy, by the store, of an object staged beside the commit log.
    Copy,
}

/// What an object is for: a store may write the two with different attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A record or a marker of the commit log.
    Log,
    /// A data file, or what one is copied from.
    Data,
}

/// What a store says of a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object's key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// The store's ETag, without quotes, where there is one.
    pub etag: Option<String>,
}

/// The answer to a create-if-absent.
#[derive(Debug)]
pub enum Created {
    /// The store said it wrote the object.
    Done,
    /// The store said the key exists, or that another write was racing. Proves nothing about who
    /// wrote it (a retried request meets its own first attempt): GET and compare.
    Refused,
    /// No answer, or one that does not tell whether the write happened.
    Unknown(Error),
}

/// The answer to a completion or a copy. Whatever it is, only a HEAD of the key tells the truth.
#[derive(Debug)]
pub enum Completed {
    /// The store said it completed the upload, or copied the object.
    Done,
    /// The store does not know the upload (completed before, expired or aborted), or has no object
    /// to copy.
    Gone,
    /// Any other answer, or none.
    Failed(Error),
}

/// An object store or a folder. All reads see all writes that were answered before them.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// How staged files become visible here.
    fn mode(&self) -> PublishMode;
    /// Size in bytes of every part of an upload but the last.
    fn part_size(&self) -> usize;

    /// The object's bytes, `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;
    /// The same for a data file, which may be large: with time for it, and in turn with other data.
    async fn get_file(&self, key: &str) -> Result<Option<Bytes>> {
        self.get(key).await
    }
    /// Size and ETag, `None` when there is none.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>>;
    /// The first page (at most 1,000) of objects whose key begins with `prefix` (which ends in
    /// `/`) and is greater than `after`, in ascending order of keys. One request. Where a folder
    /// and a file begin alike (`b/1`, `b-1`), a store that is a tree may walk the folder first.
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>>;
    /// The first `max` objects of [`list`](Self::list): where only the first matter, a page of
    /// 1,000 would cost its weight in time.
    async fn list_first(&self, prefix: &str, max: usize) -> Result<Vec<ObjectInfo>> {
        let mut page = self.list(prefix, None).await?;
        page.truncate(max);
        Ok(page)
    }
    /// Creates the object unless there is one. Durable when answered `Done`. Sent once: whatever
    /// has to be repeated is repeated by the caller, who knows how to tell its own write.
    async fn create(&self, key: &str, body: Bytes) -> Created;
    /// Deletes the object; no error when there is none.
    async fn delete(&self, key: &str) -> Result<()>;
    /// Writes the object whatever is there, durably. Sent once, like a create.
    async fn put(&self, key: &str, body: Bytes, content: Content) -> Result<()> {
        drop((body, content));
        Err(lacking("writing an object unconditionally", key))
    }
    /// Copies the object `from` to `to` within the store, whatever is there, with its tags. As with
    /// a completion, the answer proves nothing.
    async fn copy(&self, from: &str, to: &str) -> Completed {
        _ = from;
        Completed::Failed(lacking("copying an object", to))
    }

    /// Begins an upload that stays invisible until completed. Gives its id.
    async fn start_upload(&self, key: &str) -> Result<String>;
    /// Uploads part `index` (from 0). Gives the store's id of the part's content. Repeating a part
    /// replaces it.
    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String>;
    /// The same, sent once. [`Kind::Unknown`] when nobody knows whether the part is, or will be,
    /// stored: where ids do not follow from the bytes, a part stored late spoils the upload.
    async fn put_part_once(
        &self,
        key: &str,
        upload: &str,
        index: usize,
        body: Bytes,
    ) -> Result<String> {
        self.put_part(key, upload, index, body).await
    }
    /// Makes the upload visible under `key`. `parts` are the content ids in order.
    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed;
    /// The enabled rules by which the store itself expires objects and aborts uploads; `None` = it
    /// has none.
    async fn lifecycle(&self) -> Result<Option<Vec<LifecycleRule>>> {
        Ok(None)
    }
    /// Gives up an upload that no log record was ever sent for.
    async fn abort(&self, key: &str, upload: &str) -> Result<()>;
}

/// The innermost cause of an error when the store does not know the request at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking;

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the store does not implement this")
    }
}

impl std::error::Error for Lacking {}

/// The error of a request that a store does not implement.
pub fn lacking(doing: &str, key: &str) -> Error {
    Error::new(Kind::Store, format!("{doing} failed")).with("key", key).because(Lacking)
}

/// Whether a store said that it does not implement a request.
pub(crate) fn is_lacking(error: &Error) -> bool {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |cause| cause.source()).any(|cause| cause.is::<Lacking>())
}

/// A store and a folder in it; `prefix` neither begins nor ends with `/` and may be empty.
#[derive(Debug, Clone)]
pub struct Location {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The folder.
    pub prefix: String,
}

impl Location {
    /// The full key of a path below the folder.
    pub fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }
}

/// Where a table lives: its data files, and its commit log beside them.
#[derive(Debug, Clone)]
pub struct Lake {
    /// `lake.url`: data files and completeness markers, nothing else.
    pub table: Location,
    /// `lake.meta.url`: the commit log.
    pub meta: Location,
}
