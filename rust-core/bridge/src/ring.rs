//! The log ring: in go lines from any thread, out they come on a Java thread that drains them.
//! Bounded in lines and bytes: what does not fit pushes out the oldest, and that is said. Never
//! blocks, never calls Java.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Lines waiting at most.
const LINES_MAX: usize = 4_096;
/// Bytes of text waiting at most.
const BYTES_MAX: usize = 1 << 20;
/// Bytes of one line at most; a backtrace is the longest we know.
const LINE_MAX: usize = 64 << 10;

/// The ring of this loaded library.
pub(crate) static RING: LogRing = LogRing::new();

/// One line, not yet drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// Lines waiting to be drained.
#[derive(Debug)]
pub(crate) struct LogRing {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    lines: VecDeque<Line>,
    bytes: usize,
    dropped: u64,
}

impl LogRing {
    pub(crate) const fn new() -> Self {
        let inner = Inner { lines: VecDeque::new(), bytes: 0, dropped: 0 };
        Self { inner: Mutex::new(inner) }
    }

    /// Adds a line.
    pub(crate) fn push(&self, level: Level, mut text: String) {
        if text.len() > LINE_MAX {
            let end = (0..=LINE_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push_str(" … (cut)");
        }
        let mut inner = self.lock();
        inner.bytes += text.len();
        inner.lines.push_back(Line { level, text });
        while inner.lines.len() > LINES_MAX || inner.bytes > BYTES_MAX {
            let Some(oldest) = inner.lines.pop_front() else { break };
            inner.bytes -= oldest.text.len();
            inner.dropped += 1;
        }
    }

    /// Takes every waiting line, oldest first; a line in front says how many were lost.
    pub(crate) fn drain(&self) -> Vec<Line> {
        let (lines, dropped) = {
            let mut inner = self.lock();
            inner.bytes = 0;
            (std::mem::take(&mut inner.lines), std::mem::take(&mut inner.dropped))
        };
        let lost = (dropped > 0).then(|| Line {
            level: Level::WARN,
            text: format!("{dropped} log lines were lost: more came than were drained"),
        });
        lost.into_iter().chain(lines).collect()
    }

    /// Whether a line waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.lock().lines.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in the lock leaves the ring half changed but a failing allocation.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends all tracing events of this library into the ring.
pub(crate) fn install() {
    // Fails when installed before: the subscriber stays the same one.
    let _ = tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(RingLayer { ring: &RING }),
    );
}

/// Turns tracing events into lines.
struct RingLayer {
    ring: &'static LogRing,
}

impl<S: Subscriber> Layer<S> for RingLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        *metadata.level() <= if is_ours(metadata) { Level::INFO } else { Level::WARN }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut text = LineText::default();
        event.record(&mut text);
        let line = text.finish(event.metadata());
        self.ring.push(*event.metadata().level(), line);
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("alluvium")
}

/// `message [field=value, …]`, the form an error is shown in, too.
#[derive(Default)]
struct LineText {
    message: String,
    fields: String,
}

impl LineText {
    fn finish(self, metadata: &Metadata<'_>) -> String {
        let mut line = self.message;
        if !self.fields.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(line, " [{}]", self.fields);
        }
        if is_ours(metadata) { line } else { format!("{}: {line}", metadata.target()) }
    }
}

impl Visit for LineText {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let comma = if self.fields.is_empty() { "" } else { ", " };
            let _ = write!(self.fields, "{comma}{}={value:?}", field.name());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ring: &LogRing) -> Vec<String> {
        ring.drain().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_come_out_once_and_in_order() {
        let ring = LogRing::new();
        assert!(!ring.is_waiting());
        ring.push(Level::INFO, "one".into());
        ring.push(Level::ERROR, "two".into());
        assert!(ring.is_waiting());
        assert_eq!(texts(&ring), ["one", "two"]);
        assert!(ring.drain().is_empty() && !ring.is_waiting());
    }

    #[test]
    fn too_many_lines_push_out_the_oldest_and_say_so() {
        let ring = LogRing::new();
        (0..LINES_MAX + 3).for_each(|i| ring.push(Level::INFO, i.to_string()));
        let lines = ring.drain();
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines[0].level, Level::WARN);
        assert!(lines[0].text.starts_with("3 log lines were lost"), "{}", lines[0].text);
        assert_eq!(lines[1].text, "3");
        ring.push(Level::INFO, "after".into());
        assert_eq!(texts(&ring), ["after"], "a loss is told once");
    }

    #[test]
    fn too_many_bytes_push_out_the_oldest_and_a_long_line_is_cut() {
        let ring = LogRing::new();
        ring.push(Level::INFO, "ä".repeat(LINE_MAX));
        assert!(ring.drain()[0].text.len() < LINE_MAX + 20);
        let half = "x".repeat(LINE_MAX);
        (0..=BYTES_MAX / LINE_MAX).for_each(|_| ring.push(Level::INFO, half.clone()));
        assert_eq!(ring.drain().len(), BYTES_MAX / LINE_MAX + 1, "one lost, one line says so");
    }

    #[test]
    fn events_become_lines_with_their_fields() {
        let ring: &'static LogRing = Box::leak(Box::new(LogRing::new()));
        let subscriber = tracing_subscriber::registry().with(RingLayer { ring });
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(seq = 7, topic = "t", "committed {}", 3);
            tracing::debug!("not shown");
            tracing::info!(target: "hyper", "not shown");
            let error: &dyn std::error::Error = &std::io::Error::other("refused");
            tracing::warn!(target: "hyper", error, "no answer");
        });
        assert_eq!(
            texts(ring),
            ["committed 3 [seq=7, topic=t]", "hyper: no answer [error=refused]"]
        );
    }
}
