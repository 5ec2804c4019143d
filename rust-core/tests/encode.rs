//! Rows into files and back, through the doors of buffer and encode alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

#[path = "encode/atomic.rs"]
mod atomic;
#[path = "encode/cells.rs"]
mod cells;
#[path = "encode/files.rs"]
mod files;
#[path = "encode/layout.rs"]
mod layout;
#[path = "encode/lines.rs"]
mod lines;
#[path = "encode/memory.rs"]
mod memory;
#[path = "encode/old_row.rs"]
mod old_row;
#[path = "encode/options.rs"]
mod options;
#[path = "encode/round_trip.rs"]
mod round_trip;
#[path = "encode/sample.rs"]
mod sample;
#[path = "encode/text.rs"]
mod text;
