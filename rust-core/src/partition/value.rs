//! The text of a column's value in a path.

use crate::envelope::{Row, Slot};
use crate::schema::ColumnKind;
use chrono::{DateTime, NaiveDate, TimeDelta};
use std::fmt::{self, Write};

/// Writes a value that is not null; an error means that it has no text.
///
/// Booleans `true`, `false`; numbers as SQL writes them, floats the shortest that reads back;
/// `2026-03-01`, `12:00:00.5`, `2026-03-01T12:00:00.5`, with a `Z` for an instant; durations in
/// µs; text as it is; binary in hexadecimal.
pub(crate) fn write(
    out: &mut impl Write,
    kind: ColumnKind,
    slot: Slot,
    row: &Row,
    value: &[u8],
) -> fmt::Result {
    match (kind, slot) {
        (ColumnKind::Boolean, Slot::Bool(b)) => write!(out, "{b}"),
        (ColumnKind::Float32, Slot::Float(f)) => write!(out, "{:?}", f as f32),
        (ColumnKind::Float64, Slot::Float(f)) => write!(out, "{f:?}"),
        (ColumnKind::Decimal { scale, .. }, Slot::Decimal(unscaled)) => {
            decimal(out, unscaled < 0, &unscaled.unsigned_abs().to_string(), scale)
        }
        (ColumnKind::Decimal { scale, .. }, Slot::Bytes(span)) => {
            let bytes: [u8; 32] = row.bytes(span, value).try_into().map_err(|_| fmt::Error)?;
            decimal(out, bytes[31] >= 0x80, &wide_digits(bytes), scale)
        }
        (ColumnKind::Utf8 | ColumnKind::Enum | ColumnKind::Json, Slot::Bytes(span)) => {
            out.write_str(std::str::from_utf8(row.bytes(span, value)).map_err(|_| fmt::Error)?)
        }
        (ColumnKind::Binary, Slot::Bytes(span)) => {
            row.bytes(span, value).iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
        (ColumnKind::Date, Slot::Int(days)) => {
            let days = TimeDelta::try_days(days).ok_or(fmt::Error)?;
            let date = NaiveDate::default().checked_add_signed(days).ok_or(fmt::Error)?;
            write!(out, "{date}")
        }
        (ColumnKind::Time, Slot::Int(us)) if (0..86_400_000_000).contains(&us) => {
            time(out, "%H:%M:%S%.f", us)
        }
        (ColumnKind::Timestamp { utc }, Slot::Int(us)) => {
            time(out, if utc { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f" }, us)
        }
        (
            ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 | ColumnKind::Duration,
            Slot::Int(n),
        ) => write!(out, "{n}"),
        _ => Err(fmt::Error),
    }
}

fn time(out: &mut impl Write, format: &str, us: i64) -> fmt::Result {
    let time = DateTime::from_timestamp_micros(us).ok_or(fmt::Error)?;
    write!(out, "{}", time.format(format))
}

/// Writes a decimal of which the digits without sign and point are given.
fn decimal(out: &mut impl Write, negative: bool, digits: &str, scale: i8) -> fmt::Result {
    if negative {
        out.write_char('-')?;
    }
    let Ok(scale) = usize::try_from(scale) else {
        return write!(out, "{digits}{:0<1$}", "", usize::from(scale.unsigned_abs()));
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.write_str(whole)?;
    if fraction.is_empty() { Ok(()) } else { write!(out, ".{fraction}") }
}

/// The decimal digits, without sign, of 32 little-endian bytes in two's complement.
fn wide_digits(bytes: [u8; 32]) -> String {
    let mut limbs = [0u32; 8];
    let negative = bytes[31] >= 0x80;
    let mut carry = u64::from(negative);
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(4)) {
        let part = chunk.iter().rev().fold(0u32, |n, b| n << 8 | u32::from(*b));
        let sum = u64::from(if negative { !part } else { part }) + carry;
        (*limb, carry) = (sum as u32, sum >> 32);
    }
    let mut digits = Vec::new();
    while limbs.iter().any(|limb| *limb != 0) || digits.is_empty() {
        let mut rest = 0u64;
        for limb in limbs.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            (*limb, rest) = ((part / 10) as u32, part % 10);
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    digits.iter().rev().collect()
}
