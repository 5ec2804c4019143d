use super::*;
use crate::envelope::{Row, Slot, Source, Span, SpanSource};
use crate::error::Kind;
use crate::schema::{Column, ColumnKind};

const TEXT: &[u8] = b"2026-03-01 12:00:00|yesterday";
const NOON: i64 = 1_772_366_400_000_000;

fn schema(kind: ColumnKind) -> TableSchema {
    let id = Column { name: "id".into(), kind: ColumnKind::Int64 };
    TableSchema { columns: vec![id, Column { name: "at".into(), kind }] }
}

fn text(start: u32, len: u32) -> Slot {
    Slot::Bytes(Span { source: SpanSource::Value, start, len })
}

fn row(at: Slot) -> Row {
    let source = Source { ts_us: Some(7_000), envelope_ts_us: Some(8_000), ..Source::default() };
    Row { slots: vec![Slot::Int(1), at], source, ..Row::default() }
}

fn at() -> EventTimeSource {
    EventTimeSource::Column("at".into())
}

fn rule(source: EventTimeSource, fallback: &[EventTimeSource]) -> EventTimeRule {
    EventTimeRule { source, fallback: fallback.to_vec(), zone: Tz::Europe__Berlin }
}

#[test]
fn each_source_gives_its_time() {
    let timestamp = ColumnKind::Timestamp { utc: true };
    let local = ColumnKind::Timestamp { utc: false };
    let cases = [
        (EventTimeSource::SourceTs, timestamp, Slot::Null, 7_000),
        (EventTimeSource::EnvelopeTs, timestamp, Slot::Null, 8_000),
        (EventTimeSource::Kafka, timestamp, Slot::Null, 9_000_000),
        (at(), timestamp, Slot::Int(NOON), NOON),
        (at(), local, Slot::Int(NOON), NOON - 3_600_000_000),
        (at(), ColumnKind::Date, Slot::Int(20_513), NOON - 13 * 3_600_000_000),
        (at(), ColumnKind::Utf8, text(0, 19), NOON - 3_600_000_000),
        (at(), ColumnKind::Utf8, text(0, 10), NOON - 13 * 3_600_000_000),
    ];
    for (source, kind, slot, expected) in cases {
        let mut bound = rule(source.clone(), &[]).resolve(&schema(kind)).unwrap();
        let got = bound.event_time_us(&row(slot), TEXT, Some(9_000));
        assert_eq!(got.unwrap(), expected, "{source:?} {kind:?}");
    }
}

#[test]
fn null_and_absent_give_way_in_order_and_wrong_does_not() {
    let kind = ColumnKind::Timestamp { utc: true };
    let fallback = [
        EventTimeSource::Column("gone".into()),
        EventTimeSource::EnvelopeTs,
        EventTimeSource::Kafka,
    ];
    let mut bound = rule(at(), &fallback).resolve(&schema(kind)).unwrap();
    assert_eq!(bound.missing_columns(), ["gone"]);

    let mut null = row(Slot::Null);
    assert_eq!(bound.event_time_us(&null, b"", Some(9)).unwrap(), 8_000);
    null.source.envelope_ts_us = None;
    assert_eq!(bound.event_time_us(&null, b"", Some(9)).unwrap(), 9_000);
    null.slots.clear();
    assert_eq!(bound.event_time_us(&null, b"", Some(9)).unwrap(), 9_000, "a truncate");

    let none = bound.event_time_us(&null, b"", None).unwrap_err();
    assert_eq!(none.kind(), Kind::BadRecord);
    assert_eq!(none.context("tried"), Some("after.at, after.gone, ts_us, kafka"));

    for wrong in [i64::MAX, i64::MIN, 253_402_300_800_000_000, -62_135_596_800_000_001] {
        let error = bound.event_time_us(&row(Slot::Int(wrong)), b"", Some(9)).unwrap_err();
        assert_eq!((error.kind(), error.context("column")), (Kind::BadRecord, Some("at")));
    }
    let error = rule(EventTimeSource::Kafka, &[])
        .resolve(&schema(kind))
        .unwrap()
        .event_time_us(&null, b"", Some(i64::MAX))
        .unwrap_err();
    assert_eq!(error.context("field"), Some("kafka timestamp"));
}

#[test]
fn text_that_is_no_time_is_a_bad_record() {
    let fallback = [EventTimeSource::SourceTs];
    let mut bound = rule(at(), &fallback).resolve(&schema(ColumnKind::Utf8)).unwrap();
    let error = bound.event_time_us(&row(text(20, 9)), TEXT, Some(9)).unwrap_err();
    assert_eq!(error.kind(), Kind::BadRecord);
    assert_eq!(error.context("value"), Some("yesterday"));
    assert_eq!(error.context("column"), Some("at"));
}

#[test]
fn a_column_without_a_unit_is_refused_by_name() {
    let no_time = [
        ColumnKind::Int16,
        ColumnKind::Int32,
        ColumnKind::Int64,
        ColumnKind::Float64,
        ColumnKind::Decimal { precision: 18, scale: 0 },
        ColumnKind::Boolean,
        ColumnKind::Time,
        ColumnKind::Duration,
        ColumnKind::Enum,
        ColumnKind::Json,
        ColumnKind::Binary,
    ];
    for kind in no_time {
        let first = rule(at(), &[]).resolve(&schema(kind)).unwrap_err();
        assert_eq!((first.kind(), first.context("key")), (Kind::Config, Some("event.time")));
        let second = rule(EventTimeSource::Kafka, &[at()]).resolve(&schema(kind)).unwrap_err();
        assert_eq!(second.context("key"), Some("event.time.fallback"));
        assert_eq!(second.context("column"), Some("at"));
    }
}
