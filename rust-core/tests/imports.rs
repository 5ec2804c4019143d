//! Who may import whom (ARCHITECTURE.md): read from the `use` lines, so that the map stays true.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// In the order of the data; a room imports the ones before it, never one after.
const ROOMS: &[&str] = &[
    "error",
    "pause",
    "position",
    "clock",
    "metrics",
    "config",
    "frame",
    "envelope",
    "schema",
    "event_time",
    "partition",
    "columns",
    "buffer",
    "roll",
    "encode",
    "store",
    "upload",
    "log",
    "commit",
    "publish",
    "survey",
    "recover",
    "upkeep",
    "offsets",
    "task",
];

/// Foreign crates, and the only rooms that see them.
const CRATES: &[(&str, &[&str])] = &[
    ("arrow", &["schema", "envelope", "buffer", "encode"]),
    ("parquet", &["encode"]),
    ("object_store", &["store"]),
    ("quick_xml", &["store"]),
    ("tokio", &["store", "upload", "publish", "task", "pause"]),
    ("jni", &[]),
];

/// `schema` is the type at `envelope`'s door, so these two know each other.
const FRIENDS: &[(&str, &str)] = &[("envelope", "schema"), ("log", "store"), ("buffer", "encode")];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines of code by room: what stands before the tests at the end of a file.
fn code() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap().to_path_buf();
        let is_test = relative.components().any(|c| c.as_os_str() == "tests");
        if is_test || relative.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        let first = relative.components().next().unwrap();
        let room = Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        rooms.entry(room).or_default().push((relative, text.to_owned()));
    }
    rooms
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

#[test]
fn a_room_imports_only_the_rooms_before_it() {
    let place = |room: &str| ROOMS.iter().position(|name| *name == room);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (room, files) in code() {
        if room == "lib" {
            continue;
        }
        let own = place(&room).unwrap_or_else(|| panic!("room {room} is not on the map"));
        for (file, text) in files {
            for line in code_lines(&text) {
                for rest in line.split("crate::").skip(1) {
                    let other: String =
                        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let Some(there) = place(&other) else { continue };
                    seen += 1;
                    if there > own && !FRIENDS.contains(&(&room, &other)) {
                        wrong.push(format!("{}: {room} imports {other}", file.display()));
                    }
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn foreign_crates_stay_in_the_rooms_that_own_them() {
    let mut wrong = Vec::new();
    for (room, files) in code() {
        for (name, owners) in CRATES {
            let outside = !owners.contains(&room.as_str());
            for (file, text) in &files {
                let uses = code_lines(text).any(|line| line.contains(&format!("{name}::")));
                if outside && uses {
                    wrong.push(format!("{}: {name}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for (file, text) in code().into_values().flatten() {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        // About 250, and a reason: `sink_task` has each of Connect's calls, and nothing else.
        if lines > 340 {
            long.push(format!("{} has {lines} lines", file.display()));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
