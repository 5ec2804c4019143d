//! What a file says of itself: metadata columns, types, encodings, footer.

use crate::cells::{Cell, KINDS, extremes};
use crate::files::{PLAIN, append, finish, open, read, schema, stamp, write};
use alluvium_core::envelope::{Op, Row, Source, Span, SpanSource};
use alluvium_core::schema::{Column, ColumnKind, TableSchema};
use arrow::array::TimestampMicrosecondArray;
use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use parquet::basic::{Encoding, LogicalType};
use parquet::file::metadata::ParquetMetaData;
use std::sync::Arc;

/// A row of which every metadata field has a value of its own.
fn full_row(memory: &str) -> Row {
    let span = |text: &str| {
        let start = memory.find(text).unwrap() as u32;
        Some(Span { source: SpanSource::Value, start, len: text.len() as u32 })
    };
    let source = Source {
        ts_us: Some(2_000_002),
        envelope_ts_us: Some(3),
        server_id: Some(4),
        gtid: span("GTID:5"),
        file: span("binlog.000006"),
        pos: Some(7),
        row: Some(8),
        snapshot: span("false"),
        db: None,
        table: None,
        tx_id: span("TX-9"),
    };
    Row { op: Some(Op::Delete), source, ..Row::default() }
}

#[test]
fn every_metadata_column_has_its_own_value_or_null() {
    const MEMORY: &str = "GTID:5|binlog.000006|false|TX-9";
    let mut file = open(&schema(&[]), &PLAIN);
    file.append(&full_row(MEMORY), MEMORY.as_bytes(), &stamp(10), None).unwrap();
    file.append(&Row::default(), b"", &stamp(11), None).unwrap();
    let (batch, _) = read(&finish(file, Vec::new()).0);

    let text = |value: &str| Arc::new(StringArray::from(vec![Some(value), None])) as ArrayRef;
    let int = |value: i64| Arc::new(Int64Array::from(vec![Some(value), None])) as ArrayRef;
    let time = |values: [Option<i64>; 2]| {
        let array = TimestampMicrosecondArray::from(values.to_vec());
        Arc::new(array.with_timezone("UTC")) as ArrayRef
    };
    let expected: [(&str, ArrayRef); 14] = [
        ("_op", text("d")),
        ("_event_time", time([Some(999_990), Some(999_989)])),
        ("_source_ts", time([Some(2_000_002), None])),
        ("_topic", Arc::new(StringArray::from(vec!["orders_cdc"; 2]))),
        ("_partition", Arc::new(Int32Array::from(vec![3; 2]))),
        ("_offset", Arc::new(Int64Array::from(vec![10, 11]))),
        ("_gtid", text("GTID:5")),
        ("_server_id", int(4)),
        ("_binlog_file", text("binlog.000006")),
        ("_binlog_seq", int(6)),
        ("_binlog_pos", int(7)),
        ("_binlog_row", int(8)),
        ("_tx_id", text("TX-9")),
        ("_snapshot", text("false")),
    ];
    assert_eq!(batch.num_columns(), expected.len());
    for (at, (name, array)) in expected.iter().enumerate() {
        assert_eq!(batch.schema().field(at).name(), name);
        assert_eq!(batch.column(at), array, "{name}");
    }
}

#[test]
fn a_table_column_of_the_same_name_keeps_it() {
    let column = |name: &str| Column { name: name.into(), kind: ColumnKind::Int64 };
    let table = TableSchema { columns: vec![column("_offset"), column("_OP"), column("a.b c")] };
    let rows = vec![vec![Cell::Int(-1), Cell::Int(-2), Cell::Int(-3)]; 2];
    let (batch, _) = read(&write(&Arc::new(table), &PLAIN, &rows));
    let ints = |batch: &RecordBatch, name: &str| -> Vec<i64> {
        let column = batch.column_by_name(name).unwrap();
        column.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec()
    };
    assert_eq!(ints(&batch, "_offset"), [-1, -1]);
    assert_eq!(ints(&batch, "__offset"), [0, 1]);
    assert_eq!(ints(&batch, "a.b c"), [-3, -3]);
    assert!(batch.column_by_name("__op").is_some() && batch.column_by_name("_op").is_none());
}

#[test]
fn the_footer_names_topic_partition_offsets_and_writer() {
    let mut file = open(&schema(&[ColumnKind::Int64]), &PLAIN);
    for offset in [5, 7, 100] {
        append(&mut file, offset, &[Cell::Int(offset)]).unwrap();
    }
    let (bytes, sealed) = finish(file, Vec::new());
    let stats = sealed.stats;
    assert_eq!((stats.rows, stats.first_offset, stats.last_offset), (3, 5, 100));
    assert_eq!((stats.min_event_time_us, stats.max_event_time_us), (999_900, 999_995));

    let (_, metadata) = read(&bytes);
    let footer = metadata.file_metadata();
    let pairs = footer.key_value_metadata().unwrap();
    let pairs: Vec<_> =
        pairs.iter().map(|kv| (kv.key.as_str(), kv.value.as_deref().unwrap())).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        pairs,
        [
            ("alluvium.topic", "orders_cdc"),
            ("alluvium.partition", "3"),
            ("alluvium.first_offset", "5"),
            ("alluvium.last_offset", "100"),
            ("alluvium.version", version),
        ]
    );
    assert_eq!(footer.created_by(), Some(&*format!("alluvium version {version}")));
}

fn encodings(metadata: &ParquetMetaData, name: &str) -> Vec<Encoding> {
    let columns = metadata.row_group(0).columns();
    let column = columns.iter().find(|c| c.column_path().string() == name).unwrap();
    column.encodings().collect()
}

#[test]
fn each_column_has_its_type_its_number_and_the_encoding_its_values_ask_for() {
    let kinds = [
        ColumnKind::Int64,
        ColumnKind::Utf8,
        ColumnKind::Utf8,
        ColumnKind::Utf8,
        ColumnKind::Enum,
        ColumnKind::Json,
        ColumnKind::Int32,
        ColumnKind::Decimal { precision: 10, scale: 2 },
        ColumnKind::Timestamp { utc: false },
    ];
    let text = |text: String| Cell::Bytes(text.into_bytes());
    let mix = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64);
    let rows: Vec<Vec<Cell>> = (0..3_000i64)
        .map(|n| {
            vec![
                Cell::Int(mix(n)),
                text(format!("{:x}", mix(n))),
                text(format!("3E11FA47-71CA-11E1:{n}")),
                text(["red", "green"][n as usize % 2].to_owned()),
                text(format!("{}", n % 1_500)),
                text(format!("{{\"n\":{}}}", mix(n))),
                Cell::Int(n % 10),
                Cell::Decimal((mix(n) % 1_000_000).into()),
                Cell::Int(n * 1_000_000),
            ]
        })
        .collect();
    let (_, metadata) = read(&write(&schema(&kinds), &PLAIN, &rows));
    let dictionary = ["c3", "c4", "c6", "_op", "_topic", "_partition"];
    for name in dictionary {
        assert!(encodings(&metadata, name).contains(&Encoding::RLE_DICTIONARY), "{name}");
    }
    let delta = ["c0", "c7", "c8", "_offset", "_event_time"];
    for name in delta {
        assert!(encodings(&metadata, name).contains(&Encoding::DELTA_BINARY_PACKED), "{name}");
    }
    for name in ["_gtid", "_snapshot", "_binlog_seq"] {
        // Nulls alone: no dictionary that some reader may stumble over.
        assert!(!encodings(&metadata, name).contains(&Encoding::RLE_DICTIONARY), "{name}");
    }
    assert!(encodings(&metadata, "c2").contains(&Encoding::DELTA_BYTE_ARRAY));
    for name in ["c1", "c5"] {
        assert!(!encodings(&metadata, name).contains(&Encoding::RLE_DICTIONARY), "{name}");
    }

    let schema = metadata.file_metadata().schema_descr();
    let ids: Vec<_> =
        schema.columns().iter().map(|c| c.self_type().get_basic_info().id()).collect();
    // Ours are far away: a column that the table gets later takes none of them.
    let expected: Vec<i32> = (1..=kinds.len() as i32).chain(2_000_001..=2_000_014).collect();
    assert_eq!(ids, expected);
    assert_eq!(schema.column(5).logical_type_ref(), Some(&LogicalType::Json));
    assert_eq!(schema.column(1).logical_type_ref(), Some(&LogicalType::String));
    for column in metadata.row_group(0).columns() {
        assert!(column.statistics().is_some(), "{}", column.column_path());
    }
}

#[test]
fn rows_of_megabytes_close_their_row_group_by_size() {
    let kinds = [ColumnKind::Binary];
    let noise = |seed: u64| {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        Cell::Bytes((0..1 << 20).map(|_| next()).collect())
    };
    let rows: Vec<Vec<Cell>> = (0..80).map(|n| vec![noise(n)]).collect();
    let (batch, metadata) = read(&write(&schema(&kinds), &PLAIN, &rows));
    assert_eq!(batch.num_rows(), 80);
    assert!(metadata.num_row_groups() >= 2, "{} row groups", metadata.num_row_groups());
}

#[test]
fn statistics_tell_the_bounds_and_the_nulls() {
    let rows: Vec<Vec<Cell>> = (0..8)
        .map(|n| {
            let cell = |kind: &ColumnKind| {
                let all = [extremes(*kind), vec![Cell::Null]].concat();
                all[n % all.len()].clone()
            };
            KINDS.iter().map(cell).collect()
        })
        .collect();
    let (_, metadata) = read(&write(&schema(&KINDS), &PLAIN, &rows));
    let bounds = |at: usize| {
        let statistics = metadata.row_group(0).column(at).statistics().unwrap();
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        (owned(statistics.min_bytes_opt()), owned(statistics.max_bytes_opt()))
    };
    let pair = |least: &[u8], greatest: &[u8]| (Some(least.to_vec()), Some(greatest.to_vec()));
    assert_eq!(bounds(0), pair(&[0], &[1]), "booleans");
    assert_eq!(bounds(1), pair(&(-32_768i32).to_le_bytes(), &32_767i32.to_le_bytes()));
    assert_eq!(bounds(3), pair(&i64::MIN.to_le_bytes(), &i64::MAX.to_le_bytes()));
    assert_eq!(bounds(4), pair(&f32::MIN.to_le_bytes(), &f32::INFINITY.to_le_bytes()));
    let digits = 10i128.pow(38) - 1;
    assert_eq!(bounds(8), pair(&(-digits).to_be_bytes(), &digits.to_be_bytes()), "decimals");
    let (least, greatest) = bounds(10);
    assert_eq!(least.unwrap(), b"", "texts");
    assert_eq!(greatest.unwrap(), "日本語 \u{1F600}".as_bytes());
    for (at, column) in metadata.row_group(0).columns().iter().enumerate() {
        let nulls = column.statistics().unwrap().null_count_opt().unwrap() as usize;
        let expected = match at < KINDS.len() {
            true => rows.iter().filter(|row| row[at] == Cell::Null).count(),
            false => nulls,
        };
        assert_eq!(nulls, expected, "{}", column.column_path());
    }
}
