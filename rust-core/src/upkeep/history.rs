//! The whole log of a topic-partition: in go its keys, out come its records from the head back to
//! the first, one by one. Reads live keys first, then the archive, along the links between
//! records; what is not linked is never shown. Writes nothing.

use crate::commit::{Head, LogAccess};
use crate::error::{Error, Kind, Result};
use crate::log::{Link, LogRecord, read_block};
use uuid::Uuid;

/// A reader of one log, newest record first. Holds one block of the archive at most.
#[derive(Debug)]
pub struct History {
    log: LogAccess,
    at: At,
    /// Records of the block read last, oldest first; those handed out are gone from the end.
    block: Vec<LogRecord>,
    /// A record was found in the archive: all before it are there too.
    in_archive: bool,
}

/// Where the reader stands.
#[derive(Debug)]
enum At {
    Head(Box<LogRecord>),
    /// Behind a record of the log `log_id` that names `link` as the one before it.
    Before {
        log_id: Uuid,
        link: Link,
    },
    End,
}

/// Begins to read a log at its head. A log without records has none to give.
///
/// # Errors
/// Of the store; `Log`, with `key` and `seq`, when the head is not readable.
pub async fn history(log: &LogAccess) -> Result<History> {
    let at = match head(log).await? {
        Some(head) => At::Head(Box::new(head)),
        None => At::End,
    };
    Ok(History { log: log.clone(), at, block: Vec::new(), in_archive: false })
}

impl History {
    /// The next older record; `None` behind the first. After an error the reader stands where it
    /// stood: a temporary one may be asked again.
    ///
    /// # Errors
    /// Of the store; `Log`, with `key` and `seq`: a record or block that is missing, unreadable,
    /// or not the one that the record after it names.
    pub async fn next(&mut self) -> Result<Option<LogRecord>> {
        let record = match &self.at {
            At::End => return Ok(None),
            At::Head(head) => (**head).clone(),
            At::Before { log_id, link } => {
                let (log_id, link) = (*log_id, *link);
                self.read(log_id, link).await?
            }
        };
        self.at = match record.prev {
            Some(link) if link.seq + 1 == record.seq => At::Before { log_id: record.log_id, link },
            None if record.seq == 1 => At::End,
            _ => {
                let key = self.log.keys.record(record.seq);
                return Err(broken("a record does not name the one before it", &key, record.seq));
            }
        };
        Ok(Some(record))
    }

    async fn read(&mut self, log_id: Uuid, link: Link) -> Result<LogRecord> {
        let record = match self.live(link).await? {
            Ok(record) => record,
            Err(problem) => match self.archived(link).await? {
                Some(record) => record,
                None => return Err(problem),
            },
        };
        if record.log_id != log_id {
            let text = "a record belongs to another log than the one after it";
            return Err(broken(text, &self.log.keys.record(link.seq), link.seq));
        }
        Ok(record)
    }

    /// The record from its own key; inside, what is wrong with that key. A key whose record was
    /// archived may be gone, or another owner's record that came too late may stand there.
    async fn live(&self, link: Link) -> Result<Result<LogRecord>> {
        let key = self.log.keys.record(link.seq);
        let gone =
            || broken("a record is gone, and no block of the archive has it", &key, link.seq);
        if self.in_archive {
            return Ok(Err(gone()));
        }
        Ok(match self.log.store.get(&key).await? {
            None => Err(gone()),
            Some(bytes) => match LogRecord::from_bytes(&key, &bytes) {
                Ok(record) if record.link() == link => Ok(record),
                Ok(_) => Err(not_the_one(&key, link)),
                Err(error) => Err(error.with("seq", link.seq)),
            },
        })
    }

    /// The record from the archive; `None` when its block is not there.
    async fn archived(&mut self, link: Link) -> Result<Option<LogRecord>> {
        let keys = &self.log.keys;
        let key = keys.archive(keys.blocks().of(link.seq));
        if self.block.last().is_none_or(|last| last.seq != link.seq) {
            let Some(bytes) = self.log.store.get(&key).await? else { return Ok(None) };
            self.block = read_block(&key, &bytes).map_err(|error| error.with("seq", link.seq))?;
            // The first one asked for may be in the middle: a log that is read while it grows.
            self.block.retain(|record| record.seq <= link.seq);
        }
        match self.block.pop_if(|last| last.link() == link) {
            Some(record) => {
                self.in_archive = true;
                Ok(Some(record))
            }
            None => Err(not_the_one(&key, link)),
        }
    }
}

/// The newest record. A listing may be behind; the records are not.
async fn head(log: &LogAccess) -> Result<Option<LogRecord>> {
    let Head::At(mut seq) = log.head().await? else { return Ok(None) };
    let mut newest = None;
    loop {
        let key = log.keys.record(seq);
        match log.store.get(&key).await? {
            Some(bytes) => {
                let record = LogRecord::from_bytes(&key, &bytes);
                let record = record.map_err(|error| error.with("seq", seq))?;
                if record.seq != seq {
                    return Err(broken("a record is not where it belongs", &key, seq));
                }
                newest = Some(record);
            }
            None if newest.is_some() => return Ok(newest),
            None => {
                let text = "the head of the log moved while it was read";
                return Err(Error::new(Kind::Log, text).with("key", &key).temporary());
            }
        }
        seq += 1;
    }
}

fn not_the_one(key: &str, link: Link) -> Error {
    broken("another record stands where the one after it names its own", key, link.seq)
        .with("nonce", link.nonce)
}

fn broken(message: &str, key: &str, seq: u64) -> Error {
    Error::new(Kind::Log, format!("the commit log is damaged: {message}"))
        .with("key", key)
        .with("seq", seq)
}
