//! What a person is told about a real S3 server: wrong keys, a missing bucket, nobody there.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::error::{Error, Kind};
use alluvium_core::store::{Checked, Created, check, open};
use alluvium_testkit::weed::{self, ADMIN, STRANGER, Weed};
use std::time::{Duration, Instant};

fn wrong(checked: Checked) -> Error {
    match checked {
        Checked::Wrong(error) => error,
        other => panic!("{other:?}"),
    }
}

fn unclear(checked: Checked) -> Error {
    match checked {
        Checked::Unclear(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_own_words() {
    let weed = Weed::shared();
    let look = async |url: &str, more: &[(&str, &str)]| check(&weed.config(url, more)).await;
    let good = look("s3://lake/cdc", &[]).await;
    assert!(matches!(good, Checked::Good), "{good:?}");
    let key = wrong(look("s3://lake/cdc", &[("s3.access.key.id", "nobody")]).await);
    assert!(key.message().contains("s3.access.key.id"), "{key}");
    let secret = wrong(look("s3://lake/cdc", &[("s3.secret.access.key", "not-it")]).await);
    assert!(secret.message().contains("s3.secret.access.key"), "{secret}");
    let stranger = [("s3.access.key.id", STRANGER.0), ("s3.secret.access.key", STRANGER.1)];
    let rights = wrong(look("s3://lake/cdc", &stranger).await);
    assert!(rights.message().contains("policy"), "{rights}");
    let bucket = wrong(look("s3://no-such-lake/cdc", &[]).await);
    assert!(bucket.message().contains("no such bucket"), "{bucket}");
    assert_eq!(bucket.context("bucket"), Some("no-such-lake"));
    for error in [key, secret, rights, bucket] {
        assert_eq!(error.context("endpoint"), Some(&*weed.endpoint()));
        assert!(!error.to_string().contains("not-it"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_never_an_empty_one() {
    let weed = Weed::shared();
    let lake = open(&weed.config("s3://no-such-lake/cdc", &[])).unwrap();
    let error = lake.table.store.list("cdc/", None).await.unwrap_err();
    assert!(error.message().contains("no such bucket") && !error.is_temporary(), "{error}");
    assert!(lake.table.store.get("cdc/x").await.is_err(), "absence would read as an empty log");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_said_within_five_seconds_and_is_only_a_warning() {
    let keys = [("s3.access.key.id", "k"), ("s3.secret.access.key", "s")];
    // A port nobody listens on; an address that swallows packets (TEST-NET-1, RFC 5737).
    for endpoint in ["http://127.0.0.1:9", "http://192.0.2.1:9000"] {
        let ours = [("lake.url", "s3://lake/cdc"), ("s3.endpoint", endpoint)];
        let began = Instant::now();
        let error = unclear(check(&weed::config(ours.iter().chain(&keys))).await);
        assert!(
            began.elapsed() < Duration::from_millis(5_500),
            "{endpoint}: {:?}",
            began.elapsed()
        );
        assert!(error.message().contains("s3.endpoint"), "{error}");
        assert_eq!((error.kind(), error.is_temporary()), (Kind::Store, true));
        assert_eq!(error.context("endpoint"), Some(endpoint));
    }
}

/// Runs in a process of its own, whose only root certificate is the store's: the name of the
/// variable that says so.
const TRUSTING: &str = "ALLUVIUM_TEST_TRUSTING_ENDPOINT";

#[tokio::test(flavor = "multi_thread")]
async fn tls_trusts_the_system_and_nobody_else() {
    if let Ok(endpoint) = std::env::var(TRUSTING) {
        return trusting(&endpoint).await;
    }
    let weed = Weed::shared();
    let endpoint = weed.https_endpoint();
    let error = unclear(check(&weed.config("s3://lake/cdc", &[("s3.endpoint", &endpoint)])).await);
    assert!(error.to_string().contains("certificate"), "{error}");
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls_trusts_the_system_and_nobody_else", "--nocapture"])
        .env(TRUSTING, &endpoint)
        .env("SSL_CERT_FILE", weed.certificate())
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "the test was found");
}

async fn trusting(endpoint: &str) {
    let ours = [
        ("lake.url", "s3://lake/tls"),
        ("s3.endpoint", endpoint),
        ("s3.access.key.id", ADMIN.0),
        ("s3.secret.access.key", ADMIN.1),
    ];
    let lake = open(&weed::config(&ours)).unwrap();
    let created = lake.meta.store.create("tls.alluvium/a", "body".into()).await;
    assert!(matches!(created, Created::Done), "{created:?}");
    assert_eq!(lake.meta.store.get("tls.alluvium/a").await.unwrap().unwrap(), "body");
}
