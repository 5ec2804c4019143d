//! From flags, a connector's JSON and the environment to an open table. The core's own parser and
//! the core's own way to the store: what works for the connector works here.

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use alluvium_core::config::{Config, KEYS};
use alluvium_core::store::{self, Lake};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Stands in for a sink id where none was given; never written anywhere.
const NO_SINK_ID: &str = "alluvium-cli";

/// An open table.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) lake: Lake,
    /// `sink.id`, if one was named.
    pub(crate) sink_id: Option<String>,
}

/// Reads what was given and opens the table. Sends nothing.
///
/// # Errors
/// `Usage`, naming the key or file.
pub(crate) fn settings(
    place: &Place,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Outcome<Settings> {
    let (name, mut properties) = match &place.config {
        None => (None, BTreeMap::new()),
        Some(file) => {
            let failed = |e: &dyn std::fmt::Display| {
                Failure::usage(format!("--config {}: {e}", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|e| failed(&e))?;
            connector(&text, environment).map_err(|e| failed(&e))?
        }
    };
    overrides(place, &mut properties)?;
    if !properties.contains_key("lake.url") {
        return Err(Failure::usage(
            "which table? give --url, or --config with the connector's JSON",
        ));
    }
    let sink_id = properties.get("sink.id").cloned().or(name);
    let config = Config::parse(&properties, sink_id.as_deref().unwrap_or(NO_SINK_ID))?;
    let lake = store::open(&config)?;
    Ok(Settings { sink_id, config, lake })
}

/// The keys that say where a table is and how to reach it: a mistake in any other is no matter.
fn is_of_place(key: &str) -> bool {
    let known = KEYS.iter().any(|spec| spec.name == key);
    // The guarantee decides how the store's creates are done.
    let others = ["sink.id", "delivery.guarantee"];
    known && (key.starts_with("lake.") || key.starts_with("s3.") || others.contains(&key))
}

/// A connector's name and the keys that matter, out of its JSON.
fn connector(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Option<String>, BTreeMap<String, String>), String> {
    let whole: Map<String, Value> =
        serde_json::from_str(text).map_err(|e| format!("is not a connector's JSON: {e}"))?;
    let config = match whole.get("config") {
        Some(Value::Object(config)) => config,
        Some(_) => return Err("`config` is not an object".to_owned()),
        None => &whole,
    };
    let name = whole.get("name").or(config.get("name")).and_then(Value::as_str);
    let mut properties = BTreeMap::new();
    for (key, value) in config.iter().filter(|(key, _)| is_of_place(key)) {
        let text = match value {
            Value::String(text) => resolve(text, environment).map_err(|e| format!("{key}: {e}"))?,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(format!("{key} is neither text nor a number")),
        };
        properties.insert(key.clone(), text);
    }
    Ok((name.map(str::to_owned), properties))
}

/// Replaces each `${env:NAME}`, as the worker's config provider does.
fn resolve(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut resolved, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("${env:") {
        let (name, after) = behind.split_once('}').ok_or("`${env:` has no end")?;
        let Some(value) = environment(name) else {
            return Err(format!("the variable {name} is not set in this environment"));
        };
        resolved.push_str(before);
        resolved.push_str(&value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn overrides(place: &Place, properties: &mut BTreeMap<String, String>) -> Outcome<()> {
    let flags = [
        ("lake.url", &place.url),
        ("lake.meta.url", &place.meta_url),
        ("sink.id", &place.sink_id),
        ("s3.endpoint", &place.s3_endpoint),
        ("s3.region", &place.s3_region),
    ];
    if place.url.is_some() {
        // Another table's log would be held against this table.
        properties.remove("lake.meta.url");
    }
    for (key, value) in flags {
        if let Some(value) = value {
            properties.insert(key.to_owned(), value.clone());
        }
    }
    for set in &place.set {
        let Some((key, value)) = set.split_once('=') else {
            return Err(Failure::usage(format!("--set {set}: must be KEY=VALUE")));
        };
        if !is_of_place(key) {
            let keys: Vec<_> =
                KEYS.iter().map(|spec| spec.name).filter(|k| is_of_place(k)).collect();
            return Err(Failure::usage(format!("--set {key}: must be one of {}", keys.join(", "))));
        }
        properties.insert(key.to_owned(), value.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTED: &str = r#"{ "name": "orders-lake", "config": {
        "connector.class": "x", "admin.bootstrap.servers": "${env:KAFKA}",
        "commit.interval.ms": "no",
        "lake.url": "s3://lake/cdc", "s3.endpoint": "http://${env:HOST}:${env:PORT}",
        "s3.path.style": true, "s3.access.key.id": "a", "s3.secret.access.key": "b" } }"#;

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("s3".to_owned()),
            "PORT" => Some("8333".to_owned()),
            _ => None,
        }
    }

    fn place(json: &str, edit: impl FnOnce(&mut Place)) -> Outcome<Settings> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, json.as_bytes()).unwrap();
        let mut place = Place { config: Some(file.path().to_owned()), ..Place::default() };
        edit(&mut place);
        settings(&place, &environment)
    }

    #[test]
    fn the_posted_json_is_enough() {
        let settings = place(POSTED, |_| {}).unwrap();
        assert_eq!(settings.sink_id.as_deref(), Some("orders-lake"));
        assert_eq!(settings.config.meta_url, "s3://lake/cdc.alluvium");
        assert_eq!(settings.config.s3.endpoint.as_deref(), Some("http://s3:8333"));
        let bare: Value = serde_json::from_str(POSTED).unwrap();
        let bare = place(&bare["config"].to_string(), |_| {}).unwrap();
        assert_eq!((bare.sink_id, bare.config.lake_url), (None, "s3://lake/cdc".to_owned()));
    }

    #[test]
    fn flags_win_over_the_file() {
        let settings = place(POSTED, |place| {
            place.url = Some("s3://other/t".to_owned());
            place.sink_id = Some("s".to_owned());
            place.set = vec!["s3.path.style=false".to_owned()];
        });
        let settings = settings.unwrap();
        assert_eq!(settings.config.meta_url, "s3://other/t.alluvium");
        assert_eq!(
            (settings.sink_id.as_deref(), settings.config.s3.path_style),
            (Some("s"), false)
        );
    }

    #[test]
    fn what_cannot_work_is_said_by_name() {
        let wrong = |json: &str, set: &str| {
            let set = set.to_owned();
            let failure = place(json, |p| p.set.extend((!set.is_empty()).then_some(set)));
            let failure = failure.unwrap_err();
            assert_eq!(failure.code(), crate::failure::USAGE);
            failure.to_string()
        };
        assert!(wrong("{}", "").contains("--url"));
        assert!(wrong("[]", "").contains("JSON"));
        assert!(wrong(POSTED, "commit.interval.ms=1").contains("lake.url, lake.meta.url"));
        let unset = POSTED.replace("HOST", "NOBODY");
        let message = wrong(&unset, "");
        assert!(message.contains("s3.endpoint") && message.contains("NOBODY"), "{message}");
        assert!(wrong(r#"{"lake.url":"gs://b/t"}"#, "").contains("lake.url=gs://b/t"));
    }
}
