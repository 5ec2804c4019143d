//! What `verify` costs: run with `--ignored --nocapture`.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod common;

use alluvium_testkit::kafka::{Entry, event};
use common::{Table, tp};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The most memory a process had, from `/proc`.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
#[ignore = "a measurement"]
fn verify_reads_all_rows_in_memory_that_does_not_grow_with_them() {
    for rows in [50_000, 400_000] {
        let mut table = Table::new();
        for id in 0..rows {
            table.kafka.append(&tp(0), Entry::Record(Some(event(id, id / 2_000))));
        }
        table.lay_down(&[0], 20_000);
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_alluvium"))
            .args(["--url", &table.url(), "verify"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut peak = 0;
        let status = loop {
            peak = peak.max(peak_kib(child.id()).unwrap_or(0));
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let took = began.elapsed();
        assert!(status.success());
        let per_second = rows as f64 / took.as_secs_f64();
        println!(
            "{rows} rows in {} files: {took:.1?}, {per_second:.0} rows/s, peak {} MiB",
            table.files().len(),
            peak >> 10
        );
    }
}
