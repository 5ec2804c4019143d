//! The records of one log, newest to oldest: in goes a log, out comes its chain back to the first
//! record, live or archived, a few records in memory at a time.

use crate::failure::Outcome;
use alluvium_core::commit::LogAccess;
use alluvium_core::error::Result;
use alluvium_core::log::{LogId, LogRecord};
use alluvium_core::store::Location;
use alluvium_core::upkeep::{self, History};
use std::time::Duration;

/// How often a store that does not answer is asked.
const TRIES: u32 = 5;

/// A log being read.
#[derive(Debug)]
pub(crate) struct Chain {
    history: History,
    /// The newest record, until it is handed out.
    first: Option<LogRecord>,
    head: Option<LogRecord>,
}

impl Chain {
    /// Opens a log at its head.
    ///
    /// # Errors
    /// The store's; `Log`: a damaged head.
    pub(crate) async fn open(meta: &Location, log: &LogId) -> Result<Self> {
        let log = LogAccess {
            store: meta.store.clone(),
            keys: log.keys(&meta.prefix),
            metrics: Default::default(),
        };
        let mut history = upkeep::history(&log).await?;
        let head = next(&mut history).await?;
        Ok(Self { history, first: head.clone(), head })
    }

    /// The newest record; `None` = the log is empty.
    pub(crate) fn head(&self) -> Option<&LogRecord> {
        self.head.as_ref()
    }

    /// The next older record; `None` behind the first.
    ///
    /// # Errors
    /// The store's; `Log`, with `key` and `seq`, when the chain is broken here.
    pub(crate) async fn next(&mut self) -> Result<Option<LogRecord>> {
        match self.first.take() {
            Some(head) => Ok(Some(head)),
            None if self.head.is_none() => Ok(None),
            None => next(&mut self.history).await,
        }
    }
}

async fn next(history: &mut History) -> Result<Option<LogRecord>> {
    let mut tries = 1;
    loop {
        match history.next().await {
            Err(error) if error.is_temporary() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            read => return read,
        }
    }
}

/// The newest record of a log; `None` when it is empty.
pub(crate) async fn head(meta: &Location, log: &LogId) -> Outcome<Option<LogRecord>> {
    Ok(Chain::open(meta, log).await?.head)
}
