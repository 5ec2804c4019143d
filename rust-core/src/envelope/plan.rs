//! A plan: how to read one kind of record, as data. In: the shape of the records (which keys, in
//! which order, spelled how). Out: what the two ways of reading follow. Never changes once made.

use super::extras::{Extra, extras};
use super::json::bad;
use super::program::Program;
use super::wire::Wire;
use crate::error::Result;
use crate::schema::{Column, ColumnKind, TableSchema};
use std::collections::HashMap;
use std::sync::Arc;

/// The keys of a kind of record, each list in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Keys of the envelope.
    pub(super) envelope: Vec<Arc<str>>,
    /// Fields of the row image.
    pub(super) fields: Vec<Field>,
    /// Keys of `source`.
    pub(super) source: Vec<Arc<str>>,
    /// Keys of `transaction`.
    pub(super) transaction: Vec<Arc<str>>,
}

/// What of an event is kept beside its row image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Keeps {
    /// The old row.
    pub(super) before: bool,
    /// The rest of the envelope.
    pub(super) details: bool,
}

/// One field of the row image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The column's name.
    pub(super) name: Arc<str>,
    /// How its values are spelled.
    pub(super) wire: Wire,
    /// What the column holds; `None` while nothing but null was seen: no column yet.
    pub(super) kind: Option<ColumnKind>,
}

impl Shape {
    /// Whether the record is the row itself: an envelope has at least its `op`.
    pub(super) fn is_flat(&self) -> bool {
        self.envelope.is_empty()
    }
}

/// How to read one kind of record.
#[derive(Debug)]
pub(super) struct Plan {
    /// The columns the slots stand for.
    pub(super) schema: Arc<TableSchema>,
    /// What it was made from.
    pub(super) shape: Shape,
    /// Slot of each field of the row image.
    pub(super) slots: Vec<Option<u32>>,
    /// What the walker follows; `None` = always the slow way.
    pub(super) program: Option<Program>,
    /// Of a row without envelope: columns that say what an envelope would.
    pub(super) extras: Box<[(u32, Extra)]>,
    /// Place in `shape.fields`, by name.
    index: HashMap<Arc<str>, usize>,
}

impl Plan {
    /// Makes the plan of a shape; `schema` is [`columns`] of the same shape. Two fields of one
    /// name are an error.
    pub(super) fn new(shape: Shape, schema: Arc<TableSchema>) -> Result<Self> {
        let mut index = HashMap::with_capacity(shape.fields.len());
        let mut slots = Vec::with_capacity(shape.fields.len());
        let mut next = 0;
        for (at, field) in shape.fields.iter().enumerate() {
            if index.insert(field.name.clone(), at).is_some() {
                return Err(bad(format!("two fields of the row are named {:?}", field.name)));
            }
            slots.push(field.kind.map(|_| next));
            next += u32::from(field.kind.is_some());
        }
        let program = Program::new(&shape);
        let extras = if shape.is_flat() { extras(&shape, &slots) } else { Box::default() };
        Ok(Self { schema, shape, slots, program, extras, index })
    }

    /// Place of a field of the row image.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }
}

/// The columns of a shape: its fields with a type.
pub(super) fn columns(shape: &Shape) -> TableSchema {
    let column = |f: &Field| f.kind.map(|kind| Column { name: f.name.clone(), kind });
    TableSchema { columns: shape.fields.iter().filter_map(column).collect() }
}

/// Table schemas seen, so that equal ones are the same `Arc` and can be told apart by pointer.
#[derive(Debug, Default)]
pub(super) struct Schemas(Vec<Arc<TableSchema>>);

/// Beyond so many versions the oldest is forgotten; if it comes again, it is merely a new `Arc`.
const SCHEMAS: usize = 64;

impl Schemas {
    /// The shared `Arc` of a schema.
    pub(super) fn intern(&mut self, schema: TableSchema) -> Arc<TableSchema> {
        if let Some(known) = self.0.iter().find(|known| ***known == schema) {
            return known.clone();
        }
        if self.0.len() == SCHEMAS {
            self.0.remove(0);
        }
        let schema = Arc::new(schema);
        self.0.push(schema.clone());
        schema
    }
}
