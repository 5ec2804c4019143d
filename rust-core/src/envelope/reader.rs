//! The reader of one topic-partition: finds the plan of each record and reads it the fast way, or
//! else the slow way. Never keeps a record; keeps the plans, by the bytes of their schemas.
//!
//! Which records carry their schema is decided record by record: the value is a JSON object whose
//! keys are exactly `schema` and `payload` (what JsonConverter itself demands). With `schema` null,
//! and with any other keys, the record has none. JSON null, as value or as payload, is a tombstone.
//! Whether a record is a change event or a row of its own fields is decided by its keys, or by those
//! of its schema, as far as `input.format` leaves it open. A struct row says itself what it is.

mod rest;

use super::column_types::ColumnTypes;
use super::connect::Plain;
use super::control::{self, NOT_AN_EVENT};
use super::definitions::Definitions;
use super::described::{DescribedPlans, Meaning};
use super::event::Envelope;
use super::input::{Input, Parsed, Ways};
use super::json::{self, bad};
use super::key::KeyPlans;
use super::plain::{Keys, PlainPlan, PlainPlans};
use super::plan::{Keeps, Plan, Schemas};
use super::row::{Op, Row, Span};
use super::slow;
use super::structs::StructPlans;
use super::walker::walk;
use crate::config::InputFormat;
use crate::error::Result;
use crate::frame::RawRecord;
use crate::schema::TableSchema;
use std::sync::Arc;

/// Reads the records of one topic-partition.
#[derive(Debug)]
pub struct EnvelopeReader {
    described: DescribedPlans,
    /// Of change events without schema.
    plain: PlainPlans,
    keys: KeyPlans,
    /// Of other records without schema.
    flat: PlainPlans,
    structs: StructPlans,
    rest: Plain,
    input: Option<Input>,
    schemas: Schemas,
    keeps: Keeps,
    ways: Ways,
}

/// Where the plan of the record just read is.
#[derive(Clone, Copy)]
enum Found {
    Described,
    Plain,
    Flat,
    Struct,
    Tombstone,
    Skip(&'static str),
}

/// Never seen: a plan was just put where it is looked for.
pub(super) const LOST: &str = "the plan of this record is lost; please report this bug";
/// Spans count in u32, and unescaping and wide decimals may add to a value's length.
const MAX_VALUE: usize = 1 << 30;
/// The first byte of what Confluent's serializers write is 0; no JSON begins so.
const CONFLUENT: &str = "the value begins with the byte 0, as Avro of a schema registry does, which \
     this version does not read by itself: let the worker take it apart by setting value.converter \
     to io.confluent.connect.avro.AvroConverter (with value.converter.schema.registry.url), and \
     leave input.format at auto";
/// White space of JSON.
const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

impl EnvelopeReader {
    /// A reader of Debezium's JSON and nothing else; `columns_types` is `columns.types`. An unknown
    /// type name is an error of kind [`Config`](crate::error::Kind::Config).
    pub fn new(columns_types: &[(String, String)]) -> Result<Self> {
        Self::of(InputFormat::DebeziumJson, columns_types)
    }

    /// A reader of what `input.format` says.
    ///
    /// # Errors
    /// As for [`EnvelopeReader::new`].
    pub fn of(format: InputFormat, columns_types: &[(String, String)]) -> Result<Self> {
        let rest = match format {
            InputFormat::DebeziumJson => Plain::Refused,
            InputFormat::Auto | InputFormat::Connect => Plain::Taken,
            InputFormat::Json => Plain::Only,
        };
        let declared = Arc::new(ColumnTypes::parse(columns_types)?);
        Ok(Self {
            described: DescribedPlans::new(declared.clone(), rest),
            plain: PlainPlans::new(declared.clone()),
            flat: PlainPlans::new(declared.clone()),
            structs: StructPlans::new(declared.clone(), rest),
            keys: KeyPlans::new(declared),
            rest,
            input: None,
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

    /// Reads a record that is no struct row; see [`EnvelopeReader::read_in`].
    pub fn read(&mut self, record: &RawRecord<'_>, row: &mut Row) -> Result<Parsed<'_>> {
        self.read_in(&Definitions::default(), record, row)
    }

    /// Reads a record of the frame whose schemas are `frame` into `row`, which is cleared first.
    ///
    /// Fails with [`BadRecord`](crate::error::Kind::BadRecord), where the context pair `field` says
    /// where (`after.price`), or with [`Corrupt`](crate::error::Kind::Corrupt), which is the shim's
    /// fault. The caller adds topic, partition and offset. After an error the row holds nothing of
    /// use, and the next record can be read.
    pub fn read_in(
        &mut self,
        frame: &Definitions,
        record: &RawRecord<'_>,
        row: &mut Row,
    ) -> Result<Parsed<'_>> {
        row.clear();
        let Some(value) = record.value else { return Ok(Parsed::Tombstone) };
        let found = match self.read_struct(frame, value, row)? {
            Some(found) => found,
            None => self.read_json(value, row)?,
        };
        Ok(match found {
            Found::Described => match self.described.current() {
                Some(Meaning::Rows(plan)) => {
                    self.input = Some(Input::of(plan, true));
                    Parsed::Row(&plan.schema)
                }
                Some(Meaning::Skip(reason)) => Parsed::Skip(reason),
                None => return Err(bad(LOST)),
            },
            Found::Struct => match self.structs.current() {
                Some(Meaning::Rows(plan)) => {
                    let flat = plan.shape.is_flat();
                    self.input = Some(if flat { Input::Struct } else { Input::StructEvent });
                    Parsed::Row(&plan.schema)
                }
                Some(Meaning::Skip(reason)) => Parsed::Skip(reason),
                None => return Err(bad(LOST)),
            },
            Found::Plain | Found::Flat => {
                let is_flat = matches!(found, Found::Flat);
                let plans = if is_flat { &self.flat.plans } else { &self.plain.plans };
                let Some(PlainPlan { plan, .. }) = plans.current() else { return Err(bad(LOST)) };
                self.input = Some(Input::of(plan, false));
                Parsed::Row(&plan.schema)
            }
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

    /// What the last record that left a row was.
    pub fn input(&self) -> Option<Input> {
        self.input
    }

    /// How many records were read which way.
    pub fn ways(&self) -> Ways {
        self.ways
    }

    fn read_json(&mut self, value: &[u8], row: &mut Row) -> Result<Found> {
        if let Some(found) = self.fast(value, row) {
            self.ways.fast += 1;
            return Ok(found);
        }
        row.clear();
        let found = self.slow(value, row)?;
        self.ways.slow += 1;
        Ok(found)
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
        if self.plain.plans.find(plain).is_some() {
            return Some(Found::Plain);
        }
        let flat = |known: &PlainPlan| {
            row.clear();
            walk(&known.plan, value, (0, value.len()), row, keeps).is_some()
        };
        self.flat.plans.find(flat).map(|_| Found::Flat)
    }

    fn slow(&mut self, value: &[u8], row: &mut Row) -> Result<Found> {
        if value.len() > MAX_VALUE {
            return Err(bad(format!("the value is longer than {MAX_VALUE} bytes")));
        }
        if value.first() == Some(&0) {
            return Err(bad(CONFLUENT));
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
            Some(("null", payload)) => {
                self.read_plain(value, payload, &Envelope::open(payload)?, row)
            }
            Some((schema, payload)) => self.read_described(value, schema, payload, row),
            None => self.read_plain(value, json, &envelope, row),
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
        read_event(plan, payload, value, row, self.keeps).ok()?;
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
            read_event(plan, payload, value, row, self.keeps)?;
        }
        Ok(Found::Described)
    }

    fn read_plain(
        &mut self,
        value: &str,
        payload: &str,
        envelope: &Envelope<'_>,
        row: &mut Row,
    ) -> Result<Found> {
        let has = |name: &str| envelope.keys.iter().any(|key| key == name);
        let is_event = match self.rest {
            Plain::Refused => true,
            Plain::Taken => control::is_event(&has),
            Plain::Only => false,
        };
        let op = if is_event { envelope.op()? } else { None };
        let Some(op) = op else { return self.read_flat(value, payload, envelope, row) };
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

impl Input {
    /// What a JSON record of a plan is.
    fn of(plan: &Plan, described: bool) -> Self {
        if plan.shape.is_flat() { Self::Json(described) } else { Self::Debezium(described) }
    }
}

/// The bytes of a name; empty if there is none.
fn names<'a>(span: Option<Span>, row: &'a Row, value: &'a [u8]) -> &'a [u8] {
    span.map_or(&[], |span| row.bytes(span, value))
}

/// Reads a payload whose schema is known.
fn read_event(plan: &Plan, payload: &str, value: &str, row: &mut Row, keeps: Keeps) -> Result<()> {
    if plan.shape.is_flat() {
        return slow::flat(plan, payload, value, row);
    }
    let envelope = Envelope::open(payload)?;
    let op = envelope.op()?.ok_or_else(|| bad(NOT_AN_EVENT))?;
    envelope.source(value, row, keeps)?;
    slow::row(plan, &envelope, op, value, row, keeps)
}
