//! Patience within one trial: a request that was not answered says nothing of the store, so it, or
//! the trial it belongs to, is made again. Never turns an answer into another one.

use crate::error::Result;
use crate::pause::Pauses;
use std::time::Duration;

/// How often a request that changes nothing is sent.
pub(super) const READS: u32 = 5;
/// How often a trial is begun, each time with other keys: what was sent in vain may land late.
pub(super) const TRIALS: u32 = 20;

/// Pauses between them: a network that loses some answers is no store that is away.
pub(super) fn pauses() -> Pauses {
    Pauses::new(Duration::from_millis(20), Duration::from_millis(500))
}

/// Makes something again, at most `times`, until it is answered; `step` is told how often it was
/// made before.
///
/// # Errors
/// As the step; temporary when the last one was not answered either.
pub(super) async fn again<T, F>(times: u32, mut step: impl FnMut(u32) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pauses = pauses();
    loop {
        match step(pauses.made).await {
            Err(error) if error.is_temporary() && pauses.made + 1 < times => {
                tracing::debug!(%error, "an answer that a trial of the store needs is missing");
                pauses.wait().await;
            }
            told => return told,
        }
    }
}
