//! Whether a store keeps what exactly-once rests on: in goes a lake, out comes a [`Verdict`] or a
//! refusal by name. Nothing is inferred from a vendor's name, everything is tried
//! (`docs/delivery.md`, probe). Takes away what it made; never touches the table's folder when the
//! log lies in the same bucket.

mod again;
mod patience;
mod rivals;
mod rules;
mod staging;

use super::{Created, Lake, PublishMode, lifecycle};
use crate::clock::UnixMillis;
use crate::config::{Config, Guarantee, PublishChoice, S3Objects};
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
pub use patience::patiently;
use rules::Trial;
use serde::{Deserialize, Serialize};
use staging::Uploads;
use std::sync::Arc;
use uuid::Uuid;

/// Verdicts of another version are not read: the trials have changed since.
const VERSION: u32 = 2;
const VALID_MS: i64 = 24 * 60 * 60 * 1000;
const VERDICTS: &str = "v1/probe/verdicts/";

/// What was found out about a store that keeps its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    v: u32,
    /// Endpoint and folders that were tried.
    place: String,
    /// When, ms since 1970.
    pub checked_at_ms: UnixMillis,
    /// Whether a completed upload's ETag follows from the MD5 of its parts.
    pub etags: bool,
    /// Whether completing a second time is answered with success.
    pub repeat_completion: bool,
    /// Whether the id of a part does not follow from its bytes, as with encryption by keys of
    /// one's own: the same part stored twice has two ids.
    pub opaque_parts: bool,
    /// How files become visible here.
    pub publish: PublishMode,
    /// Whether an upload in parts becomes the object that was sent.
    pub whole_uploads: bool,
}

/// Tries the store, unless that was done within a day; one verdict serves all tasks of a lake.
///
/// # Errors
/// Permanent: the store cannot be trusted (`rule` says which trial failed), or refuses us.
/// Temporary: it did not answer; nothing is known yet.
pub async fn probe(lake: &Lake, config: &Config, now: UnixMillis) -> Result<Verdict> {
    if config.guarantee == Guarantee::AtLeastOnce {
        tracing::warn!(
            "delivery.guarantee=at_least_once: fencing=none. Rows may be doubled while two tasks \
             own one topic-partition; on a store that passes the probe exactly_once costs less"
        );
    }
    let verdict = verdict(lake, config, now).await?;
    lifecycle::check(lake, config).await?;
    Ok(verdict)
}

async fn verdict(lake: &Lake, config: &Config, now: UnixMillis) -> Result<Verdict> {
    let endpoint = config.s3.endpoint.as_deref().unwrap_or("");
    let Config { lake_url, meta_url, guarantee, publish, .. } = config;
    let S3Objects { sse, kms_key_id, checksum, .. } = &config.s3.objects;
    let ways = (guarantee, publish, sse, kms_key_id, checksum);
    let place = format!("{endpoint} {lake_url} {meta_url} {ways:?}");
    let known = known(lake, now).await?;
    if let Some(verdict) = known.iter().find(|v| v.place == place) {
        return Ok(verdict.clone());
    }
    let trial = Trial::begin(&lake.meta);
    let tried = try_all(&trial, lake, config).await;
    trial.clean_up().await;
    let (uploads, publish) = tried?;
    let verdict = Verdict {
        v: VERSION,
        place,
        checked_at_ms: now,
        etags: uploads.etags,
        opaque_parts: uploads.opaque_parts,
        repeat_completion: uploads.repeat_completion,
        publish,
        whole_uploads: uploads.whole,
    };
    remember(lake, &verdict).await;
    tracing::info!(?verdict, "the store keeps what the commit log rests on");
    Ok(verdict)
}

async fn try_all(trial: &Trial, lake: &Lake, config: &Config) -> Result<(Uploads, PublishMode)> {
    trial.log(config.guarantee).await?;
    let one_store = Arc::ptr_eq(&lake.table.store, &lake.meta.store);
    let mut uploads = trial.uploads().await?;
    if !one_store && uploads.flaw.is_none() {
        uploads.flaw = Trial::uploads_are_invisible(&lake.table).await?;
    }
    let own = lake.table.store.mode();
    let flaw = match (config.publish, uploads.flaw.take()) {
        (PublishChoice::Auto | PublishChoice::Multipart, None) => return Ok((uploads, own)),
        (PublishChoice::Multipart, Some(flaw)) => {
            return Err(flaw.with("publish.mode", "multipart; auto or copy may work here"));
        }
        // A folder has no other way.
        (_, Some(flaw)) if own != PublishMode::Mpu => return Err(flaw),
        (_, flaw) => flaw,
    };
    if let Some(flaw) = flaw {
        refuse_uncopyable(config, one_store, &flaw)?;
        tracing::warn!(
            %flaw,
            "publish.mode=auto: files are staged as objects and copied, because uploads cannot be \
             trusted here"
        );
    }
    trial.copies().await?;
    Ok((uploads, PublishMode::Copy))
}

/// What the configuration says of `publish.mode=copy` when it is asked for, where it is chosen.
fn refuse_uncopyable(config: &Config, one_store: bool, flaw: &Error) -> Result<()> {
    let refuse = |key: &'static str, message: &str| {
        let why = format!("{message}; files can only be copied here, because: {flaw}");
        Err(Error::new(Kind::Config, why).with("key", key).with("rule", "P4"))
    };
    if !one_store {
        return refuse("lake.meta.url", "must be in the bucket of lake.url");
    }
    if let Err(message) = config.copies_fit() {
        return refuse("file.max.bytes", &message);
    }
    Ok(())
}

/// Verdicts that are young enough; those that are not are removed.
async fn known(lake: &Lake, now: UnixMillis) -> Result<Vec<Verdict>> {
    let (store, folder) = (&lake.meta.store, lake.meta.key(VERDICTS));
    let mut known = Vec::new();
    for object in store.list(&folder, None).await? {
        let Some(bytes) = store.get(&object.key).await? else { continue };
        match serde_json::from_slice::<Verdict>(&bytes) {
            Ok(verdict) if verdict.v != VERSION => {}
            Ok(verdict) if (0..VALID_MS).contains(&(now - verdict.checked_at_ms)) => {
                known.push(verdict);
            }
            // Too old, of another clock, or not a verdict.
            _ => forget(lake, &object.key).await,
        }
    }
    Ok(known)
}

/// A verdict that cannot be kept is tried again next time: no reason to fail now.
async fn remember(lake: &Lake, verdict: &Verdict) {
    let name = format!("{VERDICTS}{}.json", Uuid::new_v4().simple());
    let key = lake.meta.key(&name);
    let Ok(body) = serde_json::to_vec(verdict) else { return };
    if let Created::Unknown(error) = lake.meta.store.create(&key, Bytes::from(body)).await {
        tracing::debug!(%key, %error, "the verdict of the probe could not be kept");
    }
}

async fn forget(lake: &Lake, key: &str) {
    if let Err(error) = lake.meta.store.delete(key).await {
        tracing::debug!(%key, %error, "an old verdict of the probe could not be removed");
    }
}
