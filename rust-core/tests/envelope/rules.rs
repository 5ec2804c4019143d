//! The rules, one by one.

use crate::support::{
    Cell, Outcome, Read, SOURCE, keeping, payload, read, read_slowly, reader, schema, text,
    with_schema,
};
use alluvium_core::envelope::{EnvelopeReader, Op, Parsed, Row};
use alluvium_core::frame::RawRecord;
use alluvium_core::position::TpId;
use alluvium_core::schema::ColumnKind;
use alluvium_testkit::said::Said;
use std::sync::Arc;
use tracing::Level;

const INT: &str = r#"{"type":"int32","optional":false"#;
const STRING: &str = r#"{"type":"string","optional":true"#;

/// Reads a value three times, so that each way has its turn; all must agree.
fn outcome(value: &str) -> Outcome {
    let mut reader = reader();
    let first = read(&mut reader, Some(value.as_bytes()));
    assert_eq!(first, read(&mut reader, Some(value.as_bytes())), "again: {value}");
    let slowly = read_slowly(&mut reader, value.as_bytes());
    assert_eq!(first.clone().quiet(), slowly.quiet(), "slowly: {value}");
    first
}

/// Reads one row of `fields` with its schema.
fn described(fields: &[(&str, &str)], after: &str) -> Outcome {
    outcome(&with_schema(&schema(fields), &payload("c", "null", after)))
}

/// The one cell of a column of this type.
fn one(field: &str, json: &str) -> Outcome {
    described(&[("c", field)], &format!("{{\"c\":{json}}}"))
}

fn logical(literal: &str, name: &str) -> String {
    format!(r#"{{"type":"{literal}","optional":true,"name":"{name}","version":1"#)
}

#[test]
fn a_row_image_comes_from_after_or_for_a_delete_from_before() {
    let fields = schema(&[("id", INT)]);
    let row = |op: &str, before: &str, after: &str| {
        outcome(&with_schema(&fields, &payload(op, before, after))).row()
    };
    for (op, before, after, expected) in [
        ("c", "null", r#"{"id":1}"#, Op::Create),
        ("r", "null", r#"{"id":1}"#, Op::Read),
        ("u", r#"{"id":9}"#, r#"{"id":1}"#, Op::Update),
        ("u", "null", r#"{"id":1}"#, Op::Update),
        ("d", r#"{"id":1}"#, "null", Op::Delete),
        ("d", r#"{"id":1}"#, r#"{"id":9}"#, Op::Delete),
    ] {
        let row = row(op, before, after);
        assert_eq!((row.op, row.cells), (expected, vec![Cell::Int(1)]), "{op} {before} {after}");
    }
    for (op, expected) in [("t", Op::Truncate), ("m", Op::Message)] {
        let row = row(op, "null", "null");
        assert_eq!((row.op, row.cells), (expected, vec![Cell::Null]));
    }
}

#[test]
fn the_old_row_is_read_where_it_is_kept() {
    let fields = schema(&[("id", INT), ("name", STRING)]);
    let read_kept = |value: &str| {
        let mut reader = keeping(true);
        let first = read(&mut reader, Some(value.as_bytes()));
        assert_eq!(first, read(&mut reader, Some(value.as_bytes())), "again: {value}");
        assert_eq!(first, read_slowly(&mut reader, value.as_bytes()), "slowly: {value}");
        first.row()
    };
    let (one, two) = (r#"{"id":1,"name":"é\n"}"#, r#"{"id":1,"name":null}"#);
    let cells = |name: Cell| Some(vec![Cell::Int(1), name]);
    for (op, before, after, old) in [
        ("c", "null", one, None),
        ("u", one, two, cells(text("é\n"))),
        ("u", two, one, cells(Cell::Null)),
        ("u", r#"{"id":1}"#, one, cells(Cell::Null)),
        ("u", r#"{"name":"é\n"}"#, one, Some(vec![Cell::Null, text("é\n")])),
        ("u", "{}", one, Some(vec![Cell::Null, Cell::Null])),
        ("u", "null", one, None),
        ("d", one, "null", cells(text("é\n"))),
        ("t", "null", "null", None),
    ] {
        for value in [payload(op, before, after), with_schema(&fields, &payload(op, before, after))]
        {
            let row = read_kept(&value);
            // Without schema, columns come in the order they are seen in.
            let same_order = row.schema.columns.first().is_some_and(|c| &*c.name == "id");
            if same_order {
                assert_eq!(row.before, old, "{value}");
            }
            assert_eq!(row.before.is_some(), old.is_some(), "{value}");
            assert_eq!(outcome(&value).row().before, None, "not kept: {value}");
        }
    }
    // A value that no column can hold makes the record bad only where it would be kept.
    let misfit = with_schema(&fields, &payload("u", r#"{"id":"x","name":null}"#, one));
    outcome(&misfit).row();
    let (field, _) = read(&mut keeping(true), Some(misfit.as_bytes())).bad();
    assert_eq!(field, "before.id");
}

/// As PostgreSQL's connector is documented to send what `pg_logical_emit_message` says.
#[test]
fn a_message_is_a_row_of_what_it_says() {
    let source = r#"{"version":"3.6.1.Final","connector":"postgresql","name":"shop","ts_ms":1,"db":"shop","schema":"","table":"","txId":556,"lsn":46523128}"#;
    let payload = format!(
        r#"{{"op":"m","ts_ms":2,"source":{source},"message":{{"prefix":"audit","content":"AP9/gA=="}}}}"#
    );
    let text_field =
        |name: &str| format!(r#"{{"type":"string","optional":true,"field":"{name}"}}"#);
    let int_field = |name: &str| format!(r#"{{"type":"int64","optional":true,"field":"{name}"}}"#);
    let fields = ["version", "connector", "name"].map(text_field).join(",");
    let schema = format!(
        r#"{{"type":"struct","fields":[{},{},{{"type":"struct","fields":[{fields},{},{},{},{},{},{}],"field":"source"}},{{"type":"struct","fields":[{},{{"type":"bytes","field":"content"}}],"field":"message"}}],"name":"io.debezium.connector.postgresql.MessageValue"}}"#,
        text_field("op"),
        int_field("ts_ms"),
        int_field("ts_ms"),
        text_field("db"),
        text_field("schema"),
        text_field("table"),
        int_field("txId"),
        int_field("lsn"),
        text_field("prefix"),
    );
    for _ in 0..2 {
        let row = outcome(&with_schema(&schema, &payload)).row();
        assert_eq!(row.op, Op::Message);
        assert_eq!(row.cell("prefix"), &text("audit"));
        assert_eq!(row.cell("content"), &Cell::Bytes(vec![0, 0xff, 0x7f, 0x80]));
        let plain = outcome(&payload).row();
        assert_eq!((plain.op, plain.cell("content")), (Op::Message, &text("AP9/gA==")));
    }
    let mut reader = keeping(true);
    for _ in 0..3 {
        let value = with_schema(&schema, &payload);
        let row = read(&mut reader, Some(value.as_bytes())).row();
        for detail in ["postgresql", "556", "46523128"] {
            assert!(row.details.contains(&text(detail)), "{detail} in {:?}", row.details);
        }
        assert_eq!(row, read_slowly(&mut reader, value.as_bytes()).row());
    }
    assert!(reader.ways().fast >= 2);
}

#[test]
fn a_column_without_schema_learns_its_type_from_the_old_row_too() {
    let mut reader = keeping(true);
    let value = payload("u", r#"{"id":1,"note":"old","gone":7}"#, r#"{"id":1,"note":null}"#);
    for _ in 0..2 {
        let row = read(&mut reader, Some(value.as_bytes())).row();
        assert_eq!(row.kind("note"), Some(ColumnKind::Utf8));
        assert_eq!(row.kind("gone"), Some(ColumnKind::Int64));
        assert_eq!(row.cells, [Cell::Int(1), Cell::Null, Cell::Null]);
        assert_eq!(row.before, Some(vec![Cell::Int(1), text("old"), Cell::Int(7)]));
    }
}

#[test]
fn an_event_without_its_image_is_bad_and_says_what_to_do() {
    let fields = schema(&[("id", INT)]);
    for (op, before, after, message) in [
        ("d", "null", "null", "binlog_row_image=FULL"),
        ("d", "null", r#"{"id":1}"#, "a delete has no `before`"),
        ("c", "null", "null", "op=\"c\" but no `after`"),
        ("u", r#"{"id":1}"#, "null", "op=\"u\" but no `after`"),
        ("x", "null", r#"{"id":1}"#, "should be one of c, u, d, r, t, m"),
        ("c", "null", "7", "after is not a JSON object"),
    ] {
        let (_, said) = outcome(&with_schema(&fields, &payload(op, before, after))).bad();
        assert!(said.contains(message), "{op}: {said}");
    }
    let no_op = payload("c", "null", r#"{"id":1}"#).replace(r#""op":"c","#, "");
    for value in [with_schema(&fields, &no_op), no_op] {
        let (_, said) = outcome(&value).bad();
        assert!(said.contains("not a Debezium change event"), "{said}");
    }
}

#[test]
fn nulls_are_tombstones_at_every_level() {
    assert_eq!(read(&mut reader(), None), Outcome::Tombstone);
    let described = with_schema(&schema(&[("id", INT)]), "null");
    for value in ["null", &described, r#"{"schema":null,"payload":null}"#] {
        assert_eq!(outcome(value), Outcome::Tombstone, "{value}");
    }
    for value in ["", " ", "nul", "\"null\"", "[]", "7", "{}"] {
        assert!(matches!(outcome(value), Outcome::Bad(..)), "{value:?}");
    }
}

#[test]
fn a_record_has_a_schema_if_its_keys_are_schema_and_payload() {
    let event = payload("c", "null", r#"{"id":1}"#);
    let fields = schema(&[("id", INT)]);
    let kind = |value: &str| outcome(value).row().kind("id");
    assert_eq!(kind(&with_schema(&fields, &event)), Some(ColumnKind::Int32));
    let payload_first = format!(r#"{{"payload":{event},"schema":{fields}}}"#);
    assert_eq!(kind(&payload_first), Some(ColumnKind::Int32));
    let spaced = format!("{{ \"schema\" : {fields} , \"payload\" : {event} }}");
    assert_eq!(kind(&spaced), Some(ColumnKind::Int32));
    assert_eq!(kind(&event), Some(ColumnKind::Int64));
    let null = format!(r#"{{"schema":null,"payload":{event}}}"#);
    assert_eq!(kind(&null), Some(ColumnKind::Int64));
    // With a third key it is a record of its own, and no change event.
    let third = format!(r#"{{"schema":{fields},"payload":{event},"x":1}}"#);
    assert!(outcome(&third).bad().1.contains("not a Debezium change event"));
    let twice = format!(r#"{{"schema":{fields},"schema":{fields},"payload":{event}}}"#);
    assert!(matches!(outcome(&twice), Outcome::Bad(..)));
}

#[test]
fn the_text_of_a_payload_in_a_default_is_not_the_payload() {
    let tricky = r#"{"type":"string","optional":true,"default":"x,\"payload\":{\"op\":\"d\"}}""#;
    let row = described(&[("c", tricky), ("id", INT)], r#"{"c":"},\"payload\":","id":3}"#).row();
    assert_eq!(row.cells, [text("},\"payload\":"), Cell::Int(3)]);
}

#[test]
fn a_bad_value_names_its_field_and_what_was_expected() {
    let decimal = r#"{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"3"}"#;
    for (field, json, reason) in [
        (INT, "2147483648", "out of range"),
        (INT, "1.0", "not an integer"),
        (INT, "\"1\"", "of another type"),
        (INT, "{}", "it is an object"),
        (INT, "true", "of another type"),
        (STRING, "7", "of another type"),
        (decimal, "\"EtaH\"", "more digits than declared"),
        (decimal, "\"\"", "it is empty"),
        (decimal, "\"E!==\"", "not base64"),
        (
            &logical("string", "io.debezium.time.ZonedTimestamp"),
            "\"2026-02-30T00:00:00Z\"",
            "ISO 8601",
        ),
        (&logical("int64", "io.debezium.time.MicroTime"), "86400000000", "time of day"),
        (&logical("int64", "io.debezium.time.NanoTimestamp"), "1500", "below the microsecond"),
        (STRING, "\"\\uD83C\"", "an escape that is none"),
    ] {
        let (field, message) = one(field, json).bad();
        assert_eq!(field, "after.c", "{json}");
        assert!(message.contains(json) && message.contains(reason), "{json}: {message}");
        assert!(message.contains("should be"), "{message}");
    }
}

#[test]
fn a_schema_that_cannot_be_a_table_is_bad_and_named() {
    for (parameters, reason) in [
        (r#"{"connect.decimal.precision":"10"}"#, "decimal without scale"),
        (r#"{"scale":"x"}"#, "scale=\"x\""),
        (r#"{"scale":"2","connect.decimal.precision":"20001"}"#, "decimal(20001,2)"),
        (r#"{"scale":"-20001"}"#, "decimal(38,-20001)"),
    ] {
        let decimal = logical("bytes", "org.apache.kafka.connect.data.Decimal");
        let (field, message) =
            one(&format!("{decimal},\"parameters\":{parameters}"), "\"AA==\"").bad();
        assert_eq!(field, "c");
        assert!(message.contains(reason), "{message}");
    }
    let (_, message) = described(&[("a", INT), ("a", INT)], r#"{"a":1}"#).bad();
    assert!(message.contains("two fields of the row are named \"a\""), "{message}");
    let (_, message) = one(r#"{"type":"int7","optional":true"#, "1").bad();
    assert!(message.contains("int7"), "{message}");
}

#[test]
fn an_unknown_logical_name_falls_back_to_its_literal_type() {
    for (field, json, kind, cell) in [
        (logical("int32", "org.acme.Colour"), "5", ColumnKind::Int32, Cell::Int(5)),
        (logical("string", "org.acme.Colour"), "\"x\"", ColumnKind::Utf8, text("x")),
        // The name is known, but for another literal type: the unit would be a guess.
        (logical("string", "io.debezium.time.Date"), "\"x\"", ColumnKind::Utf8, text("x")),
        (
            logical("struct", "io.debezium.data.geometry.Torus"),
            r#"{"x":1.0,"wkb":"AA=="}"#,
            ColumnKind::Json,
            text(r#"{"x":1.0,"wkb":"AA=="}"#),
        ),
    ] {
        let row = one(&field, json).row();
        assert_eq!((row.kind("c"), &row.cells[0]), (Some(kind), &cell), "{field}");
    }
    let (_, message) = one(&logical("struct", "org.acme.Thing"), "\"x\"").bad();
    assert!(message.contains("a JSON object or array"), "{message}");
}

#[test]
fn a_name_that_means_nothing_is_reported_once() {
    let said = Said::from(Level::WARN);
    let mut reader = reader();
    let days = format!(
        r#"{{"type":"array","optional":true,"items":{}}}"#,
        logical("int32", "io.debezium.time.Date")
    );
    for (field, json) in [
        (logical("int32", "org.acme.Colour"), "5"),
        (logical("string", "org.acme.Colour"), "\"x\""),
        (days, "[20513]"),
        (logical("array", "io.debezium.data.FloatVector"), "[1.5]"),
        (STRING.to_owned(), "\"x\""),
    ] {
        let value = with_schema(
            &schema(&[("c", &field)]),
            &payload("c", "null", &format!("{{\"c\":{json}}}")),
        );
        read(&mut reader, Some(value.as_bytes())).row();
    }
    let reported = said.with("unknown logical type");
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(reported[0].contains("org.acme.Colour") && reported[0].contains("column=c"));
    assert!(reported[1].contains("io.debezium.time.Date"), "{reported:?}");
}

#[test]
fn columns_types_takes_a_logical_type_back_and_nothing_else() {
    let zoned = logical("string", "io.debezium.time.ZonedTimestamp");
    let time = logical("int64", "io.debezium.time.MicroTime");
    let nanos = logical("int64", "io.debezium.time.NanoTime");
    let stamp = logical("int64", "io.debezium.time.NanoTimestamp");
    let utc = ColumnKind::Timestamp { utc: true };
    let seven_digits = "\"2026-03-01T08:15:30.1234567Z\"";
    for (name, field, json, kind, cell) in [
        ("text", &zoned, seven_digits, ColumnKind::Utf8, text(seven_digits.trim_matches('"'))),
        ("duration_us", &time, "-86400000001", ColumnKind::Duration, Cell::Int(-86_400_000_001)),
        ("duration_us", &nanos, "1000", ColumnKind::Duration, Cell::Int(1)),
        (
            "bigint",
            &stamp,
            "1772352930123456700",
            ColumnKind::Int64,
            Cell::Int(1_772_352_930_123_456_700),
        ),
        ("bigint", &INT.to_owned(), "7", ColumnKind::Int64, Cell::Int(7)),
        // The schema knows better.
        ("timestamp_ms", &zoned, "\"1970-01-01T00:00:01Z\"", utc, Cell::Int(1_000_000)),
        ("duration_us", &stamp, "1000", ColumnKind::Timestamp { utc: false }, Cell::Int(1)),
        ("text", &time, "1", ColumnKind::Time, Cell::Int(1)),
        ("int", &STRING.to_owned(), "\"x\"", ColumnKind::Utf8, text("x")),
    ] {
        let mut reader = EnvelopeReader::new(&[("c".into(), name.into())]).unwrap();
        let fields = schema(&[("c", field)]);
        let value = with_schema(&fields, &payload("c", "null", &format!("{{\"c\":{json}}}")));
        for _ in 0..2 {
            let row = read(&mut reader, Some(value.as_bytes())).row();
            assert_eq!((row.kind("c"), &row.cells[0]), (Some(kind), &cell), "{name} {field}");
        }
        assert_eq!(reader.ways().fast, 1);
    }
}

#[test]
fn other_time_modes_have_the_same_columns() {
    let connect = "org.apache.kafka.connect.data.";
    let local = ColumnKind::Timestamp { utc: false };
    for (literal, name, json, kind, value) in [
        ("int32", &*format!("{connect}Date"), "-1", ColumnKind::Date, -1),
        ("int32", &format!("{connect}Time"), "1500", ColumnKind::Time, 1_500_000),
        ("int64", &format!("{connect}Timestamp"), "-1", local, -1_000),
        ("int32", "io.debezium.time.Time", "1", ColumnKind::Time, 1_000),
        ("int64", "io.debezium.time.NanoTime", "2000", ColumnKind::Time, 2),
        ("int64", "io.debezium.time.NanoTimestamp", "-3000", local, -3),
        ("int64", "io.debezium.time.MicroDuration", "-7", ColumnKind::Duration, -7),
        ("string", "io.debezium.time.IsoDate", "\"1970-01-03Z\"", ColumnKind::Date, 2),
        ("string", "io.debezium.time.IsoTime", "\"00:00:01Z\"", ColumnKind::Time, 1_000_000),
        ("string", "io.debezium.time.IsoTimestamp", "\"1970-01-01T00:00:02Z\"", local, 2_000_000),
    ] {
        let row = one(&logical(literal, name), json).row();
        assert_eq!((row.kind("c"), &row.cells[0]), (Some(kind), &Cell::Int(value)), "{name}");
    }
}

#[test]
fn the_times_of_an_event_fall_back_to_milliseconds() {
    let event = payload("c", "null", r#"{"id":1}"#);
    let times = |value: &str| {
        let Read { from, .. } = outcome(value).row();
        (from.ts_us, from.envelope_ts_us)
    };
    assert_eq!(times(&event), (Some(1_772_352_930_123_456), Some(1_772_352_930_200_300)));
    let old = event.replace(r#""ts_us":1772352930123456,"#, "");
    let old = old.replace(r#","ts_us":1772352930200300"#, "");
    assert_eq!(times(&old), (Some(1_772_352_930_123_000), Some(1_772_352_930_200_000)));
    let none = event.replace(SOURCE, "null");
    assert_eq!(times(&none), (None, Some(1_772_352_930_200_300)));
    let absurd = old.replace("1772352930200", "9223372036854775807");
    assert!(outcome(&absurd).bad().1.contains("too large"));
}

#[test]
fn where_it_comes_from_is_checked_like_the_row() {
    let event = payload("c", "null", r#"{"id":1}"#);
    for (from, to, field) in [
        (r#""pos":6918"#, r#""pos":"6918""#, "source.pos"),
        (r#""server_id":1"#, r#""server_id":1.5"#, "source.server_id"),
        (r#""file":"binlog.000001""#, r#""file":1"#, "source.file"),
        (r#""transaction":null"#, r#""transaction":{"id":7}"#, "transaction.id"),
        (r#""row":2"#, r#""row":2,"row":2"#, "source.row"),
        (r#""op":"c""#, r#""op":"c","op":"c""#, "op"),
        (r#""op":"c""#, r#""op":7"#, "op"),
        (r#""id":1"#, r#""id":1,"id":1"#, "after.id"),
    ] {
        assert!(event.contains(from));
        assert_eq!(outcome(&event.replace(from, to)).bad().0, field, "{to}");
    }
    let old = event.replace(r#""snapshot":"false""#, r#""snapshot":true"#);
    assert_eq!(outcome(&old).row().from.snapshot.as_deref(), Some("true"));
}

#[test]
fn equal_schemas_are_one_arc_also_when_tables_interleave() {
    let value = |fields: &[(&str, &str)], after: &str| {
        with_schema(&schema(fields), &payload("c", "null", after))
    };
    let one = value(&[("id", INT)], r#"{"id":1}"#);
    let other = value(&[("id", INT), ("note", STRING)], r#"{"id":1,"note":null}"#);
    // Another default: other bytes, the same columns.
    let same = value(&[("id", r#"{"type":"int32","optional":false,"default":4"#)], r#"{"id":2}"#);
    let mut reader = reader();
    let arc = |reader: &mut EnvelopeReader, value: &str| {
        let value = Some(value.as_bytes());
        let record = RawRecord { tp: TpId(1), offset: 0, timestamp_ms: None, key: None, value };
        match reader.read(&record, &mut Row::default()).unwrap() {
            Parsed::Row(schema) => Arc::clone(schema),
            other => panic!("{other:?}"),
        }
    };
    let first = arc(&mut reader, &one);
    for _ in 0..3 {
        assert_eq!(arc(&mut reader, &other).columns.len(), 2);
        assert!(Arc::ptr_eq(&arc(&mut reader, &one), &first));
        assert!(Arc::ptr_eq(&arc(&mut reader, &same), &first));
    }
    assert_eq!((reader.ways().slow, reader.ways().fast), (3, 7), "three schemas, each parsed once");
}

#[test]
fn large_and_deep_values() {
    use base64::Engine;
    let blob: Vec<u8> = (0..16 << 20).map(|i: u32| (i * 7) as u8).collect();
    let json = format!("\"{}\"", base64::engine::general_purpose::STANDARD.encode(&blob));
    let row = one(r#"{"type":"bytes","optional":true"#, &json).row();
    assert!(row.cells == [Cell::Bytes(blob)]);

    let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let field = r#"{"type":"array","items":{"type":"int32"},"optional":true"#;
    for (depth, fits) in [(100, true), (125, true), (126, false), (100_000, false)] {
        let json = nested(depth);
        let outcome = one(field, &json);
        assert_eq!(matches!(outcome, Outcome::Row(_)), fits, "{depth}");
        // In a part that is skipped, too.
        let skipped = payload("u", &format!("{{\"c\":{json}}}"), r#"{"c":null}"#);
        let value = with_schema(&schema(&[("c", field)]), &skipped);
        assert_eq!(matches!(self::outcome(&value), Outcome::Row(_)), fits, "{depth}");
    }
    let schema =
        format!("{}{}", r#"{"type":"struct","fields":["#.repeat(5_000), "]}".repeat(5_000));
    assert!(matches!(outcome(&with_schema(&schema, "{}")), Outcome::Bad(..)));
}

#[test]
fn an_unavailable_value_passes_as_sent() {
    let row = one(STRING, "\"__debezium_unavailable_value\"").row();
    assert_eq!(row.cells, [text("__debezium_unavailable_value")]);
}

#[test]
fn heartbeats_are_skipped() {
    let schema = r#"{"type":"struct","fields":[{"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,"name":"io.debezium.connector.common.Heartbeat"}"#;
    let described = with_schema(schema, r#"{"ts_ms":1}"#);
    for value in [r#"{"ts_ms":1}"#, &described] {
        assert_eq!(outcome(value), Outcome::Skip("heartbeat"));
    }
    let broken = described.replace("1}}", "1}");
    assert!(matches!(outcome(&broken), Outcome::Bad(..)), "a skipped record must be whole, too");
}
