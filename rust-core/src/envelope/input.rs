//! What a record turned out to be: said once a topic, so that nobody has to guess what `auto` did.

use crate::schema::TableSchema;
use std::sync::Arc;

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

/// The form a record came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// A change event in JSON; whether it carries its schema.
    Debezium(bool),
    /// Any other JSON object; whether it carries its schema.
    Json(bool),
    /// A change event that a converter took apart.
    StructEvent,
    /// Any other struct.
    Struct,
}

impl Input {
    /// Its name, as in `docs/inputs.md`.
    pub fn name(self) -> &'static str {
        match self {
            Input::Debezium(true) => "Debezium JSON with schemas",
            Input::Debezium(false) => "Debezium JSON without schemas",
            Input::Json(true) => "plain JSON with its schema",
            Input::Json(false) => "plain JSON without a schema",
            Input::StructEvent => "Debezium envelopes, taken apart by a converter",
            Input::Struct => "plain structs, taken apart by a converter",
        }
    }
}
