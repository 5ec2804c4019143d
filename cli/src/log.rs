//! `alluvium log`: the list of logs, or the records of some, in readable form.

use crate::args::Which;
use crate::chain::{self, Chain};
use crate::failure::{FINE, Failure, Outcome};
use crate::out::{Out, line};
use crate::scope::scope;
use crate::settings::Settings;
use crate::show;
use alluvium_core::log::{LogId, LogRecord};

/// How records are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) reverse: bool,
    pub(crate) files: bool,
    pub(crate) json: bool,
}

/// Offsets and gaps of one record that are printed; `--json` has all.
const SHOWN: usize = 20;

/// Runs the command.
pub(crate) async fn run(settings: &Settings, which: &Which, form: Form, out: &mut Out) -> Outcome {
    let scope = scope(settings, which).await?;
    if which.topic.is_none() {
        return list(settings, &scope.chosen, form.json, out).await;
    }
    for log in &scope.chosen {
        print(settings, log, form, out).await?;
    }
    Ok(FINE)
}

async fn list(settings: &Settings, logs: &[LogId], json: bool, out: &mut Out) -> Outcome {
    if !json {
        line!(
            out,
            "{:<24} {:>9} {:>10} {:>8} {:<8} {:>12} {:>9} {:<20} sink, owner",
            "topic",
            "partition",
            "generation",
            "head",
            "kind",
            "next",
            "unsettled",
            "written"
        )?;
    }
    for log in logs {
        let Some(head) = chain::head(&settings.lake.meta, log).await? else { continue };
        if json {
            let object = serde_json::json!({
                "sink_id": log.sink_id, "topic": *log.tp.topic, "generation": log.generation,
                "partition": log.tp.partition, "head": head.seq, "kind": head.kind,
                "next_offset": head.next_offset, "unsettled": head.unsettled.len(),
                "created_at": head.created_at, "owner": head.owner,
            });
            line!(out, "{object}")?;
        } else {
            line!(
                out,
                "{:<24} {:>9} {:>10} {:>8} {:<8} {:>12} {:>9} {:<20} {}, {}",
                log.tp.topic,
                log.tp.partition,
                log.generation,
                head.seq,
                kind(&head),
                show::offset(head.next_offset),
                head.unsettled.len(),
                show::time(head.created_at),
                log.sink_id,
                show::owner(&head.owner)
            )?;
        }
    }
    if logs.is_empty() && !json {
        line!(out, "there is no commit log below {}", settings.config.meta_url)?;
    }
    Ok(FINE)
}

async fn print(settings: &Settings, log: &LogId, form: Form, out: &mut Out) -> Outcome<()> {
    let mut chain = Chain::open(&settings.lake.meta, log).await?;
    let Some(head) = chain.head() else { return Ok(()) };
    if !form.json {
        line!(
            out,
            "{log}: head {}, next offset {}, {} unsettled",
            head.seq,
            show::offset(head.next_offset),
            head.unsettled.len()
        )?;
        line!(
            out,
            "{:>8} {:<8} {:<20} {:<24} {:>8} {:>8} {:>7} {:>6} {:>6} {:>9} {:>9} owner",
            "seq",
            "kind",
            "written",
            "offsets",
            "records",
            "rows",
            "skipped",
            "gaps",
            "files",
            "bytes",
            "unsettled"
        )?;
    }
    // The log is read from its head back: oldest first is the newest kept until the end.
    let mut kept = Vec::new();
    while let Some(record) = chain.next().await? {
        let text = match form.json {
            true => json(&record)?,
            false => text(&record, form.files),
        };
        if !form.reverse {
            kept.push(text);
            continue;
        }
        line!(out, "{text}")?;
        if out.is_closed() {
            break;
        }
    }
    for text in kept.iter().rev() {
        line!(out, "{text}")?;
    }
    Ok(())
}

fn json(record: &LogRecord) -> Outcome<String> {
    serde_json::to_string(record).map_err(|e| Failure::unreadable(e.to_string()))
}

fn kind(record: &LogRecord) -> String {
    format!("{:?}", record.kind).to_lowercase()
}

/// One record: a line, and a line more for each thing worth knowing.
fn text(record: &LogRecord, files: bool) -> String {
    let mut lines = vec![format!(
        "{:>8} {:<8} {:<20} {:<24} {:>8} {:>8} {:>7} {:>6} {:>6} {:>9} {:>9} {}",
        record.seq,
        kind(record),
        show::time(record.created_at),
        show::range(record),
        record.records,
        record.rows,
        record.skipped.total(),
        record.gaps.sum,
        record.files.len(),
        show::bytes(record.files.iter().map(|file| file.size).sum()),
        record.unsettled.len(),
        show::owner(&record.owner)
    )];
    for (reason, count) in &record.skipped.0 {
        let offsets = skipped_at(record, reason);
        lines.push(format!("{:>8} skipped as {reason}: {count}{offsets}", ""));
    }
    let start = record.start_offset.unwrap_or(0);
    let named = record.gaps.named.iter().map(|gap| (gap.from, gap.to, gap.cause.as_deref()));
    let small = record.gaps.small_ranges(start).map(|(from, to)| (from, to, None));
    for (from, to, cause) in named.chain(small).take(SHOWN) {
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        lines.push(format!("{:>8} gap: {}{cause}", "", show::offsets(from, to)));
    }
    if record.gaps.count as usize > SHOWN {
        lines.push(format!("{:>8} {} gaps in all", "", record.gaps.count));
    }
    for file in record.files.iter().filter(|_| files) {
        let offsets = show::offsets(file.first_offset, file.last_offset + 1);
        let (rows, size) = (file.rows, file.size);
        lines.push(format!("{:>8} {}: {rows} rows, {size} bytes, {offsets}", "", file.key));
    }
    lines.join("\n")
}

/// The offsets on record for a reason, the first of them.
fn skipped_at(record: &LogRecord, reason: &str) -> String {
    let Some(deltas) = record.skipped_offsets.get(reason) else { return String::new() };
    let mut at = record.start_offset.unwrap_or(0);
    let mut shown: Vec<String> = Vec::new();
    for delta in deltas.iter().take(SHOWN) {
        at += delta;
        shown.push(at.to_string());
    }
    let more = if deltas.len() > SHOWN { ", …" } else { "" };
    format!(" (offsets {}{more})", shown.join(", "))
}
