//! From URLs to stores: in goes the configuration, out comes a [`Lake`]. Sends nothing, writes
//! nothing; whether the store keeps its word is for the probe to find out.

use super::local::LocalStore;
use super::s3::{AwsEnvironment, S3Store};
use super::url::{self, LakeUrl};
use super::{Lake, Location, PlainStore, Store};
use crate::config::{Config, Guarantee};
use crate::error::Result;
use std::sync::Arc;

/// Opens `lake.url` and `lake.meta.url`, with AWS's variables of this process where the
/// configuration has no keys.
///
/// # Errors
/// [`crate::error::Kind::Config`] with `key` and, where it is no secret, `value`.
pub fn open(config: &Config) -> Result<Lake> {
    open_as(config, &AwsEnvironment::of_process())
}

/// The same with the given variables.
///
/// # Errors
/// As [`open`].
pub fn open_as(config: &Config, environment: &AwsEnvironment) -> Result<Lake> {
    let (table, meta) = url::parse(&config.lake_url, &config.meta_url)?;
    let (of_table, of_meta): (Arc<dyn Store>, Arc<dyn Store>) = match (&table.bucket, &meta.bucket)
    {
        (Some(bucket), Some(other)) => {
            let store = S3Store::open(bucket, &config.s3, environment)?;
            match bucket == other {
                true => same(store),
                false => {
                    let log = S3Store::open(other, &config.s3, environment)?;
                    let log = log.sharing_limit_with(&store);
                    (Arc::new(store), Arc::new(log))
                }
            }
        }
        _ => {
            let (part_size, writers) = (config.s3.part_size, config.s3.concurrency);
            same(LocalStore::open(&table.path(), &meta.path(), part_size, writers)?)
        }
    };
    let (of_table, of_meta) = match config.guarantee {
        Guarantee::ExactlyOnce => (of_table, of_meta),
        Guarantee::AtLeastOnce => unfenced(of_table, of_meta),
    };
    let at = |store, url: LakeUrl| Location { store, prefix: url.folder };
    Ok(Lake { table: at(of_table, table), meta: at(of_meta, meta) })
}

/// One store stays one: files are copied within it.
fn unfenced(table: Arc<dyn Store>, meta: Arc<dyn Store>) -> (Arc<dyn Store>, Arc<dyn Store>) {
    match Arc::ptr_eq(&table, &meta) {
        true => same(PlainStore::new(table)),
        false => (table, Arc::new(PlainStore::new(meta))),
    }
}

fn same(store: impl Store + 'static) -> (Arc<dyn Store>, Arc<dyn Store>) {
    let store: Arc<dyn Store> = Arc::new(store);
    (Arc::clone(&store), store)
}
