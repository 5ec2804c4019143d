//! The reader of one topic-partition: finds the plan of each record and reads it the fast way, or
//! else the slow way. Never keeps a record; keeps the plans, by the bytes of their schemas.
//!
//! Which records carry their schema is decided record by record: the value is a JSON object whose
//! keys are exactly `schema` and `payload` (what JsonConverter itself demands). With `schema` null,
//! and with any other keys, the record has none. JSON null, as value or as payload, is a tombstone.

use super::column_types::ColumnTypes;
use super::control::{self, NOT_AN_EVENT};
use super::described::{DescribedPlans, Meaning};
use super::event::Envelope;
use super::json::{self, bad};
use super::key::KeyPlans;
use super::plain::{Keys, PlainPlan, PlainPlans};
use super::plan::{Keeps, Plan, Schemas};
use super::row::{Op, Row, Span};
use super::slow;
use super::walker::walk;
use crate::error::Result;
use crate::frame::RawRecord;
use crate::schema::TableSchema;
use std::sync::Arc;

/// Reads the records of one topic-partition.
#[derive(Debug)]
pub struct EnvelopeReader {
    described: DescribedPlans,
    plain: PlainPlans,
    keys: KeyPlans,
    schemas: Schemas,
    keeps: Keeps,
    ways: Ways,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parsed<'r> {
    /// A row: the slots stand for these columns. The same `Arc` as last time = the same schema;
    /// equal schemas are the same `Arc` but for the rarest of cases.
    Row(&'r Arc<TableSchema>),
    /// A null value: the row of this key is gone (the delete came before it).
    Tombstone,
    /// No table data; the reason to count it under.
    Skip(&'static str),
}

/// How many records were read which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ways {
    /// By the walker.
    pub fast: u64,
    /// By serde: any spelling, five times the price.
    pub slow: u64,
}

/// Where the plan of the record just read is.
enum Found {
    Described,
    Plain,
    Tombstone,
    Skip(&'static str),
}

/// Never seen: a plan was just put where it is looked for.
pub(super) const LOST: &str = "the plan of this record is lost; please report this bug";
/// Spans count in u32, and unescaping and wide decimals may add to a value's length.
const MAX_VALUE: usize = 1 << 30;
/// White space of JSON.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

impl EnvelopeReader {
    /// A reader; `columns_types` is `columns.types`. An unknown type name is an error of kind
    /// [`Config`](crate::error::Kind::Config).
    pub fn new(columns_types: &[(String, String)]) -> Result<Self> {
        let declared = Arc::new(ColumnTypes::parse(columns_types)?);
        Ok(Self {
            described: DescribedPlans::new(declared.clone()),
            plain: PlainPlans::new(declared.clone()),
            keys: KeyPlans::new(declared),
            schemas: Schemas::default(),
            keeps: Keeps::default(),
            ways: Ways::default(),
        })
    }

    /// Whether the old row (`before`) is read too. It is not looked into otherwise.
    pub fn keeping_before(mut self, keeps: bool) -> Self {
        self.keeps.before = keeps;
        self
    }

    /// Whether the row's details are read too.
    pub fn keeping_details(mut self, keeps: bool) -> Self {
        self.keeps.details = keeps;
        self
    }

    /// Reads a record into `row`, which is cleared first.
    ///
    /// Fails with [`BadRecord`](crate::error::Kind::BadRecord) only; the context pair `field` says
    /// where (`after.price`). The caller adds topic, partition and offset. After an error the row
    /// holds nothing of use, and the next record can be read.
    pub fn read(&mut self, record: &RawRecord<'_>, row: &mut Row) -> Result<Parsed<'_>> {
        row.clear();
        let Some(value) = record.value else { return Ok(Parsed::Tombstone) };
        let found = match self.fast(value, row) {
            Some(found) => {
                self.ways.fast += 1;
                found
            }
            None => {
                row.clear();
                let found = self.slow(value, row)?;
                self.ways.slow += 1;
                found
            }
        };
        Ok(match found {
            Found::Described => match self.described.current() {
                Some(Meaning::Rows(plan)) => Parsed::Row(&plan.schema),
                Some(Meaning::Skip(reason)) => Parsed::Skip(reason),
                None => return Err(bad(LOST)),
            },
            Found::Plain => match self.plain.plans.current() {
                Some(known) => Parsed::Row(&known.plan.schema),
                None => return Err(bad(LOST)),
            },
            Found::Tombstone => Parsed::Tombstone,
            Found::Skip(reason) => Parsed::Skip(reason),
        })
    }

    /// Reads the key of a tombstone into `row`, which is cleared first: the columns of the row that
    /// is gone. It has no `op`.
    ///
    /// # Errors
    /// `BadRecord`: the key is no JSON object, or a value of it does not fit.
    pub fn read_key(&mut self, key: Option<&[u8]>, row: &mut Row) -> Result<&Arc<TableSchema>> {
        row.clear();
        self.keys.read(key, row, &mut self.schemas)
    }

    /// How many records were read which way.
    pub fn ways(&self) -> Ways {
        self.ways
    }

    fn fast(&mut self, value: &[u8], row: &mut Row) -> Option<Found> {
        if value.len() > MAX_VALUE {
            return None;
        }
        if let Some((prefix, meaning)) = self.described.by_prefix(value) {
            let Meaning::Rows(plan) = meaning else { return None };
            let (b'}', before) = value.split_last()? else { return None };
            walk(plan, value, (prefix, before.len()), row, self.keeps)?;
            return Some(Found::Described);
        }
        let keeps = self.keeps;
        let plain = |known: &PlainPlan| {
            row.clear();
            walk(&known.plan, value, (0, value.len()), row, keeps).is_some()
                && !matches!(row.op, Some(Op::Truncate | Op::Message))
                && names(row.source.db, row, value) == known.table.0
                && names(row.source.table, row, value) == known.table.1
        };
        self.plain.plans.find(plain).map(|_| Found::Plain)
    }

    fn slow(&mut self, value: &[u8], row: &mut Row) -> Result<Found> {
        if value.len() > MAX_VALUE {
            return Err(bad(format!("the value is longer than {MAX_VALUE} bytes")));
        }
        let value = simdutf8::compat::from_utf8(value)
            .map_err(|cause| bad(format!("the value is not UTF-8: {cause}")))?;
        if let Some(found) = self.read_known(value, row) {
            return Ok(found);
        }
        row.clear();
        let json = value.trim_matches(SPACE);
        if json == "null" {
            return Ok(Found::Tombstone);
        }
        json::check_depth(json, 0)?;
        let envelope = Envelope::open(json)?;
        match envelope.wrapped() {
            Some((_, "null")) => Ok(Found::Tombstone),
            Some(("null", payload)) => self.read_plain(value, &Envelope::open(payload)?, row),
            Some((schema, payload)) => self.read_described(value, schema, payload, row),
            None => self.read_plain(value, &envelope, row),
        }
    }

    /// Reads a record whose schema is known and lies before the payload; `None` if it has none, or
    /// is bad: the longer way says why.
    fn read_known(&mut self, value: &str, row: &mut Row) -> Option<Found> {
        let (prefix, Meaning::Rows(plan)) = self.described.by_prefix(value.as_bytes())? else {
            return None;
        };
        let payload = value[prefix..].trim_end_matches(SPACE).strip_suffix('}')?;
        json::check_depth(payload, 1).ok()?;
        read_event(plan, &Envelope::open(payload).ok()?, value, row, self.keeps).ok()?;
        Some(Found::Described)
    }

    fn read_described(
        &mut self,
        value: &str,
        schema: &str,
        payload: &str,
        row: &mut Row,
    ) -> Result<Found> {
        let meaning = self.described.by_schema(value, schema, payload, &mut self.schemas)?;
        if let Some(Meaning::Rows(plan)) = meaning {
            read_event(plan, &Envelope::open(payload)?, value, row, self.keeps)?;
        }
        Ok(Found::Described)
    }

    fn read_plain(&mut self, value: &str, envelope: &Envelope<'_>, row: &mut Row) -> Result<Found> {
        let Some(op) = envelope.op()? else {
            let keys: Vec<_> = envelope.keys.iter().map(|key| &**key).collect();
            return control::by_keys(&keys).map(Found::Skip).ok_or_else(|| bad(NOT_AN_EVENT));
        };
        let [source, transaction] = envelope.source(value, row, self.keeps)?;
        let name = |span| names(span, row, value.as_bytes()).to_vec();
        let table = (name(row.source.db), name(row.source.table));
        let keys = Keys { envelope: &envelope.keys, source: &source, transaction: &transaction };
        let old = envelope.old(op).filter(|_| self.keeps.before).map(|old| ("before", old));
        let images = [envelope.image(op)?, old.filter(|_| op != Op::Delete)];
        self.plain.plan_for(table, &keys, images, &mut self.schemas)?;
        let known = self.plain.plans.current().ok_or_else(|| bad(LOST))?;
        slow::row(&known.plan, envelope, op, value, row, self.keeps)?;
        Ok(Found::Plain)
    }
}

/// The bytes of a name; empty if there is none.
fn names<'a>(span: Option<Span>, row: &'a Row, value: &'a [u8]) -> &'a [u8] {
    span.map_or(&[], |span| row.bytes(span, value))
}

fn read_event(
    plan: &Plan,
    envelope: &Envelope<'_>,
    value: &str,
    row: &mut Row,
    keeps: Keeps,
) -> Result<()> {
    let op = envelope.op()?.ok_or_else(|| bad(NOT_AN_EVENT))?;
    envelope.source(value, row, keeps)?;
    slow::row(plan, envelope, op, value, row, keeps)
}
