//! What the tests of the sink share: stores to test against and the rules every store must keep.
//!
//! Nothing here runs in production.

pub mod canned;
pub mod conformance;
pub mod connect;
pub mod faulty;
pub mod kafka;
pub mod memory;
pub mod readback;
pub mod said;
pub mod weed;

use std::io::Write as _;

/// Tells `scripts/test.sh` what a test saw, as `NAME=N …`: past the test harness, which would keep
/// it to itself.
pub fn counted(numbers: &str) {
    // A closed standard error is no reason to fail.
    _ = writeln!(std::io::stderr().lock(), "counted: {numbers}");
}

pub use conformance::conformance;
pub use faulty::{Doom, Fault, FaultyStore, Op, Request};
pub use memory::{Change, MemoryStore, Personality};
