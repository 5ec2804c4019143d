//! Numbers in compact JSON.

use super::Scanner;
use super::swar::{eight_digits, value_of_eight};

impl<'a> Scanner<'a> {
    /// Takes an integer that fits 64 bits. A fraction or exponent behind it is left: no literal that
    /// may follow begins so.
    #[inline]
    pub(in crate::envelope) fn integer(&mut self) -> Option<i64> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let value = self.digits()?;
        let length = self.at - start;
        if length > 1 && self.bytes[start] == b'0' {
            return None;
        }
        if length < 19 {
            // Below 10^18: no overflow is possible.
            return Some(if negative { -(value as i64) } else { value as i64 });
        }
        let text = std::str::from_utf8(&self.bytes[start - usize::from(negative)..self.at]).ok()?;
        text.parse().ok()
    }

    /// Takes one or more digits; their value modulo 2^64.
    #[inline]
    fn digits(&mut self) -> Option<u64> {
        let (start, mut value) = (self.at, 0u64);
        while let Some(chunk) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            if !eight_digits(word) {
                break;
            }
            value = value.wrapping_mul(100_000_000).wrapping_add(value_of_eight(word));
            self.at += 8;
        }
        while let Some(digit) = self.peek().map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
            value = value.wrapping_mul(10).wrapping_add(digit.into());
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    /// Takes a number of any kind; its text.
    pub(in crate::envelope) fn number(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.at += usize::from(self.peek()? == b'-');
        let whole = self.at;
        self.digits()?;
        if self.at - whole > 1 && self.bytes[whole] == b'0' {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(&self.bytes[start..self.at])
    }
}
