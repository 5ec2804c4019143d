//! Room 11, upkeep: in goes a log whose head is ours, out comes a log that stays small: old
//! records move into the archive's blocks (`docs/delivery.md`, upkeep). [`history`] reads both,
//! back to the first record. Never touches the head or anything that is not settled; nothing
//! depends on it, so nothing waits for it.

mod archive;
mod history;

pub use archive::{Archived, archive, is_due};
pub use history::{History, history};
