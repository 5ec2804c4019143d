//! The slow way: any JSON that means the same, whatever its order, white space and escapes. In: a
//! payload, known to be JSON. Out: the filled row. This is the reference: what the walker of the
//! fast way accepts must come out of here the same.
//!
//! A key that is kept and comes twice makes the record bad (parsers differ in which one wins); so
//! does a field of the row that its schema does not name. Other unknown keys are left out.

use super::event::Envelope;
use super::extras::{self, TOO_LARGE};
use super::json::{bad, each, string};
use super::leaf::{self, Fit};
use super::nested;
use super::plan::{Keeps, Plan};
use super::row::{Op, Row, Slot, Span, SpanSource};
use super::wire::Wire;
use crate::error::Result;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Fills op and slots of a row, with the old row if that is kept; `value` is the whole value of
/// the record.
pub(super) fn row(
    plan: &Plan,
    envelope: &Envelope<'_>,
    op: Op,
    value: &str,
    row: &mut Row,
    keeps: Keeps,
) -> Result<()> {
    let Row { slots, before, arena, .. } = row;
    row.op = Some(op);
    match envelope.image(op)? {
        None => slots.resize(plan.schema.columns.len(), Slot::Null),
        Some(named) => image(plan, named, value, slots, arena)?,
    }
    if let Some(old) = envelope.old(op).filter(|_| keeps.before) {
        match op {
            Op::Delete => before.extend_from_slice(slots),
            _ => image(plan, ("before", old), value, before, arena)?,
        }
        row.has_before = true;
    }
    Ok(())
}

/// Fills the slots of a row without envelope, and what its columns say of one.
pub(super) fn flat(plan: &Plan, payload: &str, value: &str, row: &mut Row) -> Result<()> {
    let whole: &RawValue = serde_json::from_str(payload)
        .map_err(|cause| bad(format!("the value is not JSON: {cause}")))?;
    let Row { slots, arena, .. } = row;
    image(plan, ("", whole), value, slots, arena)?;
    extras::fill(&plan.extras, value.as_bytes(), row).ok_or_else(|| bad(TOO_LARGE))
}

/// Fills the slots of one row image, given with its name; what it lacks is null. A row without
/// envelope has no name.
pub(super) fn image(
    plan: &Plan,
    (name, image): (&'static str, &RawValue),
    value: &str,
    slots: &mut Vec<Slot>,
    arena: &mut Vec<u8>,
) -> Result<()> {
    slots.resize(plan.schema.columns.len(), Slot::Null);
    let mut seen = vec![false; plan.slots.len()];
    each(image.get(), if name.is_empty() { "the value" } else { name }, &mut |key, raw| {
        let Some(at) = plan.field(&key) else {
            let dot = if name.is_empty() { "" } else { "." };
            return Err(bad("the row has a field that its schema does not name")
                .with("field", format!("{name}{dot}{key}")));
        };
        if std::mem::replace(&mut seen[at], true) {
            return Err(twice(name, &key));
        }
        let wire = plan.shape.fields[at].wire;
        let slot = scalar(wire, raw, value, arena)
            .map_err(|reason| unfit(name, &key, raw, wire.expects(), reason))?;
        if let Some(place) = plan.slots[at] {
            slots[place as usize] = slot;
        }
        Ok(())
    })
}

/// The slot of one raw value, which lies in `value`.
pub(super) fn scalar(wire: Wire, raw: &RawValue, value: &str, arena: &mut Vec<u8>) -> Fit {
    let json = raw.get().as_bytes();
    match (json.first(), wire) {
        (Some(b'n'), _) => Ok(Slot::Null),
        (Some(b'{' | b'['), Wire::Raw) => Ok(Slot::Bytes(span_in(value, raw.get()))),
        (Some(first), Wire::Json) if *first != b'"' => Ok(Slot::Bytes(span_in(value, raw.get()))),
        (Some(b't'), _) => leaf::boolean(wire, true),
        (Some(b'f'), _) => leaf::boolean(wire, false),
        (Some(b'{'), _) => nested::object(wire, raw.get(), arena),
        (Some(b'['), _) => Err("it is an array"),
        (Some(b'"'), _) => match string(raw) {
            Ok(Cow::Borrowed(text)) => {
                leaf::text(wire, text.as_bytes(), span_in(value, text), arena)
            }
            Ok(Cow::Owned(text)) => match wire {
                Wire::Text | Wire::Json => Ok(Slot::Bytes(keep(&text, arena))),
                _ => leaf::text(wire, text.as_bytes(), leaf::arena_span(0, 0), arena),
            },
            Err(_) => Err("it has an escape that is none"),
        },
        _ => leaf::number(wire, json, arena),
    }
}

/// Where in the record's value a piece of it lies.
pub(super) fn span_in(value: &str, piece: &str) -> Span {
    let start = piece.as_ptr() as usize - value.as_ptr() as usize;
    Span { source: SpanSource::Value, start: start as u32, len: piece.len() as u32 }
}

/// Puts a text into the arena.
pub(super) fn keep(text: &str, arena: &mut Vec<u8>) -> Span {
    let start = arena.len();
    arena.extend_from_slice(text.as_bytes());
    leaf::arena_span(start, text.len())
}

/// A kept key that comes a second time.
pub(super) fn twice(object: &str, key: &str) -> crate::error::Error {
    let dot = if object.is_empty() { "" } else { "." };
    bad("a key comes twice").with("field", format!("{object}{dot}{key}"))
}

/// A value that cannot be what its place wants.
pub(super) fn unfit(
    object: &str,
    key: &str,
    raw: &RawValue,
    expected: &str,
    reason: &str,
) -> crate::error::Error {
    let dot = if object.is_empty() { "" } else { "." };
    let shown: String = raw.get().chars().take(60).collect();
    let more = if shown.len() < raw.get().len() { "…" } else { "" };
    bad(format!("the value {shown}{more} should be {expected}, but {reason}"))
        .with("field", format!("{object}{dot}{key}"))
}
