//! Rows that a converter of the worker took apart, as the shim lays them down (`docs/boundary.md`).
//! In: a value that begins with [`MARK`], and the plan of its schema. Out: the filled row. What the
//! shim got wrong is `Corrupt`; what the data is, is judged by the leaves, as in JSON.

use super::control::NOT_AN_EVENT;
use super::details;
use super::event::{Times, without_image};
use super::extras::{self, TOO_LARGE};
use super::items::{Item, Items};
use super::json::bad;
use super::plan::{Keeps, Plan};
use super::program::{Member, Members, Part, Program, TxPart};
use super::row::{Op, Row, Slot, Span};
use super::slow;
use super::wire::Wire;
use crate::error::{Error, Kind, Result};

/// First byte of such a value: never that of a text in UTF-8, nor of Avro with a schema id.
pub(super) const MARK: u8 = 0xff;
/// Second byte: the value is a struct. (With 0 it is a value that begins with [`MARK`] by itself.)
const STRUCT: u8 = 1;

/// What precedes the row: which schema of the frame it has, and the schema's text, if it is the
/// first one in its frame that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<'v> {
    pub(super) schema: u32,
    pub(super) definition: Option<&'v [u8]>,
    /// Where the row begins.
    pub(super) at: usize,
}

/// The head of a value, if it is a struct; `Corrupt` if it does not parse.
pub(super) fn head(value: &[u8]) -> Result<Option<Head<'_>>> {
    let Some((&[MARK, STRUCT], rest)) = value.split_first_chunk() else { return Ok(None) };
    let parsed = || {
        let (schema, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let definition = rest.get(..length)?;
        Some(Head {
            schema: u32::from_le_bytes(*schema),
            definition: (length > 0).then_some(definition),
            at: 2 + 4 + 4 + length,
        })
    };
    parsed().map(Some).ok_or_else(corrupt)
}

/// A frame of the shim's that does not parse.
pub(super) fn corrupt() -> Error {
    Error::new(Kind::Corrupt, "a row from the shim does not parse; please report this bug")
}

/// Reads the row that begins at `at`.
pub(super) fn read(
    plan: &Plan,
    value: &[u8],
    at: usize,
    row: &mut Row,
    keeps: Keeps,
) -> Result<()> {
    let program = plan.program.as_ref().ok_or_else(corrupt)?;
    let mut items = Items::new(value, at);
    if plan.shape.is_flat() {
        fields(plan, program, ("", &mut items), &mut row.slots, &mut row.arena)?;
        extras::fill(&plan.extras, value, row).ok_or_else(|| bad(TOO_LARGE))?;
    } else {
        event(plan, program, &mut items, row, keeps)?;
    }
    items.ends_at(value.len())
}

fn event(
    plan: &Plan,
    program: &Program,
    items: &mut Items<'_>,
    row: &mut Row,
    keeps: Keeps,
) -> Result<()> {
    if keeps.details {
        row.open_details();
    }
    let (mut before, mut after, mut message) = (None, None, None);
    let mut times = Times::default();
    for (_, member) in &program.envelope {
        let item = items.next()?;
        match (member, item) {
            (Member::Before, Item::Struct(end)) => before = Some(items.leave(end)?),
            (Member::After, Item::Struct(end)) => after = Some(items.leave(end)?),
            (Member::Message, Item::Struct(end)) => message = Some(items.leave(end)?),
            (Member::Source, Item::Struct(end)) => {
                source(&program.source, items, row, &mut times, keeps)?;
                items.ends_at(end)?;
            }
            (Member::Transaction, Item::Struct(end)) => {
                transaction(&program.transaction, items, row, keeps)?;
                items.ends_at(end)?;
            }
            (Member::Op, item) => row.op = op(item, items)?,
            (Member::TsMs, item) => times.envelope_ms = int("ts_ms", item)?,
            (Member::TsUs, item) => times.envelope_us = int("ts_us", item)?,
            (Member::Detail(at), item) if keeps.details => detail(*at, item, items, row)?,
            (_, item) => items.pass(item)?,
        }
    }
    times.settle(&mut row.source).ok_or_else(|| bad(TOO_LARGE))?;
    let op = row.op.ok_or_else(|| bad(NOT_AN_EVENT))?;
    let Row { slots, before: old, has_before, arena, .. } = row;
    let mut read = |name, (mut items, end): (Items<'_>, usize), slots: &mut Vec<Slot>| {
        fields(plan, program, (name, &mut items), slots, arena)?;
        items.ends_at(end)
    };
    match (op, after, before, message) {
        (Op::Create | Op::Update | Op::Read, Some(after), before, _) => {
            read("after", after, slots)?;
            if let Some(before) = before.filter(|_| keeps.before) {
                read("before", before, old)?;
                *has_before = true;
            }
        }
        (Op::Delete, _, Some(before), _) => {
            read("before", before, slots)?;
            if keeps.before {
                old.extend_from_slice(slots);
                *has_before = true;
            }
        }
        (Op::Message, _, _, Some(message)) => read("message", message, slots)?,
        (Op::Message | Op::Truncate, ..) => slots.resize(plan.schema.columns.len(), Slot::Null),
        (Op::Delete, ..) => return Err(without_image(op, "before")),
        _ => return Err(without_image(op, "after")),
    }
    Ok(())
}

fn transaction(
    members: &Members<TxPart>,
    items: &mut Items<'_>,
    row: &mut Row,
    keeps: Keeps,
) -> Result<()> {
    for (_, part) in members {
        let item = items.next()?;
        match part {
            TxPart::Id => row.source.tx_id = text("transaction.id", item, items, row)?,
            TxPart::Detail(at) if keeps.details => detail(*at, item, items, row)?,
            TxPart::Detail(_) | TxPart::Other => items.pass(item)?,
        }
    }
    Ok(())
}

/// Keeps a detail: an integer, or any other value as its text.
fn detail(at: u8, item: Item, items: &Items<'_>, row: &mut Row) -> Result<()> {
    let Some((object, key, _)) = details::DETAILS.get(usize::from(at)) else { return Ok(()) };
    let slot = match item {
        Item::Null => Slot::Null,
        Item::Int(int) if details::is_integer(at) => Slot::Int(int),
        Item::Int(int) => Slot::Bytes(slow::keep(&int.to_string(), &mut row.arena)),
        Item::Bool(_) | Item::Text(_) if !details::is_integer(at) => {
            text(key, item, items, row)?.map_or(Slot::Null, Slot::Bytes)
        }
        _ => {
            let expected = "a text, a number or a boolean, as the connectors send it";
            let dot = if object.is_empty() { "" } else { "." };
            return Err(misfit(&format!("{object}{dot}{key}"), item, expected, "it is none"));
        }
    };
    row.details[usize::from(at)] = slot;
    Ok(())
}

/// The fields of a row image, called `name` in errors.
fn fields(
    plan: &Plan,
    program: &Program,
    (name, items): (&str, &mut Items<'_>),
    slots: &mut Vec<Slot>,
    arena: &mut Vec<u8>,
) -> Result<()> {
    slots.reserve(program.image.len());
    for ((_, (wire, has_slot)), field) in program.image.iter().zip(&plan.shape.fields) {
        let item = items.next()?;
        let slot = items.slot(*wire, item, arena)?.map_err(|reason| {
            let dot = if name.is_empty() { "" } else { "." };
            misfit(&format!("{name}{dot}{}", field.name), item, wire.expects(), reason)
        })?;
        if *has_slot {
            slots.push(slot);
        }
    }
    Ok(())
}

fn source(
    members: &Members<Part>,
    items: &mut Items<'_>,
    row: &mut Row,
    times: &mut Times,
    keeps: Keeps,
) -> Result<()> {
    for (_, part) in members {
        let item = items.next()?;
        match part {
            Part::TsMs => times.source_ms = int("source.ts_ms", item)?,
            Part::TsUs => times.source_us = int("source.ts_us", item)?,
            Part::ServerId => row.source.server_id = int("source.server_id", item)?,
            Part::Pos => row.source.pos = int("source.pos", item)?,
            Part::Row => row.source.row = int("source.row", item)?,
            Part::Gtid => row.source.gtid = text("source.gtid", item, items, row)?,
            Part::File => row.source.file = text("source.file", item, items, row)?,
            Part::Snapshot => row.source.snapshot = text("source.snapshot", item, items, row)?,
            Part::Db => row.source.db = text("source.db", item, items, row)?,
            Part::Table => row.source.table = text("source.table", item, items, row)?,
            Part::Detail(at) if keeps.details => detail(*at, item, items, row)?,
            Part::Detail(_) | Part::Other => items.pass(item)?,
        }
    }
    Ok(())
}

fn op(item: Item, items: &Items<'_>) -> Result<Option<Op>> {
    let expected = "one of c, u, d, r, t, m";
    let op = match item {
        Item::Null => return Ok(None),
        Item::Text(span) => Op::of(items.bytes(span)),
        _ => None,
    };
    op.map(Some).ok_or_else(|| misfit("op", item, expected, "it is none"))
}

fn int(field: &str, item: Item) -> Result<Option<i64>> {
    match item {
        Item::Null => Ok(None),
        Item::Int(int) => Ok(Some(int)),
        _ => Err(misfit(field, item, Wire::Int(64).expects(), "it is none")),
    }
}

/// A kept text; `true` and `false` as such, as in JSON.
fn text(field: &str, item: Item, items: &Items<'_>, row: &mut Row) -> Result<Option<Span>> {
    match item {
        Item::Null => Ok(None),
        Item::Bool(value) => Ok(Some(slow::keep(&value.to_string(), &mut row.arena))),
        Item::Text(span) if simdutf8::basic::from_utf8(items.bytes(span)).is_ok() => Ok(Some(span)),
        _ => Err(misfit(field, item, Wire::Text.expects(), "it is none")),
    }
}

/// A value that cannot be what its place wants.
fn misfit(field: &str, item: Item, expected: &str, reason: &str) -> Error {
    let shown = item.shown();
    bad(format!("the value {shown} should be {expected}, but {reason}")).with("field", field)
}
