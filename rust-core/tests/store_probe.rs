//! The probe against stores that keep their word and stores that do not.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test says what failed by failing")]

use alluvium_core::config::Config;
use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::store::probe::{patiently, probe};
use alluvium_core::store::{
    Completed, Created, Lake, LifecycleRule, Location, ObjectInfo, PlainStore, PublishMode, Store,
    open,
};
use alluvium_core::upload::UploadLimits;
use alluvium_testkit::faulty::Rates;
use alluvium_testkit::weed::{self, Weed};
use alluvium_testkit::{Fault, FaultyStore, MemoryStore, Op, Personality};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;

fn configured() -> Config {
    weed::config(&[("lake.url", "s3://lake/cdc")])
}

fn in_mode(mode: &str, more: &[(&str, &str)]) -> Config {
    let ours = [("lake.url", "s3://lake/cdc"), ("publish.mode", mode)];
    weed::config(ours.iter().chain(more))
}

fn lake(store: &Arc<dyn Store>) -> Lake {
    let at = |prefix: &str| Location { store: Arc::clone(store), prefix: prefix.to_owned() };
    Lake { table: at("cdc"), meta: at("cdc.alluvium") }
}

fn faulty(personality: Personality) -> (MemoryStore, FaultyStore, Lake) {
    let memory = MemoryStore::new(personality);
    let store = FaultyStore::new(Arc::new(memory.clone()));
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    (memory, store, lake(&shared))
}

#[tokio::test]
async fn stores_that_keep_their_word_pass_and_nothing_stays_but_the_verdict() {
    for (personality, repeat) in
        [(Personality::AWS, true), (Personality::MINIO, false), (Personality::R2, true)]
    {
        let (memory, store, lake) = faulty(personality);
        let verdict = probe(&lake, &configured(), NOW).await.unwrap();
        assert_eq!((verdict.etags, verdict.repeat_completion), (true, repeat));
        let keys = memory.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert!(keys[0].starts_with("cdc.alluvium/v1/probe/verdicts/"), "{keys:?}");
        assert_eq!(memory.open_uploads(), []);
        assert!(!verdict.opaque_parts);
        let touched = store.requests();
        assert!(touched.iter().all(|r| !r.key.starts_with("cdc/")), "the table is not touched");
    }
}

#[tokio::test]
async fn stores_that_do_not_are_refused_by_the_rule_they_break() {
    let visible = Personality { visible_uploads: true, ..Personality::AWS };
    let no_uploads = Personality { no_uploads: true, ..Personality::AWS };
    let no_copies = Personality { no_copies: true, ..visible };
    let cases = [
        (Personality::GCS_INTEROP, "auto", "P1", "accepted a second create"),
        (Personality::OLD_SEAWEEDFS, "auto", "P2", "accepted a second create"),
        (visible, "multipart", "P4", "before it is completed"),
        (no_uploads, "multipart", "P4", "does not implement uploads"),
        (no_copies, "auto", "P6", "does not implement copies"),
        (no_copies, "copy", "P6", "does not implement copies"),
    ];
    for (personality, mode, rule, words) in cases {
        let (memory, _, lake) = faulty(personality);
        let error = probe(&lake, &in_mode(mode, &[]), NOW).await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (Kind::Config, false), "{error}");
        assert_eq!(error.context("rule"), Some(rule), "{error}");
        assert!(error.message().contains(words), "{error}");
        if rule == "P2" {
            assert_eq!(error.context("winners"), Some("16"), "{error}");
        }
        assert_eq!(memory.keys(), [] as [&str; 0], "it cleans up after a failure too");
    }
}

#[tokio::test]
async fn files_are_copied_where_uploads_cannot_be_trusted_or_when_it_is_said() {
    let visible = Personality { visible_uploads: true, ..Personality::AWS };
    let no_uploads = Personality { no_uploads: true, ..Personality::AWS };
    for (personality, mode, publish, whole_uploads) in [
        (Personality::AWS, "auto", PublishMode::Mpu, true),
        (Personality::AWS, "multipart", PublishMode::Mpu, true),
        (Personality::AWS, "copy", PublishMode::Copy, true),
        (visible, "auto", PublishMode::Copy, true),
        (no_uploads, "auto", PublishMode::Copy, false),
        (no_uploads, "copy", PublishMode::Copy, false),
    ] {
        let (memory, store, lake) = faulty(personality);
        let config = in_mode(mode, &[]);
        let verdict = probe(&lake, &config, NOW).await.unwrap();
        assert_eq!((verdict.publish, verdict.whole_uploads), (publish, whole_uploads), "{mode}");
        assert_eq!(memory.keys().len(), 1, "{:?}", memory.keys());
        let limits = UploadLimits::new(&config, &lake, &verdict);
        let staging = limits.copy.map(|copy| (copy.folder, copy.whole));
        let expected = ("cdc.alluvium/staging".to_owned(), !whole_uploads);
        assert_eq!(staging, (publish == PublishMode::Copy).then_some(expected), "{mode}");
        store.take_requests();
        assert_eq!(probe(&lake, &config, NOW + 1).await.unwrap(), verdict, "kept");
        assert_eq!(store.count(Op::Copy), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_loses_answers_makes_nobody_misjudged() {
    let lossy = Rates {
        fail_before: 12,
        fail_after: 12,
        delay: 5,
        late: 8,
        twice: 2,
        pause_max: Duration::from_secs(2),
    };
    let visible = Personality { visible_uploads: true, ..Personality::AWS };
    let no_copies = Personality { no_copies: true, ..visible };
    let cases = [
        (Personality::AWS, "auto", None),
        (Personality::MINIO, "copy", None),
        (Personality::KMS, "auto", None),
        (visible, "auto", None),
        (Personality::GCS_INTEROP, "auto", Some("P1")),
        (Personality::OLD_SEAWEEDFS, "auto", Some("P2")),
        (visible, "multipart", Some("P4")),
        (no_copies, "auto", Some("P6")),
    ];
    let (mut races, mut lost) = (0, 0);
    for (seed, (personality, mode, broken)) in (0..20).flat_map(|s| cases.map(|case| (s, case))) {
        let (_, store, lake) = faulty(personality);
        store.seed(seed, lossy);
        let told = patiently(&lake, &in_mode(mode, &[]), || NOW).await;
        match (&told, broken) {
            (Ok(verdict), None) => assert_eq!(
                verdict.publish,
                if mode == "copy" || personality == visible {
                    PublishMode::Copy
                } else {
                    PublishMode::Mpu
                }
            ),
            (Err(error), Some(rule)) => {
                assert_eq!(error.context("rule"), Some(rule), "{personality:?}, {seed}: {error}");
                assert!(!error.is_temporary());
            }
            _ => panic!("{personality:?}, {mode}, seed {seed}: {told:?}"),
        }
        let sent = store.requests();
        let rivals: BTreeSet<&str> =
            sent.iter().map(|r| r.key.as_str()).filter(|k| k.contains("/rivals-")).collect();
        races += rivals.len();
        let cut = [Fault::FailBefore, Fault::FailAfter];
        lost += sent.iter().filter(|r| cut.contains(&r.fault)).count();
    }
    assert!(lost > 2_000 && races > 400, "{lost} answers lost, {races} races");
}

/// A lake as `at_least_once` opens it.
fn unfenced(personality: Personality) -> (MemoryStore, FaultyStore, Lake) {
    let memory = MemoryStore::new(personality);
    let store = FaultyStore::new(Arc::new(memory.clone()));
    let plain: Arc<dyn Store> = Arc::new(PlainStore::new(Arc::new(store.clone())));
    (memory, store, lake(&plain))
}

#[tokio::test(start_paused = true)]
async fn at_least_once_takes_stores_without_conditions_and_no_others() {
    let at_least_once = [("delivery.guarantee", "at_least_once")];
    let config = in_mode("auto", &at_least_once);
    for personality in [Personality::GCS_INTEROP, Personality::OLD_SEAWEEDFS, Personality::AWS] {
        let (memory, store, lake) = unfenced(personality);
        let verdict = probe(&lake, &config, NOW).await.unwrap();
        assert_eq!((verdict.publish, store.count(Op::Create)), (PublishMode::Mpu, 0));
        assert_eq!(memory.keys().len(), 1, "the verdict");
        // What was found for one guarantee says nothing for the other.
        store.take_requests();
        drop(probe(&lake, &configured(), NOW + 1).await);
        assert!(store.count(Op::Head) > 40, "tried anew, with rivals");
    }
    let (memory, _, lake) = unfenced(Personality::GCS_INTEROP);
    memory.freeze_listing();
    let error = probe(&lake, &config, NOW).await.unwrap_err();
    assert_eq!(error.context("rule"), Some("P3"), "{error}");
}

#[tokio::test]
async fn ids_that_do_not_follow_from_the_bytes_are_found_out_and_kept_by_what_they_depend_on() {
    let (_, store, lake) = faulty(Personality::KMS);
    let verdict = probe(&lake, &configured(), NOW).await.unwrap();
    assert!(verdict.opaque_parts && !verdict.etags);
    assert!(UploadLimits::new(&configured(), &lake, &verdict).opaque_parts);
    for key in ["s3.sse", "s3.checksum"] {
        let value = if key == "s3.sse" { "aws:kms" } else { "sha256" };
        store.take_requests();
        probe(&lake, &in_mode("auto", &[(key, value)]), NOW).await.unwrap();
        assert!(store.count(Op::Create) > 48, "a verdict without {key} says nothing with it");
    }
}

#[tokio::test]
async fn the_refusal_says_what_would_work() {
    for personality in [Personality::GCS_INTEROP, Personality::OLD_SEAWEEDFS] {
        let (_, _, lake) = faulty(personality);
        let error = probe(&lake, &configured(), NOW).await.unwrap_err();
        for part in ["exactly-once is impossible here", "delivery.guarantee=at_least_once"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guarantee_decides_how_a_lake_is_opened() {
    let root = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lake", root.path().display());
    for (guarantee, plain) in [("exactly_once", false), ("at_least_once", true)] {
        let ours = [("lake.url", url.as_str()), ("delivery.guarantee", guarantee)];
        let lake = open(&weed::config(&ours)).unwrap();
        assert_eq!(format!("{:?}", lake.meta.store).starts_with("PlainStore"), plain);
        assert!(Arc::ptr_eq(&lake.meta.store, &lake.table.store));
    }
}

#[tokio::test]
async fn a_choice_of_copies_that_cannot_work_says_which_key_to_change() {
    let visible = Personality { visible_uploads: true, ..Personality::AWS };
    let (_, _, lake) = faulty(visible);
    let large = in_mode("auto", &[("file.max.bytes", "2684354561")]);
    let error = probe(&lake, &large, NOW).await.unwrap_err();
    assert_eq!(error.context("key"), Some("file.max.bytes"), "{error}");
    let (_, _, mut lake) = faulty(Personality::AWS);
    lake.table.store = Arc::new(MemoryStore::new(visible));
    let error = probe(&lake, &configured(), NOW).await.unwrap_err();
    assert_eq!(error.context("key"), Some("lake.meta.url"), "{error}");
    assert!(error.message().contains("before it is completed"), "{error}");
}

#[tokio::test]
async fn a_listing_behind_the_writes_is_refused() {
    let (memory, _, lake) = faulty(Personality::AWS);
    memory.freeze_listing();
    let error = probe(&lake, &configured(), NOW).await.unwrap_err();
    assert_eq!(error.context("rule"), Some("P3"), "{error}");
    assert!(error.message().contains("consistency"), "{error}");
}

#[tokio::test]
async fn a_verdict_serves_for_a_day_at_its_place() {
    let (memory, store, lake) = faulty(Personality::AWS);
    let first = probe(&lake, &configured(), NOW).await.unwrap();
    let creates = || store.take_requests().iter().filter(|r| r.op == Op::Create).count();
    assert!(creates() > 48);
    assert_eq!(probe(&lake, &configured(), NOW + DAY - 1).await.unwrap(), first);
    assert_eq!(creates(), 0, "within a day");
    let elsewhere = [("lake.url", "s3://lake/cdc"), ("s3.endpoint", "http://other:9000")];
    probe(&lake, &weed::config(&elsewhere), NOW + 1).await.unwrap();
    assert!(creates() > 48, "another endpoint");
    let later = probe(&lake, &configured(), NOW + DAY).await.unwrap();
    assert!(creates() > 48, "after a day");
    assert_eq!(later.checked_at_ms, NOW + DAY);
    probe(&lake, &configured(), NOW - 1).await.unwrap();
    assert!(creates() > 48, "a verdict of the future is of a wrong clock");
    assert!(memory.keys().len() <= 3, "old verdicts go: {:?}", memory.keys());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_judged() {
    use Op::{Complete, Copy, Create, Get, List, Put, PutPart, StartUpload};
    let config = in_mode("copy", &[]);
    for op in [Create, Get, List, StartUpload, PutPart, Complete, Put, Copy] {
        for fault in [Fault::FailBefore, Fault::FailAfter] {
            let (memory, store, lake) = faulty(Personality::AWS);
            store.always_on(op, "", fault);
            let error = probe(&lake, &config, NOW).await.unwrap_err();
            assert!(error.is_temporary(), "{op:?} {fault:?}: {error}");
            assert_eq!(memory.keys(), [] as [&str; 0], "{op:?} {fault:?}");
            store.heal();
            assert!(probe(&lake, &config, NOW).await.is_ok(), "{op:?} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_start_a_store_that_does_not_answer_is_waited_for() {
    for op in [Op::Create, Op::Get, Op::List, Op::StartUpload, Op::PutPart, Op::Complete] {
        for fault in [Fault::FailBefore, Fault::FailAfter] {
            let (memory, store, lake) = faulty(Personality::AWS);
            (0..30).for_each(|_| store.next(op, fault));
            let verdict = patiently(&lake, &configured(), || NOW).await;
            assert!(verdict.is_ok(), "{op:?} {fault:?}: {verdict:?}");
            assert_eq!(memory.keys().len(), 1, "{op:?} {fault:?}: nothing but the verdict stays");
        }
    }
    let (_, store, lake) = faulty(Personality::AWS);
    store.always_on(Op::List, "", Fault::FailBefore);
    let (away, config) = (Duration::from_secs(3_600), configured());
    let began = tokio::time::Instant::now();
    let back = async {
        tokio::time::sleep(away).await;
        store.heal();
    };
    let (verdict, ()) = tokio::join!(patiently(&lake, &config, || NOW), back);
    assert!(verdict.is_ok(), "{verdict:?}");
    let late = began.elapsed() - away;
    assert!(late <= Duration::from_secs(11), "it goes on soon after the store is back: {late:?}");
    let (_, store, lake) = faulty(Personality::OLD_SEAWEEDFS);
    store.next(Op::List, Fault::FailBefore);
    let error = patiently(&lake, &configured(), || NOW).await.unwrap_err();
    assert_eq!(error.context("rule"), Some("P2"), "a broken rule is told at once: {error}");
}

#[tokio::test]
async fn a_table_in_another_bucket_is_tried_without_showing_anything() {
    let visible = Personality { visible_uploads: true, ..Personality::AWS };
    for (personality, passes) in [(Personality::AWS, true), (visible, false)] {
        let (_, _, mut lake) = faulty(Personality::AWS);
        let table = MemoryStore::new(personality);
        lake.table.store = Arc::new(table.clone());
        let verdict = probe(&lake, &configured(), NOW).await;
        assert_eq!(verdict.is_ok(), passes, "{verdict:?}");
        assert_eq!(table.keys(), [] as [&str; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seaweedfs_and_a_folder_pass() {
    let weed = Weed::shared();
    let config = weed.config("s3://lake/copied", &[("publish.mode", "copy")]);
    let verdict = probe(&open(&config).unwrap(), &config, NOW).await.unwrap();
    assert_eq!((verdict.publish, verdict.whole_uploads), (PublishMode::Copy, true));
    let config = weed.config("s3://lake/probed", &[]);
    let lake = open(&config).unwrap();
    let verdict = probe(&lake, &config, NOW).await.unwrap();
    assert!(verdict.etags && verdict.repeat_completion, "{verdict:?}");
    let left = lake.meta.store.list("probed.alluvium/", None).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");

    let root = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lake", root.path().display());
    let config = weed::config(&[("lake.url", url.as_str())]);
    let lake = open(&config).unwrap();
    let verdict = probe(&lake, &config, NOW).await.unwrap();
    assert!(!verdict.etags && !verdict.repeat_completion, "{verdict:?}");
    assert!(!root.path().join("lake").exists(), "the table is not touched");
}

/// A store whose owner lets it throw things away.
#[derive(Debug)]
struct Forgetful(MemoryStore, Vec<LifecycleRule>);

#[async_trait::async_trait]
impl Store for Forgetful {
    fn mode(&self) -> PublishMode {
        self.0.mode()
    }
    fn part_size(&self) -> usize {
        self.0.part_size()
    }
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.0.head(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        self.0.list(prefix, after).await
    }
    async fn create(&self, key: &str, body: Bytes) -> Created {
        self.0.create(key, body).await
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key).await
    }
    async fn start_upload(&self, key: &str) -> Result<String> {
        self.0.start_upload(key).await
    }
    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        self.0.put_part(key, upload, index, body).await
    }
    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        self.0.complete(key, upload, parts).await
    }
    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        self.0.abort(key, upload).await
    }
    async fn lifecycle(&self) -> Result<Option<Vec<LifecycleRule>>> {
        match self.1.is_empty() {
            true => Err(Error::new(Kind::Store, "access denied")),
            false => Ok(Some(self.1.clone())),
        }
    }
}

#[tokio::test]
async fn rules_that_eat_what_is_needed_are_refused_at_each_start_and_unreadable_ones_are_not() {
    let aborts = LifecycleRule {
        name: "tidy".to_owned(),
        aborts_uploads_after: Some(1),
        ..LifecycleRule::default()
    };
    let memory = MemoryStore::default();
    let of = |rules| -> Arc<dyn Store> { Arc::new(Forgetful(memory.clone(), rules)) };
    let day = in_mode("auto", &[("upload.max.age.ms", "86400000")]);
    let more = in_mode("auto", &[("upload.max.age.ms", "86400001")]);
    assert!(probe(&lake(&of(Vec::new())), &more, NOW).await.is_ok(), "not allowed to look");
    let rules = lake(&of(vec![aborts]));
    assert!(probe(&rules, &day, NOW).await.is_ok(), "a warning");
    // The verdict is kept; the rules are looked at all the same.
    let error = probe(&rules, &more, NOW).await.unwrap_err();
    assert_eq!(error.context("key"), Some("upload.max.age.ms"));
    assert!(error.message().contains("tidy"), "{error}");
}
