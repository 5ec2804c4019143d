//! Offsets altered over REST, in two steps (`docs/delivery.md`): the wish is noted, then Connect
//! changes the group; at the next open the wish is carried out where the group was changed, and
//! dropped where it was not. A log never goes back unless `rewind.allowed=true`.

use super::facts::GroupOffset;
use super::{Claimed, Identity, LogContext, LogState, topic};
use crate::error::{Error, Kind, Result};
use crate::log::{LogKeys, LogRecord, PendingReset, RecordKind, Target, VERSION};
use crate::metrics::TaskMetrics;
use crate::position::TopicPartition;
use crate::store::{Created, Lake};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

/// Where `carry` remembers the last wish that was looked at.
pub(super) const CARRIED: &str = "resets";

/// Notes the wish of an operator for a sink that does not run.
///
/// # Errors
/// `Config`: it would go back, and `rewind.allowed` is not said; naming where.
pub async fn request_reset(
    lake: &Lake,
    identity: Identity,
    targets: Vec<Target>,
    now_ms: i64,
) -> Result<()> {
    let (identity, store) = (Arc::new(identity), &lake.meta.store);
    if !identity.rewind_allowed {
        refuse_rewinds(lake, &identity, &targets).await?;
    }
    let wish = PendingReset { v: VERSION, nonce: Uuid::new_v4(), targets, created_at: now_ms };
    let body = serde_json::to_vec(&wish)
        .map_err(|e| Error::new(Kind::Log, "the reset cannot be written").because(e))?;
    let key = LogKeys::pending_reset(&lake.meta.prefix, &identity.sink_id);
    // The sink is stopped, and one operator speaks: a later wish takes an earlier one's place.
    store.delete(&key).await?;
    match store.create(&key, Bytes::from(body)).await {
        Created::Done => Ok(()),
        Created::Refused => {
            let text = "the offsets of this sink are being altered by somebody else; try again";
            Err(Error::new(Kind::Store, text).with("key", &key).temporary())
        }
        Created::Unknown(error) => Err(error),
    }
}

async fn refuse_rewinds(lake: &Lake, identity: &Arc<Identity>, targets: &[Target]) -> Result<()> {
    for target in targets {
        let context = LogContext {
            tp: TopicPartition::new(target.topic.as_str(), target.partition),
            identity: identity.clone(),
            lake: lake.clone(),
            metrics: Arc::new(TaskMetrics::default()),
            facts: None,
        };
        let Some(head) = topic::newest_record(&context).await? else { continue };
        if goes_back(head.next_offset, target.offset) {
            return Err(rewinds(&context, head.next_offset, target.offset));
        }
    }
    if !targets.is_empty() {
        return Ok(());
    }
    // A reset names no topic-partition: any log of the sink is too many.
    let logs = LogKeys::of_sink(&lake.meta.prefix, &identity.sink_id);
    let own = LogKeys::pending_reset(&lake.meta.prefix, &identity.sink_id);
    let found = lake.meta.store.list(&logs, None).await?;
    if found.iter().any(|object| object.key != own) {
        let text = "offsets cannot be reset while there is a commit log of this sink: the rows it \
                    knows of would be laid down a second time. Set rewind.allowed=true if that is \
                    wanted, or begin another table by another lake.url";
        return Err(Error::new(Kind::Config, text).with("key", "rewind.allowed").with("log", logs));
    }
    Ok(())
}

/// Without an offset a consumer begins at the earliest or the latest record: who knows.
fn goes_back(next: Option<i64>, target: Option<i64>) -> bool {
    next.is_some_and(|next| target.is_none_or(|target| target < next))
}

fn rewinds(context: &LogContext, next: Option<i64>, target: Option<i64>) -> Error {
    let show = |offset: Option<i64>| offset.map_or("null".to_owned(), |offset| offset.to_string());
    Error::new(
        Kind::Config,
        format!(
            "{} would go back from {} to {}: rows that are in the table would be laid down a \
             second time. Set rewind.allowed=true if that is wanted",
            context.tp,
            show(next),
            show(target)
        ),
    )
    .with("key", "rewind.allowed")
}

/// Carries a pending wish out, once, at the open of a log that is ours.
pub(super) async fn carry_out(
    context: &LogContext,
    claimed: &mut Claimed,
    now_ms: i64,
) -> Result<()> {
    let Some(facts) = &context.facts else { return Ok(()) };
    let meta = &context.lake.meta;
    let key = LogKeys::pending_reset(&meta.prefix, &context.identity.sink_id);
    let Some(bytes) = meta.store.get(&key).await? else { return Ok(()) };
    let wish = PendingReset::from_bytes(&key, &bytes)?;
    let state = &mut claimed.state;
    let Some(target) = wish.target(&context.tp) else { return Ok(()) };
    if state.carry.get(CARRIED) == Some(&wish.nonce.to_string().into()) {
        return Ok(());
    }
    // Whatever becomes of it: with the next record it is done with.
    state.carry.insert(CARRIED.to_owned(), wish.nonce.to_string().into());
    let allowed = context.identity.rewind_allowed || !goes_back(state.next, target.offset);
    if !group_follows(facts.group.as_ref(), target.offset) || !allowed {
        tracing::warn!(
            tp = %context.tp, target = target.offset, next = state.next, group = ?facts.group,
            rewind_allowed = context.identity.rewind_allowed,
            "offsets were to be altered and the consumer group was not, or it would go back \
             without rewind.allowed: going on as before"
        );
        return Ok(());
    }
    let record = reset_record(context, state, target.offset, now_ms);
    tracing::warn!(
        tp = %context.tp, from = state.next, to = target.offset, "offsets were altered over REST"
    );
    claimed.log.commit(&record).await?;
    claimed.state = claimed.state.after(&record);
    Ok(())
}

/// Connect changes the group only after we agreed, and may fail at it. What we commit ourselves
/// always has our metadata, so an offset without it was put there by Connect.
fn group_follows(group: Option<&GroupOffset>, target: Option<i64>) -> bool {
    match (group, target) {
        (None, None) => true,
        (Some(group), Some(target)) => !group.is_ours() && group.offset == target,
        _ => false,
    }
}

fn reset_record(
    context: &LogContext,
    state: &LogState,
    target: Option<i64>,
    now_ms: i64,
) -> LogRecord {
    let mut record = context.record(state, RecordKind::Reset, target, now_ms);
    if let (Some(next), Some(target)) = (state.next, target)
        && next < target
    {
        record.gaps.note(next, next, target, Some("reset"));
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_offset_that_connect_put_there_counts() {
        let group = |offset, metadata: &str| GroupOffset { offset, metadata: metadata.to_owned() };
        let (plain, ours) = (group(5, ""), group(5, "alluvium/x/1"));
        assert!(group_follows(Some(&plain), Some(5)));
        assert!(!group_follows(Some(&plain), Some(6)), "somebody else's");
        assert!(!group_follows(Some(&ours), Some(5)), "Connect failed after we agreed");
        assert!(!group_follows(None, Some(5)));
        assert!(group_follows(None, None), "the group's offset was deleted");
        assert!(!group_follows(Some(&ours), None), "it was to be, and is not");
    }

    #[test]
    fn back_is_below_the_next_offset_or_anywhere_at_all() {
        assert!(goes_back(Some(5), Some(4)) && goes_back(Some(5), None));
        assert!(
            !goes_back(Some(5), Some(5)) && !goes_back(None, None) && !goes_back(None, Some(0))
        );
    }
}
