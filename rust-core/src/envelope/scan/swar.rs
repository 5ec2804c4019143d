//! Eight bytes at once, in a u64 whose lowest byte is the first of them.

const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of each byte.
pub(super) const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks (in its high bit) each byte that is `byte`. Above the first there may be false marks.
#[inline]
pub(super) fn bytes_equal(word: u64, byte: u8) -> u64 {
    let word = word ^ (ONES * u64::from(byte));
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Marks each control character below the space. Above the first there may be false marks.
#[inline]
pub(super) fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHS
}

/// Whether all eight bytes are digits.
#[inline]
pub(super) fn eight_digits(word: u64) -> bool {
    let above = word.wrapping_add(ONES * (0x7f - u64::from(b'9')));
    let below = word.wrapping_sub(ONES * u64::from(b'0'));
    (above | below | word) & HIGHS == 0
}

/// The number that eight digits in a row spell: pairs, then fours, then all.
#[inline]
pub(super) fn value_of_eight(word: u64) -> u64 {
    let pairs = ((word & (ONES * 0x0f)).wrapping_mul((10 << 8) | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul((10_000 << 32) | 1) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of the first mark.
    fn first(marks: u64) -> u32 {
        marks.trailing_zeros() / 8
    }

    #[test]
    fn the_first_mark_is_true_whatever_surrounds_it() {
        for byte in 0..=255u8 {
            for around in [0x00, 0x1f, b' ', b'"', b'#', b'!', b'9', 0x7f, 0x80, 0xff] {
                for at in 0..8 {
                    let mut bytes = [around; 8];
                    bytes[at] = byte;
                    let word = u64::from_le_bytes(bytes);
                    let place = |is: &dyn Fn(u8) -> bool| {
                        bytes.iter().position(|b| is(*b)).unwrap_or(8) as u32
                    };
                    assert_eq!(first(bytes_equal(word, b'"')), place(&|b| b == b'"'));
                    assert_eq!(first(below_space(word)), place(&|b| b < b' '));
                    assert_eq!(eight_digits(word), bytes.iter().all(u8::is_ascii_digit));
                }
            }
        }
    }

    #[test]
    fn eight_digits_are_read_from_the_left() {
        for text in ["00000000", "12345678", "99999999", "00000001", "10000000"] {
            let word = u64::from_le_bytes(text.as_bytes().try_into().unwrap());
            assert_eq!(value_of_eight(word).to_string(), text.parse::<u64>().unwrap().to_string());
        }
    }
}
