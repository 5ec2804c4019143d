//! What becomes of the process behind a store's requests: it dies or stands still at one of them,
//! before it is applied or with the answer unheard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The end of a process, or a pause longer than anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// It dies; the request is not sent.
    DieBefore,
    /// It dies; the request is applied.
    DieAfter,
    /// It stands still; the request is sent when it goes on.
    StallBefore,
    /// It stands still; the request is applied, the answer heard when it goes on.
    StallAfter,
}

#[derive(Debug, Default)]
struct State {
    doom: Option<(Doom, String, u32)>,
    /// To be carried out with the answer of the present request.
    pending: Option<Doom>,
    stalled: bool,
    dead: bool,
}

#[derive(Debug, Default)]
pub(super) struct Fate {
    state: Mutex<State>,
    woken: Notify,
}

impl Fate {
    pub(super) fn set(&self, doom: Doom, part: &str, skip: u32) {
        self.state().doom = Some((doom, part.to_owned(), skip));
    }

    pub(super) fn clear(&self) {
        self.state().doom = None;
        self.state().pending = None;
    }

    pub(super) fn stall(&self) {
        self.state().stalled = true;
    }

    pub(super) fn wake(&self) {
        self.state().stalled = false;
        self.woken.notify_waiters();
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.state().stalled
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// A request is about to be sent.
    pub(super) async fn before(&self, key: &str) {
        {
            let mut state = self.state();
            if let Some((doom, part, skip)) = state.doom.take() {
                if !key.contains(&part) {
                    state.doom = Some((doom, part, skip));
                } else if skip > 0 {
                    state.doom = Some((doom, part, skip - 1));
                } else {
                    match doom {
                        Doom::DieBefore => state.dead = true,
                        Doom::StallBefore => state.stalled = true,
                        Doom::DieAfter | Doom::StallAfter => state.pending = Some(doom),
                    }
                }
            }
        }
        self.pass().await;
    }

    /// Its answer is about to be heard.
    pub(super) async fn after(&self) {
        {
            let mut state = self.state();
            match state.pending.take() {
                Some(Doom::DieAfter) => state.dead = true,
                Some(_) => state.stalled = true,
                None => {}
            }
        }
        self.pass().await;
    }

    async fn pass(&self) {
        loop {
            let woken = self.woken.notified();
            let (dead, stalled) = (self.is_dead(), self.is_stalled());
            if dead {
                std::future::pending::<()>().await;
            }
            if !stalled {
                return;
            }
            woken.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
