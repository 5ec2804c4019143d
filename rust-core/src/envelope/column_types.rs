//! `columns.types`: better types for the columns of topics without schemas. In: pairs of column
//! name and type name. Out: how each named column is spelled and what it holds. Where records carry
//! their schema it knows better: there `text`, `bigint` and `duration_us` take a logical type back,
//! all other names say nothing.
//!
//! | type name | what the JSON holds | column |
//! | --- | --- | --- |
//! | `boolean` | `true`, `false` | boolean |
//! | `smallint`, `int`, `bigint` | integer | 16, 32, 64 bits |
//! | `float`, `double` | number | 32, 64 bits |
//! | `decimal(p,s)` | number, or text of one (modes `string`, `double`) | decimal, above 38 text |
//! | `decimal_base64(p,s)` | base64 (mode `precise`, Debezium's default) | decimal, above 38 text |
//! | `text`, `enum` | string | text |
//! | `json` | string that holds JSON (a MySQL JSON column), or any JSON value | JSON text |
//! | `binary_base64` | base64 | bytes |
//! | `date` · `date_days` | `2026-03-01` · days since 1970 | date |
//! | `time` · `time_ms`, `time_us`, `time_ns` | `08:15:30.123` · units of the day | time |
//! | `duration_us` | microseconds, may be negative or above a day | 64 bits |
//! | `timestamp` · `timestamp_ms`, `_us`, `_ns` | `2026-03-01T08:15:30` · units since 1970 | local time |
//! | `timestamptz` · `timestamptz_ms`, `_us`, `_ns` | text with `Z` or offset · units since 1970 | instant |

use super::wire::{Typed, Unit, Wire, decimal_of};
use crate::error::{Error, Kind, Result};
use crate::schema::ColumnKind;
use std::collections::HashMap;

/// The declared types, by column name.
#[derive(Debug, Default)]
pub(super) struct ColumnTypes(HashMap<String, (Wire, ColumnKind)>);

impl ColumnTypes {
    /// Parses `columns.types`; an unknown type name is a [`Kind::Config`] error.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self> {
        let mut types = HashMap::with_capacity(pairs.len());
        for (column, name) in pairs {
            let declared = declared(name).map_err(|reason| {
                Error::new(Kind::Config, format!("column {column:?}: {reason}"))
                    .with("key", "columns.types")
            })?;
            if types.insert(column.clone(), declared).is_some() {
                let message = format!("column {column:?} is given two types; keep one");
                return Err(Error::new(Kind::Config, message).with("key", "columns.types"));
            }
        }
        Ok(Self(types))
    }

    /// The type of a column whose schema says `typed`, sent as `literal`.
    pub(super) fn plainer(&self, column: &str, literal: &str, typed: Typed) -> Typed {
        let (wire, kind) = match (self.get(column), typed.wire) {
            (Some((Wire::Text, kind @ ColumnKind::Utf8)), _) if literal == "string" => {
                (Wire::Text, kind)
            }
            (Some((wire, kind @ ColumnKind::Int64)), _) if literal.starts_with("int") => {
                (wire, kind)
            }
            // The unit is the one of the name, whatever is declared.
            (Some((_, kind @ ColumnKind::Duration)), Wire::Time(unit)) => {
                (Wire::Duration(unit), kind)
            }
            _ => return typed,
        };
        Typed { wire, kind, known: true }
    }

    /// The declared type of a column.
    pub(super) fn get(&self, column: &str) -> Option<(Wire, ColumnKind)> {
        self.0.get(column).copied()
    }
}

/// The simple names; the decimals carry parameters.
const NAMES: &[(&str, Wire, ColumnKind)] = &[
    ("boolean", Wire::Boolean, ColumnKind::Boolean),
    ("smallint", Wire::Int(16), ColumnKind::Int16),
    ("int", Wire::Int(32), ColumnKind::Int32),
    ("bigint", Wire::Int(64), ColumnKind::Int64),
    ("float", Wire::Float32, ColumnKind::Float32),
    ("double", Wire::Float64, ColumnKind::Float64),
    ("text", Wire::Text, ColumnKind::Utf8),
    ("enum", Wire::Text, ColumnKind::Enum),
    ("json", Wire::Json, ColumnKind::Json),
    ("binary_base64", Wire::Base64, ColumnKind::Binary),
    ("date", Wire::IsoDate, ColumnKind::Date),
    ("date_days", Wire::Date, ColumnKind::Date),
    ("time", Wire::IsoTime, ColumnKind::Time),
    ("time_ms", Wire::Time(Unit::Ms), ColumnKind::Time),
    ("time_us", Wire::Time(Unit::Us), ColumnKind::Time),
    ("time_ns", Wire::Time(Unit::Ns), ColumnKind::Time),
    ("duration_us", Wire::Duration(Unit::Us), ColumnKind::Duration),
    ("timestamp", Wire::IsoTimestamp, ColumnKind::Timestamp { utc: false }),
    ("timestamp_ms", Wire::Timestamp(Unit::Ms), ColumnKind::Timestamp { utc: false }),
    ("timestamp_us", Wire::Timestamp(Unit::Us), ColumnKind::Timestamp { utc: false }),
    ("timestamp_ns", Wire::Timestamp(Unit::Ns), ColumnKind::Timestamp { utc: false }),
    ("timestamptz", Wire::Zoned, ColumnKind::Timestamp { utc: true }),
    ("timestamptz_ms", Wire::Timestamp(Unit::Ms), ColumnKind::Timestamp { utc: true }),
    ("timestamptz_us", Wire::Timestamp(Unit::Us), ColumnKind::Timestamp { utc: true }),
    ("timestamptz_ns", Wire::Timestamp(Unit::Ns), ColumnKind::Timestamp { utc: true }),
];

fn declared(name: &str) -> Result<(Wire, ColumnKind), String> {
    let name = name.trim();
    if let Some((_, wire, kind)) = NAMES.iter().find(|(known, ..)| *known == name) {
        return Ok((*wire, *kind));
    }
    for (prefix, base64) in [("decimal(", false), ("decimal_base64(", true)] {
        let Some(arguments) = name.strip_prefix(prefix).and_then(|n| n.strip_suffix(')')) else {
            continue;
        };
        let (p, s) = arguments.split_once(',').unwrap_or((arguments, "0"));
        let (Ok(p), Ok(s)) = (p.trim().parse(), s.trim().parse()) else {
            return Err(format!("{name:?} should read {prefix}digits,digits behind the point)"));
        };
        if !(0..=p).contains(&s) {
            return Err(format!("{name:?} has more digits behind the point than digits"));
        }
        return decimal_of(p, s, base64);
    }
    let known: Vec<_> = NAMES.iter().map(|(known, ..)| *known).collect();
    Err(format!(
        "unknown type {name:?}; one of {}, decimal(p,s), decimal_base64(p,s)",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters_are_understood_and_others_refused() {
        let decimal = |precision, scale| ColumnKind::Decimal { precision, scale };
        let cases = [
            ("int", Some((Wire::Int(32), ColumnKind::Int32))),
            (
                " timestamp_ms ",
                Some((Wire::Timestamp(Unit::Ms), ColumnKind::Timestamp { utc: false })),
            ),
            ("decimal(10,2)", Some((Wire::DecimalText(10, 2), decimal(10, 2)))),
            ("decimal( 10 )", Some((Wire::DecimalText(10, 0), decimal(10, 0)))),
            ("decimal_base64(65, 30)", Some((Wire::ExactBase64(65, 30), ColumnKind::Utf8))),
            ("decimal(77,0)", Some((Wire::ExactText(77, 0), ColumnKind::Utf8))),
            ("decimal(2,3)", None),
            ("decimal(2,-3)", None),
            ("decimal(x,3)", None),
            ("decimal(0,0)", None),
            ("varchar", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(declared(name).ok(), expected, "{name:?}");
        }
    }

    #[test]
    fn a_bad_type_names_the_key_and_the_column() {
        let error = ColumnTypes::parse(&[("price".into(), "money".into())]).unwrap_err();
        assert_eq!((error.kind(), error.context("key")), (Kind::Config, Some("columns.types")));
        assert!(error.message().contains("\"price\"") && error.message().contains("\"money\""));
        let twice = [("a".into(), "int".into()), ("a".into(), "int".into())];
        assert!(ColumnTypes::parse(&twice).is_err());
    }
}
