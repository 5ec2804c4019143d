//! What the tests of the sink share: stores to test against and the rules every store must keep.
//!
//! Nothing here runs in production.

pub mod faulty;
pub mod memory;

pub use faulty::{Fault, FaultyStore, Op, Request};
pub use memory::{MemoryStore, Personality};
