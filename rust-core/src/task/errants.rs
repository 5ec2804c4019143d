//! Errant records: what happens to a record that cannot become a row (`docs/delivery.md`, errant
//! records). In go reasons, out come reports for the dead letter queue; a cut waits at its gate
//! until every errant record it skips is known to be reported.

use crate::error::{Error, Kind, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::Notify;

/// The ratio is of this many records at most,
const WINDOW: usize = 10_000;
/// and says nothing before this many.
const WINDOW_MIN: usize = 100;

/// One record for the dead letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errant {
    /// Our number of it, told back when the report is known to be written.
    pub id: u64,
    /// The frame it was in.
    pub frame: u64,
    /// Its place in the frame.
    pub index: u32,
    /// Why it cannot become a row.
    pub reason: String,
}

/// Holds a cut back until the reports of its errant records are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<(AtomicUsize, Notify)>);

impl Gate {
    /// One more report to wait for.
    pub(super) fn enter(&self) {
        self.0.0.fetch_add(1, SeqCst);
    }

    /// One of them is written.
    pub(super) fn leave(&self) {
        if self.0.0.fetch_sub(1, SeqCst) == 1 {
            self.0.1.notify_waiters();
        }
    }

    /// Whether none is waited for.
    pub(super) fn is_open(&self) -> bool {
        self.0.0.load(SeqCst) == 0
    }

    /// Waits until all are written.
    pub(super) async fn open(&self) {
        loop {
            let notified = self.0.1.notified();
            if self.is_open() {
                return;
            }
            notified.await;
        }
    }
}

/// The reports under way of one task, and the ratio of errant records among the last.
#[derive(Debug)]
pub(super) struct Errants {
    next_id: u64,
    waiting: HashMap<u64, Gate>,
    ratio_max: f64,
    recent: VecDeque<bool>,
    recent_errant: usize,
}

impl Errants {
    /// `ratio_max` is `errant.max.ratio`.
    pub(super) fn new(ratio_max: f64) -> Self {
        let (waiting, recent) = (HashMap::new(), VecDeque::new());
        Self { next_id: 1, waiting, ratio_max, recent, recent_errant: 0 }
    }

    /// Counts a record.
    ///
    /// # Errors
    /// `BadRecord` when too many of the last records are errant: a wrong converter must not drain
    /// a topic into a dead letter queue.
    pub(super) fn count(&mut self, errant: bool) -> Result<()> {
        if self.recent.len() == WINDOW && self.recent.pop_front() == Some(true) {
            self.recent_errant -= 1;
        }
        self.recent.push_back(errant);
        self.recent_errant += usize::from(errant);
        let ratio = self.recent_errant as f64 / self.recent.len() as f64;
        if errant && self.recent.len() >= WINDOW_MIN && ratio > self.ratio_max {
            return Err(Error::new(
                Kind::BadRecord,
                format!(
                    "{} of the last {} records are errant, more than errant.max.ratio={} allows; \
                     is the topic's format or a converter another than configured?",
                    self.recent_errant,
                    self.recent.len(),
                    self.ratio_max
                ),
            ));
        }
        Ok(())
    }

    /// A report that the cut behind `gate` must wait for.
    pub(super) fn report(&mut self, gate: &Gate, frame: u64, index: u32, reason: String) -> Errant {
        let id = self.next_id;
        self.next_id += 1;
        gate.enter();
        self.waiting.insert(id, gate.clone());
        Errant { id, frame, index, reason }
    }

    /// The reports of these errant records are written.
    pub(super) fn done(&mut self, ids: &[u64]) {
        for id in ids {
            if let Some(gate) = self.waiting.remove(id) {
                gate.leave();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_the_last_records_only() {
        let mut errants = Errants::new(0.5);
        for i in 0..WINDOW_MIN {
            assert!(errants.count(i % 2 == 0).is_ok(), "half is allowed, record {i}");
        }
        for _ in 0..WINDOW {
            errants.count(false).unwrap();
        }
        let failed = (0..WINDOW).find(|_| errants.count(true).is_err());
        assert_eq!(failed, Some(WINDOW / 2));
    }

    #[test]
    fn a_wholly_wrong_topic_stops_early() {
        let mut errants = Errants::new(0.5);
        let failed = (1..).find(|_| errants.count(true).is_err());
        assert_eq!(failed, Some(WINDOW_MIN));
    }

    #[tokio::test]
    async fn the_gate_opens_when_the_last_report_is_written() {
        let mut errants = Errants::new(1.0);
        let gate = Gate::default();
        gate.open().await;
        let one = errants.report(&gate, 1, 0, "a".into());
        let two = errants.report(&gate, 1, 1, "b".into());
        errants.done(&[one.id, one.id, 99]);
        assert!(!gate.is_open());
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.open().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        errants.done(&[two.id]);
        waiting.await.unwrap();
    }
}
