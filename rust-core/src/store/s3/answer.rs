//! From object_store's errors to ours: in goes an error, out comes what a person needs to know and
//! whether trying again can help.

use super::credentials::NoCredentials;
use super::wire::Refusal;
use crate::error::{Error, Kind};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;

/// Where requests go, for messages.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) endpoint: String,
    pub(super) bucket: String,
    pub(super) region: String,
}

impl Target {
    /// The error of a request for `key` that failed while `doing` something.
    pub(super) fn error(&self, doing: &str, key: &str, error: object_store::Error) -> Error {
        let ours = match (find::<Refusal>(&error), find::<NoCredentials>(&error)) {
            (Some(refusal), _) => self.refused(doing, refusal),
            (None, Some(none)) => {
                Error::new(Kind::Store, format!("{doing} failed: {none}")).temporary()
            }
            (None, None) => self.not_answered(doing, &error),
        };
        ours.with("key", key).with("bucket", &self.bucket).with("endpoint", &self.endpoint)
    }

    fn refused(&self, doing: &str, refusal: &Refusal) -> Error {
        let message = match self.advice(refusal) {
            Some(advice) => format!("{doing} failed: {advice}"),
            None => format!("{doing} failed"),
        };
        let error = Error::new(Kind::Store, message).because(refusal.clone());
        if refusal.is_temporary() { error.temporary() } else { error }
    }

    /// What to do about a refusal, where that is known.
    fn advice(&self, refusal: &Refusal) -> Option<String> {
        let advice = match (&*refusal.code, refusal.status) {
            ("InvalidAccessKeyId", _) => {
                "the store does not know the access key; check s3.access.key.id".to_owned()
            }
            ("SignatureDoesNotMatch", _) => {
                "the secret key is not the access key's; check s3.secret.access.key".to_owned()
            }
            ("InvalidToken" | "ExpiredToken", _) => {
                "the session token is not valid any more; renew s3.session.token".to_owned()
            }
            ("AccessDenied" | "AllAccessDisabled", _) => {
                "the access key may not do this; its policy must allow s3:GetObject, PutObject, \
                 DeleteObject, AbortMultipartUpload and ListBucket on lake.url and lake.meta.url"
                    .to_owned()
            }
            ("NoSuchBucket", _) => {
                "there is no such bucket; create it or correct lake.url".to_owned()
            }
            ("RequestTimeTooSkewed", _) => {
                let theirs = refusal.date.as_deref().unwrap_or("not told");
                format!(
                    "this machine's clock and the store's differ by more than 15 minutes (the \
                     store's time: {theirs}); set the clock"
                )
            }
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect", _)
            | (_, 301 | 307) => {
                let theirs = refusal.region.as_deref().unwrap_or("another region");
                format!("the bucket is in {theirs}, not in {}; set s3.region", self.region)
            }
            (_, 403) => "the access key may not do this".to_owned(),
            _ => return None,
        };
        Some(advice)
    }

    /// No answer, half an answer, or one that is not S3.
    fn not_answered(&self, doing: &str, error: &object_store::Error) -> Error {
        let kind = find::<HttpError>(error).map(HttpError::kind);
        let what = match kind {
            Some(HttpErrorKind::Connect) => "no connection to the store; check s3.endpoint",
            Some(HttpErrorKind::Timeout) => "the store did not answer in time",
            Some(HttpErrorKind::Interrupted | HttpErrorKind::Request) => "the connection was cut",
            _ => "the answer cannot be read",
        };
        let ours = Error::new(Kind::Store, format!("{doing} failed: {what}")).because(root(error));
        // A key that cannot be one is the same key next time.
        if matches!(error, object_store::Error::InvalidPath { .. }) {
            ours
        } else {
            ours.temporary()
        }
    }
}

/// The store's refusal within an error, if it is one.
pub(super) fn refusal(error: &object_store::Error) -> Option<&Refusal> {
    find(error)
}

/// Whether a request that failed certainly did nothing: it never left, or was throttled.
pub(super) fn was_declined(error: &object_store::Error) -> bool {
    match (refusal(error), find::<HttpError>(error)) {
        (Some(refusal), _) => matches!(refusal.status, 429 | 503),
        (None, Some(error)) => error.kind() == HttpErrorKind::Connect,
        (None, None) => find::<NoCredentials>(error).is_some(),
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|e| e.downcast_ref())
}

/// The innermost cause: the layers above repeat it.
pub(super) fn root(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn StdError + 'static)| (*e).source())
}
