//! Port: wall clock. Only `task` sees it; other rooms get `now` as a value.
//!
//! Timers use tokio's clock (pausable in tests); this port is for time that is written down or
//! compared with other machines' (`created_at`, upload age, file-name times).

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMillis = i64;

/// The wall clock.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now, in milliseconds since 1970.
    fn now_ms(&self) -> UnixMillis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> UnixMillis {
        // Before 1970 the machine's clock is plainly wrong; 0 is as good as any value then.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }
}
