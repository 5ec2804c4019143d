//! Every logical name of Kafka Connect and of Debezium's connectors: the column it becomes and the
//! value it has. `docs/types.md` says the same.

use crate::support::{Cell, payload, read, read_slowly, reader, schema, text, with_schema};
use alluvium_core::schema::ColumnKind;
use alluvium_testkit::said::Said;
use tracing::Level;

const LOCAL: ColumnKind = ColumnKind::Timestamp { utc: false };
const UTC: ColumnKind = ColumnKind::Timestamp { utc: true };

/// Literal type, logical name, a value as JsonConverter writes it, its column and its cell.
type Name = (&'static str, String, &'static str, ColumnKind, Cell);

fn names() -> Vec<Name> {
    [values(), texts()].concat()
}

/// Those that become something else than what is sent.
fn values() -> Vec<Name> {
    use ColumnKind::{Binary, Date, Duration, Int32, Time, Utf8};
    let connect = |literal, name: &str, json, kind, cell| {
        (literal, format!("org.apache.kafka.connect.data.{name}"), json, kind, cell)
    };
    let own = |literal, name: &str, json: &'static str, kind, cell| {
        (literal, format!("io.debezium.{name}"), json, kind, cell)
    };
    let int = |value| Cell::Int(value);
    let mut all = vec![
        connect("int32", "Date", "20513", Date, int(20_513)),
        connect("int32", "Time", "29730123", Time, int(29_730_123_000)),
        connect("int64", "Timestamp", "-1", LOCAL, int(-1_000)),
        own("int32", "time.Date", "-1", Date, int(-1)),
        own("int32", "time.Time", "1", Time, int(1_000)),
        own("int64", "time.MicroTime", "86399999999", Time, int(86_399_999_999)),
        own("int64", "time.NanoTime", "2000", Time, int(2)),
        own("int64", "time.Timestamp", "253402300799000", LOCAL, int(253_402_300_799_000_000)),
        own("int64", "time.MicroTimestamp", "-1", LOCAL, int(-1)),
        own("int64", "time.NanoTimestamp", "-3000", LOCAL, int(-3)),
        own("int64", "time.MicroDuration", "-2678400000000", Duration, int(-2_678_400_000_000)),
        own("int64", "time.NanoDuration", "1000", Duration, int(1)),
        own("int32", "time.Year", "2155", Int32, int(2_155)),
        own("string", "time.IsoDate", "\"9999-12-31Z\"", Date, int(2_932_896)),
        own("string", "time.IsoTime", "\"08:15:30.1Z\"", Time, int(29_730_100_000)),
        own("string", "time.IsoTimestamp", "\"1970-01-01T00:00:02Z\"", LOCAL, int(2_000_000)),
        own("string", "time.ZonedTimestamp", "\"1970-01-01T02:00:01+02:00\"", UTC, int(1_000_000)),
        own("bytes", "data.Bits", "\"gQE=\"", Binary, Cell::Bytes(vec![0x81, 1])),
        own(
            "struct",
            "data.VariableScaleDecimal",
            r#"{"scale":3,"value":"AeJA"}"#,
            Utf8,
            text("123.456"),
        ),
    ];
    for name in ["Geometry", "Geography"] {
        let wkb = Cell::Bytes(vec![1, 7, 0, 0, 0, 0, 0, 0, 0]);
        let json = r#"{"wkb":"AQcAAAAAAAAA","srid":null}"#;
        all.push(own("struct", &format!("data.geometry.{name}"), json, Binary, wkb));
    }
    let point = r#"{"x":0.0,"y":0.0,"wkb":"AQEAAAAAAAAAAAAAAAAAAAAAAAAA","srid":4326}"#;
    let ewkb = [&[1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0][..], &[0; 16]].concat();
    all.push(own("struct", "data.geometry.Point", point, Binary, Cell::Bytes(ewkb)));
    all
}

/// Those that are kept as they are sent.
fn texts() -> Vec<Name> {
    use ColumnKind::{Enum, Json, Utf8};
    let same = |literal, name: &str, json: &'static str, kind| {
        let sent = if literal == "string" { json.trim_matches('"') } else { json };
        (literal, format!("io.debezium.{name}"), json, kind, text(sent))
    };
    let mut all = Vec::new();
    for (name, json) in [
        ("time.ZonedTime", "\"08:15:30+01:00\""),
        ("time.Interval", "\"P1Y2M3DT4H5M6.78S\""),
        ("data.Uuid", "\"01a1fda8-2d32-704a-abe1-4221bb707c60\""),
        ("data.Xml", "\"<a>é</a>\""),
        ("data.Ltree", "\"Top.Science\""),
        ("data.Tsvector", "\"'fat':2 'rat':3\""),
    ] {
        all.push(same("string", name, json, Utf8));
    }
    all.push(same("string", "data.Json", "\"[1, 2.50]\"", Json));
    all.push(same("string", "data.Enum", "\"small\"", Enum));
    all.push(same("string", "data.EnumSet", "\"a,c d\"", Enum));
    for (literal, name, json) in [
        ("array", "data.FloatVector", "[1.5,-0.0]"),
        ("array", "data.DoubleVector", "[]"),
        ("struct", "data.SparseDoubleVector", r#"{"dimensions":5,"vector":[[1,0.5]]}"#),
        ("struct", "data.geometry.Circle", r#"{"center":{"x":1.0},"radius":2.0}"#),
        ("struct", "data.geometry.Line", r#"{"a":1.0,"b":2.0,"c":0.0}"#),
        ("struct", "time.StructuredDate", r#"{"year":2026,"month":3}"#),
        ("struct", "time.StructuredTime", r#"{"hour":8}"#),
        ("struct", "time.StructuredTimestamp", r#"{"special_value":"infinity"}"#),
        ("struct", "time.StructuredZonedTime", r#"{"offset_seconds":3600}"#),
        ("struct", "time.StructuredZonedTimestamp", r#"{"zone_id":"Europe/Vienna"}"#),
        ("struct", "time.StructuredDuration", r#"{"months":1}"#),
    ] {
        all.push(same(literal, name, json, Json));
    }
    all
}

/// The rows of the document's table: literal type, name, column.
fn documented() -> Vec<[String; 3]> {
    let text = include_str!("../../../docs/types.md");
    let (_, table) = text.split_once("<!-- names: begin -->").unwrap();
    let (table, _) = table.split_once("<!-- names: end -->").unwrap();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split(" | ").map(|c| c.trim().replace('`', ""));
        [(); 3].map(|()| cells.next().unwrap_or_default())
    };
    table.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

#[test]
fn the_document_says_the_same() {
    let said = documented();
    // Decimals have columns of several types: the first table and their own tests have them.
    let is_decimal = |row: &&[String; 3]| row[1] == "org.apache.kafka.connect.data.Decimal";
    assert_eq!(said.iter().filter(is_decimal).count(), 1);
    let said: Vec<_> = said.iter().filter(|row| !is_decimal(row)).cloned().collect();
    let known: Vec<_> = names()
        .into_iter()
        .map(|(literal, name, _, kind, _)| [literal.to_owned(), name, kind.to_string()])
        .collect();
    for row in &known {
        assert!(said.contains(row), "not in docs/types.md: {row:?}");
    }
    for row in &said {
        assert!(known.contains(row), "not tested: {row:?}");
    }
    assert_eq!(said.len(), known.len());
}

#[test]
fn every_name_is_read_the_fast_way_and_the_same_the_slow_way() {
    let (names, said) = (names(), Said::from(Level::WARN));
    for (literal, name, json, kind, cell) in &names {
        let field = format!(r#"{{"type":"{literal}","optional":true,"name":"{name}","version":1"#);
        let fields = schema(&[("c", &field)]);
        let mut reader = reader();
        for (json, cell) in [(*json, cell), ("null", &Cell::Null), (*json, cell)] {
            let value = with_schema(&fields, &payload("c", "null", &format!("{{\"c\":{json}}}")));
            let row = read(&mut reader, Some(value.as_bytes())).row();
            assert_eq!((row.kind("c"), &row.cells[0]), (Some(*kind), cell), "{name}");
            let slowly = read_slowly(&mut self::reader(), value.as_bytes()).row();
            assert_eq!(row, slowly, "{name}");
        }
        assert_eq!((reader.ways().fast, reader.ways().slow), (2, 1), "{name}");
        // A JSON value of another kind never passes.
        for wrong in ["true", if *literal == "string" { "7" } else { "\"é\"" }] {
            let value = with_schema(&fields, &payload("c", "null", &format!("{{\"c\":{wrong}}}")));
            let (field, message) = read(&mut reader, Some(value.as_bytes())).bad();
            assert_eq!(field, "after.c", "{name}");
            assert!(message.contains("should be"), "{name}: {message}");
        }
    }
    assert_eq!(said.with("unknown logical type"), [""; 0]);
    assert_eq!(names.len(), 42);
}
