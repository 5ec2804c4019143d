//! The clients of one bucket: in goes the configuration, out come clients that differ in what they
//! retry and how long they wait. TLS is rustls with ring and the system's root certificates, so
//! that an organisation's own authority counts once it is installed where curl looks for it.

use super::answer::Target;
use super::credentials::{AwsEnvironment, provider};
use super::wire::Wire;
use crate::config::{S3Config, S3Objects};
use crate::error::{Error, Kind, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider};
use object_store::signer::HeaderMap;
use object_store::{BackoffConfig, ClientOptions, HeaderValue, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(5);
/// Requests of a few kilobytes.
const SMALL: Duration = Duration::from_secs(15);
/// A store may assemble a large object for minutes; whoever asks looks at the key anyway.
const COMPLETE: Duration = Duration::from_secs(120);
/// Time for a part on the slowest line worth having, and never less than this.
const PART_LEAST: Duration = Duration::from_secs(60);
const PART_BYTES_PER_SECOND: usize = 128 << 10;
/// Shorter than common stores and balancers keep an idle connection: a request on one that is
/// being closed has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Clients of one bucket; they share credentials.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    /// Requests that object_store does not know.
    pub(super) wire: Wire,
    /// Creates: sent once, because a repeated create meets its own first attempt.
    pub(super) once: AmazonS3,
    /// Reads and deletes of small objects: repeated for seconds.
    pub(super) small: AmazonS3,
    /// Parts: repeated for `s3.retry.max.ms`.
    pub(super) data: AmazonS3,
    /// Whole objects: sent once; whoever asks knows what a second time may overwrite.
    pub(super) data_once: AmazonS3,
    /// Completions: sent once, because a repeated one makes NoSuchUpload of a success.
    pub(super) complete: AmazonS3,
    /// Copies: sent once, with the storage class that a copy does not take over.
    pub(super) copy: AmazonS3,
}

impl Clients {
    pub(super) fn connect(
        bucket: &str,
        config: &S3Config,
        environment: &AwsEnvironment,
    ) -> Result<(Self, Target)> {
        // Fails when the process has a provider already, which then serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let options = options(config)?;
        let credentials = provider(config, environment)?;
        let wire = |timeout| {
            Wire::new(&options.clone().with_timeout(timeout)).map_err(|e| {
                let message = "the HTTP client cannot be set up; an https endpoint needs the \
                               system's root certificates (package ca-certificates)";
                Error::new(Kind::Config, message).because(e).with("key", "s3.endpoint")
            })
        };
        let part = Duration::from_secs((config.part_size / PART_BYTES_PER_SECOND) as u64);
        let (small, data, complete) = (wire(SMALL)?, wire(part.max(PART_LEAST))?, wire(COMPLETE)?);
        let part_retries = retries(usize::MAX, Duration::from_millis(config.retry_max_ms));
        let bucket_at = Bucket { name: bucket, config, credentials };
        let clients = Self {
            wire: small.clone(),
            once: bucket_at.client(small.clone(), retries(0, Duration::ZERO))?,
            small: bucket_at.client(small, retries(4, Duration::from_secs(10)))?,
            data_once: bucket_at.client(data.clone(), retries(0, Duration::ZERO))?,
            data: bucket_at.client(data, part_retries)?,
            copy: bucket_at.copier(complete.clone())?,
            complete: bucket_at.client(complete, retries(0, Duration::ZERO))?,
        };
        let region = config.region.clone();
        let endpoint = config.endpoint.clone();
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        Ok((clients, Target { endpoint, bucket: bucket.to_owned(), region }))
    }
}

struct Bucket<'a> {
    name: &'a str,
    config: &'a S3Config,
    credentials: AwsCredentialProvider,
}

impl Bucket<'_> {
    fn client(&self, wire: Wire, retry: RetryConfig) -> Result<AmazonS3> {
        self.build(wire, retry, ClientOptions::new())
    }

    /// A client whose every request names the storage class.
    fn copier(&self, wire: Wire) -> Result<AmazonS3> {
        let mut headers = HeaderMap::new();
        if let Some(class) = &self.config.objects.storage_class {
            let value = HeaderValue::from_str(class).map_err(|e| {
                let error = Error::new(Kind::Config, "must be a storage class").because(e);
                error.with("key", "s3.storage.class")
            })?;
            headers.insert("x-amz-storage-class", value);
        }
        let options = ClientOptions::new().with_default_headers(headers);
        self.build(wire, retries(0, Duration::ZERO), options)
    }

    fn build(&self, wire: Wire, retry: RetryConfig, options: ClientOptions) -> Result<AmazonS3> {
        let config = self.config;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(self.name)
            .with_region(&config.region)
            .with_credentials(Arc::clone(&self.credentials))
            .with_client_options(options)
            .with_http_connector(wire)
            .with_retry(retry)
            .with_virtual_hosted_style_request(!config.path_style)
            // One key at a time is what every store understands.
            .with_disable_bulk_delete(true);
        let S3Objects { sse, kms_key_id, checksum, .. } = &config.objects;
        for (name, value) in [
            ("aws_server_side_encryption", sse),
            ("aws_sse_kms_key_id", kms_key_id),
            ("aws_checksum_algorithm", checksum),
        ] {
            if let (Ok(key), Some(value)) = (name.parse::<AmazonS3ConfigKey>(), value) {
                builder = builder.with_config(key, value);
            }
        }
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(match config.path_style {
                true => endpoint.clone(),
                false => host_of_bucket(endpoint, self.name)?,
            });
        }
        builder
            .build()
            .map_err(|e| Error::new(Kind::Config, "the S3 client cannot be set up").because(e))
    }
}

fn options(config: &S3Config) -> Result<ClientOptions> {
    // An http endpoint is taken as meant; it needs no root certificates, and must do without them.
    let plain = config.endpoint.as_ref().is_some_and(|e| e.starts_with("http://"));
    let mut options = ClientOptions::new()
        .with_allow_http(plain)
        .with_no_system_certificates(plain)
        .with_connect_timeout(CONNECT)
        .with_pool_idle_timeout(POOL_IDLE)
        .with_user_agent(HeaderValue::from_static(concat!("alluvium/", env!("CARGO_PKG_VERSION"))));
    if let Some(proxy) = &config.proxy_url {
        options = options.with_proxy_url(proxy);
    }
    Ok(options)
}

/// `https://host:port` to `https://bucket.host:port`.
fn host_of_bucket(endpoint: &str, bucket: &str) -> Result<String> {
    let wrong = || {
        Error::new(Kind::Config, "must name a host when s3.path.style is false")
            .with("key", "s3.endpoint")
            .with("value", endpoint)
    };
    let mut url = Url::parse(endpoint).map_err(|e| wrong().because(e))?;
    let url::Host::Domain(host) = url.host().ok_or_else(wrong)? else { return Err(wrong()) };
    let host = format!("{bucket}.{host}");
    url.set_host(Some(&host)).map_err(|e| wrong().because(e))?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn retries(max_retries: usize, retry_timeout: Duration) -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries, retry_timeout }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_goes_into_the_host() {
        let host = |endpoint| host_of_bucket(endpoint, "lake");
        assert_eq!(host("https://s3.local:9000").unwrap(), "https://lake.s3.local:9000");
        let error = host("http://127.0.0.1:9000").unwrap_err();
        assert!(error.message().contains("s3.path.style"), "{error}");
        assert_eq!(error.context("key"), Some("s3.endpoint"));
    }
}
