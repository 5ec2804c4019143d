//! Whether a lake can be reached, for `validate`: in goes the configuration, out comes what a
//! person has to change. Reads only, five seconds at most: it runs on any worker, on every change
//! of a configuration, perhaps without the rights of the task.

use super::local;
use super::s3::{AwsEnvironment, S3Store};
use super::url::{self, LakeUrl};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

/// What a look at a lake gave.
#[derive(Debug)]
pub enum Checked {
    /// Nothing is wrong as far as a look can tell.
    Good,
    /// Something must be changed before the task can work.
    Wrong(Error),
    /// Cannot be told from this worker; worth a warning in its log.
    Unclear(Error),
}

/// Looks at `lake.url` and `lake.meta.url`.
pub async fn check(config: &Config) -> Checked {
    let environment = AwsEnvironment::of_process();
    match tokio::time::timeout(LIMIT, look(config, &environment)).await {
        Ok(Ok(checked)) => checked,
        Ok(Err(wrong)) => Checked::Wrong(wrong),
        Err(_) => Checked::Unclear(
            Error::new(Kind::Store, "the store did not answer within 5 s; check s3.endpoint")
                .temporary()
                .with("lake.url", &config.lake_url)
                .with("endpoint", config.s3.endpoint.as_deref().unwrap_or("AWS")),
        ),
    }
}

async fn look(config: &Config, environment: &AwsEnvironment) -> Result<Checked> {
    let (table, meta) = url::parse(&config.lake_url, &config.meta_url)?;
    if table.bucket.is_none() {
        let (table, meta) = (table.path(), meta.path());
        let looks = tokio::task::spawn_blocking(move || {
            local::refuse_two_mounts(&table, &meta)?;
            Ok(worst(local::look(&table), local::look(&meta)))
        });
        return looks.await.unwrap_or_else(|e| {
            Err(Error::new(Kind::Store, "looking ended early; please report this bug").because(e))
        });
    }
    let of_table = bucket(config, environment, &table).await?;
    match table.bucket == meta.bucket {
        true => Ok(of_table),
        false => Ok(worst(of_table, bucket(config, environment, &meta).await?)),
    }
}

async fn bucket(config: &Config, environment: &AwsEnvironment, url: &LakeUrl) -> Result<Checked> {
    let bucket = url.bucket.as_deref().unwrap_or_default();
    let store = S3Store::open(bucket, &config.s3, environment)?;
    Ok(store.look(&format!("{}/", url.folder)).await)
}

fn worst(one: Checked, other: Checked) -> Checked {
    match (&one, &other) {
        (Checked::Wrong(_), _) | (_, Checked::Good) => one,
        (_, Checked::Wrong(_)) | (Checked::Good, _) => other,
        (Checked::Unclear(_), Checked::Unclear(_)) => one,
    }
}
