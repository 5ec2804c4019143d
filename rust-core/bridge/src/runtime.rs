//! What the tasks of one loaded library share: a tokio runtime and a memory budget. Made with the
//! first task, ended with the last. A second class loader loads its own copy of the library and
//! has its own.

use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::task::MemoryBudget;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// How long the last task's end waits for threads of the runtime.
const END_LIMIT: Duration = Duration::from_secs(5);

static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

/// The shared parts; whoever drops the last one ends the runtime, and must be a Java thread.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `None` only while dropping.
    runtime: Option<Runtime>,
    handle: Handle,
    threads: Option<usize>,
    budget: Arc<MemoryBudget>,
}

impl Shared {
    /// Joins the other tasks, or begins. `threads` is `core.threads`; the first task decides.
    pub(crate) fn join(threads: Option<usize>) -> Result<Arc<Self>> {
        Self::join_at(&SHARED, threads)
    }

    fn join_at(place: &Mutex<Weak<Self>>, threads: Option<usize>) -> Result<Arc<Self>> {
        let mut shared = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            if threads != running.threads {
                tracing::warn!(
                    asked = ?threads,
                    "core.threads is shared by all tasks of the plugin; the first one's {:?} stays",
                    running.threads
                );
            }
            return Ok(running);
        }
        let mut builder = Builder::new_multi_thread();
        builder.enable_all().thread_name("alluvium-core");
        if let Some(threads) = threads {
            builder.worker_threads(threads);
        }
        let runtime = builder.build().map_err(|e| {
            Error::new(Kind::Config, "the threads of the core could not be started").because(e)
        })?;
        let handle = runtime.handle().clone();
        let begun =
            Arc::new(Self { runtime: Some(runtime), handle, threads, budget: MemoryBudget::new() });
        *shared = Arc::downgrade(&begun);
        Ok(begun)
    }

    /// The runtime.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// `memory.limit.bytes`, of all tasks together.
    pub(crate) fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(END_LIMIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_share_one_runtime_that_ends_with_the_last() {
        let place = Mutex::new(Weak::new());
        let one = Shared::join_at(&place, Some(1)).unwrap();
        let two = Shared::join_at(&place, Some(2)).unwrap();
        assert!(Arc::ptr_eq(&one, &two));
        let name = one.handle().block_on(async {
            tokio::spawn(async { std::thread::current().name().map(str::to_owned) }).await
        });
        assert_eq!(name.unwrap().as_deref(), Some("alluvium-core"));
        let running = one.handle().spawn(std::future::pending::<()>());
        drop(one);
        assert!(!running.is_finished());
        drop(two);
        assert!(running.is_finished(), "cancelled with the runtime");
        let next = Shared::join_at(&place, Some(2)).unwrap();
        assert_eq!(next.threads, Some(2), "a new one, by the next first task's wish");
    }
}
