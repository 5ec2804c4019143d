//! A user deletes the last file of a partition that has had no record since it settled, and the
//! workers start anew: nothing may complain, be doubled or be brought back.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use alluvium_tests::{Exchange, Server as _, Table, say};
use serde_json::json;

use super::requests::record_of;
use super::row::{Proof, Row};
use super::{Arena, LIMIT, PARTITIONS};
use crate::common::{events, register, sink_of};

const TOPIC: &str = "idle";
/// Of this partition.
const QUIET: i64 = 0;
/// Deletes what stands in its argument, by a client that is none of ours.
const DELETE: &str = "
import os, sys, pyarrow.fs
scheme, _, endpoint = os.environ['S3_ENDPOINT'].partition('://')
pyarrow.fs.S3FileSystem(access_key=os.environ['S3_ACCESS_KEY_ID'],
    secret_key=os.environ['S3_SECRET_ACCESS_KEY'], endpoint_override=endpoint, scheme=scheme,
    region='us-east-1').delete_file(sys.argv[1])
";

pub fn deleted(arena: &mut Arena) {
    let name = "the last file of an idle partition deleted";
    say(format!("attack: {name}"));
    let began = Instant::now();
    let tool = arena.stack.kafka().unwrap().tool();
    tool.create_topic(TOPIC, PARTITIONS as u32).unwrap();
    let sink = sink_of(&arena.stack, TOPIC, TOPIC, TOPIC);
    arena.proxy.release();
    register(&arena.stack, &sink, PARTITIONS);
    let partitions = PARTITIONS as i64;
    tool.produce(&events(TOPIC, partitions, 0..300)).unwrap();
    let table = Table::new(&arena.stack, "s3://lake/idle").unwrap();
    table.wait_complete(&[TOPIC], LIMIT).unwrap();
    let settled = |seen: &[Arc<Exchange>]| seen.iter().any(|one| settles(one)).then_some(());
    arena.proxy.wait("settled log of the quiet partition", LIMIT, settled).unwrap();

    let sql = format!(
        "SELECT filename, count(*) AS n FROM lake WHERE _partition = {QUIET} \
         GROUP BY 1 ORDER BY max(_offset) DESC LIMIT 1"
    );
    let last = table.query(&sql).unwrap().remove(0);
    let (file, rows) = (last["filename"].as_str().unwrap(), last["n"].as_u64().unwrap());
    let python = arena.stack.parts().python().unwrap();
    let deleted = Command::new(python)
        .args(["-c", DELETE, file])
        .envs(arena.stack.env().iter().cloned())
        .status()
        .unwrap();
    assert!(deleted.success());
    assert_eq!(table.against_kafka(&[TOPIC]).unwrap().missing, rows, "{file} was the file");

    for worker in arena.stack.workers() {
        worker.process().kill9();
        worker.process().start_again().unwrap();
    }
    arena.stack.workers().for_each(|worker| worker.wait_ready().unwrap());
    let healed = Instant::now();
    let rest = arena.stack.rest().unwrap();
    rest.wait_running(&sink.name, PARTITIONS, LIMIT).unwrap();
    // First to the others, then to the quiet one too.
    let others = events(TOPIC, partitions, 300..600);
    let others: Vec<_> = others.into_iter().filter(|one| one["partition"] != QUIET).collect();
    tool.produce(&others).unwrap();
    tool.produce(&events(TOPIC, partitions, 600..900)).unwrap();
    let expected = 300 + others.len() as u64 + 300 - rows;
    let seen = loop {
        let seen = table.against_kafka(&[TOPIC]).unwrap();
        assert_eq!((seen.duplicates, seen.unknown), (0, 0), "{seen:?}");
        if seen.compared >= expected {
            break seen;
        }
        assert!(healed.elapsed() < LIMIT, "rows behind the deleted file: {seen:?}");
    };
    let again = healed.elapsed();
    assert_eq!(
        (seen.missing, seen.compared),
        (rows, expected),
        "its rows, and no others: {seen:?}"
    );
    rest.wait_running(&sink.name, PARTITIONS, LIMIT).unwrap();
    for complaint in ["neither the file nor its upload", "topic-partition failed"] {
        let logs = arena.stack.workers().map(|worker| worker.process().log().since_start());
        assert!(!logs.into_iter().any(|log| log.contains(complaint)), "{complaint}");
    }
    let what = format!("{rows} rows deleted with it stay missing, as the user wished");
    let proof = Proof { what, times: 3, again };
    let row = Row::new(name, &sink, &proof, &seen, &json!({}), began.elapsed());
    say(format!("counted: records={} rows={} attacks=1", seen.records, seen.compared));
    say(row.to_string());
    arena.rows.push(row);
    arena.delete(&[&sink]);
}

/// An `advance` of the quiet partition without anything unsettled.
fn settles(exchange: &Exchange) -> bool {
    exchange.status() == Some(200)
        && record_of(exchange).is_some_and(|(folder, record)| {
            folder.contains("/v1/logs/idle/")
                && record["partition"] == QUIET
                && record["kind"] == "advance"
                && record["next_offset"] == 100
                && record["unsettled"].as_array().is_none_or(Vec::is_empty)
        })
}
