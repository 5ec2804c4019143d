//! What the walker follows: a plan's keys as literals, each with what to do with the value behind
//! it. In: a shape. Out: the program. Never more than what the wire shows: a shape with a key that
//! comes twice has no program.

use super::details;
use super::plan::{Field, Shape};
use super::scan::Literal;
use super::wire::Wire;
use std::collections::HashSet;
use std::sync::Arc;

/// The members of one kind of object: each with the literal before its value.
pub(super) type Members<T> = Box<[(Literal, T)]>;

/// A shape's program.
#[derive(Debug)]
pub(super) struct Program {
    /// The envelope.
    pub(super) envelope: Members<Member>,
    /// The row image: how each value is spelled, and whether it has a slot; the slots are in order.
    pub(super) image: Members<(Wire, bool)>,
    /// `source`.
    pub(super) source: Members<Part>,
    /// `transaction`.
    pub(super) transaction: Members<TxPart>,
}

/// A member of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Before,
    After,
    Source,
    Transaction,
    Op,
    TsMs,
    TsUs,
    /// Where the row image is what a message says.
    Message,
    /// A detail, at its place.
    Detail(u8),
    Other,
}

/// A member of `transaction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TxPart {
    Id,
    Detail(u8),
    Other,
}

/// A member of `source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    TsMs,
    TsUs,
    ServerId,
    Pos,
    Row,
    Gtid,
    File,
    Snapshot,
    Db,
    Table,
    /// A detail, at its place.
    Detail(u8),
    Other,
}

impl Program {
    /// The program of a shape, if it has one.
    pub(super) fn new(shape: &Shape) -> Option<Self> {
        let distinct = |keys: &[Arc<str>]| keys.iter().collect::<HashSet<_>>().len() == keys.len();
        if ![&shape.envelope, &shape.source, &shape.transaction].iter().all(|k| distinct(k)) {
            return None;
        }
        let fields = shape.fields.iter().map(|f: &Field| (&*f.name, (f.wire, f.kind.is_some())));
        let keys = |keys: &'_ [Arc<str>]| keys.to_vec();
        let is_message = !shape.envelope.iter().any(|key| matches!(&**key, "before" | "after"));
        Some(Self {
            envelope: members(keys(&shape.envelope).iter().map(|k| (&**k, member(k, is_message)))),
            image: members(fields),
            source: members(keys(&shape.source).iter().map(|k| (&**k, part(k)))),
            transaction: members(keys(&shape.transaction).iter().map(|k| (&**k, tx_part(k)))),
        })
    }
}

fn members<'k, T>(keys: impl Iterator<Item = (&'k str, T)>) -> Members<T> {
    let literal = |(at, (key, what)): (usize, (&str, T))| {
        let mut text = vec![if at == 0 { b'{' } else { b',' }];
        spell(key, &mut text);
        text.push(b':');
        (Literal::new(text), what)
    };
    keys.enumerate().map(literal).collect()
}

fn member(key: &str, is_message: bool) -> Member {
    match key {
        "message" if is_message => Member::Message,
        "before" => Member::Before,
        "after" => Member::After,
        "source" => Member::Source,
        "transaction" => Member::Transaction,
        "op" => Member::Op,
        "ts_ms" => Member::TsMs,
        "ts_us" => Member::TsUs,
        _ => details::place("", key).map_or(Member::Other, Member::Detail),
    }
}

fn tx_part(key: &str) -> TxPart {
    match key {
        "id" => TxPart::Id,
        _ => details::place("transaction", key).map_or(TxPart::Other, TxPart::Detail),
    }
}

/// What a member of `source` is kept as.
pub(super) fn part(key: &str) -> Part {
    match key {
        "ts_ms" => Part::TsMs,
        "ts_us" => Part::TsUs,
        "server_id" => Part::ServerId,
        "pos" => Part::Pos,
        "row" => Part::Row,
        "gtid" => Part::Gtid,
        "file" => Part::File,
        "snapshot" => Part::Snapshot,
        "db" => Part::Db,
        "table" => Part::Table,
        _ => details::place("source", key).map_or(Part::Other, Part::Detail),
    }
}

/// Spells a key as Jackson does: what must be escaped, and what lies beyond 16 bits as surrogates.
/// A writer with other habits is merely read the slow way.
fn spell(key: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for letter in key.chars() {
        match letter {
            '"' | '\\' => out.extend([b'\\', letter as u8]),
            '\u{8}' => out.extend(b"\\b"),
            '\u{c}' => out.extend(b"\\f"),
            '\n' => out.extend(b"\\n"),
            '\r' => out.extend(b"\\r"),
            '\t' => out.extend(b"\\t"),
            '\0'..='\u{1f}' | '\u{10000}'.. => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.extend(format!("\\u{unit:04X}").bytes());
                }
            }
            _ => out.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spelled_as_jackson_does_and_as_json_reads_them() {
        for (key, spelled) in [
            ("id", "\"id\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("größe/€", "\"größe/€\""),
            ("\u{1}\n\u{1f36e}", "\"\\u0001\\n\\uD83C\\uDF6E\""),
        ] {
            let mut out = Vec::new();
            spell(key, &mut out);
            assert_eq!(String::from_utf8(out.clone()).unwrap(), spelled);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), key);
        }
    }

    #[test]
    fn a_shape_with_a_key_twice_has_no_program() {
        let key = |key: &str| Arc::<str>::from(key);
        let shape = Shape { source: vec![key("db"), key("db")], ..Shape::default() };
        assert!(Program::new(&shape).is_none());
        assert!(Program::new(&Shape { source: vec![key("db")], ..shape }).is_some());
    }
}
