//! The ways in which real stores differ.

/// The ways in which real stores differ where the commit protocol could notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Personality {
    /// A repeated completion answers success. Without it: NoSuchUpload.
    pub repeat_completion: bool,
    /// Creates check and write in one step. Without it, racing creates may all succeed.
    pub atomic_create: bool,
    /// Creates honour their condition at all. Without it they overwrite.
    pub honours_condition: bool,
    /// All parts but the last must have one size.
    pub equal_parts: bool,
    /// Aborting a completed upload destroys the object it became.
    pub abort_destroys_completed: bool,
    /// Uploads are visible while they are written (no real multipart uploads).
    pub visible_uploads: bool,
    /// Ids of parts, and ETags, do not follow from the bytes: a part stored again has another.
    pub opaque_parts: bool,
    /// Uploads in parts are not implemented.
    pub no_uploads: bool,
    /// Copies are not implemented.
    pub no_copies: bool,
}

impl Personality {
    /// AWS S3, and SeaweedFS as it is today.
    pub const AWS: Self = Self {
        repeat_completion: true,
        atomic_create: true,
        honours_condition: true,
        equal_parts: false,
        abort_destroys_completed: false,
        visible_uploads: false,
        opaque_parts: false,
        no_uploads: false,
        no_copies: false,
    };
    /// MinIO: NoSuchUpload once completed.
    pub const MINIO: Self = Self { repeat_completion: false, ..Self::AWS };
    /// SeaweedFS up to 4.16: racing creates all win, a late abort frees live chunks.
    pub const OLD_SEAWEEDFS: Self =
        Self { atomic_create: false, abort_destroys_completed: true, ..Self::AWS };
    /// Google's S3 interoperability: `If-None-Match` is ignored on writes.
    pub const GCS_INTEROP: Self = Self { honours_condition: false, ..Self::AWS };
    /// AWS with `aws:kms`.
    pub const KMS: Self = Self { opaque_parts: true, ..Self::AWS };
    /// Cloudflare R2: equal parts only.
    pub const R2: Self = Self { equal_parts: true, ..Self::AWS };
}
