//! Replies that are lost: for a while the store does what it is asked, and the sink never hears so.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use alluvium_tests::{Connector, Exchange};

use super::Arena;
use super::requests::{Request as _, record_of};
use super::row::Proof;

/// Of each kind of request, every third.
const EVERY: usize = 3;
/// Each must have been among them.
const KINDS: [&str; 4] = ["record", "completion", "part", "list"];

pub fn cut(arena: &mut Arena, sink: &Connector, lasts: Duration) {
    arena.attack("every third reply of the store cut", &[sink], |arena| {
        arena.proxy.release();
        let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
        arena.proxy.cut(move |now| {
            let count = asked.entry(kind_of(now)).or_default();
            *count += 1;
            count.is_multiple_of(EVERY)
        });
        sleep(lasts);
        arena.proxy.cut(|_| false);
        let again = arena.again(sink, Instant::now());
        let mut cut: BTreeMap<&str, usize> = BTreeMap::new();
        for one in arena.proxy.seen().iter().filter(|one| one.cut() && done(one)) {
            *cut.entry(kind_of(one)).or_default() += 1;
        }
        for kind in KINDS {
            assert!(cut.contains_key(kind), "no {kind} was done and its reply cut: {cut:?}");
        }
        let times = cut.values().sum();
        let kinds: Vec<_> = cut.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        Proof { what: format!("done, reply cut: {}", kinds.join(", ")), times, again }
    });
}

/// Whether the server did what it was asked.
fn done(exchange: &Exchange) -> bool {
    exchange.status().is_some_and(|status| (200..300).contains(&status))
}

fn kind_of(exchange: &Exchange) -> &'static str {
    let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
    match exchange.method.as_str() {
        _ if record_of(exchange).is_some() => "record",
        _ if exchange.part_of().is_some() => "part",
        _ if exchange.lists().is_some() => "list",
        "POST" if query.contains("uploadId=") => "completion",
        "POST" => "upload begun",
        "GET" => "get",
        "HEAD" => "head",
        _ => "other",
    }
}
