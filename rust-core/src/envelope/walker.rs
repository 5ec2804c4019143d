//! The fast way: follows a plan's program through a payload, comparing the next key instead of
//! looking for it. In: a payload as JsonConverter writes it. Out: the filled row, or "no" (`None`)
//! to anything else, wrong or merely unusual; the slow way then decides. Allocates nothing but what
//! the row's own memory may have to grow.

mod kept;

use super::event::Times;
use super::extras;
use super::leaf::{self, arena_span};
use super::nested;
use super::plan::{Keeps, Plan};
use super::program::{Member, Members, Part, Program, TxPart};
use super::row::{Op, Row, Slot, Span, SpanSource};
use super::scan::{Scanner, Text, unescape};
use super::wire::Wire;

/// Reads the payload that lies in `value` from `start` to `end`. The row is cleared before.
pub(super) fn walk(
    plan: &Plan,
    value: &[u8],
    (start, end): (usize, usize),
    row: &mut Row,
    keeps: Keeps,
) -> Option<()> {
    let program = plan.program.as_ref()?;
    let payload = value.get(..end)?;
    if plan.shape.is_flat() {
        return walk_flat(plan, program, value, (start, end), row);
    }
    if keeps.details {
        row.open_details();
    }
    let scan = Scanner::new(payload, start);
    let mut walk = Walk { plan, scan, value, row, keeps, is_partial: false };
    let (mut op, mut before, mut after, mut message) = (None, None, false, false);
    let mut times = Times::default();
    for (literal, member) in &program.envelope {
        walk.scan.literal(literal)?;
        match member {
            Member::Before if walk.scan.null() => {}
            Member::Before => {
                before = Some(walk.scan.at());
                match keeps.before {
                    true => walk.before(&program.image)?,
                    false => walk.skip_image(&program.image)?,
                }
            }
            Member::After if walk.scan.null() => {}
            Member::After => {
                walk.image(&program.image)?;
                after = true;
            }
            Member::Source => walk.source(&program.source, &mut times)?,
            Member::Transaction => walk.transaction(&program.transaction)?,
            Member::Op => op = Some(walk.op()?),
            Member::TsMs => times.envelope_ms = walk.integer_or_null()?,
            Member::TsUs => times.envelope_us = walk.integer_or_null()?,
            Member::Message if walk.scan.null() => {}
            Member::Message => {
                walk.image(&program.image)?;
                message = true;
            }
            Member::Detail(at) if keeps.details => walk.detail(*at)?,
            Member::Detail(_) | Member::Other => walk.scan.skip()?,
        }
    }
    walk.scan.byte(b'}')?;
    if !walk.scan.at_end() {
        return None;
    }
    let op = op?;
    match (op, after, before) {
        (Op::Message, false, None) if message => {}
        _ if message => return None,
        (Op::Create | Op::Update | Op::Read, true, _) => {}
        // Whose row lacks columns may be of another table's plan.
        (Op::Delete, false, Some(_)) if walk.is_partial => return None,
        (Op::Delete, false, Some(_)) if keeps.before => {
            walk.row.slots.extend_from_slice(&walk.row.before);
        }
        (Op::Delete, false, Some(at)) => {
            walk.scan.go_to(at);
            walk.image(&program.image)?;
        }
        (Op::Truncate | Op::Message, false, None) => {
            walk.row.slots.resize(plan.schema.columns.len(), Slot::Null);
        }
        _ => return None,
    }
    if walk.scan.saw_beyond_ascii() {
        simdutf8::basic::from_utf8(&payload[start..]).ok()?;
    }
    row.op = Some(op);
    times.settle(&mut row.source)
}

/// Reads a row without envelope.
fn walk_flat(
    plan: &Plan,
    program: &Program,
    value: &[u8],
    (start, end): (usize, usize),
    row: &mut Row,
) -> Option<()> {
    let payload = value.get(..end)?;
    let (scan, keeps) = (Scanner::new(payload, start), Keeps::default());
    let mut walk = Walk { plan, scan, value, row, keeps, is_partial: false };
    walk.image(&program.image)?;
    let beyond_ascii = walk.scan.saw_beyond_ascii();
    if !walk.scan.at_end()
        || (beyond_ascii && simdutf8::basic::from_utf8(&payload[start..]).is_err())
    {
        return None;
    }
    extras::fill(&plan.extras, value, row)
}

struct Walk<'w, 'v> {
    plan: &'w Plan,
    scan: Scanner<'v>,
    value: &'v [u8],
    row: &'w mut Row,
    keeps: Keeps,
    /// The old row lacks columns.
    is_partial: bool,
}

impl Walk<'_, '_> {
    /// The row image.
    fn image(&mut self, members: &Members<(Wire, bool)>) -> Option<()> {
        let mut slots = std::mem::take(&mut self.row.slots);
        let read = self.whole(members, &mut slots);
        self.row.slots = slots;
        read
    }

    /// All fields of a row image, in their order. One place in the code, however many call it.
    #[inline(never)]
    fn whole(&mut self, members: &Members<(Wire, bool)>, slots: &mut Vec<Slot>) -> Option<()> {
        slots.reserve(self.plan.schema.columns.len());
        for (literal, (wire, has_slot)) in members {
            self.scan.literal(literal)?;
            let slot = self.slot(*wire)?;
            if *has_slot {
                slots.push(slot);
            }
        }
        self.close(members.is_empty())
    }

    /// A row image that is not kept, but must be whole.
    fn skip_image(&mut self, members: &Members<(Wire, bool)>) -> Option<()> {
        let start = self.scan.at();
        for (literal, _) in members {
            if self.scan.literal(literal).is_none() {
                self.scan.go_to(start);
                return self.scan.skip();
            }
            self.scan.skip()?;
        }
        self.close(members.is_empty())
    }

    /// The end of an object; the literals brought its opening bracket, if there were any.
    fn close(&mut self, empty: bool) -> Option<()> {
        if empty {
            self.scan.byte(b'{')?;
        }
        self.scan.byte(b'}')
    }

    fn source(&mut self, members: &Members<Part>, times: &mut Times) -> Option<()> {
        if self.scan.null() {
            return Some(());
        }
        for (literal, part) in members {
            self.scan.literal(literal)?;
            match part {
                Part::TsMs => times.source_ms = self.integer_or_null()?,
                Part::TsUs => times.source_us = self.integer_or_null()?,
                Part::ServerId => self.row.source.server_id = self.integer_or_null()?,
                Part::Pos => self.row.source.pos = self.integer_or_null()?,
                Part::Row => self.row.source.row = self.integer_or_null()?,
                Part::Gtid => self.row.source.gtid = self.text_or_null()?,
                Part::File => self.row.source.file = self.text_or_null()?,
                Part::Snapshot => self.row.source.snapshot = self.text_or_null()?,
                Part::Db => self.row.source.db = self.text_or_null()?,
                Part::Table => self.row.source.table = self.text_or_null()?,
                Part::Detail(at) if self.keeps.details => self.detail(*at)?,
                Part::Detail(_) | Part::Other => self.scan.skip()?,
            }
        }
        self.close(members.is_empty())
    }

    fn transaction(&mut self, members: &Members<TxPart>) -> Option<()> {
        if self.scan.null() {
            return Some(());
        }
        for (literal, part) in members {
            self.scan.literal(literal)?;
            match part {
                TxPart::Id => self.row.source.tx_id = self.text_or_null()?,
                TxPart::Detail(at) if self.keeps.details => self.detail(*at)?,
                TxPart::Detail(_) | TxPart::Other => self.scan.skip()?,
            }
        }
        self.close(members.is_empty())
    }

    fn op(&mut self) -> Option<Op> {
        let text = self.scan.text()?;
        Op::of(&self.value[text.start..text.end])
    }

    #[inline]
    fn integer_or_null(&mut self) -> Option<Option<i64>> {
        if self.scan.null() { Some(None) } else { self.scan.integer().map(Some) }
    }

    #[inline]
    fn text_or_null(&mut self) -> Option<Option<Span>> {
        if self.scan.null() {
            return Some(None);
        }
        let text = self.scan.text()?;
        self.keep(text).map(Some)
    }

    /// Where a string's content is: in the value, or unescaped in the arena.
    #[inline(always)]
    fn keep(&mut self, text: Text) -> Option<Span> {
        if !text.escaped {
            return Some(in_value(text.start, text.end));
        }
        let arena = &mut self.row.arena;
        let start = arena.len();
        unescape(&self.value[text.start..text.end], arena)?;
        Some(arena_span(start, arena.len() - start))
    }

    /// A value of the row image. Always a part of the loop over all of them.
    #[inline(always)]
    fn slot(&mut self, wire: Wire) -> Option<Slot> {
        if self.scan.null() {
            return Some(Slot::Null);
        }
        match wire {
            Wire::Int(_) | Wire::Date | Wire::Time(_) | Wire::Timestamp(_) | Wire::Duration(_) => {
                leaf::integer(wire, self.scan.integer()?).ok()
            }
            Wire::Text => {
                let text = self.scan.text()?;
                self.keep(text).map(Slot::Bytes)
            }
            Wire::Boolean => self.scan.boolean().map(Slot::Bool),
            Wire::Float32 | Wire::Float64 => {
                leaf::number(wire, self.scan.number()?, &mut self.row.arena).ok()
            }
            Wire::DecimalText(..) | Wire::ExactText(..) if self.scan.peek() != Some(b'"') => {
                leaf::number(wire, self.scan.number()?, &mut self.row.arena).ok()
            }
            Wire::Raw if matches!(self.scan.peek(), Some(b'{' | b'[')) => self.raw(),
            Wire::Json if self.scan.peek() != Some(b'"') => self.raw(),
            Wire::Json => {
                let text = self.scan.text()?;
                self.keep(text).map(Slot::Bytes)
            }
            Wire::VariableScale | Wire::Geometry => self.nested(wire),
            Wire::Raw | Wire::Untyped => None,
            Wire::DecimalBase64(..) | Wire::DecimalText(..) | Wire::Base64 => self.decoded(wire),
            Wire::ExactBase64(..) | Wire::ExactText(..) => self.decoded(wire),
            Wire::Zoned | Wire::IsoDate | Wire::IsoTime | Wire::IsoTimestamp => self.decoded(wire),
        }
    }

    /// A string that stands for something else; nobody escapes anything in it.
    fn decoded(&mut self, wire: Wire) -> Option<Slot> {
        let text = self.scan.text()?;
        if text.escaped {
            return None;
        }
        let span = in_value(text.start, text.end);
        leaf::text(wire, &self.value[text.start..text.end], span, &mut self.row.arena).ok()
    }

    /// A struct that stands for one value.
    fn nested(&mut self, wire: Wire) -> Option<Slot> {
        let start = self.scan.at();
        self.scan.skip()?;
        let json = simdutf8::basic::from_utf8(&self.value[start..self.scan.at()]).ok()?;
        nested::object(wire, json, &mut self.row.arena).ok()
    }

    fn raw(&mut self) -> Option<Slot> {
        let start = self.scan.at();
        self.scan.skip()?;
        Some(Slot::Bytes(in_value(start, self.scan.at())))
    }
}

/// The reader takes no value whose places do not fit u32.
fn in_value(start: usize, end: usize) -> Span {
    Span { source: SpanSource::Value, start: start as u32, len: (end - start) as u32 }
}
