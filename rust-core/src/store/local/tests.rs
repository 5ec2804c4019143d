//! What must be on the disk before an answer, and what happens between two steps.

use super::LocalStore;
use super::disk::{self, FAULTS, TRACE};
use super::folders::Folders;
use crate::commit::{LogAccess, Put};
use crate::log::{LogKeys, LogRecord};
use crate::position::TopicPartition;
use crate::store::{Completed, Store};
use std::path::{Path, PathBuf};

struct Lake {
    folders: Folders,
    table: PathBuf,
    staging: PathBuf,
    _root: tempfile::TempDir,
}

fn lake() -> Lake {
    let root = tempfile::tempdir().unwrap();
    let (table, meta) = (root.path().join("lake"), root.path().join("lake.alluvium"));
    let staging = meta.join("staging");
    let folders = Folders::new(table.clone(), meta, 4);
    drop(taken());
    Lake { folders, table, staging, _root: root }
}

/// What was done since the last call; random names and the root's are shortened.
fn taken() -> Vec<String> {
    let shorten = |step: String| match step.split_once(' ') {
        Some((what, name)) if name.ends_with(".tmp") && name.len() == 36 => {
            format!("{what} STAGED")
        }
        Some((what, name)) if name.starts_with(".tmp") => format!("{what} ROOT"),
        _ => step,
    };
    TRACE.take().into_iter().map(shorten).collect()
}

fn staged(lake: &Lake, parts: &[&str]) -> (String, Vec<String>) {
    let id = lake.folders.stage().unwrap();
    let write =
        |(i, part): (usize, &&str)| lake.folders.write_part(&id, i, part.as_bytes()).unwrap();
    let ids = parts.iter().enumerate().map(write).collect();
    (id, ids)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_created_file_is_on_the_disk_before_it_has_its_name() {
    let lake = lake();
    let file = lake.staging.with_file_name("v1").join("1.json");
    assert!(lake.folders.create(&file, b"one").unwrap());
    let first = taken();
    let made = ["folder lake.alluvium", "folder ROOT"];
    assert_eq!(first[..2], made, "the staging folder and what leads to it");
    assert_eq!(
        first[2..],
        ["file STAGED", "folder lake.alluvium", "folder ROOT", "link 1.json", "folder v1"]
    );
    assert!(!lake.folders.create(&file, b"two").unwrap());
    assert_eq!(taken(), ["file STAGED", "link 1.json"], "folders are known to be durable");
    assert_eq!(std::fs::read(&file).unwrap(), b"one");
    assert!(names(&lake.staging).is_empty(), "nothing is left behind");
}

#[test]
fn a_published_file_and_every_folder_above_it_are_on_the_disk() {
    let lake = lake();
    let (id, parts) = staged(&lake, &["abcd", "ef"]);
    let steps = taken();
    assert_eq!(
        steps[steps.len() - 4..],
        ["file STAGED", "folder staging", "file STAGED", "file STAGED"]
    );
    let file = lake.table.join("dt=1/hour=2/x.parquet");
    assert!(lake.folders.publish(&id, &file, &parts).unwrap());
    let expected = [
        "folder dt=1",
        "folder lake",
        "folder ROOT",
        "rename x.parquet",
        "folder hour=2",
        "folder staging",
    ];
    assert_eq!(taken(), expected);
    assert_eq!(std::fs::read(&file).unwrap(), b"abcdef");
    assert!(!lake.folders.publish(&id, &file, &parts).unwrap(), "the staged file is gone");
    assert_eq!(taken(), ["folder hour=2"], "whoever moved it may have died before this");
}

#[test]
fn folders_that_others_made_are_brought_to_the_disk_too() {
    let lake = lake();
    std::fs::create_dir_all(lake.table.join("dt=1/hour=2")).unwrap();
    let (id, parts) = staged(&lake, &["a"]);
    drop(taken());
    assert!(lake.folders.publish(&id, &lake.table.join("dt=1/hour=2/x"), &parts).unwrap());
    assert_eq!(taken()[..3], ["folder dt=1", "folder lake", "folder ROOT"]);
}

#[test]
fn both_names_of_one_file_are_a_publication_cut_short() {
    let lake = lake();
    let (id, parts) = staged(&lake, &["abcd"]);
    let file = lake.table.join("x.parquet");
    std::fs::create_dir_all(&lake.table).unwrap();
    std::fs::hard_link(lake.staging.join(format!("{id}.tmp")), &file).unwrap();
    assert!(lake.folders.publish(&id, &file, &parts).unwrap());
    assert!(names(&lake.staging).is_empty());
    assert_eq!(std::fs::read(&file).unwrap(), b"abcd");
}

#[test]
fn another_file_in_the_place_is_never_replaced() {
    let lake = lake();
    let (id, parts) = staged(&lake, &["abcd"]);
    let file = lake.table.join("x.parquet");
    std::fs::create_dir_all(&lake.table).unwrap();
    std::fs::write(&file, "theirs").unwrap();
    let error = lake.folders.publish(&id, &file, &parts).unwrap_err();
    assert!(error.to_string().contains("another file"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"theirs");
}

#[test]
fn a_staged_file_that_is_not_of_its_parts_is_not_published() {
    let lake = lake();
    let (id, mut parts) = staged(&lake, &["abcd", "e"]);
    parts.pop();
    let file = lake.table.join("x.parquet");
    assert!(lake.folders.publish(&id, &file, &parts).is_err());
    assert!(!file.exists());
}

#[test]
fn ids_from_a_damaged_log_never_become_paths() {
    let lake = lake();
    for id in ["", "../../etc/passwd", "/etc/passwd", &"f".repeat(33)] {
        assert!(lake.folders.publish(id, &lake.table.join("x"), &[]).is_err(), "{id}");
        assert!(lake.folders.discard(id).is_err(), "{id}");
    }
}

#[test]
fn folders_removed_by_somebody_are_made_again() {
    let lake = lake();
    let file = lake.table.join("dt=1/x.parquet");
    for _ in 0..2 {
        let (id, parts) = staged(&lake, &["a"]);
        assert!(lake.folders.publish(&id, &file, &parts).unwrap());
        std::fs::remove_dir_all(lake.table.join("dt=1")).unwrap();
    }
    std::fs::remove_dir_all(&lake.staging).unwrap();
    assert!(lake.folders.stage().is_err(), "the first try finds out");
    assert!(lake.folders.stage().is_ok());
}

#[test]
fn a_table_on_another_mount_is_refused() {
    let lake = lake();
    let error = super::refuse_two_mounts(&lake.table, Path::new("/proc/none")).unwrap_err();
    assert_eq!(error.context("key"), Some("lake.meta.url"));
    assert!(super::refuse_two_mounts(&lake.table, &lake.staging).is_ok());
}

#[test]
fn the_disk_is_really_asked() {
    // Neither can be synced, which is told to nobody who does not ask.
    assert!(disk::write_at(Path::new("/dev/null"), b"x", 0).is_err());
    assert!(disk::sync_folder(Path::new("/proc")).is_err());
}

/// The folder cannot be brought to the disk this many times.
fn breaks(folder: &Path, times: u32) {
    FAULTS.lock().unwrap().push((folder.to_owned(), times));
}

fn left(folder: &Path) -> u32 {
    let faults = FAULTS.lock().unwrap();
    faults.iter().filter(|(broken, _)| broken == folder).map(|(_, left)| left).sum()
}

#[test]
fn a_name_that_may_not_be_on_the_disk_is_told_to_nobody() {
    let lake = lake();
    let file = lake.staging.with_file_name("v1").join("1.json");
    let folder = file.parent().unwrap();
    breaks(folder, 3);
    assert!(lake.folders.create(&file, b"one").is_err());
    assert!(file.exists(), "it has its name, in memory at least");
    assert!(lake.folders.read(&file).is_err());
    assert!(lake.folders.size(&file).is_err());
    drop(taken());
    assert_eq!(lake.folders.read(&file).unwrap().unwrap(), "one");
    assert_eq!(taken(), ["folder v1"], "brought to the disk first");
    assert_eq!(lake.folders.read(&file).unwrap().unwrap(), "one");
    assert_eq!(taken(), [""; 0], "and not again");
}

#[test]
fn a_published_name_that_may_not_be_on_the_disk_is_told_to_nobody() {
    let lake = lake();
    let (id, parts) = staged(&lake, &["abcd"]);
    let file = lake.table.join("dt=1/x.parquet");
    breaks(file.parent().unwrap(), 3);
    assert!(lake.folders.publish(&id, &file, &parts).is_err());
    assert!(file.exists());
    assert!(lake.folders.size(&file).is_err(), "a look is no proof");
    assert!(lake.folders.publish(&id, &file, &parts).is_err(), "nor that the source is gone");
    assert_eq!(lake.folders.size(&file).unwrap(), Some(4));
}

#[tokio::test]
async fn a_record_is_ours_only_when_its_name_is_on_the_disk() {
    let root = tempfile::tempdir().unwrap();
    let (table, meta) = (root.path().join("lake"), root.path().join("lake.alluvium"));
    let store = std::sync::Arc::new(LocalStore::open(&table, &meta, 8, 1).unwrap());
    let prefix = meta.to_str().unwrap().trim_start_matches('/').to_owned();
    let keys = LogKeys::new(&prefix, "s", &TopicPartition::new("t", 0), 1);
    let log = LogAccess { store, keys, metrics: Default::default() };
    let nonce = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let json = format!(
        r#"{{"v":1,"kind":"advance","seq":1,"nonce":"{nonce}","log_id":"{nonce}","sink_id":"s",
        "topic":"t","generation":1,"partition":0,"epoch":1,"start_offset":5,"next_offset":5}}"#
    );
    let record = LogRecord::from_bytes("k", json.as_bytes()).unwrap();
    let file = Path::new("/").join(log.keys.record(1));
    let folder = file.parent().unwrap();
    breaks(folder, 3);
    assert_eq!(log.put(&record).await.unwrap(), Put::Mine);
    assert_eq!(left(folder), 0, "it was not believed before");
}

#[tokio::test]
async fn a_file_is_published_only_when_its_name_is_on_the_disk() {
    let root = tempfile::tempdir().unwrap();
    let (table, meta) = (root.path().join("lake"), root.path().join("lake.alluvium"));
    let store = LocalStore::open(&table, &meta, 8, 1).unwrap();
    let key = table.join("x.parquet").to_str().unwrap().trim_start_matches('/').to_owned();
    let id = store.start_upload(&key).await.unwrap();
    let parts = [store.put_part(&key, &id, 0, "abc".into()).await.unwrap()];
    breaks(&table, 2);
    assert!(matches!(store.complete(&key, &id, &parts).await, Completed::Failed(_)));
    assert!(store.head(&key).await.unwrap_err().is_temporary());
    assert_eq!(store.head(&key).await.unwrap().unwrap().size, 3);
}
