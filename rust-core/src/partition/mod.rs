//! Room 4b, partition: in comes a row with its event time, out goes the folder of its data file.
//! No value of a record can leave the table.
//!
//! A value is escaped as Hive and Spark do (`%2F` for `/`), null and the empty text are
//! `__HIVE_DEFAULT_PARTITION__`, and a folder never begins with a dot: readers hide such folders.

mod bound;
mod check;
mod escape;
mod parse;
mod time;
mod value;

pub use bound::BoundPath;
pub(crate) use value::write as write_value;

use crate::error::Result;
use crate::schema::TableSchema;
use chrono::format::Item;
use chrono_tz::Tz;

/// A parsed `partition.path`.
///
/// Text, `{topic}`, `{partition}`, `{event_time:<strftime>}`, `{db}`, `{table}`, `{op}` and
/// `{col:<name>}`, in folders divided by `/`. Braces and what Hive escapes in values cannot be
/// part of the text: globs and readers would take them for something else.
#[derive(Debug, Clone, PartialEq)]
pub struct PathTemplate {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Topic,
    Partition,
    EventTime(Vec<Item<'static>>),
    Db,
    Table,
    Op,
    Column(String),
}

impl PathTemplate {
    /// Parses a `partition.path`.
    ///
    /// # Errors
    /// `Config`, naming the position (first character = 1) and what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map(|pieces| Self { pieces })
    }

    /// Binds the template, once per topic-partition and schema rows are read with; `zone` is
    /// `partition.timezone`.
    pub fn bind(&self, zone: Tz, topic: &str, partition: i32, schema: &TableSchema) -> BoundPath {
        BoundPath::new(&self.pieces, zone, topic, partition, schema)
    }
}

#[cfg(test)]
mod tests;
