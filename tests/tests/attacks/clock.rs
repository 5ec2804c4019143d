//! The worker's clock jumps, forwards and back, while it runs: libfaketime changes the wall clock
//! of its process, not the monotonic one, as a machine's time service would.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alluvium_tests::{Connector, Server as _, Stack, StackBuilder};
use tempfile::NamedTempFile;

use super::row::Proof;
use super::{Arena, LIMIT};

const JUMPS: [(&str, i64); 2] = [("+2h", 120), ("-2h", -120)];
const LASTS: Duration = Duration::from_secs(20);
const MINUTES_A_DAY: i64 = 24 * 60;

/// What the worker's clock is ahead by; a file that its libfaketime reads once a second.
#[derive(Debug)]
pub struct Clock(NamedTempFile);

impl Clock {
    pub fn new() -> Self {
        let clock = Self(NamedTempFile::new().unwrap());
        clock.ahead_by("+0");
        clock
    }

    fn ahead_by(&self, jump: &str) {
        std::fs::write(self.0.path(), format!("{jump}\n")).unwrap();
    }

    /// A stack with one worker, whose clock this is.
    pub fn stack(&self) -> StackBuilder {
        let (library, file) = (library(), self.0.path().display().to_string());
        Stack::builder()
            // Kafka refuses records from more than an hour ahead, which Connect's own would be.
            .broker_property("log.message.timestamp.after.max.ms", "86400000")
            .worker_env("LD_PRELOAD", &library.display().to_string())
            .worker_env("FAKETIME_TIMESTAMP_FILE", &file)
            .worker_env("FAKETIME_CACHE_DURATION", "1")
            .worker_env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // Meant for an old glibc: with it a JVM's waits return at once.
            .worker_env("FAKETIME_FORCE_MONOTONIC_FIX", "0")
    }
}

/// Debian's package `faketime`, on whatever machine.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let found = found.find(|path| path.exists());
    found.unwrap_or_else(|| unreachable!("no libfaketime: run scripts/install.sh apt"))
}

pub fn jumps(arena: &mut Arena, sinks: &[&Connector], clock: &Clock) {
    arena.attack("the clock jumps by +2 h and -2 h", sinks, |arena| {
        let mut again = Duration::ZERO;
        let mut seen = Vec::new();
        for (jump, minutes) in JUMPS {
            clock.ahead_by(jump);
            sleep(LASTS);
            let ahead = ahead(arena);
            assert!((ahead - minutes).abs() <= 1, "{jump}: the worker is {ahead} min ahead");
            clock.ahead_by("+0");
            let healed = Instant::now();
            for sink in sinks {
                arena.stack.rest().unwrap().wait_running(&sink.name, 1, LIMIT).unwrap();
                again = again.max(arena.again(sink, healed));
            }
            seen.push(format!("worker's log {ahead} min ahead"));
        }
        let refused = arena.proxy.seen().iter().filter(|one| one.status() == Some(403)).count();
        seen.push(format!("{refused} requests answered 403"));
        Proof { what: seen.join(", "), times: JUMPS.len(), again }
    });
}

/// By how many minutes the worker's log is ahead of this program's clock.
fn ahead(arena: &Arena) -> i64 {
    let log = arena.stack.worker(0).unwrap().process().log().text();
    let mut lines = log.lines().rev().filter_map(minute);
    let theirs = lines.next().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ours = i64::try_from(now / 60).unwrap() % MINUTES_A_DAY;
    (theirs - ours + MINUTES_A_DAY + MINUTES_A_DAY / 2) % MINUTES_A_DAY - MINUTES_A_DAY / 2
}

/// Of the day, from `HH:MM:SS.mmm LEVEL …`.
fn minute(line: &str) -> Option<i64> {
    let (hours, rest) = line.split_at_checked(2)?;
    let minutes = rest.strip_prefix(':')?.get(..2)?;
    Some(hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?)
}
