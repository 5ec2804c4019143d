//! The probe at a task's start, by which a store that is away is waited for: in goes a lake, out
//! comes a verdict, or the last reason why there is none. Never a verdict of half a trial.

use super::{Verdict, probe};
use crate::clock::UnixMillis;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::pause::Pauses;
use crate::store::Lake;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// As [`probe`], from the beginning again while the store does not answer, at most for `limit`: a
/// task that Connect starts while the store is restarted would otherwise stay failed until a
/// person restarts it.
///
/// # Errors
/// As [`probe`]; temporary when the store gave no whole answer in time.
pub async fn patiently(
    lake: &Lake,
    config: &Config,
    now: impl Fn() -> UnixMillis,
    limit: Duration,
) -> Result<Verdict> {
    let deadline = Instant::now() + limit;
    let mut pauses = Pauses::store();
    let mut last = None;
    loop {
        match timeout_at(deadline, probe(lake, config, now())).await {
            Ok(Err(error)) if error.is_temporary() => {
                tracing::warn!(%error, "the store cannot be tried yet; trying again");
                last = Some(error);
            }
            Ok(told) => return told,
            Err(_) => return Err(silent(config, limit, last)),
        }
        let next = Instant::now() + pauses.step();
        if next >= deadline {
            return Err(silent(config, limit, last));
        }
        sleep_until(next).await;
    }
}

fn silent(config: &Config, limit: Duration, last: Option<Error>) -> Error {
    let message = format!("the store did not answer within {} s", limit.as_secs());
    let error = Error::new(Kind::Store, message).with("lake.url", &config.lake_url).temporary();
    match last {
        Some(last) => error.because(last),
        None => error,
    }
}
