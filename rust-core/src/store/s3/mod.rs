//! The store on S3: in go keys and bytes, out come the store's answers as [`Created`],
//! [`Completed`] or errors with a status. Creates and completions are sent once; nothing here
//! decides what an unknown outcome means.

mod answer;
mod clients;
mod credentials;
mod lifecycle;
mod look;
mod why;
mod wire;

pub use credentials::AwsEnvironment;

use super::{Completed, Content, Created, LifecycleRule, ObjectInfo, PublishMode, Store};
use crate::config::{S3Config, S3Objects};
use crate::error::{Error, Kind, Result};
use answer::{Target, refusal, was_declined};
use async_trait::async_trait;
use bytes::Bytes;
use clients::Clients;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, TagSet,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// One bucket of an S3 store.
#[derive(Debug)]
pub struct S3Store {
    clients: Clients,
    target: Target,
    part_size: usize,
    /// `s3.concurrency`, for requests that carry or assemble data. The log's requests never queue
    /// behind them.
    data_requests: Arc<Semaphore>,
    /// What objects are written with.
    objects: S3Objects,
    /// Whether the configuration, and not this machine, says who we are.
    keys_configured: bool,
}

impl S3Store {
    /// A bucket as the configuration reaches it. Sends nothing.
    ///
    /// # Errors
    /// A configuration that cannot work: no credentials, no root certificates.
    pub fn open(bucket: &str, config: &S3Config, environment: &AwsEnvironment) -> Result<Self> {
        let (clients, target) = Clients::connect(bucket, config, environment)?;
        Ok(Self {
            clients,
            target,
            part_size: config.part_size,
            data_requests: Arc::new(Semaphore::new(config.concurrency.max(1))),
            objects: config.objects.clone(),
            keys_configured: config.access_key_id.is_some(),
        })
    }

    /// The same limit of data requests for both: they belong to one task.
    #[must_use]
    pub fn sharing_limit_with(mut self, other: &Self) -> Self {
        self.data_requests = Arc::clone(&other.data_requests);
        self
    }

    fn path(&self, doing: &str, key: &str) -> Result<Path> {
        Path::parse(key).map_err(|e| self.target.error(doing, key, e.into()))
    }

    async fn page(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>> {
        let options = PaginatedListOptions {
            offset: after.map(str::to_owned),
            max_keys: Some(max),
            ..PaginatedListOptions::default()
        };
        let page = self.clients.small.list_paginated(Some(prefix), options).await;
        let page = page.map_err(|e| self.target.error("listing", prefix, e))?;
        // A console's empty "folder" object is the prefix itself.
        let below = |object: &ObjectInfo| object.key.starts_with(prefix);
        Ok(page.result.objects.into_iter().map(info).filter(below).collect())
    }

    fn tags(&self) -> TagSet {
        let mut tags = TagSet::default();
        self.objects.tags.iter().for_each(|(name, value)| tags.push(name, value));
        tags
    }

    fn attributes(&self) -> Attributes {
        let class = self.objects.storage_class.clone();
        class.map(|class| (Attribute::StorageClass, class)).into_iter().collect()
    }

    /// Waits for its turn among the data requests; the semaphore is never closed.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.data_requests.acquire().await.ok()
    }
}

#[async_trait]
impl Store for S3Store {
    fn mode(&self) -> PublishMode {
        PublishMode::Mpu
    }

    fn part_size(&self) -> usize {
        self.part_size
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let doing = "reading an object";
        let path = self.path(doing, key)?;
        let body = async { self.clients.small.get(&path).await?.bytes().await };
        found(body.await).map_err(|e| self.target.error(doing, key, e))
    }

    async fn get_file(&self, key: &str) -> Result<Option<Bytes>> {
        let doing = "reading a data file";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let body = async { self.clients.data.get(&path).await?.bytes().await };
        found(body.await).map_err(|e| self.target.error(doing, key, e))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let doing = "looking at an object";
        let path = self.path(doing, key)?;
        let mut meta = found(self.clients.small.head(&path).await);
        if let Err(error) = &meta
            && let Some(refused) = refusal(error).filter(|refusal| refusal.code.is_empty())
        {
            meta = why::head(&self.clients.small, &path, refused.status).await;
        }
        Ok(meta.map_err(|e| self.target.error(doing, key, e))?.map(info))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        self.page(prefix, after, 1_000).await
    }

    async fn list_first(&self, prefix: &str, max: usize) -> Result<Vec<ObjectInfo>> {
        self.page(prefix, None, max).await
    }

    async fn create(&self, key: &str, body: Bytes) -> Created {
        let doing = "creating an object";
        let path = match self.path(doing, key) {
            Ok(path) => path,
            Err(error) => return Created::Unknown(error),
        };
        let payload = PutPayload::from_bytes(body);
        match self.clients.once.put_opts(&path, payload, PutMode::Create.into()).await {
            Ok(_) => Created::Done,
            Err(error) => match refusal(&error).map(|r| r.status) {
                Some(409 | 412) => Created::Refused,
                _ => Created::Unknown(self.target.error(doing, key, error)),
            },
        }
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let doing = "deleting an object";
        let path = self.path(doing, key)?;
        let deleted = found(self.clients.small.delete(&path).await);
        deleted.map(drop).map_err(|e| self.target.error(doing, key, e))
    }

    async fn put(&self, key: &str, body: Bytes, content: Content) -> Result<()> {
        let doing = "writing an object";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let payload = PutPayload::from_bytes(body);
        let mut options = PutOptions::from(PutMode::Overwrite);
        if content == Content::Data {
            // Of what is copied from: the class is the copy's, which takes the tags over.
            options.tags = self.tags();
        }
        let written = self.clients.data_once.put_opts(&path, payload, options);
        written.await.map(drop).map_err(|e| self.target.error(doing, key, e))
    }

    async fn copy(&self, from: &str, to: &str) -> Completed {
        let doing = "copying an object";
        let paths = self.path(doing, from).and_then(|f| Ok((f, self.path(doing, to)?)));
        let (from, to_path) = match paths {
            Ok(paths) => paths,
            Err(error) => return Completed::Failed(error),
        };
        let _turn = self.turn().await;
        match self.clients.copy.copy(&from, &to_path).await {
            Ok(()) => Completed::Done,
            Err(error) if is_absent(&error) => Completed::Gone,
            Err(error) => Completed::Failed(self.target.error(doing, to, error)),
        }
    }

    async fn start_upload(&self, key: &str) -> Result<String> {
        let doing = "beginning an upload";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let options = PutMultipartOptions {
            tags: self.tags(),
            attributes: self.attributes(),
            ..PutMultipartOptions::default()
        };
        let begun = self.clients.data.create_multipart_opts(&path, options).await;
        begun.map_err(|e| self.target.error(doing, key, e))
    }

    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        let doing = "uploading a part";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let (id, payload) = (upload.to_owned(), PutPayload::from_bytes(body));
        let stored = self.clients.data.put_part(&path, &id, index, payload).await;
        stored.map(|part| part.content_id).map_err(|e| self.target.error(doing, key, e))
    }

    async fn put_part_once(
        &self,
        key: &str,
        upload: &str,
        index: usize,
        body: Bytes,
    ) -> Result<String> {
        let doing = "uploading a part";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let (id, payload) = (upload.to_owned(), PutPayload::from_bytes(body));
        let stored = self.clients.data_once.put_part(&path, &id, index, payload).await;
        stored.map(|part| part.content_id).map_err(|cause| {
            let stored_nothing = was_declined(&cause);
            let error = self.target.error(doing, key, cause);
            match stored_nothing || !error.is_temporary() {
                true => error,
                false => {
                    let message = "it is not known whether a part was, or will be, stored";
                    Error::new(Kind::Unknown, message).temporary().because(error)
                }
            }
        })
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        let doing = "completing an upload";
        let path = match self.path(doing, key) {
            Ok(path) => path,
            Err(error) => return Completed::Failed(error),
        };
        let parts = parts.iter().map(|id| PartId { content_id: id.clone() }).collect();
        let _turn = self.turn().await;
        match self.clients.complete.complete_multipart(&path, &upload.to_owned(), parts).await {
            Ok(_) => Completed::Done,
            Err(error) if is_absent(&error) => Completed::Gone,
            Err(error) => Completed::Failed(self.target.error(doing, key, error)),
        }
    }

    async fn lifecycle(&self) -> Result<Option<Vec<LifecycleRule>>> {
        self.rules().await
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let doing = "giving an upload up";
        let path = self.path(doing, key)?;
        let _turn = self.turn().await;
        let aborted = found(self.clients.small.abort_multipart(&path, &upload.to_owned()).await);
        aborted.map(drop).map_err(|e| self.target.error(doing, key, e))
    }
}

fn info(meta: ObjectMeta) -> ObjectInfo {
    let etag = meta.e_tag.map(|etag| etag.trim_matches('"').to_owned());
    ObjectInfo { key: meta.location.into(), size: meta.size, etag }
}

/// "There is none" is an answer, not an error; "there is no such bucket" is an error.
fn found<T>(answer: object_store::Result<T>) -> object_store::Result<Option<T>> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &object_store::Error) -> bool {
    refusal(error).is_some_and(|r| r.status == 404 && r.code != "NoSuchBucket")
}
