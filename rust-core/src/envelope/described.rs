//! Plans for records that carry their schema. In: the bytes before the payload, or the schema
//! itself. Out: the plan, compiled once a schema: equal bytes are an equal schema.

use super::column_types::ColumnTypes;
use super::connect::{Described, Plain, describe};
use super::plan::{Plan, Schemas, columns};
use super::recent::Recent;
use super::slow::span_in;
use crate::error::Result;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// The schemas of one topic-partition.
#[derive(Debug)]
pub(super) struct DescribedPlans {
    /// The schema of the last record that had one is the current one.
    known: Recent<Known>,
    declared: Arc<ColumnTypes>,
    /// Logical names that were reported.
    reported: HashSet<String>,
    plain: Plain,
}

/// A schema, and what its records are.
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

/// What the records of a schema are.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Change events, or rows of their own fields.
    Rows(Box<Plan>),
    /// Not table data; the reason to count them under.
    Skip(&'static str),
}

/// Schemas kept; more tables and versions than this do not interleave in one topic-partition.
const KNOWN: usize = 32;

impl DescribedPlans {
    /// No schemas yet.
    pub(super) fn new(declared: Arc<ColumnTypes>, plain: Plain) -> Self {
        Self { known: Recent::new(KNOWN), declared, reported: HashSet::new(), plain }
    }

    /// What records that begin like this are, and how long the beginning is; the payload and one
    /// closing bracket follow. `None` for a beginning that was not seen before.
    #[inline]
    pub(super) fn by_prefix(&mut self, value: &[u8]) -> Option<(usize, &Meaning)> {
        let is = |known: &Known| known.is_prefix && value.starts_with(known.text.as_bytes());
        self.known.find(is).map(|known| (known.text.len(), &known.meaning))
    }

    /// What records of `schema` are; both pieces lie in `value`.
    pub(super) fn by_schema(
        &mut self,
        value: &str,
        schema: &str,
        payload: &str,
        schemas: &mut Schemas,
    ) -> Result<Option<&Meaning>> {
        if self.known.find(|known| &known.text[known.schema.clone()] == schema).is_none() {
            let meaning = self.learn(schema, schemas)?;
            let place = |piece: &str| span_in(value, piece).start as usize;
            let (schema_at, payload_at) = (place(schema), place(payload));
            self.known.insert(if schema_at < payload_at {
                let schema = schema_at..schema_at + schema.len();
                Known { text: value[..payload_at].into(), is_prefix: true, schema, meaning }
            } else {
                Known { text: schema.into(), is_prefix: false, schema: 0..schema.len(), meaning }
            });
        }
        Ok(self.current())
    }

    /// What the records of the schema that was asked for last are.
    pub(super) fn current(&self) -> Option<&Meaning> {
        self.known.current().map(|known| &known.meaning)
    }

    /// What records of a schema are, worked out anew.
    pub(super) fn learn(&mut self, schema: &str, schemas: &mut Schemas) -> Result<Meaning> {
        Ok(match describe(schema, &self.declared, self.plain)? {
            Described::Skip(reason) => Meaning::Skip(reason),
            Described::Rows { shape, unknown } => {
                for (column, name) in unknown {
                    if self.reported.insert(name.clone()) {
                        tracing::warn!(%column, %name, "unknown logical type: kept as it is sent");
                    }
                }
                let columns = schemas.intern(columns(&shape));
                Meaning::Rows(Box::new(Plan::new(shape, columns)?))
            }
        })
    }
}
