//! Between object_store and the network: in go requests, out come answers; one that refuses comes
//! out as a [`Refusal`], with its status and the store's own code. object_store keeps these only
//! as text, and what may be tried again depends on them. Nothing is retried here.

use crate::store::Lacking;
use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{ClientOptions, Result};
use std::fmt;

/// What a store said when it did not do what it was asked.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// The store's code (`SlowDown`, `NoSuchBucket`, …); empty when it gave none.
    pub(super) code: String,
    /// The store's words.
    pub(super) message: String,
    /// The region the bucket is in, where the store said so.
    pub(super) region: Option<String>,
    /// The store's time, as sent.
    pub(super) date: Option<String>,
}

impl Refusal {
    /// Whether the same request may be answered otherwise later.
    pub(super) fn is_temporary(&self) -> bool {
        match self.status {
            501 => false,
            408 | 409 | 429 | 500.. => true,
            // Clocks are set and session tokens renewed while we wait.
            _ => matches!(&*self.code, "RequestTimeout" | "ExpiredToken" | "RequestTimeTooSkewed"),
        }
    }

    /// Whether the signature is what is refused: object_store signs a request once and repeats it
    /// as it is, so only a new request, of a clock that is right again, can fare better.
    fn is_of_signature(&self) -> bool {
        matches!(&*self.code, "ExpiredToken" | "RequestTimeTooSkewed")
    }

    async fn read(response: HttpResponse) -> Self {
        let status = response.status().as_u16();
        let header = |name: &str| {
            response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
        };
        let (region, date) = (header("x-amz-bucket-region"), header("date"));
        // The status alone decides when the rest does not arrive.
        let body = response.into_body().bytes().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let tag = |name| between(&text, name).unwrap_or_default().to_owned();
        let code = tag("Code");
        let message = match code.is_empty() {
            true => text.chars().filter(|c| !c.is_control()).take(200).collect(),
            false => tag("Message"),
        };
        Self { status, code, message, region, date }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store said {}", self.status)?;
        for text in [&self.code, &self.message] {
            if !text.is_empty() {
                write!(f, " {text}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let lacking = matches!(self.status, 405 | 501)
            || matches!(&*self.code, "NotImplemented" | "MethodNotAllowed");
        lacking.then_some(&Lacking)
    }
}

/// One HTTP client, whatever options object_store asks for: its pool is shared.
#[derive(Debug, Clone)]
pub(super) struct Wire(HttpClient);

impl Wire {
    /// A client with these options.
    pub(super) fn new(options: &ClientOptions) -> Result<Self> {
        Ok(Self(ReqwestConnector::default().connect(options)?))
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.execute(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let refusal = Refusal::read(response).await;
        // Interrupted is what object_store repeats for idempotent requests, Unknown never.
        let kind = match refusal.is_temporary() && !refusal.is_of_signature() {
            true => HttpErrorKind::Interrupted,
            false => HttpErrorKind::Unknown,
        };
        Err(HttpError::new(kind, refusal))
    }
}

/// The text of an element that has no attributes; S3 errors are flat.
fn between<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let after = xml.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        let code = code.to_owned();
        Refusal { status, code, message: String::new(), region: None, date: None }
    }

    #[test]
    fn what_may_be_tried_again() {
        let temporary = [
            (500, "InternalError"),
            (503, "SlowDown"),
            (503, ""),
            (429, ""),
            (408, ""),
            (409, "OperationAborted"),
            (400, "RequestTimeout"),
            (400, "ExpiredToken"),
            (403, "RequestTimeTooSkewed"),
        ];
        let permanent = [
            (301, "PermanentRedirect"),
            (400, "InvalidPart"),
            (400, "EntityTooSmall"),
            (403, "AccessDenied"),
            (403, "SignatureDoesNotMatch"),
            (404, "NoSuchUpload"),
            (412, "PreconditionFailed"),
            (501, "NotImplemented"),
        ];
        for (status, code) in temporary {
            assert!(refusal(status, code).is_temporary(), "{status} {code}");
        }
        for (status, code) in permanent {
            assert!(!refusal(status, code).is_temporary(), "{status} {code}");
        }
    }

    #[test]
    fn the_code_is_read_from_the_body() {
        let xml =
            "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>a b</Message></Error>";
        assert_eq!(between(xml, "Code"), Some("SlowDown"));
        assert_eq!(between(xml, "Message"), Some("a b"));
        assert_eq!(between("<html>502</html>", "Code"), None);
    }
}
