//! A TCP proxy in front of an S3 server that sees every request, can hold one back, and can keep
//! an answer from its client.
//!
//! In: where the server is; which requests to hold, whose answers to cut. Out: what was asked and
//! how it was answered, in order. Never: a changed byte (requests are signed, `Host` with them),
//! nor a held request that goes on after its client has died.

mod connection;
mod exchange;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Context as _, Error, Result};
pub use exchange::Exchange;

const POLL: Duration = Duration::from_millis(10);

/// Decides of a request, from those before it, whether to hold it.
type Hold = Box<dyn Fn(&[Arc<Exchange>], &Exchange) -> bool + Send>;
/// Decides of a request whether its client shall never hear the answer.
type Cut = Box<dyn FnMut(&Exchange) -> bool + Send>;

/// A proxy on a free port of this machine. Its port is closed at the end of the program.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    upstream: Option<SocketAddr>,
    hold: Option<Hold>,
    cut: Option<Cut>,
    /// Changes when what is held shall go on.
    round: u64,
    seen: Vec<Arc<Exchange>>,
}

impl Proxy {
    /// Listens; requests are refused until it knows where to send them.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start() -> Result<Self> {
        let doing = || "a proxy".to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).context(doing)?;
        let address = listener.local_addr().context(doing)?;
        let shared = Arc::new(Shared::default());
        let served = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = served.clone();
                // A connection that breaks is its client's to notice.
                thread::spawn(move || drop(connection::serve(&shared, client)));
            }
        });
        Ok(Self { address, shared })
    }

    /// `http://host:port` of this proxy.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests go to the server at `http://ip:port` from now on.
    ///
    /// # Errors
    /// It is no such address.
    pub fn forward_to(&self, endpoint: &str) -> Result<()> {
        let address = endpoint.trim_start_matches("http://");
        let upstream = address.parse().context(|| format!("the server at {endpoint}"))?;
        self.shared.lock().upstream = Some(upstream);
        Ok(())
    }

    /// Begins anew: what is held goes on, what was seen is forgotten, and each request is held of
    /// which `hold` says so, given all that came before it since now.
    pub fn hold(&self, hold: impl Fn(&[Arc<Exchange>], &Exchange) -> bool + Send + 'static) {
        let mut state = self.shared.lock();
        state.round += 1;
        state.seen.clear();
        state.hold = Some(Box::new(hold));
    }

    /// From now on each request of which `cut` says so reaches the server and is answered there,
    /// but its client finds the connection closed instead of the answer.
    pub fn cut(&self, cut: impl FnMut(&Exchange) -> bool + Send + 'static) {
        self.shared.lock().cut = Some(Box::new(cut));
    }

    /// What is held goes on, what was seen is forgotten, nothing more is held.
    pub fn release(&self) {
        self.hold(|_, _| false);
    }

    /// What was seen since the last `hold` or `release`.
    #[must_use]
    pub fn seen(&self) -> Vec<Arc<Exchange>> {
        self.shared.lock().seen.clone()
    }

    /// Waits until `find` gives something for what was seen since the last `hold` or `release`.
    ///
    /// # Errors
    /// It gives nothing within `limit`; the message says what was seen last.
    pub fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        mut find: impl FnMut(&[Arc<Exchange>]) -> Option<T>,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            let seen = self.seen();
            if let Some(found) = find(&seen) {
                return Ok(found);
            }
            if began.elapsed() > limit {
                let last: Vec<_> = seen.iter().rev().take(20).map(|one| one.to_string()).collect();
                return Err(Error::new(format!(
                    "no {what} within {limit:?}, of {} requests the last:\n{}",
                    seen.len(),
                    last.join("\n")
                )));
            }
            thread::sleep(POLL);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; gives the round in which to hold it. One lock for all of it: two requests
    /// of two connections are in one order, for whoever decides and for whoever looks.
    fn note(&self, exchange: &Arc<Exchange>) -> Option<u64> {
        let mut state = self.lock();
        let held = state.hold.as_ref().is_some_and(|hold| hold(&state.seen, exchange));
        exchange.held.store(held, Ordering::Release);
        let cut = state.cut.as_mut().is_some_and(|cut| cut(exchange));
        exchange.cut.store(cut, Ordering::Release);
        state.seen.push(exchange.clone());
        held.then_some(state.round)
    }
}

#[cfg(test)]
mod tests;
