//! Escapes in JSON strings.

/// Appends the content of a string with its escapes resolved. The escapes are well-formed; a
/// surrogate alone is a "no".
pub(in crate::envelope) fn unescape(mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while let Some(at) = memchr::memchr(b'\\', text) {
        out.extend_from_slice(&text[..at]);
        let (letter, rest) = text[at + 1..].split_first()?;
        text = rest;
        out.push(match letter {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (unit, rest) = code_unit(text)?;
                text = rest;
                let mut point = u32::from(unit);
                if (0xd800..0xdc00).contains(&unit) {
                    let (low, rest) = code_unit(text.strip_prefix(b"\\u")?)?;
                    let low = u32::from(low).checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    point = 0x10000 + ((point - 0xd800) << 10) + low;
                    text = rest;
                }
                let letter = char::from_u32(point)?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            letter => *letter,
        });
    }
    out.extend_from_slice(text);
    Some(())
}

fn code_unit(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((unit, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_as_serde_does() {
        for text in [
            "plain",
            "",
            r#"\"\\\/\b\f\n\r\t"#,
            r"a\u0041\u00e9\u20ACz",
            r"\uD83C\uDF6E\ud83c\udf6e",
            r"\u0000",
            r"\uFFFF\uE000\uD7FF",
        ] {
            let mut out = b"kept".to_vec();
            assert_eq!(unescape(text.as_bytes(), &mut out), Some(()), "{text}");
            let expected: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("kept{expected}"));
        }
    }

    #[test]
    fn lone_surrogates_are_refused_as_serde_does() {
        for text in
            [r"\uD83C", r"\uDF6E", r"\uD83Cx", r"\uD83C\n", r"\uD83C\uD83C", r"\uDF6E\uD83C"]
        {
            assert_eq!(unescape(text.as_bytes(), &mut Vec::new()), None, "{text}");
            assert!(serde_json::from_str::<String>(&format!("\"{text}\"")).is_err());
        }
    }
}
