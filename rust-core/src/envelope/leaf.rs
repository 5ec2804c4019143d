//! One column's value. In: a JSON scalar that is already known to be one (its boolean, its number,
//! its unescaped text). Out: a [`Slot`] in the unit of the column. Never a value that was rounded,
//! wrapped or cut: what does not fit is an error with its reason.

use super::row::{Slot, Span, SpanSource};
use super::wire::{Unit, Wire};
use super::{decimal, exact, iso};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A slot, or why the value cannot be one.
pub(super) type Fit = Result<Slot, &'static str>;

const TYPE: &str = "it is of another type";
const RANGE: &str = "it is out of range";
const DAY_US: i64 = 86_400_000_000;

/// The slot of `true` or `false`.
pub(super) fn boolean(wire: Wire, value: bool) -> Fit {
    if wire == Wire::Boolean { Ok(Slot::Bool(value)) } else { Err(TYPE) }
}

/// The slot of an integer, for the wires that take nothing else.
pub(super) fn integer(wire: Wire, value: i64) -> Fit {
    let value = match wire {
        Wire::Int(64) => value,
        Wire::Int(bits) => {
            let limit = 1i64 << (bits - 1);
            if value >= limit || value < -limit {
                return Err(RANGE);
            }
            value
        }
        Wire::Date => i64::from(i32::try_from(value).map_err(|_| RANGE)?),
        Wire::Time(unit) => {
            let us = micros(value, unit)?;
            if !(0..DAY_US).contains(&us) {
                return Err("a time of day lies in 00:00:00 to 23:59:59.999999, and MySQL's TIME \
                            beyond that is a duration; declare the column so in columns.types \
                            (duration_us), or let errors.tolerance=all send such records to the \
                            dead letter queue");
            }
            us
        }
        Wire::Timestamp(unit) | Wire::Duration(unit) => micros(value, unit)?,
        _ => return Err(TYPE),
    };
    Ok(Slot::Int(value))
}

/// The slot of a number as it is spelled. Grows the arena for wide decimals.
pub(super) fn number(wire: Wire, text: &[u8], arena: &mut Vec<u8>) -> Fit {
    let utf8 = || std::str::from_utf8(text).map_err(|_| TYPE);
    match wire {
        Wire::Float32 => {
            let value: f32 = utf8()?.parse().map_err(|_| TYPE)?;
            if value.is_finite() { Ok(Slot::Float(value.into())) } else { Err(RANGE) }
        }
        Wire::Float64 => {
            let value: f64 = utf8()?.parse().map_err(|_| TYPE)?;
            if value.is_finite() { Ok(Slot::Float(value)) } else { Err(RANGE) }
        }
        // `decimal.format=NUMERIC` of the converter writes numbers where others write base64.
        Wire::DecimalText(p, s) | Wire::DecimalBase64(p, s) => {
            decimal::narrow_text(text, p, s).map(Slot::Decimal)
        }
        Wire::ExactText(p, s) | Wire::ExactBase64(p, s) => {
            exact::text(text, p.into(), s.into(), arena)
        }
        Wire::Boolean | Wire::Untyped => Err(TYPE),
        _ => {
            let whole = utf8()?.parse().map_err(|_| "it is not an integer of 64 bits")?;
            integer(wire, whole)
        }
    }
}

/// The slot of a string. `text` are its unescaped bytes (valid UTF-8), `span` is where they are.
pub(super) fn text(wire: Wire, text: &[u8], span: Span, arena: &mut Vec<u8>) -> Fit {
    match wire {
        Wire::Text | Wire::Json => Ok(Slot::Bytes(span)),
        Wire::Base64 => {
            let start = arena.len();
            base64(text, arena)?;
            Ok(Slot::Bytes(arena_span(start, arena.len() - start)))
        }
        Wire::DecimalBase64(p, _) => {
            // 38 digits take 16 bytes; the rest is for redundant sign bytes.
            let mut buffer = [0; 96];
            let bytes = match STANDARD.decode_slice(text, &mut buffer) {
                Ok(len) => &buffer[..len],
                Err(_) if text.len() > buffer.len() => return Err("it is too long"),
                Err(_) => return Err("it is not base64"),
            };
            decimal::narrow(bytes, p).map(Slot::Decimal)
        }
        Wire::DecimalText(p, s) => decimal::narrow_text(text, p, s).map(Slot::Decimal),
        Wire::ExactBase64(p, s) => exact::base64(text, p.into(), s.into(), arena),
        Wire::ExactText(p, s) => exact::text(text, p.into(), s.into(), arena),
        Wire::Zoned => iso::zoned(text).map(Slot::Int),
        Wire::IsoDate => iso::date(text).map(Slot::Int),
        Wire::IsoTime => iso::time(text).map(Slot::Int),
        Wire::IsoTimestamp => iso::timestamp(text).map(Slot::Int),
        // What JSON has no number for, as the converter spells it.
        Wire::Float32 | Wire::Float64 => match text {
            b"NaN" => Ok(Slot::Float(f64::NAN)),
            b"Infinity" => Ok(Slot::Float(f64::INFINITY)),
            b"-Infinity" => Ok(Slot::Float(f64::NEG_INFINITY)),
            _ => Err(TYPE),
        },
        _ => Err(TYPE),
    }
}

/// Appends the bytes that a text of base64 stands for.
pub(super) fn base64(text: &[u8], arena: &mut Vec<u8>) -> Result<(), &'static str> {
    let start = arena.len();
    arena.resize(start + base64::decoded_len_estimate(text.len()), 0);
    let decoded = STANDARD.decode_slice(text, &mut arena[start..]);
    let len = decoded.map_err(|_| "it is not base64")?;
    arena.truncate(start + len);
    Ok(())
}

/// A span of `len` arena bytes from `start` on. What makes the arena longer than the record's
/// value, which is far below 4 GiB, bounds it: `exact`.
pub(super) fn arena_span(start: usize, len: usize) -> Span {
    Span { source: SpanSource::Arena, start: start as u32, len: len as u32 }
}

fn micros(value: i64, unit: Unit) -> Result<i64, &'static str> {
    match unit {
        Unit::Us => Ok(value),
        Unit::Ms => value.checked_mul(1_000).ok_or(RANGE),
        Unit::Ns if value % 1_000 == 0 => Ok(value / 1_000),
        Unit::Ns => Err("it has nanoseconds below the microsecond, which the column cannot hold; \
                         declare it as bigint in columns.types to take it as it is sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_to_their_range_and_unit() {
        let cases = [
            (Wire::Int(8), 127, Some(127)),
            (Wire::Int(8), 128, None),
            (Wire::Int(16), -32_768, Some(-32_768)),
            (Wire::Int(16), -32_769, None),
            (Wire::Int(32), i64::from(i32::MAX) + 1, None),
            (Wire::Int(64), i64::MIN, Some(i64::MIN)),
            (Wire::Date, i64::from(i32::MIN), Some(i64::from(i32::MIN))),
            (Wire::Date, i64::from(i32::MAX) + 1, None),
            (Wire::Time(Unit::Us), DAY_US - 1, Some(DAY_US - 1)),
            (Wire::Time(Unit::Us), DAY_US, None),
            (Wire::Time(Unit::Us), -1, None),
            (Wire::Time(Unit::Ms), 86_399_999, Some(86_399_999_000)),
            (Wire::Time(Unit::Ns), 1_000, Some(1)),
            (Wire::Time(Unit::Ns), 1_001, None),
            (Wire::Timestamp(Unit::Ms), -1, Some(-1_000)),
            (Wire::Timestamp(Unit::Ms), i64::MAX / 999, None),
            (Wire::Timestamp(Unit::Ns), -1_000, Some(-1)),
            (Wire::Timestamp(Unit::Ns), -999, None),
            (Wire::Duration(Unit::Us), -DAY_US * 40, Some(-DAY_US * 40)),
            (Wire::Text, 1, None),
        ];
        for (wire, value, expected) in cases {
            assert_eq!(integer(wire, value).ok(), expected.map(Slot::Int), "{wire:?} {value}");
        }
    }

    #[test]
    fn numbers_are_read_at_the_precision_of_their_column() {
        let arena = &mut Vec::new();
        assert_eq!(number(Wire::Float64, b"1", arena), Ok(Slot::Float(1.0)));
        assert_eq!(number(Wire::Float32, b"0.1", arena), Ok(Slot::Float(f64::from(0.1f32))));
        assert_eq!(number(Wire::Float32, b"3.4028235E38", arena), Ok(Slot::Float(f32::MAX.into())));
        assert_eq!(number(Wire::Float32, b"3.5E38", arena), Err(RANGE));
        assert_eq!(number(Wire::Float64, b"1e999", arena), Err(RANGE));
        assert_eq!(number(Wire::DecimalBase64(4, 2), b"1.5", arena), Ok(Slot::Decimal(150)));
        assert_eq!(number(Wire::Int(32), b"7", arena), Ok(Slot::Int(7)));
        for text in [&b"7.0"[..], b"7e0", b"9223372036854775808"] {
            assert!(number(Wire::Int(64), text, arena).is_err());
        }
        assert!(number(Wire::Text, b"7", arena).is_err());
    }

    #[test]
    fn base64_is_decoded_into_the_arena_and_checked() {
        let span = Span { source: SpanSource::Value, start: 0, len: 0 };
        let mut arena = b"kept".to_vec();
        let slot = text(Wire::Base64, b"AP9/gA==", span, &mut arena);
        assert_eq!(slot, Ok(Slot::Bytes(arena_span(4, 4))));
        assert_eq!(arena, b"kept\x00\xff\x7f\x80");
        assert_eq!(
            text(Wire::DecimalBase64(10, 2), b"EtaH", span, &mut arena),
            Ok(Slot::Decimal(1_234_567))
        );
        for bad in [&b"AP9/gA"[..], b"AP9/gA=", b"A", b"AP9_gA==", b"AP9/gB=="] {
            assert!(text(Wire::Base64, bad, span, &mut arena).is_err(), "{bad:?}");
        }
        let long = [b'A'; 200];
        assert!(text(Wire::DecimalBase64(10, 2), &long, span, &mut arena).is_err());
    }
}
