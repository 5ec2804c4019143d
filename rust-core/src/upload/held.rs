//! How many bytes uploads hold in memory, for whoever keeps the memory budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes held by uploads: collected for a part, or in a part on its way to the store.
#[derive(Debug, Default)]
pub struct HeldBytes(AtomicU64);

impl HeldBytes {
    /// Bytes held now.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Some of the bytes held; they count until this is dropped, in whatever way a task ends.
#[derive(Debug)]
pub(super) struct Hold {
    all: Arc<HeldBytes>,
    bytes: u64,
}

impl Hold {
    pub(super) fn new(all: Arc<HeldBytes>) -> Self {
        Self { all, bytes: 0 }
    }

    /// Counts more bytes.
    pub(super) fn grow(&mut self, bytes: usize) {
        self.all.0.fetch_add(bytes as u64, Relaxed);
        self.bytes += bytes as u64;
    }

    /// All bytes of this, as a hold of its own; nothing is left here.
    pub(super) fn take(&mut self) -> Self {
        Self { all: Arc::clone(&self.all), bytes: std::mem::take(&mut self.bytes) }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Relaxed);
    }
}
