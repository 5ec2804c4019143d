//! Room 4c, columns: in comes the schema a row was read with, out goes which of its columns the file
//! has; in comes a row, out it goes with masked values replaced. A value that is left out or masked
//! is in no file, in no path unless `partition.path` names a column that is left out, and in no
//! message.
//!
//! Names are compared without regard to case, as most databases do: a rule that is meant to hide
//! must not miss a column for its spelling. A masked value is the HMAC-SHA-256 of its text (of its
//! bytes, where it is binary) in 64 hexadecimal digits; null stays null.

use crate::config::ColumnsConfig;
use crate::envelope::{Row, Slot, Span, SpanSource};
use crate::error::{Error, Kind, Result};
use crate::partition::write_value;
use crate::schema::{Column, ColumnKind, TableSchema};
use ring::hmac;
use std::fmt;
use std::sync::Arc;

/// `column.*`, ready for use.
#[derive(Clone)]
pub struct ColumnRules {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    mask: Vec<Pattern>,
    key: Option<hmac::Key>,
}

/// What the rules make of one schema.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The columns the files have.
    pub file: Arc<TableSchema>,
    /// All columns as they may be shown: masked ones are text. One for each slot.
    pub shown: TableSchema,
    /// The place in `file` of each slot; `None` = left out.
    pub places: Vec<Option<u32>>,
    /// Slots to be masked, with what they hold before.
    masks: Vec<(usize, ColumnKind)>,
}

impl ColumnRules {
    /// Takes the rules from the configuration.
    pub fn new(config: &ColumnsConfig) -> Self {
        let patterns = |names: &[String]| names.iter().map(|name| folded(name)).collect();
        let key = config.mask_key.as_ref();
        Self {
            include: patterns(&config.include),
            exclude: patterns(&config.exclude),
            mask: patterns(&config.mask),
            key: key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.0.as_bytes())),
        }
    }

    /// What becomes of the columns of a schema; `None` = all are kept as they are.
    pub fn choose(&self, seen: &TableSchema) -> Option<Choice> {
        if self.include.is_empty() && self.exclude.is_empty() && self.mask.is_empty() {
            return None;
        }
        let (mut file, mut shown) = (Vec::new(), Vec::new());
        let (mut places, mut masks) = (Vec::new(), Vec::new());
        for (slot, column) in seen.columns.iter().enumerate() {
            let mut column = column.clone();
            if matches(&self.mask, &column.name) {
                masks.push((slot, column.kind));
                column.kind = ColumnKind::Utf8;
            }
            let kept = self.keeps(&column);
            places.push(kept.then_some(file.len() as u32));
            shown.push(column.clone());
            file.extend(kept.then_some(column));
        }
        let file = Arc::new(TableSchema { columns: file });
        Some(Choice { file, shown: TableSchema { columns: shown }, places, masks })
    }

    fn keeps(&self, column: &Column) -> bool {
        let included = self.include.is_empty() || matches(&self.include, &column.name);
        included && !matches(&self.exclude, &column.name)
    }

    /// Replaces the masked values of a row; `value` is the record's value.
    ///
    /// # Errors
    /// `BadRecord`: a value that has no text.
    pub fn mask(&self, choice: &Choice, row: &mut Row, value: &[u8]) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        for (slot, kind) in &choice.masks {
            if let Some(plain) = row.slots.get(*slot).copied() {
                row.slots[*slot] = masked(key, plain, *kind, row, value)?;
            }
            if let Some(plain) = row.before.get(*slot).copied() {
                row.before[*slot] = masked(key, plain, *kind, row, value)?;
            }
        }
        Ok(())
    }

    /// An error without the value it speaks of, where that is one of a column that must not be
    /// shown.
    pub fn redact(&self, error: Error) -> Error {
        let field = error.context("field").map(|f| f.split_once('.').map_or(f, |(_, name)| name));
        let Some(name) = field.or(error.context("column")).map(str::to_owned) else { return error };
        let included = self.include.is_empty() || matches(&self.include, &name);
        let hidden = !included || matches(&self.exclude, &name) || matches(&self.mask, &name);
        if !hidden || error.kind() != Kind::BadRecord {
            return error;
        }
        let message = "a value cannot be what its column holds; it is not shown, because column.* \
                       leaves the column out or masks it";
        Error::new(Kind::BadRecord, message).with("column", name)
    }
}

/// A name in which `*` and `?` stand for others.
type Pattern = Vec<char>;

fn folded(name: &str) -> Vec<char> {
    name.to_lowercase().chars().collect()
}

fn matches(patterns: &[Pattern], name: &str) -> bool {
    let name = folded(name);
    patterns.iter().any(|pattern| is_like(pattern, &name))
}

/// `*` stands for any letters, `?` for one.
fn is_like(pattern: &[char], name: &[char]) -> bool {
    // Where the last `*` is, and how much of the name it has taken so far.
    let (mut star, mut at, mut place) = (None, 0, 0);
    while at < name.len() {
        match pattern.get(place) {
            Some('*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[at] => {
                place += 1;
                at += 1;
            }
            _ => {
                let Some((before, taken)) = star else { return false };
                star = Some((before, taken + 1));
                (place, at) = (before + 1, taken + 1);
            }
        }
    }
    pattern[place..].iter().all(|letter| *letter == '*')
}

/// The slot of a value's hash.
fn masked(
    key: &hmac::Key,
    plain: Slot,
    kind: ColumnKind,
    row: &mut Row,
    value: &[u8],
) -> Result<Slot> {
    let tag = match (plain, kind) {
        (Slot::Null, _) => return Ok(Slot::Null),
        (Slot::Bytes(span), ColumnKind::Binary) => hmac::sign(key, row.bytes(span, value)),
        _ => {
            let mut text = String::new();
            write_value(&mut text, kind, plain, row, value).map_err(|_| {
                Error::new(Kind::BadRecord, "a value of a masked column has no text")
            })?;
            hmac::sign(key, text.as_bytes())
        }
    };
    let start = row.arena.len() as u32;
    for byte in tag.as_ref() {
        for digit in [byte >> 4, byte & 15] {
            row.arena.push(b"0123456789abcdef"[usize::from(digit)]);
        }
    }
    let len = row.arena.len() as u32 - start;
    Ok(Slot::Bytes(Span { source: SpanSource::Arena, start, len }))
}

impl fmt::Debug for ColumnRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnRules")
            .field("include", &self.include)
            .field("exclude", &self.exclude)
            .field("mask", &self.mask)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn rules(include: &[&str], exclude: &[&str], mask: &[&str]) -> ColumnRules {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ColumnRules::new(&ColumnsConfig {
            include: own(include),
            exclude: own(exclude),
            mask: own(mask),
            mask_key: Some(Secret("key".to_owned())),
        })
    }

    fn table(names: &[&str]) -> TableSchema {
        let column = |name: &&str| Column { name: (*name).into(), kind: ColumnKind::Int64 };
        TableSchema { columns: names.iter().map(column).collect() }
    }

    fn kept(rules: &ColumnRules, names: &[&str]) -> Vec<String> {
        let choice = rules.choose(&table(names)).unwrap();
        choice.file.columns.iter().map(|c| c.name.to_string()).collect()
    }

    #[test]
    fn columns_are_kept_by_name() {
        let all = ["id", "ssn", "Card_No", "card_type", "a.b", "größe"];
        assert!(rules(&[], &[], &[]).choose(&table(&all)).is_none());
        let cases: [(&[&str], &[&str], &[&str]); 6] = [
            (&["id", "card_*"], &[], &["id", "Card_No", "card_type"]),
            (&[], &["SSN", "card_*"], &["id", "a.b", "größe"]),
            (&["*"], &["??"], &["ssn", "Card_No", "card_type", "a.b", "größe"]),
            (&["a.b"], &[], &["a.b"]),
            (&["a?b", "GRÖßE"], &["axb"], &["a.b", "größe"]),
            (&["nothing"], &[], &[]),
        ];
        for (include, exclude, expected) in cases {
            assert_eq!(kept(&rules(include, exclude, &[]), &all), expected, "{include:?}");
        }
    }

    #[test]
    fn stars_stand_for_any_letters() {
        let cases = [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*aab", "aaab", true),
            ("?*?", "ab", true),
            ("?*?", "a", false),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbbcd", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(is_like(&folded(pattern), &folded(name)), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_masked_value_is_the_keyed_hash_of_its_text() {
        let rules = rules(&[], &["left_out"], &["*"]);
        let table = table(&["id", "left_out", "name"]);
        let choice = rules.choose(&table).unwrap();
        assert_eq!(choice.places, [Some(0), None, Some(1)]);
        assert!(choice.shown.columns.iter().all(|c| c.kind == ColumnKind::Utf8));
        let mut row = Row {
            slots: vec![Slot::Int(-7), Slot::Int(8), Slot::Null],
            before: vec![Slot::Int(-7), Slot::Null, Slot::Int(9)],
            ..Row::default()
        };
        rules.mask(&choice, &mut row, b"").unwrap();
        let text = |slot: Slot| match slot {
            Slot::Bytes(span) => String::from_utf8(row.bytes(span, b"").to_vec()).unwrap(),
            other => panic!("{other:?}"),
        };
        // printf %s -7 | openssl dgst -sha256 -hmac key
        let hash = "4601e4390741756367e711fe21640326a369430aae857f4e8fc7ad06848e9800";
        assert_eq!(text(row.slots[0]), hash);
        assert_eq!(text(row.before[0]), hash, "the old row's value is recognised");
        assert_eq!((row.slots[2], row.before[1]), (Slot::Null, Slot::Null));
        assert_ne!(text(row.slots[1]), text(row.before[2]));
    }

    #[test]
    fn no_message_tells_a_value_that_is_hidden() {
        let rules = rules(&[], &["ssn"], &["card"]);
        let bad = |field: &str| Error::new(Kind::BadRecord, "the value 12345").with("field", field);
        for field in ["after.SSN", "before.card", "card"] {
            let told = rules.redact(bad(field)).to_string();
            assert!(!told.contains("12345") && told.contains("not shown"), "{told}");
        }
        assert!(rules.redact(bad("after.name")).to_string().contains("12345"));
        let column =
            Error::new(Kind::BadRecord, "no time").with("column", "ssn").with("value", "1");
        assert!(!rules.redact(column).to_string().contains("value=1"));
        assert!(!format!("{rules:?}").contains("key"), "nor the key");
    }
}
