//! What a person does to a connector over REST: paused for longer than an upload may live, resumed,
//! restarted, deleted and made again, stopped and resumed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::Connector;
use serde_json::Value;

use super::row::Proof;
use super::{Arena, LIMIT, PARTITIONS};

/// `upload.max.age.ms` of the sink that is paused.
const UPLOAD_AGE: Duration = Duration::from_secs(10);
const PAUSED: Duration = Duration::from_secs(14);
const STOPPED: Duration = Duration::from_secs(3);

/// A sink whose uploads age quickly, with a table of its own.
fn ageing(sink: &Connector) -> Connector {
    sink.clone()
        .named("orders-ageing")
        .with("lake.url", "s3://lake/ageing")
        .with("commit.interval.ms", "3000")
        .with("upload.max.age.ms", &UPLOAD_AGE.as_millis().to_string())
}

pub fn over_rest(arena: &mut Arena, shipped: &Connector) {
    let sink = &ageing(shipped);
    arena.attack("paused, restarted, made again, stopped", &[sink], |arena| {
        let rest = arena.stack.rest().unwrap();
        let mut again = Duration::ZERO;
        let mut goes_on = || {
            let healed = Instant::now();
            rest.wait_running(&sink.name, PARTITIONS, LIMIT).unwrap();
            again = again.max(arena.again(sink, healed));
        };
        rest.set_state(&sink.name, "pause").unwrap();
        let paused = wait_state(arena, sink, "PAUSED");
        assert!(paused > 0);
        sleep(PAUSED);
        rest.set_state(&sink.name, "resume").unwrap();
        goes_on();
        rest.restart(&sink.name).unwrap();
        goes_on();
        rest.delete(&sink.name).unwrap();
        wait_gone(arena, sink);
        rest.put_config(&sink.name, &sink.config()).unwrap();
        goes_on();
        arena.stack.stop_sink(&sink.name, LIMIT).unwrap();
        sleep(STOPPED);
        rest.set_state(&sink.name, "resume").unwrap();
        goes_on();
        let what = format!(
            "{paused} tasks PAUSED for {} s with upload.max.age.ms={}; restarted; deleted (404) \
             and made again; STOPPED and resumed",
            PAUSED.as_secs(),
            UPLOAD_AGE.as_millis()
        );
        Proof { what, times: 4, again }
    });
    arena.delete(&[sink]);
}

/// Waits until the connector and its tasks are in this state; how many tasks there are.
fn wait_state(arena: &Arena, sink: &Connector, state: &str) -> usize {
    let began = Instant::now();
    loop {
        let status = arena.stack.rest().unwrap().status(&sink.name).unwrap();
        let tasks: Vec<&Value> = status["tasks"].as_array().into_iter().flatten().collect();
        let all = tasks.iter().all(|task| task["state"] == state);
        if status["connector"]["state"] == state && all {
            return tasks.len();
        }
        assert!(began.elapsed() < LIMIT, "{} is not {state}: {status}", sink.name);
        sleep(Duration::from_millis(100));
    }
}

fn wait_gone(arena: &Arena, sink: &Connector) {
    let began = Instant::now();
    let path = format!("/connectors/{}/status", sink.name);
    while arena.stack.rest().unwrap().call("GET", &path, b"").unwrap().status != 404 {
        assert!(began.elapsed() < LIMIT, "{} is still there", sink.name);
        sleep(Duration::from_millis(100));
    }
}
