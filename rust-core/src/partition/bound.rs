//! A template, bound: what is left to do for a row.

use super::Piece;
use super::check::check;
use super::escape::{Escaper, NULL};
use super::time::{TimePiece, TimeRun};
use super::value;
use crate::envelope::{Row, Slot, Span};
use crate::error::{Error, Kind, Result};
use crate::schema::{ColumnKind, TableSchema};
use chrono_tz::Tz;
use std::fmt::Write;

/// A template bound to one topic-partition and the columns of one schema.
#[derive(Debug, Clone)]
pub struct BoundPath {
    parts: Vec<Part>,
    missing: Vec<String>,
}

#[derive(Debug, Clone)]
enum Part {
    /// Texts, topic, partition and event times, as far as they are neighbours: one look-up.
    Run(TimeRun),
    Text(String),
    Db,
    Table,
    Op,
    Column {
        slot: usize,
        name: String,
        kind: ColumnKind,
    },
}

impl BoundPath {
    pub(super) fn new(
        pieces: &[Piece],
        zone: Tz,
        topic: &str,
        partition: i32,
        schema: &TableSchema,
    ) -> Self {
        let mut bound = Self { parts: Vec::new(), missing: Vec::new() };
        let mut run = Vec::new();
        for piece in pieces {
            let part = match piece {
                Piece::Text(text) => {
                    run.push(TimePiece::Text(text.clone()));
                    continue;
                }
                Piece::Topic => {
                    run.push(TimePiece::Text(escaped(topic)));
                    continue;
                }
                Piece::Partition => {
                    run.push(TimePiece::Text(partition.to_string()));
                    continue;
                }
                Piece::EventTime(items) => {
                    run.push(TimePiece::Time(items.clone()));
                    continue;
                }
                Piece::Db => Part::Db,
                Piece::Table => Part::Table,
                Piece::Op => Part::Op,
                Piece::Column(name) => bound.column(name, schema),
            };
            bound.parts.extend(finish_run(&mut run, zone));
            bound.parts.push(part);
        }
        bound.parts.extend(finish_run(&mut run, zone));
        bound
    }

    fn column(&mut self, name: &str, schema: &TableSchema) -> Part {
        match schema.columns.iter().position(|column| *column.name == *name) {
            Some(slot) => {
                Part::Column { slot, name: name.to_owned(), kind: schema.columns[slot].kind }
            }
            None => {
                self.missing.push(name.to_owned());
                Part::Text(NULL.to_owned())
            }
        }
    }

    /// Columns the template names and the schema lacks: their value is null in every path. Worth a
    /// word in the log, once: it may be a misspelt name.
    pub fn missing_columns(&self) -> &[String] {
        &self.missing
    }

    /// Writes the partition path of a row into `out`, replacing what is there. No leading or
    /// trailing slash. `value` is the record's value bytes.
    ///
    /// # Errors
    /// `BadRecord` when the path cannot be built from this row (a folder or the path too long, a
    /// value that has no text).
    pub fn render(
        &mut self,
        event_time_us: i64,
        row: &Row,
        value: &[u8],
        out: &mut String,
    ) -> Result<()> {
        out.clear();
        for part in &mut self.parts {
            match part {
                Part::Run(run) => run.render(event_time_us, out).ok_or_else(|| {
                    Error::new(Kind::BadRecord, "the event time has no date for partition.path")
                        .with("event_time_us", event_time_us)
                })?,
                Part::Text(text) => out.push_str(text),
                Part::Db => span(row.source.db, "{db}", row, value, out)?,
                Part::Table => span(row.source.table, "{table}", row, value, out)?,
                Part::Op => out.push_str(row.op.map_or(NULL, |op| op.letter())),
                Part::Column { slot, name, kind } => {
                    let slot = row.slots.get(*slot).copied().unwrap_or(Slot::Null);
                    let written = or_null(slot != Slot::Null, out, |out| {
                        value::write(out, *kind, slot, row, value)
                    });
                    written.map_err(|_| {
                        Error::new(Kind::BadRecord, "a value has no text for partition.path")
                            .with("column", &*name)
                    })?;
                }
            }
        }
        check(out)
    }
}

/// What has been gathered of a run, as a part.
fn finish_run(run: &mut Vec<TimePiece>, zone: Tz) -> Option<Part> {
    let pieces = std::mem::take(run);
    if pieces.iter().any(|piece| matches!(piece, TimePiece::Time(_))) {
        return Some(Part::Run(TimeRun::new(zone, pieces)));
    }
    let text: String = pieces
        .into_iter()
        .filter_map(|piece| match piece {
            TimePiece::Text(text) => Some(text),
            TimePiece::Time(_) => None,
        })
        .collect();
    (!text.is_empty()).then_some(Part::Text(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Escaper(&mut out).write_str(text);
    out
}

fn span(
    span: Option<Span>,
    what: &'static str,
    row: &Row,
    value: &[u8],
    out: &mut String,
) -> Result<()> {
    let text = span.map_or(Ok(""), |span| std::str::from_utf8(row.bytes(span, value)));
    or_null(span.is_some(), out, |out| out.write_str(text.map_err(|_| std::fmt::Error)?)).map_err(
        |_| {
            Error::new(Kind::BadRecord, "a name is not UTF-8 and has no text for partition.path")
                .with("placeholder", what)
        },
    )
}

/// Writes an escaped value, or what stands for null when there is none or nothing was written.
fn or_null(
    some: bool,
    out: &mut String,
    write: impl FnOnce(&mut Escaper<'_>) -> std::fmt::Result,
) -> std::fmt::Result {
    let before = out.len();
    if some {
        write(&mut Escaper(out))?;
    }
    if out.len() == before {
        out.push_str(NULL);
    }
    Ok(())
}
