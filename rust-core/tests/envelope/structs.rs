//! Events that the worker's JsonConverter took apart and the shim laid down (`tests/fixtures/structs`,
//! written by the shim): they give the very rows that the same events give as JSON.

use crate::support::{Cell, Outcome, read_any};
use alluvium_core::config::InputFormat;
use alluvium_core::envelope::{Definitions, EnvelopeReader, Input};
use alluvium_core::error::Kind;
use alluvium_core::frame::{Cursor, Frame, RawRecord};
use alluvium_core::position::TpId;
use bytes::Bytes;
use serde_json::Value;

/// The frames of a fixture.
fn frames(name: &str) -> Vec<Frame> {
    let path = format!("{}/../tests/fixtures/structs/{name}.frames", env!("CARGO_MANIFEST_DIR"));
    let mut rest = Bytes::from(std::fs::read(path).unwrap());
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let head = rest.split_to(8);
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let bytes = rest.split_to(word(0) as usize);
        frames.push(Frame { id: frames.len() as u64, bytes, count: word(4) });
    }
    frames
}

/// What becomes of the records of a fixture, with their offsets.
fn read_frames(reader: &mut EnvelopeReader, name: &str) -> Vec<(i64, (Outcome, bool))> {
    let (mut outcomes, mut definitions) = (Vec::new(), Definitions::default());
    for frame in frames(name) {
        let mut cursor = Cursor::default();
        definitions.begin_frame();
        while let Some(record) = frame.next(&mut cursor).unwrap() {
            definitions.note(record.value).unwrap();
            outcomes.push((record.offset, read_any(reader, &definitions, &record)));
        }
    }
    assert!(!outcomes.is_empty());
    outcomes
}

/// What becomes of the same records as JSON.
fn read_json(reader: &mut EnvelopeReader, name: &str) -> Vec<(i64, (Outcome, bool))> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/debezium");
    let lines = std::fs::read_to_string(format!("{folder}/{name}.jsonl"))
        .or_else(|_| std::fs::read_to_string(format!("{folder}/{name}.schemas.jsonl")))
        .unwrap();
    let one = |line: &str| {
        let json: Value = serde_json::from_str(line).unwrap();
        let offset = json["offset"].as_i64().unwrap();
        let value = json["value"].as_str().map(str::as_bytes);
        let record = RawRecord { tp: TpId(1), offset, timestamp_ms: Some(5), key: None, value };
        (offset, read_any(reader, &Definitions::default(), &record))
    };
    lines.lines().map(one).collect()
}

fn auto() -> EnvelopeReader {
    EnvelopeReader::of(InputFormat::Auto, &[]).unwrap()
}

/// A message shows the value as it was spelled, so it differs; where it is and that it is bad, not.
fn quiet(outcomes: Vec<(i64, (Outcome, bool))>) -> Vec<(i64, Outcome)> {
    outcomes.into_iter().map(|(offset, (outcome, _))| (offset, outcome.quiet())).collect()
}

#[test]
fn structs_give_the_rows_that_json_gives() {
    for name in [
        "basic_types",
        "basic_types.modes",
        "basic_types.connect",
        "orders",
        "transactions",
        "schema_changes",
        "transaction_metadata",
        "postgres.builders",
        "sqlserver.builders",
    ] {
        for (format, all) in [(InputFormat::Auto, false), (InputFormat::Connect, true)] {
            let keeping = |reader: EnvelopeReader| reader.keeping_before(all).keeping_details(all);
            let mut structs = keeping(EnvelopeReader::of(format, &[]).unwrap());
            let apart = quiet(read_frames(&mut structs, name));
            let json = quiet(read_json(&mut keeping(auto()), name));
            assert_eq!(apart.len(), json.len(), "{name}");
            for (apart, json) in apart.iter().zip(&json) {
                assert_eq!(apart, json, "{name}");
            }
            let rows = apart.iter().filter(|(_, o)| matches!(o, Outcome::Row(_))).count();
            assert_eq!(rows > 0, !name.contains("schema_ch") && !name.contains("_meta"), "{name}");
            assert_eq!(structs.input(), (rows > 0).then_some(Input::StructEvent), "{name}");
        }
    }
}

#[test]
fn an_unwrapped_struct_is_a_row_of_its_own_columns() {
    let unwrapped = read_frames(&mut auto(), "orders.unwrapped");
    let events = read_json(&mut auto(), "orders");
    let mut rows = 0;
    for (offset, (outcome, said)) in unwrapped {
        assert!(!said, "nothing says what the event did");
        let Outcome::Row(row) = outcome else { panic!("{offset}: {outcome:?}") };
        let event = events.iter().find(|(other, _)| *other == offset);
        let Some((_, (Outcome::Row(event), _))) = event else { panic!("{offset}: {event:?}") };
        assert_eq!((&row.schema, &row.cells), (&event.schema, &event.cells), "{offset}");
        assert_eq!(row.from, Default::default());
        rows += 1;
    }
    assert_eq!(rows, 9, "all but deletes and tombstones");
}

#[test]
fn what_no_shim_lays_down_is_corrupt_and_never_a_row() {
    let frame = &frames("orders")[0];
    let mut cursor = Cursor::default();
    let record = frame.next(&mut cursor).unwrap().unwrap();
    let value = record.value.unwrap();
    let mut definitions = Definitions::default();
    definitions.note(Some(value)).unwrap();
    let mut row = Default::default();
    let mut read = |value: &[u8], definitions: &Definitions| {
        let record = RawRecord { value: Some(value), ..record };
        auto().read_in(definitions, &record, &mut row).map(|_| ()).map_err(|e| e.kind())
    };
    assert_eq!(read(value, &definitions), Ok(()));
    assert_eq!(read(value, &Definitions::default()), Err(Kind::Corrupt), "an unknown schema");
    let body = value.len() - 10;
    for length in (2..value.len()).filter(|at| *at < 20 || *at > body) {
        assert_eq!(read(&value[..length], &definitions), Err(Kind::Corrupt), "cut at {length}");
    }
    let longer = [value, &[0]].concat();
    assert_eq!(read(&longer, &definitions), Err(Kind::Corrupt));
    // Any byte of the row changed: another row, a bad record or corrupt, never a panic.
    let start = 10 + u32::from_le_bytes(value[6..10].try_into().unwrap()) as usize;
    for at in start..value.len() {
        for bit in 0..8 {
            let mut other = value.to_vec();
            other[at] ^= 1 << bit;
            let kind = read(&other, &definitions);
            assert!(matches!(kind, Ok(()) | Err(Kind::Corrupt | Kind::BadRecord)), "{kind:?}");
        }
    }
}

#[test]
fn a_schema_told_with_a_record_nobody_wants_is_known_to_those_behind_it() {
    let frame = &frames("orders")[0];
    let (mut cursor, mut definitions) = (Cursor::default(), Definitions::default());
    let mut outcomes = Vec::new();
    while let Some(record) = frame.next(&mut cursor).unwrap() {
        definitions.note(record.value).unwrap();
        if cursor.index > 1 {
            outcomes.push(read_any(&mut auto(), &definitions, &record).0);
        }
    }
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Row(_))), "{outcomes:?}");
    assert!(!outcomes.iter().any(|o| matches!(o, Outcome::Bad(..))), "{outcomes:?}");
    // The next frame begins anew.
    definitions.begin_frame();
    let again = frames("orders").remove(1);
    let record = again.next(&mut Cursor::default()).unwrap().unwrap();
    definitions.note(record.value).unwrap();
    let (outcome, _) = read_any(&mut auto(), &definitions, &record);
    assert!(matches!(outcome, Outcome::Row(ref row) if !row.cells.contains(&Cell::Bool(true))));
}
