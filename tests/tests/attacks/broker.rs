//! The broker is restarted in order, and killed, while rows flow.

use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Server as _};

use super::row::Proof;
use super::{Arena, LIMIT};

const AWAY: Duration = Duration::from_secs(5);

pub fn restarted(arena: &mut Arena, sink: &Connector) {
    attacked(arena, sink, "the broker is restarted", |arena| {
        arena.stack.kafka().unwrap().process().terminate(LIMIT).unwrap();
    });
}

pub fn killed(arena: &mut Arena, sink: &Connector) {
    attacked(arena, sink, "the broker is killed", |arena| {
        arena.stack.kafka().unwrap().process().kill9();
    });
}

fn attacked(arena: &mut Arena, sink: &Connector, name: &str, end: impl FnOnce(&Arena)) {
    arena.attack(name, &[sink], |arena| {
        let kafka = arena.stack.kafka().unwrap();
        let revived = arena.revived.get();
        let pid = kafka.process().pid();
        end(arena);
        assert!(!kafka.process().is_running());
        sleep(AWAY);
        kafka.process().start_again().unwrap();
        kafka.wait_ready().unwrap();
        let again = arena.again(sink, Instant::now());
        arena.stack.rest().unwrap().wait_running(&sink.name, 1, LIMIT).unwrap();
        assert_ne!(pid, kafka.process().pid());
        let revived = arena.revived.get() - revived;
        let what = format!(
            "away for {} s and its start; source restarted {revived} times",
            AWAY.as_secs()
        );
        Proof { what, times: 1, again }
    });
}
