//! A bucket's own rules for what becomes of objects and uploads: in go the rules, out come warnings
//! by name, or a refusal of those that would eat what is still needed. Never changes a rule.

use super::{Lake, Location};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use std::sync::Arc;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Uploads and staged objects of a commit that is recorded and not published yet must outlive a
/// long weekend without the sink.
const ENOUGH_DAYS: u32 = 7;

/// One enabled rule, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Its name.
    pub name: String,
    /// Keys it is about; empty = all.
    pub prefix: String,
    /// Whether it is about tagged objects only. The commit log has no tags.
    pub tagged: bool,
    /// Days after which it aborts uploads.
    pub aborts_uploads_after: Option<u32>,
    /// When it expires objects.
    pub expires: Option<Expiry>,
    /// Whether it moves objects where they cannot be read at once.
    pub archives: bool,
}

/// When objects expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// After days.
    Days(u32),
    /// On a date.
    Date,
}

/// Reads the rules of the lake's buckets, where that is allowed, and judges them.
///
/// # Errors
/// [`Kind::Config`]: a rule would eat what `upload.max.age.ms` counts on.
pub(super) async fn check(lake: &Lake, config: &Config) -> Result<()> {
    let mut looked_at = vec![&lake.meta];
    if !Arc::ptr_eq(&lake.table.store, &lake.meta.store) {
        looked_at.push(&lake.table);
    }
    for Location { store, .. } in looked_at {
        match store.lifecycle().await {
            Ok(Some(rules)) => {
                // A folder of another bucket is caught by no rule of this one.
                let here = |l: &Location| Arc::ptr_eq(&l.store, store).then(|| l.key(""));
                let (table, meta) = (here(&lake.table), here(&lake.meta));
                for warning in judge(&rules, table, meta, config.upload_max_age_ms)? {
                    tracing::warn!("{warning}");
                }
            }
            Ok(None) => tracing::debug!("there are no lifecycle rules"),
            Err(error) => tracing::info!(
                %error,
                "the bucket's lifecycle rules cannot be read, so nobody checks them: they must \
                 leave lake.meta.url alone and unfinished uploads alive for 7 days"
            ),
        }
    }
    Ok(())
}

/// What is wrong with the rules, for folders of their bucket (each with its `/`).
fn judge(
    rules: &[LifecycleRule],
    table: Option<String>,
    meta: Option<String>,
    upload_max_age_ms: u64,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for rule in rules {
        let name = &rule.name;
        if let Some(days) = rule.aborts_uploads_after
            && rule.catches(table.as_deref())
        {
            let what = format!(
                "the bucket's lifecycle rule {name:?} aborts uploads {days} days after they began"
            );
            refuse_early(days, upload_max_age_ms, &what)?;
            if days < ENOUGH_DAYS {
                warnings.push(format!(
                    "{what}: a commit on record whose files are not visible by then is lost. Let \
                     it wait for {ENOUGH_DAYS} days or more"
                ));
            }
        }
        let Some(meta) = meta.as_deref().filter(|meta| rule.spoils(meta)) else { continue };
        if rule.archives {
            warnings.push(format!(
                "the bucket's lifecycle rule {name:?} moves objects of the commit log ({meta}) \
                 where they cannot be read at once. Exclude lake.meta.url from it"
            ));
        }
        if let Some(expires) = rule.expires {
            let what =
                format!("the bucket's lifecycle rule {name:?} expires objects of the log ({meta})");
            if let Expiry::Days(days) = expires {
                refuse_early(days, upload_max_age_ms, &what)?;
            }
            warnings.push(format!(
                "{what}: a log that expired is refused at the next open. Exclude lake.meta.url \
                 from it"
            ));
        }
    }
    Ok(warnings)
}

fn refuse_early(days: u32, upload_max_age_ms: u64, what: &str) -> Result<()> {
    if u64::from(days) * DAY_MS >= upload_max_age_ms {
        return Ok(());
    }
    let message = format!("{what}, before upload.max.age.ms; change the rule, or lower the key");
    Err(Error::new(Kind::Config, message)
        .with("key", "upload.max.age.ms")
        .with("value", upload_max_age_ms))
}

impl LifecycleRule {
    /// Whether it is about a key of the folder.
    fn catches(&self, folder: Option<&str>) -> bool {
        let either =
            |folder: &str| folder.starts_with(&self.prefix) || self.prefix.starts_with(folder);
        folder.is_some_and(either)
    }

    /// Whether it is about what the commit log needs: all but the probe's, and staged objects only
    /// when they are old.
    fn spoils(&self, meta: &str) -> bool {
        let within = |folder: &str| self.prefix.starts_with(&format!("{meta}{folder}"));
        let old = match self.expires {
            Some(Expiry::Days(days)) => days >= ENOUGH_DAYS,
            Some(Expiry::Date) => false,
            None => true,
        };
        let harmless = within("v1/probe/") || within("staging/") && old && !self.archives;
        self.catches(Some(meta)) && !self.tagged && !harmless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn rule(prefix: &str) -> LifecycleRule {
        let (name, prefix) = ("r".to_owned(), prefix.to_owned());
        LifecycleRule { name, prefix, ..LifecycleRule::default() }
    }

    fn aborts(prefix: &str, days: u32) -> LifecycleRule {
        LifecycleRule { aborts_uploads_after: Some(days), ..rule(prefix) }
    }

    fn expires(prefix: &str, days: u32) -> LifecycleRule {
        LifecycleRule { expires: Some(Expiry::Days(days)), ..rule(prefix) }
    }

    fn judged(rule: LifecycleRule, age_ms: u64) -> Result<usize> {
        let (table, meta) = ("lake/cdc/".to_owned(), "lake/cdc.alluvium/".to_owned());
        judge(&[rule], Some(table), Some(meta), age_ms).map(|warnings| warnings.len())
    }

    #[test]
    fn a_rule_is_harmless_warned_of_or_refused() {
        let tagged = |rule| LifecycleRule { tagged: true, ..rule };
        let dated = LifecycleRule { expires: Some(Expiry::Date), ..rule("lake/") };
        let archives = |prefix| LifecycleRule { archives: true, ..rule(prefix) };
        for (rule, warnings) in [
            (aborts("", 7), 0),
            (aborts("", 6), 1),
            (aborts("lake/cdc", 1), 1),
            (aborts("lake/cdc/orders/", 1), 1),
            (aborts("lake/other/", 1), 0),
            (expires("", 365), 1),
            (expires("lake/cdc.alluvium/v1/logs/", 365), 1),
            (expires("lake/cdc", 365), 1),
            (expires("lake/cdc/", 365), 0),
            (expires("other/", 1), 0),
            (expires("lake/cdc.alluvium/v1/probe/", 1), 0),
            (expires("lake/cdc.alluvium/staging/", 7), 0),
            (expires("lake/cdc.alluvium/staging/", 6), 1),
            (tagged(expires("", 1)), 0),
            (dated, 1),
            (archives("lake/cdc.alluvium/"), 1),
            (archives("lake/cdc/"), 0),
        ] {
            assert_eq!(judged(rule.clone(), 6 * HOUR).unwrap(), warnings, "{rule:?}");
        }
        for rule in [aborts("", 1), expires("lake/", 1), expires("lake/cdc.alluvium/staging/", 1)] {
            assert!(judged(rule.clone(), 24 * HOUR).is_ok(), "{rule:?}");
            let error = judged(rule.clone(), 24 * HOUR + 1).unwrap_err();
            assert_eq!(error.context("key"), Some("upload.max.age.ms"), "{rule:?}");
            assert!(error.message().contains("\"r\""), "by name: {error}");
        }
    }

    #[test]
    fn a_folder_of_another_bucket_is_nobodys() {
        let rules = [aborts("", 1), expires("", 1)];
        assert_eq!(judge(&rules, None, None, 100 * HOUR).unwrap(), [""; 0]);
        assert_eq!(judge(&rules, None, Some("m/".to_owned()), HOUR).unwrap().len(), 1);
    }
}
