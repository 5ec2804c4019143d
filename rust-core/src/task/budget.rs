//! The memory budget of one loaded library, shared fairly by its tasks. Memory is counted, not
//! owned: who holds bytes says so, and asks what is left before taking more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// `memory.limit.bytes` of one loaded library. Tasks may name different limits; the least counts.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: AtomicU64,
    tasks: AtomicUsize,
}

/// One task's share of a budget, given back when dropped.
#[derive(Debug)]
pub struct MemoryShare {
    budget: Arc<MemoryBudget>,
    used: AtomicU64,
}

/// How full a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Room enough.
    Low,
    /// Seal what frees most; take what is already here.
    High,
    /// Take nothing more until memory is freed.
    Full,
}

impl MemoryBudget {
    /// A budget nobody shares yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { limit: AtomicU64::new(u64::MAX), tasks: AtomicUsize::new(0) })
    }

    /// A share for one more task.
    pub fn join(self: &Arc<Self>, limit: u64) -> Arc<MemoryShare> {
        self.limit.fetch_min(limit, Relaxed);
        self.tasks.fetch_add(1, Relaxed);
        Arc::new(MemoryShare { budget: self.clone(), used: AtomicU64::new(0) })
    }
}

impl MemoryShare {
    /// Bytes this task may hold now.
    pub fn limit(&self) -> u64 {
        let tasks = self.budget.tasks.load(Relaxed).max(1) as u64;
        self.budget.limit.load(Relaxed) / tasks
    }

    /// Says how much the task holds.
    pub fn set_used(&self, bytes: u64) {
        self.used.store(bytes, Relaxed);
    }

    /// Bytes the task said it holds.
    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// How full the share is.
    pub fn pressure(&self) -> Pressure {
        let (used, limit) = (self.used(), self.limit());
        if used >= limit {
            Pressure::Full
        } else if used >= limit / 4 * 3 {
            Pressure::High
        } else {
            Pressure::Low
        }
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.budget.tasks.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_share_the_least_limit_and_give_their_share_back() {
        let budget = MemoryBudget::new();
        let one = budget.join(1_000);
        assert_eq!(one.limit(), 1_000);
        let two = budget.join(800);
        assert_eq!((one.limit(), two.limit()), (400, 400));
        drop(two);
        assert_eq!(one.limit(), 800);
        for (used, expected) in [
            (599, Pressure::Low),
            (600, Pressure::High),
            (799, Pressure::High),
            (800, Pressure::Full),
        ] {
            one.set_used(used);
            assert_eq!(one.pressure(), expected, "{used}");
        }
    }
}
