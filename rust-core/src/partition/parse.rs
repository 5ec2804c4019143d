//! The grammar of `partition.path`.

use super::Piece;
use super::escape::is_special;
use crate::error::{Error, Kind, Result};
use chrono::format::{Item, StrftimeItems};

const PLACEHOLDERS: &str =
    "{topic}, {partition}, {event_time:<strftime>}, {db}, {table}, {op} and {col:<name>}";

/// Reads a template into its pieces.
pub(super) fn parse(template: &str) -> Result<Vec<Piece>> {
    let mut parser = Parser { template, pieces: Vec::new(), outline: Vec::new() };
    parser.read().and_then(|()| parser.check_folders()).map_err(|wrong| {
        Error::new(Kind::Config, format!("partition.path, character {}: {}", wrong.at, wrong.what))
            .with("key", "partition.path")
            .with("value", template)
    })?;
    Ok(parser.pieces)
}

struct Parser<'a> {
    template: &'a str,
    pieces: Vec<Piece>,
    /// The template with one `VALUE` for each placeholder, and where each character stands.
    outline: Vec<(char, usize)>,
}

/// What stands for a placeholder in the outline; no text can contain it.
const VALUE: char = '\0';

/// What is wrong, and at which character, counted from 1.
struct Wrong {
    at: usize,
    what: String,
}

type Checked<T> = Result<T, Wrong>;

fn wrong<T>(at: usize, what: impl Into<String>) -> Checked<T> {
    Err(Wrong { at, what: what.into() })
}

impl Parser<'_> {
    fn read(&mut self) -> Checked<()> {
        let mut rest = self.template;
        let mut at = 1;
        while let Some(c) = rest.chars().next() {
            if c == '{' {
                let Some((body, behind)) = rest[1..].split_once('}') else {
                    return wrong(at, "`{` is never closed; a placeholder ends with `}`");
                };
                self.placeholder(body, at)?;
                at += body.chars().count() + 2;
                rest = behind;
            } else {
                self.text(c, at)?;
                at += 1;
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(())
    }

    fn text(&mut self, c: char, at: usize) -> Checked<()> {
        if c == '}' {
            return wrong(at, "`}` without a `{`; braces cannot be part of the text");
        }
        if c != '/' && c != '=' && is_special(c) {
            let what = format!("{c:?} cannot be part of a path; use letters, digits, `-`, `_`");
            return wrong(at, what);
        }
        self.outline.push((c, at));
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.to_string())),
        }
        Ok(())
    }

    fn placeholder(&mut self, body: &str, at: usize) -> Checked<()> {
        let piece = match body.split_once(':') {
            None => match body {
                "topic" => Piece::Topic,
                "partition" => Piece::Partition,
                "db" => Piece::Db,
                "table" => Piece::Table,
                "op" => Piece::Op,
                "event_time" => {
                    return wrong(at, "{event_time} needs a format, as {event_time:%Y-%m-%d}");
                }
                "col" => return wrong(at, "{col} needs a column, as {col:country}"),
                _ => return unknown(at, body),
            },
            Some(("event_time", format)) => return self.event_time(format, at),
            Some(("col", "")) => return wrong(at, "{col:} needs a column, as {col:country}"),
            Some(("col", name)) => Piece::Column(name.to_owned()),
            Some(_) => return unknown(at, body),
        };
        self.outline.push((VALUE, at));
        self.pieces.push(piece);
        Ok(())
    }

    /// A slash in a time format divides folders, as everywhere in the template.
    fn event_time(&mut self, format: &str, at: usize) -> Checked<()> {
        if !format.contains('%') {
            let what = format!(
                "the format of {{event_time:{format}}} has no specifier; they begin with %, as \
                 {{event_time:%Y-%m-%d}}"
            );
            return wrong(at, what);
        }
        for (n, part) in format.split('/').enumerate() {
            if n > 0 {
                self.text('/', at)?;
            }
            if part.is_empty() {
                continue;
            }
            match StrftimeItems::new(part).parse_to_owned() {
                Ok(items) if part.contains('%') => {
                    self.pieces.push(Piece::EventTime(merge(items)));
                    self.outline.push((VALUE, at));
                }
                Ok(_) => part.chars().try_for_each(|c| self.text(c, at))?,
                Err(_) => {
                    let what = format!("`{part}` is not a strftime format, as %Y-%m-%d or %H");
                    return wrong(at, what);
                }
            }
        }
        Ok(())
    }

    /// Whether each folder has a name that can be one.
    fn check_folders(&self) -> Checked<()> {
        if self.outline.is_empty() {
            return wrong(1, "empty; name at least one folder, as {topic}");
        }
        let end = self.template.chars().count();
        for folder in self.outline.split(|(c, _)| *c == '/') {
            let Some((first, at)) = folder.first() else {
                return wrong(self.empty_folder_at().unwrap_or(end), EMPTY_FOLDER);
            };
            if *first == '.' {
                return wrong(*at, "a folder cannot begin with a dot: readers hide it");
            }
        }
        Ok(())
    }

    /// The first slash with no folder before it, or the last one with none behind.
    fn empty_folder_at(&self) -> Option<usize> {
        let slash = |i: usize| self.outline.get(i).is_some_and(|(c, _)| *c == '/');
        let first = (0..self.outline.len()).find(|&i| slash(i) && (i == 0 || slash(i - 1)));
        first.or(self.outline.len().checked_sub(1)).map(|i| self.outline[i].1)
    }
}

const EMPTY_FOLDER: &str =
    "a folder without a name; no slash at the beginning or end, and no two in a row";

fn unknown<T>(at: usize, body: &str) -> Checked<T> {
    wrong(at, format!("{{{body}}} is not known; there are {PLACEHOLDERS}"))
}

/// Joins neighbouring texts of a format, which chrono gives in pieces.
fn merge(items: Vec<Item<'static>>) -> Vec<Item<'static>> {
    let mut merged: Vec<Item<'static>> = Vec::with_capacity(items.len());
    for item in items {
        if let (Item::OwnedLiteral(text), Some(Item::OwnedLiteral(last))) =
            (&item, merged.last_mut())
        {
            *last = format!("{last}{text}").into();
        } else {
            merged.push(item);
        }
    }
    merged
}
