//! Room 2, envelope: in come raw records, out go parsed rows. Never keeps a record.
//!
//! Read in this order: `row` (what comes out), `reader` (who decides), `described` and `plain`
//! (where plans come from), `plan`, `slow` (the reference), `walker` (the fast way), `details` (what
//! only envelopes keep), `key` (tombstones), `definitions`, `structs`, `struct_rows` and `items` (what
//! a converter took apart), then the leaves.
//!
//! # Rules
//!
//! - The row image is `after` for c, u and r, `before` for d, `message` for m, if it is there; t has
//!   none, all is null. Without its image an event is bad. The old row is `before` of c, u, r and d,
//!   kept and checked like the image where it is asked for. What is not kept is skipped, but must be
//!   JSON.
//! - A column that the old row lacks is null, like one that is null: JsonConverter writes all fields
//!   of a schema, so nobody behind it can tell the two apart.
//! - Nothing kept goes unchecked, nothing is rounded, wrapped or cut: integers keep to the width of
//!   their column, decimals to their digits, base64 and UTF-8 are whole, nanoseconds must be whole
//!   microseconds, the text of an instant has at most microseconds (further digits are zeros).
//! - A time of day lies within the day. MySQL's TIME can be a duration: such a value is bad.
//! - JSON integers will do for floats, numbers for decimals (`decimal.format=NUMERIC`), the strings
//!   `NaN`, `Infinity` and `-Infinity` for floats. A Java float is read as the float it was.
//! - A decimal that does not say its digits has 38. What no decimal column of 38 digits holds is
//!   its exact text: wider ones, those with a negative scale, those with a scale of their own.
//! - A geometry is extended WKB: its SRID is in its bytes.
//! - An unknown logical name is reported once and falls back to its literal type; structs, arrays
//!   and maps land as their JSON text. `docs/types.md` has every name.
//! - A kept key that comes twice is bad, in the envelope, in the row, in `source` and `transaction`.
//!   A field of the row that its schema does not name is bad: it would be lost. Other unknown keys
//!   are left out. A column that is absent is null. Defaults of the schema are never values.
//! - Nesting ends at 128 levels, a value at 1 GiB.
//! - `__debezium.unavailable.value` passes as the text or bytes it is sent as.

mod column_types;
mod connect;
mod control;
mod decimal;
mod definitions;
mod described;
mod details;
mod event;
mod exact;
mod extras;
mod input;
mod iso;
mod items;
mod json;
mod key;
mod leaf;
mod nested;
mod plain;
mod plan;
mod program;
mod reader;
mod recent;
mod row;
mod scan;
mod slow;
mod struct_rows;
mod structs;
mod walker;
mod wire;

pub use definitions::Definitions;
pub use details::DETAILS;
pub use input::{Input, Parsed, Ways};
pub use reader::EnvelopeReader;
pub use row::{Op, Row, Slot, Source, Span, SpanSource};
