//! What every store must do, whatever it is made of. In goes a store and a folder in it that
//! nobody else uses; a rule that is broken fails the test by name.
#![allow(clippy::unwrap_used, reason = "these are tests, kept here to be run on every store")]

use alluvium_core::clock::SystemClock;
use alluvium_core::store::{Completed, Content, Created, PublishMode, Store};
use alluvium_core::upload::{CopyStaging, FileUpload, UploadLimits};
use bytes::Bytes;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Runs every rule.
///
/// # Panics
/// The store breaks one.
pub async fn conformance(store: Arc<dyn Store>, folder: &str) {
    creates_once(&*store, &format!("{folder}/create")).await;
    one_rival_wins(&store, &format!("{folder}/rivals")).await;
    lists_in_order(&*store, &format!("{folder}/list")).await;
    one_page_at_a_time(&store, &format!("{folder}/pages")).await;
    keys_come_back_as_they_went(&*store, &format!("{folder}/keys")).await;
    uploads_are_invisible_until_completed(&*store, &format!("{folder}/uploads")).await;
    uploads_that_are_gone(&*store, &format!("{folder}/gone")).await;
    files_arrive_whole(&store, &format!("{folder}/files")).await;
    writes_and_copies(&*store, &format!("{folder}/copies")).await;
    if store.mode() == PublishMode::Mpu {
        for whole in [false, true] {
            staged_files_are_objects(&store, &format!("{folder}/staged-{whole}"), whole).await;
        }
    }
}

async fn creates_once(store: &dyn Store, folder: &str) {
    let key = format!("{folder}/a.json");
    assert!(store.get(&key).await.unwrap().is_none());
    assert!(store.head(&key).await.unwrap().is_none());
    store.delete(&key).await.unwrap();
    created(store, &key, "one").await;
    assert!(matches!(store.create(&key, Bytes::from("two")).await, Created::Refused));
    assert_eq!(store.get(&key).await.unwrap().unwrap(), "one");
    let info = store.head(&key).await.unwrap().unwrap();
    assert_eq!((info.key.as_str(), info.size), (key.as_str(), 3));
    assert!(!info.etag.unwrap_or_default().contains('"'), "ETags come without quotes");
    store.delete(&key).await.unwrap();
    assert!(store.get(&key).await.unwrap().is_none());
    created(store, &key, "three").await;
    assert_eq!(store.get(&key).await.unwrap().unwrap(), "three");
    let empty = format!("{folder}/empty");
    created(store, &empty, "").await;
    assert_eq!(store.get(&empty).await.unwrap().unwrap(), "");
}

async fn one_rival_wins(store: &Arc<dyn Store>, folder: &str) {
    for round in 0..5 {
        let mut rivals = JoinSet::new();
        for rival in 0..16 {
            let (store, key) = (Arc::clone(store), format!("{folder}/{round}"));
            let body = Bytes::from(format!("rival {rival}"));
            rivals.spawn(async move { (store.create(&key, body.clone()).await, body) });
        }
        let mut winners = Vec::new();
        for (answer, body) in rivals.join_all().await {
            match answer {
                Created::Done => winners.push(body),
                Created::Refused => {}
                Created::Unknown(error) => assert!(error.is_temporary(), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        let there = store.get(&format!("{folder}/{round}")).await.unwrap();
        assert_eq!(there.as_ref(), winners.first());
    }
}

async fn lists_in_order(store: &dyn Store, folder: &str) {
    assert_eq!(keys(store, folder, None).await, [] as [String; 0]);
    // As a log lies: records, and a folder that comes after every digit.
    let mut names = ["archive/2", "0010.json", "archive/10", "0002.json", "9", "B", "c/d/e"];
    for name in names {
        created(store, &format!("{folder}/{name}"), name).await;
        let listed = keys(store, folder, None).await;
        assert!(listed.contains(&format!("{folder}/{name}")), "{name} is not listed at once");
    }
    created(store, &format!("{folder}-beside/x"), "not in the folder").await;
    names.sort_unstable();
    let all = names.map(|name| format!("{folder}/{name}"));
    assert_eq!(keys(store, folder, None).await, all);
    for (i, key) in all.iter().enumerate() {
        assert_eq!(keys(store, folder, Some(key)).await, all[i + 1..], "after {key}");
    }
    for max in [1, 3, 100] {
        let first = store.list_first(&format!("{folder}/"), max).await.unwrap();
        let first: Vec<String> = first.into_iter().map(|object| object.key).collect();
        assert_eq!(first, all[..max.min(all.len())], "the first {max}");
    }
    let between = format!("{folder}/0003.json");
    assert_eq!(keys(store, folder, Some(&between)).await, all[1..], "a key that is not there");
    let page = store.list(&format!("{folder}/archive/"), None).await.unwrap();
    let sizes: Vec<u64> = page.iter().map(|object| object.size).collect();
    assert_eq!(sizes, [10, 9], "sizes of archive/10 and archive/2");
}

async fn one_page_at_a_time(store: &Arc<dyn Store>, folder: &str) {
    let name = |n: usize| format!("{folder}/{n:020}.json");
    let mut creates = JoinSet::new();
    for n in 0..1003 {
        let (store, key) = (Arc::clone(store), name(n));
        creates.spawn(async move { store.create(&key, Bytes::from_static(b"{}")).await });
        if creates.len() == 32 {
            assert!(matches!(creates.join_next().await, Some(Ok(Created::Done))));
        }
    }
    creates.join_all().await;
    let first = keys(&**store, folder, None).await;
    assert_eq!(first.len(), 1000);
    assert_eq!((&first[0], &first[999]), (&name(0), &name(999)));
    let rest = keys(&**store, folder, Some(&first[999])).await;
    assert_eq!(rest, [name(1000), name(1001), name(1002)]);
}

async fn keys_come_back_as_they_went(store: &dyn Store, folder: &str) {
    // What a partition path may hold after escaping, and what a topic may be called.
    let names = [
        "dt=2024-01-01/hour=07/x.parquet",
        "city=K%C3%B6ln%2FDeutz/x.parquet",
        "name=a b+c&d=e'f(g)!~@$,;:/x.parquet",
        "größe=ü/x.parquet",
        "col=__HIVE_DEFAULT_PARTITION__/my.topic_1-0-00000000000000000000.parquet",
    ];
    for name in names {
        let key = format!("{folder}/{name}");
        created(store, &key, name).await;
        assert_eq!(store.get(&key).await.unwrap().unwrap(), name);
        assert!(keys(store, folder, None).await.contains(&key), "{name}");
    }
    let mut listed = keys(store, folder, None).await;
    listed.sort_unstable();
    assert_eq!(listed.len(), names.len(), "{listed:?}");
}

async fn uploads_are_invisible_until_completed(store: &dyn Store, folder: &str) {
    let key = format!("{folder}/dt=1/x.parquet");
    let whole = vec![7; store.part_size()];
    let upload = store.start_upload(&key).await.unwrap();
    // Out of order, and the first part twice: the later bytes count.
    let last = store.put_part(&key, &upload, 1, Bytes::from("last")).await.unwrap();
    let wrong = vec![8; store.part_size()];
    store.put_part(&key, &upload, 0, wrong.into()).await.unwrap();
    let first = store.put_part(&key, &upload, 0, whole.clone().into()).await.unwrap();
    assert!(store.head(&key).await.unwrap().is_none(), "visible before completion");
    assert_eq!(keys(store, folder, None).await, [] as [String; 0]);
    let parts = [first, last];
    assert!(matches!(store.complete(&key, &upload, &parts).await, Completed::Done));
    let body = store.get(&key).await.unwrap().unwrap();
    assert_eq!(body.len(), whole.len() + 4);
    assert!(body.starts_with(&whole) && body.ends_with(b"last"));
    assert_eq!(keys(store, folder, None).await, [key.as_str()]);
    let again = store.complete(&key, &upload, &parts).await;
    assert!(matches!(again, Completed::Done | Completed::Gone), "{again:?}");
    assert_eq!(store.head(&key).await.unwrap().unwrap().size, body.len() as u64);
}

async fn uploads_that_are_gone(store: &dyn Store, folder: &str) {
    let key = format!("{folder}/x.parquet");
    let upload = store.start_upload(&key).await.unwrap();
    let part = store.put_part(&key, &upload, 0, Bytes::from("part")).await.unwrap();
    store.abort(&key, &upload).await.unwrap();
    store.abort(&key, &upload).await.unwrap();
    let completed = store.complete(&key, &upload, &[part]).await;
    assert!(matches!(completed, Completed::Gone), "{completed:?}");
    assert!(store.head(&key).await.unwrap().is_none());
    let error = store.put_part(&key, &upload, 0, Bytes::from("part")).await.unwrap_err();
    assert!(!error.is_temporary(), "nobody may try this for ever: {error}");
}

async fn files_arrive_whole(store: &Arc<dyn Store>, folder: &str) {
    let part = store.part_size();
    for size in [0, 1, part, 2 * part + 17] {
        let key = format!("{folder}/{size}.parquet");
        let limits = UploadLimits {
            file_max_bytes: 1,
            etags: true,
            held: Arc::default(),
            opaque_parts: false,
            copy: None,
        };
        let clock = Arc::new(SystemClock);
        let mut upload = FileUpload::new(Arc::clone(store), key.clone(), limits.clone(), clock);
        let body: Bytes = (0..size).map(|i| (i / 13) as u8).collect();
        upload.push(body.slice(..size / 2));
        let file = upload.finish(body.slice(size / 2..)).await.unwrap();
        assert_eq!(file.mode, store.mode());
        assert!(store.head(&key).await.unwrap().is_none());
        let done = store.complete(&key, &file.upload_id, &file.parts).await;
        assert!(matches!(done, Completed::Done), "{done:?}");
        let info = store.head(&key).await.unwrap().unwrap();
        assert_eq!(info.size, file.size);
        if store.mode() == PublishMode::Mpu {
            assert!(file.etag.is_some() && info.etag == file.etag, "{info:?} {file:?}");
        }
        assert_eq!(store.get(&key).await.unwrap().unwrap(), body);
        assert_eq!(limits.in_flight_bytes(), 0);
    }
}

async fn writes_and_copies(store: &dyn Store, folder: &str) {
    let (from, to) = (format!("{folder}/from/a.json"), format!("{folder}/to/b=1/c.json"));
    assert!(matches!(store.copy(&from, &to).await, Completed::Gone), "nothing to copy");
    assert!(store.head(&to).await.unwrap().is_none());
    for body in ["one", "", "another"] {
        store.put(&from, Bytes::from(body), Content::Data).await.unwrap();
        assert_eq!(store.get(&from).await.unwrap().unwrap(), body);
        let copied = store.copy(&from, &to).await;
        assert!(matches!(copied, Completed::Done), "{copied:?}");
        assert_eq!(store.get(&to).await.unwrap().unwrap(), body, "copied over what was there");
        assert_eq!(store.head(&to).await.unwrap().unwrap().size, body.len() as u64);
    }
    assert!(matches!(store.create(&from, Bytes::new()).await, Created::Refused));
    store.delete(&from).await.unwrap();
    assert!(matches!(store.copy(&from, &to).await, Completed::Gone));
    assert_eq!(store.get(&to).await.unwrap().unwrap(), "another", "a copy stands by itself");
}

async fn staged_files_are_objects(store: &Arc<dyn Store>, folder: &str, whole: bool) {
    let part = store.part_size();
    for size in [0, 17, part, 2 * part + 17] {
        let key = format!("{folder}/table/{size}.parquet");
        let staging = CopyStaging { folder: format!("{folder}/staging"), whole };
        let held = Arc::default();
        let limits = UploadLimits {
            file_max_bytes: 1,
            etags: true,
            held,
            opaque_parts: false,
            copy: Some(staging),
        };
        let clock = Arc::new(SystemClock);
        let upload = FileUpload::new(Arc::clone(store), key.clone(), limits.clone(), clock);
        let mut upload = upload.of_epoch(7);
        let body: Bytes = (0..size).map(|i| (i / 13) as u8).collect();
        upload.push(body.slice(..size / 2));
        let file = upload.finish(body.slice(size / 2..)).await.unwrap();
        assert_eq!((file.mode, file.size), (PublishMode::Copy, size as u64));
        let staged = file.staging_key.clone().unwrap();
        assert!(staged.starts_with(&format!("{folder}/staging/00000007/")), "{staged}");
        assert_eq!(store.get(&staged).await.unwrap().unwrap(), body);
        assert_eq!(keys(&**store, &format!("{folder}/table"), None).await, [] as [String; 0]);
        let copied = store.copy(&staged, &key).await;
        assert!(matches!(copied, Completed::Done), "{copied:?}");
        assert_eq!(store.get(&key).await.unwrap().unwrap(), body);
        assert_eq!(limits.in_flight_bytes(), 0);
        file.abort(&**store).await.unwrap();
        assert!(store.head(&staged).await.unwrap().is_none(), "giving up deletes it");
        store.delete(&key).await.unwrap();
    }
}

async fn created(store: &dyn Store, key: &str, body: &str) {
    let answer = store.create(key, Bytes::from(body.to_owned())).await;
    assert!(matches!(answer, Created::Done), "{key}: {answer:?}");
}

async fn keys(store: &dyn Store, folder: &str, after: Option<&str>) -> Vec<String> {
    let page = store.list(&format!("{folder}/"), after).await.unwrap();
    page.into_iter().map(|object| object.key).collect()
}
