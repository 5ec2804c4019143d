//! Where the bytes of one file go: in go parts, out come the store's ids of them, however long the
//! store is away. A staged object is made whole here; nothing is made visible in the table.

use crate::error::{Error, Kind, Result};
use crate::pause::Pauses;
use crate::store::{Completed, Content, Store, etag};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Where the parts go; the upload is begun by whichever part comes first.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) store: Arc<dyn Store>,
    /// The key the file will be visible under.
    pub(super) key: String,
    /// The key the bytes are sent to: the same, or that of a staged object.
    pub(super) at: String,
    pub(super) id: OnceCell<String>,
}

#[derive(Debug)]
pub(super) struct StoredPart {
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) digest: Option<[u8; 16]>,
}

impl Target {
    pub(super) fn new(store: Arc<dyn Store>, key: String, at: String) -> Self {
        Self { store, key, at, id: OnceCell::new() }
    }

    pub(super) async fn store_part(
        &self,
        index: usize,
        part: Bytes,
        digest: bool,
        once: bool,
    ) -> Result<StoredPart> {
        let digest = digest.then(|| etag::digest(&part));
        let begin = || async { self.patiently(|| self.store.start_upload(&self.at)).await };
        let upload = self.id.get_or_try_init(begin).await?;
        let send = || async {
            match once {
                true => self.store.put_part_once(&self.at, upload, index, part.clone()).await,
                false => self.store.put_part(&self.at, upload, index, part.clone()).await,
            }
        };
        let id = self.patiently(send).await.map_err(|error| self.spoiled(error))?;
        Ok(StoredPart { index, id, digest })
    }

    /// A part that may still arrive, with another id, would make the upload impossible to complete
    /// after its record. The file's earlier parts are gone from memory: Kafka has the rows.
    fn spoiled(&self, error: Error) -> Error {
        if error.kind() != Kind::Unknown {
            return error;
        }
        let message = "an upload was given up: the store may have stored one of its parts twice, \
                       and tells them apart (encryption). Its rows are read again";
        Error::new(Kind::Fenced, message).with("key", &self.at).because(error)
    }

    /// Writes the staged object as a whole.
    pub(super) async fn put_staged(&self, body: Bytes) -> Result<()> {
        self.patiently(|| self.store.put(&self.at, body.clone(), Content::Data)).await
    }

    /// Makes an object of the staged parts. No log record names it yet.
    pub(super) async fn complete_staged(&self, parts: &[String], size: u64) -> Result<()> {
        let upload = self.id.get().map(String::as_str).unwrap_or_default();
        self.patiently(|| async {
            let answer = self.store.complete(&self.at, upload, parts).await;
            // As everywhere, only a look tells.
            match (self.store.head(&self.at).await?, answer) {
                (Some(info), _) if info.size == size => Ok(()),
                (_, Completed::Failed(error)) => Err(error),
                (None, Completed::Done) => {
                    let message = "a completed upload is not visible yet";
                    Err(Error::new(Kind::Store, message).temporary().with("key", &self.at))
                }
                _ => {
                    let message = "the upload of a staged file is gone from the store, or became \
                                   another object; it is on no record and its rows are read again";
                    Err(Error::new(Kind::Fenced, message).with("key", &self.at))
                }
            }
        })
        .await
    }

    /// Sends a request until it succeeds or cannot. The wait has no end: the consumer is paused
    /// meanwhile, and giving up would only mean to read and send the same rows again.
    async fn patiently<T, F>(&self, mut request: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut pauses = Pauses::store();
        loop {
            match request().await {
                Err(error) if error.is_temporary() && error.kind() != Kind::Unknown => {
                    let tries = pauses.made + 1;
                    tracing::warn!(key = %self.at, tries, %error, "uploading; trying again");
                    pauses.wait().await;
                }
                answer => return answer,
            }
        }
    }
}
