//! The trials P4 and P6: in goes a folder of a store, out comes how files can become visible there.

use super::again::{READS, TRIALS, again};
use super::rules::{Trial, broken};
use crate::error::{Error, Result};
use crate::store::{Completed, Content, Location, ObjectInfo, etag, is_lacking};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// What the store's uploads are good for.
#[derive(Debug)]
pub(super) struct Uploads {
    /// Whether a completed upload's ETag follows from the MD5 of its parts.
    pub(super) etags: bool,
    /// Whether the id of a part does not follow from its bytes.
    pub(super) opaque_parts: bool,
    /// Whether completing a second time is answered with success.
    pub(super) repeat_completion: bool,
    /// Whether they become the object that was sent, whatever else is wrong with them.
    pub(super) whole: bool,
    /// What they must not do, where they do it: no file may become visible by them.
    pub(super) flaw: Option<Error>,
}

impl Uploads {
    /// Of no use at all.
    fn useless(flaw: Error) -> Self {
        Self {
            etags: false,
            opaque_parts: true,
            repeat_completion: false,
            whole: false,
            flaw: Some(flaw),
        }
    }
}

impl Trial {
    /// P4: an upload is invisible until it is completed, then whole.
    pub(super) async fn uploads(&self) -> Result<Uploads> {
        again(TRIALS, |n| self.one_upload(n)).await
    }

    async fn one_upload(&self, n: u32) -> Result<Uploads> {
        let (key, body) =
            (self.key(&format!("upload-{n}")), Bytes::from_static(b"staged, then published"));
        let staged = match self.stage(&key, &body).await {
            Err(error) if is_lacking(&error) => {
                let message = "the store does not implement uploads in parts";
                return Ok(Uploads::useless(broken("P4", &key, message).because(error)));
            }
            staged => staged?,
        };
        let Staged { upload, id, visible } = staged;
        let parts = [id];
        let lost = |message| Ok(Uploads::useless(broken("P4", &key, message)));
        match self.store.complete(&key, &upload, &parts).await {
            // Gone: lost at once, or completed by a request that was repeated on the way.
            Completed::Done | Completed::Gone => {}
            Completed::Failed(error) if is_lacking(&error) => {
                let message = "the store does not implement uploads in parts";
                return Ok(Uploads::useless(broken("P4", &key, message).because(error)));
            }
            Completed::Failed(error) => return Err(error),
        }
        let Some(info) = self.head(&key).await? else {
            return lost("a completed upload is not visible, or the store lost it at once");
        };
        if self.content(&key).await?.is_none_or(|content| content != body) {
            return lost("a completed upload has other bytes than were sent");
        }
        let foretold = etag::of_parts(etag::digest(&body), &parts);
        let repeated = self.store.complete(&key, &upload, &parts).await;
        Ok(Uploads {
            etags: foretold.is_some() && info.etag == foretold,
            opaque_parts: foretold.is_none(),
            repeat_completion: matches!(repeated, Completed::Done),
            whole: true,
            flaw: visible,
        })
    }

    /// P4 where nothing may be made visible: an upload that is given up. Gives the flaw found.
    pub(super) async fn uploads_are_invisible(table: &Location) -> Result<Option<Error>> {
        let folder = format!("{}/", table.key("alluvium-probe"));
        let trial = Self { store: Arc::clone(&table.store), folder, made: Mutex::default() };
        let body = Bytes::from_static(b"never published");
        let given_up = |_| async {
            let key = trial.key(&Uuid::new_v4().simple().to_string());
            let staged = trial.stage(&key, &body).await?;
            trial.store.abort(&key, &staged.upload).await?;
            Ok(staged.visible)
        };
        let flaw = again(TRIALS, given_up).await;
        trial.clean_up().await;
        flaw
    }

    /// P6: a copy is the object it was made from, and what is not there is not copied.
    pub(super) async fn copies(&self) -> Result<()> {
        again(TRIALS, |n| self.one_copy(n)).await
    }

    async fn one_copy(&self, n: u32) -> Result<()> {
        let (from, to) = (self.key(&format!("staged-{n}")), self.key(&format!("copied-{n}")));
        let body = Bytes::from_static(b"staged, then copied");
        self.note(&from);
        self.note(&to);
        self.store.put(&from, body.clone(), Content::Data).await.map_err(|e| unfit(e, &from))?;
        match self.store.copy(&from, &to).await {
            Completed::Done => {}
            Completed::Gone => {
                return Err(broken("P6", &to, "the store does not find what to copy"));
            }
            Completed::Failed(error) => return Err(unfit(error, &to)),
        }
        if self.content(&to).await?.is_none_or(|copied| copied != body) {
            return Err(broken("P6", &to, "a copy has other bytes than what was copied"));
        }
        if self.head(&to).await?.is_none_or(|info| info.size != body.len() as u64) {
            return Err(broken("P6", &to, "HEAD does not see what was just copied"));
        }
        self.store.delete(&from).await?;
        match self.store.copy(&from, &to).await {
            Completed::Gone => Ok(()),
            Completed::Failed(error) if error.is_temporary() => Err(error),
            answer => {
                tracing::debug!(?answer, "copying what was deleted");
                Err(broken("P6", &to, "the store copies what was deleted, or does not say so"))
            }
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        again(READS, |_| self.store.head(key)).await
    }

    /// Stages an upload of one part.
    async fn stage(&self, key: &str, body: &Bytes) -> Result<Staged> {
        self.note(key);
        let upload = self.store.start_upload(key).await?;
        let id = self.store.put_part(key, &upload, 0, body.clone()).await?;
        let listed = again(READS, |_| self.store.list(&self.folder, None)).await?;
        let seen = self.head(key).await?.is_some() || listed.iter().any(|i| i.key == key);
        let message = "the store shows an upload before it is completed; readers would see rows \
                       that are not committed";
        Ok(Staged { upload, id, visible: seen.then(|| broken("P4", key, message)) })
    }
}

/// An upload that is not completed.
#[derive(Debug)]
struct Staged {
    upload: String,
    /// Of its only part.
    id: String,
    /// The flaw, if it can be seen.
    visible: Option<Error>,
}

/// A store without copies is judged; one that did not answer is not.
fn unfit(error: Error, key: &str) -> Error {
    match is_lacking(&error) {
        true => broken("P6", key, "the store does not implement copies").because(error),
        false => error,
    }
}
