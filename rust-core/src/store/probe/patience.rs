//! The probe at a task's start, by which a store that is away is waited for: in goes a lake, out
//! comes a verdict. Never a verdict of half a trial.

use super::{Verdict, probe};
use crate::clock::UnixMillis;
use crate::config::Config;
use crate::error::Result;
use crate::pause::Pauses;
use crate::store::Lake;
use std::time::Duration;

/// Between two tries of a store that is away: a task goes on this long after it is back.
const LONGEST: Duration = Duration::from_secs(10);

/// As [`probe`], from the beginning again while the store does not answer: a task that Connect
/// starts while the store is away heals by itself.
///
/// # Errors
/// As [`probe`], for cause only: never because the store did not answer.
pub async fn patiently(
    lake: &Lake,
    config: &Config,
    now: impl Fn() -> UnixMillis,
) -> Result<Verdict> {
    let mut pauses = Pauses::new(Duration::from_millis(100), LONGEST);
    loop {
        match probe(lake, config, now()).await {
            Err(error) if error.is_temporary() => {
                let (tries, lake_url) = (pauses.made + 1, &config.lake_url);
                tracing::warn!(
                    %lake_url, tries, %error,
                    "the store cannot be tried yet; trying again. Topic-partitions stay paused \
                     until it answers"
                );
                pauses.wait().await;
            }
            told => return told,
        }
    }
}
