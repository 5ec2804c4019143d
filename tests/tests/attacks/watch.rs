//! Sees that the source goes on while something else is waited for: it is Connect's and Debezium's,
//! and both leave some failures to a person. Each restart is said and counted.

use std::time::{Duration, Instant};

use alluvium_tests::{Connector, say};
use serde_json::Value;

use super::{Arena, CONNECTS_OWN};
use crate::common::{DEAD_LEADER, TOPIC, revive_source};

const LOOK: Duration = Duration::from_secs(3);
/// A source that runs and has written nothing for so long has hung. Its start alone takes half of
/// that on a busy machine: restarted sooner, it would never get there.
const STILL: Duration = Duration::from_secs(90);
/// Why it fails for good when what it depends on was attacked.
const REASONS: [&str; 5] = [
    DEAD_LEADER,
    "fence",
    "Unrecoverable exception from producer",
    "before its producer transaction expired",
    "offset reader",
];

/// Of one wait.
pub struct Watch<'a> {
    arena: &'a Arena,
    sink: Option<&'a Connector>,
    looked: Instant,
    compared: Instant,
    ends: Vec<Value>,
}

impl<'a> Watch<'a> {
    pub fn new(arena: &'a Arena, sink: Option<&'a Connector>) -> Self {
        let now = Instant::now();
        Self { arena, sink, looked: now, compared: now, ends: Vec::new() }
    }

    /// Looks now and then, however often it is called.
    pub fn look(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        self.sink.iter().for_each(|sink| revive_sink(self.arena, sink));
        let rest = self.arena.stack.rest().unwrap();
        let mut revived = revive_source(rest, &REASONS);
        if self.compared.elapsed() > STILL {
            self.compared = Instant::now();
            let tool = self.arena.stack.kafka().unwrap().tool();
            let ends = tool.run(&["offsets", TOPIC], &[]).unwrap();
            if ends == self.ends {
                say("the source runs and has written nothing for 90 s: restarting it");
                rest.restart("inventory-orders").unwrap();
                revived = true;
            }
            self.ends = ends;
        }
        self.arena.revived.set(self.arena.revived.get() + u64::from(revived));
    }
}

/// Restarts a sink of which a task has died in Connect's own code.
pub fn revive_sink(arena: &Arena, sink: &Connector) {
    let rest = arena.stack.rest().unwrap();
    let status = rest.status(&sink.name).unwrap();
    if status.to_string().contains(CONNECTS_OWN) {
        say(format!("{}: a task has died in {CONNECTS_OWN}: restarting it", sink.name));
        rest.restart(&sink.name).unwrap();
    }
}
