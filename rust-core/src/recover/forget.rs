//! Starting a topic over: in goes a topic, out come its closed logs and a new generation of it.
//! Every commit of the old generation is made visible first and its files stay; nothing is
//! deleted, and no owner goes on writing to a closed log (`docs/cli.md`, forget).

use super::{Identity, LogContext, claim, ownership, unsettled};
use crate::error::{Error, Kind, Result};
use crate::log::{LogId, RecordKind, TopicGeneration};
use crate::metrics::TaskMetrics;
use crate::pause::Pauses;
use crate::position::TopicPartition;
use crate::store::Lake;
use crate::survey;
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

/// The newest generation of a topic and who owns it; `None` when the table has never seen the topic.
///
/// # Errors
/// The store's; `Log` when the object is not readable.
async fn newest_generation(context: &LogContext) -> Result<Option<TopicGeneration>> {
    let (Some(newest), _) = ownership::newest(context).await? else { return Ok(None) };
    let key = context.topic_keys().generation(newest);
    let Some(bytes) = context.lake.meta.store.get(&key).await? else { return Ok(None) };
    let found = serde_json::from_slice(&bytes).map_err(|e| {
        super::damaged("a topic's generation object is not readable", &key).because(e)
    })?;
    Ok(Some(found))
}

/// The same for whoever does not know yet who owns it.
///
/// # Errors
/// As [`forget`].
pub async fn owner_of(lake: &Lake, topic: &str) -> Result<Option<TopicGeneration>> {
    newest_generation(&context(lake, &Arc::default(), TopicPartition::new(topic, 0))).await
}

fn context(lake: &Lake, identity: &Arc<Identity>, tp: TopicPartition) -> LogContext {
    let (identity, lake) = (Arc::clone(identity), lake.clone());
    LogContext { tp, identity, lake, metrics: Arc::new(TaskMetrics::default()) }
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
    let of_topic = context(lake, identity, TopicPartition::new(topic, 0));
    let Some(found) = newest_generation(&of_topic).await? else {
        return Err(Error::new(Kind::Log, "the table has never seen this topic")
            .with("topic", topic)
            .with("lake.url", &identity.table_url));
    };
    let closed = found.generation;
    ownership::check_owner(&of_topic, &found)?;
    let mut logs = Vec::new();
    let mut begun = None;
    loop {
        let of_generation = |log: &LogId| {
            *log.tp.topic == *topic && log.generation == closed && log.sink_id == identity.sink_id
        };
        let all = survey::logs(&lake.meta).await?;
        let mut more = false;
        for log in all.into_iter().filter(of_generation) {
            if logs.iter().all(|(tp, _)| *tp != log.tp) {
                let ended = close(&context(lake, identity, log.tp.clone()), closed, now_ms).await?;
                logs.push((log.tp, ended));
                more = true;
            }
        }
        // A partition's first owner may have begun its log meanwhile: once more, after the new
        // generation is there, to which whoever opens now goes.
        match begun {
            Some(begun) if !more => return Ok(Forgotten { closed, logs, begun }),
            Some(_) => {}
            None => {
                ownership::create(&of_topic, closed + 1, now_ms()).await?;
                begun = Some(closed + 1);
            }
        }
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
        if let Some(head) = ownership::newest_record(context, &log, generation, None).await?
            && head.kind == RecordKind::Closed
        {
            return Ok(head.next_offset);
        }
        match close_once(context, generation, now_ms).await {
            // The owner we fenced may claim again before the log is closed.
            Err(error) if error.is_temporary() || error.kind() == Kind::Fenced => {
                tracing::warn!(tp = %context.tp, %error, "closing the commit log; trying again");
                pauses.wait().await;
            }
            Err(error) => return Err(error.with("topic-partition", &context.tp)),
            Ok(next) => return Ok(next),
        }
    }
}

async fn close_once(
    context: &LogContext,
    generation: u32,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<Option<i64>> {
    let log = context.log(generation);
    let state = claim::claim(context, &log, generation, now_ms).await?;
    log.verify(state.head.seq).await?;
    let mut claimed = super::Claimed { log, state };
    unsettled::recover(context, &claimed).await?;
    claimed.state.pending.clear();
    let next = claimed.state.next;
    let record = context.record(&claimed.state, RecordKind::Closed, next, now_ms());
    claimed.log.commit(&record).await?;
    Ok(next)
}
