//! Thousands of short lives, each by its seed: see `simulator`.
//!
//! `ALLUVIUM_SEEDS=17..18` replays seed 17 and tells its story, `ALLUVIUM_SEEDS=0..0` goes on
//! without end. A seed that breaks a rule is written to `simulate/` in cargo's target folder; one
//! that once did stands in `regressions.txt` and runs every time.

use crate::simulator::{self, Report};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What every test run does, and within what time. They take less than a minute on two idle cores;
/// a machine that is busy with other things gets the time it needs.
const SEEDS: u64 = 2_000;
const TIME: Duration = Duration::from_secs(480);
const THREADS: usize = 2;
/// More broken seeds than this say nothing new; `ALLUVIUM_SEEDS_BROKEN` asks for another number.
const BROKEN_MAX: usize = 5;

#[derive(Debug, Default)]
struct Totals {
    ran: u64,
    records: usize,
    rows: usize,
    owners: u64,
    deaths: usize,
    archived: usize,
    requests: usize,
    broken: Vec<(u64, Report)>,
}

#[test]
fn rows_are_visible_once_whatever_happens() {
    let asked = asked();
    let (began, limit) = (Instant::now(), asked.is_none().then_some(TIME));
    let totals = run_all(asked.clone().unwrap_or(0..SEEDS), limit);
    let Totals { ran, records, rows, owners, deaths, archived, requests, broken } = &totals;
    let seconds = began.elapsed().as_secs_f64();
    println!("{ran} seeds in {seconds:.1} s, {} broken; blocks archived {archived}", broken.len());
    println!(
        "records {records}, rows {rows}, owners {owners}, deaths {deaths}, requests {requests}"
    );
    alluvium_testkit::counted(&format!("seeds={ran} records={records} rows={rows} kills={deaths}"));
    broken.iter().for_each(|(seed, report)| tell(*seed, report));
    let seeds: Vec<u64> = broken.iter().map(|(seed, _)| *seed).collect();
    assert!(seeds.is_empty(), "broken: {seeds:?}; replay: make simulate SEEDS=<seed>..<seed + 1>");
    assert!(asked.is_some() || *ran >= SEEDS, "only {ran} seeds in {TIME:?}");
    let all = [*records, *rows, *deaths, *archived];
    assert!(asked.is_some() || all.iter().all(|n| *n > 0), "{all:?}");
}

#[test]
fn seeds_that_once_broke_a_rule_do_not_any_more() {
    let lines = include_str!("regressions.txt").lines();
    let seeds = lines.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let mut ran = 0;
    for seed in seeds {
        let report = run(seed);
        assert_eq!(report.broken, None, "seed {seed}");
        ran += 1;
    }
    assert!(ran > 0, "regressions.txt names none");
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    for seed in [3, 5, 8, 13, 21, 34, 55] {
        let (one, two) = (run(seed), run(seed));
        assert_eq!(one.story, two.story, "seed {seed}");
        assert_eq!(one.requests, two.requests, "seed {seed}");
        assert!(one.requests.len() > 10, "seed {seed} sends {}", one.requests.len());
    }
    assert_ne!(run(3).requests, run(5).requests);
}

fn run(seed: u64) -> Report {
    catch_unwind(AssertUnwindSafe(|| simulator::run(seed))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let broken = Some(format!("panic: {}", text.unwrap_or_default()));
        Report { broken, ..Report::default() }
    })
}

/// `from..to`; `to` = 0 is without end.
fn asked() -> Option<Range<u64>> {
    let text = std::env::var("ALLUVIUM_SEEDS").ok()?;
    let (from, to) = text.split_once("..").expect("ALLUVIUM_SEEDS=from..to");
    Some(from.parse().expect("a number")..to.parse().expect("a number"))
}

/// Runs seeds until the range, the time or too many broken ones end it.
fn run_all(range: Range<u64>, limit: Option<Duration>) -> Totals {
    let endless = range.end == 0;
    let broken_max = std::env::var("ALLUVIUM_SEEDS_BROKEN").ok().and_then(|n| n.parse().ok());
    let broken_max: usize = broken_max.unwrap_or(BROKEN_MAX);
    let (next, began) = (AtomicU64::new(range.start), Instant::now());
    let totals = Mutex::new(Totals::default());
    let work = || {
        while limit.is_none_or(|limit| began.elapsed() < limit) {
            let seed = next.fetch_add(1, Relaxed);
            if (seed >= range.end && !endless) || lock(&totals).broken.len() >= broken_max {
                return;
            }
            let report = run(seed);
            let mut totals = lock(&totals);
            totals.ran += 1;
            if totals.ran.is_multiple_of(1_000) {
                println!("{} seeds, {:.0} s", totals.ran, began.elapsed().as_secs_f64());
            }
            totals.records += report.records;
            totals.rows += report.rows;
            totals.deaths += report.deaths;
            totals.archived += report.archived;
            totals.owners += u64::from(report.owners);
            totals.requests += report.requests.len();
            if report.broken.is_some() {
                totals.broken.push((seed, report));
            }
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| _ = scope.spawn(work)));
    totals.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a broken seed, and keeps it with what is needed to run it again.
fn tell(seed: u64, report: &Report) {
    let broken = report.broken.as_deref().unwrap_or_default();
    println!("seed {seed}:\n  {}\nseed {seed} BROKEN: {broken}", report.story.join("\n  "));
    let mut git = std::process::Command::new("git");
    let describe = git.args(["describe", "--always", "--dirty"]).output();
    let describe = describe.map(|output| output.stdout).unwrap_or_default();
    let text = format!(
        "seed {seed}\ncode {}\nreplay make simulate SEEDS={seed}..{}\nbroken {broken}\n\n{}\n",
        String::from_utf8_lossy(&describe).trim(),
        seed + 1,
        report.story.join("\n")
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulate");
    let file = folder.join(format!("seed-{seed}.txt"));
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, text)) {
        Ok(()) => println!("kept in {}", file.display()),
        Err(error) => println!("not kept: {}: {error}", file.display()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
