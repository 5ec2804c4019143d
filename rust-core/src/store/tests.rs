//! What the unit tests of the stores share.

use crate::config::{S3Config, S3Objects};

/// The defaults, without an endpoint and without keys.
pub(super) fn s3_config() -> S3Config {
    S3Config {
        endpoint: None,
        region: "us-east-1".to_owned(),
        access_key_id: None,
        secret_access_key: None,
        session_token: None,
        path_style: false,
        proxy_url: None,
        part_size: 8 << 20,
        concurrency: 16,
        retry_max_ms: 1_000,
        objects: S3Objects::default(),
    }
}
