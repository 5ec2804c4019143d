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
    /// Base64 of a big-endian two's complement integer, the unscaled value.
    DecimalBase64(u8, i8),
    /// A number, or its text.
    DecimalText(u8, i8),
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
            Wire::DecimalBase64(..) => "base64 of a big-endian integer (Debezium's precise mode)",
            Wire::DecimalText(..) => "a number, or the text of one",
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

/// Highest number of digits a column can hold.
const MAX_PRECISION: u8 = 76;
/// Taken where a decimal does not say how many digits it has.
const DEFAULT_PRECISION: u8 = 38;

/// The type of a Connect field; the reason if it can be none.
pub(super) fn typed(
    literal: &str,
    name: Option<&str>,
    parameters: &HashMap<String, String>,
) -> Result<Typed, String> {
    let known = |wire, kind| Ok(Typed { wire, kind, known: true });
    if let Some(name) = name {
        if (literal, name) == ("bytes", "org.apache.kafka.connect.data.Decimal") {
            let (precision, scale) = decimal(parameters)?;
            return known(
                Wire::DecimalBase64(precision, scale),
                ColumnKind::Decimal { precision, scale },
            );
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
            | "data.TsVector",
        ) => (Wire::Text, ColumnKind::Utf8),
        ("bytes", "data.Bits") => (Wire::Base64, ColumnKind::Binary),
        _ => return None,
    })
}

/// Precision and scale of a Connect Decimal.
fn decimal(parameters: &HashMap<String, String>) -> Result<(u8, i8), String> {
    let number = |name: &str| -> Result<Option<u32>, String> {
        let Some(text) = parameters.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("decimal with {name}={text:?}"))
    };
    let scale = number("scale")?.ok_or("decimal without scale")?;
    let precision = number("connect.decimal.precision")?.unwrap_or(DEFAULT_PRECISION.into()).max(1);
    fit_decimal(precision, scale)
}

/// Checks that a decimal can be a column.
pub(super) fn fit_decimal(precision: u32, scale: u32) -> Result<(u8, i8), String> {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=MAX_PRECISION), Ok(s)) if scale <= precision => Ok((p, s)),
        _ => Err(format!(
            "decimal({precision},{scale}): a column holds 1 to {MAX_PRECISION} digits, and at \
             most all of them behind the point"
        )),
    }
}
