//! `alluvium files`: the exact list of settled files: every one of them is wholly visible, and
//! together they hold each offset below the logs' settled ends once.

use crate::args::Which;
use crate::chain::Chain;
use crate::failure::{FINE, Outcome};
use crate::out::{Out, line};
use crate::scope::scope;
use crate::settings::Settings;
use alluvium_core::log::{FileEntry, LogId, LogRecord, Voids};

/// How files are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Urls,
    Keys,
    Json,
}

/// Runs the command.
pub(crate) async fn run(settings: &Settings, which: &Which, form: Form, out: &mut Out) -> Outcome {
    let meta = &settings.lake.meta;
    for log in scope(settings, which).await?.chosen {
        let mut chain = Chain::open(meta, &log).await?;
        let unsettled = chain.head().map(|head| head.unsettled.clone()).unwrap_or_default();
        let mut voids = Voids::default();
        while let Some(record) = chain.next().await? {
            if voids.is_void(&record) || unsettled.contains(&record.link()) {
                continue;
            }
            for file in &record.files {
                print(settings, &log, &record, file, form, out)?;
            }
            if out.is_closed() {
                return Ok(FINE);
            }
        }
    }
    Ok(FINE)
}

fn print(
    settings: &Settings,
    log: &LogId,
    record: &LogRecord,
    file: &FileEntry,
    form: Form,
    out: &mut Out,
) -> Outcome<()> {
    let url = url(&settings.config.lake_url, &file.key);
    match form {
        Form::Urls => line!(out, "{url}")?,
        Form::Keys => line!(out, "{}", file.key)?,
        Form::Json => {
            let object = serde_json::json!({
                "url": url, "key": file.key, "size": file.size, "rows": file.rows,
                "topic": *log.tp.topic, "partition": log.tp.partition,
                "generation": log.generation, "sink_id": log.sink_id, "seq": record.seq,
                "first_offset": file.first_offset, "last_offset": file.last_offset,
                "path": file.path, "min_ts": file.min_ts, "max_ts": file.max_ts,
            });
            line!(out, "{object}")?;
        }
    }
    Ok(())
}

/// A key as a URL of the same store as the table's.
pub(crate) fn url(table: &str, key: &str) -> String {
    match table.strip_prefix("s3://") {
        Some(rest) => {
            let bucket = rest.split('/').next().unwrap_or(rest);
            format!("s3://{bucket}/{key}")
        }
        None => format!("file:///{key}"),
    }
}
