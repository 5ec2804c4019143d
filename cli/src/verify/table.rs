//! The table's folder against what the logs name: in goes a listing, out come sizes, and in the
//! end the files that nobody claimed. A few bytes a file in memory, no names.

use super::findings::{At, Findings, Kind};
use super::rows;
use crate::failure::Outcome;
use crate::show;
use alluvium_core::position::TopicPartition;
use alluvium_core::store::Location;
use alluvium_core::survey::Pages;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Ends of names that readers take for data.
const DATA: [&str; 3] = ["parquet", "json", "csv"];

/// What was listed before the logs were read: a file published later is not in it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Whether a record names it, by the hash of its key.
    files: HashMap<u128, bool>,
    /// Objects that no reader takes for data.
    pub(super) others: u64,
    /// A log could not be read to its end: it may name any file.
    pub(super) incomplete: bool,
}

/// What the log of a topic-partition covers, whatever its generation.
pub(super) type Covered = BTreeMap<TopicPartition, (i64, i64)>;

impl Listed {
    /// Lists the table.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn of(table: &Location) -> Outcome<Self> {
        let mut listed = Self::default();
        let mut pages = Pages::of(table);
        loop {
            let page = pages.next().await?;
            if page.is_empty() {
                return Ok(listed);
            }
            for object in page {
                if is_data(&object.key) {
                    listed.files.insert(name(&object.key), false);
                } else {
                    listed.others += 1;
                }
            }
        }
    }

    /// Data files there were.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// A log record names this file. Gives whether another record named it before.
    pub(super) fn claim(&mut self, key: &str) -> bool {
        self.files.get_mut(&name(key)).is_some_and(|claimed| std::mem::replace(claimed, true))
    }

    /// Names every file that nobody claimed.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn foreign(
        &self,
        table: &Location,
        covered: &Covered,
        findings: &mut Findings<'_>,
    ) -> Outcome<()> {
        let unclaimed = self.files.values().filter(|claimed| !**claimed).count();
        if unclaimed == 0 {
            return Ok(());
        }
        if self.incomplete {
            let text = format!(
                "{unclaimed} files are named in no record that could be read: whether they are \
                 foreign cannot be told while a log is broken"
            );
            return Ok(findings.note(&text)?);
        }
        let mut pages = Pages::of(table);
        loop {
            let page = pages.next().await?;
            if page.is_empty() {
                return Ok(());
            }
            for object in page {
                if self.files.get(&name(&object.key)) == Some(&false) {
                    let what = content(table, &object.key, covered).await?;
                    let text = format!("no log record names this file: {what}");
                    findings.add(Kind::ForeignFile, 1, At::default().file(&object.key), &text)?;
                }
            }
        }
    }
}

fn is_data(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.split('.').skip(1).any(|end| DATA.contains(&end))
}

/// Two hashes of 64 bits: names that are taken for one another are not to be expected.
fn name(key: &str) -> u128 {
    let hash = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, key).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    hash(0) << 64 | hash(1)
}

/// What is in a file that nobody claimed.
async fn content(table: &Location, key: &str, covered: &Covered) -> Outcome<String> {
    let Some(bytes) = table.store.get_file(key).await? else {
        return Ok("and it is gone by now".to_owned());
    };
    let file = match rows::read(key, bytes, None) {
        Ok(file) => file,
        Err(error) => return Ok(format!("it is not one of the sink's files ({error})")),
    };
    let mut parts = Vec::new();
    for (tp, offsets) in file.offsets.iter().take(3) {
        let ranges: Vec<String> =
            offsets.ranges(5).iter().map(|(from, to)| show::offsets(*from, *to)).collect();
        let mut part = format!(
            "{} rows of {} {}: {}",
            offsets.len(),
            tp.topic,
            tp.partition,
            ranges.join(", ")
        );
        let doubled = covered.get(tp).map_or(0, |(from, to)| offsets.range(*from, *to).count());
        if doubled > 0 {
            part.push_str(&format!(
                ", {doubled} of them in the range the log covers: readers see them twice"
            ));
        }
        parts.push(part);
    }
    Ok(if parts.is_empty() { "it has no rows".to_owned() } else { parts.join("; ") })
}
