//! What becomes of answers that no real server gives on demand: how often each request is sent,
//! and what the pipeline is told.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::config::S3Config;
use alluvium_core::error::{Error, Kind};
use alluvium_core::store::s3::{AwsEnvironment, S3Store};
use alluvium_core::store::{Checked, Completed, Content, Created, Store, check};
use alluvium_testkit::canned::{Answer, Canned};
use alluvium_testkit::weed;
use bytes::Bytes;
use std::time::{Duration, Instant};

const KEYS: [(&str, &str); 2] = [("s3.access.key.id", "k"), ("s3.secret.access.key", "s")];

fn configured(server: &Canned, more: &[(&str, &str)]) -> alluvium_core::config::Config {
    let url = server.url();
    let ours = [("lake.url", "s3://lake/cdc"), ("s3.endpoint", &url), ("s3.retry.max.ms", "2000")];
    weed::config(ours.iter().chain(more))
}

fn store(server: &Canned) -> S3Store {
    let config: S3Config = configured(server, &KEYS).s3;
    S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap()
}

fn always(answer: Answer) -> Canned {
    Canned::start(Vec::new(), answer).unwrap()
}

/// What a store can say to a write.
fn answers() -> Vec<(&'static str, Answer)> {
    let error_in_200 = "<Error><Code>InternalError</Code></Error>".to_owned();
    let etag = vec!["etag: \"e\"".to_owned()];
    let e = Answer::error;
    vec![
        ("200", Answer::Say("200 OK", etag.clone(), "<R><ETag>e</ETag></R>".to_owned())),
        ("200 with an error", Answer::Say("200 OK", etag, error_in_200)),
        ("400 InvalidPart", e("400 Bad Request", "InvalidPart")),
        ("400 ExpiredToken", e("400 Bad Request", "ExpiredToken")),
        ("400 NotImplemented", e("400 Bad Request", "NotImplemented")),
        ("403 AccessDenied", e("403 Forbidden", "AccessDenied")),
        ("403 RequestTimeTooSkewed", e("403 Forbidden", "RequestTimeTooSkewed")),
        ("404 NoSuchUpload", e("404 Not Found", "NoSuchUpload")),
        ("404 NoSuchKey", e("404 Not Found", "NoSuchKey")),
        ("404 NoSuchBucket", e("404 Not Found", "NoSuchBucket")),
        ("408", e("408 Request Timeout", "RequestTimeout")),
        ("409", e("409 Conflict", "ConditionalRequestConflict")),
        ("412", e("412 Precondition Failed", "PreconditionFailed")),
        ("429", e("429 Too Many Requests", "TooManyRequests")),
        ("500", e("500 Internal Server Error", "InternalError")),
        ("501", e("501 Not Implemented", "NotImplemented")),
        ("503", e("503 Slow Down", "SlowDown")),
        ("504, from a proxy", Answer::Say("504 Gateway Timeout", vec![], "<html>".to_owned())),
        ("cut", Answer::Cut),
    ]
}

/// How each write tells each answer. `+`: done; `gone`, `refused`; `try`: temporary, it may or may
/// not have happened; `no`: permanent; `decl`: temporary, and certainly nothing happened.
#[rustfmt::skip]
const TOLD: &[(&str, &str, &str, &str, &str, &str)] = &[
    // answer                   create     complete  copy     part, once  whole put
    ("200",                     "+",       "+",      "+",     "+",        "+"),
    ("200 with an error",       "+",       "try",    "try",   "+",        "+"),
    ("400 InvalidPart",         "no",      "no",     "no",    "no",       "no"),
    ("400 ExpiredToken",        "try",     "try",    "try",   "try",      "try"),
    ("400 NotImplemented",      "no",      "no",     "no",    "no",       "no"),
    ("403 AccessDenied",        "no",      "no",     "no",    "no",       "no"),
    ("403 RequestTimeTooSkewed","try",     "try",    "try",   "try",      "try"),
    ("404 NoSuchUpload",        "no",      "gone",   "gone",  "no",       "no"),
    ("404 NoSuchKey",           "no",      "gone",   "gone",  "no",       "no"),
    ("404 NoSuchBucket",        "no",      "no",     "no",    "no",       "no"),
    ("408",                     "try",     "try",    "try",   "try",      "try"),
    ("409",                     "refused", "try",    "try",   "try",      "try"),
    ("412",                     "refused", "no",     "no",    "no",       "no"),
    ("429",                     "try",     "try",    "try",   "decl",     "try"),
    ("500",                     "try",     "try",    "try",   "try",      "try"),
    ("501",                     "no",      "no",     "no",    "no",       "no"),
    ("503",                     "try",     "try",    "try",   "decl",     "try"),
    ("504, from a proxy",       "try",     "try",    "try",   "try",      "try"),
    ("cut",                     "try",     "try",    "try",   "try",      "try"),
];

fn status(error: &Error) -> &'static str {
    if error.is_temporary() { "try" } else { "no" }
}

fn completed(answer: &Completed) -> &'static str {
    match answer {
        Completed::Done => "+",
        Completed::Gone => "gone",
        Completed::Failed(error) => status(error),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_a_write_is_told_as_what_it_is_and_the_write_is_sent_once() {
    let part = ["part".to_owned()];
    let mut compared = 0;
    for (name, answer) in answers() {
        let row = TOLD.iter().find(|row| row.0 == name).unwrap_or_else(|| panic!("{name}"));
        let server = always(answer);
        let store = store(&server);
        let created = match store.create("cdc.alluvium/a", "x".into()).await {
            Created::Done => "+",
            Created::Refused => "refused",
            Created::Unknown(error) => status(&error),
        };
        let complete = store.complete("cdc/x", "id", &part).await;
        let copy = store.copy("cdc.alluvium/staging/1", "cdc/x").await;
        let once = match store.put_part_once("cdc/x", "id", 0, "x".into()).await {
            Ok(_) => "+",
            Err(error) if error.kind() == Kind::Unknown => "try",
            Err(error) if error.is_temporary() => "decl",
            Err(_) => "no",
        };
        let put = match store.put("cdc.alluvium/staging/1", "x".into(), Content::Data).await {
            Ok(()) => "+",
            Err(error) => status(&error),
        };
        let told = (name, created, completed(&complete), completed(&copy), once, put);
        assert_eq!(told, *row);
        let seen = server.seen();
        assert_eq!(seen.len(), 5, "{name}: each is sent once: {seen:?}");
        assert!(seen[0].1.contains(&"if-none-match: *".to_owned()), "{seen:?}");
        let source = "x-amz-copy-source: lake/cdc.alluvium/staging/1".to_owned();
        assert!(seen[2].1.contains(&source), "{seen:?}");
        compared += 1;
    }
    assert_eq!(compared, TOLD.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_never_left_has_no_unknown_outcome() {
    let nobody = [("lake.url", "s3://lake/cdc"), ("s3.endpoint", "http://127.0.0.1:9")];
    let config = weed::config(nobody.iter().chain(&KEYS)).s3;
    let store = S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap();
    let error = store.put_part_once("cdc/x", "id", 0, "x".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (Kind::Store, true), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_repeated_for_a_while_and_what_cannot_work_is_not() {
    let busy = Answer::error("503 Slow Down", "SlowDown");
    let stored = Answer::Say("200 OK", vec!["etag: \"abc\"".to_owned()], String::new());
    let server = Canned::start(vec![busy.clone(), Answer::Cut, busy.clone()], stored).unwrap();
    let id = store(&server).put_part("cdc/x", "id", 0, Bytes::from("x")).await.unwrap();
    assert_eq!((id.as_str(), server.seen().len()), ("\"abc\"", 4));

    let server = always(busy);
    let began = Instant::now();
    let error = store(&server).put_part("cdc/x", "id", 0, Bytes::from("x")).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("SlowDown"), "{error}");
    assert!(began.elapsed() >= Duration::from_secs(2), "s3.retry.max.ms: {:?}", began.elapsed());

    let server = always(Answer::error("400 Bad Request", "EntityTooSmall"));
    let error = store(&server).put_part("cdc/x", "id", 0, Bytes::from("x")).await.unwrap_err();
    assert!(!error.is_temporary(), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_one_request_however_much_there_is() {
    let object = |n: u32| {
        format!(
            "<Contents><Key>cdc/{n:04}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>\"e\"</ETag><Size>1</Size></Contents>"
        )
    };
    let page: String = (0..1000).map(object).collect();
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    let body = format!("<ListBucketResult>{page}{more}</ListBucketResult>");
    let server = always(Answer::Say("200 OK", Vec::new(), body));
    let listed = store(&server).list("cdc/", Some("cdc/after")).await.unwrap();
    assert_eq!(listed.len(), 1000);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    for part in ["prefix=cdc%2F", "start-after=cdc%2Fafter", "max-keys=1000"] {
        assert!(seen[0].0.contains(part), "{part}: {}", seen[0].0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_and_regions_are_told_by_name() {
    let date = "date: Thu, 01 Jan 2026 00:00:00 GMT".to_owned();
    let Answer::Say(status, _, body) = Answer::error("403 Forbidden", "RequestTimeTooSkewed")
    else {
        unreachable!()
    };
    let server = always(Answer::Say(status, vec![date], body));
    let Checked::Wrong(error) = check(&configured(&server, &KEYS)).await else { panic!() };
    assert!(error.message().contains("clock") && error.message().contains("Jan 2026"), "{error}");

    let region = "x-amz-bucket-region: eu-central-1".to_owned();
    let server = always(Answer::Say("301 Moved", vec![region], String::new()));
    let Checked::Wrong(error) = check(&configured(&server, &KEYS)).await else { panic!() };
    let message = error.message();
    assert!(message.contains("eu-central-1") && message.contains("s3.region"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_service_that_is_silent_or_absent_is_named_within_five_seconds() {
    let server = always(Answer::error("500 Internal", "NeverAsked"));
    let silent = always(Answer::Silence);
    for (endpoint, words) in [
        (silent.url(), "did not answer within 5 s"),
        ("http://192.0.2.1".to_owned(), "metadata service at http://192.0.2.1"),
        ("http://127.0.0.1:9".to_owned(), "metadata service at http://127.0.0.1:9"),
    ] {
        let environment = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint)].into_iter().collect();
        let config = configured(&server, &[]).s3;
        let store = S3Store::open("lake", &config, &environment).unwrap();
        let began = Instant::now();
        let error = store.list("cdc/", None).await.unwrap_err();
        assert!(
            began.elapsed() < Duration::from_millis(5_500),
            "{endpoint}: {:?}",
            began.elapsed()
        );
        assert!(error.message().contains(words), "{endpoint}: {error}");
        assert!(error.message().contains("s3.access.key.id"), "what to set: {error}");
        assert!(error.is_temporary(), "the service may come up");
    }
    assert!(server.seen().is_empty(), "nothing is sent without credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_role_signs_requests() {
    let role = r#"{"AccessKeyId":"ROLEKEY","SecretAccessKey":"s","Token":"tok",
        "Expiration":"2999-01-01T00:00:00Z"}"#;
    let say = |body: &str| Answer::Say("200 OK", Vec::new(), body.to_owned());
    let metadata = Canned::start(vec![say("session"), say("role")], say(role)).unwrap();
    let server = always(say("<ListBucketResult></ListBucketResult>"));
    let variable = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
    let environment = [variable].into_iter().collect();
    let store = S3Store::open("lake", &configured(&server, &[]).s3, &environment).unwrap();
    assert_eq!(store.list("cdc/", None).await.unwrap(), []);
    let (_, headers) = server.seen().remove(0);
    assert!(headers.iter().any(|h| h.starts_with("authorization:") && h.contains("rolekey")));
    assert!(headers.contains(&"x-amz-security-token: tok".to_owned()), "{headers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_never_shown() {
    let server = always(Answer::Cut);
    let secret = [("s3.access.key.id", "k"), ("s3.secret.access.key", "hush-hush")];
    let config = configured(&server, &secret).s3;
    let store = S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap();
    assert!(!format!("{store:?}").contains("hush-hush"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_gets_every_request() {
    let proxy = always(Answer::error("412 Precondition Failed", "PreconditionFailed"));
    let url = proxy.url();
    let through = [("lake.url", "s3://lake/cdc"), ("s3.proxy.url", &url)];
    let endpoint = [("s3.endpoint", "http://s3.invalid:9000")];
    let config = weed::config(through.iter().chain(&endpoint).chain(&KEYS)).s3;
    let store = S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap();
    assert!(matches!(store.create("a", Bytes::from("x")).await, Created::Refused));
    let (request, _) = proxy.seen().remove(0);
    assert_eq!(request, "PUT http://s3.invalid:9000/lake/a HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_waits_for_its_turn_and_the_log_does_not_wait_behind_it() {
    let server = always(Answer::Silence);
    let config = configured(&server, &[KEYS[0], KEYS[1], ("s3.concurrency", "2")]).s3;
    let store = S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap();
    let store = std::sync::Arc::new(store);
    let mut waiting = tokio::task::JoinSet::new();
    for index in 0..5 {
        let store = store.clone();
        waiting.spawn(async move {
            drop(store.put_part("cdc/x", "id", index, Bytes::from("x")).await);
        });
    }
    let sent = async |wanted: usize| {
        let look = async {
            while server.seen().len() < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), look).await.unwrap();
    };
    sent(2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.seen().len(), 2, "s3.concurrency");
    waiting.spawn(async move { drop(store.create("cdc.alluvium/a", Bytes::from("x")).await) });
    sent(3).await;
    assert!(server.seen()[2].0.starts_with("PUT /lake/cdc.alluvium/a "));
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_rules_are_asked_for_once_and_having_none_is_no_error() {
    let xml = "<LifecycleConfiguration><Rule><ID>old</ID><Prefix>cdc</Prefix><Status>Enabled\
               </Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
    let server = always(Answer::Say("200 OK", Vec::new(), xml.to_owned()));
    let rules = store(&server).lifecycle().await.unwrap().unwrap();
    assert_eq!((rules.len(), rules[0].name.as_str(), rules[0].prefix.as_str()), (1, "old", "cdc"));
    let (request, _) = server.seen().remove(0);
    assert!(request.starts_with("GET /lake/?") && request.contains("lifecycle="), "{request}");
    assert!(request.contains("X-Amz-Signature="), "{request}");

    let none = Answer::error("404 Not Found", "NoSuchLifecycleConfiguration");
    assert_eq!(store(&always(none)).lifecycle().await.unwrap(), None);
    for (answer, temporary) in [
        (Answer::error("403 Forbidden", "AccessDenied"), false),
        (Answer::error("501 Not Implemented", "NotImplemented"), false),
        (Answer::error("503 Slow Down", "SlowDown"), true),
    ] {
        let server = always(answer);
        let error = store(&server).lifecycle().await.unwrap_err();
        assert_eq!((error.is_temporary(), server.seen().len()), (temporary, 1), "{error}");
    }
}
