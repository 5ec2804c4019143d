//! Standard output that takes a closed pipe for what it is: the reader has seen enough.

use std::fmt;
use std::io::{self, ErrorKind, StdoutLock, Write};

/// Lines to standard output.
#[derive(Debug)]
pub(crate) struct Out {
    to: io::BufWriter<StdoutLock<'static>>,
    closed: bool,
}

impl Out {
    /// Locks standard output.
    pub(crate) fn locked() -> Self {
        Self { to: io::BufWriter::new(io::stdout().lock()), closed: false }
    }

    /// Whether nobody reads any more: the command may end.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one line.
    ///
    /// # Errors
    /// Any but a closed pipe.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.to.write_fmt(line).and_then(|()| self.to.write_all(b"\n"));
        self.unless_closed(written)
    }

    /// Brings all lines out.
    ///
    /// # Errors
    /// Any but a closed pipe.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.to.flush();
        self.unless_closed(flushed)
    }

    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

/// Writes a line to an [`Out`].
macro_rules! line {
    ($out:expr, $($text:tt)*) => { $out.line(format_args!($($text)*)) };
}
pub(crate) use line;
