//! Starting a topic over: in goes a topic, out come its closed logs and a new generation of it.
//! Every commit of the old generation is made visible first and its files stay; nothing is
//! deleted, and no owner goes on writing to a closed log (`docs/cli.md`, forget).

use super::topic::Life;
use super::{Claimed, Identity, LogContext, claim, damaged, unsettled};
use crate::commit::{Head, LogAccess};
use crate::error::{Error, Kind, Result};
use crate::log::{LogId, LogRecord, RecordKind, TopicGeneration, TopicKeys};
use crate::metrics::TaskMetrics;
use crate::pause::Pauses;
use crate::position::TopicPartition;
use crate::store::{Created, Lake};
use crate::survey;
use bytes::Bytes;
use std::sync::Arc;

/// What became of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The generation that was closed.
    pub closed: u32,
    /// Its topic-partitions, with the offset each log ended at (`None` = it never knew one).
    pub logs: Vec<(TopicPartition, Option<i64>)>,
    /// The generation that begins.
    pub begun: u32,
}

/// The newest generation of a topic, with who owns it; `None` when the table has never seen the
/// topic.
///
/// # Errors
/// The store's; `Log` when the object is not readable.
pub async fn newest_generation(lake: &Lake, topic: &str) -> Result<Option<TopicGeneration>> {
    let (meta, keys) = (&lake.meta, TopicKeys::new(&lake.meta.prefix, topic));
    let (mut newest, mut after) = (None, None);
    loop {
        let page = meta.store.list(keys.prefix(), after.as_deref()).await?;
        let found = page.iter().filter_map(|object| keys.generation_of(&object.key)).max();
        match found.filter(|found| newest.is_none_or(|newest| *found > newest)) {
            None => break,
            // Its partitions' markers may fill the page: what is behind them?
            Some(found) => (newest, after) = (Some(found), Some(keys.behind(found))),
        }
    }
    let Some(newest) = newest else { return Ok(None) };
    let key = keys.generation(newest);
    let Some(bytes) = meta.store.get(&key).await? else {
        return Err(damaged("a topic's generation object is gone", &key));
    };
    let found = serde_json::from_slice(&bytes)
        .map_err(|e| damaged("a topic's generation object is not readable", &key).because(e))?;
    Ok(Some(found))
}

/// Closes every log of the topic's newest generation and begins the next one. `identity` must be
/// that of the topic's owner. Can be repeated after any failure.
///
/// # Errors
/// `Ownership`: the topic or the table is another's. `Log`: the topic is not in this table, or a
/// log is damaged. `LostUpload`: a commit can never become visible. The store's.
pub async fn forget(
    lake: &Lake,
    identity: &Arc<Identity>,
    topic: &str,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<Forgotten> {
    let Some(found) = newest_generation(lake, topic).await? else {
        return Err(Error::new(Kind::Log, "the table has never seen this topic")
            .with("topic", topic)
            .with("lake.url", &identity.table_url));
    };
    check_owner(&found, identity, topic)?;
    let closed = found.generation;
    let (mut logs, mut begun) = (Vec::new(), false);
    loop {
        let mut more = false;
        for log in survey::logs(&lake.meta).await? {
            let ours = *log.tp.topic == *topic && log.sink_id == identity.sink_id;
            let known = logs.iter().any(|(tp, _)| *tp == log.tp);
            if ours && !known && log.generation == closed {
                let ended = close(&context(lake, identity, &log), closed, now_ms).await?;
                logs.push((log.tp, ended));
                more = true;
            }
        }
        // A partition's first owner may have begun its log meanwhile: once more, after the new
        // generation is there, to which whoever opens now goes.
        match begun {
            true if !more => return Ok(Forgotten { closed, logs, begun: closed + 1 }),
            true => {}
            false => {
                begin(lake, identity, topic, &found, now_ms()).await?;
                begun = true;
            }
        }
    }
}

fn check_owner(found: &TopicGeneration, identity: &Identity, topic: &str) -> Result<()> {
    if found.table != identity.table_url {
        let text = format!("this commit log belongs to the table {}", found.table);
        return Err(Error::new(Kind::Ownership, text).with("lake.url", &identity.table_url));
    }
    if found.sink_id != identity.sink_id {
        let text = format!("the topic {topic} belongs to the sink '{}'", found.sink_id);
        return Err(Error::new(Kind::Ownership, text).with("sink.id", &identity.sink_id));
    }
    Ok(())
}

fn context(lake: &Lake, identity: &Arc<Identity>, log: &LogId) -> LogContext {
    LogContext {
        tp: log.tp.clone(),
        identity: Arc::clone(identity),
        lake: lake.clone(),
        metrics: Arc::new(TaskMetrics::default()),
        facts: None,
    }
}

/// Creates the object of the next generation: of the same topic, by the same sink.
async fn begin(
    lake: &Lake,
    identity: &Identity,
    topic: &str,
    closed: &TopicGeneration,
    now_ms: i64,
) -> Result<()> {
    let next = TopicGeneration {
        generation: closed.generation + 1,
        // Whatever Kafka still has, from wherever it begins.
        start: None,
        owner: identity.owner.clone(),
        created_at: now_ms,
        ..closed.clone()
    };
    let body = serde_json::to_vec(&next)
        .map_err(|e| Error::new(Kind::Log, "a generation object cannot be written").because(e))?;
    let key = TopicKeys::new(&lake.meta.prefix, topic).generation(next.generation);
    match lake.meta.store.create(&key, Bytes::from(body)).await {
        // Whoever created it: the topic goes on there.
        Created::Done | Created::Refused => Ok(()),
        Created::Unknown(error) => Err(error),
    }
}

/// Claims one log, makes its last commits visible and ends it. Gives the offset it ends at.
async fn close(
    context: &LogContext,
    generation: u32,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<Option<i64>> {
    let log = context.log(generation);
    let mut pauses = Pauses::store();
    loop {
        let closed = match newest_record(&log).await? {
            Some(head) if head.kind == RecordKind::Closed => Ok(head.next_offset),
            _ => close_once(context, &log, generation, now_ms).await,
        };
        match closed {
            // The owner we fenced may claim again before the log is closed.
            Err(error) if error.is_temporary() || error.kind() == Kind::Fenced => {
                tracing::warn!(tp = %context.tp, %error, "closing the commit log; trying again");
                pauses.wait().await;
            }
            closed => return closed.map_err(|e| e.with("topic-partition", &context.tp)),
        }
    }
}

async fn close_once(
    context: &LogContext,
    log: &LogAccess,
    generation: u32,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<Option<i64>> {
    let state = claim::claim(context, log, &Life::former(generation), now_ms).await?;
    log.verify(state.head.seq).await?;
    let mut claimed = Claimed { log: log.clone(), state };
    unsettled::recover(context, &claimed).await?;
    claimed.state.pending.clear();
    let next = claimed.state.next;
    let record = context.record(&claimed.state, RecordKind::Closed, next, now_ms());
    log.commit(&record).await?;
    Ok(next)
}

async fn newest_record(log: &LogAccess) -> Result<Option<LogRecord>> {
    let Head::At(seq) = log.head().await? else { return Ok(None) };
    let key = log.keys.record(seq);
    log.store.get(&key).await?.map(|bytes| LogRecord::from_bytes(&key, &bytes)).transpose()
}
