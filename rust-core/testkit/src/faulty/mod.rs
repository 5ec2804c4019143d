//! Any store, with faults before and after what it does, and a record of every request.
//!
//! In go requests, out come the wrapped store's answers or scripted, seeded failures. A fault never
//! changes what an answer says beyond what a network can do to it.

mod doom;
mod plan;

pub use doom::Doom;
pub use plan::{Fault, Hold, Op, Rates};

use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::store::{Completed, Content, Created, ObjectInfo, PublishMode, Store};
use async_trait::async_trait;
use bytes::Bytes;
use doom::Fate;
use plan::{Gate, Plan};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What was asked.
    pub op: Op,
    /// The key; for a listing its prefix.
    pub key: String,
    /// What was done to it.
    pub fault: Fault,
}

/// A wrapped store. Clones share plan and record, so a test keeps one and gives one away.
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Arc<Mutex<Plan>>,
    requests: Arc<Mutex<Vec<Request>>>,
    fate: Arc<Fate>,
}

impl FaultyStore {
    /// The store without faults so far.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Arc::default(), requests: Arc::default(), fate: Arc::default() }
    }

    /// The next request `op` meets `fault`, once. Several wait in order.
    pub fn next(&self, op: Op, fault: Fault) {
        self.next_on(op, "", fault);
    }

    /// The next request `op` whose key contains `part` meets `fault`, once.
    pub fn next_on(&self, op: Op, part: &str, fault: Fault) {
        self.plan().add(op, part, fault, true);
    }

    /// Every request `op` whose key contains `part` meets `fault`, until [`Self::heal`]. Faults
    /// meant for the next request come first.
    pub fn always_on(&self, op: Op, part: &str, fault: Fault) {
        self.plan().add(op, part, fault, false);
    }

    /// The next request `op` whose key contains `part` stands still until the hold is released:
    /// before it is applied.
    pub fn hold(&self, op: Op, part: &str) -> Hold {
        self.plan().hold(op, part)
    }

    /// Requests without a script meet faults drawn from `seed`; the same order of requests meets
    /// the same faults.
    pub fn seed(&self, seed: u64, rates: Rates) {
        self.plan().seed(seed, rates);
    }

    /// What becomes of the process that sends the requests, at the request `op` that comes after
    /// `skip` others whose key contains `part`.
    pub fn doom(&self, doom: Doom, part: &str, skip: u32) {
        self.fate.set(doom, part, skip);
    }

    /// The process stands still from now on: what it would send and what it would hear waits.
    pub fn stall(&self) {
        self.fate.stall();
    }

    /// It goes on.
    pub fn wake(&self) {
        self.fate.wake();
    }

    /// Whether it stands still.
    pub fn is_stalled(&self) -> bool {
        self.fate.is_stalled()
    }

    /// Whether it died: nothing is sent or heard any more.
    pub fn is_dead(&self) -> bool {
        self.fate.is_dead()
    }

    /// No more faults, no doom; holds stay.
    pub fn heal(&self) {
        self.fate.clear();
        self.plan().heal();
    }

    /// Every request so far, in the order it was sent.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    /// How many requests `op` were sent so far.
    pub fn count(&self, op: Op) -> usize {
        lock(&self.requests).iter().filter(|r| r.op == op).count()
    }

    /// Gives the record so far and begins a new one.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.requests))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    /// Notes the request and takes its fault; waits where a hold says so.
    async fn admit(&self, op: Op, key: &str) -> Fault {
        self.fate.before(key).await;
        let (fault, gate) = self.plan().take(op, key);
        lock(&self.requests).push(Request { op, key: key.to_owned(), fault });
        if let Some(gate) = gate {
            Gate::pass(&gate).await;
        }
        fault
    }

    /// Sends one request whose answer is a `Result`.
    async fn send<T, F, Fut>(&self, op: Op, key: &str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(Arc<dyn Store>) -> Fut + Send,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let run = || call(Arc::clone(&self.inner));
        let answer = match self.admit(op, key).await {
            Fault::None => run().await,
            Fault::FailBefore => Err(cut(op, key)),
            Fault::FailAfter => run().await.and(Err(cut(op, key))),
            Fault::Deny => Err(denied(op, key)),
            Fault::Delay(pause) => {
                tokio::time::sleep(pause).await;
                run().await
            }
            Fault::Late(pause) => {
                let late = run();
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    drop(late.await);
                });
                Err(cut(op, key))
            }
            Fault::Twice => {
                drop(run().await);
                run().await
            }
            Fault::Hang => std::future::pending().await,
        };
        self.fate.after().await;
        answer
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn mode(&self) -> PublishMode {
        self.inner.mode()
    }

    fn part_size(&self) -> usize {
        self.inner.part_size()
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let owned = key.to_owned();
        self.send(Op::Get, key, |s| {
            let key = owned.clone();
            async move { s.get(&key).await }
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let owned = key.to_owned();
        self.send(Op::Head, key, |s| {
            let key = owned.clone();
            async move { s.head(&key).await }
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectInfo>> {
        let owned = (prefix.to_owned(), after.map(str::to_owned));
        self.send(Op::List, prefix, |s| {
            let (prefix, after) = owned.clone();
            async move { s.list(&prefix, after.as_deref()).await }
        })
        .await
    }

    async fn create(&self, key: &str, body: Bytes) -> Created {
        let owned = (key.to_owned(), body);
        let answer = self
            .send(Op::Create, key, |s| {
                let (key, body) = owned.clone();
                async move { Ok(s.create(&key, body).await) }
            })
            .await;
        answer.unwrap_or_else(Created::Unknown)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let owned = key.to_owned();
        self.send(Op::Delete, key, |s| {
            let key = owned.clone();
            async move { s.delete(&key).await }
        })
        .await
    }

    async fn put(&self, key: &str, body: Bytes, content: Content) -> Result<()> {
        let owned = (key.to_owned(), body);
        self.send(Op::Put, key, |s| {
            let (key, body) = owned.clone();
            async move { s.put(&key, body, content).await }
        })
        .await
    }

    async fn copy(&self, from: &str, to: &str) -> Completed {
        let owned = (from.to_owned(), to.to_owned());
        let answer = self
            .send(Op::Copy, to, |s| {
                let (from, to) = owned.clone();
                async move { Ok(s.copy(&from, &to).await) }
            })
            .await;
        answer.unwrap_or_else(Completed::Failed)
    }

    async fn start_upload(&self, key: &str) -> Result<String> {
        let owned = key.to_owned();
        self.send(Op::StartUpload, key, |s| {
            let key = owned.clone();
            async move { s.start_upload(&key).await }
        })
        .await
    }

    async fn put_part(&self, key: &str, upload: &str, index: usize, body: Bytes) -> Result<String> {
        let owned = (key.to_owned(), upload.to_owned(), body);
        self.send(Op::PutPart, key, |s| {
            let (key, upload, body) = owned.clone();
            async move { s.put_part(&key, &upload, index, body).await }
        })
        .await
    }

    async fn put_part_once(
        &self,
        key: &str,
        upload: &str,
        index: usize,
        body: Bytes,
    ) -> Result<String> {
        // What a network does to a request leaves its outcome unknown.
        self.put_part(key, upload, index, body).await.map_err(|error| match error.is_temporary() {
            true => Error::new(Kind::Unknown, "PutPart").temporary().because(error),
            false => error,
        })
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[String]) -> Completed {
        let owned = (key.to_owned(), upload.to_owned(), parts.to_vec());
        let answer = self
            .send(Op::Complete, key, |s| {
                let (key, upload, parts) = owned.clone();
                async move { Ok(s.complete(&key, &upload, &parts).await) }
            })
            .await;
        answer.unwrap_or_else(Completed::Failed)
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let owned = (key.to_owned(), upload.to_owned());
        self.send(Op::Abort, key, |s| {
            let (key, upload) = owned.clone();
            async move { s.abort(&key, &upload).await }
        })
        .await
    }
}

fn cut(op: Op, key: &str) -> Error {
    let message = format!("{op:?}: the connection was cut (scripted fault)");
    Error::new(Kind::Store, message).temporary().with("key", key)
}

fn denied(op: Op, key: &str) -> Error {
    Error::new(Kind::Store, format!("{op:?}: access denied (scripted fault)")).with("key", key)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
