//! `alluvium forget`: starts a topic over. The work is the core's; here it is asked for and told.

use crate::failure::{FINE, Failure, Outcome};
use crate::out::{Out, line};
use crate::settings::Settings;
use crate::show;
use alluvium_core::clock::{Clock, SystemClock};
use alluvium_core::log::{Layout, Owner};
use alluvium_core::recover::{self, Identity};
use std::sync::Arc;

/// Runs the command.
pub(crate) async fn run(settings: &Settings, topic: &str, yes: bool, out: &mut Out) -> Outcome {
    let lake = &settings.lake;
    let Some(found) = recover::newest_generation(lake, topic).await? else {
        let message =
            format!("the table {} has never seen the topic {topic}", settings.config.lake_url);
        return Err(Failure::usage(message));
    };
    if !yes {
        return Err(Failure::usage(format!(
            "this closes generation {} of topic {topic}, laid down by the sink {}, and begins \
             generation {}: the sink goes on at its consumer group's offset (the earliest record \
             if there is none), and what it reads again is laid down again beside the files that \
             stay. Stop the connector first; then repeat with --yes",
            found.generation,
            found.sink_id,
            found.generation + 1
        )));
    }
    let identity = Identity {
        sink_id: settings.sink_id.clone().unwrap_or(found.sink_id),
        table_url: settings.config.lake_url.clone(),
        group_id: None,
        owner: Owner {
            connector: "alluvium forget".to_owned(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: SystemClock.now_ms(),
            ..Owner::default()
        },
        layout: Layout::default(),
        config_fp: String::new(),
        log_bootstrap: false,
        rewind_allowed: false,
        rebuild_lost: false,
        record_losses: false,
    };
    let done = recover::forget(lake, &Arc::new(identity), topic, &|| SystemClock.now_ms()).await?;
    for (tp, next) in &done.logs {
        line!(out, "closed {} {} at offset {}", tp.topic, tp.partition, show::offset(*next))?;
    }
    line!(
        out,
        "topic {topic}: generation {} is closed ({} logs), generation {} begins",
        done.closed,
        done.logs.len(),
        done.begun
    )?;
    Ok(FINE)
}
