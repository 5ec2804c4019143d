//! The types of PostgreSQL and SQL Server, as Debezium's own schema builders and value functions
//! make them (`tests/schema-builders`): column by column, two rows and one of nulls.

use crate::fixtures::{read_all, row_at};
use crate::support::{Cell, Outcome, reader, text};
use alluvium_core::schema::ColumnKind;

/// A column, what it becomes, and its cells in the two rows.
type Expected = (&'static str, ColumnKind, Cell, Cell);

const LOCAL: ColumnKind = ColumnKind::Timestamp { utc: false };
const UTC: ColumnKind = ColumnKind::Timestamp { utc: true };

fn decimal(precision: u8, scale: i8) -> ColumnKind {
    ColumnKind::Decimal { precision, scale }
}

fn texts(name: &'static str, kind: ColumnKind, usual: &str, extreme: &str) -> Expected {
    (name, kind, text(usual), text(extreme))
}

fn ints(name: &'static str, kind: ColumnKind, usual: i64, extreme: i64) -> Expected {
    (name, kind, Cell::Int(usual), Cell::Int(extreme))
}

fn bytes(name: &'static str, usual: &[u8], extreme: &[u8]) -> Expected {
    (name, ColumnKind::Binary, Cell::Bytes(usual.to_vec()), Cell::Bytes(extreme.to_vec()))
}

fn decimals(name: &'static str, kind: ColumnKind, usual: i128, extreme: i128) -> Expected {
    (name, kind, Cell::Decimal(usual), Cell::Decimal(extreme))
}

/// Reads a fixture, which must have exactly these columns.
fn assert_rows(fixture: &str, expected: Vec<Expected>) {
    let mut reader = reader();
    let outcomes = read_all(&mut reader, fixture);
    assert_eq!(reader.ways().fast, 2, "all rows but the first take the fast way");
    assert!(outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Row(_))));
    let [usual, extreme, nulls] = [0, 1, 2].map(|at| row_at(&outcomes, at));
    let names: Vec<_> = usual.schema.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for (name, kind, first, second) in &expected {
        assert_eq!((usual.kind(name), usual.cell(name)), (Some(*kind), first), "{name}");
        assert_eq!((extreme.kind(name), extreme.cell(name)), (Some(*kind), second), "{name}");
        assert_eq!(nulls.cell(name), &Cell::Null, "{name}");
    }
}

#[test]
fn every_type_of_postgresql() {
    use ColumnKind::{Date, Duration, Enum, Json, Time, Utf8};
    let variable = format!("-{}.{}", "7".repeat(2_000), "1".repeat(999));
    let huge = format!("{}.{}", "9".repeat(700), "8".repeat(300));
    let point =
        |x: f64, y: f64| [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat();
    let empty = [1, 7, 0, 0, 0, 0, 0, 0, 0];
    let empty_wgs84 = [1, 7, 0, 0, 0x20, 0xe6, 0x10, 0, 0, 0, 0, 0, 0];
    assert_rows(
        "postgres.builders",
        vec![
            decimals("c_money", decimal(38, 2), -123_450, 9_223_372_036_854_775_807),
            decimals("c_numeric_10_2", decimal(10, 2), -1, 9_999_999_999),
            decimals("c_numeric_3_5", decimal(5, 5), 999, -1),
            texts("c_numeric_2_minus_3", Utf8, "99000", "-1000"),
            texts("c_numeric_1000_300", Utf8, &format!("1.5{}", "0".repeat(299)), &huge),
            texts("c_numeric", Utf8, "123.4560", &variable),
            texts("c_interval", Utf8, "P1Y2M3DT4H5M6.78S", "P-178000000Y0M0DT0H0M0S"),
            ints("c_interval_us", Duration, 93_784_500_000, -86_400_000_000_001),
            ints("c_interval_ns", Duration, 5_000_006, -5_000_000),
            texts(
                "c_uuid",
                Utf8,
                "01a1fda8-2d32-704a-abe1-4221bb707c60",
                "00000000-0000-0000-0000-000000000000",
            ),
            texts("c_xml", Utf8, "<a b=\"c\">é</a>", ""),
            texts("c_jsonb", Json, "{\"a\": [1, 2.50]}", "null"),
            texts("c_ltree", Utf8, "Top.Science", ""),
            texts("c_tsvector", Utf8, "'fat':2 'rat':3", ""),
            texts("c_enum", Enum, "a", "b"),
            bytes("c_bit", &[1, 1], &[]),
            texts("c_timetz", Utf8, "08:15:30.5+01:00", "00:00:00-15:59"),
            ints("c_timestamptz", UTC, 1_772_352_930_123_456, -210_863_520_000_000_000),
            ints("c_timestamp", LOCAL, 1_772_352_930_123_456, -210_863_520_000_000_000),
            ints("c_time", Time, 1_000, 0),
            ints("c_date", Date, 20_513, 2_145_042_905),
            ints("c_isodate", Date, 20_513, -2_440_550),
            bytes("c_point", &point(1.5, -2.0), &point(1e300, 0.0)),
            bytes("c_geometry", &empty, &empty_wgs84),
            bytes("c_geography", &empty_wgs84, &empty),
            texts("c_vector", Json, "[1.0,-2.5,0.1]", "[]"),
            texts("c_halfvec", Json, "[1.0,-2.5]", "[3.4028235E38]"),
            texts(
                "c_sparsevec",
                Json,
                r#"{"dimensions":5,"vector":[[1,0.5],[3,-2.0]]}"#,
                r#"{"dimensions":2,"vector":[[2,1.0]]}"#,
            ),
            texts("c_int4_array", Json, "[1,null,-2147483648]", "[]"),
            texts("c_text_array", Json, r#"["a",null,"\"\n\uD83C\uDF6E"]"#, "[]"),
            texts("c_uuid_array", Json, r#"["01a1fda8-2d32-704a-abe1-4221bb707c60"]"#, "[]"),
            texts("c_hstore", Json, r#"{"key":"value"}"#, "{}"),
        ],
    );
}

#[test]
fn every_type_of_sql_server_with_its_default_settings() {
    use ColumnKind::{Boolean, Date, Float32, Float64, Int16, Int32, Int64, Time, Utf8};
    let float = |name, kind, usual: f64, extreme: f64| {
        (name, kind, Cell::Float(usual.to_bits()), Cell::Float(extreme.to_bits()))
    };
    assert_rows(
        "sqlserver.builders",
        vec![
            ("c_bit", Boolean, Cell::Bool(true), Cell::Bool(false)),
            ints("c_tinyint", Int16, 255, 0),
            ints("c_smallint", Int16, 32_767, -32_768),
            ints("c_int", Int32, 7, i32::MIN.into()),
            ints("c_bigint", Int64, 7, i64::MIN),
            float("c_real", Float32, 0.1f32.into(), f32::MIN.into()),
            float("c_float", Float64, 0.1, f64::MIN),
            decimals("c_decimal_38_10", decimal(38, 10), -1, 10i128.pow(38) - 1),
            decimals("c_money", decimal(19, 4), i64::MAX.into(), i64::MIN.into()),
            decimals("c_smallmoney", decimal(10, 4), i32::MAX.into(), i32::MIN.into()),
            texts("c_char", Utf8, "abc  ", ""),
            texts("c_nvarchar", Utf8, "世界 🍮", ""),
            bytes("c_varbinary", &[0, 0xff], &[]),
            texts("c_xml", Utf8, "<a/>", ""),
            ints("c_date", Date, 20_513, 2_932_896),
            ints("c_time_7", Time, 29_730_123_456, 0),
            ints("c_time_3", Time, 29_730_123_000, 86_399_999_000),
            ints("c_datetime", LOCAL, 1_772_352_930_123_000, 253_402_300_799_997_000),
            ints("c_datetime2_6", LOCAL, 1_772_352_930_123_456, -1),
            ints("c_datetime2_7", LOCAL, 1_772_352_930_123_456, -1),
            ints("c_datetimeoffset", UTC, 1_772_352_930_123_456, 253_402_257_600_000_000),
        ],
    );
}
