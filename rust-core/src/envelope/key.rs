//! A tombstone as a row. In: the record's key. Out: the key's columns; all of their bytes are in the
//! row's arena, since such a record has no value. Without a key there are no columns.

use super::column_types::ColumnTypes;
use super::connect::key_fields;
use super::json::{self, bad, each};
use super::plain::shown;
use super::plan::{Field, Plan, Schemas, Shape, columns};
use super::recent::Recent;
use super::row::{Row, Slot, SpanSource};
use super::slow::image;
use super::wire::Wire;
use crate::error::Result;
use crate::schema::TableSchema;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The keys of one topic-partition.
#[derive(Debug)]
pub(super) struct KeyPlans {
    declared: Arc<ColumnTypes>,
    /// By the text of the schema; without schema, by the types.
    plans: Recent<(String, Plan)>,
}

/// Plans kept.
const PLANS: usize = 16;
/// What ByLogicalTableRouter adds to a key: no column of the table.
const ADDED: &str = "__dbz__";
/// A key that says there is none.
const NONE: &str = "null";
const NOTHING: &str = "{}";

impl KeyPlans {
    /// No keys yet.
    pub(super) fn new(declared: Arc<ColumnTypes>) -> Self {
        Self { declared, plans: Recent::new(PLANS) }
    }

    /// Reads a key into the slots of a row.
    pub(super) fn read(
        &mut self,
        key: Option<&[u8]>,
        row: &mut Row,
        schemas: &mut Schemas,
    ) -> Result<&Arc<TableSchema>> {
        let key = simdutf8::compat::from_utf8(key.unwrap_or(NOTHING.as_bytes()))
            .map_err(|cause| bad(format!("the key is not UTF-8: {cause}")))?;
        json::check_depth(key, 0)?;
        let (schema, payload) = if key.trim() == NONE { (None, NOTHING) } else { apart(key)? };
        let payload = if payload == NONE { NOTHING } else { payload };
        let text = schema.map_or_else(String::new, str::to_owned);
        let fields = match schema {
            Some(_) if self.plans.find(|(known, _)| *known == text).is_some() => None,
            Some(schema) => Some(key_fields(schema, &self.declared)?),
            None => Some(self.shown_fields(payload)?),
        };
        if let Some(mut fields) = fields {
            for field in fields.iter_mut().filter(|field| field.name.starts_with(ADDED)) {
                field.kind = None;
            }
            let shape = Shape { fields, ..Shape::default() };
            let columns = schemas.intern(columns(&shape));
            self.plans.insert((text, Plan::new(shape, columns)?));
        }
        let Some((_, plan)) = self.plans.current() else { return Err(bad(super::reader::LOST)) };
        // Its pieces are found by their place in the key.
        let whole: &RawValue = serde_json::from_str(payload)
            .map_err(|cause| bad(format!("the key is not JSON: {cause}")))?;
        let Row { slots, arena, .. } = row;
        image(plan, ("key", whole), key, slots, arena)?;
        for slot in slots {
            if let Slot::Bytes(span) = slot
                && span.source == SpanSource::Value
            {
                let (from, len) = (span.start as usize, span.len as usize);
                span.start = arena.len() as u32;
                span.source = SpanSource::Arena;
                arena.extend_from_slice(&key.as_bytes()[from..from + len]);
            }
        }
        Ok(&plan.schema)
    }

    /// The fields of a key without schema, with the types that its values show.
    fn shown_fields(&self, payload: &str) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        each(payload, "the key", &mut |name, raw| {
            let typed = self.declared.get(&name).or_else(|| shown(raw.get(), None));
            let (wire, kind) =
                typed.map_or((Wire::Untyped, None), |(wire, kind)| (wire, Some(kind)));
            fields.push(Field { name: name.into(), wire, kind });
            Ok(())
        })?;
        Ok(fields)
    }
}

/// Schema and payload of a key; both are pieces of it.
fn apart(key: &str) -> Result<(Option<&str>, &str)> {
    let (mut schema, mut payload, mut others) = (None, None, 0);
    each(key, "the key", &mut |name, raw| {
        match &*name {
            "schema" => schema = Some(raw.get()),
            "payload" => payload = Some(raw.get()),
            _ => others += 1,
        }
        Ok(())
    })?;
    Ok(match (schema, payload, others) {
        (Some("null"), Some(payload), 0) => (None, payload),
        (Some(schema), Some(payload), 0) => (Some(schema), payload),
        _ => (None, key),
    })
}
