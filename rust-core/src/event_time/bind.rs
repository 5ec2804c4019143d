//! The rule, bound to the columns of one schema: what is left to do for a row.

use super::iso::{self, IsoTime};
use super::zone::LocalZone;
use crate::config::EventTimeSource;
use crate::envelope::{Row, Slot};
use crate::error::{Error, Kind, Result};
use crate::schema::{ColumnKind, TableSchema};
use chrono_tz::Tz;
use std::sync::Arc;

const DAY_US: i64 = 86_400_000_000;
/// 0001-01-01T00:00:00Z. What lies outside these years is a wrong unit, not a time.
const MIN_US: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z.
const MAX_US: i64 = 253_402_300_799_999_999;

/// The event-time rule, bound to the schema rows are read with.
#[derive(Debug, Clone)]
pub struct BoundEventTime {
    steps: Vec<Step>,
    zone: LocalZone,
    missing: Vec<String>,
    /// Every source in order, as written in the configuration: for the error message.
    tried: String,
}

#[derive(Debug, Clone)]
enum Step {
    SourceTs,
    EnvelopeTs,
    Kafka,
    Column { slot: usize, name: Arc<str>, reading: Reading },
}

/// How the slot of a column is read.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Instant,
    LocalTime,
    Date,
    Text,
}

impl BoundEventTime {
    pub(super) fn new(
        source: &EventTimeSource,
        fallback: &[EventTimeSource],
        zone: Tz,
        schema: &TableSchema,
    ) -> Result<Self> {
        let (mut steps, mut missing, mut tried) = (Vec::new(), Vec::new(), Vec::new());
        let keys = std::iter::once("event.time").chain(std::iter::repeat("event.time.fallback"));
        for (key, source) in keys.zip(std::iter::once(source).chain(fallback)) {
            tried.push(source_name(source));
            match source {
                EventTimeSource::SourceTs => steps.push(Step::SourceTs),
                EventTimeSource::EnvelopeTs => steps.push(Step::EnvelopeTs),
                EventTimeSource::Kafka => steps.push(Step::Kafka),
                EventTimeSource::Column(name) => match column(schema, name, key)? {
                    Some(step) => steps.push(step),
                    None => missing.push(name.clone()),
                },
            }
        }
        Ok(Self { steps, zone: LocalZone::new(zone), missing, tried: tried.join(", ") })
    }

    /// Columns the rule names and the schema lacks: their fallbacks stand in. Worth a word in the
    /// log, once: it may be a misspelt name.
    pub fn missing_columns(&self) -> &[String] {
        &self.missing
    }

    /// The event time of a row, µs since 1970 UTC; `value` is the record's value bytes,
    /// `kafka_timestamp_ms` the record's own timestamp.
    ///
    /// # Errors
    /// `BadRecord` when no source has a time, or the first that has a value has none that is a
    /// time.
    pub fn event_time_us(
        &mut self,
        row: &Row,
        value: &[u8],
        kafka_timestamp_ms: Option<i64>,
    ) -> Result<i64> {
        for step in &self.steps {
            let found = match step {
                Step::SourceTs => row.source.ts_us,
                Step::EnvelopeTs => row.source.envelope_ts_us,
                Step::Kafka => kafka_timestamp_ms.map(|ms| ms.saturating_mul(1_000)),
                Step::Column { slot, name, reading } => match row.slots.get(*slot) {
                    None | Some(Slot::Null) => None,
                    Some(&slot) => Some(
                        read(slot, *reading, row, value, &mut self.zone)
                            .ok_or_else(|| not_a_time(name, slot, row, value))?,
                    ),
                },
            };
            match found {
                Some(us) if (MIN_US..=MAX_US).contains(&us) => return Ok(us),
                Some(us) => return Err(out_of_range(step, us)),
                None => {}
            }
        }
        Err(self.no_time())
    }

    #[cold]
    fn no_time(&self) -> Error {
        Error::new(
            Kind::BadRecord,
            "no event time: every source that event.time and event.time.fallback name is null or \
             absent; add one that is always there (source.ts_us, ts_us or kafka) to \
             event.time.fallback",
        )
        .with("tried", &self.tried)
    }
}

/// Finds a named column and how it is read; `None` when the schema has no such column.
fn column(schema: &TableSchema, name: &str, key: &'static str) -> Result<Option<Step>> {
    let Some(slot) = schema.columns.iter().position(|c| *c.name == *name) else {
        return Ok(None);
    };
    let column = &schema.columns[slot];
    let reading = match column.kind {
        ColumnKind::Timestamp { utc: true } => Reading::Instant,
        ColumnKind::Timestamp { utc: false } => Reading::LocalTime,
        ColumnKind::Date => Reading::Date,
        ColumnKind::Utf8 => Reading::Text,
        kind => return Err(holds_no_time(kind, name, key)),
    };
    Ok(Some(Step::Column { slot, name: column.name.clone(), reading }))
}

/// The time in a slot; `None` when there is none.
fn read(
    slot: Slot,
    reading: Reading,
    row: &Row,
    value: &[u8],
    zone: &mut LocalZone,
) -> Option<i64> {
    match (reading, slot) {
        (Reading::Instant, Slot::Int(us)) => Some(us),
        (Reading::LocalTime, Slot::Int(us)) => zone.utc_us(us),
        (Reading::Date, Slot::Int(days)) => zone.utc_us(days.checked_mul(DAY_US)?),
        (Reading::Text, Slot::Bytes(span)) => match iso::parse(row.bytes(span, value))? {
            IsoTime::Instant(us) => Some(us),
            IsoTime::Local(us) => zone.utc_us(us),
        },
        _ => None,
    }
}

fn source_name(source: &EventTimeSource) -> String {
    match source {
        EventTimeSource::SourceTs => "source.ts_us".into(),
        EventTimeSource::EnvelopeTs => "ts_us".into(),
        EventTimeSource::Kafka => "kafka".into(),
        EventTimeSource::Column(name) => format!("after.{name}"),
    }
}

fn holds_no_time(kind: ColumnKind, name: &str, key: &'static str) -> Error {
    let why = match kind {
        ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 | ColumnKind::Decimal { .. } => {
            "a number whose unit (seconds, ms, µs?) is not known, and is not guessed"
        }
        _ => "of a type that holds no time",
    };
    let message = format!(
        "{key} names column `{name}`, which is {why}; name a TIMESTAMP, DATETIME or DATE column, \
         or one of ISO-8601 text, or (topics without schemas) declare its type in columns.types"
    );
    Error::new(Kind::Config, message)
        .with("key", key)
        .with("column", name)
        .with("type", format_args!("{kind:?}"))
}

#[cold]
fn not_a_time(name: &str, slot: Slot, row: &Row, value: &[u8]) -> Error {
    let shown = match slot {
        Slot::Bytes(span) => {
            String::from_utf8_lossy(row.bytes(span, value)).chars().take(40).collect()
        }
        other => format!("{other:?}"),
    };
    Error::new(
        Kind::BadRecord,
        "the event time is not a time: text must be ISO-8601, as 2026-03-01T08:00:00.5Z, \
         2026-03-01 08:00:00+01:00 or 2026-03-01",
    )
    .with("column", name)
    .with("value", shown)
}

#[cold]
fn out_of_range(step: &Step, us: i64) -> Error {
    let error = Error::new(
        Kind::BadRecord,
        "the event time lies outside the years 1 to 9999: it is wrong, or in another unit",
    )
    .with("event_time_us", us);
    match step {
        Step::SourceTs => error.with("field", "source.ts_us"),
        Step::EnvelopeTs => error.with("field", "ts_us"),
        Step::Kafka => error.with("field", "kafka timestamp"),
        Step::Column { name, .. } => error.with("column", name),
    }
}
