//! One row of the table of evidence.

use std::fmt;
use std::time::Duration;

use alluvium_tests::{Agreement, Connector, say};
use serde_json::Value;

/// What shows that an attack happened.
#[derive(Debug)]
pub struct Proof {
    /// In words, with numbers.
    pub what: String,
    /// How often: kills, stops, cuts, …
    pub times: usize,
    /// The longest time from its end until all partitions had new visible rows.
    pub again: Duration,
}

/// What came of a scenario for one sink.
#[derive(Debug)]
pub struct Row {
    name: String,
    sink: String,
    seconds: u64,
    times: usize,
    seen: Agreement,
    mysql: u64,
    again: Duration,
    what: String,
}

impl Row {
    pub fn new(
        name: &str,
        sink: &Connector,
        proof: &Proof,
        seen: &Agreement,
        state: &Value,
        took: Duration,
    ) -> Self {
        Self {
            name: name.to_owned(),
            sink: sink.name.clone(),
            seconds: took.as_secs(),
            times: proof.times,
            seen: seen.clone(),
            mysql: state["compared"].as_u64().unwrap_or(0),
            again: proof.again,
            what: proof.what.clone(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Agreement { records, rows, duplicates, missing, .. } = self.seen;
        write!(
            out,
            "| {} ({}) | {} | {} | {records} | {rows} | {duplicates} | {missing} | {} | {:.1} | {} |",
            self.name,
            self.sink,
            self.seconds,
            self.times,
            self.mysql,
            self.again.as_secs_f32(),
            self.what
        )
    }
}

/// The table as it stands in docs/delivery.md.
pub fn print(rows: &[Row]) {
    let head = "| attack (sink) | s | times | records | rows | duplicates | missing | MySQL rows \
                compared, 0 wrong | visible again after s | seen |";
    let rows: Vec<_> = rows.iter().map(Row::to_string).collect();
    let line = "| --- ".repeat(10);
    say(format!("\n{head}\n{line}|\n{}\n", rows.join("\n")));
}
