//! What the demo asks DuckDB about the lake, whose rows are named `lake` in its queries.
//!
//! In: the table. Out: rows. Never: a row that only this project's code could read.

use alluvium_tests::{Result, Table};
use serde_json::Value;

use crate::side_by_side::Row;

/// A row of a query: names and values of its columns, in order.
pub(crate) type Cells = Vec<(String, Value)>;

/// What a reader sees just now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible {
    pub(crate) rows: u64,
    /// Of these, updates and deletes.
    pub(crate) changes: u64,
}

const FOLDERS: &str = "
SELECT regexp_extract(filename, '([^/]*/dt=.*)/[^/]*$', 1) AS folder,
  count(*) AS rows, count(DISTINCT filename) AS files,
  count(*) FILTER (_op IN ('c', 'r')) AS inserted, count(*) FILTER (_op = 'u') AS updated,
  count(*) FILTER (_op = 'd') AS deleted
FROM lake GROUP BY folder ORDER BY folder";

/// Of an order that was deleted: its history has an end.
const HISTORY: &str = "
SELECT id, _op AS op, status, price, strftime(_event_time, '%Y-%m-%d %H:%M:%S.%f') AS event_time,
  strftime(_source_ts, '%H:%M:%S') AS changed_at, _partition AS partition, _offset AS \"offset\"
FROM lake WHERE id = (SELECT min(id) FROM lake WHERE _op = 'd' AND id > 4) ORDER BY _offset";

/// All changes of a key are in one Kafka partition: the last offset is the last change.
const STATE: &str = "
SELECT id, status, price, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f') AS created_at,
  strftime(updated_at, '%Y-%m-%d %H:%M:%S.%f') AS updated_at,
  product, quantity, customer_id, note
FROM lake QUALIFY row_number() OVER (PARTITION BY id ORDER BY _offset DESC) = 1 AND _op <> 'd'
ORDER BY id";

/// How many rows are visible.
///
/// # Errors
/// The table cannot be read.
pub(crate) fn visible(table: &Table) -> Result<Visible> {
    let sql = "SELECT count(*) AS rows, count(*) FILTER (_op IN ('u', 'd')) AS changes FROM lake";
    let rows = table.query(sql)?;
    let number = |name: &str| rows.first().and_then(|row| row[name].as_u64()).unwrap_or(0);
    Ok(Visible { rows: number("rows"), changes: number("changes") })
}

/// Rows and files of each folder.
///
/// # Errors
/// The table cannot be read.
pub(crate) fn folders(table: &Table) -> Result<Vec<Cells>> {
    let columns = ["folder", "rows", "files", "inserted", "updated", "deleted"];
    cells(table, FOLDERS, &columns)
}

/// Every change of one order.
///
/// # Errors
/// The table cannot be read.
pub(crate) fn history(table: &Table) -> Result<Vec<Cells>> {
    let columns =
        ["id", "op", "status", "price", "event_time", "changed_at", "partition", "offset"];
    cells(table, HISTORY, &columns)
}

/// The state of the table from its changes.
///
/// # Errors
/// The table cannot be read.
pub(crate) fn state(table: &Table) -> Result<Vec<Row>> {
    Ok(table.query(STATE)?.iter().map(Row::from_lake).collect())
}

/// JSON objects forget the order of their members; the columns' names bring it back.
pub(crate) fn cells(table: &Table, sql: &str, columns: &[&str]) -> Result<Vec<Cells>> {
    let cells = |row: &Value| -> Cells {
        columns.iter().map(|name| ((*name).to_owned(), row[name].clone())).collect()
    };
    Ok(table.query(sql)?.iter().map(cells).collect())
}
