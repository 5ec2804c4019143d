//! Which life of the topic this is, and whether this is the folder its last owner wrote to: the
//! generation objects read, created where needed, and held against what Kafka says.

use super::facts::{Facts, GroupOffset};
use super::identity::{self, Decision, Folder, KnownIds};
use super::ownership::{self, Found};
use super::{Claimed, LogContext, claim, damaged, unsettled};
use crate::commit::{Head, LogAccess};
use crate::error::{Error, Kind, Result};
use crate::log::{LogRecord, RecordKind, TopicGeneration, TopicIds, VERSION};
use crate::store::Created;
use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

/// A life of the topic, as its generation object tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) generation: u32,
    /// Offset at which a log of it begins, where known.
    pub(super) start: Option<i64>,
    /// The marker was seen that the partition's log was begun.
    pub(super) marked: bool,
}

impl Life {
    /// A life that was begun before.
    pub(super) fn former(generation: u32) -> Self {
        Self { generation, start: None, marked: true }
    }
}

/// The present life of the topic; its generation object is created where there is none.
///
/// # Errors
/// `Ownership`: of another sink, table or cluster. `StaleFacts`: the facts are of an earlier life.
pub(super) async fn newest_life(context: &LogContext, now_ms: i64) -> Result<Life> {
    loop {
        let (found, marked) = ownership::newest(context).await?;
        let newest = match found {
            Some(newest) => newest,
            None => {
                create(context, 1, None, now_ms).await?;
                1
            }
        };
        let (object, ids) = read(context, newest).await?;
        let life = Life { generation: newest, start: object.start, marked };
        let Some(facts) = &context.facts else { return Ok(life) };
        let key = context.topic_keys().generation(newest);
        identity::same_cluster(facts, ids.cluster_id.as_deref(), &key)?;
        let mut earlier = Vec::new();
        if ids.topic_id != facts.topic_id {
            for generation in 1..newest {
                earlier.push(read(context, generation).await?.1);
            }
        }
        match identity::decide(facts, &ids, &earlier) {
            Decision::Same => return Ok(life),
            Decision::Stale => return Err(stale(context)),
            // Whoever else is about to do the same: what stands there then is read and compared.
            Decision::WriteDown => write_down(context, newest, facts).await?,
            Decision::Reborn => {
                tracing::warn!(
                    tp = %context.tp, generation = newest + 1, topic_id = facts.topic_id.as_deref(),
                    "the topic was deleted and created again: a new generation of it begins"
                );
                create(context, newest + 1, Some(0), now_ms).await?;
            }
        }
    }
}

fn stale(context: &LogContext) -> Error {
    let text = "Kafka's metadata still shows an earlier life of the topic; it is asked again";
    Error::new(Kind::StaleFacts, text).with("topic", &context.tp.topic)
}

/// A generation object, and the ids its life is known by.
async fn read(context: &LogContext, generation: u32) -> Result<(TopicGeneration, KnownIds)> {
    let (store, keys) = (&context.lake.meta.store, context.topic_keys());
    let key = keys.generation(generation);
    let Some(bytes) = store.get(&key).await? else {
        return Err(Error::new(Kind::Log, "the topic's generation object is not there yet")
            .with("key", &key)
            .temporary());
    };
    let object = ownership::check(context, &key, &bytes)?;
    let mut ids =
        KnownIds { topic_id: object.topic_id.clone(), cluster_id: object.cluster_id.clone() };
    if context.facts.is_some() && ids.topic_id.is_none() {
        let key = keys.ids(generation);
        if let Some(bytes) = store.get(&key).await? {
            let later: TopicIds = serde_json::from_slice(&bytes)
                .map_err(|e| damaged("the ids of a topic are not readable", &key).because(e))?;
            ids = KnownIds { topic_id: later.topic_id, cluster_id: later.cluster_id };
        }
    }
    Ok((object, ids))
}

async fn create(
    context: &LogContext,
    generation: u32,
    start: Option<i64>,
    now_ms: i64,
) -> Result<()> {
    let (identity, facts) = (&context.identity, context.facts.as_deref());
    let object = TopicGeneration {
        v: VERSION,
        generation,
        sink_id: identity.sink_id.clone(),
        table: identity.table_url.clone(),
        topic_id: facts.and_then(|facts| facts.topic_id.clone()),
        cluster_id: facts.and_then(|facts| facts.cluster_id.clone()),
        start,
        owner: identity.owner.clone(),
        created_at: now_ms,
    };
    put(context, &context.topic_keys().generation(generation), &object).await
}

async fn write_down(context: &LogContext, generation: u32, facts: &Facts) -> Result<()> {
    let (topic_id, cluster_id) = (facts.topic_id.clone(), facts.cluster_id.clone());
    let key = context.topic_keys().ids(generation);
    put(context, &key, &TopicIds { topic_id, cluster_id }).await
}

/// Creates an object. Whoever created it: it is read back and checked.
async fn put(context: &LogContext, key: &str, object: &impl Serialize) -> Result<()> {
    let body = serde_json::to_vec(object).map_err(|e| {
        Error::new(Kind::Log, "what is known of a topic cannot be written").because(e)
    })?;
    match context.lake.meta.store.create(key, Bytes::from(body)).await {
        Created::Done | Created::Refused => Ok(()),
        Created::Unknown(error) => Err(error),
    }
}

/// Holds the log that was found against the one the group's metadata names: an unshared folder, or
/// one put back from a backup, is not where the last owner wrote to.
///
/// # Errors
/// `Ownership`, unless `log.bootstrap=true`.
pub(super) async fn check_folder(
    context: &LogContext,
    generation: u32,
    found: &Found,
) -> Result<()> {
    let group = context.facts.as_ref().and_then(|facts| facts.group.as_ref());
    let head = match found {
        Found::Record(head) => Some((head.link(), head.log_id)),
        Found::New | Found::Lost => None,
    };
    let why = match identity::folder(group, head) {
        Folder::Right => return Ok(()),
        Folder::Behind(seq) => format!("its record {seq}, which the group was told of, is gone"),
        // The group was last committed in an earlier life of the topic.
        Folder::Other(log) if is_earlier(context, generation, log).await? => return Ok(()),
        Folder::Other(log) => format!("they wrote to the log {log}"),
    };
    let what = group.map(|group: &GroupOffset| group.metadata.clone()).unwrap_or_default();
    if context.identity.log_bootstrap {
        tracing::warn!(tp = %context.tp, group = what, "log.bootstrap: {why}; going on regardless");
        return Ok(());
    }
    Err(Error::new(
        Kind::Ownership,
        format!(
            "this commit log is not as the last owner left it: {why}. Is lake.url a folder that \
             the workers do not share, or was it put back from a backup, or changed? Set it right; \
             or set log.bootstrap=true to go on with the log that is here"
        ),
    )
    .with("lake.meta.url", context.log(generation).keys.prefix())
    .with("group metadata", what))
}

/// Before the first record of a log in a later generation: the topic-partition's log in the former
/// one is claimed, which fences whoever still writes there, and its last commits are published.
/// Nobody would look at them any more.
pub(super) async fn finish_former(
    context: &LogContext,
    log: &LogAccess,
    life: &Life,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<()> {
    if life.generation == 1 || log.head().await? != Head::Empty {
        return Ok(());
    }
    for generation in (1..life.generation).rev() {
        let Some(head) = record_of(context, generation).await? else { continue };
        let log = context.log(generation);
        let mut former = if head.kind == RecordKind::Closed {
            let state = claim::claimed(&head);
            Claimed { log, state }
        } else {
            let life = Life::former(generation);
            let state = claim::claim(context, &log, &life, now_ms).await?;
            log.verify(state.head.seq).await?;
            Claimed { log, state }
        };
        unsettled::recover(context, &former).await?;
        former.state.pending.clear();
        if head.kind != RecordKind::Closed {
            let next = former.state.next;
            let settled = context.record(&former.state, RecordKind::Advance, next, now_ms());
            former.log.commit(&settled).await?;
        }
        return Ok(());
    }
    Ok(())
}

async fn is_earlier(context: &LogContext, newest: u32, log: Uuid) -> Result<bool> {
    for generation in 1..newest {
        let record = record_of(context, generation).await?;
        if record.is_some_and(|record| record.log_id == log) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest record of the newest generation's log, if there is one.
pub(super) async fn newest_record(context: &LogContext) -> Result<Option<LogRecord>> {
    let (Some(newest), _) = ownership::newest(context).await? else { return Ok(None) };
    read(context, newest).await?;
    record_of(context, newest).await
}

async fn record_of(context: &LogContext, generation: u32) -> Result<Option<LogRecord>> {
    let log = context.log(generation);
    let Head::At(seq) = log.head().await? else { return Ok(None) };
    let key = log.keys.record(seq);
    log.store.get(&key).await?.map(|bytes| LogRecord::from_bytes(&key, &bytes)).transpose()
}
