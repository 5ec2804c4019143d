//! Handles: in goes the number Java holds, out comes the task it names. A number is never used
//! again, so that a stale one finds nothing; a task that met a panic is poisoned and answers no
//! more. Nothing here is a pointer.

use crate::lent::Lender;
use crate::panics;
use crate::pipeline::Pipeline;
use crate::runtime::Shared;
use crate::throw::Failure;
use alluvium_core::error::{Error, Kind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long `destroy` waits for threads that still read lent buffers.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// All tasks of this loaded library.
pub(crate) static HANDLES: Registry = Registry::new();

/// One task, as Java's calls see it.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) pipeline: Box<dyn Pipeline>,
    pub(crate) lender: Lender,
    /// What it panicked with.
    poison: Option<String>,
    /// Dropped last: the pipeline runs on it.
    _shared: Option<Arc<Shared>>,
}

impl Task {
    /// A task that has just been created.
    pub(crate) fn new(pipeline: Box<dyn Pipeline>, shared: Option<Arc<Shared>>) -> Self {
        Self { pipeline, lender: Lender::default(), poison: None, _shared: shared }
    }
}

/// The tasks by number.
#[derive(Debug)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last: i64,
    tasks: Option<HashMap<i64, Arc<Mutex<Task>>>>,
}

impl Registry {
    pub(crate) const fn new() -> Self {
        Self { inner: Mutex::new(Inner { last: 0, tasks: None }) }
    }

    /// Takes a task in and gives its number, from 1 on.
    pub(crate) fn insert(&self, task: Task) -> i64 {
        let mut inner = lock(&self.inner);
        inner.last += 1;
        let handle = inner.last;
        inner.tasks.get_or_insert_default().insert(handle, Arc::new(Mutex::new(task)));
        handle
    }

    /// Calls into a task. A panic poisons it.
    ///
    /// # Errors
    /// `Poisoned` when the handle is unknown, was destroyed or met a panic before; whatever `work`
    /// fails with; the panic.
    pub(crate) fn call<T>(
        &self,
        handle: i64,
        work: impl FnOnce(&mut Task) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let task = lock(&self.inner).tasks.as_ref().and_then(|tasks| tasks.get(&handle)).cloned();
        let task = task.ok_or_else(|| unknown(handle))?;
        let mut task = lock(&task);
        if let Some(text) = &task.poison {
            let message = "the native core panicked before and this task cannot go on; restart it";
            return Err(Error::new(Kind::Poisoned, message).with("panic", text).into());
        }
        panics::caught(|| work(&mut task)).unwrap_or_else(|text| {
            task.poison = Some(text.clone());
            Err(Failure::Panic(text))
        })
    }

    /// Ends a task and forgets its number. No byte of a lent buffer is read afterwards.
    ///
    /// # Errors
    /// `Poisoned` when the handle is unknown or was destroyed; the panic of the end; `Corrupt` when
    /// buffers are still being read (they are leaked, and must not be filled again).
    pub(crate) fn destroy(&self, handle: i64) -> Result<(), Failure> {
        let task = lock(&self.inner).tasks.as_mut().and_then(|tasks| tasks.remove(&handle));
        let task = task.ok_or_else(|| unknown(handle))?;
        // Nobody can find it any more; a call that runs on another thread is waited for.
        let mut task = lock(&task);
        let ended = panics::caught(|| task.pipeline.shutdown());
        match std::mem::take(&mut task.lender).settle(SETTLE_LIMIT) {
            Err(held) => {
                let message = "the core still reads buffers of a task that was ended; their memory \
                               is given up; please report this bug";
                Err(Error::new(Kind::Corrupt, message).with("buffers", held).into())
            }
            Ok(()) => ended.map_err(Failure::Panic),
        }
    }
}

fn unknown(handle: i64) -> Failure {
    let message = "this task was ended, or never made; please report this call as a bug";
    Error::new(Kind::Poisoned, message).with("handle", handle).into()
}

/// A panic while holding a lock is told by `poison`, or left nothing half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alluvium_core::frame::Frame;
    use alluvium_core::position::{TopicPartition, TpId};
    use alluvium_core::task::{Action, Answer, Errant, SafeOffset};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// Counts its ends; `put` panics.
    #[derive(Debug, Default)]
    struct Fake {
        ended: Arc<AtomicUsize>,
        panics_at_end: bool,
    }

    impl Pipeline for Fake {
        fn open(&mut self, _tps: Vec<(TpId, TopicPartition)>) -> Vec<Action> {
            Vec::new()
        }
        fn put(&mut self, frame: Option<Frame>) -> alluvium_core::error::Result<Vec<Action>> {
            panic!("no frame of mine: {frame:?}")
        }
        fn pre_commit(&mut self, _current: &[(TpId, i64)]) -> Vec<SafeOffset> {
            Vec::new()
        }
        fn close(&mut self, _ids: &[TpId], _wait: Duration) -> (Vec<Action>, bool) {
            (Vec::new(), true)
        }
        fn take_errants(&mut self) -> Vec<Errant> {
            Vec::new()
        }
        fn errants_done(&mut self, _ids: &[u64]) {}
        fn facts(&mut self, _answers: Vec<Answer>) {}
        fn metrics(&self) -> serde_json::Value {
            serde_json::json!({ "ended": self.ended.load(SeqCst) })
        }
        fn shutdown(&mut self) {
            self.ended.fetch_add(1, SeqCst);
            assert!(!self.panics_at_end, "a bad end");
        }
    }

    fn kind<T: std::fmt::Debug>(result: Result<T, Failure>) -> Kind {
        match result {
            Err(Failure::Core(error)) => error.kind(),
            other => panic!("not an error of ours: {other:?}"),
        }
    }

    fn metrics(registry: &Registry, handle: i64) -> Result<String, Failure> {
        registry.call(handle, |task| Ok(task.pipeline.metrics().to_string()))
    }

    #[test]
    fn a_handle_names_its_task_until_it_is_destroyed_and_is_never_used_again() {
        let (registry, ended) = (Registry::new(), Arc::new(AtomicUsize::new(0)));
        let fake = Fake { ended: ended.clone(), ..Fake::default() };
        let one = registry.insert(Task::new(Box::new(fake), None));
        let two = registry.insert(Task::new(Box::<Fake>::default(), None));
        assert_eq!((one, two), (1, 2));
        assert_eq!(metrics(&registry, one).unwrap(), r#"{"ended":0}"#);
        registry.destroy(one).unwrap();
        assert_eq!(ended.load(SeqCst), 1);
        for stale in [one, 0, -1, i64::MAX] {
            assert_eq!(kind(metrics(&registry, stale)), Kind::Poisoned, "{stale}");
            assert_eq!(kind(registry.destroy(stale)), Kind::Poisoned, "{stale}");
        }
        assert_eq!(registry.insert(Task::new(Box::<Fake>::default(), None)), 3);
        assert!(metrics(&registry, two).is_ok(), "the others go on");
    }

    #[test]
    fn a_panic_poisons_one_task_and_leaves_the_others() {
        let (registry, ended) = (Registry::new(), Arc::new(AtomicUsize::new(0)));
        let fake = Fake { ended: ended.clone(), ..Fake::default() };
        let bad = registry.insert(Task::new(Box::new(fake), None));
        let good = registry.insert(Task::new(Box::<Fake>::default(), None));
        let put = registry.call(bad, |task| Ok(task.pipeline.put(None)?));
        assert!(matches!(&put, Err(Failure::Panic(text)) if text.contains("of mine: None")));
        let again = metrics(&registry, bad).unwrap_err().to_string();
        assert!(again.contains("panicked before") && again.contains("of mine: None"), "{again}");
        assert_eq!(kind(metrics(&registry, bad)), Kind::Poisoned);
        assert!(metrics(&registry, good).is_ok());
        registry.destroy(bad).unwrap();
        assert_eq!(ended.load(SeqCst), 1, "a poisoned pipeline is ended, too");
    }

    #[test]
    fn a_panic_at_the_end_is_told_and_the_handle_is_gone() {
        let registry = Registry::new();
        let fake = Fake { panics_at_end: true, ..Fake::default() };
        let handle = registry.insert(Task::new(Box::new(fake), None));
        assert!(matches!(registry.destroy(handle), Err(Failure::Panic(_))));
        assert_eq!(kind(registry.destroy(handle)), Kind::Poisoned);
    }

    #[test]
    fn an_error_does_not_poison() {
        let registry = Registry::new();
        let handle = registry.insert(Task::new(Box::<Fake>::default(), None));
        let failed = registry.call(handle, |_| Err::<(), _>(crate::throw::misuse("no")));
        assert_eq!(kind(failed), Kind::Corrupt);
        assert!(metrics(&registry, handle).is_ok());
    }
}
