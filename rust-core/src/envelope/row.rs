//! The type at the door of room 2: one parsed record, ready to be appended to columns.
//!
//! A [`Row`] is scratch space: it is cleared and filled again for each record, so that parsing
//! allocates nothing per record. Text and bytes are [`Span`]s into the record's value (the frame's
//! own memory) or, when they had to be unescaped or decoded, into the row's arena.

/// A place in the record's value bytes or in the row's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where the bytes are.
    pub source: SpanSource,
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

/// Which memory a [`Span`] points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanSource {
    /// The record's value, as it came.
    Value,
    /// The row's arena: unescaped text, decoded base64, wide decimals.
    Arena,
}

/// The value of one column of one row, in the unit of its column's type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slot {
    /// SQL NULL, or the column is absent from this event.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integers; dates in days since 1970; times in µs of the day; timestamps in µs since 1970.
    Int(i64),
    /// Float32 and Float64.
    Float(f64),
    /// The unscaled value of a decimal of up to 38 digits.
    Decimal(i128),
    /// Text (valid UTF-8), binary, or the 32 little-endian bytes of a wider decimal.
    Bytes(Span),
}

/// What the event did (Debezium's `op`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `c`: insert.
    Create,
    /// `u`: update.
    Update,
    /// `d`: delete; the row image is `before`.
    Delete,
    /// `r`: read by a snapshot.
    Read,
    /// `t`: truncate; no row image.
    Truncate,
    /// `m`: logical message; no row image.
    Message,
}

impl Op {
    /// The op of a letter, if it is one's.
    pub(crate) fn of(letter: &[u8]) -> Option<Self> {
        Some(match letter {
            b"c" => Op::Create,
            b"u" => Op::Update,
            b"d" => Op::Delete,
            b"r" => Op::Read,
            b"t" => Op::Truncate,
            b"m" => Op::Message,
            _ => return None,
        })
    }

    /// Debezium's letter.
    pub fn letter(self) -> &'static str {
        match self {
            Op::Create => "c",
            Op::Update => "u",
            Op::Delete => "d",
            Op::Read => "r",
            Op::Truncate => "t",
            Op::Message => "m",
        }
    }
}

/// The envelope's own fields, those that become `_` columns or serve as event time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Source {
    /// `source.ts_us` (else `source.ts_ms` × 1,000), µs since 1970: when the database changed.
    pub ts_us: Option<i64>,
    /// The envelope's `ts_us` (else `ts_ms` × 1,000), µs since 1970: when Debezium saw it.
    pub envelope_ts_us: Option<i64>,
    /// `source.server_id`.
    pub server_id: Option<i64>,
    /// `source.gtid`.
    pub gtid: Option<Span>,
    /// `source.file`.
    pub file: Option<Span>,
    /// `source.pos`.
    pub pos: Option<i64>,
    /// `source.row`.
    pub row: Option<i64>,
    /// `source.snapshot`, as sent (`false`, `first`, `last`, …).
    pub snapshot: Option<Span>,
    /// `source.db`.
    pub db: Option<Span>,
    /// `source.table`.
    pub table: Option<Span>,
    /// `transaction.id`.
    pub tx_id: Option<Span>,
}

/// One parsed record.
#[derive(Debug, Default)]
pub struct Row {
    /// What the event did; `None` for a row of which nothing says so.
    pub op: Option<Op>,
    /// One slot a column of the schema the record was read with, in its order.
    pub slots: Vec<Slot>,
    /// The old row, slot for slot as above: what the envelope's `before` holds, if it is wanted and
    /// there; else empty.
    pub before: Vec<Slot>,
    /// Whether there is an old row: one of a table without columns has no slots either.
    pub has_before: bool,
    /// The envelope's own fields.
    pub source: Source,
    /// More of them, one slot for each of [`DETAILS`](super::DETAILS), where they are kept; else
    /// empty.
    pub details: Vec<Slot>,
    /// Backing memory of [`SpanSource::Arena`].
    pub arena: Vec<u8>,
}

impl Row {
    /// Empties the row for the next record, keeping its memory.
    pub fn clear(&mut self) {
        self.op = None;
        self.slots.clear();
        self.before.clear();
        self.has_before = false;
        self.source = Source::default();
        self.details.clear();
        self.arena.clear();
    }

    /// The bytes of a span; `value` is the value of the record this row was read from.
    pub fn bytes<'a>(&'a self, span: Span, value: &'a [u8]) -> &'a [u8] {
        let memory = match span.source {
            SpanSource::Value => value,
            SpanSource::Arena => &self.arena,
        };
        &memory[span.start as usize..(span.start + span.len) as usize]
    }
}
