//! Commits of which nothing can become visible any more, laid down anew (`lost.upload=rebuild`): in
//! go commits whose files are all lost, out comes a log that stands before the first of them, so
//! that Kafka's records are read again. Never for a commit of which anything is visible, nor where
//! Kafka no longer has every record.

use super::reset::CARRIED as RESETS;
use super::{Claimed, LogContext, damaged, unsettled};
use crate::error::{Error, Kind, Result};
use crate::log::{LogRecord, RecordKind};
use crate::publish;

/// Goes back to where the first of the commits begins, if there are any, by one record. They are
/// void from then on: no owner looks at their files again.
///
/// # Errors
/// `LostUpload`: they cannot be laid down anew. `Fenced`, and the store's.
pub(super) async fn carry_out(
    context: &LogContext,
    claimed: &mut Claimed,
    gone: &[LogRecord],
    now_ms: i64,
) -> Result<()> {
    let Some(first) = gone.first() else { return Ok(()) };
    let lost = |why: &str| {
        let error = first.files.first().map(publish::lost);
        error.map_or_else(|| Error::new(Kind::LostUpload, why), |error| error.with("rebuild", why))
    };
    let Some(start) = first.start_offset else {
        let key = claimed.log.keys.record(first.seq);
        return Err(damaged("a commit does not say where it begins", &key));
    };
    let before = only_gone_since(claimed, first, gone, &lost).await?;
    let Some(facts) = &context.facts else {
        return Err(lost("Kafka was not asked whether it still has the records"));
    };
    if facts.earliest > start {
        let why = format!("Kafka has expired the records up to {}", facts.earliest);
        return Err(lost(&why).with("start", start));
    }
    let mut state = claimed.state.clone();
    // What the commits handed on was learnt from records that come again.
    let resets = state.carry.remove(RESETS);
    state.carry = before.map(|record| record.carry).unwrap_or_default();
    state.carry.remove(RESETS);
    state.carry.extend(resets.map(|done| (RESETS.to_owned(), done)));
    let record = context.record(&state, RecordKind::Rebuild, Some(start), now_ms);
    claimed.log.commit(&record).await?;
    context.metrics.lost_uploads.add(gone.len() as i64);
    tracing::error!(
        tp = %context.tp, seq = record.seq, commits = gone.len(), from = start,
        to = claimed.state.next,
        "the store lost every upload of these commits before they were visible; it is on record, \
         and their records are read from Kafka again"
    );
    claimed.state = state.after(&record);
    Ok(())
}

/// Walks from the head back to the first commit that is gone: nothing else may have files, or its
/// rows would be laid down twice. Gives the record before it.
async fn only_gone_since(
    claimed: &Claimed,
    first: &LogRecord,
    gone: &[LogRecord],
    lost: &impl Fn(&str) -> Error,
) -> Result<Option<LogRecord>> {
    let mut link = claimed.state.head;
    loop {
        let record = unsettled::read(claimed, link).await?;
        if link.seq < first.seq {
            return Ok(Some(record));
        }
        if !record.files.is_empty() && gone.iter().all(|one| one.link() != link) {
            return Err(lost("a later commit is visible").with("seq", link.seq));
        }
        match record.prev {
            Some(prev) => link = prev,
            None if link == first.link() => return Ok(None),
            None => {
                let key = claimed.log.keys.record(link.seq);
                return Err(damaged("a record names none before it", &key));
            }
        }
    }
}
