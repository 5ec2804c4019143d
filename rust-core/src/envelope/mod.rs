//! Room 2, envelope: in come raw records, out go parsed rows. Never keeps a record.
//!
//! Read in this order: `row` (what comes out), `reader` (who decides), `connect` and `plain` (where
//! plans come from), `plan`, `slow` (the reference), `walker` (the fast way), then the leaves.

mod column_types;
mod connect;
mod control;
mod decimal;
mod iso;
mod json;
mod leaf;
mod plain;
mod plan;
mod program;
mod reader;
mod recent;
mod row;
mod scan;
mod slow;
mod walker;
mod wire;

pub use reader::{EnvelopeReader, Parsed, Ways};
pub use row::{Op, Row, Slot, Source, Span, SpanSource};
