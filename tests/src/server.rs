//! What the servers of the stack have in common.

use crate::error::Result;
use crate::process::Process;

/// A server: a process and the knowledge when it is ready.
pub trait Server {
    /// The process behind it.
    fn process(&self) -> &Process;

    /// Waits until it answers.
    ///
    /// # Errors
    /// It ends or does not answer in time; the message has the reason and the end of its log.
    fn wait_ready(&self) -> Result<()>;

    /// Kills it if it runs, starts it on the same ports and data, and waits until it answers.
    ///
    /// # Errors
    /// It cannot be started or does not answer in time.
    fn restart(&self) -> Result<()> {
        self.process().kill9();
        self.process().start_again()?;
        self.wait_ready()
    }
}
