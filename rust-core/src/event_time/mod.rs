//! Room 4a, event time: in comes a parsed row, out goes when it happened, in µs since 1970 UTC.
//! Never guesses a unit, never takes a wrong value for a missing one.
//!
//! A source that is null or absent gives way to the next; a source whose value is no time within
//! the years 1 to 9999 makes the record a bad one, since a fallback would hide it.

mod bind;
mod iso;
mod zone;

pub use bind::BoundEventTime;

use crate::config::{Config, EventTimeSource};
use crate::error::Result;
use crate::schema::TableSchema;
use chrono_tz::Tz;

/// Where event times come from: `event.time`, `event.time.fallback`, `event.time.zone`.
#[derive(Debug, Clone)]
pub struct EventTimeRule {
    source: EventTimeSource,
    fallback: Vec<EventTimeSource>,
    zone: Tz,
}

impl EventTimeRule {
    /// Takes the rule from the configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            source: config.event_time.clone(),
            fallback: config.event_time_fallback.clone(),
            zone: config.event_time_zone,
        }
    }

    /// Binds the rule to the schema rows are read with, once per schema.
    ///
    /// # Errors
    /// `Config` when a named column is of a type that holds no time, or none whose unit is known.
    pub fn resolve(&self, schema: &TableSchema) -> Result<BoundEventTime> {
        BoundEventTime::new(&self.source, &self.fallback, self.zone, schema)
    }
}

#[cfg(test)]
mod tests;
