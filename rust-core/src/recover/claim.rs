//! The claim: one conditional record that makes us the owner and fences whoever was.

use super::ownership::Found;
use super::topic::Life;
use super::{LogContext, LogState, ownership, topic};
use crate::commit::{LogAccess, Put};
use crate::error::Result;
use crate::log::{Link, LogRecord, RecordKind};
use crate::pause::Pauses;
use std::time::Duration;
use uuid::Uuid;

/// Two live owners claiming in turn slow each other down to this.
const DUEL_MAX: Duration = Duration::from_secs(5 * 60);

/// Claims the log behind its present head, and again behind each record that wins against ours.
pub(super) async fn claim(
    context: &LogContext,
    log: &LogAccess,
    life: &Life,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<LogState> {
    let mut pauses = Pauses::new(Duration::from_secs(1), DUEL_MAX);
    let mut known = None;
    loop {
        let found = ownership::head(context, log, life.generation, known).await?;
        topic::check_folder(context, life.generation, &found).await?;
        if let Found::Record(head) = &found {
            name_foreign_group(context, head);
        }
        let record = claim_record(context, &found, life, now_ms());
        match log.put(&record).await? {
            Put::Mine => return Ok(claimed(&record)),
            // The claim copies the head's state; whoever came between changed that.
            Put::Foreign | Put::Vanished => {
                tracing::warn!(tp = %context.tp, seq = record.seq, "another owner was first; claiming again");
                known = Some(record.seq);
                pauses.wait().await;
            }
        }
    }
}

fn claim_record(context: &LogContext, found: &Found, life: &Life, now_ms: i64) -> LogRecord {
    let nonce = Uuid::new_v4();
    let (head, first) = match found {
        Found::Record(head) => (Some(&**head), None),
        Found::New => (None, life.start),
        // Whatever Kafka still has is laid down again.
        Found::Lost => (None, None),
    };
    let state = LogState {
        generation: life.generation,
        log_id: head.map_or(nonce, |head| head.log_id),
        epoch: head.map_or(0, |head| head.seq) + 1,
        head: head.map_or(Link { seq: 0, nonce }, LogRecord::link),
        next: head.map_or(first, |head| head.next_offset),
        head_unsettled: Vec::new(),
        // Every commit an earlier owner may have left half published stays on record until a
        // durable record says otherwise.
        pending: head.map_or_else(Vec::new, |head| head.unsettled.clone()),
        carry: head.map_or_else(Default::default, |head| head.carry.clone()),
    };
    LogRecord {
        nonce,
        prev: head.map(LogRecord::link),
        ..context.record(&state, RecordKind::Claim, state.next, now_ms)
    }
}

/// The state of a log after a record that ends in it.
pub(super) fn claimed(record: &LogRecord) -> LogState {
    LogState {
        generation: record.generation,
        log_id: record.log_id,
        epoch: record.epoch,
        head: record.link(),
        next: record.next_offset,
        head_unsettled: record.unsettled.clone(),
        pending: record.unsettled.clone(),
        carry: record.carry.clone(),
    }
}

/// A renamed connector must be able to go on; two live connectors in a duel must be seen.
fn name_foreign_group(context: &LogContext, head: &LogRecord) {
    let ours = &context.identity.group_id;
    if head.group_id.is_some() && ours.is_some() && head.group_id != *ours {
        tracing::warn!(
            tp = %context.tp, ours = ours.as_deref(), theirs = head.group_id.as_deref(),
            "the log was last written by another consumer group"
        );
    }
}
