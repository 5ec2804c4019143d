//! The lake's rows beside MySQL's.
//!
//! In: both, as text, by primary key. Out: a table to look at, when they are equal in every column;
//! an error that shows the rows that differ, when not. Never: two empty tables taken as equal.

use std::collections::BTreeMap;

use alluvium_tests::{Error, Result, mysql};
use serde_json::Value;

use crate::screen::aligned;

/// In the order of both queries.
const COLUMNS: [&str; 9] = [
    "id",
    "status",
    "price",
    "created_at",
    "updated_at",
    "product",
    "quantity",
    "customer_id",
    "note",
];
/// The columns after the key that there is room to print twice.
const PRINTED: usize = 3;
/// Rows printed at most; all are compared.
const SHOWN: usize = 12;

/// One row, each value as text, null as `NULL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row(Vec<String>);

impl Row {
    /// A row of the lake, from a query with these column names.
    pub(crate) fn from_lake(row: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::Null => "NULL".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Self(COLUMNS.iter().map(|name| text(&row[name])).collect())
    }

    /// A row of MySQL, from a query with these columns in this order.
    pub(crate) fn from_mysql(row: mysql::Row) -> Self {
        let text = |value| match value {
            mysql::Value::NULL => "NULL".to_owned(),
            mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => other.as_sql(false),
        };
        Self(row.unwrap().into_iter().map(text).collect())
    }

    fn key(&self) -> u64 {
        self.0.first().and_then(|key| key.parse().ok()).unwrap_or(u64::MAX)
    }

    fn cells(row: Option<&Self>) -> Vec<String> {
        let absent = || vec!["-".to_owned(); PRINTED];
        row.map_or_else(absent, |row| row.0.iter().skip(1).take(PRINTED).cloned().collect())
    }
}

/// Both side by side.
///
/// # Errors
/// A row or a value of one is not the other's, or there is nothing to compare.
pub(crate) fn compare(lake: &[Row], mysql: &[Row]) -> Result<String> {
    let by_key = |rows: &[Row]| -> BTreeMap<u64, Row> {
        rows.iter().map(|row| (row.key(), row.clone())).collect()
    };
    let (here, there) = (by_key(lake), by_key(mysql));
    let keys: BTreeMap<u64, bool> = here
        .keys()
        .chain(there.keys())
        .map(|key| (*key, here.get(key) == there.get(key)))
        .collect();
    let pair = |key: &u64| (*key, here.get(key), there.get(key));
    let different: Vec<_> = keys.iter().filter(|(_, equal)| !**equal).collect();
    if !different.is_empty() {
        let text = side_by_side(different.iter().map(|(key, _)| pair(key)).take(SHOWN));
        let count = different.len();
        return Err(Error::new(format!("{count} rows of lake and MySQL differ:\n{text}")));
    }
    if keys.is_empty() || here.len() != lake.len() {
        return Err(Error::new(format!("{} rows of the lake for {} keys", lake.len(), keys.len())));
    }
    let text = side_by_side(keys.keys().map(pair).take(SHOWN));
    let more = keys.len().saturating_sub(SHOWN);
    Ok(format!(
        "{text}\n  … and {more} more. All {} rows are equal in all {} columns.",
        keys.len(),
        COLUMNS.len()
    ))
}

fn side_by_side<'a>(rows: impl Iterator<Item = (u64, Option<&'a Row>, Option<&'a Row>)>) -> String {
    let printed = &COLUMNS[1..=PRINTED];
    let mut head = vec!["id".to_owned()];
    head.extend(printed.iter().map(|name| format!("lake {name}")));
    head.push(String::new());
    head.extend(printed.iter().map(|name| format!("mysql {name}")));
    let mut lines = vec![head];
    for (key, lake, mysql) in rows {
        let sign = if lake == mysql { "=" } else { "≠" };
        let mut line = vec![key.to_string()];
        line.extend(Row::cells(lake).into_iter().chain([sign.to_owned()]));
        line.extend(Row::cells(mysql));
        lines.push(line);
    }
    aligned(&lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(id: u64, note: &str) -> Row {
        Row::from_lake(&json!({ "id": id, "status": "new", "note": note }))
    }

    #[test]
    fn equal_rows_are_shown_and_anything_else_fails() {
        let mysql = [row(1, "a"), row(2, "b")];
        let shown = compare(&mysql.clone(), &mysql).unwrap();
        assert!(shown.contains("All 2 rows are equal in all 9 columns"), "{shown}");
        // A column that is not printed counts too.
        let other = compare(&[row(1, "a"), row(2, "B")], &mysql).unwrap_err().to_string();
        assert!(
            other.contains("1 rows of lake and MySQL differ") && other.contains('≠'),
            "{other}"
        );
        assert!(compare(&[row(1, "a")], &mysql).is_err());
        assert!(compare(&[row(1, "a"), row(1, "a")], &mysql[..1]).is_err());
        assert!(compare(&[], &[]).is_err());
    }
}
