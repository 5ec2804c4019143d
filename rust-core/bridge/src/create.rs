//! From a configuration to a task: in goes the shim's JSON, out comes a running pipeline, or what
//! is wrong with the configuration. No connector's secret leaves here in any message.

use crate::handle::Task;
use crate::pipeline::{CorePipeline, Pipeline};
use crate::runtime::Shared;
use crate::throw::Failure;
use crate::wire::{self, AlterRequest, CreateRequest, ValidateRequest};
use alluvium_core::clock::{Clock, SystemClock};
use alluvium_core::config::{Config, ConfigError};
use alluvium_core::envelope::EnvelopeReader;
use alluvium_core::error::{Error, Kind, Result};
use alluvium_core::log::{Layout, Owner};
use alluvium_core::metrics::TaskMetrics;
use alluvium_core::partition::PathTemplate;
use alluvium_core::recover::{self, Identity};
use alluvium_core::store::{self, Checked};
use alluvium_core::task::{ErrantPolicy, Parts, SinkTask};
use alluvium_core::upload::UploadLimits;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long altering offsets waits for a store that does not answer.
const ALTER_LIMIT: Duration = Duration::from_secs(60);

/// Makes a task: what `create` does. Waits for nobody: the store is tried while topic-partitions
/// open.
pub(crate) fn task(json: &[u8]) -> Result<Task, Failure> {
    let request: CreateRequest = wire::request(json)?;
    let properties = request.properties();
    let config = Config::parse(&properties, &request.owner.connector).map_err(Error::from)?;
    let paths = semantics(&config).map_err(|mut wrong| wrong.remove(0).1)?;
    let shared = Shared::join(config.core_threads)?;
    let lake = {
        let _runtime = shared.handle().enter();
        store::open(&config)?
    };
    let parts = Parts {
        identity: Arc::new(identity(&config, request.owner, &properties)),
        uploads: UploadLimits::untried(&config),
        lake,
        clock: Arc::new(SystemClock),
        share: shared.budget().join(config.memory_limit_bytes),
        metrics: Arc::new(TaskMetrics::default()),
        paths,
        errant_policy: match (config.tolerate_errors, request.reporter) {
            (false, _) => ErrantPolicy::Stop,
            (true, false) => ErrantPolicy::Log,
            (true, true) => ErrantPolicy::Report,
        },
        config: Arc::new(config),
    };
    let close_flush = Duration::from_millis(parts.config.close_flush_ms);
    let task = SinkTask::start_untried(parts, shared.handle());
    let pipeline: Box<dyn Pipeline> =
        Box::new(CorePipeline::new(task, shared.handle().clone(), close_flush));
    #[cfg(feature = "inject")]
    let pipeline =
        crate::pipeline::injected(pipeline, properties.get("alluvium.inject").map(String::as_str));
    Ok(Task::new(pipeline, Some(shared)))
}

fn identity(config: &Config, owner: Owner, properties: &BTreeMap<String, String>) -> Identity {
    // Connect's own rule.
    let group_id = match properties.get("consumer.override.group.id") {
        Some(group_id) => group_id.clone(),
        None => format!("connect-{}", owner.connector),
    };
    Identity {
        sink_id: config.sink_id.clone(),
        table_url: config.lake_url.clone(),
        group_id: Some(group_id),
        owner,
        layout: Layout {
            format: config.format.name().to_owned(),
            partition_path: config.partition_path.clone(),
            row: if config.rows.envelope { "envelope" } else { "flat" }.to_owned(),
        },
        config_fp: config.fingerprint_hash(),
        log_bootstrap: config.log_bootstrap,
        rewind_allowed: config.rewind_allowed,
        rebuild_lost: config.rebuild_lost,
        record_losses: config.record_losses,
    }
}

/// Notes altered offsets of a sink that is stopped: what `alterOffsets` does.
pub(crate) fn alter_offsets(json: &[u8]) -> Result<(), Failure> {
    let request: AlterRequest = wire::request(json)?;
    let properties = request.properties();
    let connector = properties.get("name").cloned().unwrap_or_default();
    let config = Config::parse(&properties, &connector).map_err(Error::from)?;
    let owner = Owner { connector, ..Owner::default() };
    let identity = identity(&config, owner, &properties);
    let noted = on_own_runtime(async {
        let lake = store::open(&config)?;
        let noting = recover::request_reset(&lake, identity, request.targets, SystemClock.now_ms());
        tokio::time::timeout(ALTER_LIMIT, noting).await.unwrap_or_else(|_| {
            let text = format!("the store did not answer within {} s", ALTER_LIMIT.as_secs());
            Err(Error::new(Kind::Store, text).with("lake.url", &config.lake_url).temporary())
        })
    })?;
    Ok(noted?)
}

/// Finds what is wrong with a configuration, as pairs of key and message: what `validate` does.
/// Looks at the store, read only, when all else is right.
pub(crate) fn mistakes(json: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let request: ValidateRequest = wire::request(json)?;
    let properties = request.properties();
    let name = properties.get("name").map(String::as_str).unwrap_or_default();
    let config = match Config::parse(&properties, name) {
        Ok(config) => config,
        Err(errors) => return Ok(errors.iter().map(of_key).collect()),
    };
    if let Err(wrong) = semantics(&config) {
        return Ok(wrong.iter().map(|(key, e)| ((*key).to_owned(), e.to_string())).collect());
    }
    Ok(match look_at_store(&config)? {
        Checked::Good => Vec::new(),
        Checked::Wrong(error) => {
            let key = error.context("key").unwrap_or("lake.url").to_owned();
            vec![(key, error.to_string())]
        }
        // No mistake: this worker may lack a way to the store that the task's worker has.
        Checked::Unclear(error) => {
            tracing::warn!("validate could not look at the store: {error}");
            Vec::new()
        }
    })
}

fn of_key(error: &ConfigError) -> (String, String) {
    (error.key.to_owned(), error.to_string())
}

/// What the rooms behind `config` say against single values, with the key each belongs to; never
/// an empty list.
fn semantics(config: &Config) -> Result<PathTemplate, Vec<(&'static str, Error)>> {
    let types = EnvelopeReader::new(&config.columns_types).map_err(|e| ("columns.types", e));
    let path = PathTemplate::parse(&config.partition_path).map_err(|e| ("partition.path", e));
    match (path, types.err()) {
        (Ok(path), None) => Ok(path),
        (path, types) => Err(types.into_iter().chain(path.err()).collect()),
    }
}

fn look_at_store(config: &Config) -> Result<Checked> {
    on_own_runtime(store::check(config))
}

/// On a runtime of its own: no task need exist when a connector is validated.
fn on_own_runtime<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| Error::new(Kind::Store, "a thread could not be started").because(e))?;
    let done = runtime.block_on(work);
    // Name resolution cannot be interrupted; nobody waits for it.
    runtime.shutdown_background();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Registry;
    use alluvium_core::position::{TopicPartition, TpId};
    use alluvium_core::task::Action;
    use serde_json::json;

    fn request(config: serde_json::Value) -> Vec<u8> {
        let owner = json!({"connector": "orders-lake", "task": "0", "host": "h", "pid": 1,
            "version": "0", "started_at": 0});
        json!({"config": config, "owner": owner, "reporter": false}).to_string().into_bytes()
    }

    fn in_folder(folder: &tempfile::TempDir) -> serde_json::Value {
        json!({"name": "orders-lake", "lake.url": format!("file://{}/lake", folder.path().display())})
    }

    #[test]
    fn a_task_on_a_local_folder_opens_closes_and_ends() {
        let (folder, registry) = (tempfile::tempdir().unwrap(), Registry::new());
        let handle = registry.insert(task(&request(in_folder(&folder))).unwrap());
        let tp = (TpId(1), TopicPartition::new("orders", 0));
        registry
            .call(handle, |task| {
                assert_eq!(task.pipeline.open(vec![tp]), [Action::Pause(TpId(1))]);
                while !task.pipeline.put(None)?.contains(&Action::Resume(TpId(1))) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                while !task.pipeline.close(&[TpId(1)], Duration::from_secs(1)).1 {}
                Ok(())
            })
            .unwrap();
        registry.destroy(handle).unwrap();
        assert!(folder.path().join("lake.alluvium/v1/logs/orders-lake/orders").is_dir());
    }

    #[test]
    fn a_bad_configuration_is_thrown_with_every_mistake_and_no_secret() {
        let config = json!({"lake.url": "s3://b", "core.threads": "0",
            "s3.secret.access.key": "hush"});
        let message = task(&request(config)).unwrap_err().to_string();
        for part in ["lake.meta.url", "core.threads=0", "s3.access.key.id"] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(!message.contains("hush"), "{message}");
    }

    #[test]
    fn mistakes_carry_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let keys = |more: serde_json::Value| -> Vec<String> {
            let mut config = in_folder(&folder);
            for (key, value) in more.as_object().unwrap() {
                config[key] = value.clone();
            }
            let found = mistakes(&request(config)).unwrap();
            found.into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(json!({})), [""; 0]);
        assert_eq!(keys(json!({"file.max.bytes": "x"})), ["file.max.bytes"]);
        let both = json!({"columns.types": "a:money", "partition.path": "{nothing}"});
        assert_eq!(keys(both), ["columns.types", "partition.path"]);
        assert_eq!(keys(json!({"lake.url": "file:///dev/null/x"})), ["lake.url"]);
    }
}
