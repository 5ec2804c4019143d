//! Which logs a command is about: in goes what was asked, out come the logs there are.

use crate::args::Which;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use alluvium_core::log::LogId;
use alluvium_core::survey;

/// The logs that were asked for, in order, and all there are in the table.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) chosen: Vec<LogId>,
    pub(crate) all: Vec<LogId>,
}

/// Finds the logs.
///
/// # Errors
/// `Usage`: a generation that is none; a topic, partition or sink without a log. The store's.
pub(crate) async fn scope(settings: &Settings, which: &Which) -> Outcome<Scope> {
    let all = survey::logs(&settings.lake.meta).await?;
    let wanted = |log: &&LogId| {
        settings.sink_id.as_ref().is_none_or(|sink_id| log.sink_id == *sink_id)
            && which.topic.as_ref().is_none_or(|topic| *log.tp.topic == **topic)
            && which.partition.is_none_or(|partition| log.tp.partition == partition)
    };
    let mut chosen: Vec<LogId> = all.iter().filter(wanted).cloned().collect();
    match which.generation.as_deref() {
        None => {}
        Some("newest") => {
            let known = chosen.clone();
            chosen.retain(|log| is_newest(log, &known));
        }
        Some(number) => {
            let Ok(generation) = number.parse::<u32>() else {
                let message = format!("--generation {number}: must be a number or `newest`");
                return Err(Failure::usage(message));
            };
            chosen.retain(|log| log.generation == generation);
        }
    }
    let nothing_named = which.topic.is_none() && which.generation.is_none();
    if chosen.is_empty() && !(nothing_named && settings.sink_id.is_none()) {
        let known: Vec<String> = all.iter().take(10).map(LogId::to_string).collect();
        return Err(Failure::usage(format!(
            "no commit log of that name below {}; there are {}: {}",
            settings.config.meta_url,
            all.len(),
            known.join("; ")
        )));
    }
    Ok(Scope { chosen, all })
}

/// Whether no log of the same sink and topic has a later generation.
pub(crate) fn is_newest(log: &LogId, all: &[LogId]) -> bool {
    all.iter().all(|other| {
        other.sink_id != log.sink_id
            || other.tp.topic != log.tp.topic
            || other.generation <= log.generation
    })
}
