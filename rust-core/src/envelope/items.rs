//! The values of a struct row, one after another, each with a byte before it that says what it is. In:
//! bytes of the shim's. Out: items, and the slot of an item in a column. Never looks beyond the
//! value, never believes a length.

use super::json::MAX_DEPTH;
use super::leaf::{self, Fit};
use super::row::{Slot, Span, SpanSource};
use super::struct_rows::corrupt;
use super::wire::Wire;
use super::{decimal, json, slow};
use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Float32(f32),
    Float64(f64),
    /// Text; not known to be UTF-8.
    Text(Span),
    Bytes(Span),
    /// JSON text: a struct, a list or a map that is one column.
    Json(Span),
    /// The text of a number.
    Number(Span),
    /// The values of a struct follow, up to here.
    Struct(usize),
}

/// Values of a record, from one place on.
#[derive(Debug)]
pub(super) struct Items<'v> {
    value: &'v [u8],
    at: usize,
}

impl<'v> Items<'v> {
    /// The values that begin at `at`.
    pub(super) fn new(value: &'v [u8], at: usize) -> Self {
        Self { value, at }
    }

    /// The next one; `Corrupt` when there is none.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Item> {
        self.item().ok_or_else(corrupt)
    }

    #[inline]
    fn item(&mut self) -> Option<Item> {
        Some(match self.take::<1>()?[0] {
            0 => Item::Null,
            1 => Item::Bool(false),
            2 => Item::Bool(true),
            3 => Item::Int(i32::from_le_bytes(self.take()?).into()),
            4 => Item::Int(i64::from_le_bytes(self.take()?)),
            5 => Item::Float32(f32::from_le_bytes(self.take()?)),
            6 => Item::Float64(f64::from_le_bytes(self.take()?)),
            7 => Item::Text(self.span()?),
            8 => Item::Bytes(self.span()?),
            9 => Item::Json(self.span()?),
            10 => {
                let length = u32::from_le_bytes(self.take()?) as usize;
                let end = self.at.checked_add(length).filter(|end| *end <= self.value.len())?;
                Item::Struct(end)
            }
            11 => Item::Number(self.span()?),
            _ => return None,
        })
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.value.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*bytes)
    }

    #[inline]
    fn span(&mut self) -> Option<Span> {
        let len = u32::from_le_bytes(self.take()?);
        let start = u32::try_from(self.at).ok()?;
        self.value.get(self.at..)?.get(..len as usize)?;
        self.at += len as usize;
        Some(Span { source: SpanSource::Value, start, len })
    }

    /// Leaves out an item.
    pub(super) fn pass(&mut self, item: Item) -> Result<()> {
        if let Item::Struct(end) = item {
            self.leave(end)?;
        }
        Ok(())
    }

    /// Leaves out a struct; gives its values, and where they must end.
    pub(super) fn leave(&mut self, end: usize) -> Result<(Items<'v>, usize)> {
        let inside = Items { value: self.value, at: self.at };
        if end < self.at {
            return Err(corrupt());
        }
        self.at = end;
        Ok((inside, end))
    }

    /// `Corrupt` unless everything up to `end` was read.
    pub(super) fn ends_at(&self, end: usize) -> Result<()> {
        if self.at == end { Ok(()) } else { Err(corrupt()) }
    }

    /// The bytes of a span of an item.
    pub(super) fn bytes(&self, span: Span) -> &'v [u8] {
        &self.value[span.start as usize..][..span.len as usize]
    }

    /// The slot of an item, or why the value cannot be one; `Corrupt` for what is no value.
    #[inline]
    pub(super) fn slot(&self, wire: Wire, item: Item, arena: &mut Vec<u8>) -> Result<Fit> {
        Ok(match (item, wire) {
            (Item::Null, _) => Ok(Slot::Null),
            (Item::Bool(value), _) => leaf::boolean(wire, value),
            (Item::Int(value), _) => leaf::integer(wire, value),
            (Item::Float32(value), Wire::Float32) => Ok(Slot::Float(value.into())),
            (Item::Float64(value), Wire::Float64) => Ok(Slot::Float(value)),
            (Item::Float32(_) | Item::Float64(_), _) => Err("it is of another type"),
            (Item::Text(span), _) => self.text(wire, span, arena),
            // A decimal that has not the scale of its type: it fits, or is refused by name.
            (Item::Number(span), _) => leaf::number(wire, self.bytes(span), arena),
            (Item::Bytes(span), _) => self.binary(wire, span, arena),
            (Item::Json(span), _) => self.json(wire, span, arena),
            (Item::Struct(_), _) => return Err(corrupt()),
        })
    }

    fn text(&self, wire: Wire, span: Span, arena: &mut Vec<u8>) -> Fit {
        let bytes = self.bytes(span);
        if simdutf8::basic::from_utf8(bytes).is_err() {
            return Err("it has half of a surrogate pair");
        }
        leaf::text(wire, bytes, span, arena)
    }

    fn binary(&self, wire: Wire, span: Span, arena: &mut Vec<u8>) -> Fit {
        let bytes = self.bytes(span);
        match wire {
            Wire::Base64 => Ok(Slot::Bytes(span)),
            Wire::DecimalBase64(p @ ..=38, _) => decimal::narrow(bytes, p).map(Slot::Decimal),
            // Whatever else bytes may stand for, wide decimals among it: as JSON spells them.
            _ => leaf::text(wire, STANDARD.encode(bytes).as_bytes(), leaf::arena_span(0, 0), arena),
        }
    }

    /// A column's JSON text: read as in a JSON record.
    fn json(&self, wire: Wire, span: Span, arena: &mut Vec<u8>) -> Fit {
        let text = simdutf8::basic::from_utf8(self.bytes(span)).map_err(|_| "it is not UTF-8")?;
        json::check_depth(text, 1).map_err(|_| DEEP)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
        Ok(match slow::scalar(wire, raw, text, arena)? {
            Slot::Bytes(inside) if inside.source == SpanSource::Value => {
                Slot::Bytes(Span { start: inside.start + span.start, ..inside })
            }
            slot => slot,
        })
    }
}

const DEEP: &str = "it is nested deeper than 128 levels";
const _: () = assert!(MAX_DEPTH == 128, "DEEP says so");

impl Item {
    /// The value, for messages.
    pub(super) fn shown(self) -> String {
        match self {
            Item::Null => "null".to_owned(),
            Item::Bool(value) => value.to_string(),
            Item::Int(value) => value.to_string(),
            Item::Float32(value) => value.to_string(),
            Item::Float64(value) => value.to_string(),
            Item::Text(span) | Item::Number(span) => format!("(text of {} bytes)", span.len),
            Item::Bytes(span) => format!("({} bytes)", span.len),
            Item::Json(_) | Item::Struct(_) => "(nested)".to_owned(),
        }
    }
}
