//! Commits that an earlier owner recorded and may not have published: we publish them. What is lost
//! for good is told, by an error or, where it may be laid down anew, by name.

use super::{Claimed, LogContext, damaged};
use crate::commit::{Head, fenced};
use crate::error::{Error, Result};
use crate::log::{Link, LogRecord};
use crate::publish::{self, Before};

/// Publishes every file of every unsettled commit, oldest first.
pub(super) async fn recover(context: &LogContext, claimed: &Claimed) -> Result<()> {
    let seq = claimed.state.head.seq;
    for link in &claimed.state.pending {
        let record = read(claimed, *link).await?;
        tracing::info!(
            tp = %context.tp, seq = link.seq, files = record.files.len(),
            "recovering a commit that may not be wholly visible"
        );
        let table = &context.lake.table.store;
        publish::publish(&claimed.log, table, &record.files, seq, Before::Recovered).await?;
    }
    Ok(())
}

/// The same where lost commits may be laid down anew. Gives those, oldest first, of which nothing is
/// visible, nor ever will be.
///
/// # Errors
/// `LostUpload`, also: some files of a commit are lost and some are visible.
pub(super) async fn recover_or_lose(
    context: &LogContext,
    claimed: &Claimed,
) -> Result<Vec<LogRecord>> {
    let mut gone = Vec::new();
    if !context.identity.rebuild_lost {
        recover(context, claimed).await?;
        return Ok(gone);
    }
    let (seq, table) = (claimed.state.head.seq, &context.lake.table.store);
    for link in &claimed.state.pending {
        let record = read(claimed, *link).await?;
        let lost = publish::publish_or_lose(&claimed.log, table, &record.files, seq).await?;
        let (some, all) = (lost.len(), record.files.len());
        match lost.first() {
            None => {}
            Some(_) if some == all => gone.push(record),
            Some(first) => {
                let why = format!(
                    "{} of {all} files of the commit are visible, and their rows must not be laid \
                     down twice",
                    all - some
                );
                return Err(publish::lost(first).with("rebuild", why));
            }
        }
    }
    Ok(gone)
}

/// Reads a commit the head's `unsettled` names. That it is gone means a later owner settled it
/// and cleaned up (we are fenced), or that somebody deleted it.
pub(super) async fn read(claimed: &Claimed, link: Link) -> Result<LogRecord> {
    let log = &claimed.log;
    let key = log.keys.record(link.seq);
    let problem: Error = match log.store.get(&key).await? {
        None => damaged("a commit that is not settled is gone", &key),
        Some(bytes) => match LogRecord::from_bytes(&key, &bytes) {
            Ok(record) if record.link() == link => return Ok(record),
            Ok(_) => damaged("a commit that is not settled was replaced", &key),
            Err(error) => error,
        },
    };
    match log.head().await? {
        Head::At(head) if head > claimed.state.head.seq => {
            Err(fenced("a later record is at the head", claimed.state.head.seq))
        }
        _ => Err(problem),
    }
}
