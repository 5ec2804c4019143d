//! Who we are to an S3 store: in go the configuration and the AWS environment, out comes a provider
//! of credentials that answers or fails within [`LIMIT`]. Never shows a secret.

use crate::config::{S3Config, Secret};
use crate::error::{Error, Kind, Result};
use async_trait::async_trait;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};
use object_store::{
    BackoffConfig, ClientOptions, CredentialProvider, RetryConfig, StaticCredentialProvider,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Nobody waits longer for credentials: a metadata service that is not there never answers.
const LIMIT: Duration = Duration::from_secs(5);

const NONE_SET: &str = "no credentials for S3: s3.access.key.id is not set, and the environment \
    has neither AWS_ACCESS_KEY_ID, nor AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, nor \
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI";

/// The variables by which AWS tells a process who it is.
#[derive(Clone, Default)]
pub struct AwsEnvironment(BTreeMap<String, String>);

impl AwsEnvironment {
    /// This process's variables. Read once, when a store is opened: a port, like the clock.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for AwsEnvironment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        let aws = variables.into_iter().map(|(n, v)| (n.into(), v.into()));
        Self(aws.filter(|(name, _)| name.starts_with("AWS_")).collect())
    }
}

impl std::fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// No credentials, and why.
#[derive(Debug)]
pub(super) struct NoCredentials(String);

impl std::fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoCredentials {}

/// Where credentials come from: keys from the configuration, else AWS's own order.
pub(super) fn provider(
    config: &S3Config,
    environment: &AwsEnvironment,
) -> Result<AwsCredentialProvider> {
    if let (Some(id), Some(secret)) = (&config.access_key_id, &config.secret_access_key) {
        let token = config.session_token.as_ref().map(|Secret(token)| token.clone());
        return Ok(fixed(id, &secret.0, token));
    }
    let keys = (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY"));
    if let (Some(id), Some(secret)) = keys {
        return Ok(fixed(id, secret, environment.get("AWS_SESSION_TOKEN").map(str::to_owned)));
    }
    let (source, builder) = service(config, environment)?;
    let retry_config =
        RetryConfig { backoff: BackoffConfig::default(), max_retries: 2, retry_timeout: LIMIT / 2 };
    // Only the provider is taken from this client; it never sees a bucket.
    let client = builder
        .with_bucket_name("none")
        .with_region(&config.region)
        .with_retry(retry_config)
        .build()
        .map_err(|e| Error::new(Kind::Config, "S3 credentials cannot be set up").because(e))?;
    Ok(Arc::new(Limited { source, inner: Arc::clone(client.credentials()) }))
}

fn fixed(id: &str, secret: &str, token: Option<String>) -> AwsCredentialProvider {
    let (key_id, secret_key) = (id.to_owned(), secret.to_owned());
    Arc::new(StaticCredentialProvider::new(AwsCredential { key_id, secret_key, token }))
}

/// The service that gives credentials here, in words, and the client that asks it.
fn service(config: &S3Config, environment: &AwsEnvironment) -> Result<(String, AmazonS3Builder)> {
    let with = |builder: AmazonS3Builder, key, variable| match environment.get(variable) {
        Some(value) => builder.with_config(key, value),
        None => builder,
    };
    // Longer than the limit, which speaks first and says what was asked.
    let patience = 2 * LIMIT;
    let options = ClientOptions::new().with_timeout(patience).with_connect_timeout(patience);
    // The services on this machine are asked over http, and must be where there are no root
    // certificates.
    let local = options.clone().with_no_system_certificates(true);
    let builder = AmazonS3Builder::new().with_client_options(local);
    let web_identity = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE");
    if let (Some(file), Some(role)) = (web_identity, environment.get("AWS_ROLE_ARN")) {
        let builder = AmazonS3Builder::new().with_client_options(options);
        let builder = match &config.proxy_url {
            Some(proxy) => builder.with_proxy_url(proxy),
            None => builder,
        };
        let builder = with(builder, AmazonS3ConfigKey::RoleSessionName, "AWS_ROLE_SESSION_NAME");
        let builder = with(builder, AmazonS3ConfigKey::StsEndpoint, "AWS_ENDPOINT_URL_STS");
        let builder = builder.with_config(AmazonS3ConfigKey::WebIdentityTokenFile, file);
        let builder = builder.with_config(AmazonS3ConfigKey::RoleArn, role);
        return Ok((format!("the web identity service (role {role}, token file {file})"), builder));
    }
    if let Some(uri) = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        let key = AmazonS3ConfigKey::ContainerCredentialsRelativeUri;
        let source = format!("the container's credential service at http://169.254.170.2{uri}");
        return Ok((source, builder.with_config(key, uri)));
    }
    if let Some(uri) = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let Some(file) = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            let message = "AWS_CONTAINER_CREDENTIALS_FULL_URI is set without \
                           AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE; set it, or s3.access.key.id and \
                           s3.secret.access.key";
            return Err(Error::new(Kind::Config, message).with("key", "s3.access.key.id"));
        };
        let builder = builder.with_config(AmazonS3ConfigKey::ContainerCredentialsFullUri, uri);
        let key = AmazonS3ConfigKey::ContainerAuthorizationTokenFile;
        let source = format!("the container's credential service at {uri}");
        return Ok((source, builder.with_config(key, file)));
    }
    if environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true"))
    {
        let message = format!("{NONE_SET}, and AWS_EC2_METADATA_DISABLED is set");
        return Err(Error::new(Kind::Config, message).with("key", "s3.access.key.id"));
    }
    let endpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let source = format!(
        "{NONE_SET}; and the instance metadata service at {}",
        environment.get(endpoint).unwrap_or("http://169.254.169.254")
    );
    Ok((source, with(builder, AmazonS3ConfigKey::MetadataEndpoint, endpoint)))
}

/// A provider that never takes longer than [`LIMIT`] and says who did not answer.
#[derive(Debug)]
struct Limited {
    source: String,
    inner: AwsCredentialProvider,
}

#[async_trait]
impl CredentialProvider for Limited {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let cause = match tokio::time::timeout(LIMIT, self.inner.get_credential()).await {
            Ok(Ok(credential)) => return Ok(credential),
            Ok(Err(error)) => format!("gave none: {}", super::answer::root(&error)),
            Err(_) => format!("did not answer within {} s", LIMIT.as_secs()),
        };
        let source = Box::new(NoCredentials(format!("{} {cause}", self.source)));
        Err(object_store::Error::Generic { store: "S3", source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Result<String> {
        let environment = variables.iter().copied().collect();
        let config = crate::store::tests::s3_config();
        service(&config, &environment).map(|(source, _)| source)
    }

    #[test]
    fn aws_own_order_is_kept() {
        let mut all = vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
        ];
        assert!(source(&all).unwrap().contains("arn:aws:iam::1:role/x"));
        all.drain(..2);
        assert!(source(&all).unwrap().contains("169.254.170.2/v2/x"));
        all.remove(0);
        assert!(source(&all).unwrap().contains("http://127.0.0.1/x"));
        let error = source(&all[..1]).unwrap_err();
        assert!(error.message().contains("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), "{error}");
        assert!(source(&[]).unwrap().contains("169.254.169.254"));
        let error = source(&[("AWS_EC2_METADATA_DISABLED", "true")]).unwrap_err();
        assert!(error.message().contains("AWS_ACCESS_KEY_ID"), "{error}");
    }

    #[test]
    fn only_aws_variables_are_kept_and_none_is_shown() {
        let variables = [("AWS_SECRET_ACCESS_KEY", "hush"), ("HOME", "/home")];
        let environment: AwsEnvironment = variables.into_iter().collect();
        let shown = format!("{environment:?}");
        assert_eq!(shown, r#"{"AWS_SECRET_ACCESS_KEY"}"#);
    }
}
