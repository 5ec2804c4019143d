//! A bucket's lifecycle configuration: in goes nothing, out come its enabled rules. One request,
//! signed by object_store, which has none of its own for this.

use super::S3Store;
use super::answer::refusal;
use crate::error::{Error, Kind, Result};
use crate::store::lifecycle::{Expiry, LifecycleRule};
use object_store::client::{HttpClient, HttpError, HttpRequest, HttpRequestBody};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;

const VALID: Duration = Duration::from_secs(60);
const DOING: &str = "reading the bucket's lifecycle rules";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    #[serde(rename = "Rule")]
    rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Rule {
    #[serde(rename = "ID")]
    id: String,
    status: String,
    prefix: Option<String>,
    filter: Filter,
    expiration: Option<Expiration>,
    abort_incomplete_multipart_upload: Option<Abort>,
    transition: Vec<Transition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    prefix: Option<String>,
    tag: Vec<IgnoredAny>,
    and: Option<Box<Filter>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Expiration {
    days: Option<u32>,
    date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Abort {
    days_after_initiation: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Transition {
    storage_class: String,
}

impl S3Store {
    /// The enabled rules; `None` = there are none.
    pub(super) async fn rules(&self) -> Result<Option<Vec<LifecycleRule>>> {
        let failed = |e| self.target.error(DOING, "?lifecycle", e);
        let options = SignedUrlOptions::default().with_query([("lifecycle", "")]);
        let bucket = Path::default();
        let signed = self.clients.once.signed_url_opts(Method::GET, &bucket, VALID, &options);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        let uri = signed.await.map_err(failed)?.as_str().parse();
        *request.uri_mut() = uri.map_err(|e| unreadable().because(format!("{e}")))?;
        let answer = async {
            let client = HttpClient::new(self.clients.wire.clone());
            client.execute(request).await?.into_body().bytes().await
        };
        match answer.await.map_err(generic) {
            Ok(body) => parse(&body).map(Some),
            Err(error) => match refusal(&error) {
                Some(none) if none.code == "NoSuchLifecycleConfiguration" => Ok(None),
                _ => Err(failed(error)),
            },
        }
    }
}

fn generic(error: HttpError) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(error) }
}

fn unreadable() -> Error {
    Error::new(Kind::Store, format!("{DOING} failed: the answer cannot be read"))
}

fn parse(body: &[u8]) -> Result<Vec<LifecycleRule>> {
    let read = quick_xml::de::from_reader::<_, Configuration>(body);
    let Configuration { rules } = read.map_err(|e| unreadable().because(e))?;
    Ok(rules.into_iter().filter(|rule| rule.status == "Enabled").map(LifecycleRule::from).collect())
}

impl From<Rule> for LifecycleRule {
    fn from(rule: Rule) -> Self {
        let Filter { prefix, tag, and } = rule.filter;
        let and = and.map(|and| *and).unwrap_or_default();
        let expires = rule.expiration.and_then(|e| match e {
            Expiration { days: Some(days), .. } => Some(Expiry::Days(days)),
            Expiration { date: Some(_), .. } => Some(Expiry::Date),
            // Only the markers of deleted versions.
            Expiration { .. } => None,
        });
        let cold = |t: &Transition| matches!(&*t.storage_class, "GLACIER" | "DEEP_ARCHIVE");
        Self {
            name: rule.id,
            prefix: rule.prefix.or(prefix).or(and.prefix).unwrap_or_default(),
            tagged: !tag.is_empty() || !and.tag.is_empty(),
            aborts_uploads_after: rule
                .abort_incomplete_multipart_upload
                .map(|abort| abort.days_after_initiation),
            expires,
            archives: rule.transition.iter().any(cold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(body: &str) -> Vec<LifecycleRule> {
        let xml = format!(
            "<?xml version=\"1.0\"?><LifecycleConfiguration \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>r</ID>{body}</Rule>\
             </LifecycleConfiguration>"
        );
        parse(xml.as_bytes()).unwrap()
    }

    #[test]
    fn rules_are_read_in_all_their_forms() {
        let on = "<Status>Enabled</Status>";
        let of = |prefix: &str| LifecycleRule {
            name: "r".to_owned(),
            prefix: prefix.to_owned(),
            ..LifecycleRule::default()
        };
        let days = |prefix, days| LifecycleRule { expires: Some(Expiry::Days(days)), ..of(prefix) };
        let expires = |when: &str| format!("{on}<Expiration>{when}</Expiration>");
        let filter = |of: &str, then: &str| format!("<Filter>{of}</Filter>{then}");
        let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
        let moves = |class: &str| {
            format!("<Transition><Days>1</Days><StorageClass>{class}</StorageClass></Transition>")
        };
        let abort = "AbortIncompleteMultipartUpload";
        let old = expires("<Days>3</Days>");
        let marker = "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>";
        let dated = expires("<Date>2030-01-01T00:00:00Z</Date>");
        let cases = [
            (format!("<Prefix>old/</Prefix>{old}"), days("old/", 3)),
            (filter("<Prefix>a/</Prefix>", &old), days("a/", 3)),
            (filter("", &dated), LifecycleRule { expires: Some(Expiry::Date), ..of("") }),
            (filter("", &expires(marker)), of("")),
            (filter(tag, on), LifecycleRule { tagged: true, ..of("") }),
            (
                filter(&format!("<And><Prefix>b/</Prefix>{tag}{tag}</And>"), on),
                LifecycleRule { tagged: true, ..of("b/") },
            ),
            (
                format!("{on}<{abort}><DaysAfterInitiation>2</DaysAfterInitiation></{abort}>"),
                LifecycleRule { aborts_uploads_after: Some(2), ..of("") },
            ),
            (
                format!("{on}{}{}", moves("STANDARD_IA"), moves("GLACIER")),
                LifecycleRule { archives: true, ..of("") },
            ),
            (format!("{on}{}", moves("STANDARD_IA")), of("")),
        ];
        for (xml, expected) in cases {
            assert_eq!(rule(&xml), [expected], "{xml}");
        }
        assert_eq!(rule("<Status>Disabled</Status><Expiration><Days>1</Days></Expiration>"), []);
        assert!(parse(b"<html>no").is_err());
        assert_eq!(parse(b"<LifecycleConfiguration/>").unwrap(), []);
    }
}
