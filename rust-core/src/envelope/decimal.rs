//! Decimals of up to 38 digits. In: big-endian integers, or texts. Out: unscaled values that have
//! no more digits than declared. Never rounds: what does not fit is an error. Wider ones: `exact`.

/// Why a decimal does not fit, for messages.
pub(super) type Reason = &'static str;

pub(super) const TOO_WIDE: Reason = "it has more digits than declared";
pub(super) const TOO_FINE: Reason = "it has more digits behind the point than declared";
pub(super) const NOT_A_NUMBER: Reason = "it is not a number";

/// 10^p for p of 0..=38.
const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut p = 1;
    while p < 39 {
        powers[p] = powers[p - 1] * 10;
        p += 1;
    }
    powers
};

/// An unscaled value of at most 38 digits from its big-endian two's complement bytes.
pub(super) fn narrow(bytes: &[u8], precision: u8) -> Result<i128, Reason> {
    let (first, fill) = sign(bytes)?;
    let value = if bytes.len() <= 16 {
        let mut wide = [fill; 16];
        wide[16 - bytes.len()..].copy_from_slice(bytes);
        i128::from_be_bytes(wide)
    } else {
        // Redundant leading sign bytes are legal, if unusual.
        let (padding, rest) = bytes.split_at(bytes.len() - 16);
        let same_sign = rest[0] & 0x80 == first & 0x80;
        if !same_sign || padding.iter().any(|b| *b != fill) {
            return Err(TOO_WIDE);
        }
        i128::from_be_bytes(rest.try_into().map_err(|_| TOO_WIDE)?)
    };
    fit_narrow(value, precision)
}

/// An unscaled value of at most 38 digits from text like `-12.30` or `1.2E+3`.
pub(super) fn narrow_text(text: &[u8], precision: u8, scale: i8) -> Result<i128, Reason> {
    let Parts { negative, whole, fraction, exponent } = Parts::of(text)?;
    // Digits left of this position belong to the unscaled value, those right of it must be zeros.
    let keep = whole.len() as i64 + exponent + i64::from(scale);
    let mut value = 0i128;
    for (at, digit) in whole.iter().chain(fraction).enumerate() {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NOT_A_NUMBER);
        }
        if (at as i64) < keep {
            let ten = value.checked_mul(10);
            value = ten.and_then(|v| v.checked_add(digit.into())).ok_or(TOO_WIDE)?;
        } else if digit != 0 {
            return Err(TOO_FINE);
        }
    }
    let missing = keep - (whole.len() + fraction.len()) as i64;
    if value != 0 {
        for _ in 0..missing.max(0) {
            value = value.checked_mul(10).ok_or(TOO_WIDE)?;
        }
    }
    fit_narrow(if negative { -value } else { value }, precision)
}

/// A number's text, taken apart. The digits are not looked at yet.
pub(super) struct Parts<'a> {
    pub(super) negative: bool,
    /// Never empty.
    pub(super) whole: &'a [u8],
    pub(super) fraction: &'a [u8],
    pub(super) exponent: i64,
}

impl<'a> Parts<'a> {
    /// Takes a text like `-12.30` or `1.2E+3` apart.
    pub(super) fn of(text: &'a [u8]) -> Result<Self, Reason> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &b""[..]),
        };
        if whole.is_empty() {
            return Err(NOT_A_NUMBER);
        }
        Ok(Self { negative, whole, fraction, exponent })
    }
}

/// The first byte, and the byte that continues its sign to the left.
fn sign(bytes: &[u8]) -> Result<(u8, u8), Reason> {
    let first = *bytes.first().ok_or("it is empty")?;
    Ok((first, if first & 0x80 == 0 { 0 } else { 0xff }))
}

fn fit_narrow(value: i128, precision: u8) -> Result<i128, Reason> {
    let limit = POWERS.get(usize::from(precision)).ok_or(TOO_WIDE)?;
    if value.unsigned_abs() < limit.unsigned_abs() { Ok(value) } else { Err(TOO_WIDE) }
}

fn exponent(text: &[u8]) -> Result<i64, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_A_NUMBER)?;
    let exponent: i64 = text.parse().map_err(|_| NOT_A_NUMBER)?;
    // Far beyond any column; keeps the sums above small.
    if exponent.abs() <= 10_000 { Ok(exponent) } else { Err(TOO_WIDE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_big_endian_twos_complement_of_any_length() {
        let cases: &[(&[u8], u8, Result<i128, Reason>)] = &[
            (&[0x05], 1, Ok(5)),
            (&[0xf7], 1, Ok(-9)),
            (&[0x0a], 1, Err(TOO_WIDE)),
            (&[0xf6], 1, Err(TOO_WIDE)),
            (&[0x12, 0xd6, 0x87], 10, Ok(1_234_567)),
            (&[0x00, 0x80], 3, Ok(128)),
            (&[0x80], 3, Ok(-128)),
            (&[0x00; 40], 5, Ok(0)),
            (&[0xff; 40], 5, Ok(-1)),
            (&[0x7f; 17], 38, Err(TOO_WIDE)),
            (&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 38, Err(TOO_WIDE)),
            (&[], 5, Err("it is empty")),
        ];
        for (bytes, precision, expected) in cases {
            assert_eq!(narrow(bytes, *precision), *expected, "{bytes:x?}");
        }
        let mut padded = vec![0; 17];
        padded[1] = 0x80;
        assert_eq!(narrow(&padded, 38), Err(TOO_WIDE), "the sign bit must not be read from it");
    }

    #[test]
    fn text_is_exact_or_refused() {
        let cases = [
            ("12.30", 10, 2, Ok(1230)),
            ("-0.01", 10, 2, Ok(-1)),
            ("12", 10, 2, Ok(1200)),
            ("12.300", 10, 2, Ok(1230)),
            ("1.23E+1", 10, 2, Ok(1230)),
            ("1230e-2", 10, 2, Ok(1230)),
            ("0E+9999", 10, 2, Ok(0)),
            ("0", 1, 0, Ok(0)),
            ("99999999.99", 10, 2, Ok(9_999_999_999)),
            ("100000000.00", 10, 2, Err(TOO_WIDE)),
            ("1E+9999", 10, 2, Err(TOO_WIDE)),
            ("1E+99999", 10, 2, Err(TOO_WIDE)),
            ("12.301", 10, 2, Err("it has more digits behind the point than declared")),
            ("1E-9999", 10, 2, Err("it has more digits behind the point than declared")),
            ("", 10, 2, Err(NOT_A_NUMBER)),
            (".5", 10, 2, Err(NOT_A_NUMBER)),
            ("1x", 10, 2, Err(NOT_A_NUMBER)),
            ("1.2.3", 10, 2, Err(NOT_A_NUMBER)),
            ("1e", 10, 2, Err(NOT_A_NUMBER)),
            ("--1", 10, 2, Err(NOT_A_NUMBER)),
        ];
        for (text, precision, scale, expected) in cases {
            assert_eq!(narrow_text(text.as_bytes(), precision, scale), expected, "{text}");
        }
    }
}
