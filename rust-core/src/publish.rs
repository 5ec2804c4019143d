//! Room 9, publish: in go the files of a confirmed record, out come visible files. Idempotent:
//! the record's owner and any later one may publish the same files at the same time. Never
//! overwrites or aborts anything; deletes staged objects only, once their copies were seen.

use crate::commit::{Head, LogAccess, fenced};
use crate::error::{Error, Kind, Result};
use crate::log::FileEntry;
use crate::pause::Pauses;
use crate::store::{Completed, ObjectInfo, PublishMode, Store};
use futures::{StreamExt, TryStreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Completions under way at once.
const AT_ONCE: usize = 64;
/// A missing upload counts as lost when it is still missing this much later: a large completion
/// of another owner may be at work meanwhile.
const LOST_AFTER: Duration = Duration::from_secs(15 * 60);

/// What is known of a file before it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Just staged by us: complete first, then look.
    Staged,
    /// Of an earlier owner or life: look first, it is mostly done.
    Recovered,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Visible,
    /// It is not there, its upload is gone, and nothing can bring it back.
    Lost,
}

/// Makes all files visible and sees each of them. `seq` is our latest record: [`Kind::Fenced`]
/// when the log has a later one (its owner publishes the files then). [`Kind::LostUpload`] at the
/// first file that is lost.
pub async fn publish(
    log: &LogAccess,
    table: &Arc<dyn Store>,
    files: &[FileEntry],
    seq: u64,
    before: Before,
) -> Result<()> {
    let all: Vec<_> = files
        .iter()
        .map(|file| async move {
            match publish_one(log, table, file, seq, before).await? {
                Fate::Visible => unstage(log, table, file, seq).await,
                Fate::Lost => Err(lost(file)),
            }
        })
        .collect();
    futures::stream::iter(all).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(|_| ())
}

/// The same for files of an earlier owner or life, each followed to its end, whatever becomes of
/// the others: no request for any of them is under way any more. Gives those that are lost.
pub async fn publish_or_lose<'f>(
    log: &LogAccess,
    table: &Arc<dyn Store>,
    files: &'f [FileEntry],
    seq: u64,
) -> Result<Vec<&'f FileEntry>> {
    let all: Vec<_> = files
        .iter()
        .map(|file| async move {
            let fate = publish_one(log, table, file, seq, Before::Recovered).await?;
            if fate == Fate::Visible {
                unstage(log, table, file, seq).await?;
            }
            Ok((fate == Fate::Lost).then_some(file))
        })
        .collect();
    let fates = futures::stream::iter(all).buffered(AT_ONCE);
    let fates: Vec<Result<Option<&FileEntry>>> = fates.collect().await;
    fates.into_iter().filter_map(Result::transpose).collect()
}

async fn publish_one(
    log: &LogAccess,
    table: &Arc<dyn Store>,
    file: &FileEntry,
    seq: u64,
    before: Before,
) -> Result<Fate> {
    if before == Before::Recovered {
        match is_visible(table, file).await {
            Ok(true) => return Ok(Fate::Visible),
            Err(error) if error.kind() == Kind::LostUpload => return Err(error),
            // Not there, or the store does not say: completing tells.
            _ => {}
        }
    }
    let mut pauses = Pauses::store();
    let mut missing_since: Option<Instant> = None;
    loop {
        let answer = make_visible(table, file).await?;
        let absent = match is_visible(table, file).await {
            Ok(true) => {
                if before == Before::Recovered {
                    log.metrics.recovered_files.add(1);
                }
                return Ok(Fate::Visible);
            }
            Ok(false) => true,
            Err(error) if !error.is_temporary() => return Err(error),
            Err(error) => {
                tracing::warn!(key = %file.key, %error, "cannot see a published file yet");
                false
            }
        };
        match answer {
            Completed::Gone if absent => {
                tracing::warn!(key = %file.key, "neither the file nor its upload is there");
                let since = *missing_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= LOST_AFTER && is_head(log, seq).await? {
                    return Ok(Fate::Lost);
                }
            }
            // An operator is needed. The record stays unsettled: the next open completes it.
            Completed::Failed(error) if absent && !error.is_temporary() => {
                still_head(log, seq, error.with("file", &file.key)).await?;
            }
            Completed::Failed(error) => {
                missing_since = None;
                tracing::warn!(key = %file.key, %error, "completing an upload failed; trying again");
            }
            Completed::Done | Completed::Gone => {
                missing_since = None;
                tracing::warn!(key = %file.key, "the file is not seen yet; publishing it again");
            }
        }
        pauses.wait().await;
        if pauses.made.is_multiple_of(5) {
            // A later owner may be publishing the same files; a failing listing says nothing.
            match check_head(log, seq).await {
                Err(error) if error.kind() == Kind::Fenced => return Err(error),
                _ => {}
            }
        }
    }
}

/// Asks the store to make the file visible.
async fn make_visible(table: &Arc<dyn Store>, file: &FileEntry) -> Result<Completed> {
    match (file.mode, &file.staging_key) {
        (PublishMode::Copy, Some(staged)) => Ok(table.copy(staged, &file.key).await),
        (PublishMode::Copy, None) => {
            let message = "the commit log is damaged: a file to be copied names no staged object";
            Err(Error::new(Kind::Log, message).with("file", &file.key))
        }
        _ => Ok(table.complete(&file.key, &file.upload_id, &file.parts).await),
    }
}

/// Deletes the object that a visible file was copied from. It must be gone before the commit
/// counts as settled: from then on anybody may take the file away, and a copy made late by an owner
/// that stood still would bring it back.
async fn unstage(
    log: &LogAccess,
    table: &Arc<dyn Store>,
    file: &FileEntry,
    seq: u64,
) -> Result<()> {
    let Some(staged) = &file.staging_key else { return Ok(()) };
    let mut pauses = Pauses::store();
    loop {
        match table.delete(staged).await {
            Ok(()) => return Ok(()),
            Err(error) if !error.is_temporary() => {
                still_head(log, seq, error.with("file", &file.key)).await?;
            }
            Err(error) => {
                tracing::warn!(key = %staged, %error, "a staged file cannot be deleted yet");
            }
        }
        pauses.wait().await;
        if pauses.made.is_multiple_of(5)
            && let Err(error) = check_head(log, seq).await
            && error.kind() == Kind::Fenced
        {
            return Err(error);
        }
    }
}

/// Whether the file is there as committed. [`Kind::LostUpload`] when something else is.
async fn is_visible(table: &Arc<dyn Store>, file: &FileEntry) -> Result<bool> {
    match table.head(&file.key).await? {
        None => Ok(false),
        Some(info) if matches(&info, file) => Ok(true),
        Some(info) => Err(mismatch(&info, file)),
    }
}

/// Size and, where both are known, ETag.
fn matches(info: &ObjectInfo, file: &FileEntry) -> bool {
    let etags_agree = match (&info.etag, &file.etag) {
        (Some(found), Some(expected)) => found == expected,
        _ => true,
    };
    info.size == file.size && etags_agree
}

/// The error, if a listing still shows our head; a listing that fails says nothing.
async fn still_head(log: &LogAccess, seq: u64, error: Error) -> Result<()> {
    if is_head(log, seq).await? { Err(error) } else { Ok(()) }
}

/// Whether a listing still shows our head; `false` when it does not answer.
async fn is_head(log: &LogAccess, seq: u64) -> Result<bool> {
    match check_head(log, seq).await {
        Ok(()) => Ok(true),
        Err(failed) if failed.is_temporary() => Ok(false),
        Err(fenced) => Err(fenced),
    }
}

async fn check_head(log: &LogAccess, seq: u64) -> Result<()> {
    match log.head().await? {
        Head::At(head) if head > seq => Err(fenced("a later record is at the head", seq)),
        _ => Ok(()),
    }
}

fn mismatch(info: &ObjectInfo, file: &FileEntry) -> Error {
    Error::new(
        Kind::LostUpload,
        "a committed file is visible with other content than was committed; it was changed or \
         replaced by somebody else. Nothing is overwritten: restore it or take it away",
    )
    .with("file", &file.key)
    .with("size", info.size)
    .with("expected_size", file.size)
    .with("etag", info.etag.as_deref().unwrap_or("unknown"))
    .with("expected_etag", file.etag.as_deref().unwrap_or("unknown"))
}

/// The error of a file that nothing can make visible any more.
pub(crate) fn lost(file: &FileEntry) -> Error {
    Error::new(
        Kind::LostUpload,
        "the upload of a committed file is gone from the store and the file is not there: the \
         store expired it (a lifecycle rule for incomplete uploads or staged objects, or a purge), \
         or somebody deleted the file before it was settled. Its rows are still in Kafka if \
         retention allows: lost.upload=rebuild lays a commit down anew of which no file is visible",
    )
    .with("file", &file.key)
    .with("upload", file.staging_key.as_ref().unwrap_or(&file.upload_id))
    .with("first_offset", file.first_offset)
    .with("last_offset", file.last_offset)
}
