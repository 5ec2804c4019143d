//! How a column's values are spelled in JSON, and the Connect types that say so. In: a Connect
//! field's literal type, logical name and parameters. Out: a [`Wire`] and the column's kind.
//! Never a guess: a unit comes from the name, an unknown name falls back to its literal type.

use crate::schema::ColumnKind;
use std::collections::HashMap;

/// The unit of a time that is sent as an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds: kept only when they are whole microseconds.
    Ns,
}

/// How the values of one column are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// `true`, `false`.
    Boolean,
    /// An integer of so many bits.
    Int(u8),
    /// A number; an integer will do.
    Float32,
    /// A number; an integer will do.
    Float64,
    /// Base64 of a big-endian two's complement integer, the unscaled value: digits, scale.
    DecimalBase64(u8, i8),
    /// A number, or its text.
    DecimalText(u8, i8),
    /// As `DecimalBase64`, for what no decimal column holds: becomes its text.
    ExactBase64(u16, i16),
    /// As `DecimalText`, for what no decimal column holds: becomes its text.
    ExactText(u16, i16),
    /// `{"scale":2,"value":"<base64>"}`: becomes its text.
    VariableScale,
    /// `{"wkb":"<base64>","srid":4326}`: becomes extended WKB.
    Geometry,
    /// A string.
    Text,
    /// A string of base64.
    Base64,
    /// Days since 1970.
    Date,
    /// Time of the day.
    Time(Unit),
    /// A length of time.
    Duration(Unit),
    /// Time since 1970.
    Timestamp(Unit),
    /// `2026-03-01T08:15:30.123456Z`, any offset.
    Zoned,
    /// `2026-03-01`, perhaps with `Z`.
    IsoDate,
    /// `08:15:30.123456`, perhaps with `Z`.
    IsoTime,
    /// `2026-03-01T08:15:30.123456`, perhaps with `Z`.
    IsoTimestamp,
    /// A string that holds a JSON document, or the document itself.
    Json,
    /// An object or array, kept as its text.
    Raw,
    /// Nothing but null has been seen: the column has no type yet.
    Untyped,
}

impl Wire {
    /// What the wire must show, for messages.
    pub(super) fn expects(self) -> &'static str {
        match self {
            Wire::Boolean => "true or false",
            Wire::Int(8) => "an integer of 8 bits",
            Wire::Int(16) => "an integer of 16 bits",
            Wire::Int(32) => "an integer of 32 bits",
            Wire::Int(_) => "an integer of 64 bits",
            Wire::Float32 | Wire::Float64 => "a number",
            Wire::DecimalBase64(..) | Wire::ExactBase64(..) => {
                "base64 of a big-endian integer (Debezium's precise mode)"
            }
            Wire::DecimalText(..) | Wire::ExactText(..) => "a number, or the text of one",
            Wire::VariableScale => "an object of an integer `scale` and a base64 `value`",
            Wire::Geometry => "an object of a base64 `wkb` and an integer `srid`",
            Wire::Text => "a string",
            Wire::Base64 => "a string of base64",
            Wire::Date => "days since 1970-01-01",
            Wire::Time(Unit::Ms) => "milliseconds of the day",
            Wire::Time(Unit::Us) => "microseconds of the day",
            Wire::Time(Unit::Ns) => "nanoseconds of the day",
            Wire::Duration(Unit::Ms) | Wire::Timestamp(Unit::Ms) => "milliseconds",
            Wire::Duration(Unit::Us) | Wire::Timestamp(Unit::Us) => "microseconds",
            Wire::Duration(Unit::Ns) | Wire::Timestamp(Unit::Ns) => "nanoseconds",
            Wire::Zoned => "text like 2026-03-01T08:15:30.123456Z",
            Wire::IsoDate => "text like 2026-03-01",
            Wire::IsoTime => "text like 08:15:30.123456",
            Wire::IsoTimestamp => "text like 2026-03-01T08:15:30.123456",
            Wire::Json => "a JSON document, or a string that holds one",
            Wire::Raw => "a JSON object or array",
            Wire::Untyped => "null",
        }
    }
}

/// What a Connect field says about its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Typed {
    /// How the values are spelled.
    pub(super) wire: Wire,
    /// What the column holds.
    pub(super) kind: ColumnKind,
    /// Whether the logical name, if there is one, was understood.
    pub(super) known: bool,
}

/// Highest number of digits of a decimal column that every reader reads: `docs/decisions/0007-…`.
const MAX_PRECISION: u8 = 38;
/// Highest number of digits of a decimal of any kind; PostgreSQL's `numeric(p,s)` ends at 1,000.
const MAX_DIGITS: u16 = 20_000;

/// The type of a Connect field; the reason if it can be none.
pub(super) fn typed(
    literal: &str,
    name: Option<&str>,
    parameters: &HashMap<String, String>,
) -> Result<Typed, String> {
    let known = |wire, kind| Ok(Typed { wire, kind, known: true });
    if let Some(name) = name {
        if (literal, name) == ("bytes", "org.apache.kafka.connect.data.Decimal") {
            let (wire, kind) = decimal(parameters)?;
            return known(wire, kind);
        }
        if let Some((wire, kind)) = logical(literal, name) {
            return known(wire, kind);
        }
    }
    let (wire, kind) = match literal {
        "boolean" => (Wire::Boolean, ColumnKind::Boolean),
        "int8" => (Wire::Int(8), ColumnKind::Int16),
        "int16" => (Wire::Int(16), ColumnKind::Int16),
        "int32" => (Wire::Int(32), ColumnKind::Int32),
        "int64" => (Wire::Int(64), ColumnKind::Int64),
        "float" => (Wire::Float32, ColumnKind::Float32),
        "double" => (Wire::Float64, ColumnKind::Float64),
        "string" => (Wire::Text, ColumnKind::Utf8),
        "bytes" => (Wire::Base64, ColumnKind::Binary),
        "struct" | "array" | "map" => (Wire::Raw, ColumnKind::Json),
        other => return Err(format!("unknown Connect type {other:?}")),
    };
    Ok(Typed { wire, kind, known: name.is_none() })
}

/// The logical names, by the literal type that carries them.
fn logical(literal: &str, name: &str) -> Option<(Wire, ColumnKind)> {
    let local = ColumnKind::Timestamp { utc: false };
    if let Some(name) = name.strip_prefix("org.apache.kafka.connect.data.") {
        return Some(match (literal, name) {
            ("int32", "Date") => (Wire::Date, ColumnKind::Date),
            ("int32", "Time") => (Wire::Time(Unit::Ms), ColumnKind::Time),
            ("int64", "Timestamp") => (Wire::Timestamp(Unit::Ms), local),
            _ => return None,
        });
    }
    Some(match (literal, name.strip_prefix("io.debezium.")?) {
        ("int32", "time.Date") => (Wire::Date, ColumnKind::Date),
        ("int32", "time.Time") => (Wire::Time(Unit::Ms), ColumnKind::Time),
        ("int64", "time.MicroTime") => (Wire::Time(Unit::Us), ColumnKind::Time),
        ("int64", "time.NanoTime") => (Wire::Time(Unit::Ns), ColumnKind::Time),
        ("int64", "time.Timestamp") => (Wire::Timestamp(Unit::Ms), local),
        ("int64", "time.MicroTimestamp") => (Wire::Timestamp(Unit::Us), local),
        ("int64", "time.NanoTimestamp") => (Wire::Timestamp(Unit::Ns), local),
        ("int64", "time.MicroDuration") => (Wire::Duration(Unit::Us), ColumnKind::Duration),
        ("int64", "time.NanoDuration") => (Wire::Duration(Unit::Ns), ColumnKind::Duration),
        ("int32", "time.Year") => (Wire::Int(32), ColumnKind::Int32),
        ("string", "time.ZonedTimestamp") => (Wire::Zoned, ColumnKind::Timestamp { utc: true }),
        ("string", "time.IsoDate") => (Wire::IsoDate, ColumnKind::Date),
        ("string", "time.IsoTime") => (Wire::IsoTime, ColumnKind::Time),
        ("string", "time.IsoTimestamp") => (Wire::IsoTimestamp, local),
        ("string", "data.Json") => (Wire::Text, ColumnKind::Json),
        ("string", "data.Enum" | "data.EnumSet") => (Wire::Text, ColumnKind::Enum),
        // Text without a better type here; named so that nobody is warned of them.
        (
            "string",
            "time.ZonedTime" | "time.Interval" | "data.Uuid" | "data.Xml" | "data.Ltree"
            | "data.Tsvector",
        ) => (Wire::Text, ColumnKind::Utf8),
        ("bytes", "data.Bits") => (Wire::Base64, ColumnKind::Binary),
        ("struct", "data.VariableScaleDecimal") => (Wire::VariableScale, ColumnKind::Utf8),
        (
            "struct",
            "data.geometry.Geometry" | "data.geometry.Geography" | "data.geometry.Point",
        ) => (Wire::Geometry, ColumnKind::Binary),
        // Their JSON says all there is to say; named so that nobody is warned of them.
        ("array", "data.FloatVector" | "data.DoubleVector") => (Wire::Raw, ColumnKind::Json),
        (
            "struct",
            "data.SparseDoubleVector"
            | "data.geometry.Circle"
            | "data.geometry.Line"
            | "time.StructuredDate"
            | "time.StructuredTime"
            | "time.StructuredTimestamp"
            | "time.StructuredZonedTime"
            | "time.StructuredZonedTimestamp"
            | "time.StructuredDuration",
        ) => (Wire::Raw, ColumnKind::Json),
        _ => return None,
    })
}

/// The type of a Connect Decimal.
fn decimal(parameters: &HashMap<String, String>) -> Result<(Wire, ColumnKind), String> {
    let number = |name: &str| -> Result<Option<i32>, String> {
        let Some(text) = parameters.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("decimal with {name}={text:?}"))
    };
    let scale = number("scale")?.ok_or("decimal without scale")?;
    let precision = number("connect.decimal.precision")?.unwrap_or(MAX_PRECISION.into()).max(1);
    decimal_of(precision, scale, true)
}

/// The type of a decimal, spelled in base64 or as a number; the reason if it can be none.
pub(super) fn decimal_of(
    precision: i32,
    scale: i32,
    base64: bool,
) -> Result<(Wire, ColumnKind), String> {
    // As many digits behind the point as there are at all, or more: PostgreSQL and Oracle have it.
    let digits = precision.max(scale);
    let narrow = (u8::try_from(digits), i8::try_from(scale));
    if let (Ok(precision @ 1..=MAX_PRECISION), Ok(scale @ 0..)) = narrow {
        let wire = if base64 { Wire::DecimalBase64 } else { Wire::DecimalText };
        return Ok((wire(precision, scale), ColumnKind::Decimal { precision, scale }));
    }
    match (u16::try_from(precision), i16::try_from(scale)) {
        (Ok(precision @ 1..=MAX_DIGITS), Ok(scale)) if scale.unsigned_abs() <= MAX_DIGITS => {
            let wire = if base64 { Wire::ExactBase64 } else { Wire::ExactText };
            Ok((wire(precision, scale), ColumnKind::Utf8))
        }
        _ => Err(format!("decimal({precision},{scale}): no database has such numbers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_decimal_column_of_38_digits_holds_is_text() {
        let column = |precision, scale| ColumnKind::Decimal { precision, scale };
        for (precision, scale, wire, kind) in [
            (10, 2, Wire::DecimalBase64(10, 2), column(10, 2)),
            (38, 38, Wire::DecimalBase64(38, 38), column(38, 38)),
            (3, 5, Wire::DecimalBase64(5, 5), column(5, 5)),
            (39, 0, Wire::ExactBase64(39, 0), ColumnKind::Utf8),
            (65, 30, Wire::ExactBase64(65, 30), ColumnKind::Utf8),
            (1_000, 500, Wire::ExactBase64(1_000, 500), ColumnKind::Utf8),
            (10, 40, Wire::ExactBase64(10, 40), ColumnKind::Utf8),
            (5, -2, Wire::ExactBase64(5, -2), ColumnKind::Utf8),
        ] {
            assert_eq!(decimal_of(precision, scale, true), Ok((wire, kind)), "{precision},{scale}");
        }
        for (precision, scale) in [(0, 0), (-1, 0), (30_000, 0), (9, 30_000), (9, -30_000)] {
            assert!(decimal_of(precision, scale, true).is_err(), "{precision},{scale}");
        }
    }
}
