//! The reader of one topic-partition: finds the plan of each record and reads it the fast way, or
//! else the slow way. Never keeps a record; keeps the plans, by the bytes of their schemas.
//!
//! Which records carry their schema is decided record by record: the value is a JSON object whose
//! keys are exactly `schema` and `payload` (what JsonConverter itself demands). With `schema` null,
//! and with any other keys, the record has none. JSON null, as value or as payload, is a tombstone.

use super::column_types::ColumnTypes;
use super::connect::{Described, describe};
use super::control::{self, NOT_AN_EVENT};
use super::json::{self, bad};
use super::plain::{Keys, PlainPlans};
use super::plan::{Plan, Schemas, columns};
use super::row::{Op, Row, Slot, Span};
use super::slow::{self, Envelope};
use crate::error::Result;
use crate::frame::RawRecord;
use crate::schema::TableSchema;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Reads the records of one topic-partition.
#[derive(Debug)]
pub struct EnvelopeReader {
    /// Last used first.
    described: Vec<Known>,
    plain: PlainPlans,
    schemas: Schemas,
    /// Logical names that were reported.
    reported: HashSet<String>,
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

/// Records of one schema.
#[derive(Debug)]
struct Known {
    /// What precedes the payload, byte for byte; when the payload precedes, the schema alone.
    text: Box<str>,
    /// Whether `text` is a prefix of values.
    is_prefix: bool,
    /// The schema's place in `text`.
    schema: Range<usize>,
    meaning: Meaning,
}

#[derive(Debug)]
enum Meaning {
    Rows(Plan),
    Skip(&'static str),
}

/// Where the plan of the record just read is.
enum Found {
    Described,
    Plain,
    Tombstone,
    Skip(&'static str),
}

/// Schemas kept; more tables and versions than this do not interleave in one topic-partition.
const DESCRIBED: usize = 32;
/// Spans count in u32, and unescaping and wide decimals may add to a value's length.
const MAX_VALUE: usize = 1 << 30;

impl EnvelopeReader {
    /// A reader; `columns_types` is `columns.types`, for records without schema. An unknown type
    /// name is an error of kind [`Config`](crate::error::Kind::Config).
    pub fn new(columns_types: &[(String, String)]) -> Result<Self> {
        Ok(Self {
            described: Vec::new(),
            plain: PlainPlans::new(ColumnTypes::parse(columns_types)?),
            schemas: Schemas::default(),
            reported: HashSet::new(),
            ways: Ways::default(),
        })
    }

    /// Reads a record into `row`, which is cleared first.
    ///
    /// Fails with [`BadRecord`](crate::error::Kind::BadRecord) only; the context pair `field` says
    /// where (`after.price`). The caller adds topic, partition and offset. After an error the row
    /// holds nothing of use, and the next record can be read.
    pub fn read(&mut self, record: &RawRecord<'_>, row: &mut Row) -> Result<Parsed<'_>> {
        row.clear();
        let Some(value) = record.value else { return Ok(Parsed::Tombstone) };
        let found = self.slow(value, row)?;
        self.ways.slow += 1;
        Ok(match found {
            Found::Described => match &self.described[0].meaning {
                Meaning::Rows(plan) => Parsed::Row(&plan.schema),
                Meaning::Skip(reason) => Parsed::Skip(reason),
            },
            Found::Plain => Parsed::Row(&self.plain.plans[0].plan.schema),
            Found::Tombstone => Parsed::Tombstone,
            Found::Skip(reason) => Parsed::Skip(reason),
        })
    }

    /// How many records were read which way.
    pub fn ways(&self) -> Ways {
        self.ways
    }

    fn slow(&mut self, value: &[u8], row: &mut Row) -> Result<Found> {
        if value.len() > MAX_VALUE {
            return Err(bad(format!("the value is longer than {MAX_VALUE} bytes")));
        }
        let value = std::str::from_utf8(value)
            .map_err(|cause| bad(format!("the value is not UTF-8: {cause}")))?;
        let whole = json::whole(value)?.get();
        if whole == "null" {
            return Ok(Found::Tombstone);
        }
        let (mut schema, mut payload, mut others) = (None, None, false);
        json::each(whole, "the value", &mut |key, raw| {
            match &*key {
                "schema" => others |= schema.replace(raw.get()).is_some(),
                "payload" => others |= payload.replace(raw.get()).is_some(),
                _ => others = true,
            }
            Ok(())
        })?;
        match (schema, payload) {
            (Some("null"), Some(payload)) if !others => self.read_plain(value, payload, row),
            (Some(schema), Some(payload)) if !others => {
                self.read_described(value, schema, payload, row)
            }
            _ => self.read_plain(value, whole, row),
        }
    }

    fn read_described(
        &mut self,
        value: &str,
        schema: &str,
        payload: &str,
        row: &mut Row,
    ) -> Result<Found> {
        match self.described.iter().position(|k| &k.text[k.schema.clone()] == schema) {
            Some(at) => self.described[..=at].rotate_right(1),
            None => {
                let known = self.describe(value, schema, payload)?;
                self.described.truncate(DESCRIBED - 1);
                self.described.insert(0, known);
            }
        }
        if payload == "null" {
            return Ok(Found::Tombstone);
        }
        if let Meaning::Rows(plan) = &self.described[0].meaning {
            let envelope = Envelope::open(payload)?;
            let op = envelope.op()?.ok_or_else(|| bad(NOT_AN_EVENT))?;
            envelope.source(value, row)?;
            fill(plan, &envelope, op, value, row)?;
        }
        Ok(Found::Described)
    }

    fn describe(&mut self, value: &str, schema: &str, payload: &str) -> Result<Known> {
        let meaning = match describe(schema)? {
            Described::Skip(reason) => Meaning::Skip(reason),
            Described::Rows { shape, unknown } => {
                for (column, name) in unknown {
                    if self.reported.insert(name.clone()) {
                        tracing::warn!(%column, %name, "unknown logical type: kept as it is sent");
                    }
                }
                let columns = self.schemas.intern(columns(&shape));
                Meaning::Rows(Plan::new(shape, columns)?)
            }
        };
        let place = |piece: &str| slow::span_in(value, piece).start as usize;
        let (schema_at, payload_at) = (place(schema), place(payload));
        Ok(if schema_at < payload_at {
            let schema = schema_at..schema_at + schema.len();
            Known { text: value[..payload_at].into(), is_prefix: true, schema, meaning }
        } else {
            Known { text: schema.into(), is_prefix: false, schema: 0..schema.len(), meaning }
        })
    }

    fn read_plain(&mut self, value: &str, payload: &str, row: &mut Row) -> Result<Found> {
        if payload == "null" {
            return Ok(Found::Tombstone);
        }
        let envelope = Envelope::open(payload)?;
        let Some(op) = envelope.op()? else {
            let keys: Vec<_> = envelope.keys.iter().map(|key| &**key).collect();
            return control::by_keys(&keys).map(Found::Skip).ok_or_else(|| bad(NOT_AN_EVENT));
        };
        let [source, transaction] = envelope.source(value, row)?;
        let name = |span: Option<Span>| {
            span.map_or(Vec::new(), |span| row.bytes(span, value.as_bytes()).to_vec())
        };
        let table = (name(row.source.db), name(row.source.table));
        let keys = Keys { envelope: &envelope.keys, source: &source, transaction: &transaction };
        self.plain.plan_for(table, &keys, envelope.image(op)?, &mut self.schemas)?;
        fill(&self.plain.plans[0].plan, &envelope, op, value, row)?;
        Ok(Found::Plain)
    }
}

fn fill(plan: &Plan, envelope: &Envelope<'_>, op: Op, value: &str, row: &mut Row) -> Result<()> {
    row.op = Some(op);
    match envelope.image(op)? {
        Some(image) => slow::image(plan, image, value, row),
        None => {
            row.slots.resize(plan.schema.columns.len(), Slot::Null);
            Ok(())
        }
    }
}
