//! The worker's temporary folder is removed: a running worker goes on, a new one says what it lacks.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Server as _};
use serde_json::Value;

use super::row::Proof;
use super::{Arena, LIMIT};

pub fn gone(arena: &mut Arena, sink: &Connector) {
    arena.attack("java.io.tmpdir removed", &[sink], |arena| {
        let rest = arena.stack.rest().unwrap();
        let folder = arena.stack.folder().join("tmp");
        fs::remove_dir_all(&folder).unwrap();
        let removed = Instant::now();
        rest.restart(&sink.name).unwrap();
        rest.wait_running(&sink.name, 1, LIMIT).unwrap();
        let mut again = arena.again(sink, removed);
        assert!(!folder.exists(), "the sink needed the folder and made it");

        for worker in arena.stack.workers() {
            worker.process().kill9();
            worker.process().start_again().unwrap();
        }
        arena.stack.workers().for_each(|worker| worker.wait_ready().unwrap());
        let trace = failure(arena, sink);
        let said = trace.lines().find(|line| line.contains("alluvium.native.dir"));
        let said = said.unwrap_or_else(|| unreachable!("no way out is named: {trace}"));
        assert!(said.contains(&folder.display().to_string()), "the folder is named: {said}");
        fs::create_dir(&folder).unwrap();
        let healed = Instant::now();
        rest.restart(&sink.name).unwrap();
        again = again.max(arena.again(sink, healed));
        let what = "a running worker's connector restarted without it; a new worker's task FAILED \
                    naming the folder and -Dalluvium.native.dir; made again, restarted";
        Proof { what: what.to_owned(), times: 3, again }
    });
}

fn failure(arena: &Arena, sink: &Connector) -> String {
    let began = Instant::now();
    loop {
        let status = arena.stack.rest().unwrap().status(&sink.name).unwrap();
        let parts = status["tasks"].as_array().into_iter().flatten().chain([&status["connector"]]);
        let failed: Vec<&Value> = parts.filter(|part| part["state"] == "FAILED").collect();
        if let Some(part) = failed.first() {
            return part["trace"].as_str().unwrap_or_default().to_owned();
        }
        assert!(began.elapsed() < LIMIT, "{} does not fail: {status}", sink.name);
        sleep(Duration::from_millis(200));
    }
}
