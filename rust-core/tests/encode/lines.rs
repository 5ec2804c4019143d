//! Readers of JSON lines and CSV written for these tests: values as text, nulls as `None`, held
//! against what the cells must be by other code than the encoder's.

use crate::cells::Cell;
use alluvium_core::schema::ColumnKind;
use arrow::datatypes::{Decimal256Type, DecimalType, i256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

/// One record: the text of each value.
pub(crate) type Line = Vec<Option<String>>;

/// Objects of JSON lines, members in order: strings without quotes and escapes, others as they are.
pub(crate) fn of_json(file: &[u8]) -> Vec<Line> {
    let text = std::str::from_utf8(file).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| {
            let members: Members = serde_json::from_str(line).unwrap();
            members.0.into_iter().map(|raw| text_of(raw.get())).collect()
        })
        .collect()
}

fn text_of(raw: &str) -> Option<String> {
    match raw {
        "null" => None,
        _ if raw.starts_with('"') => Some(serde_json::from_str(raw).unwrap()),
        _ => Some(raw.to_owned()),
    }
}

/// The values of an object, whatever their names.
struct Members(Vec<Box<RawValue>>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    values.push(value);
                }
                Ok(Members(values))
            }
        }
        from.deserialize_map(Visit)
    }
}

/// Records of RFC 4180; a value that is written as `null` and not quoted is one.
pub(crate) fn of_csv(file: &[u8], delimiter: u8, null: &str) -> Vec<Line> {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < file.len() {
        let mut value = Vec::new();
        let quoted = file[at] == b'"';
        if quoted {
            at += 1;
            loop {
                match (file[at], file.get(at + 1)) {
                    (b'"', Some(b'"')) => {
                        value.push(b'"');
                        at += 2;
                    }
                    (b'"', _) => break,
                    (byte, _) => {
                        value.push(byte);
                        at += 1;
                    }
                }
            }
            at += 1;
        } else {
            while file[at] != delimiter && file[at] != b'\r' {
                assert!(!matches!(file[at], b'"' | b'\n'), "at byte {at}");
                value.push(file[at]);
                at += 1;
            }
        }
        let value = String::from_utf8(value).unwrap();
        record.push((quoted || value != null).then_some(value));
        if file[at] == delimiter {
            at += 1;
        } else {
            assert_eq!(&file[at..at + 2], b"\r\n", "at byte {at}");
            at += 2;
            records.push(std::mem::take(&mut record));
        }
    }
    assert!(record.is_empty(), "the last record has its end");
    records
}

/// Whether the first values of the records are the cells.
pub(crate) fn assert_rows(read: &[Line], kinds: &[ColumnKind], rows: &[Vec<Cell>]) {
    assert_eq!(read.len(), rows.len());
    for (line, cells) in read.iter().zip(rows) {
        assert_eq!(line.len(), kinds.len() + 14);
        for ((text, kind), cell) in line.iter().zip(kinds).zip(cells) {
            match text {
                None => assert_eq!(*cell, Cell::Null, "{kind:?}"),
                Some(text) => assert_cell(text, *kind, cell),
            }
        }
        // `_op`, `_event_time`, `_source_ts`, `_topic`, `_partition`.
        let metadata = &line[kinds.len()..];
        assert_eq!(metadata[0].as_deref(), Some("c"));
        assert_eq!(metadata[3].as_deref(), Some("orders_cdc"));
        assert_eq!(metadata[4].as_deref(), Some("3"));
    }
}

fn assert_cell(text: &str, kind: ColumnKind, cell: &Cell) {
    let said = || format!("{kind:?} {cell:?}: {text}");
    match (cell, kind) {
        (Cell::Bool(b), _) => assert_eq!(text, b.to_string()),
        (Cell::Int(n), ColumnKind::Date) => assert_eq!(days(text), *n, "{}", said()),
        (Cell::Int(n), ColumnKind::Time) => assert_eq!(time_us(text), *n, "{}", said()),
        (Cell::Int(n), ColumnKind::Timestamp { utc }) => {
            let local = text.strip_suffix('Z').unwrap_or(text);
            assert_eq!(local != text, utc, "{}", said());
            let (date, time) = local.split_once('T').unwrap();
            let us = i128::from(days(date)) * 86_400_000_000 + i128::from(time_us(time));
            assert_eq!(us, i128::from(*n), "{}", said());
        }
        (Cell::Int(n), _) => assert_eq!(text, n.to_string()),
        (Cell::Float(f), ColumnKind::Float32) => {
            assert_eq!(text.parse::<f32>().unwrap().to_bits(), (*f as f32).to_bits(), "{}", said());
        }
        (Cell::Float(f), _) => {
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), f.to_bits(), "{}", said());
        }
        (Cell::Decimal(n), _) => assert_eq!(text, decimal(i256::from_i128(*n), kind)),
        (Cell::Bytes(bytes), ColumnKind::Decimal { .. }) => {
            assert_eq!(text, decimal(i256::from_le_bytes(bytes[..].try_into().unwrap()), kind));
        }
        (Cell::Bytes(bytes), ColumnKind::Binary) => {
            assert_eq!(STANDARD.decode(text).unwrap(), *bytes, "{}", said());
        }
        (Cell::Bytes(bytes), _) => assert_eq!(text.as_bytes(), bytes, "{}", said()),
        (Cell::Null, _) => panic!("null came back as {text}"),
    }
}

fn decimal(unscaled: i256, kind: ColumnKind) -> String {
    let ColumnKind::Decimal { precision, scale } = kind else { panic!("{kind:?}") };
    Decimal256Type::format_decimal(unscaled, precision, scale)
}

/// Days since 1970, counted year by year of four centuries.
fn days(date: &str) -> i64 {
    let (year, rest) = date.split_at(date.len() - 6);
    let (year, month, day): (i64, i64, i64) =
        (year.parse().unwrap(), rest[1..3].parse().unwrap(), rest[4..6].parse().unwrap());
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (eras, within) = (year.div_euclid(400), year.rem_euclid(400));
    let before = (0..within).map(|year| 365 + i64::from(leap(year))).sum::<i64>();
    let lengths = [31, 28 + i64::from(leap(within)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = lengths[..month as usize - 1].iter().sum();
    assert!(day <= lengths[month as usize - 1], "{date}");
    eras * 146_097 + before + months + day - 1 - 719_528
}

fn time_us(time: &str) -> i64 {
    let number = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap();
    assert_eq!(time.len(), 15, "{time}");
    ((number(0, 2) * 60 + number(3, 5)) * 60 + number(6, 8)) * 1_000_000 + number(9, 15)
}
