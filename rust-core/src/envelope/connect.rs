//! The schema that JsonConverter writes into each record. In: its JSON text. Out: the shape of the
//! records it describes, or why they are no rows. Defaults in it are not values and are ignored.

use super::column_types::ColumnTypes;
use super::control::{self, NOT_AN_EVENT};
use super::json::bad;
use super::plan::{Field, Shape};
use super::wire::typed;
use crate::error::Result;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// What becomes of records that are no change events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    /// They are bad.
    Refused,
    /// They are rows of their own fields.
    Taken,
    /// All are, change events too.
    Only,
}

/// What records of a schema are.
#[derive(Debug)]
pub(super) enum Described {
    /// Change events, or rows of their own fields: then the shape has no envelope.
    Rows {
        /// Their shape.
        shape: Shape,
        /// Columns whose logical name means nothing to us, or nothing in JSON text: to be reported.
        unknown: Vec<(Arc<str>, String)>,
    },
    /// Not table data; the reason it is counted under.
    Skip(&'static str),
}

/// A Connect schema as JsonConverter spells it; serde bounds its nesting.
#[derive(Debug, Deserialize)]
struct Schema {
    #[serde(rename = "type")]
    literal: String,
    name: Option<String>,
    #[serde(default)]
    parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    fields: Vec<Schema>,
    /// What arrays, and the values of maps, are made of.
    #[serde(default, alias = "values")]
    items: Option<Box<Schema>>,
    field: Option<String>,
}

/// Reads a schema's JSON text. Records that are no change events are rows of their own fields with
/// `plain` only.
pub(super) fn describe(json: &str, declared: &ColumnTypes, plain: Plain) -> Result<Described> {
    let schema: Schema = serde_json::from_str(json)
        .map_err(|cause| bad(format!("the schema is not one of Kafka Connect: {cause}")))?;
    let control = schema.name.as_deref().and_then(control::by_schema);
    if let (Some(reason), Plain::Refused | Plain::Taken) = (control, plain) {
        return Ok(Described::Skip(reason));
    }
    let is_event = match plain {
        Plain::Refused => schema.member("op").is_some(),
        Plain::Taken => control::is_event(&|name| schema.member(name).is_some()),
        Plain::Only => false,
    };
    if !is_event && plain == Plain::Refused {
        return Err(bad(NOT_AN_EVENT));
    }
    if !is_event && schema.literal != "struct" {
        return Err(bad(format!("the value is a bare {}, not a struct of fields", schema.literal)));
    }
    let image = match is_event {
        true => ["after", "before", "message"].iter().find_map(|name| schema.member(name)),
        false => Some(&schema),
    };
    let (fields, unknown) = fields_of(image.map_or(&[][..], |image| &image.fields), declared)?;
    if !is_event {
        return Ok(Described::Rows { shape: Shape { fields, ..Shape::default() }, unknown });
    }
    let shape = Shape {
        envelope: schema.names()?,
        fields,
        source: schema.member("source").map_or(Ok(Vec::new()), Schema::names)?,
        transaction: schema.member("transaction").map_or(Ok(Vec::new()), Schema::names)?,
    };
    Ok(Described::Rows { shape, unknown })
}

/// The fields of a key's schema.
pub(super) fn key_fields(json: &str, declared: &ColumnTypes) -> Result<Vec<Field>> {
    let schema: Schema = serde_json::from_str(json)
        .map_err(|cause| bad(format!("the key's schema is not one of Kafka Connect: {cause}")))?;
    if schema.literal != "struct" {
        return Err(bad(format!("the key is a bare {}, not a struct of columns", schema.literal)));
    }
    fields_of(&schema.fields, declared).map(|(fields, _)| fields)
}

/// Fields as they are read, and those whose logical name means nothing to us.
type Fields = (Vec<Field>, Vec<(Arc<str>, String)>);

fn fields_of(schemas: &[Schema], declared: &ColumnTypes) -> Result<Fields> {
    let (mut fields, mut unknown) = (Vec::new(), Vec::new());
    for field in schemas {
        let name = field.field_name()?;
        let parameters = field.parameters.as_ref();
        let typed =
            typed(&field.literal, field.name.as_deref(), parameters.unwrap_or(&HashMap::new()))
                .map_err(|reason| bad(format!("schema: {reason}")).with("field", &name))?;
        let typed = declared.plainer(&name, &field.literal, typed);
        match &field.name {
            Some(logical) if !typed.known => unknown.push((name.clone(), logical.clone())),
            None => unknown.extend(field.within().map(|logical| (name.clone(), logical.clone()))),
            Some(_) => {}
        }
        fields.push(Field { name, wire: typed.wire, kind: Some(typed.kind) });
    }
    Ok((fields, unknown))
}

impl Schema {
    fn member(&self, name: &str) -> Option<&Schema> {
        self.fields.iter().find(|f| f.field.as_deref() == Some(name))
    }

    /// A logical name of what an array, map or struct is made of.
    fn within(&self) -> Option<&String> {
        let parts = self.items.as_deref().into_iter().chain(&self.fields);
        parts.into_iter().find_map(|part| part.name.as_ref().or_else(|| part.within()))
    }

    fn names(&self) -> Result<Vec<Arc<str>>> {
        self.fields.iter().map(Schema::field_name).collect()
    }

    fn field_name(&self) -> Result<Arc<str>> {
        self.field.as_deref().map(Arc::from).ok_or_else(|| bad("schema: a field has no name"))
    }
}
