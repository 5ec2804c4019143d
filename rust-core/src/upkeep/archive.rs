//! Old records into the archive: in goes a log whose head is our record, confirmed; blocks of
//! records that nobody needs at their own keys become one object each, then those keys go. Writes
//! a block before it deletes a key, the oldest first; never overwrites a block, never deletes a key
//! whose block it has not seen, never touches what the record at the head calls unsettled.
//!
//! Any owner may run this at any time, however late and as often as it likes: what it goes by is
//! its own record, and a log only grows. What one leaves half done the next one finishes.

use crate::commit::LogAccess;
use crate::error::{Error, Kind, Result};
use crate::log::{BlockWriter, Link, LogRecord, read_block};
use crate::recover::LogState;
use crate::store::Created;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Bytes of records kept between following the chain and writing their block; beyond, they are
/// read again.
const HELD_MAX: usize = 1 << 20;
/// Records read at once.
const READ_AHEAD: usize = 8;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Blocks written.
    pub blocks: u64,
    /// Keys of records deleted.
    pub deleted: u64,
}

/// Whether the record at the head is one after which a run is due. One in a block's length is: a
/// run costs about three requests for each record it moves.
pub fn is_due(log: &LogAccess, state: &LogState) -> bool {
    state.head.seq.is_multiple_of(log.keys.blocks().size())
}

/// Archives every block that lies wholly below what may still be needed, and deletes the keys of
/// its records. `state` is the log as our record left it, after it was confirmed as the head.
///
/// # Errors
/// Of the store, or `Log` where the log or its archive is not as it should be. Nothing is lost by
/// either: the next run begins where this one ended.
pub async fn archive(log: &LogAccess, state: &LogState) -> Result<Archived> {
    let mut run = Run { log, state, chain: None, done: Archived::default() };
    for (block, live) in run.live_below(end(log, state)).await? {
        match log.store.get(&log.keys.archive(block)).await? {
            // Half done by an earlier owner; or somebody's record that came too late to count.
            Some(stored) => run.check(block, &stored)?,
            None => run.write(block).await?,
        }
        for seq in live {
            log.store.delete(&log.keys.record(seq)).await?;
            run.done.deleted += 1;
        }
    }
    Ok(run.done)
}

/// The first block that stays. A block's length stays below the oldest commit that the *record* at
/// the head calls unsettled: memory may know it settled, but the next owner reads the record.
fn end(log: &LogAccess, state: &LogState) -> u64 {
    let unsettled = state.head_unsettled.iter().map(|link| link.seq);
    let oldest = unsettled.min().unwrap_or(state.head.seq).min(state.head.seq);
    let blocks = log.keys.blocks();
    blocks.of(oldest.saturating_sub(blocks.size()))
}

struct Run<'a> {
    log: &'a LogAccess,
    state: &'a LogState,
    chain: Option<Chain>,
    done: Archived,
}

/// The records from the head down to the oldest live one, as each names the one before it.
struct Chain {
    /// By sequence number.
    nonces: BTreeMap<u64, Uuid>,
    /// Bytes of the oldest ones.
    held: BTreeMap<u64, Bytes>,
    held_bytes: usize,
}

impl Run<'_> {
    /// Live keys in blocks before `end`, by block, ascending.
    async fn live_below(&self, end: u64) -> Result<BTreeMap<u64, Vec<u64>>> {
        let (keys, mut live) = (&self.log.keys, BTreeMap::<u64, Vec<u64>>::new());
        // Newer records sort first, all blocks behind all records.
        let mut after = keys.record(end * keys.blocks().size());
        loop {
            let page = self.log.store.list(keys.prefix(), Some(&after)).await?;
            for seq in page.iter().filter_map(|object| keys.seq(&object.key)) {
                live.entry(keys.blocks().of(seq)).or_default().insert(0, seq);
            }
            match page.last() {
                Some(last) if keys.seq(&last.key).is_some() => after.clone_from(&last.key),
                _ => return Ok(live),
            }
        }
    }

    /// Holds a block that is there against what it must have before any key of it goes.
    fn check(&self, block: u64, stored: &[u8]) -> Result<()> {
        let keys = &self.log.keys;
        let key = keys.archive(block);
        let found = read_block(&key, stored)?;
        let whole = found.iter().map(|record| record.seq).eq(keys.blocks().records(block));
        if whole && found.iter().all(|record| record.log_id == self.state.log_id) {
            return Ok(());
        }
        let text = "a block of the commit log's archive is not of this log, or not whole, so the \
                    records in its place stay; if the log was begun anew by log.bootstrap=true, \
                    move the old log's archive away";
        Err(Error::new(Kind::Log, text).with("key", key))
    }

    /// Writes a block from its records.
    async fn write(&mut self, block: u64) -> Result<()> {
        let (log, records) = (self.log, self.log.keys.blocks().records(block));
        let mut chain = match self.chain.take() {
            Some(chain) => chain,
            None => Chain::follow(log, self.state.head, *records.start()).await?,
        };
        let mut writer = BlockWriter::new()?;
        for seq in records {
            writer.append(&chain.record(log, seq).await?)?;
        }
        self.chain = Some(chain);
        let key = log.keys.archive(block);
        match log.store.create(&key, Bytes::from(writer.finish()?)).await {
            Created::Done => {}
            // Another owner was first. Its block is seen before anything is deleted.
            Created::Refused => match log.store.get(&key).await? {
                Some(stored) => return self.check(block, &stored),
                None => return Err(missing("a block was refused and is not there", &key)),
            },
            Created::Unknown(error) => return Err(error),
        }
        self.done.blocks += 1;
        log.metrics.archived_blocks.add(1);
        Ok(())
    }
}

impl Chain {
    /// Follows the links from `head` down to the record `first`.
    async fn follow(log: &LogAccess, head: Link, first: u64) -> Result<Self> {
        let mut chain = Self { nonces: BTreeMap::new(), held: BTreeMap::new(), held_bytes: 0 };
        let mut expected = Some(head);
        let mut stored = futures::stream::iter((first..=head.seq).rev())
            .map(|seq| async move { Ok::<_, Error>((seq, get(log, seq).await?)) })
            .buffered(READ_AHEAD);
        while let Some((seq, stored)) = stored.try_next().await? {
            let key = log.keys.record(seq);
            let record = LogRecord::from_bytes(&key, &stored)?;
            if expected != Some(record.link()) {
                return Err(missing(
                    "a record is not the one that the record after it names",
                    &key,
                ));
            }
            expected = record.prev;
            chain.nonces.insert(seq, record.nonce);
            chain.hold(seq, stored);
        }
        Ok(chain)
    }

    /// Keeps the bytes of the oldest records: they are wanted first.
    fn hold(&mut self, seq: u64, stored: Bytes) {
        self.held_bytes += stored.len();
        self.held.insert(seq, stored);
        while self.held_bytes > HELD_MAX
            && let Some((_, newest)) = self.held.pop_last()
        {
            self.held_bytes -= newest.len();
        }
    }

    /// The bytes of a record of the chain.
    async fn record(&mut self, log: &LogAccess, seq: u64) -> Result<Bytes> {
        if let Some(stored) = self.held.remove(&seq) {
            self.held_bytes -= stored.len();
            return Ok(stored);
        }
        let (key, stored) = (log.keys.record(seq), get(log, seq).await?);
        if self.nonces.get(&seq) != Some(&LogRecord::from_bytes(&key, &stored)?.nonce) {
            return Err(missing("a record was replaced while it was archived", &key));
        }
        Ok(stored)
    }
}

async fn get(log: &LogAccess, seq: u64) -> Result<Bytes> {
    let key = log.keys.record(seq);
    let stored = log.store.get(&key).await?;
    stored
        .ok_or_else(|| missing("a record is gone: another owner archived it, or it is lost", &key))
}

fn missing(what: &str, key: &str) -> Error {
    Error::new(Kind::Log, format!("the commit log cannot be archived: {what}")).with("key", key)
}
