//! A look at a bucket that changes nothing, for `validate`: in goes a folder, out comes whether a
//! person has to change something.

use super::S3Store;
use super::answer::refusal;
use crate::store::Checked;
use object_store::list::{PaginatedListOptions, PaginatedListStore};

impl S3Store {
    /// Lists one key below the folder. A refusal is [`Checked::Wrong`] when the configuration says
    /// who we are; when only this machine does, the task may run elsewhere and be let in.
    pub(in crate::store) async fn look(&self, folder: &str) -> Checked {
        let options = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
        let Err(error) = self.clients.once.list_paginated(Some(folder), options).await else {
            return Checked::Good;
        };
        let wrong = refusal(&error)
            .is_some_and(|r| r.status < 500 && (self.keys_configured || r.code == "NoSuchBucket"));
        let error = self.target.error("looking at the bucket", folder, error);
        if wrong { Checked::Wrong(error) } else { Checked::Unclear(error) }
    }
}
