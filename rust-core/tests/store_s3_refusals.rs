//! Refusals that are told apart: a HEAD's has no body, so no code, and only another request says
//! why; one of the signature is no reason to send the same signature again.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::error::Result;
use alluvium_core::store::s3::{AwsEnvironment, S3Store};
use alluvium_core::store::{ObjectInfo, Store};
use alluvium_testkit::canned::{Answer, Canned};
use alluvium_testkit::weed;

const BARE: &str = "403 Forbidden";

/// What HEAD gives when the store says nothing at first and then this; and how often it was asked.
async fn head(then: Answer) -> (Result<Option<ObjectInfo>>, usize) {
    let bare = Answer::Say(BARE, Vec::new(), String::new());
    let server = Canned::start(vec![bare], then).unwrap();
    (store(&server).head("cdc/x").await, server.seen().len())
}

fn store(server: &Canned) -> S3Store {
    let url = server.url();
    let config = weed::config(&[
        ("lake.url", "s3://lake/cdc"),
        ("s3.endpoint", url.as_str()),
        ("s3.retry.max.ms", "5000"),
        ("s3.access.key.id", "k"),
        ("s3.secret.access.key", "s"),
    ]);
    S3Store::open("lake", &config.s3, &AwsEnvironment::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_is_waited_for_and_a_missing_right_is_not() {
    let cases = [
        ("RequestTimeTooSkewed", true, "clock"),
        ("ExpiredToken", true, "s3.session.token"),
        ("AccessDenied", false, "policy"),
    ];
    for (code, temporary, words) in cases {
        let (answer, _) = head(Answer::error(BARE, code)).await;
        let error = answer.unwrap_err();
        assert_eq!(error.is_temporary(), temporary, "{code}: {error}");
        assert!(error.to_string().contains(words), "{code}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_passed_meanwhile_is_no_refusal() {
    // The clock was set between two requests: the file is not there, and nothing is wrong.
    let (answer, asked) = head(Answer::error("404 Not Found", "NoSuchKey")).await;
    assert_eq!((answer.unwrap().map(|info| info.size), asked), (None, 3));
    // Refused for good, without a word to either.
    let (answer, _) = head(Answer::Say(BARE, Vec::new(), String::new())).await;
    let error = answer.unwrap_err();
    assert!(!error.is_temporary(), "{error}");
    assert!(error.to_string().contains("the access key may not do this"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_signature_is_not_sent_again() {
    for (code, again) in
        [("RequestTimeTooSkewed", false), ("ExpiredToken", false), ("SlowDown", true)]
    {
        let status = if again { "503 Slow Down" } else { BARE };
        let server = Canned::start(Vec::new(), Answer::error(status, code)).unwrap();
        let error = store(&server).start_upload("cdc/x").await.unwrap_err();
        assert!(error.is_temporary(), "{code}: the pipeline asks anew: {error}");
        let asked = server.seen().len();
        assert_eq!(asked > 1, again, "{code}: asked {asked} times");
    }
}
