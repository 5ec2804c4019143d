//! Generated tables and events, with what must become of them.

use crate::support::{Cell, text};
use chrono::DateTime;
use proptest::prelude::*;
use proptest::sample::select;

/// A column: its name and its type.
pub(crate) type Column = (String, Type);
/// A value as JSON spells it, and its cell; `None` = it does not fit the type.
pub(crate) type Value = (String, Option<Cell>);

/// A column's type, in Connect's terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Type {
    Boolean,
    Int(u8),
    Float,
    Double,
    Decimal(u8, i8),
    Text,
    Json,
    Bytes,
    Date,
    MicroTime,
    Timestamp,
    MicroTimestamp,
    NanoTimestamp,
    Zoned,
    Struct,
    IsoDate,
    IsoTime,
    IsoTimestamp,
    NanoTime,
    ConnectTime,
    MicroDuration,
    VariableScale,
    Geometry,
    Uuid,
}

const DAY_US: i64 = 86_400_000_000;

/// An event: what it did, its images by column, and whether its transaction is known.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) op: &'static str,
    pub(crate) before: Option<Vec<Value>>,
    pub(crate) after: Option<Vec<Value>>,
    pub(crate) transaction: bool,
    pub(crate) gtid: String,
}

impl Type {
    /// The Connect field, less its name and closing brace.
    pub(crate) fn connect(self) -> String {
        let logical = |literal: &str, name: &str| {
            format!(r#"{{"type":"{literal}","optional":true,"name":"{name}","version":1"#)
        };
        match self {
            Type::Boolean => r#"{"type":"boolean","optional":true"#.into(),
            Type::Int(bits) => format!(r#"{{"type":"int{bits}","optional":true,"default":3"#),
            Type::Float => r#"{"type":"float","optional":true"#.into(),
            Type::Double => r#"{"type":"double","optional":true"#.into(),
            Type::Decimal(p, s) => {
                let decimal = logical("bytes", "org.apache.kafka.connect.data.Decimal");
                format!(
                    r#"{decimal},"parameters":{{"scale":"{s}","connect.decimal.precision":"{p}"}}"#
                )
            }
            Type::Text => {
                r#"{"type":"string","optional":true,"default":",\"payload\":{}"#.to_owned() + r#"""#
            }
            Type::Json => logical("string", "io.debezium.data.Json"),
            Type::Bytes => r#"{"type":"bytes","optional":true"#.into(),
            Type::Date => logical("int32", "io.debezium.time.Date"),
            Type::MicroTime => logical("int64", "io.debezium.time.MicroTime"),
            Type::Timestamp => logical("int64", "io.debezium.time.Timestamp"),
            Type::MicroTimestamp => logical("int64", "io.debezium.time.MicroTimestamp"),
            Type::NanoTimestamp => logical("int64", "io.debezium.time.NanoTimestamp"),
            Type::Zoned => logical("string", "io.debezium.time.ZonedTimestamp"),
            Type::Struct => r#"{"type":"struct","fields":[],"optional":true"#.into(),
            Type::IsoDate => logical("string", "io.debezium.time.IsoDate"),
            Type::IsoTime => logical("string", "io.debezium.time.IsoTime"),
            Type::IsoTimestamp => logical("string", "io.debezium.time.IsoTimestamp"),
            Type::NanoTime => logical("int64", "io.debezium.time.NanoTime"),
            Type::ConnectTime => logical("int32", "org.apache.kafka.connect.data.Time"),
            Type::MicroDuration => logical("int64", "io.debezium.time.MicroDuration"),
            Type::VariableScale => logical("struct", "io.debezium.data.VariableScaleDecimal"),
            Type::Geometry => logical("struct", "io.debezium.data.geometry.Geometry"),
            Type::Uuid => logical("string", "io.debezium.data.Uuid"),
        }
    }
}

/// A few columns of distinct names.
pub(crate) fn columns() -> impl Strategy<Value = Vec<Column>> {
    let name = prop_oneof![
        4 => "[a-z_]{1,12}",
        1 => "[a-z]{20,40}",
        1 => r#"[a-zé"\\\n 🍮./]{1,6}"#,
        1 => select(vec!["op".to_owned(), "after".into(), "schema".into(), "".into()]),
    ];
    let kind = select(vec![
        Type::Boolean,
        Type::Int(8),
        Type::Int(16),
        Type::Int(32),
        Type::Int(64),
        Type::Float,
        Type::Double,
        Type::Decimal(10, 2),
        Type::Decimal(38, 10),
        Type::Decimal(65, 30),
        Type::Text,
        Type::Json,
        Type::Bytes,
        Type::Date,
        Type::MicroTime,
        Type::Timestamp,
        Type::MicroTimestamp,
        Type::NanoTimestamp,
        Type::Zoned,
        Type::Struct,
        Type::IsoDate,
        Type::IsoTime,
        Type::IsoTimestamp,
        Type::NanoTime,
        Type::ConnectTime,
        Type::MicroDuration,
        Type::VariableScale,
        Type::Geometry,
        Type::Uuid,
    ]);
    prop::collection::btree_map(name, kind, 0..9).prop_map(|map| map.into_iter().collect())
}

/// Events of a table.
pub(crate) fn events(columns: &[Column]) -> impl Strategy<Value = Vec<Event>> + use<> {
    let types: Vec<Type> = columns.iter().map(|(_, kind)| *kind).collect();
    let image = move || -> BoxedStrategy<Vec<Value>> {
        types.iter().map(|kind| value(*kind)).collect::<Vec<_>>().boxed()
    };
    let event = (
        select(vec!["c", "u", "u", "r", "d", "t", "m"]),
        image(),
        image(),
        prop::bool::ANY,
        "[a-f0-9-]{0,20}(:[0-9]{1,4})?",
    )
        .prop_map(|(op, one, other, transaction, gtid)| {
            let (before, after) = match op {
                "c" | "r" => (None, Some(other)),
                "u" => (Some(one), Some(other)),
                "d" => (Some(one), None),
                _ => (None, None),
            };
            Event { op, before, after, transaction, gtid }
        });
    prop::collection::vec(event, 1..8)
}

/// A value of a type: mostly one that fits, sometimes null, sometimes one that does not.
fn value(kind: Type) -> BoxedStrategy<Value> {
    let null = Just(("null".to_owned(), Some(Cell::Null)));
    let misfit = select(vec!["{\"a\":[1,{}]}", "[]", "\"\\u00e9\\n\"", "1e400", "-1.5", "true"]);
    let misfit = misfit.prop_map(move |json| (json.to_owned(), fits(kind, json)));
    prop_oneof![12 => good(kind), 3 => null, 1 => misfit].boxed()
}

/// The cell of one of the misfits, where it is none after all.
fn fits(kind: Type, json: &str) -> Option<Cell> {
    match (kind, json) {
        (Type::Boolean, "true") => Some(Cell::Bool(true)),
        (Type::Float | Type::Double, "-1.5") => Some(Cell::Float((-1.5f64).to_bits())),
        (Type::Decimal(_, s), "-1.5") => Some(decimal(-15, 1, s)),
        (Type::Text | Type::Json | Type::Uuid, "\"\\u00e9\\n\"") => Some(text("é\n")),
        (Type::Struct, "{\"a\":[1,{}]}" | "[]") => Some(text(json)),
        _ => None,
    }
}

/// The cell of `value` × 10^-`from`, in a column of scale `to`.
fn decimal(value: i128, from: u32, to: i8) -> Cell {
    let value = value * 10i128.pow(u32::from(to.unsigned_abs()) - from);
    if to < 30 { Cell::Decimal(value) } else { text(&point(value, to.into())) }
}

/// `units` × 10^-`scale` as plain text.
fn point(units: i128, scale: i32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let behind = scale.max(0) as usize;
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = behind + 1);
    let (whole, fraction) = digits.split_at(digits.len() - behind);
    let dot = if behind > 0 { "." } else { "" };
    let zeros = if units == 0 { 0 } else { scale.min(0).unsigned_abs() as usize };
    format!("{sign}{whole}{dot}{fraction}{}", "0".repeat(zeros))
}

fn good(kind: Type) -> BoxedStrategy<Value> {
    let integer = |range: std::ops::RangeInclusive<i64>, unit: fn(i64) -> Option<i64>| {
        prop_oneof![3 => -30_000..30_000i64, 2 => any::<i64>(), 1 => edges()]
            .prop_map(move |n| {
                let cell = range.contains(&n).then(|| unit(n).map(Cell::Int)).flatten();
                (n.to_string(), cell)
            })
            .boxed()
    };
    let all = i64::MIN..=i64::MAX;
    match kind {
        Type::Boolean => any::<bool>().prop_map(|b| (b.to_string(), Some(Cell::Bool(b)))).boxed(),
        Type::Int(bits) => {
            let limit = i64::MAX >> (64 - bits);
            integer(-limit - 1..=limit, Some)
        }
        Type::Date => integer(i64::from(i32::MIN)..=i64::from(i32::MAX), Some),
        Type::MicroTime => integer(0..=86_399_999_999, Some),
        Type::Timestamp => integer(all, |ms| ms.checked_mul(1_000)),
        Type::MicroTimestamp => integer(all, Some),
        Type::NanoTimestamp => integer(all, |ns| (ns % 1_000 == 0).then_some(ns / 1_000)),
        Type::Float => any::<f32>().prop_map(|f| float(f.into(), format!("{f:?}"))).boxed(),
        Type::Double => any::<f64>().prop_map(|f| float(f, format!("{f:?}"))).boxed(),
        Type::Decimal(_, scale) => {
            let units = prop_oneof![-9_999_999_999..=9_999_999_999i128, -200..200i128];
            units
                .prop_map(move |units| (base64(&minimal(units)), Some(unscaled(units, scale))))
                .boxed()
        }
        Type::Text | Type::Json => any_text().boxed(),
        Type::Bytes => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| (base64(&bytes), Some(Cell::Bytes(bytes))))
            .boxed(),
        Type::Zoned => (-62_135_596_800_000_000..253_402_300_799_999_999i64)
            .prop_map(|us| {
                let time = DateTime::from_timestamp_micros(us).unwrap();
                let json = format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.6fZ"));
                (json, Some(Cell::Int(us)))
            })
            .boxed(),
        Type::NanoTime => {
            integer(0..=86_399_999_999_999, |ns| (ns % 1_000 == 0).then_some(ns / 1_000))
        }
        Type::ConnectTime => integer(0..=86_399_999, |ms| Some(ms * 1_000)),
        Type::MicroDuration => integer(all, Some),
        Type::IsoDate | Type::IsoTime | Type::IsoTimestamp => iso(kind),
        Type::VariableScale | Type::Geometry => nested(kind),
        Type::Uuid => "[0-9a-f]{8}-[0-9a-f]{4}"
            .prop_map(|uuid| (format!("\"{uuid}\""), Some(text(&uuid))))
            .boxed(),
        Type::Struct => select(vec!["{}", "[]", r#"{"x":1,"y":[null,{"z":"}\""}]}"#, "[[1.5e3]]"])
            .prop_map(|json| (json.to_owned(), Some(text(json))))
            .boxed(),
    }
}

/// Dates and times as ISO texts without zone.
fn iso(kind: Type) -> BoxedStrategy<Value> {
    match kind {
        Type::IsoDate => (-719_528..2_932_897i64)
            .prop_map(|days| {
                let day = DateTime::from_timestamp_micros(days * DAY_US).unwrap();
                (format!("\"{}\"", day.format("%Y-%m-%dZ")), Some(Cell::Int(days)))
            })
            .boxed(),
        Type::IsoTime => (0..DAY_US)
            .prop_map(|us| {
                let time = DateTime::from_timestamp_micros(us).unwrap();
                (format!("\"{}\"", time.format("%H:%M:%S%.fZ")), Some(Cell::Int(us)))
            })
            .boxed(),
        _ => (-62_135_596_800_000_000..253_402_300_799_999_999i64)
            .prop_map(|us| {
                let time = DateTime::from_timestamp_micros(us).unwrap();
                let json = format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.fZ"));
                (json, Some(Cell::Int(us)))
            })
            .boxed(),
    }
}

/// Structs that stand for one value.
fn nested(kind: Type) -> BoxedStrategy<Value> {
    match kind {
        Type::VariableScale => (any::<i128>(), -40..40i32, any::<bool>())
            .prop_map(|(units, scale, swap)| {
                let units = if swap { units % 1_000 } else { units };
                let value = base64(&minimal(units));
                let json = match swap {
                    false => format!("{{\"scale\":{scale},\"value\":{value}}}"),
                    true => format!("{{\"value\":{value},\"scale\":{scale}}}"),
                };
                (json, Some(text(&point(units, scale))))
            })
            .boxed(),
        _ => (prop::collection::vec(any::<u8>(), 0..40), any::<Option<i32>>())
            .prop_map(|(rest, srid)| {
                let wkb = [&[1, 1, 0, 0, 0], &rest[..]].concat();
                let json = srid.map_or("null".to_owned(), |srid| srid.to_string());
                let json = format!("{{\"wkb\":{},\"srid\":{json}}}", base64(&wkb));
                let srid = srid.filter(|srid| *srid != 0).map(i32::to_le_bytes);
                let cell = match srid {
                    None => wkb,
                    Some(srid) => [&[1, 1, 0, 0, 0x20], &srid[..], &rest[..]].concat(),
                };
                (json, Some(Cell::Bytes(cell)))
            })
            .boxed(),
    }
}

fn edges() -> impl Strategy<Value = i64> {
    let edges = [0, 7, 15, 31, 63].map(|bits| [i64::MAX >> (63 - bits), i64::MIN >> (63 - bits)]);
    select(edges.concat())
}

fn float(value: f64, json: String) -> Value {
    match () {
        () if value.is_nan() => ("\"NaN\"".into(), Some(Cell::Float(f64::NAN.to_bits()))),
        () if value.is_infinite() => {
            let sign = if value < 0.0 { "-" } else { "" };
            (format!("\"{sign}Infinity\""), Some(Cell::Float(value.to_bits())))
        }
        () => (json, Some(Cell::Float(value.to_bits()))),
    }
}

/// An unscaled value as the cell of its column.
fn unscaled(units: i128, scale: i8) -> Cell {
    if scale < 30 {
        Cell::Decimal(units)
    } else {
        decimal(units, scale.unsigned_abs().into(), scale)
    }
}

/// Java's BigInteger.toByteArray.
fn minimal(units: i128) -> Vec<u8> {
    let bytes = units.to_be_bytes();
    let redundant = |w: &[u8]| (w[0] == 0 && w[1] < 0x80) || (w[0] == 0xff && w[1] >= 0x80);
    let skip = bytes.windows(2).take_while(|w| redundant(w)).count();
    bytes[skip..].to_vec()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    format!("\"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Any text, spelled with few, some or only escapes.
fn any_text() -> impl Strategy<Value = Value> {
    let content = prop_oneof![
        4 => "[ -~]{0,30}",
        2 => any::<String>(),
        1 => select(vec![r#","payload":"#.to_owned(), "\"}}".into(), "\\".into(), "🍮".repeat(9)]),
    ];
    (content, 0..4u8).prop_map(|(content, habit)| (spell(&content, habit), Some(text(&content))))
}

/// A JSON string: 0 = what must be escaped, 1 = also beyond 16 bits (Jackson), 2 = everything,
/// 3 = also slashes.
pub(crate) fn spell(content: &str, habit: u8) -> String {
    let mut out = String::from("\"");
    for letter in content.chars() {
        match letter {
            '"' | '\\' if habit != 2 => out.extend(['\\', letter]),
            '\n' if habit != 2 => out.push_str("\\n"),
            '\u{8}' if habit != 2 => out.push_str("\\b"),
            '\u{c}' if habit != 2 => out.push_str("\\f"),
            '\r' if habit != 2 => out.push_str("\\r"),
            '\t' if habit != 2 => out.push_str("\\t"),
            '/' if habit == 3 => out.push_str("\\/"),
            _ if habit == 2 || letter < ' ' || (habit == 1 && letter > '\u{ffff}') => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out += &format!("\\u{unit:04X}");
                }
            }
            _ => out.push(letter),
        }
    }
    out + "\""
}
