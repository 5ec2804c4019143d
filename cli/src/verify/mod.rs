//! `alluvium verify`: the table against its commit logs, back to offset 0. In go the logs and the
//! bytes of every settled file, out come findings and what was compared. Writes nothing.

mod cut;
mod findings;
mod kafka;
mod lines;
mod links;
mod log;
mod offsets;
mod rows;
mod table;

use crate::args;
use crate::chain::Chain;
use crate::failure::{FINDINGS, FINE, Outcome};
use crate::out::Out;
use crate::scope::{Scope, is_newest, scope};
use crate::settings::Settings;
use crate::show;
use alluvium_core::error::Kind as ErrorKind;
use alluvium_core::log::LogId;
use findings::{At, Findings, Kind};
use kafka::Source;
use serde::Serialize;
use std::collections::BTreeMap;
use table::{Covered, Listed};

/// Generation and range of each log of a topic-partition.
type Lives<'l> = BTreeMap<(&'l str, i32), Vec<(u32, i64, i64)>>;

/// What was looked at and found right.
#[derive(Debug, Default, Serialize)]
struct Summary {
    logs: u64,
    records: u64,
    commits: u64,
    /// Files read.
    files: u64,
    bytes: u64,
    /// Rows read and held against the log.
    rows: u64,
    /// Offsets that the records cover.
    offsets: u64,
    skipped: u64,
    gaps: u64,
    /// Commits whose files may not all be visible yet.
    unsettled: u64,
    /// Files of those that are not visible yet.
    not_visible: u64,
    /// Records of Kafka held against table and log.
    kafka: u64,
    /// Records of Kafka behind the logs' ends: not read yet.
    kafka_ahead: u64,
}

/// Runs the command.
pub(crate) async fn run(settings: &Settings, asked: &args::Verify, out: &mut Out) -> Outcome {
    // A mistake in the question is told before anything is read.
    scope(settings, &asked.which).await?;
    let mut source = Source::open(asked).await?;
    let mut findings = Findings::new(out, asked.show, asked.json);
    let mut summary = Summary::default();
    // Before the logs: a record is written before its files are visible, so what is listed now is
    // named in a record read later, or is foreign.
    let mut listed = Listed::of(&settings.lake.table).await?;
    let Scope { chosen, all } = scope(settings, &asked.which).await?;
    let mut covered = Covered::new();
    let mut lives = Lives::new();
    for log in &all {
        if !chosen.contains(log) {
            claim_only(settings, log, &mut listed, &mut covered).await?;
            continue;
        }
        let against = if is_newest(log, &all) { Some(&mut source) } else { None };
        let mut check = log::Check {
            settings,
            log,
            transforms_drop: asked.transforms_drop,
            listed: &mut listed,
            findings: &mut findings,
            summary: &mut summary,
        };
        if let Some((begins, ends)) = check.run(against).await? {
            cover(&mut covered, log, begins, ends);
            lives.entry((&*log.tp.topic, log.tp.partition)).or_default().push((
                log.generation,
                begins,
                ends,
            ));
        }
    }
    source.without_log(&chosen, &asked.which, &mut findings).await?;
    listed.foreign(&settings.lake.table, &covered, &mut findings).await?;
    notes(&lives, &listed, &mut findings)?;
    if summary.rows == 0 {
        let text = format!("no row was compared below {}", settings.config.lake_url);
        findings.add(Kind::Nothing, 1, At::default(), &text)?;
    }
    let code = if findings.total() == 0 { FINE } else { FINDINGS };
    let text = summary.text(listed.len());
    findings.close(&summary, &text)?;
    Ok(code)
}

/// A log that was not asked for: only its files are known.
async fn claim_only(
    settings: &Settings,
    log: &LogId,
    listed: &mut Listed,
    covered: &mut Covered,
) -> Outcome<()> {
    let mut chain = Chain::open(&settings.lake.meta, log).await?;
    let ends = chain.head().and_then(|head| head.next_offset);
    let mut begins = None;
    while let Some(record) = chain.next().await? {
        begins = record.start_offset.or(begins);
        for file in &record.files {
            listed.claim(&file.key);
        }
    }
    if let (Some(begins), Some(ends)) = (begins, ends) {
        cover(covered, log, begins, ends);
    }
    Ok(())
}

fn cover(covered: &mut Covered, log: &LogId, begins: i64, ends: i64) {
    let (from, to) = covered.entry(log.tp.clone()).or_insert((begins, ends));
    (*from, *to) = ((*from).min(begins), (*to).max(ends));
}

/// What is worth knowing and no mistake.
fn notes(lives: &Lives<'_>, listed: &Listed, findings: &mut Findings<'_>) -> Outcome<()> {
    for ((topic, partition), lives) in lives {
        for (i, (generation, from, to)) in lives.iter().enumerate() {
            let overlap = lives[i + 1..]
                .iter()
                .map(|(other, a, b)| (other, *from.max(a), *to.min(b)))
                .find(|(_, a, b)| a < b);
            if let Some((other, a, b)) = overlap {
                findings.note(&format!(
                    "{topic} {partition}: generations {generation} and {other} both hold {}: the \
                     topic was started over or created again, and the files of both are in the \
                     table",
                    show::offsets(a, b)
                ))?;
            }
        }
    }
    if listed.others > 0 {
        let text = format!("{} objects below the table are no data files", listed.others);
        findings.note(&text)?;
    }
    Ok(())
}

impl Summary {
    fn text(&self, listed: usize) -> String {
        let mut text = format!(
            "verified {} logs with {} records ({} commits): {} offsets are {} rows, {} skipped \
             and {} in gaps\nread {} of {listed} data files ({}), every row by topic, partition \
             and offset",
            self.logs,
            self.records,
            self.commits,
            self.offsets,
            self.rows,
            self.skipped,
            self.gaps,
            self.files,
            show::bytes(self.bytes)
        );
        if self.unsettled > 0 {
            text.push_str(&format!(
                "\nnot settled yet: {} commits; {} of their files are not visible yet",
                self.unsettled, self.not_visible
            ));
        }
        if self.kafka + self.kafka_ahead > 0 {
            text.push_str(&format!(
                "\nheld against {} records of Kafka; {} more are not read by the sink yet",
                self.kafka, self.kafka_ahead
            ));
        }
        text
    }
}

/// Whether an error says that the log is damaged, which is a finding, and not that the store
/// cannot be read.
fn is_damage(error: &alluvium_core::error::Error) -> bool {
    error.kind() == ErrorKind::Log
}
