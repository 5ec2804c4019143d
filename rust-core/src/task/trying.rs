//! The store is tried before the first log is claimed: in goes a lake, out comes what its uploads
//! are good for, or why the task fails. The task thread never waits for it: topic-partitions are
//! OPENING meanwhile, however long the store is away.

use super::Parts;
use super::driver::Driver;
use super::files::Place;
use crate::error::{Error, Kind, Result};
use crate::position::TpId;
use crate::store::probe::{self, Verdict};
use crate::upload::UploadLimits;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What Kafka said longer ago than this is asked again when the store is there at last.
const FACTS_AGE_MAX: Duration = Duration::from_secs(60);

/// Whether the store was tried.
#[derive(Debug)]
pub(super) struct Trying {
    /// No log may be claimed yet.
    untried: bool,
    /// The trial under way.
    job: JoinSet<Result<Verdict>>,
    began: Instant,
    /// Topic-partitions that wait for its end.
    waiting: Vec<TpId>,
}

impl Trying {
    /// A store that has to be tried, or was before.
    pub(super) fn new(untried: bool) -> Self {
        Self { untried, job: JoinSet::new(), began: Instant::now(), waiting: Vec::new() }
    }

    /// Begins the trial, if there has to be one.
    pub(super) fn begin(&mut self, parts: &Parts) {
        if self.untried {
            let (lake, config) = (parts.lake.clone(), parts.config.clone());
            let clock = parts.clock.clone();
            self.job
                .spawn(async move { probe::patiently(&lake, &config, || clock.now_ms()).await });
        }
    }

    /// Whether a topic-partition has to wait: then it is claimed when the store was tried.
    pub(super) fn holds(&mut self, id: TpId) -> bool {
        if self.untried {
            self.waiting.push(id);
        }
        self.untried
    }

    /// The end of the trial under way.
    pub(super) async fn ended(&mut self) -> Result<Verdict> {
        match self.job.join_next().await {
            Some(Ok(told)) => told,
            Some(Err(error)) => {
                let text = "the trial of the store panicked; please report this bug";
                Err(Error::new(Kind::Poisoned, text).because(error))
            }
            None => std::future::pending().await,
        }
    }
}

impl Driver {
    /// The store was tried: logs are claimed from now on, or the task fails by name.
    pub(super) fn on_tried(&mut self, told: Result<Verdict>) {
        let verdict = match told {
            Ok(verdict) => verdict,
            Err(error) => return self.fail(error),
        };
        let held = self.parts.uploads.held.clone();
        let limits = UploadLimits::new(&self.parts.config, &self.parts.lake, &verdict);
        self.parts.uploads = UploadLimits { held, ..limits };
        self.place = Arc::new(Place::of(&self.parts));
        for lane in self.lanes.values_mut() {
            lane.move_to(self.place.clone());
        }
        self.trying.untried = false;
        let old = self.trying.began.elapsed() > FACTS_AGE_MAX;
        for id in std::mem::take(&mut self.trying.waiting) {
            match old {
                true => self.open(id, Duration::ZERO),
                false => self.claim(id, Duration::ZERO),
            }
        }
    }
}
