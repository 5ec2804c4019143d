//! A HEAD that is refused has no body, so no code: why it was, only another request tells.
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
    let url = server.url();
    let config = weed::config(&[
        ("lake.url", "s3://lake/cdc"),
        ("s3.endpoint", url.as_str()),
        ("s3.retry.max.ms", "0"),
        ("s3.access.key.id", "k"),
        ("s3.secret.access.key", "s"),
    ]);
    let store = S3Store::open("lake", &config.s3, &AwsEnvironment::default()).unwrap();
    (store.head("cdc/x").await, server.seen().len())
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
