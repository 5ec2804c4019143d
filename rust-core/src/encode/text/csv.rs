//! Rows as records of RFC 4180. A value is quoted where it must be, and where it would read as
//! something else: an empty text, and whatever equals `csv.null`. Only a null is never quoted.

use super::column::{Column, Values};
use super::json;
use crate::config::CsvConfig;
use arrow::datatypes::Schema;

const END: &[u8] = b"\r\n";

/// Appends the names of the columns, if they are wanted.
pub(super) fn header(schema: &Schema, config: &CsvConfig, out: &mut Vec<u8>) {
    if !config.header {
        return;
    }
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(config.delimiter);
        }
        text(field.name().as_bytes(), config, out);
    }
    out.extend_from_slice(END);
}

/// Appends a row.
pub(super) fn record(columns: &[Column<'_>], row: usize, config: &CsvConfig, out: &mut Vec<u8>) {
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(config.delimiter);
        }
        cell(column, row, config, out);
    }
    out.extend_from_slice(END);
}

fn cell(column: &Column<'_>, row: usize, config: &CsvConfig, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(config.null.as_bytes());
    }
    if let Values::Text(values) = &column.values {
        return text(values.value(row).as_bytes(), config, out);
    }
    let start = out.len();
    if !column.word(row, out) {
        json::value(column, row, out);
        return quote(start, out);
    }
    // No delimiter is a part of these, but they may be what a null is written as.
    if out.len() == start || out[start..] == *config.null.as_bytes() {
        quote(start, out);
    }
}

fn text(text: &[u8], config: &CsvConfig, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text);
    let delimiter = config.delimiter;
    let special = |byte: &u8| matches!(byte, b'"' | b'\r' | b'\n') || *byte == delimiter;
    // A reader that guesses takes `#` for a comment, and some trim what stands between delimiters.
    let edges = [text.first(), text.last()];
    let at_edge = |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'#'));
    if edges.into_iter().any(at_edge) || text == config.null.as_bytes() || text.iter().any(special)
    {
        quote(start, out);
    }
}

/// Puts quotes around what stands from `start` on, and doubles those within.
fn quote(start: usize, out: &mut Vec<u8>) {
    let inner = memchr::memchr_iter(b'"', &out[start..]).count();
    let end = out.len();
    out.resize(end + inner + 2, b'"');
    // From behind, so that nothing is overwritten before it has moved.
    let mut to = end + inner + 1;
    for from in (start..end).rev() {
        let byte = out[from];
        to -= 1;
        out[to] = byte;
        if byte == b'"' {
            to -= 1;
            out[to] = b'"';
        }
    }
    out[start] = b'"';
}
