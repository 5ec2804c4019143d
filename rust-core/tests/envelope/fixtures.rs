//! Events as the running Debezium wrote them (`tests/fixtures/debezium`).

use crate::support::{Cell, Outcome, Read, read, read_slowly, reader, text};
use alluvium_core::envelope::{EnvelopeReader, Op};
use alluvium_core::schema::{ColumnKind, TableSchema};
use serde_json::Value;

/// The values of a fixture, with their offsets.
fn values(name: &str) -> Vec<(i64, Option<String>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/debezium/");
    let lines = std::fs::read_to_string(format!("{folder}{name}.jsonl")).unwrap();
    let record = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        (record["offset"].as_i64().unwrap(), record["value"].as_str().map(str::to_owned))
    };
    let values: Vec<_> = lines.lines().map(record).collect();
    assert!(!values.is_empty(), "{name} is empty");
    values
}

/// Reads a fixture twice: each record must come out the same by either way. Gives the outcomes.
pub(crate) fn read_all(reader: &mut EnvelopeReader, name: &str) -> Vec<(i64, Outcome)> {
    let mut slow = self::reader();
    let one = |(offset, value): (i64, Option<String>)| {
        let bytes = value.as_deref().map(str::as_bytes);
        let outcome = read(reader, bytes);
        if let Some(value) = bytes {
            assert_eq!(outcome, read_slowly(&mut slow, value), "{name}, offset {offset}");
        }
        (offset, outcome)
    };
    values(name).into_iter().map(one).collect()
}

/// The row whose column has this text.
fn labelled<'o>(outcomes: &'o [(i64, Outcome)], column: &str, label: &str) -> &'o Read {
    let is = |(_, outcome): &'o (i64, Outcome)| match outcome {
        Outcome::Row(row) if *row.cell(column) == text(label) => Some(&**row),
        _ => None,
    };
    outcomes.iter().find_map(is).unwrap_or_else(|| panic!("no row {label}"))
}

/// The row at an offset.
pub(crate) fn row_at(outcomes: &[(i64, Outcome)], offset: i64) -> &Read {
    let row = outcomes.iter().find_map(|(at, outcome)| match outcome {
        Outcome::Row(row) if *at == offset => Some(&**row),
        _ => None,
    });
    row.unwrap_or_else(|| panic!("no row at {offset}"))
}

#[test]
fn every_mysql_type_arrives_typed() {
    let outcomes = read_all(&mut reader(), "basic_types.schemas");
    let row = labelled(&outcomes, "label", "usual");
    assert_eq!(row.op, Op::Read);
    let decimal = |precision, scale| ColumnKind::Decimal { precision, scale };
    let local = ColumnKind::Timestamp { utc: false };
    let utc = ColumnKind::Timestamp { utc: true };
    let float = |value: f64| Cell::Float(value.to_bits());
    let local_us = 1_772_352_930_000_000;
    let expected = [
        ("id", ColumnKind::Int32, Cell::Int(1)),
        ("c_bool", ColumnKind::Int16, Cell::Int(1)),
        ("c_tinyint", ColumnKind::Int16, Cell::Int(-12)),
        ("c_smallint_u", ColumnKind::Int32, Cell::Int(1234)),
        ("c_int_u", ColumnKind::Int64, Cell::Int(12_345_678)),
        ("c_bigint", ColumnKind::Int64, Cell::Int(-1_234_567_890_123)),
        ("c_dec_1_0", decimal(1, 0), Cell::Decimal(5)),
        ("c_dec_10_2", decimal(10, 2), Cell::Decimal(1_234_567)),
        ("c_dec_38_10", decimal(38, 10), Cell::Decimal(12_345_678_900_123_456_789)),
        ("c_float", ColumnKind::Float32, float(1.5)),
        ("c_double", ColumnKind::Float64, float(2.25)),
        ("c_varchar", ColumnKind::Utf8, text("Grüße, 世界 🍮")),
        ("c_text", ColumnKind::Utf8, text("a \"quoted\" \\ back\\slash\nnew line\ttab")),
        ("c_latin1", ColumnKind::Utf8, text("café")),
        ("c_binary", ColumnKind::Binary, Cell::Bytes(vec![0, 0xff, 0x7f, 0x80])),
        ("c_bit1", ColumnKind::Boolean, Cell::Bool(true)),
        ("c_bit64", ColumnKind::Binary, Cell::Bytes(vec![1, 0, 0, 0, 0, 0, 0, 0x80])),
        ("c_date", ColumnKind::Date, Cell::Int(20_513)),
        ("c_time6", ColumnKind::Time, Cell::Int(29_730_123_456)),
        ("c_datetime", local, Cell::Int(local_us)),
        ("c_datetime1", local, Cell::Int(local_us + 100_000)),
        ("c_datetime4", local, Cell::Int(local_us + 123_400)),
        ("c_datetime6", local, Cell::Int(local_us + 123_456)),
        ("c_timestamp", utc, Cell::Int(local_us)),
        ("c_timestamp6", utc, Cell::Int(local_us + 123_456)),
        ("c_year", ColumnKind::Int32, Cell::Int(2026)),
        ("c_json", ColumnKind::Json, text(r#"{"a": [1, 2.5, null, true], "b": {"c": "é\""}}"#)),
        ("c_enum", ColumnKind::Enum, text("with,comma")),
        ("c_set", ColumnKind::Enum, text("a,c d")),
        ("c_default", ColumnKind::Utf8, text("set")),
    ];
    for (column, kind, cell) in expected {
        assert_eq!((row.kind(column), row.cell(column)), (Some(kind), &cell), "{column}");
    }
    // No decimal column that every reader reads has 65 digits.
    for (column, exact) in [
        ("c_dec_65_0", "12345678901234567890"),
        ("c_dec_65_30", "1.500000000000000000000000000000"),
    ] {
        let expected = (Some(ColumnKind::Utf8), &text(exact));
        assert_eq!((row.kind(column), row.cell(column)), expected, "{column}");
    }
}

#[test]
fn nulls_edges_and_defaults_are_as_sent() {
    let outcomes = read_all(&mut reader(), "basic_types.schemas");
    let nulls = labelled(&outcomes, "label", "nulls");
    let set: Vec<_> = nulls.schema.columns.iter().zip(&nulls.cells).collect();
    let set = set.iter().filter(|(_, cell)| **cell != Cell::Null).map(|(c, _)| &*c.name);
    assert_eq!(set.collect::<Vec<_>>(), ["id", "label", "c_not_null", "c_default"]);

    let edges = labelled(&outcomes, "label", "zero dates");
    assert_eq!(edges.cell("c_date"), &Cell::Null);
    let deleted = outcomes.iter().find_map(|(_, outcome)| match outcome {
        Outcome::Row(row) if row.op == Op::Delete => Some(row),
        _ => None,
    });
    assert_eq!(deleted.map(|row| row.cell("label")), Some(&text("nulls")));
    assert_eq!(outcomes.last().map(|(_, outcome)| outcome), Some(&Outcome::Tombstone));
}

#[test]
fn a_time_that_is_no_time_of_day_is_bad_and_named() {
    for fixture in ["basic_types.schemas"] {
        let outcomes = read_all(&mut reader(), fixture);
        let bad: Vec<_> = outcomes
            .iter()
            .filter_map(|(_, outcome)| match outcome {
                Outcome::Bad(field, message) => Some((field.clone(), message.clone())),
                _ => None,
            })
            .collect();
        // '838:59:59', '-838:59:59' and '-00:00:01'.
        assert_eq!(bad.len(), 3, "{bad:?}");
        for (field, message) in bad {
            assert_eq!(field.as_deref(), Some("after.c_time"));
            assert!(message.contains("a time of day lies in"), "{message}");
        }
    }
}

#[test]
fn a_wide_decimal_is_the_same_text_in_either_mode() {
    let cells = |fixture: &str, columns: [&str; 2]| -> Vec<Cell> {
        let outcomes = read_all(&mut reader(), fixture);
        let labels = ["usual", "edges"];
        let rows = labels.map(|label| labelled(&outcomes, "label", label));
        columns.iter().flat_map(|column| rows.map(|row| row.cell(column).clone())).collect()
    };
    let columns = ["c_dec_65_0", "c_dec_65_30"];
    // 'edges' has a TIME below zero, which the default mode sends and no column holds.
    let string = cells("basic_types.modes", columns);
    let precise = read_all(&mut reader(), "basic_types.schemas");
    let usual = labelled(&precise, "label", "usual");
    assert_eq!([&string[0], &string[2]], columns.map(|column| usual.cell(column)));
    assert_eq!(string[3], text("0.000000000000000000000000000001"));
}

#[test]
fn where_an_event_comes_from_is_kept() {
    let outcomes = read_all(&mut reader(), "transactions.schemas");
    let first = labelled(&outcomes, "name", "Ada Lovelace");
    assert_eq!(first.from.ts_us, Some(1_000_000 * (first.from.ts_us.unwrap() / 1_000_000)));
    let all: Vec<_> = outcomes
        .iter()
        .filter_map(|(_, outcome)| match outcome {
            Outcome::Row(row) => Some(row),
            _ => None,
        })
        .collect();
    for row in &all {
        assert_eq!(row.from.db.as_deref(), Some("inventory"));
        assert_eq!(row.from.table.as_deref(), Some("transactions"));
        assert_eq!(row.from.file.as_deref(), Some("binlog.000001"));
        assert!(row.from.envelope_ts_us > row.from.ts_us);
        let live = row.op != Op::Read;
        assert_eq!(row.from.tx_id.is_some(), live, "{row:?}");
        assert_eq!(row.from.tx_id, row.from.gtid);
        assert_eq!(row.from.snapshot.as_deref() == Some("false"), live);
    }
    let ops: String = all.iter().map(|row| row.op.letter()).collect();
    assert_eq!(ops, "rrrcudc");
}

#[test]
fn control_records_are_skipped_by_name() {
    for ending in ["plain", "schemas"] {
        for (fixture, reason) in
            [("schema_changes", "schema_change"), ("transaction_metadata", "transaction_metadata")]
        {
            for (offset, outcome) in read_all(&mut reader(), &format!("{fixture}.{ending}")) {
                assert_eq!(outcome, Outcome::Skip(reason), "{fixture}.{ending} {offset}");
            }
        }
    }
}

#[test]
fn records_without_schema_give_what_json_shows() {
    let outcomes = read_all(&mut reader(), "basic_types.plain");
    let row = labelled(&outcomes, "label", "usual");
    for (column, kind) in [
        ("id", ColumnKind::Int64),
        ("c_bit1", ColumnKind::Boolean),
        ("c_double", ColumnKind::Float64),
        ("c_dec_10_2", ColumnKind::Utf8),
        ("c_date", ColumnKind::Int64),
    ] {
        assert_eq!(row.kind(column), Some(kind), "{column}");
    }
    assert!(outcomes.iter().all(|(_, outcome)| !matches!(outcome, Outcome::Bad(..))));
}

#[test]
fn declared_types_give_the_same_rows_without_schema() {
    let types = [
        ("id", "int"),
        ("customer_id", "int"),
        ("quantity", "int"),
        ("status", "enum"),
        ("price", "decimal_base64(10,2)"),
        ("created_at", "timestamp_us"),
        ("updated_at", "timestamptz"),
        ("note", "text"),
    ];
    let types = types.map(|(column, name)| (column.to_owned(), name.to_owned()));
    let mut declared = EnvelopeReader::new(&types).unwrap();
    let rows = |reader: &mut EnvelopeReader, fixture: &str| -> Vec<(Vec<Cell>, TableSchema)> {
        let all = values(fixture).into_iter();
        let all = all.map(|(_, value)| read(reader, value.as_deref().map(str::as_bytes)));
        let row = |outcome| match outcome {
            Outcome::Row(row) if row.op == Op::Read => Some((row.cells, row.schema)),
            _ => None,
        };
        all.filter_map(row).collect()
    };
    let (with, without) =
        (rows(&mut reader(), "orders.schemas"), rows(&mut declared, "orders.plain"));
    assert!(with.len() >= 4, "snapshot rows: {}", with.len());
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with.0, without.0);
        // The key is a BIGINT in the table; declared as int it fits all the same.
        assert_eq!(with.1.columns[1..], without.1.columns[1..]);
    }
}

#[test]
fn nearly_all_rows_take_the_fast_way() {
    for fixture in ["basic_types", "orders", "transactions"] {
        for ending in ["schemas", "plain"] {
            let mut reader = reader();
            let name = format!("{fixture}.{ending}");
            read_all(&mut reader, &name);
            // Plans are known now, as they are after the first second of a topic-partition.
            let before = reader.ways();
            let mut rows = 0;
            for (_, value) in values(&name) {
                let outcome = read(&mut reader, value.as_deref().map(str::as_bytes));
                rows += u64::from(matches!(outcome, Outcome::Row(_)));
            }
            let after = reader.ways();
            let fast = after.fast - before.fast;
            assert!(rows > 0 && fast * 100 >= rows * 95, "{name}: {fast} of {rows} rows");
        }
    }
}
