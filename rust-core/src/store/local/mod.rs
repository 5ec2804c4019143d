//! The store on a local file system: in go keys (absolute paths without the leading `/`) and bytes,
//! out come answers after the bytes are on the disk. Blocking calls run where they block nobody.
//!
//! An upload is a file in a staging folder beside the commit log; it becomes visible by a rename
//! within the mount. Nothing that is not finished ever lies under the table.

mod disk;
mod folders;
mod listing;
mod mount;
#[cfg(test)]
mod tests;

pub(super) use mount::{look, refuse_two_mounts};

use super::{Completed, Content, Created, ObjectInfo, PublishMode, Store};
use crate::error::{Error, Kind, Result};
use async_trait::async_trait;
use bytes::Bytes;
use folders::Folders;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A table's folder and the folder of its commit log.
#[derive(Debug)]
pub struct LocalStore {
    folders: Arc<Folders>,
    /// Writers at once; more only make a disk seek.
    writes: Semaphore,
}

impl LocalStore {
    /// The folders as configured. Writes nothing.
    ///
    /// # Errors
    /// [`Kind::Config`]: table and log lie on two mounts, or a folder on the way is none.
    pub fn open(table: &Path, meta: &Path, part_size: usize, concurrency: usize) -> Result<Self> {
        refuse_two_mounts(table, meta)?;
        let folders = Folders::new(table.to_owned(), meta.to_owned(), part_size);
        Ok(Self { folders: Arc::new(folders), writes: Semaphore::new(concurrency.max(1)) })
    }

    /// Runs blocking work on the threads meant for it. The work goes on if the caller does not.
    async fn run<T, F>(&self, doing: &'static str, key: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Folders) -> std::io::Result<T> + Send + 'static,
    {
        let folders = Arc::clone(&self.folders);
        match tokio::task::spawn_blocking(move || work(&folders)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(cause)) => Err(failed(doing, key, cause)),
            Err(ended) => {
                let message = format!("{doing} ended early; please report this bug");
                Err(Error::new(Kind::Store, message)
                    .with("file", path(key).display())
                    .because(ended))
            }
        }
    }
}

#[async_trait]
impl Store for LocalStore {
    fn mode(&self) -> PublishMode {
        PublishMode::Rename
    }

    fn part_size(&self) -> usize {
        self.folders.part_size
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let file = path(key);
        self.run("reading a file", key, move |f| f.read(&file)).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let file = path(key);
        let size = self.run("looking at a file", key, move |f| f.size(&file)).await?;
        Ok(size.map(|size| ObjectInfo { key: key.to_owned(), size, etag: None }))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        let (folder, after) = (prefix.to_owned(), after.map(str::to_owned));
        let list = move |f: &Folders| {
            f.settle_folder(&path(&folder))?;
            listing::page(&folder, after.as_deref(), 1_000)
        };
        self.run("listing a folder", prefix, list).await
    }

    async fn list_first(&self, prefix: &str, max: usize) -> Result<Vec<ObjectInfo>> {
        let folder = prefix.to_owned();
        let list = move |f: &Folders| {
            f.settle_folder(&path(&folder))?;
            listing::page(&folder, None, max)
        };
        self.run("listing a folder", prefix, list).await
    }

    async fn create(&self, key: &str, body: Bytes) -> Created {
        let file = path(key);
        match self.run("creating a file", key, move |f| f.create(&file, &body)).await {
            Ok(true) => Created::Done,
            Ok(false) => Created::Refused,
            Err(error) => Created::Unknown(error),
        }
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let file = path(key);
        self.run("deleting a file", key, move |_| Folders::delete(&file)).await
    }

    async fn put(&self, key: &str, body: Bytes, _content: Content) -> Result<()> {
        let file = path(key);
        self.run("writing a file", key, move |f| f.replace(&file, &body)).await
    }

    async fn copy(&self, from: &str, to: &str) -> Completed {
        let (from, file) = (path(from), path(to));
        match self.run("copying a file", to, move |f| f.copy(&from, &file)).await {
            Ok(true) => Completed::Done,
            Ok(false) => Completed::Gone,
            Err(error) => Completed::Failed(error),
        }
    }

    async fn start_upload(&self, key: &str) -> Result<String> {
        self.run("staging a file", key, Folders::stage).await
    }

    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        let upload = upload.to_owned();
        let _turn = self.writes.acquire().await.ok();
        self.run("writing a staged file", key, move |f| f.write_part(&upload, index, &body)).await
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        let (file, upload, parts) = (path(key), upload.to_owned(), parts.to_vec());
        match self.run("publishing a file", key, move |f| f.publish(&upload, &file, &parts)).await {
            Ok(true) => Completed::Done,
            Ok(false) => Completed::Gone,
            Err(error) => Completed::Failed(error),
        }
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let upload = upload.to_owned();
        self.run("giving a staged file up", key, move |f| f.discard(&upload)).await
    }
}

fn path(key: &str) -> PathBuf {
    Path::new("/").join(key)
}

/// What a person can do about an error of the file system, and whether time alone may mend it.
fn failed(doing: &str, key: &str, cause: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let advice = match cause.kind() {
        Io::PermissionDenied => Some("the worker's user may not do this; give it the folder"),
        Io::ReadOnlyFilesystem => Some("the file system is mounted read-only"),
        Io::CrossesDevices => Some("lake.url and lake.meta.url must lie on one mount"),
        Io::InvalidFilename => {
            Some("a folder's or file's name is longer than the file system allows")
        }
        Io::NotADirectory | Io::AlreadyExists => Some("a file stands where a folder is needed"),
        Io::IsADirectory => Some("a folder stands where a file is needed"),
        Io::Unsupported => Some("the file system can neither link nor rename without replacing"),
        Io::InvalidInput | Io::InvalidData => Some("the staged file is not what the log says"),
        _ => None,
    };
    let message = match advice {
        Some(advice) => format!("{doing} failed: {advice}"),
        None => format!("{doing} failed"),
    };
    let error = Error::new(Kind::Store, message).with("file", path(key).display()).because(cause);
    if advice.is_some() { error } else { error.temporary() }
}
