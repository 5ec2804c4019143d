//! Reads one value after another out of the properties and gathers what is wrong with them.
//! A bad value reads as `None`; whoever asked goes on, so that all mistakes are told at once.

use super::keys::{Secrecy, spec};
use super::{ConfigError, KEYS};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The properties, and the mistakes found so far.
pub(super) struct Reader<'a> {
    properties: &'a BTreeMap<String, String>,
    errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    /// Starts reading; values a config provider should have replaced are told at once.
    pub(super) fn new(properties: &'a BTreeMap<String, String>) -> Self {
        let mut reader = Self { properties, errors: Vec::new() };
        for spec in KEYS {
            if reader.given(spec.name).is_some_and(has_variable) {
                reader.wrong::<()>(
                    spec.name,
                    "the variable was not replaced: switch on its config provider in the worker's \
                     properties (config.providers=env and config.providers.env.class=org.apache.\
                     kafka.common.config.provider.EnvVarConfigProvider), or give the value itself",
                );
            }
        }
        reader
    }

    /// The value as given, trimmed; empty counts as not given.
    pub(super) fn given(&self, key: &str) -> Option<&'a str> {
        self.properties.get(key).map(|v| v.trim()).filter(|v| !v.is_empty())
    }

    /// The value, else the key's default.
    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.given(key).or_else(|| spec(key).and_then(|s| s.default))
    }

    /// A number within a range.
    pub(super) fn number<N>(&mut self, key: &'static str, range: RangeInclusive<N>) -> Option<N>
    where
        N: std::str::FromStr + PartialOrd + Display,
    {
        let text = self.text(key)?;
        match text.parse::<N>() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let (from, to) = (range.start(), range.end());
                self.wrong(key, format!("must be a number from {from} to {to}"))
            }
        }
    }

    /// `true` or `false`, in any case, as Connect reads them.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        match self.text(key)?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.wrong(key, "must be true or false"),
        }
    }

    /// One of a few names.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        match choices.iter().find(|(name, _)| *name == text) {
            Some((_, choice)) => Some(*choice),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                self.wrong(key, format!("must be one of {}", names.join(", ")))
            }
        }
    }

    /// Whatever `read` makes of the value; its error says what would be right.
    pub(super) fn with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.text(key)?) {
            Ok(value) => Some(value),
            Err(message) => self.wrong(key, message),
        }
    }

    /// Notes a mistake; gives `None` so that it can end a match arm. One value is told once: what
    /// follows from an unreadable value would only hide it.
    pub(super) fn wrong<T>(&mut self, key: &'static str, message: impl Into<String>) -> Option<T> {
        if self.errors.iter().all(|e| e.key != key) {
            let open = spec(key).is_some_and(|s| s.secrecy != Secrecy::Secret);
            // A URL with a user in it may hold the password, too.
            let value = self.text(key).filter(|v| open && !(v.contains("://") && v.contains('@')));
            let value = value.map(str::to_owned);
            self.errors.push(ConfigError { key, value, message: message.into() });
        }
        None
    }

    /// Everything wrong, in the order of [`KEYS`].
    pub(super) fn into_errors(mut self) -> Vec<ConfigError> {
        self.errors.sort_by_key(|e| KEYS.iter().position(|spec| spec.name == e.key));
        self.errors
    }
}

/// Whether a value still holds a `${provider:…}` that Connect leaves in place when the provider is
/// not switched on or knows no such variable.
fn has_variable(value: &str) -> bool {
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        rest = &rest[at + 2..];
        if rest.find('}').is_some_and(|end| rest[..end].contains(':')) {
            return true;
        }
    }
    false
}
