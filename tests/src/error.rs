//! The one error of this crate: what was wanted, why it failed, what to do.
//!
//! In: messages and causes. Out: text for a person who reads a failed test. Never: a kind to match
//! on; a test that needs to tell failures apart asks for the value behind them (an HTTP status, an
//! exit code).

use std::fmt;

/// Why something of the stack failed, ready to be read.
pub struct Error(String);

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure in its own words.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

// A test's `unwrap` prints the Debug form: log tails must come out as lines there.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Error {}

/// Says what was being done when a foreign error came.
pub(crate) trait Context<T> {
    /// Puts `doing` before the cause.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error(format!("{}: {cause}", doing())))
    }
}
