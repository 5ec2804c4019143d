//! Decimals that no column of numbers holds, as their exact text. In: big-endian integers, and
//! texts, with the scale they have. Out: plain text in the row's arena, with as many digits behind
//! the point as the scale says. Never an exponent, never a digit less.
//!
//! Why text: `docs/decisions/0007-decimals-above-38-digits-are-text.md`.

use super::decimal::{NOT_A_NUMBER, Parts, Reason, TOO_FINE, TOO_WIDE};
use super::leaf::{Fit, arena_span};
use super::row::Slot;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of the longest integer: PostgreSQL's longest number, of 147,455 digits, has 61,234. The
/// work grows with the square of it.
const MAX_BYTES: usize = 64 << 10;
/// PostgreSQL's greatest scale is 16,383.
const MAX_SCALE: i32 = 20_000;
/// Spans count in u32, and a small value can have a great scale.
const MAX_ARENA: usize = 1 << 30;
const TOO_LONG: Reason = "it is too long";

/// Digits of a decimal, whatever their number.
pub(super) const ANY: u32 = u32::MAX;

/// The text of an unscaled value in base64.
pub(super) fn base64(text: &[u8], precision: u32, scale: i32, arena: &mut Vec<u8>) -> Fit {
    // 228 digits; what is longer pays for its memory.
    let (mut small, mut large) = ([0; 96], Vec::new());
    let length = base64::decoded_len_estimate(text.len());
    let buffer = match length {
        _ if length > MAX_BYTES => return Err(TOO_LONG),
        _ if length <= small.len() => &mut small[..],
        _ => {
            large.resize(length, 0);
            &mut large[..]
        }
    };
    let length = STANDARD.decode_slice(text, buffer).map_err(|_| "it is not base64")?;
    written(arena, |out| integer(&buffer[..length], precision, scale, out))
}

/// The text of a number that is spelled as one, perhaps with an exponent.
pub(super) fn text(text: &[u8], precision: u32, scale: i32, arena: &mut Vec<u8>) -> Fit {
    written(arena, |out| number(text, precision, scale, out))
}

/// The slot of what `write` puts into the arena.
fn written(arena: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Reason>) -> Fit {
    let start = arena.len();
    write(arena)?;
    if arena.len() > MAX_ARENA {
        return Err(TOO_LONG);
    }
    Ok(Slot::Bytes(arena_span(start, arena.len() - start)))
}

/// Writes a big-endian two's complement integer × 10^-scale.
fn integer(bytes: &[u8], precision: u32, scale: i32, out: &mut Vec<u8>) -> Result<(), Reason> {
    let negative = bytes.first().ok_or("it is empty")? & 0x80 != 0;
    let (mut small, mut large) = ([0u32; 24], Vec::new());
    let mut limbs = match bytes.len().div_ceil(4) {
        length if length <= small.len() => &mut small[..length],
        length => {
            large.resize(length, 0);
            &mut large[..]
        }
    };
    let mut carry = u32::from(negative);
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(4)) {
        let fill = if negative { u32::MAX } else { 0 };
        let part = chunk.iter().fold(fill, |part, byte| part << 8 | u32::from(*byte));
        let (sum, over) = (part ^ fill).overflowing_add(carry);
        (*limb, carry) = (sum, u32::from(over));
    }
    let start = out.len();
    // Nine digits at a time, the lowest first.
    while let Some((top, _)) = limbs.iter().enumerate().rfind(|(_, limb)| **limb != 0) {
        limbs = &mut limbs[..=top];
        let mut rest = 0u64;
        for limb in limbs.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            (*limb, rest) = ((part / 1_000_000_000) as u32, part % 1_000_000_000);
        }
        for _ in 0..9 {
            out.push(b'0' + (rest % 10) as u8);
            rest /= 10;
        }
    }
    while out.len() > start && out.last() == Some(&b'0') {
        out.pop();
    }
    finish(out, start, negative, precision, scale)
}

/// Writes a number in the scale of its column; digits that would be lost are an error.
fn number(text: &[u8], precision: u32, scale: i32, out: &mut Vec<u8>) -> Result<(), Reason> {
    let Parts { negative, whole, fraction, exponent } = Parts::of(text)?;
    let keep = whole.len() as i64 + exponent + i64::from(scale);
    let start = out.len();
    for (at, digit) in whole.iter().chain(fraction).enumerate() {
        match digit {
            b'0'..=b'9' if (at as i64) < keep => out.push(*digit),
            b'0' => {}
            b'1'..=b'9' => return Err(TOO_FINE),
            _ => return Err(NOT_A_NUMBER),
        }
    }
    let zeros = out[start..].iter().take_while(|digit| **digit == b'0').count();
    out.drain(start..start + zeros);
    if out.len() > start {
        let missing = (keep - (whole.len() + fraction.len()) as i64).max(0);
        out.resize(out.len() + missing as usize, b'0');
    }
    out[start..].reverse();
    finish(out, start, negative, precision, scale)
}

/// Turns the digits behind `start`, the lowest first and none of them idle, into a number.
fn finish(
    out: &mut Vec<u8>,
    start: usize,
    negative: bool,
    precision: u32,
    scale: i32,
) -> Result<(), Reason> {
    let digits = out.len() - start;
    if digits as u64 > u64::from(precision) {
        return Err(TOO_WIDE);
    }
    if scale.abs() > MAX_SCALE {
        return Err(TOO_LONG);
    }
    let behind = scale.max(0) as usize;
    out.resize((start + behind + 1).max(out.len()), b'0');
    if behind > 0 {
        out.insert(start + behind, b'.');
    }
    if negative && digits > 0 {
        out.push(b'-');
    }
    out[start..].reverse();
    if digits > 0 {
        out.resize(out.len() + scale.min(0).unsigned_abs() as usize, b'0');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::i256;

    fn of(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Reason>) -> Result<String, Reason> {
        let mut out = b"kept".to_vec();
        write(&mut out)?;
        assert_eq!(&out[..4], b"kept");
        Ok(String::from_utf8(out.split_off(4)).unwrap())
    }

    #[test]
    fn integers_of_any_length_are_written_with_their_point() {
        let nines = i256::from_string(&"9".repeat(65)).unwrap();
        let cases: &[(&[u8], i32, &str)] = &[
            (&[0], 0, "0"),
            (&[0], 3, "0.000"),
            (&[0], -3, "0"),
            (&[0xff], 0, "-1"),
            (&[0xff], 2, "-0.01"),
            (&[0x80], 0, "-128"),
            (&[0x80, 0, 0, 0], 1, "-214748364.8"),
            (&[0x12, 0xd6, 0x87], 2, "12345.67"),
            (&[0x12, 0xd6, 0x87], 7, "0.1234567"),
            (&[0x12, 0xd6, 0x87], -2, "123456700"),
            (&[0, 0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0x00], 0, "1000000000"),
            (&[0xff; 40], 1, "-0.1"),
            (&nines.to_be_bytes(), 0, &"9".repeat(65)),
        ];
        for (bytes, scale, expected) in cases {
            let written = of(|out| integer(bytes, ANY, *scale, out));
            assert_eq!(written.as_deref(), Ok(*expected), "{bytes:x?} {scale}");
        }
        assert_eq!(of(|out| integer(&nines.to_be_bytes(), 64, 0, out)), Err(TOO_WIDE));
        assert_eq!(of(|out| integer(&[], 64, 0, out)), Err("it is empty"));
        assert_eq!(of(|out| integer(&[1], 64, 30_000, out)), Err(TOO_LONG));
    }

    #[test]
    fn every_length_agrees_with_other_arithmetic() {
        let mut value = i256::ONE;
        for length in 1..=32 {
            for value in [value, value.wrapping_neg(), value.wrapping_sub(i256::ONE)] {
                let bytes = &value.to_be_bytes()[32 - length..];
                let expected = i256::from_be_bytes(std::array::from_fn(|at| match at {
                    _ if at >= 32 - length => bytes[at + length - 32],
                    _ if bytes[0] & 0x80 != 0 => 0xff,
                    _ => 0,
                }));
                let written = of(|out| integer(bytes, ANY, 0, out)).unwrap();
                assert_eq!(written, expected.to_string());
                let (digits, again) = (written.len(), of(|out| integer(bytes, ANY, 3, out)));
                let again = again.unwrap();
                assert_eq!(&again[again.len() - 4..again.len() - 3], ".", "{digits}");
                assert_eq!(of(|out| number(again.as_bytes(), ANY, 3, out)), Ok(again));
            }
            value = value.wrapping_mul(i256::from_i128(251)).wrapping_add(i256::from_i128(7));
        }
        // 2^(8n-1) - 1 of 4,000 bytes: only its length is known by other means.
        let mut huge = vec![0xff; 4_000];
        huge[0] = 0x7f;
        assert_eq!(of(|out| integer(&huge, ANY, 0, out)).unwrap().len(), 9_633);
    }

    #[test]
    fn texts_are_brought_to_the_scale_or_refused() {
        let cases = [
            ("12.3", 2, Ok("12.30")),
            ("-0", 2, Ok("0.00")),
            ("-0.01", 2, Ok("-0.01")),
            ("1.5E+3", 0, Ok("1500")),
            ("15e-1", 30, Ok("1.500000000000000000000000000000")),
            ("0e+9999", 1, Ok("0.0")),
            ("007", 0, Ok("7")),
            ("1.23", 1, Err(TOO_FINE)),
            ("1234", 0, Ok("1234")),
            ("12345", 0, Err(TOO_WIDE)),
            ("1x", 0, Err(NOT_A_NUMBER)),
            ("NaN", 0, Err(NOT_A_NUMBER)),
            ("", 0, Err(NOT_A_NUMBER)),
        ];
        for (text, scale, expected) in cases {
            let precision = if scale == 30 { 65 } else { 4 };
            let written = of(|out| number(text.as_bytes(), precision, scale, out));
            assert_eq!(written, expected.map(str::to_owned), "{text} {scale}");
        }
    }
}
