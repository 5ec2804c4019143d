//! The pipeline of the Alluvium sink, in the order of the data.
//!
//! Records enter as bytes, pass these rooms in one direction and leave as committed files; offsets
//! come back only from the last room. No jni, no statics, no wall clock, no environment here.

// What everything stands on.
pub mod error;
pub mod pause;
pub mod position;

// The rooms, in the order of the data.
pub mod config;
pub mod frame;
pub mod envelope;
pub mod schema;
pub mod event_time;
pub mod partition;
pub mod columns;
pub mod buffer;
pub mod roll;
pub mod encode;
pub mod upload;
pub mod commit;
pub mod publish;
pub mod survey;
pub mod recover;
pub mod upkeep;
pub mod offsets;
pub mod task;

// The commit log's records and keys.
pub mod log;

// Ports: what the pipeline asks of the world.
pub mod clock;
pub mod metrics;
pub mod store;
