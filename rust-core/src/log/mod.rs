//! The commit log: its records and its keys. Read by the pipeline and by the command line.
//!
//! The log of a topic-partition is a chain of immutable objects, one a sequence number, each
//! created by one conditional PUT. Nothing here talks to a store.

mod block;
mod gaps;
mod id;
mod keys;
mod record;
mod reset;
mod voids;

pub use block::{BlockWriter, Blocks, read_block};
pub use gaps::{Gap, Gaps};
pub use id::LogId;
pub use keys::{LogKeys, TopicKeys};
pub use record::{
    FileEntry, Layout, Link, LogRecord, Owner, RecordKind, Skipped, TopicGeneration, TopicIds,
    VERSION,
};
pub use reset::{PendingReset, Target};
pub use voids::Voids;
