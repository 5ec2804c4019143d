//! Growing, jittered pauses between tries. Time is tokio's, so tests can stop it; jitter comes
//! from the thread's generator, so a simulation can seed it.

use std::time::Duration;

/// Pauses that grow from a first value to a greatest one.
#[derive(Debug, Clone)]
pub struct Pauses {
    next: Duration,
    max: Duration,
    /// Number of pauses made so far.
    pub made: u32,
}

impl Pauses {
    /// The first pause is about `first`, each later one twice the last, up to about `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, max, made: 0 }
    }

    /// Pauses between requests to the store.
    pub fn store() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(30))
    }

    /// The length of the next pause: between half of and the whole present value.
    pub fn step(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.max);
        self.made += 1;
        whole.mul_f64(0.5 + 0.5 * fastrand::f64())
    }

    /// Waits for the next pause.
    pub async fn wait(&mut self) {
        let pause = self.step();
        tokio::time::sleep(pause).await;
    }
}
