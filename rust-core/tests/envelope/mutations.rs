//! Damage: whatever happens to the bytes of an event, both ways agree on what it is, nothing that
//! is not JSON becomes a row, and nothing panics.

use crate::support::{self, Outcome, SOURCE, config, keeping, payload, read, read_slowly, reader};
use alluvium_core::envelope::EnvelopeReader;
use proptest::prelude::*;
use serde::de::IgnoredAny;

/// One change of a value's bytes; places are fractions of its length.
#[derive(Debug, Clone)]
enum Damage {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Truncate(usize),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![
        3 => prop::sample::select(br#""\{}[],: 0123456789-+.eEntflu/"#.to_vec()),
        1 => any::<u8>(),
    ];
    let (at, length) = (any::<usize>(), 1..20usize);
    prop_oneof![
        (at, byte.clone()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (at, byte).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        (at, length.clone()).prop_map(|(at, length)| Damage::Remove(at, length)),
        (at, length).prop_map(|(at, length)| Damage::Repeat(at, length)),
        at.prop_map(Damage::Truncate),
        (at, at).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

impl Damage {
    /// Changes only bytes from `from` on.
    fn apply(&self, value: &mut Vec<u8>, from: usize) {
        let place = |at: usize, value: &[u8]| from + at % (value.len() - from).max(1);
        match *self {
            _ if value.len() <= from => {}
            Damage::Replace(at, byte) => {
                let at = place(at, value);
                value[at] = byte;
            }
            Damage::Insert(at, byte) => value.insert(place(at, value), byte),
            Damage::Remove(at, length) => {
                let at = place(at, value);
                value.drain(at..(at + length).min(value.len()));
            }
            Damage::Repeat(at, length) => {
                let at = place(at, value);
                let again = value[at..(at + length).min(value.len())].to_vec();
                value.splice(at..at, again);
            }
            Damage::Truncate(at) => value.truncate(place(at, value)),
            Damage::Swap(a, b) => {
                let (a, b) = (place(a, value), place(b, value));
                value.swap(a, b);
            }
        }
    }
}

const AFTER: &str = r#"{"id":17,"name":"Zoë \"Z\"\n\uD83C\uDF6E","price":"EtaH","at":"2026-03-01T08:15:30.5Z","ratio":-1.5E-3,"blob":"AP9/gA==","ok":true,"doc":{"a":[1,{"b":null}]},"day":-20513,"wide":"/wzp2OOAPG91dBC5sca6EIXayfYAAAAAAAAAAQ==","own":{"scale":3,"value":"AeJA"},"spot":{"wkb":"AQcAAAAAAAAA","srid":4326},"iso":"-0044-03-15Z"}"#;

/// An event of each kind that has a row image, and how much of it is schema.
fn events(with_schema: bool) -> Vec<(Vec<u8>, usize)> {
    let decimal = r#"{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"}"#;
    let schema = support::schema(&[
        ("id", r#"{"type":"int64","optional":false"#),
        ("name", r#"{"type":"string","optional":true"#),
        ("price", decimal),
        ("at", r#"{"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp""#),
        ("ratio", r#"{"type":"double","optional":true"#),
        ("blob", r#"{"type":"bytes","optional":true"#),
        ("ok", r#"{"type":"boolean","optional":true"#),
        ("doc", r#"{"type":"struct","fields":[],"optional":true"#),
        ("day", r#"{"type":"int32","optional":true,"name":"io.debezium.time.Date""#),
        ("wide", &decimal.replace("10", "65").replace("\"2\"", "\"30\"")),
        (
            "own",
            r#"{"type":"struct","optional":true,"name":"io.debezium.data.VariableScaleDecimal""#,
        ),
        ("spot", r#"{"type":"struct","optional":true,"name":"io.debezium.data.geometry.Geometry""#),
        ("iso", r#"{"type":"string","optional":true,"name":"io.debezium.time.IsoDate""#),
    ]);
    let payloads =
        [payload("c", "null", AFTER), payload("u", AFTER, AFTER), payload("d", AFTER, "null")];
    let value = |payload: String| match with_schema {
        true => {
            let from = support::with_schema(&schema, "").len() - 1;
            (support::with_schema(&schema, &payload).into_bytes(), from)
        }
        false => (payload.into_bytes(), 0),
    };
    payloads.into_iter().map(value).collect()
}

/// Readers that have seen the whole events, so that the walker has a plan.
fn warm(events: &[(Vec<u8>, usize)], keeps: bool) -> [EnvelopeReader; 2] {
    let [mut either, mut slow] = [keeping(keeps), keeping(keeps)];
    for (value, _) in events.iter().chain(events) {
        read(&mut either, Some(value)).row();
        read_slowly(&mut slow, value).row();
    }
    assert!(either.ways().fast >= 3, "the walker takes these");
    [either, slow]
}

fn agree(readers: &mut [EnvelopeReader; 2], value: &[u8]) -> Result<(), TestCaseError> {
    let [either, slow] = readers;
    let outcome = read(either, Some(value));
    let slowly = read_slowly(slow, value);
    prop_assert_eq!(outcome.clone().quiet(), slowly.quiet(), "{}", String::from_utf8_lossy(value));
    if serde_json::from_slice::<IgnoredAny>(value).is_err() || std::str::from_utf8(value).is_err() {
        let shown = String::from_utf8_lossy(value);
        prop_assert!(matches!(outcome, Outcome::Bad(..)), "not JSON, but {outcome:?}: {shown}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn a_damaged_event_is_the_same_by_both_ways(
        with_schema: bool,
        keeps: bool,
        which in 0..3usize,
        damages in prop::collection::vec(damage(), 1..4),
        damage_schema in prop::bool::weighted(0.1),
    ) {
        let events = events(with_schema);
        let mut readers = warm(&events, keeps);
        let (mut value, from) = events[which].clone();
        for damage in &damages {
            damage.apply(&mut value, if damage_schema { 0 } else { from });
        }
        agree(&mut readers, &value)?;
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(value in prop::collection::vec(any::<u8>(), 0..200)) {
        agree(&mut [reader(), reader()], &value)?;
    }
}

#[test]
fn every_truncation_is_bad() {
    for (with_schema, keeps) in [(true, true), (true, false), (false, true), (false, false)] {
        let events = events(with_schema);
        let mut readers = warm(&events, keeps);
        for (value, from) in &events {
            for length in *from..value.len() {
                let outcome = read(&mut readers[0], Some(&value[..length]));
                assert!(matches!(outcome, Outcome::Bad(..)), "{length} bytes: {outcome:?}");
            }
            for ending in ["}", " }", "x", "{}", "\0", "null", ","] {
                let longer = [value, ending.as_bytes()].concat();
                let outcome = read(&mut readers[0], Some(&longer));
                assert!(matches!(outcome, Outcome::Bad(..)), "{ending:?} behind it: {outcome:?}");
            }
        }
    }
}

#[test]
fn every_bit_flip_is_the_same_by_both_ways() {
    for (with_schema, keeps) in [(true, true), (true, false), (false, true), (false, false)] {
        let events = events(with_schema);
        let mut readers = warm(&events, keeps);
        for (value, from) in &events {
            for at in *from..value.len() {
                for bit in 0..8 {
                    let mut value = value.clone();
                    value[at] ^= 1 << bit;
                    agree(&mut readers, &value).unwrap();
                }
            }
        }
    }
    assert!(SOURCE.is_ascii(), "so that flips of the high bit make bad UTF-8");
}
