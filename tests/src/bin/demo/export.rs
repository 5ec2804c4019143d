//! The second pipeline: every insert, update and delete of `inventory.transactions` in files of
//! JSON, and the same in files of CSV.
//!
//! In: the running stack. Out: what is in the files, held against what a Kafka consumer counts.
//! Never: a file that only this project's code could read.

use std::time::{Duration, Instant};

use alluvium_tests::mysql::prelude::Queryable as _;
use alluvium_tests::{
    Agreement, Error, Result, Shipped, Stack, TRANSACTIONS_CSV_SINK, TRANSACTIONS_SINK,
    TRANSACTIONS_SOURCE, TRANSACTIONS_TYPES, Table,
};

use crate::lake::{self, Cells};
use crate::screen::Screen;
use crate::{GRACE, register};

/// What happens to the bank, beside the rows of the snapshot. The last two are of one transaction.
const CHANGES: [&str; 6] = [
    "INSERT INTO inventory.transactions (id, name, amount) VALUES (100, 'Zoë, \"Z\"', 9999999999999999.99)",
    "INSERT INTO inventory.transactions (id, name, amount) VALUES (101, 'Linus', 12.30)",
    "UPDATE inventory.transactions SET amount = amount - 0.31 WHERE id = 101",
    "UPDATE inventory.transactions SET name = 'Linus T.', amount = -7 WHERE id = 101",
    "DELETE FROM inventory.transactions WHERE id = 101",
    "DELETE FROM inventory.transactions WHERE id = 2",
];
/// Rows of the snapshot, and how long it may take.
const SNAPSHOT: usize = 3;
const SNAPSHOT_SECONDS: u32 = 90;
/// Changes that leave a row each, and those of the snapshot.
const ROWS: u64 = (SNAPSHOT + CHANGES.len()) as u64;
/// Columns of a terminal that a line of a file may take.
const WIDTH: usize = 150;

/// What happened to one transaction.
const HISTORY: &str = "
SELECT id, _op AS op, {before}->>'name' AS name_before, {before}->>'amount' AS amount_before,
  name, amount, _partition AS partition, _offset AS \"offset\"
FROM lake WHERE id = 101 ORDER BY _offset";

/// Sets the pipeline up, changes rows, and shows the files.
///
/// # Errors
/// A part fails, or the files are not what Kafka has.
pub(crate) fn show(screen: &Screen, stack: &Stack) -> Result<()> {
    let root = stack.clone_path("");
    let rest = stack.rest()?;
    screen.step("A second pipeline: each change of inventory.transactions, as JSON and as CSV");
    let source = Shipped::read(&root, TRANSACTIONS_SOURCE)?;
    register(screen, rest, &source, TRANSACTIONS_SOURCE, 1)?;
    let files = [TRANSACTIONS_SINK, TRANSACTIONS_CSV_SINK];
    let sinks = files.map(|file| Shipped::read(&root, file).map(|sink| (file, sink)));
    let sinks: Vec<(&str, Shipped)> = sinks.into_iter().collect::<Result<_>>()?;
    for (file, sink) in &sinks {
        register(screen, rest, sink, file, 1)?;
    }
    // What is changed before the source has taken its snapshot is in the snapshot, and no event.
    screen.line("  Waiting for the snapshot of the table in Kafka.");
    let topic = sinks[0].1.setting("topics")?;
    stack.kafka()?.tool().wait_for(topic, SNAPSHOT, SNAPSHOT_SECONDS)?;
    let mut mysql = stack.mysql()?.connection()?;
    for change in CHANGES {
        screen.line(&format!("  mysql> {change};"));
        mysql.query_drop(change).map_err(|error| Error::new(format!("MySQL: {error}")))?;
    }
    for (file, sink) in &sinks {
        let format = sink.setting("format")?.to_uppercase();
        screen.step(&format!("{format}: waiting for the files of {file}"));
        let url = sink.setting("lake.url")?;
        let table = Table::new(stack, url)?.with_types(TRANSACTIONS_TYPES);
        let limit = Duration::from_millis(sink.number("commit.interval.ms")?);
        let kafka = wait(screen, &table, sink.setting("topics")?, limit)?;
        let Agreement { records, tombstones, rows, files, .. } = kafka;
        screen.line(&format!(
            "  a Kafka consumer counts {} records with a value ({tombstones} tombstones besides); \
             {rows} rows in {files} files: none missing, none twice.",
            records - tombstones
        ));
        screen.line(&format!("\n  the first lines of a file below {url}, as they are:"));
        for line in table.head(3)? {
            screen.line(&format!("  {}", cut(&line)));
        }
        screen.line("\n  the history of one transaction, by DuckDB:");
        // A struct of JSON, and in CSV its text.
        let before = if format == "JSON" { "to_json(_before)" } else { "_before::JSON" };
        screen.table(&history(&table, before)?);
    }
    Ok(())
}

/// Waits until the table has a row for every record with a value, and no other.
fn wait(screen: &Screen, table: &Table, topic: &str, limit: Duration) -> Result<Agreement> {
    let began = Instant::now();
    loop {
        let kafka = table.against_kafka(&[topic])?;
        if kafka.duplicates > 0 || kafka.unknown > 0 {
            return Err(Error::new(format!("the files are wrong: {}", kafka.to_json())));
        }
        let records = kafka.records - kafka.tombstones;
        if kafka.missing == 0 && records == ROWS {
            screen.end_of_wait();
            return match kafka.rows == records {
                true => Ok(kafka),
                false => Err(Error::new(format!("not a row each: {}", kafka.to_json()))),
            };
        }
        if began.elapsed() > limit + GRACE {
            return Err(Error::new(format!("{ROWS} rows are not there: {}", kafka.to_json())));
        }
        let what = format!("{records} records in Kafka, {} rows in files", kafka.rows);
        screen.wait(limit.saturating_sub(began.elapsed()), &what);
    }
}

fn history(table: &Table, before: &str) -> Result<Vec<Cells>> {
    let columns =
        ["id", "op", "name_before", "amount_before", "name", "amount", "partition", "offset"];
    let rows = lake::cells(table, &HISTORY.replace("{before}", before), &columns)?;
    let amounts = |at: usize| -> Vec<_> {
        rows.iter().map(|row| row[at].1.as_str().unwrap_or_default()).collect()
    };
    // Exact to the cent; a deleted row is what it was.
    let (before, after) = (amounts(3), amounts(5));
    let expected = (["", "12.30", "11.99", "-7.00"], ["12.30", "11.99", "-7.00", "-7.00"]);
    if before != expected.0 || after != expected.1 {
        let message = format!("amounts of transaction 101: {before:?} before, {after:?} after");
        return Err(Error::new(message));
    }
    Ok(rows)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
