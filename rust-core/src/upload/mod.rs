//! Room 8, upload: in go the encoded bytes of a file, out comes a [`StoredFile`]: every byte of it
//! durable in the store, still invisible. Nothing here makes a file visible, and nothing is ever
//! aborted that a log record may name.

mod file_upload;
mod held;
mod target;

pub use file_upload::FileUpload;
pub use held::HeldBytes;

use crate::clock::UnixMillis;
use crate::config::Config;
use crate::error::Result;
use crate::store::probe::Verdict;
use crate::store::{Lake, PublishMode, Store};
use std::sync::Arc;

/// S3 takes no more parts than this for one upload.
pub const PARTS_MAX: usize = crate::config::PARTS_MAX as usize;

/// What the uploads of one task share.
#[derive(Debug, Clone)]
pub struct UploadLimits {
    /// `file.max.bytes`: parts are sized so that twice as much fits.
    pub file_max_bytes: u64,
    /// Whether a completed object's ETag follows from the MD5 of its parts here, as the probe saw.
    pub etags: bool,
    /// Bytes that the task's uploads hold in memory.
    pub held: Arc<HeldBytes>,
    /// Whether ids of parts do not follow from their bytes: a part whose outcome is unknown spoils
    /// its upload.
    pub opaque_parts: bool,
    /// Where files become visible by a copy: how they are staged.
    pub copy: Option<CopyStaging>,
}

/// How files are staged that become visible by a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStaging {
    /// Full key of the folder of staged objects, without a `/` at its end.
    pub folder: String,
    /// Whether a file is sent by one request however large: the store takes no uploads in parts.
    pub whole: bool,
}

impl UploadLimits {
    /// As configured, for a store of which the probe found this.
    pub fn new(config: &Config, lake: &Lake, verdict: &Verdict) -> Self {
        let staging =
            || CopyStaging { folder: lake.meta.key("staging"), whole: !verdict.whole_uploads };
        Self {
            file_max_bytes: config.file_max_bytes,
            etags: verdict.etags,
            held: Arc::default(),
            opaque_parts: verdict.opaque_parts,
            copy: (verdict.publish == PublishMode::Copy).then(staging),
        }
    }

    /// For a store of which nothing is known yet; nothing is uploaded by these.
    pub fn untried(config: &Config) -> Self {
        Self {
            file_max_bytes: config.file_max_bytes,
            etags: false,
            held: Arc::default(),
            opaque_parts: true,
            copy: None,
        }
    }

    /// Bytes that uploads hold now: collected for a part, or in a part on its way.
    pub fn in_flight_bytes(&self) -> u64 {
        self.held.get()
    }
}

/// A file whose bytes are all in the store, invisible until a log record names it and it is
/// published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The key it will be visible under.
    pub key: String,
    /// How it becomes visible.
    pub mode: PublishMode,
    /// With [`PublishMode::Copy`]: the object it is copied from.
    pub staging_key: Option<String>,
    /// The store's id of the upload; empty for a staged object, which is whole.
    pub upload_id: String,
    /// The store's ids of the parts' content, opaque, in order; none for a staged object.
    pub parts: Vec<String>,
    /// Size in bytes.
    pub size: u64,
    /// The ETag it will have once visible, where that is known.
    pub etag: Option<String>,
    /// When its upload was begun, or a little earlier: stores expire uploads by age.
    pub upload_created_at_ms: UnixMillis,
}

impl StoredFile {
    /// Gives the upload up. Only for a file that no log record was ever sent for: a record whose
    /// fate is unknown may be the head of the log, and its files somebody's to publish.
    ///
    /// # Errors
    /// The store's; the upload is then left to the store's lifecycle rule.
    pub async fn abort(self, store: &dyn Store) -> Result<()> {
        match &self.staging_key {
            Some(staged) => store.delete(staged).await,
            None => store.abort(&self.key, &self.upload_id).await,
        }
    }
}
