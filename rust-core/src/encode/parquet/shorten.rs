//! Short values that bound long ones: statistics are read by every query, blobs should not be.

/// Longest value told in statistics, bytes.
pub(super) const LONGEST: usize = 64;

/// The first bytes of a value; of a text, whole characters.
pub(super) fn beginning(value: &[u8], text: bool) -> &[u8] {
    let mut end = value.len().min(LONGEST);
    while text && end < value.len() && value[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    &value[..end]
}

/// The shortest value above all that begin with this; `None` when there is none.
pub(super) fn above(value: &[u8], text: bool) -> Option<Vec<u8>> {
    if text {
        let mut rest = std::str::from_utf8(value).ok()?;
        while let Some(last) = rest.chars().next_back() {
            rest = &rest[..rest.len() - last.len_utf8()];
            let after =
                if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(last as u32 + 1) };
            if let Some(after) = after {
                return Some(format!("{rest}{after}").into_bytes());
            }
        }
        return None;
    }
    let last = value.iter().rposition(|byte| *byte != 0xFF)?;
    let mut value = value[..=last].to_vec();
    value[last] += 1;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_its_characters() {
        let long = "ä".repeat(40);
        assert_eq!(beginning(long.as_bytes(), true), "ä".repeat(32).as_bytes());
        let odd = format!("x{long}");
        assert_eq!(beginning(odd.as_bytes(), true).len(), 63);
        assert_eq!(beginning(odd.as_bytes(), false).len(), 64);
        assert_eq!(beginning(b"short", true), b"short");
    }

    #[test]
    fn what_is_above_is_the_next_of_its_kind() {
        let text =
            |value: &str| above(value.as_bytes(), true).map(|v| String::from_utf8(v).unwrap());
        assert_eq!(text("ää"), Some("äå".to_owned()));
        assert_eq!(text("a\u{D7FF}"), Some("a\u{E000}".to_owned()), "no surrogates");
        assert_eq!(text("a\u{10FFFF}\u{10FFFF}"), Some("b".to_owned()));
        assert_eq!(text("\u{10FFFF}"), None, "nothing is greater");
        assert_eq!(above(&[1, 0xFF], false), Some(vec![2]));
        assert_eq!(above(&[0xFF, 0xFF], false), None);
    }
}
