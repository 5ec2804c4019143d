//! Whose topic, table and log this is: what the topic's generation object, the log's head and the
//! `.started` marker say (`docs/delivery.md`, identity).

use super::LogContext;
use super::topic::Life;
use crate::commit::{Head, LogAccess};
use crate::error::{Error, Kind, Result};
use crate::log::{LogRecord, RecordKind, TopicGeneration, VERSION};
use crate::pause::Pauses;
use crate::store::Created;
use bytes::Bytes;

/// Objects of a full page of a listing.
const PAGE: usize = 1_000;
/// Looks at an empty log that was begun: over 5 s or more.
const LOOKS: u32 = 7;

/// The newest generation a listing shows, and whether it shows the partition's marker in it.
pub(super) async fn newest(context: &LogContext) -> Result<(Option<u32>, bool)> {
    let keys = context.topic_keys();
    let marker = |generation| keys.started(generation, context.tp.partition);
    let (mut newest, mut marked, mut after) = (None, false, None);
    loop {
        let page = context.lake.meta.store.list(keys.prefix(), after.as_deref()).await?;
        let found = page.iter().filter_map(|object| keys.generation_of(&object.key)).max();
        if found > newest {
            (newest, marked) = (found, false);
        }
        if let Some(marker) = newest.map(marker) {
            marked |= page.iter().any(|object| object.key == marker);
        }
        match newest {
            // Behind a generation's object lie its partitions' markers, maybe more than a page
            // holds; behind those the next generation.
            Some(generation) if page.len() >= PAGE => after = Some(keys.behind(generation)),
            _ => return Ok((newest, marked)),
        }
    }
}

/// Reads a generation object. Refuses a topic that another sink id owns in this table, and a commit
/// log that belongs to another table.
pub(super) fn check(context: &LogContext, key: &str, bytes: &[u8]) -> Result<TopicGeneration> {
    let found: TopicGeneration = serde_json::from_slice(bytes).map_err(|e| {
        super::damaged("a topic's generation object is not readable", key).because(e)
    })?;
    let identity = &context.identity;
    if found.v != VERSION {
        let text =
            "the commit log was written by a newer Alluvium; install the newer version again";
        return Err(Error::new(Kind::Log, text).with("key", key));
    }
    if found.table != identity.table_url {
        return Err(Error::new(
            Kind::Ownership,
            format!(
                "this commit log belongs to the table {}, not to {}; give each table a \
                 lake.meta.url of its own",
                found.table, identity.table_url
            ),
        )
        .with("lake.meta.url", key));
    }
    if found.sink_id != identity.sink_id {
        return Err(Error::new(
            Kind::Ownership,
            format!(
                "the sink '{}' already lays topic {} down in this table; to go on where it was, \
                 stop it and set sink.id={}; to lay it down twice, choose another lake.url",
                found.sink_id, context.tp.topic, found.sink_id
            ),
        )
        .with("sink.id", &identity.sink_id));
    }
    Ok(found)
}

/// What a log was found to be.
#[derive(Debug)]
pub(super) enum Found {
    /// A log whose newest record is this.
    Record(Box<LogRecord>),
    /// No log yet.
    New,
    /// A log that was lost, and may be begun anew.
    Lost,
}

/// The newest record of the log, unless it is empty and may be. An empty log whose partition
/// was begun before is somebody's lifecycle rule at work, and refused. `known` is the place of a
/// record that was met by a claim: a listing may be behind it, and behind whatever followed.
pub(super) async fn head(
    context: &LogContext,
    log: &LogAccess,
    generation: u32,
    known: Option<u64>,
) -> Result<Found> {
    let mut seq = match log.head().await? {
        Head::At(seq) => seq,
        Head::Empty if !is_begun(context, generation).await? => return Ok(Found::New),
        Head::Empty => match look_again(log).await? {
            Head::At(seq) => seq,
            Head::Empty if context.identity.log_bootstrap => return Ok(Found::Lost),
            Head::Empty => return Err(gone(context, generation)),
        },
    };
    // Without it the claim's own condition tells whether a record follows: one request less.
    let read_on = known.is_some();
    seq = seq.max(known.unwrap_or(0));
    let mut newest: Option<LogRecord> = None;
    loop {
        let key = log.keys.record(seq);
        match log.store.get(&key).await? {
            Some(bytes) => newest = Some(check_record(context, &key, seq, &bytes)?),
            None => break,
        }
        if !read_on {
            break;
        }
        seq += 1;
    }
    let Some(newest) = newest else {
        return Err(Error::new(Kind::Log, "the head of the log moved while it was read")
            .with("key", log.keys.record(seq))
            .temporary());
    };
    if newest.kind == RecordKind::Closed {
        let text = "this generation of the topic was closed by an operator; its next generation \
                    is not there yet";
        return Err(Error::new(Kind::Log, text).with("topic-partition", &context.tp).temporary());
    }
    Ok(Found::Record(Box::new(newest)))
}

/// Another owner may have begun the log between two looks, and a listing may be behind: a healthy
/// log is not called lost before some time has passed.
async fn look_again(log: &LogAccess) -> Result<Head> {
    let mut pauses = Pauses::store();
    loop {
        let head = log.head().await?;
        if head != Head::Empty || pauses.made == LOOKS {
            return Ok(head);
        }
        pauses.wait().await;
    }
}

async fn is_begun(context: &LogContext, generation: u32) -> Result<bool> {
    let marker = context.topic_keys().started(generation, context.tp.partition);
    Ok(context.lake.meta.store.head(&marker).await?.is_some())
}

fn gone(context: &LogContext, generation: u32) -> Error {
    Error::new(
        Kind::Log,
        "the commit log of this topic-partition is empty although it was begun before: somebody \
         (a lifecycle rule?) deleted it. Exempt the commit log from expiration and restore it; or \
         set log.bootstrap=true to begin anew, which lays down again whatever Kafka still has",
    )
    .with("marker", context.topic_keys().started(generation, context.tp.partition))
}

fn check_record(context: &LogContext, key: &str, seq: u64, bytes: &[u8]) -> Result<LogRecord> {
    let record = LogRecord::from_bytes(key, bytes)?;
    let tp = &context.tp;
    if record.seq != seq || *record.topic != *tp.topic || record.partition != tp.partition {
        return Err(super::damaged("a record is not where it belongs", key));
    }
    Ok(record)
}

/// Leaves the marker that tells a new log from a lost one, where it was not seen before.
pub(super) async fn mark_started(context: &LogContext, life: &Life) -> Result<()> {
    if life.marked {
        return Ok(());
    }
    let marker = context.topic_keys().started(life.generation, context.tp.partition);
    match context.lake.meta.store.create(&marker, Bytes::new()).await {
        Created::Done | Created::Refused => Ok(()),
        Created::Unknown(error) => Err(error),
    }
}
