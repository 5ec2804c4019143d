//! What objects are written with: the very headers, as a server sees them, and a real server where
//! it takes them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::store::probe::probe;
use alluvium_core::store::s3::{AwsEnvironment, S3Store};
use alluvium_core::store::{Completed, Content, Created, Store, open};
use alluvium_testkit::canned::{Answer, Canned};
use alluvium_testkit::conformance;
use alluvium_testkit::weed::{self, Weed};
use std::sync::Arc;

const NOW: i64 = 1_800_000_000_000;
const OURS: &[(&str, &str)] =
    &[("lake.url", "s3://lake/cdc"), ("s3.access.key.id", "k"), ("s3.secret.access.key", "s")];
const ALL: &[(&str, &str)] = &[
    ("s3.sse", "aws:kms"),
    ("s3.sse.kms.key.id", "arn:aws:kms:us-east-1:1:key/a"),
    ("s3.checksum", "sha256"),
    ("s3.tags", "team=lake, cost center=a/b"),
    ("s3.storage.class", "STANDARD_IA"),
];
// As the server notes them: in lower case.
const SSE: &str = "x-amz-server-side-encryption: aws:kms";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:us-east-1:1:key/a";
const TAGS: &str = "x-amz-tagging: team=lake&cost+center=a%2fb";
const CLASS: &str = "x-amz-storage-class: standard_ia";
const ALGORITHM: &str = "x-amz-checksum-algorithm: sha256";
/// Of `x`: `printf x | openssl dgst -sha256 -binary | base64`.
const CHECKSUM: &str = "x-amz-checksum-sha256: lxewqrcmseqbynyp+6wy9chtd7gqpmtbaiwhf5iasie=";

fn store(server: &Canned, more: &[(&str, &str)]) -> S3Store {
    let url = server.url();
    let endpoint = [("s3.endpoint", url.as_str())];
    let config = weed::config(OURS.iter().chain(&endpoint).chain(more)).s3;
    S3Store::open("lake", &config, &AwsEnvironment::default()).unwrap()
}

/// One request to a server that says this; gives its headers of what objects are written with.
async fn sent(more: &[(&str, &str)], answer: &str, ask: impl AsyncFn(&S3Store)) -> Vec<String> {
    let answer = Answer::Say("200 OK", vec!["etag: \"e\"".to_owned()], answer.to_owned());
    let server = Canned::start(Vec::new(), answer).unwrap();
    ask(&store(&server, more)).await;
    let mut seen = server.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let names =
        ["x-amz-server", "x-amz-tag", "x-amz-storage", "x-amz-checksum", "x-amz-meta", "x-amz-acl"];
    let ours = |header: &String| names.iter().any(|name| header.starts_with(name));
    let mut headers: Vec<String> = seen.remove(0).1.into_iter().filter(ours).collect();
    headers.sort_unstable();
    headers
}

async fn create(store: &S3Store) {
    assert!(matches!(store.create("a", "x".into()).await, Created::Done));
}

async fn put_log(store: &S3Store) {
    store.put("a", "x".into(), Content::Log).await.unwrap();
}

async fn put_data(store: &S3Store) {
    store.put("a", "x".into(), Content::Data).await.unwrap();
}

async fn begin(store: &S3Store) {
    assert_eq!(store.start_upload("a").await.unwrap(), "id");
}

async fn part(store: &S3Store) {
    store.put_part("a", "id", 0, "x".into()).await.unwrap();
}

async fn copy(store: &S3Store) {
    assert!(matches!(store.copy("from", "to").await, Completed::Done));
}

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>id</UploadId>\
                     </InitiateMultipartUploadResult>";
const COPIED: &str = "<CopyObjectResult/>";

#[tokio::test(flavor = "multi_thread")]
async fn each_request_says_what_its_object_is_written_with() {
    // The log is encrypted as the data is, and neither tagged nor put into another class.
    assert_eq!(sent(ALL, "", create).await, [CHECKSUM, KEY, SSE]);
    assert_eq!(sent(ALL, "", put_log).await, [CHECKSUM, KEY, SSE]);
    let staged = sent(ALL, "", put_data).await;
    assert_eq!(staged, [CHECKSUM, KEY, SSE, TAGS], "the class is for the copy of it");
    assert_eq!(sent(ALL, BEGUN, begin).await, [ALGORITHM, KEY, SSE, CLASS, TAGS]);
    assert_eq!(sent(ALL, "", part).await, [CHECKSUM]);
    // A copy takes the tags over, and nothing else: the rest must be said again.
    assert_eq!(sent(ALL, COPIED, copy).await, [KEY, SSE, CLASS]);
    let (aes, expected) = ([("s3.sse", "AES256")], ["x-amz-server-side-encryption: aes256"]);
    assert_eq!(sent(&aes, COPIED, copy).await, expected);
    assert_eq!(sent(&aes, BEGUN, begin).await, expected);
    let none = [] as [&str; 0];
    assert_eq!(sent(&[], "", create).await, none);
    assert_eq!(sent(&[], BEGUN, begin).await, none);
    assert_eq!(sent(&[], COPIED, copy).await, none);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_with_a_checksum_is_completed_with_it() {
    let headers = vec!["etag: \"e\"".to_owned(), "x-amz-checksum-sha256: sum=".to_owned()];
    let server = Canned::start(Vec::new(), Answer::Say("200 OK", headers, String::new())).unwrap();
    let store = store(&server, &[("s3.checksum", "sha256")]);
    let id = store.put_part("a", "id", 0, "x".into()).await.unwrap();
    drop(store.complete("a", "id", &[id]).await);
    let body = server.bodies().pop().unwrap();
    for piece in ["<PartNumber>1</PartNumber>", "<ChecksumSHA256>sum=</ChecksumSHA256>", "<ETag>"] {
        assert!(body.contains(piece), "{piece} in {body}");
    }
}

/// What SeaweedFS takes of it. Its encryption needs keys of its own (`AES256` is a 500 without) or
/// a key service, which are not here.
#[tokio::test(flavor = "multi_thread")]
async fn seaweedfs_takes_checksums_tags_and_classes() {
    let weed = Weed::shared();
    for (name, keys) in [
        ("sha256", [("s3.checksum", "sha256"), ("s3.part.size", "5242880")]),
        ("crc64nvme", [("s3.checksum", "crc64nvme"), ("s3.part.size", "5242880")]),
        ("tagged", [("s3.tags", "team=lake"), ("s3.storage.class", "STANDARD_IA")]),
    ] {
        let config = weed.config(&format!("s3://lake/{name}"), &keys);
        let lake = open(&config).unwrap();
        let verdict = probe(&lake, &config, NOW).await.unwrap();
        assert!(verdict.etags && !verdict.opaque_parts, "{name}: {verdict:?}");
        if name == "sha256" {
            conformance(Arc::clone(&lake.table.store), &lake.table.key(name)).await;
        }
    }
    let lake = open(&weed.config("s3://lake/cdc", &[])).unwrap();
    assert_eq!(lake.meta.store.lifecycle().await.unwrap(), None, "it has no rules");
}
