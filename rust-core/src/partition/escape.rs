//! Hive's escaping of values in folder names.

use std::fmt;

/// What stands for null and for the empty text.
pub(super) const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Escapes what is written and appends it to a path.
pub(super) struct Escaper<'a>(pub(super) &'a mut String);

impl fmt::Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| is_special(*c)) {
            self.0.push_str(&text[plain..at]);
            plain = at + c.len_utf8();
            for byte in &text.as_bytes()[at..plain] {
                push_escaped(self.0, *byte);
            }
        }
        self.0.push_str(&text[plain..]);
        Ok(())
    }
}

/// Appends `%` and two digits.
pub(super) fn push_escaped(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// What cannot stand in a folder name as it is: Hive's list, `}` beside its `{`, every control
/// character, and the two that no XML listing of a store can carry.
pub(super) fn is_special(c: char) -> bool {
    matches!(
        c,
        '"' | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '['
            | ']'
            | '^'
            | '{'
            | '}'
            | '\u{FFFE}'
            | '\u{FFFF}'
    ) || c.is_control()
}
