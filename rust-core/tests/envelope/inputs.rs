//! `input.format`: what each format makes of each form a value can come in (`docs/inputs.md`; the
//! forms a converter makes are in `structs`).

use crate::support::{Cell, Outcome, Read, SOURCE, payload, read_any, schema, text, with_schema};
use alluvium_core::config::InputFormat::{self, Auto, Connect, DebeziumJson, Json};
use alluvium_core::envelope::{Definitions, EnvelopeReader, Input, Op};
use alluvium_core::frame::RawRecord;
use alluvium_core::position::TpId;
use alluvium_core::schema::ColumnKind;

/// Reads values one after another with one reader; the last one's outcome.
fn read(format: InputFormat, values: &[&[u8]]) -> (Outcome, bool, Option<Input>) {
    let mut reader = EnvelopeReader::of(format, &[]).unwrap();
    let mut last = (Outcome::Tombstone, true);
    for value in values {
        let value = Some(*value);
        let record = RawRecord { tp: TpId(1), offset: 0, timestamp_ms: None, key: None, value };
        last = read_any(&mut reader, &Definitions::default(), &record);
    }
    (last.0, last.1, reader.input())
}

fn row(format: InputFormat, value: &str) -> Read {
    let (outcome, said, _) = read(format, &[value.as_bytes()]);
    assert!(!said, "nothing says what the event did");
    let again = read(format, &[value.as_bytes(), value.as_bytes()]).0;
    assert_eq!(outcome, again, "the fast way, that knows the plan by then");
    outcome.row()
}

/// A flat record with its schema.
fn plain_with_schema() -> String {
    with_schema(
        r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"op"},{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"price"}],"optional":false,"name":"plain"}"#,
        r#"{"id":7,"op":"grün","price":"BNI="}"#,
    )
}

#[test]
fn every_form_is_taken_for_what_it_is() {
    let event = payload("c", "null", r#"{"id":1}"#);
    let described = with_schema(&schema(&[("id", r#"{"type":"int32","optional":false"#)]), &event);
    let plain = r#"{"id":1,"op":"c","note":null}"#.to_owned();
    let plain_described = plain_with_schema();
    let heartbeat = r#"{"ts_ms":1}"#.to_owned();
    let bad = "bad";
    // One line a form; what Auto (and Connect), DebeziumJson and Json make of it.
    let cases: [(&str, &[u8], [&str; 3]); 10] = [
        ("event, schema", described.as_bytes(), ["Debezium JSON with schemas"; 3]),
        ("event", event.as_bytes(), ["Debezium JSON without schemas"; 3]),
        ("plain, schema", plain_described.as_bytes(), ["plain JSON with its schema", bad, ""]),
        ("plain", plain.as_bytes(), ["plain JSON without a schema", bad, ""]),
        (
            "heartbeat",
            heartbeat.as_bytes(),
            ["heartbeat", "heartbeat", "plain JSON without a schema"],
        ),
        ("Avro", b"\0\0\0\0\x01\x02", [bad; 3]),
        ("text", b"hello", [bad; 3]),
        ("number", b"42", [bad; 3]),
        ("null", b"null", ["tombstone"; 3]),
        ("bytes that begin like a struct", b"\xff\x00\xff", [bad; 3]),
    ];
    for (form, value, expected) in cases {
        for (format, expected) in [
            (Auto, expected[0]),
            (Connect, expected[0]),
            (DebeziumJson, expected[1]),
            (Json, expected[2]),
        ] {
            let (outcome, _, input) = read(format, &[value]);
            let found = match &outcome {
                Outcome::Row(_) => input.map_or("", Input::name),
                Outcome::Tombstone => "tombstone",
                Outcome::Skip(reason) => reason,
                Outcome::Bad(..) => bad,
            };
            let expected = match (format, expected) {
                (Json, "Debezium JSON with schemas" | "") if form.contains("schema") => {
                    "plain JSON with its schema"
                }
                (Json, "Debezium JSON without schemas" | "") => "plain JSON without a schema",
                _ => expected,
            };
            assert_eq!(found, expected, "{form} as {format:?}: {outcome:?}");
        }
    }
}

#[test]
fn avro_of_a_registry_is_refused_with_what_to_do() {
    for format in [Auto, DebeziumJson, Json] {
        let (_, said) = read(format, &[b"\0\0\0\0\x01\x02"]).0.bad();
        for part in ["schema registry", "AvroConverter", "value.converter", "input.format"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

#[test]
fn a_plain_row_has_its_own_columns_and_types() {
    let row = row(Auto, &plain_with_schema());
    assert_eq!(row.kind("id"), Some(ColumnKind::Int32));
    assert_eq!(row.kind("price"), Some(ColumnKind::Decimal { precision: 10, scale: 2 }));
    assert_eq!(row.cells, [Cell::Int(7), text("grün"), Cell::Decimal(1234)]);
    assert_eq!(row.from, Default::default());

    let row = self::row(Auto, r#"{"id":7,"ratio":0.5,"tags":["a"],"name":"n","nothing":null}"#);
    assert_eq!(
        row.cells,
        [Cell::Int(7), Cell::Float(0.5f64.to_bits()), text(r#"["a"]"#), text("n")]
    );
    assert_eq!(row.kind("tags"), Some(ColumnKind::Json));
    assert_eq!(row.kind("nothing"), None, "a column that was never anything but null is none yet");
}

#[test]
fn with_json_an_envelope_is_a_row_like_any_other() {
    let row = row(Json, &payload("c", "null", r#"{"id":1}"#));
    assert_eq!((row.cell("op"), row.cell("after")), (&text("c"), &text(r#"{"id":1}"#)));
    assert_eq!(row.cell("source"), &text(SOURCE));
}

#[test]
fn what_an_unwrapping_transform_adds_says_what_the_event_did() {
    for (added, op) in [
        (r#""__op":"u""#, Some(Op::Update)),
        (r#""__deleted":"true""#, Some(Op::Delete)),
        (r#""__deleted":"false""#, None),
        (r#""__op":"d","__deleted":"true""#, Some(Op::Delete)),
        (r#""__op":"r","__deleted":"false""#, Some(Op::Read)),
        (r#""__deleted":true"#, Some(Op::Delete)),
        (r#""__op":"upsert""#, None),
        (r#""__op":null"#, None),
        (r#""_op":"d""#, None),
        (r#""op":"d""#, None),
    ] {
        let value = format!(r#"{{"id":1,{added}}}"#);
        let (outcome, said, _) = read(Auto, &[value.as_bytes()]);
        let row = outcome.row();
        assert_eq!(said.then_some(row.op), op, "{value}");
        assert_eq!(row.cell("id"), &Cell::Int(1), "and every column stays");
    }
    let value = r#"{"id":1,"__op":"c","__ts_ms":5,"__source_ts_ms":4,"__table":"orders","__source_file":"binlog.000007","__source_pos":9,"__transaction_id":"t"}"#;
    let from = read(Auto, &[value.as_bytes()]).0.row().from;
    assert_eq!((from.ts_us, from.envelope_ts_us, from.pos), (Some(4_000), Some(5_000), Some(9)));
    assert_eq!(
        (from.table.as_deref(), from.file.as_deref()),
        (Some("orders"), Some("binlog.000007"))
    );
    assert_eq!((from.tx_id.as_deref(), from.db), (Some("t"), None));
}

#[test]
fn a_bad_field_of_a_plain_row_is_named() {
    let value = plain_with_schema().replace(r#""id":7"#, r#""id":"x""#);
    let (field, said) = read(Auto, &[value.as_bytes()]).0.bad();
    assert_eq!(field, "id");
    assert!(said.contains("an integer of 32 bits"), "{said}");
    let value = plain_with_schema().replace(r#""id":7"#, r#""id":7,"more":1"#);
    assert_eq!(read(Auto, &[value.as_bytes()]).0.bad().0, "more");
    let twice = br#"{"id":1,"id":2}"#;
    assert_eq!(read(Auto, &[twice]).0.bad().0, "id");
}

#[test]
fn declared_types_are_those_of_plain_rows_too() {
    let types = [("price".to_owned(), "decimal(10,2)".to_owned())];
    let mut reader = EnvelopeReader::of(Auto, &types).unwrap();
    let value = Some(&br#"{"price":"12.34"}"#[..]);
    let record = RawRecord { tp: TpId(1), offset: 0, timestamp_ms: None, key: None, value };
    let (outcome, _) = read_any(&mut reader, &Definitions::default(), &record);
    assert_eq!(outcome.row().cells, [Cell::Decimal(1234)]);
}
