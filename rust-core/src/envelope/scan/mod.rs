//! Scanning of compact JSON. In: bytes. Out: the pieces of one value after another. Says "no"
//! (`None`) to whatever is not as JsonConverter writes it, be it wrong or merely unusual; what it
//! says yes to is well-formed JSON to the last byte. Never allocates.
//!
//! UTF-8 is not looked at here: whether there was any byte beyond ASCII is noted, and the walker
//! checks the whole payload once if so.

mod number;
mod swar;
mod unescape;

pub(super) use unescape::unescape;

use swar::{HIGHS, below_space, bytes_equal};

/// Nesting taken in skipped values; below the limit of the slow way by more than what surrounds
/// them. One bit each of a u128.
const MAX_DEPTH: u32 = 120;

/// A place in a payload.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Or of all bytes looked at in strings, and perhaps a few behind them.
    seen: u64,
}

/// A string's content, between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    /// First byte.
    pub(super) start: usize,
    /// Behind the last byte.
    pub(super) end: usize,
    /// Whether it has escapes.
    pub(super) escaped: bool,
}

/// A literal to be met, laid out for comparing sixteen bytes at once.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    head: u128,
    mask: u128,
    text: Box<[u8]>,
}

impl Literal {
    /// The literal of a text.
    pub(super) fn new(text: Vec<u8>) -> Self {
        let mut head = [0; 16];
        let length = text.len().min(16);
        head[..length].copy_from_slice(&text[..length]);
        let mask = if length == 16 { u128::MAX } else { (1 << (8 * length)) - 1 };
        Self { head: u128::from_le_bytes(head), mask, text: text.into() }
    }
}

impl<'a> Scanner<'a> {
    /// Starts at `at`; `bytes` ends where the payload ends.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, seen: 0 }
    }

    /// The place of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes on at another place.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether everything was read.
    pub(super) fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Whether a byte beyond ASCII may be among the strings.
    pub(super) fn saw_beyond_ascii(&self) -> bool {
        self.seen & HIGHS != 0
    }

    /// The next byte, not taken.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes one byte.
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes a literal.
    #[inline]
    pub(super) fn literal(&mut self, literal: &Literal) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let length = literal.text.len();
        let same = match rest.first_chunk::<16>() {
            Some(chunk) if length <= 16 => {
                (u128::from_le_bytes(*chunk) ^ literal.head) & literal.mask == 0
            }
            _ => rest.starts_with(&literal.text),
        };
        same.then(|| self.at += length)
    }

    /// Takes the key of a literal and what comes before it: nothing where it is the first of its
    /// object, else a comma.
    pub(super) fn member(&mut self, literal: &Literal, first: bool) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let rest = if first { rest } else { rest.strip_prefix(b",")? };
        let key = literal.text.get(1..)?;
        rest.starts_with(key).then(|| self.at += key.len() + usize::from(!first))
    }

    /// Takes `null` if it is there.
    #[inline]
    pub(super) fn null(&mut self) -> bool {
        let is = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"null"));
        if is {
            self.at += 4;
        }
        is
    }

    /// Takes `true` or `false`.
    pub(super) fn boolean(&mut self) -> Option<bool> {
        let rest = self.bytes.get(self.at..)?;
        let (value, length) = match () {
            () if rest.starts_with(b"true") => (true, 4),
            () if rest.starts_with(b"false") => (false, 5),
            () => return None,
        };
        self.at += length;
        Some(value)
    }

    /// Takes a string. Its escapes are well-formed, but a surrogate may be alone.
    #[inline]
    pub(super) fn text(&mut self) -> Option<Text> {
        self.byte(b'"')?;
        let (start, mut escaped) = (self.at, false);
        loop {
            match self.special()? {
                b'"' => {
                    let end = self.at;
                    self.at += 1;
                    return Some(Text { start, end, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// Goes to the next quote, backslash or control character.
    #[inline]
    fn special(&mut self) -> Option<u8> {
        while let Some(chunk) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            self.seen |= word;
            let found = bytes_equal(word, b'"') | bytes_equal(word, b'\\') | below_space(word);
            if found != 0 {
                let place = found.trailing_zeros() / 8;
                self.at += place as usize;
                return Some((word >> (8 * place)) as u8);
            }
            self.at += 8;
        }
        loop {
            let byte = self.peek()?;
            self.seen |= u64::from(byte);
            if byte == b'"' || byte == b'\\' || byte < 0x20 {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes an escape, backslash and all.
    fn escape(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at + 1..)?;
        self.at += match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        Some(())
    }

    /// Takes any value.
    pub(super) fn skip(&mut self) -> Option<()> {
        // One bit for each open object (1) or array (0), the innermost lowest.
        let (mut open, mut depth) = (0u128, 0u32);
        loop {
            match self.peek()? {
                b'"' => self.text().map(|_| ())?,
                b'n' => self.null().then_some(())?,
                b't' | b'f' => self.boolean().map(|_| ())?,
                kind @ (b'{' | b'[') => {
                    self.at += 1;
                    // In ASCII the closing bracket is the opening one plus two, for both.
                    if self.peek()? == kind + 2 {
                        self.at += 1;
                    } else {
                        depth += 1;
                        if depth > MAX_DEPTH {
                            return None;
                        }
                        open = open << 1 | u128::from(kind == b'{');
                        if kind == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.number().map(|_| ())?,
            }
            // A value is complete: close what closes, or go on behind a comma.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let in_object = open & 1 == 1;
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if in_object {
                            self.key()?;
                        }
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ => return None,
                }
                self.at += 1;
                open >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.text()?;
        self.byte(b':')
    }
}
