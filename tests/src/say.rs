//! Progress for the person who waits.
//!
//! In: one line. Out: standard error, with the seconds since the first line. Never: standard
//! output, which belongs to the program, nor the test harness's captured output, which nobody sees
//! until it is too late.

use std::io::Write;
use std::sync::OnceLock;
use std::time::Instant;

static BEGAN: OnceLock<Instant> = OnceLock::new();

/// Says one line. A closed standard error is no reason to fail.
pub fn say(line: impl AsRef<str>) {
    let seconds = BEGAN.get_or_init(Instant::now).elapsed().as_secs_f32();
    let _ = writeln!(std::io::stderr().lock(), "stack {seconds:6.1}s  {}", line.as_ref());
}
