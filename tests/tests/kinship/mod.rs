//! Whose log, folder and cluster it is, on the real stack: what a sink does that is renamed, or that
//! is pointed where its rows do not lie.

pub(crate) mod tails;

use std::path::Path;

use alluvium_tests::{Program, Stack, Table};

use super::common::{LIMIT, events, register, sink_of};
use super::{wait_for_failure, wait_for_rows};

/// A connector under a new name goes on by `sink.id`; without it, it is refused.
pub(crate) fn renamed(stack: &Stack) {
    let (tool, rest) = (stack.kafka().unwrap().tool(), stack.rest().unwrap());
    let before = sink_of(stack, "old-name", "renamed", "renamed").with("tasks.max", "2");
    tool.create_topic("renamed", 2).unwrap();
    register(stack, &before, 2);
    tool.produce(&events("renamed", 2, 0..100)).unwrap();
    wait_for_rows(stack, "renamed", 100, 100);
    rest.delete("old-name").unwrap();
    tool.produce(&events("renamed", 2, 100..200)).unwrap();

    let after = before.named("new-name");
    rest.put_config("new-name", &after.config()).unwrap();
    let trace = wait_for_failure(stack, "new-name");
    for part in ["the sink 'old-name' already lays topic renamed down", "sink.id=old-name"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    wait_for_rows(stack, "renamed", 100, 100);

    let after = after.with("sink.id", "old-name");
    // Its tasks have failed, and show it until they are begun again.
    rest.put_config("new-name", &after.config()).unwrap();
    tool.produce(&events("renamed", 2, 200..230)).unwrap();
    wait_for_rows(stack, "renamed", 230, 230);
    let table = Table::new(stack, "s3://lake/renamed").unwrap();
    let seen = table.wait_complete(&["renamed"], LIMIT).unwrap();
    assert_eq!((seen.rows, seen.records, seen.duplicates), (230, 230, 0));
    Program::verify(stack, &after).unwrap();
    println!("renamed: {}", seen.to_json());
}

/// A folder that is not the one the last owner wrote to: not shared by the workers, or emptied.
pub(crate) fn another_folder(stack: &Stack) {
    let (tool, rest) = (stack.kafka().unwrap().tool(), stack.rest().unwrap());
    let place = stack.folder().join("mount");
    let url = format!("file://{}/cdc", place.display());
    let sink = sink_of(stack, "foldered", "foldered", "unused").with("lake.url", &url);
    tool.create_topic("foldered", 1).unwrap();
    register(stack, &sink, 1);
    tool.produce(&events("foldered", 1, 0..50)).unwrap();
    let table = Table::new(stack, &url).unwrap();
    table.wait_complete(&["foldered"], LIMIT).unwrap();
    stack.stop_sink("foldered", LIMIT).unwrap();

    let away = stack.folder().join("not-mounted");
    std::fs::rename(&place, &away).unwrap();
    std::fs::create_dir(&place).unwrap();
    rest.set_state("foldered", "resume").unwrap();
    let trace = wait_for_failure(stack, "foldered");
    for part in ["is not as the last owner left it", "foldered-0", "alluvium/", "log.bootstrap"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    assert!(!has_files(&place.join("cdc")), "nothing was laid down there");

    stack.stop_sink("foldered", LIMIT).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    tool.produce(&events("foldered", 1, 50..80)).unwrap();
    rest.set_state("foldered", "resume").unwrap();
    let seen = table.wait_complete(&["foldered"], LIMIT).unwrap();
    assert_eq!((seen.rows, seen.records, seen.duplicates), (80, 80, 0));
    println!("another folder: refused by name; put back: {}", seen.to_json());
}

/// The same sink, consuming from and asking a broker of another cluster.
pub(crate) fn another_cluster(stack: &Stack, other: &Stack) {
    let rest = stack.rest().unwrap();
    let sink = sink_of(stack, "clustered", "clustered", "clustered");
    for (cluster, ids) in [(stack, 0..40), (other, 40..70)] {
        let tool = cluster.kafka().unwrap().tool();
        tool.create_topic("clustered", 1).unwrap();
        tool.produce(&events("clustered", 1, ids)).unwrap();
    }
    register(stack, &sink, 1);
    wait_for_rows(stack, "clustered", 40, 40);
    stack.stop_sink("clustered", LIMIT).unwrap();

    let there = other.kafka().unwrap().bootstrap();
    let moved = sink
        .clone()
        .with("admin.bootstrap.servers", &there)
        .with("consumer.override.bootstrap.servers", &there);
    rest.put_config("clustered", &moved.config()).unwrap();
    rest.set_state("clustered", "resume").unwrap();
    let trace = wait_for_failure(stack, "clustered");
    for part in ["this topic was laid down from the Kafka cluster", "clustered-0", "lake.url"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    wait_for_rows(stack, "clustered", 40, 40);

    stack.stop_sink("clustered", LIMIT).unwrap();
    stack.kafka().unwrap().tool().produce(&events("clustered", 1, 100..120)).unwrap();
    rest.put_config("clustered", &sink.config()).unwrap();
    rest.set_state("clustered", "resume").unwrap();
    wait_for_rows(stack, "clustered", 60, 60);
    Program::verify(stack, &sink).unwrap();
    println!("another cluster: refused by name; set right, it goes on");
}

fn has_files(folder: &Path) -> bool {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    inside.map(|entry| entry.path()).any(|path| path.is_file() || has_files(&path))
}
