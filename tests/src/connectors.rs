//! Connector configurations: the shipped JSON files, and what a test changes in them.
//!
//! In: a file of `connector-config`. Out: its name and configuration. Never: a copy of a file.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Context as _, Error, Result};

/// A connector as it is registered.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its name.
    pub name: String,
    config: Map<String, Value>,
}

impl Connector {
    /// Reads a shipped file.
    ///
    /// # Errors
    /// The file is not there, or is not `{"name": …, "config": {…}}`.
    pub fn shipped(file: &Path) -> Result<Self> {
        let doing = || file.display().to_string();
        let text = std::fs::read_to_string(file).context(doing)?;
        let all: Value = serde_json::from_str(&text).context(doing)?;
        match (&all["name"], &all["config"]) {
            (Value::String(name), Value::Object(config)) => {
                Ok(Self { name: name.clone(), config: config.clone() })
            }
            _ => Err(Error::new(format!("{} is not a connector", doing()))),
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same with a key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// The same without a key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.config.remove(key);
        self
    }

    /// The configuration alone, as `PUT /connectors/<name>/config` takes it.
    #[must_use]
    pub fn config(&self) -> Value {
        Value::Object(self.config.clone())
    }
}
