//! Room 9, commit: in go a record for the head of a log, out comes the knowledge that it is the
//! head, or that another owner is (`docs/delivery.md`, flush 1 and 2). Never aborts an upload,
//! never publishes a file.

use crate::error::{Error, Kind, Result};
use crate::log::{Link, LogKeys, LogRecord};
use crate::metrics::TaskMetrics;
use crate::pause::Pauses;
use crate::store::{Created, ObjectInfo, Store};
use std::sync::Arc;

/// Keys of a listing that are looked at for the head.
const FIRST_KEYS: usize = 8;

/// The log of one topic-partition, as its owner reaches it.
#[derive(Debug, Clone)]
pub struct LogAccess {
    /// The store of the commit log.
    pub store: Arc<dyn Store>,
    /// The log's keys.
    pub keys: LogKeys,
    /// Where outcomes are counted.
    pub metrics: Arc<TaskMetrics>,
}

/// What became of a record sent to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object at its key is ours.
    Mine,
    /// The object at its key is another owner's.
    Foreign,
    /// The store refused it and then had no such object: another owner's record was here and is
    /// gone. We are fenced; whether ours ever was the head cannot be told, so nothing is aborted.
    Vanished,
}

/// What a listing says of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// No record.
    Empty,
    /// The record of the highest sequence number.
    At(u64),
}

impl LogAccess {
    /// Sends a record by PUT-if-absent and finds out what became of it, however long the store is
    /// away. Fails only where trying again cannot help; then the outcome is unknown and nothing
    /// the record names may be aborted.
    pub async fn put(&self, record: &LogRecord) -> Result<Put> {
        let key = self.keys.record(record.seq);
        let body = bytes::Bytes::from(record.to_bytes()?);
        let mut pauses = Pauses::store();
        loop {
            let refused = match self.store.create(&key, body.clone()).await {
                Created::Done => return Ok(Put::Mine),
                Created::Refused => None,
                Created::Unknown(error) => {
                    self.metrics.unknown_outcomes.add(1);
                    tracing::warn!(%key, %error, "outcome of a log record is not known yet");
                    Some(error)
                }
            };
            match (self.at(&key, record.link(), &mut pauses).await?, refused) {
                (Some(put), _) => return Ok(put),
                (None, None) => return Ok(Put::Vanished),
                (None, Some(error)) if !error.is_temporary() => return Err(error),
                (None, Some(_)) => pauses.wait().await,
            }
        }
    }

    /// Whose record is at the key; `None` = there is none. Repeated until the store answers.
    async fn at(&self, key: &str, mine: Link, pauses: &mut Pauses) -> Result<Option<Put>> {
        loop {
            match self.store.get(key).await {
                Ok(None) => return Ok(None),
                Ok(Some(bytes)) => {
                    // A record that does not parse is not ours.
                    let found = LogRecord::from_bytes(key, &bytes).map(|r| r.link());
                    let mine = found.is_ok_and(|link| link == mine);
                    return Ok(Some(if mine { Put::Mine } else { Put::Foreign }));
                }
                Err(error) if error.is_temporary() => pauses.wait().await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The head as a listing shows it. Newer records sort first and blocks of the archive last:
    /// a few keys are enough, unless keys of somebody else stand before them.
    pub async fn head(&self) -> Result<Head> {
        let newest = |page: &[ObjectInfo]| page.iter().filter_map(|o| self.keys.seq(&o.key)).max();
        let first = self.store.list_first(self.keys.prefix(), FIRST_KEYS).await?;
        let mut head = newest(&first);
        if head.is_none() && !first.is_empty() {
            head = newest(&self.store.list(self.keys.prefix(), None).await?);
        }
        Ok(head.map_or(Head::Empty, Head::At))
    }

    /// Confirms that our record at `seq` is the head: only then may its files be published. Fails
    /// as [`Kind::Fenced`] when a later record is there. A listing that does not show our record
    /// yet is asked again: nothing may be published on its word.
    pub async fn verify(&self, seq: u64) -> Result<()> {
        let mut pauses = Pauses::store();
        loop {
            match self.head().await {
                Ok(Head::At(head)) if head > seq => {
                    self.metrics.resurrect_rejected.add(1);
                    return Err(fenced("a later record is at the head", seq).with("head", head));
                }
                Ok(Head::At(head)) if head == seq => return Ok(()),
                Ok(stale) => {
                    tracing::warn!(seq, ?stale, "the listing does not show our record yet")
                }
                Err(error) if error.is_temporary() => {
                    tracing::warn!(seq, %error, "the head of the commit log cannot be read yet");
                }
                Err(error) => return Err(error),
            }
            pauses.wait().await;
        }
    }

    /// Sends a record and confirms that it is the head. [`Kind::Fenced`] when another owner is.
    pub async fn commit(&self, record: &LogRecord) -> Result<()> {
        match self.put(record).await? {
            Put::Mine => self.verify(record.seq).await,
            Put::Foreign => Err(fenced("another owner wrote this record first", record.seq)),
            Put::Vanished => Err(fenced("the record was refused and is not there", record.seq)),
        }
    }
}

/// The error of an owner that is no longer one.
pub(crate) fn fenced(why: &str, seq: u64) -> Error {
    Error::new(Kind::Fenced, format!("this task no longer owns the commit log: {why}"))
        .with("seq", seq)
}
