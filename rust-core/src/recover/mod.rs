//! Room 11, recover: in goes an assigned topic-partition, out comes the log's state under a claim
//! of our own, with every earlier commit visible (`docs/delivery.md`, open 1 to 6). Never aborts
//! a foreign upload, never looks at settled files.

mod claim;
mod facts;
mod forget;
mod identity;
mod ownership;
mod range;
mod rebuild;
mod reset;
mod topic;
mod unsettled;

pub use facts::{Facts, GroupOffset};
pub use forget::{Forgotten, forget, newest_generation};
pub use reset::request_reset;

use crate::commit::LogAccess;
use crate::error::{Error, Kind, Result};
use crate::log::{Layout, Link, LogKeys, LogRecord, Owner, RecordKind, TopicKeys, VERSION};
use crate::metrics::TaskMetrics;
use crate::pause::Pauses;
use crate::position::TopicPartition;
use crate::store::Lake;
use std::sync::Arc;
use uuid::Uuid;

/// Who we are, the same for every topic-partition of a task.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// `sink.id`.
    pub sink_id: String,
    /// `lake.url`, as ownership objects name it.
    pub table_url: String,
    /// Consumer group, where known.
    pub group_id: Option<String>,
    /// Who writes.
    pub owner: Owner,
    /// How files are laid out.
    pub layout: Layout,
    /// SHA-256 of the configuration, without secrets.
    pub config_fp: String,
    /// `log.bootstrap`: an empty log where one should be is taken for a fresh start.
    pub log_bootstrap: bool,
    /// `rewind.allowed`: an operator may go back to rows that were laid down before.
    pub rewind_allowed: bool,
    /// `lost.upload` = `rebuild`: commits whose uploads are all lost are laid down anew.
    pub rebuild_lost: bool,
    /// `range.lost` = `record`: what Kafka expired unread is put on record.
    pub record_losses: bool,
}

/// The state of a log whose latest record is ours.
#[derive(Debug, Clone, PartialEq)]
pub struct LogState {
    /// Generation of the topic.
    pub generation: u32,
    /// Nonce of the log's first record.
    pub log_id: Uuid,
    /// Sequence number of our claim.
    pub epoch: u64,
    /// Our latest record.
    pub head: Link,
    /// First offset that no record covers; `None` = unknown.
    pub next: Option<i64>,
    /// What the head says may not be visible yet.
    pub head_unsettled: Vec<Link>,
    /// What in truth may not be visible yet.
    pub pending: Vec<Link>,
    /// Handed on verbatim.
    pub carry: serde_json::Map<String, serde_json::Value>,
}

/// A topic-partition with what is needed to work on its log.
#[derive(Debug, Clone)]
pub struct LogContext {
    /// The topic-partition.
    pub tp: TopicPartition,
    /// Who we are.
    pub identity: Arc<Identity>,
    /// Where the table is.
    pub lake: Lake,
    /// Where outcomes are counted.
    pub metrics: Arc<TaskMetrics>,
    /// What Kafka's admin client says, where there is one.
    pub facts: Option<Arc<Facts>>,
}

/// A claimed log: how to reach it and where it stands.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The log.
    pub log: LogAccess,
    /// Where it stands.
    pub state: LogState,
}

/// Opens the log of a topic-partition: repeats until the store answers, loses duels with patience.
/// Fails only where an operator is needed. `now_ms` is asked for each record written.
pub async fn open(context: &LogContext, now_ms: impl Fn() -> i64 + Send + Sync) -> Result<Claimed> {
    let mut pauses = Pauses::store();
    loop {
        match try_open(context, &now_ms).await {
            Ok(claimed) => return Ok(claimed),
            Err(error) if error.is_temporary() || error.kind() == Kind::Fenced => {
                tracing::warn!(tp = %context.tp, %error, "opening the commit log; trying again");
                pauses.wait().await;
            }
            Err(error) => return Err(error.with("topic-partition", &context.tp)),
        }
    }
}

async fn try_open(
    context: &LogContext,
    now_ms: &(impl Fn() -> i64 + Send + Sync),
) -> Result<Claimed> {
    let life = topic::newest_life(context, now_ms()).await?;
    let log = context.log(life.generation);
    topic::finish_former(context, &log, &life, now_ms).await?;
    let state = claim::claim(context, &log, &life, now_ms).await?;
    log.verify(state.head.seq).await?;
    ownership::mark_started(context, &life).await?;
    let mut claimed = Claimed { log, state };
    let gone = unsettled::recover_or_lose(context, &claimed).await?;
    claimed.state.pending.clear();
    rebuild::carry_out(context, &mut claimed, &gone, now_ms()).await?;
    reset::carry_out(context, &mut claimed, now_ms()).await?;
    range::check(context, &mut claimed, now_ms()).await?;
    Ok(claimed)
}

impl LogContext {
    /// Access to the topic-partition's log in a generation of its topic.
    fn log(&self, generation: u32) -> LogAccess {
        let meta = &self.lake.meta;
        LogAccess {
            store: meta.store.clone(),
            keys: LogKeys::new(&meta.prefix, &self.identity.sink_id, &self.tp, generation),
            metrics: self.metrics.clone(),
        }
    }

    fn topic_keys(&self) -> TopicKeys {
        TopicKeys::new(&self.lake.meta.prefix, &self.tp.topic)
    }

    /// The next record behind `state`, of the given kind, going from `state.next` to `next`,
    /// without files. Its `unsettled` are the commits that in truth may not be visible yet.
    pub fn record(
        &self,
        state: &LogState,
        kind: RecordKind,
        next: Option<i64>,
        now_ms: i64,
    ) -> LogRecord {
        let identity = &self.identity;
        LogRecord {
            v: VERSION,
            kind,
            seq: state.head.seq + 1,
            nonce: Uuid::new_v4(),
            prev: Some(state.head),
            log_id: state.log_id,
            sink_id: identity.sink_id.clone(),
            group_id: identity.group_id.clone(),
            cluster_id: self.facts.as_ref().and_then(|facts| facts.cluster_id.clone()),
            topic: self.tp.topic.to_string(),
            topic_id: self.facts.as_ref().and_then(|facts| facts.topic_id.clone()),
            generation: state.generation,
            partition: self.tp.partition,
            epoch: state.epoch,
            owner: identity.owner.clone(),
            start_offset: state.next,
            next_offset: next,
            unsettled: state.pending.clone(),
            records: 0,
            rows: 0,
            skipped: Default::default(),
            skipped_offsets: Default::default(),
            gaps: Default::default(),
            carry: state.carry.clone(),
            layout: identity.layout.clone(),
            config_fp: identity.config_fp.clone(),
            created_at: now_ms,
            files: Vec::new(),
        }
    }
}

impl LogState {
    /// The state after one of our records became the head.
    #[must_use]
    pub fn after(&self, record: &LogRecord) -> Self {
        Self {
            head: record.link(),
            next: record.next_offset,
            head_unsettled: record.unsettled.clone(),
            pending: record.unsettled.clone(),
            ..self.clone()
        }
    }
}

/// An error of the log itself, with the key that shows it.
fn damaged(message: &str, key: &str) -> Error {
    Error::new(Kind::Log, format!("the commit log is damaged: {message}")).with("key", key)
}
