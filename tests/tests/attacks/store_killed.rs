//! The object store dies in the middle of an upload, and comes back with what it had written.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Exchange, Server as _};

use super::requests::Request as _;
use super::row::Proof;
use super::{Arena, LIMIT, PARTITIONS};

/// How long it is away each time.
const AWAY: Duration = Duration::from_secs(5);
const WAITED: &str = "the store cannot be tried yet; trying again";

pub fn in_mid_upload(arena: &mut Arena, sink: &Connector, times: usize) {
    arena.attack("the store is killed in mid-upload", &[sink], |arena| {
        let (mut again, mut parts) = (Duration::ZERO, 0);
        for _ in 0..times {
            arena.proxy.hold(|before, now| {
                now.part_of().is_some() && !before.iter().any(|one| one.held())
            });
            let held = |seen: &[Arc<Exchange>]| seen.iter().find(|one| one.held()).cloned();
            let held = arena.proxy.wait("held part", LIMIT, held).unwrap();
            let store = arena.stack.s3().unwrap();
            store.process().kill9();
            arena.proxy.release();
            sleep(AWAY);
            assert_eq!(held.status(), None, "the part was answered by a dead server");
            parts += 1;
            store.process().start_again().unwrap();
            store.wait_ready().unwrap();
            again = again.max(arena.again(sink, Instant::now()));
        }
        let what = format!("SIGKILL with a part on its way, {parts} parts never answered");
        Proof { what, times, again }
    });
}

/// Connect leaves a task that fails at its start to a person; one that waits needs nobody.
pub fn away_at_a_start(arena: &mut Arena, sink: &Connector) {
    arena.attack("tasks start while the store is away", &[sink], |arena| {
        let (store, rest) = (arena.stack.s3().unwrap(), arena.stack.rest().unwrap());
        let waited = arena.said(WAITED);
        store.process().kill9();
        rest.restart(&sink.name).unwrap();
        sleep(AWAY * 3);
        store.process().start_again().unwrap();
        store.wait_ready().unwrap();
        let healed = Instant::now();
        let again = arena.again(sink, healed);
        rest.wait_running(&sink.name, PARTITIONS, LIMIT).unwrap();
        let waited = arena.said(WAITED) - waited;
        assert!(waited > 0, "no task began while the store was away");
        let what = format!("SIGKILL, connector restarted, back after 15 s; waited {waited} times");
        Proof { what, times: 1, again }
    });
}
