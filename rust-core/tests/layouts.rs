//! What a row holds, end to end: captured Debezium records in, committed files out, read back by the
//! `parquet` crate's reader. Each layout, each choice of columns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use alluvium_core::clock::SystemClock;
use alluvium_core::config::Config;
use alluvium_core::frame::{self, Frame, RawRecord};
use alluvium_core::metrics::TaskMetrics;
use alluvium_core::partition::PathTemplate;
use alluvium_core::position::{TopicPartition, TpId};
use alluvium_core::recover::Identity;
use alluvium_core::store::{Lake, Location};
use alluvium_core::task::{Action, ErrantPolicy, MemoryBudget, Parts, SinkTask};
use alluvium_core::upload::UploadLimits;
use alluvium_testkit::MemoryStore;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TP: TpId = TpId(1);

/// Key and value of a record.
type Record = (Option<String>, Option<String>);

/// A table as a reader sees it.
struct Table {
    /// The files' keys below the table.
    paths: BTreeSet<String>,
    /// Names of all columns, those in structs with their path.
    columns: BTreeSet<String>,
    /// Rows by offset: what is not null, structs as such and value by value.
    rows: BTreeMap<i64, BTreeMap<String, String>>,
    /// Every byte of every file.
    bytes: Vec<u8>,
}

/// Records of a fixture.
fn fixture(name: &str) -> Vec<Record> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/debezium/");
    let lines = std::fs::read_to_string(format!("{folder}{name}.jsonl")).unwrap();
    let record = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| record[name].as_str().map(str::to_owned);
        (text("key"), text("value"))
    };
    lines.lines().map(record).collect()
}

fn config(keys: &[(&str, &str)], records: usize) -> Config {
    let mut all = BTreeMap::from([
        ("lake.url".to_owned(), "s3://bucket/lake/cdc".to_owned()),
        ("commit.max.records".to_owned(), records.to_string()),
        ("parquet.compression".to_owned(), "none".to_owned()),
    ]);
    all.extend(keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    Config::parse(&all, "layouts").expect("a good configuration")
}

/// Lays records down with these keys; `wanted` rows must come of them.
fn lay_down(keys: &[(&str, &str)], records: &[Record], wanted: usize) -> Table {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = MemoryStore::default();
    let config = Arc::new(config(keys, records.len()));
    let place = |prefix: &str| Location { store: Arc::new(store.clone()), prefix: prefix.into() };
    let parts = Parts {
        paths: PathTemplate::parse(&config.partition_path).unwrap(),
        share: MemoryBudget::new().join(config.memory_limit_bytes),
        identity: Arc::new(Identity {
            sink_id: config.sink_id.clone(),
            table_url: config.lake_url.clone(),
            ..Identity::default()
        }),
        lake: Lake { table: place("lake/cdc"), meta: place("lake/cdc.alluvium") },
        clock: Arc::new(SystemClock),
        metrics: Arc::new(TaskMetrics::default()),
        errant_policy: ErrantPolicy::Stop,
        uploads: UploadLimits {
            file_max_bytes: config.file_max_bytes,
            etags: true,
            held: Arc::default(),
            opaque_parts: false,
            copy: None,
        },
        config,
    };
    let mut task = SinkTask::start(parts, runtime.handle());
    task.open(vec![(TP, TopicPartition::new("orders", 0))]);
    let until = Instant::now() + Duration::from_secs(60);
    let resumed = |actions: Vec<Action>| actions.iter().any(|a| matches!(a, Action::Resume(_)));
    while !resumed(task.put(None).unwrap()) {
        std::thread::sleep(Duration::from_millis(1));
        assert!(Instant::now() < until, "the log is not opened");
    }
    task.put(Some(frame(records))).unwrap();
    let mut table = read(&store);
    while table.rows.len() < wanted {
        task.put(None).unwrap_or_else(|error| panic!("{error}"));
        std::thread::sleep(Duration::from_millis(2));
        assert!(Instant::now() < until, "{} rows are visible, not {wanted}", table.rows.len());
        table = read(&store);
    }
    runtime.block_on(task.shutdown());
    let table = read(&store);
    assert_eq!(table.rows.len(), wanted);
    table
}

fn frame(records: &[Record]) -> Frame {
    let mut bytes = Vec::new();
    for (offset, (key, value)) in (0..).zip(records) {
        let (key, value) = (key.as_deref().map(str::as_bytes), value.as_deref().map(str::as_bytes));
        let record =
            RawRecord { tp: TP, offset, timestamp_ms: Some(1_772_000_000_000), key, value };
        frame::append(&mut bytes, &record);
    }
    Frame { id: 1, bytes: bytes.into(), count: records.len() as u32 }
}

fn read(store: &MemoryStore) -> Table {
    let (paths, columns) = (BTreeSet::new(), BTreeSet::new());
    let mut table = Table { paths, columns, rows: BTreeMap::new(), bytes: Vec::new() };
    for key in store.keys() {
        let Some(path) = key.strip_prefix("lake/cdc/") else { continue };
        let bytes = store.object(&key).unwrap();
        table.paths.insert(path.to_owned());
        table.bytes.extend_from_slice(&bytes);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            for at in 0..batch.num_rows() {
                let mut row = BTreeMap::new();
                for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                    cells(field.name(), column, at, &mut row, &mut table.columns);
                }
                // Where a test leaves the offset out, rows are counted.
                let offset = row.get("_offset").map(|o| o.parse().unwrap());
                let offset = offset.unwrap_or(table.rows.len() as i64);
                assert!(table.rows.insert(offset, row).is_none(), "offset {offset} twice");
            }
        }
    }
    table
}

fn cells(
    name: &str,
    column: &ArrayRef,
    at: usize,
    row: &mut BTreeMap<String, String>,
    columns: &mut BTreeSet<String>,
) {
    columns.insert(name.to_owned());
    if let DataType::Struct(fields) = column.data_type() {
        if column.is_valid(at) {
            row.insert(name.to_owned(), "{}".to_owned());
        }
        for (field, child) in fields.iter().zip(column.as_struct().columns()) {
            cells(&format!("{name}.{}", field.name()), child, at, row, columns);
        }
    } else if column.is_valid(at) {
        let shown = match column.data_type() {
            // Arrow knows no names of zones here.
            DataType::Timestamp(..) => {
                let us = column.as_primitive::<TimestampMicrosecondType>().value(at);
                let time = chrono::DateTime::from_timestamp_micros(us).unwrap();
                time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
            }
            _ => array_value_to_string(column, at).unwrap(),
        };
        row.insert(name.to_owned(), shown);
    }
}

impl Table {
    /// A value; `-` for null.
    fn cell(&self, offset: i64, name: &str) -> &str {
        assert!(self.columns.contains(name), "no column {name} in {:?}", self.columns);
        self.rows[&offset].get(name).map_or("-", String::as_str)
    }

    fn cells<const N: usize>(&self, offset: i64, names: [&str; N]) -> [&str; N] {
        names.map(|name| self.cell(offset, name))
    }

    fn holds(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// The transactions of the fixture: three are read, one is inserted, updated, deleted (with its
/// tombstone, offset 6), one is inserted.
const FIXTURES: [&str; 2] = ["transactions.schemas", "transactions.plain"];

#[test]
fn flat_rows_have_the_old_row_beside_them() {
    for name in FIXTURES {
        let table = lay_down(&[("row.before", "struct")], &fixture(name), 7);
        let all = ["_op", "name", "_before", "_before.name", "_before.id"];
        assert_eq!(table.cells(0, all), ["r", "Ada Lovelace", "-", "-", "-"], "{name}");
        let text = "O'Neil; \"Tim\"";
        assert_eq!(table.cells(3, all), ["c", text, "-", "-", "-"]);
        assert_eq!(table.cells(4, all), ["u", text, "{}", text, "10"]);
        assert_eq!(table.cells(5, all), ["d", text, "{}", text, "10"]);
        assert_ne!(table.cell(4, "amount"), table.cell(4, "_before.amount"));
        assert_eq!(table.cell(5, "amount"), table.cell(5, "_before.amount"));
        let without = lay_down(&[], &fixture(name), 7);
        assert!(!without.columns.contains("_before"));
    }
}

#[test]
fn an_envelope_keeps_what_was_sent() {
    for name in FIXTURES {
        let table = lay_down(&[("row.layout", "envelope")], &fixture(name), 7);
        let images = ["op", "before", "before.name", "after", "after.name"];
        let text = "O'Neil; \"Tim\"";
        assert_eq!(table.cells(0, images), ["r", "-", "-", "{}", "Ada Lovelace"], "{name}");
        assert_eq!(table.cells(4, images), ["u", "{}", text, "{}", text]);
        assert_eq!(table.cells(5, images), ["d", "{}", text, "-", "-"]);
        let top: BTreeSet<_> = table.columns.iter().filter(|c| !c.contains('.')).cloned().collect();
        let expected = [
            "_event_time",
            "_offset",
            "_partition",
            "_topic",
            "after",
            "before",
            "op",
            "source",
            "transaction",
            "ts_ms",
            "ts_ns",
            "ts_us",
        ];
        assert_eq!(top, expected.map(str::to_owned).into());

        // Every field of source and transaction, against the record itself.
        for (offset, (_, value)) in (0..).zip(fixture(name)) {
            let Some(value) = value else { continue };
            let value: serde_json::Value = serde_json::from_str(&value).unwrap();
            let payload = if name.ends_with("schemas") { &value["payload"] } else { &value };
            let shown = |json: &serde_json::Value| match json {
                serde_json::Value::Null => "-".to_owned(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            for key in ["ts_ms", "ts_us", "ts_ns", "op"] {
                assert_eq!(table.cell(offset, key), shown(&payload[key]), "{key}");
            }
            for object in ["source", "transaction"] {
                let Some(fields) = payload[object].as_object() else { continue };
                assert_eq!(table.cell(offset, object), "{}");
                for (key, json) in fields {
                    let name = format!("{object}.{key}");
                    assert_eq!(table.cell(offset, &name), shown(json), "{name} at {offset}");
                }
            }
        }
        assert_eq!(table.cell(0, "transaction"), "-", "a snapshot has none");
    }
}

#[test]
fn a_tombstone_is_a_row_of_its_key_when_asked_for() {
    for name in FIXTURES {
        let keys = [("tombstones", "row"), ("row.before", "struct")];
        let table = lay_down(&keys, &fixture(name), 8);
        let all = ["id", "name", "_op", "_before", "_source_ts"];
        assert_eq!(table.cells(6, all), ["10", "-", "-", "-", "-"], "{name}");
        assert_eq!(table.cell(6, "_event_time"), "2026-02-25T06:13:20Z", "Kafka's own time");
        let keys = [("tombstones", "row"), ("row.layout", "envelope")];
        let table = lay_down(&keys, &fixture(name), 8);
        let all = ["op", "before.id", "before.name", "after", "source", "transaction"];
        assert_eq!(table.cells(6, all), ["-", "10", "-", "-", "-", "-"], "{name}");
    }
}

#[test]
fn tombstones_without_a_key_and_with_keys_that_are_none() {
    let tombstone = |key: Option<&str>| (key.map(str::to_owned), None);
    let two = r#"{"b":"x","a":7,"__dbz__physicalTableIdentifier":"shop.inventory.orders"}"#;
    let records = [tombstone(None), tombstone(Some("null")), tombstone(Some(two))];
    let table = lay_down(&[("tombstones", "row")], &records[..2], 2);
    assert!(!table.columns.contains("id"));
    let table = lay_down(&[("tombstones", "row")], &records[2..], 1);
    assert_eq!(table.cells(0, ["a", "b"]), ["7", "x"]);
    assert!(!table.columns.contains("__dbz__physicalTableIdentifier"), "no column of the table");
}

#[test]
fn a_change_of_the_primary_key_is_a_delete_and_a_create() {
    let records = fixture("orders.schemas");
    let table = lay_down(&[("row.before", "struct")], &records, 11);
    let all = ["_op", "id", "_before.id"];
    // Offset 6 has the header `__debezium.newkey`, 7 is its tombstone, 8 has `__debezium.oldkey`.
    assert_eq!(table.cells(6, all), ["d", "10", "10"]);
    assert!(!table.rows.contains_key(&7));
    assert_eq!(table.cells(8, all), ["c", "11", "-"]);
    let table = lay_down(&[("tombstones", "row")], &records, 13);
    assert_eq!(table.cells(7, ["_op", "id", "product"]), ["-", "10", "-"]);
}

/// Three rows of a snapshot, the same three again of an incremental one (from place 3 on), an
/// update, a change of the primary key (7 to 9), a truncate (10), an insert.
#[test]
fn each_operation_leaves_its_row() {
    for name in ["operations.schemas", "operations.plain"] {
        let records = fixture(name);
        let table = lay_down(&[("row.before", "struct")], &records, 11);
        let all = ["_op", "id", "_snapshot", "_before"];
        for place in [3, 4, 5] {
            let id = (place - 2).to_string();
            assert_eq!(table.cells(place, all), ["r", &*id, "incremental", "-"], "{name}");
        }
        assert_eq!(table.cells(6, ["_op", "weight", "_before.weight"]), ["u", "21", "20"]);
        assert_eq!(table.cells(7, ["_op", "id", "name"]), ["d", "3", "three"]);
        assert_eq!(table.cells(9, all), ["c", "30", "false", "-"]);
        assert_eq!(table.cells(10, all), ["t", "-", "false", "-"], "{name}: the table is empty");
        assert_ne!(table.cell(10, "_source_ts"), "-");
        assert_eq!(table.cells(11, all), ["c", "4", "false", "-"]);
        let table = lay_down(&[("row.layout", "envelope")], &records, 11);
        assert_eq!(table.cells(10, ["op", "before", "after", "source"]), ["t", "-", "-", "{}"]);
        assert_eq!(table.cell(10, "source.table"), "parcels");
    }
}

/// The topics that come with it, as a regex would catch them.
#[test]
fn notifications_leave_no_row_and_the_signal_table_is_a_table() {
    for kind in ["schemas", "plain"] {
        let mut records = fixture(&format!("operations_notifications.{kind}"));
        records.extend(fixture(&format!("operations_signals.{kind}")));
        let table = lay_down(&[], &records, 9);
        assert!(table.rows.values().all(|row| row["_op"] == "c"));
        assert!(table.rows.values().any(|row| row["type"] == "execute-snapshot"));
    }
}

#[test]
fn an_excluded_column_is_nowhere_and_may_still_place_the_row() {
    for layout in [&[("row.before", "struct")][..], &[("row.layout", "envelope")]] {
        let keys = [
            layout,
            &[
                ("column.exclude", "NAME,time*"),
                ("event.time", "after.timestamp"),
                ("columns.types", "timestamp:timestamptz"),
                ("partition.path", "{event_time:%Y-%m-%d}/id={col:id}"),
            ],
        ]
        .concat();
        for fixture_name in FIXTURES {
            let table = lay_down(&keys, &fixture(fixture_name), 7);
            for name in ["name", "timestamp"] {
                let is = |column: &String| match column.split_once('.') {
                    Some(("source", _)) => false,
                    Some((_, inner)) => inner == name,
                    None => column == name,
                };
                assert!(!table.columns.iter().any(is), "{:?}", table.columns);
            }
            assert!(!table.holds("Lovelace"));
            assert_eq!(table.cell(0, "_event_time"), "2026-03-01T08:00:00.000001Z");
            assert!(table.paths.iter().any(|path| path.starts_with("2026-03-02/id=11/")));
        }
    }
}

#[test]
fn only_included_columns_are_kept() {
    let keys = [("column.include", "id,a*"), ("column.exclude", "*x"), ("row.metadata", "_offset")];
    let table = lay_down(&keys, &fixture("transactions.schemas"), 7);
    let expected = ["_offset", "amount", "id"].map(str::to_owned);
    assert_eq!(table.columns, expected.into());
    let none = lay_down(&[("row.metadata", "none")], &fixture("transactions.schemas"), 7);
    assert_eq!(none.columns, ["amount", "id", "name", "timestamp"].map(str::to_owned).into());
}

#[test]
fn a_masked_column_shows_its_hash_and_nothing_else() {
    let secret = ("column.mask.hash.key", "0123456789abcdef");
    // printf %s 'Ada Lovelace' | openssl dgst -sha256 -hmac 0123456789abcdef
    let ada = "a9a6b5391a9c2dac8ca08be57194dc9bf4f304a21a0333ed4b4964fc1e37df82";
    for layout in [&[("row.before", "struct")][..], &[("row.layout", "envelope")]] {
        let keys = [
            layout,
            &[
                ("column.mask.hash", "name,amount,timestamp"),
                secret,
                ("event.time", "after.timestamp"),
                ("columns.types", "timestamp:timestamptz,amount:decimal_base64(18,2)"),
                ("partition.path", "{col:name}/{event_time:%Y-%m-%d}"),
                ("tombstones", "row"),
            ],
        ]
        .concat();
        let (row, old) = match layout[0].0 {
            "row.before" => ("", "_before."),
            _ => ("after.", "before."),
        };
        let mut amounts = BTreeSet::new();
        for fixture_name in FIXTURES {
            let table = lay_down(&keys, &fixture(fixture_name), 8);
            assert_eq!(table.cell(0, &format!("{row}name")), ada, "{fixture_name}");
            assert!(table.paths.iter().any(|path| path.starts_with(ada)), "{:?}", table.paths);
            assert!(table.paths.iter().all(|path| !path.contains("Ada")));
            assert_eq!(table.cell(0, "_event_time"), "2026-03-01T08:00:00.000001Z");
            let of =
                |prefix: &str, name: &str| table.cell(4, &format!("{prefix}{name}")).to_owned();
            assert_eq!(of(row, "name"), of(old, "name"), "equal values have equal hashes");
            assert_ne!(of(row, "amount"), of(old, "amount"));
            assert_eq!(of(row, "amount").len(), 64);
            amounts.insert(of(row, "amount"));
            for plain in ["Lovelace", "O'Neil", "0123456789abcdef"] {
                assert!(!table.holds(plain), "{plain}");
            }
        }
        assert_eq!(amounts.len(), 1, "with schema or without, the value is the same");
    }
}

/// What comes of a topic that should not have been taken.
#[test]
fn control_topics_leave_no_row_and_stop_nothing() {
    for name in ["schema_changes", "transaction_metadata"] {
        for kind in ["schemas", "plain"] {
            let mut records = fixture(&format!("{name}.{kind}"));
            records.extend(fixture(&format!("transactions.{kind}")));
            let table = lay_down(&[], &records, 7);
            assert_eq!(table.rows.values().filter(|row| row["_op"] == "r").count(), 3, "{name}");
        }
    }
}

/// Names that make trouble somewhere.
const NAMES: [&str; 10] =
    ["a.b", "a b", "größe", "Name", "name", "_op", "__op", "日本", "q\"uote", "_before"];

/// Updates of a table with such columns: the old row has the place of each name plus 100, the row
/// plus 200.
fn named_records() -> Vec<Record> {
    let image = |n: i64| {
        let member = |(at, name): (usize, &&str)| {
            let key = serde_json::to_string(name).unwrap();
            format!("{key}:{}", n * 100 + at as i64)
        };
        let members: Vec<String> = NAMES.iter().enumerate().map(member).collect();
        format!("{{{}}}", members.join(","))
    };
    let value = format!(
        r#"{{"before":{},"after":{},"source":{{"ts_ms":1,"db":"d","table":"t"}},"op":"u"}}"#,
        image(1),
        image(2)
    );
    vec![(None, Some(value)); 3]
}

#[test]
fn names_of_every_kind_are_kept() {
    let (names, records) = (NAMES, named_records());
    let table = lay_down(&[("row.before", "struct")], &records, 3);
    for (at, name) in names.iter().enumerate() {
        assert_eq!(table.cell(1, name), (200 + at).to_string(), "{name}");
        let old = format!("__before.{name}");
        assert_eq!(table.cell(1, &old), (100 + at).to_string(), "{old}");
    }
    assert_eq!(table.cells(1, ["___op", "_event_time"])[0], "u");
    let table = lay_down(&[("row.layout", "envelope")], &records, 3);
    for (at, name) in names.iter().enumerate() {
        assert_eq!(table.cell(1, &format!("after.{name}")), (200 + at).to_string(), "{name}");
    }
    assert_eq!(table.cell(1, "op"), "u");
}

/// Files for foreign readers, written on demand:
/// `cargo test -p alluvium-core --test layouts -- --ignored a_sample`, then read them from the
/// `tmp` folder of the target folder.
#[test]
#[ignore = "writes files for other readers to look at"]
fn a_sample_of_each_layout() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("layouts");
    std::fs::create_dir_all(&folder).unwrap();
    let (transactions, named) = (fixture("transactions.schemas"), named_records());
    let (before, envelope) = (("row.before", "struct"), ("row.layout", "envelope"));
    let samples = [
        ("before", before, &transactions, 7),
        ("envelope", envelope, &transactions, 7),
        ("names", before, &named, 3),
        ("names-envelope", envelope, &named, 3),
    ];
    for (name, key, records, wanted) in samples {
        let table = lay_down(&[key, ("partition.path", "x")], records, wanted);
        assert_eq!(table.paths.len(), 1, "one file");
        std::fs::write(folder.join(format!("{name}.parquet")), &table.bytes).unwrap();
    }
}
