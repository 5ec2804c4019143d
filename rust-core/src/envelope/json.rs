//! JSON by serde: objects as a run of keys and raw values, strings unescaped. In: text. Out: calls
//! of a visitor with borrowed pieces. Never builds a tree; never looks into a value nobody asked
//! for beyond checking that it is JSON.

use crate::error::{Error, Kind, Result};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Deepest nesting taken: readers of JSON columns give up there, and so does serde_json.
pub(super) const MAX_DEPTH: usize = 128;

/// Calls `field` for each member of the JSON object `text`, in order; `what` names it in errors.
pub(super) fn each<'a>(
    text: &'a str,
    what: &str,
    field: &mut dyn FnMut(Cow<'a, str>, &'a RawValue) -> Result<()>,
) -> Result<()> {
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let members = Members { field, failure: &mut failure };
    let outcome = members.deserialize(&mut json).and_then(|()| json.end());
    match (failure, outcome) {
        (Some(error), _) => Err(error),
        (None, Err(cause)) => Err(bad(format!("{what} is not a JSON object: {cause}"))),
        (None, Ok(())) => Ok(()),
    }
}

/// The unescaped content of a JSON string.
pub(super) fn string(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    Text::deserialize(&mut json).map(|text| text.0)
}

/// Refuses a value nested deeper than [`MAX_DEPTH`], of which `outside` levels are around `json`.
pub(super) fn check_depth(json: &str, outside: usize) -> Result<()> {
    let brackets = memchr::memchr2_iter(b'{', b'[', json.as_bytes());
    if brackets.take(MAX_DEPTH - outside + 1).count() <= MAX_DEPTH - outside {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (outside, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(bad(format!("the value is nested deeper than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

/// A record that cannot become a row.
pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::new(Kind::BadRecord, message)
}

/// The seed behind [`each`].
struct Members<'f, 'a> {
    field: &'f mut dyn FnMut(Cow<'a, str>, &'a RawValue) -> Result<()>,
    failure: &'f mut Option<Error>,
}

impl<'a> DeserializeSeed<'a> for Members<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'a>>()? {
            let value = map.next_value::<&'a RawValue>()?;
            if let Err(error) = (self.field)(key.0, value) {
                *self.failure = Some(error);
                return Err(serde::de::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A string, borrowed where nothing had to be unescaped (serde's own Cow always copies).
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_with_their_raw_text() {
        let mut seen = Vec::new();
        let text = r#" { "a" : [1, "}"], "b\u0041":null , "a":"x" } "#;
        each(text, "it", &mut |key, raw| {
            seen.push((key.into_owned(), raw.get()));
            Ok(())
        })
        .unwrap();
        let expected = [("a", r#"[1, "}"]"#), ("bA", "null"), ("a", r#""x""#)];
        assert_eq!(seen, expected.map(|(k, v)| (k.to_owned(), v)));
    }

    #[test]
    fn what_is_no_object_and_what_the_visitor_refuses_are_errors() {
        for text in ["", "[]", "1", "{", "{\"a\":}", "{\"a\":1}x", "{\"a\":01}", "{\"a\":1,}"] {
            let error = each(text, "it", &mut |_, _| Ok(())).unwrap_err();
            assert_eq!(error.kind(), Kind::BadRecord, "{text}");
        }
        let error = each("{\"a\":1}", "it", &mut |_, _| Err(bad("no"))).unwrap_err();
        assert_eq!(error.message(), "no");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(check_depth(&nested(128), 0).is_ok());
        assert!(check_depth(&nested(129), 0).is_err());
        assert!(check_depth(&nested(127), 1).is_ok());
        assert!(check_depth(&nested(128), 1).is_err());
        assert!(check_depth(&"[],".repeat(1000), 0).is_ok(), "width is not depth");
        assert!(check_depth(&format!("\"\\\"{}\"", "[".repeat(1000)), 0).is_ok(), "nor is text");
    }
}
