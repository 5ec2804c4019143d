//! The object store dies in the middle of an upload, and comes back with what it had written.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Exchange, Server as _};

use super::requests::Request as _;
use super::row::Proof;
use super::{Arena, LIMIT};

/// How long it is away each time.
const AWAY: Duration = Duration::from_secs(5);

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
