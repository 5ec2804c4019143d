//! What the person who watches the demo sees.
//!
//! In: steps, lines, tables, waits. Out: standard output; a wait counts down in place on a terminal,
//! elsewhere it says a line now and then. Never: a wait that is not announced.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use alluvium_tests::{Result, Stack};
use serde_json::Value;

/// Between two looks while nothing can be due yet: a look costs a second of one core.
const FAR: Duration = Duration::from_secs(10);
/// Between two looks when it may be due at any moment.
const NEAR: Duration = Duration::from_secs(1);

/// The screen, and the clock on it.
#[derive(Debug)]
pub(crate) struct Screen {
    began: Instant,
    waited_before: Duration,
    in_place: bool,
}

impl Screen {
    /// A screen for somebody who has waited as long already.
    pub(crate) fn new(waited_before: Duration) -> Self {
        let in_place = std::io::stdout().is_terminal();
        Self { began: Instant::now(), waited_before, in_place }
    }

    /// Since the person began to wait.
    pub(crate) fn elapsed(&self) -> Duration {
        self.waited_before + self.began.elapsed()
    }

    /// A new step.
    pub(crate) fn step(&self, text: &str) {
        self.line(&format!("\n[{:>3} s] {text}", self.elapsed().as_secs()));
    }

    /// One line, or several.
    #[expect(clippy::unused_self, reason = "a screen is what is written to")]
    pub(crate) fn line(&self, text: &str) {
        // A closed standard output is no reason to fail: the exit code says the rest.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// Rows of a query, under the names of their columns.
    pub(crate) fn table(&self, rows: &[Vec<(String, Value)>]) {
        let names = rows
            .first()
            .map_or(Vec::new(), |row| row.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        let cells = rows.iter().map(|row| row.iter().map(|(_, value)| text_of(value)).collect());
        let all: Vec<Vec<String>> = std::iter::once(names).chain(cells).collect();
        self.line(&aligned(&all));
    }

    /// Counts down to when something is due, and comes back for the next look at it.
    pub(crate) fn wait(&self, left: Duration, what: &str) {
        let pause = if left > FAR { FAR } else { NEAR };
        let text = |left: Duration| match left.as_secs() {
            0 => format!("  due now; {what}"),
            seconds => format!("  due in {seconds} s; {what}"),
        };
        if !self.in_place {
            self.line(&text(left));
            std::thread::sleep(pause);
            return;
        }
        for second in 0..pause.as_secs() {
            let left = left.saturating_sub(Duration::from_secs(second));
            let mut out = std::io::stdout().lock();
            let _ = write!(out, "\r\x1b[K{}", text(left)).and_then(|()| out.flush());
            drop(out);
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Removes what a wait left on the line.
    pub(crate) fn end_of_wait(&self) {
        if self.in_place {
            let _ = write!(std::io::stdout().lock(), "\r\x1b[K");
        }
    }
}

/// Columns as wide as their widest cell, the first row underlined.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..).map_while(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    };
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>();
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1.min(lines.len()), line(&rule));
    lines.join("\n")
}

/// How to look round in the running stack.
pub(crate) fn commands(stack: &Stack) -> Result<String> {
    let mysql = stack.parts().folder("mysql")?.join("bin/mysql");
    let python = stack.parts().python()?;
    let logs = stack.folder().join("logs");
    Ok(format!(
        "
  curl -s 'localhost:8083/connectors?expand=status' | python3 -m json.tool
  . ./.env && {mysql} -h 127.0.0.1 -u $MYSQL_USER -p$MYSQL_PASSWORD inventory
  {python} tests/readback/kafka_tool.py --bootstrap localhost:9092 list-topics
  {python} tests/readback/kafka_tool.py --bootstrap localhost:9092 dump orders_cdc | tail -n 1
  (set -a; . ./.env; S3_ENDPOINT=http://localhost:8333 \\
    {python} tests/readback/lake.py s3://lake/cdc query 'SELECT _op, count(*) FROM lake GROUP BY 1')
  tail -f {logs}/connect-0.log",
        mysql = mysql.display(),
        python = python.display(),
        logs = logs.display(),
    ))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = aligned(&[row(["id", "product"]), row(["1000", "Crème"])]);
        assert_eq!(text, "  id    product\n  ----  -------\n  1000  Crème");
    }
}
