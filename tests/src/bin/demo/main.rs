//! The demo: rows changed in MySQL become Parquet files on S3, read by DuckDB; then every change of
//! another table becomes JSON, and CSV.
//!
//! In: `--keep` (wait for Ctrl-C at the end), `--began SECONDS` (when the person who waits began to
//! wait, since 1970). Out: each step and what is waited for, on standard output; exit code 1 when
//! lake and MySQL differ or a part fails. Never: a value of the connectors' files replaced, nor
//! anything left of the stack, also after Ctrl-C.

mod export;
mod lake;
mod screen;
mod shop;
mod side_by_side;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alluvium_tests::{
    Agreement, ConnectRest, Error, ORDERS_SINK, ORDERS_SOURCE, Result, Server as _, Shipped, Stack,
    Table,
};
use serde_json::Value;

use crate::screen::Screen;
use crate::shop::Shop;

const RUNNING_LIMIT: Duration = Duration::from_secs(90);
/// What is waited for files beyond the latency limit that the sink is given, before it counts as
/// broken.
const GRACE: Duration = Duration::from_secs(60);
/// How long MySQL may be ahead of Kafka when nothing more is changed.
const SOURCE_LAG: Duration = Duration::from_secs(20);
/// So many updates and deletes are visible before the changes end.
const CHANGES_SHOWN: u64 = 20;

fn main() -> ExitCode {
    let screen = Screen::new(since_began());
    match demo(&screen, std::env::args().any(|arg| arg == "--keep")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.line(&format!("\ndemo FAILED: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn demo(screen: &Screen, keep: bool) -> Result<()> {
    screen.step("Starting MySQL, Kafka, S3 and Connect with Debezium and Alluvium");
    screen.line("  Ports 3306, 9092, 29092, 8083, 8333. Waiting for each to answer, some 20 s.");
    let stack = Stack::builder().seed().alluvium().fixed_ports().start()?;
    let seen = show(screen, &stack).map_err(|error| with_log(&error, &stack));
    if keep {
        if let Err(error) = &seen {
            screen.line(&format!("\ndemo FAILED: {error}"));
        }
        screen.step("KEEP=1: everything runs on. Ctrl-C ends and removes it");
        screen.line(&screen::commands(&stack)?);
        loop {
            std::thread::park();
        }
    }
    screen.step("Ending everything and removing its data (KEEP=1 make demo leaves it running)");
    drop(stack);
    seen
}

/// The run folder goes, and the worker's log with it: what went wrong must be seen now.
fn with_log(error: &Error, stack: &Stack) -> Error {
    let tail = stack.worker(0).map(|worker| worker.process().log().tail()).unwrap_or_default();
    Error::new(format!("{error}\nThe end of the worker's log, {tail}"))
}

/// Everything between the start of the stack and its end.
fn show(screen: &Screen, stack: &Stack) -> Result<()> {
    let root = stack.clone_path("");
    let source = Shipped::read(&root, ORDERS_SOURCE)?;
    let sink = Shipped::read(&root, ORDERS_SINK)?;
    let rest = stack.rest()?;
    screen.step("Registering both connectors: the files are POSTed as they are");
    register(screen, rest, &source, ORDERS_SOURCE, 1)?;
    let tasks = sink.number("tasks.max")?;
    register(screen, rest, &sink, ORDERS_SINK, usize::try_from(tasks).unwrap_or(usize::MAX))?;

    screen.step("Changing inventory.orders in MySQL: inserts, updates, deletes, over five hours");
    let shop = Shop::open(stack.mysql()?)?;
    let table = Table::new(stack, sink.setting("lake.url")?)?;
    let interval = Duration::from_millis(sink.number("commit.interval.ms")?);
    screen.step("Waiting for the first Parquet files");
    screen.line(&format!(
        "  commit.interval.ms in {ORDERS_SINK}
  is {} s: a row is visible that long after its record at the latest, and sooner where the tasks
  share out the partitions anew, as they do when they start. The changes go on meanwhile.",
        interval.as_secs()
    ));
    let first = first_rows(screen, &table, &shop, interval)?;
    screen.table(&lake::folders(&table)?);

    let changes = shop.close()?;
    screen.step(&format!("The changes end, {changes} were made; waiting for the last of them"));
    let topic = sink.setting("topics")?;
    let state = whole_state(screen, stack, &table, topic, interval)?;
    screen.step("DuckDB: rows in each hour's folder");
    screen.table(&lake::folders(&table)?);
    screen.step("DuckDB: the history of one order");
    screen.table(&lake::history(&table)?);
    screen.step("The table as DuckDB makes it from its changes, and MySQL's own SELECT");
    screen.line(&state);
    screen.line(&format!("\nFirst Parquet rows {} s after the demo began.", first.as_secs()));
    export::show(screen, stack)?;
    Ok(())
}

fn register(
    screen: &Screen,
    rest: &ConnectRest,
    connector: &Shipped,
    file: &str,
    tasks: usize,
) -> Result<()> {
    screen.line(&format!(
        "  curl -X POST -H 'Content-Type: application/json' --data-binary @{file} \\
    http://localhost:8083/connectors"
    ));
    connector.register(rest)?;
    let name = connector.name()?;
    screen.line(&format!("  waiting for {name} and {tasks} task(s) to run"));
    rest.wait_running(name, tasks, RUNNING_LIMIT)?;
    let status = rest.status(name)?;
    let state = |part: &Value| part["state"].as_str().unwrap_or("?").to_owned();
    let tasks: Vec<_> = status["tasks"].as_array().into_iter().flatten().map(state).collect();
    let connector = state(&status["connector"]);
    screen.line(&format!("  GET …/{name}/status: {connector}, tasks {}\n", tasks.join(" ")));
    Ok(())
}

/// Waits until changes made by the shop are visible; gives how long after the demo began the first
/// rows of all were.
fn first_rows(screen: &Screen, table: &Table, shop: &Shop, interval: Duration) -> Result<Duration> {
    let began = Instant::now();
    let mut first = None;
    loop {
        let visible = lake::visible(table)?;
        if visible.rows > 0 && first.is_none() {
            let now = *first.insert(screen.elapsed());
            screen.end_of_wait();
            let rows = visible.rows;
            screen.line(&format!(
                "  {rows} rows are visible, {} s after the demo began",
                now.as_secs()
            ));
        }
        if let Some(first) = first.filter(|_| visible.changes >= CHANGES_SHOWN) {
            screen.end_of_wait();
            return Ok(first);
        }
        if began.elapsed() > interval + GRACE {
            let now = began.elapsed();
            return Err(Error::new(format!("{visible:?} after {now:?}: the sink does not commit")));
        }
        let (changes, rows) = (shop.changes(), visible.rows);
        let what = format!("{changes} changes in MySQL so far, {rows} rows visible");
        screen.wait(interval.saturating_sub(began.elapsed()), &what);
    }
}

/// Waits until the lake has all that Kafka has and gives what MySQL gives; then both, as text.
fn whole_state(
    screen: &Screen,
    stack: &Stack,
    table: &Table,
    topic: &str,
    interval: Duration,
) -> Result<String> {
    let began = Instant::now();
    let mut complete_since = None;
    loop {
        let kafka = table.against_kafka(&[topic])?;
        if kafka.duplicates > 0 || kafka.unknown > 0 {
            return Err(Error::new(format!("the lake is wrong: {}", kafka.to_json())));
        }
        let left = interval.saturating_sub(began.elapsed());
        if kafka.missing > 0 {
            complete_since = None;
            if began.elapsed() > interval + GRACE {
                let numbers = kafka.to_json();
                return Err(Error::new(format!("rows are missing from the lake: {numbers}")));
            }
            screen.wait(left, &format!("{} rows still to come", kafka.missing));
            continue;
        }
        let since: Instant = *complete_since.get_or_insert_with(Instant::now);
        match side_by_side::compare(&lake::state(table)?, &shop::state(stack.mysql()?)?) {
            Ok(text) => {
                screen.end_of_wait();
                let Agreement { records, rows, files, .. } = kafka;
                screen.line(&format!(
                    "  {records} records in Kafka, {rows} rows in {files} files: \
                     none missing, none twice."
                ));
                return Ok(text);
            }
            Err(error) if since.elapsed() > SOURCE_LAG => return Err(error),
            Err(_) => {
                screen.wait(left.min(SOURCE_LAG), "MySQL's last changes are not in Kafka yet")
            }
        }
    }
}

/// How long the person has been waiting when this program begins: installing and building count.
fn since_began() -> Duration {
    let mut args = std::env::args().skip_while(|arg| arg != "--began").skip(1);
    let began = args.next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    began.map_or(Duration::ZERO, |began| now.saturating_sub(began))
}
