//! Room 2, envelope: in come raw records, out go parsed rows. Never keeps a record.

mod row;

pub use row::{Op, Row, Slot, Source, Span, SpanSource};
