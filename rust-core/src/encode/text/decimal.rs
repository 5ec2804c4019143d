//! Decimals as exact text, as many digits behind the point as their scale says.

use arrow::datatypes::i256;

/// Digits of one `i128` piece of a wide decimal.
const PIECE: usize = 38;

/// Appends a decimal of up to 38 digits.
pub(super) fn narrow(unscaled: i128, scale: i8, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = match i64::try_from(unscaled) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(unscaled),
    };
    point(text.as_bytes(), scale, out);
}

/// Appends a decimal of up to 76 digits.
pub(super) fn wide(unscaled: i256, scale: i8, out: &mut Vec<u8>) {
    let piece = i256::from_i128(10i128.pow(PIECE as u32));
    let low = unscaled.wrapping_rem(piece).as_i128();
    let high = unscaled.wrapping_div(piece).as_i128();
    if high == 0 {
        return narrow(low, scale, out);
    }
    let mut digits = [0; 1 + 2 * PIECE + 2];
    let mut buffer = itoa::Buffer::new();
    let head = buffer.format(high).as_bytes();
    digits[..head.len()].copy_from_slice(head);
    let mut buffer = itoa::Buffer::new();
    let tail = buffer.format(low.unsigned_abs()).as_bytes();
    let end = head.len() + PIECE;
    digits[head.len()..end].fill(b'0');
    digits[end - tail.len()..end].copy_from_slice(tail);
    point(&digits[..end], scale, out);
}

/// Appends the digits of an integer with the point where the scale wants it.
fn point(integer: &[u8], scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = match integer.split_first() {
        Some((b'-', digits)) => (&b"-"[..], digits),
        _ => (&b""[..], integer),
    };
    out.extend_from_slice(sign);
    let behind = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits);
        if digits != b"0" {
            out.resize(out.len() + behind, b'0');
        }
    } else if digits.len() > behind {
        let (before, fraction) = digits.split_at(digits.len() - behind);
        out.extend_from_slice(before);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + behind - digits.len(), b'0');
        out.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Decimal256Type, DecimalType};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_point_stands_where_the_scale_says() {
        let cases = [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (-1, 2, "-0.01"),
            (1_234, 2, "12.34"),
            (-1_234, 4, "-0.1234"),
            (-1_234, 5, "-0.01234"),
            (12, -3, "12000"),
            (0, -3, "0"),
            (999_999_999_999_999_999, 2, "9999999999999999.99"),
            (10i128.pow(38) - 1, 38, "0.99999999999999999999999999999999999999"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ];
        for (unscaled, scale, expected) in cases {
            assert_eq!(text(|out| narrow(unscaled, scale, out)), expected);
            assert_eq!(text(|out| wide(i256::from_i128(unscaled), scale, out)), expected);
        }
    }

    #[test]
    fn wide_ones_are_written_as_arrow_writes_them() {
        let nines = "9".repeat(76);
        for digits in [&nines[..], "1", &format!("1{}", "0".repeat(38)), &format!("7{nines:.40}")] {
            for sign in ["", "-"] {
                let integer = i256::from_string(&format!("{sign}{digits}")).unwrap();
                for scale in [0, 1, 30, 76] {
                    let expected = Decimal256Type::format_decimal(integer, 76, scale);
                    assert_eq!(text(|out| wide(integer, scale, out)), expected);
                }
            }
        }
    }
}
