//! The table as readers see it, by `tests/readback/lake.py`: DuckDB and pyarrow, no code of ours.
//!
//! In: a table's URL. Out: what is visible, held against Kafka and MySQL. Never: a verdict.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Context as _, Error, Result};
use crate::say::say;
use crate::stack::Stack;

const POLL: Duration = Duration::from_millis(500);

/// A table of one stack.
#[derive(Debug, Clone)]
pub struct Table {
    url: String,
    types: String,
    python: PathBuf,
    script: PathBuf,
    env: Vec<(String, String)>,
    bootstrap: String,
}

/// What the table has against what Kafka has, by (topic, partition, offset).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Visible files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Records a read_committed consumer sees, tombstones too.
    pub records: u64,
    /// Of these, tombstones.
    pub tombstones: u64,
    /// Positions that both have.
    pub compared: u64,
    /// Positions of rows that the table lacks.
    pub missing: u64,
    /// Rows too many.
    pub duplicates: u64,
    /// Positions only the table has; the first of them.
    pub unknown: u64,
}

impl Table {
    /// The table at `s3://…` or `file:///…`, of this stack's servers.
    ///
    /// # Errors
    /// The Python part of the stack is not installed.
    pub fn new(stack: &Stack, url: &str) -> Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            types: String::new(),
            python: stack.parts().python()?,
            script: stack.clone_path("tests/readback/lake.py"),
            env: stack.env().to_vec(),
            bootstrap: stack.kafka()?.bootstrap().to_owned(),
        })
    }

    /// The types of columns of a table of JSON or CSV, as `column=TYPE;…`, DuckDB's; others are
    /// what DuckDB makes of JSON, and text in CSV.
    #[must_use]
    pub fn with_types(mut self, types: &str) -> Self {
        types.clone_into(&mut self.types);
        self
    }

    /// The first lines of the first file, uncompressed, as they are.
    ///
    /// # Errors
    /// The table has no file of lines.
    pub fn head(&self, lines: usize) -> Result<Vec<String>> {
        let said = self.run(&["head", &lines.to_string()])?;
        let lines = said.as_array().into_iter().flatten();
        Ok(lines.filter_map(|line| line.as_str().map(str::to_owned)).collect())
    }

    /// Full outer join with Kafka's records of these topics.
    ///
    /// # Errors
    /// The table or a topic cannot be read.
    pub fn against_kafka(&self, topics: &[&str]) -> Result<Agreement> {
        let topics = topics.join(",");
        let said = self.run(&["kafka", "--bootstrap", &self.bootstrap, "--topics", &topics])?;
        let number = |name: &str| said[name].as_u64().unwrap_or(u64::MAX);
        Ok(Agreement {
            files: number("files"),
            rows: number("rows"),
            records: number("records"),
            tombstones: number("tombstones"),
            compared: number("compared"),
            missing: number("missing"),
            duplicates: number("duplicates"),
            unknown: said["unknown"].as_array().map_or(u64::MAX, |all| all.len() as u64),
        })
    }

    /// Waits until nothing is missing; never accepts a duplicate meanwhile.
    ///
    /// # Errors
    /// Something is still missing after `limit`, or is there twice.
    pub fn wait_complete(&self, topics: &[&str], limit: Duration) -> Result<Agreement> {
        let began = Instant::now();
        loop {
            let agreement = self.against_kafka(topics)?;
            if agreement.duplicates > 0 || agreement.unknown > 0 {
                return Err(Error::new(format!("the table is wrong: {agreement:?}")));
            }
            if agreement.missing == 0 && agreement.compared > 0 {
                let Agreement { records, compared, .. } = agreement;
                say(format!("counted: records={records} rows={compared}"));
                return Ok(agreement);
            }
            if began.elapsed() > limit {
                return Err(Error::new(format!("rows are missing after {limit:?}: {agreement:?}")));
            }
            std::thread::sleep(POLL);
        }
    }

    /// The state of a table from its changes against MySQL's, by primary key and value; gives the
    /// number of rows compared, the values that differ, the type each column is read as.
    ///
    /// # Errors
    /// The table or MySQL cannot be read.
    pub fn against_mysql(&self, topic: &str, source: &str) -> Result<Value> {
        self.run(&["mysql", "--topic", topic, "--source", source])
    }

    /// Rows of a DuckDB query over the table, which is named `lake` in it.
    ///
    /// # Errors
    /// The table cannot be read, or the query is wrong.
    pub fn query(&self, sql: &str) -> Result<Vec<Value>> {
        match self.run(&["query", sql])? {
            Value::Array(rows) => Ok(rows),
            other => Err(Error::new(format!("not rows: {other}"))),
        }
    }

    fn run(&self, args: &[&str]) -> Result<Value> {
        let doing = || format!("lake.py {} {}", self.url, args.join(" "));
        let output = Command::new(&self.python)
            .arg(&self.script)
            .args(["--types", &self.types, &self.url])
            .args(args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
            .context(doing)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(format!("{}: {said}", doing())));
        }
        serde_json::from_slice(&output.stdout).context(doing)
    }
}

impl Agreement {
    /// The numbers, as a test prints them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "files": self.files, "rows": self.rows, "records": self.records,
            "compared": self.compared, "missing": self.missing,
            "duplicates": self.duplicates,
        })
    }
}
