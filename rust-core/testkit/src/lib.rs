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
pub mod weed;

pub use conformance::conformance;
pub use faulty::{Fault, FaultyStore, Op, Request};
pub use memory::{MemoryStore, Personality};
