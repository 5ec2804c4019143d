//! What the tests of the room share: outcomes that can be compared, and events to be read.

use alluvium_core::envelope::{Definitions, EnvelopeReader, Op, Parsed, Row, Slot, Span};
use alluvium_core::error::{Error, Kind};
use alluvium_core::frame::RawRecord;
use alluvium_core::position::TpId;
use alluvium_core::schema::{ColumnKind, TableSchema};
use proptest::prelude::ProptestConfig;

/// A slot with its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    /// Compared by bits: NaN is itself, and zero has a sign.
    Float(u64),
    Decimal(i128),
    Bytes(Vec<u8>),
}

/// The row's source with its bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct From {
    pub(crate) ts_us: Option<i64>,
    pub(crate) envelope_ts_us: Option<i64>,
    pub(crate) server_id: Option<i64>,
    pub(crate) pos: Option<i64>,
    pub(crate) row: Option<i64>,
    pub(crate) gtid: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) snapshot: Option<String>,
    pub(crate) db: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) tx_id: Option<String>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Row(Box<Read>),
    Tombstone,
    Skip(&'static str),
    /// A bad record; which field, if it is one's fault.
    Bad(Option<String>, String),
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Read {
    pub(crate) schema: TableSchema,
    pub(crate) op: Op,
    pub(crate) cells: Vec<Cell>,
    /// The old row, where it is kept.
    pub(crate) before: Option<Vec<Cell>>,
    /// The details, where they are kept.
    pub(crate) details: Vec<Cell>,
    pub(crate) from: From,
}

impl Read {
    /// The cell of a column.
    pub(crate) fn cell(&self, name: &str) -> &Cell {
        let at = self.schema.columns.iter().position(|c| &*c.name == name);
        &self.cells[at.unwrap_or_else(|| panic!("no column {name}"))]
    }

    /// The type of a column, if there is one.
    pub(crate) fn kind(&self, name: &str) -> Option<ColumnKind> {
        self.schema.columns.iter().find(|c| &*c.name == name).map(|c| c.kind)
    }
}

impl Outcome {
    /// The row it must be.
    pub(crate) fn row(self) -> Read {
        match self {
            Outcome::Row(row) => *row,
            other => panic!("no row: {other:?}"),
        }
    }

    /// Without the message: serde's names the column of the text, and the two ways read texts of
    /// different length.
    pub(crate) fn quiet(self) -> Self {
        match self {
            Outcome::Bad(field, _) => Outcome::Bad(field, String::new()),
            other => other,
        }
    }

    /// The field and the message of the bad record it must be.
    pub(crate) fn bad(self) -> (String, String) {
        match self {
            Outcome::Bad(field, message) => (field.unwrap_or_default(), message),
            other => panic!("not bad: {other:?}"),
        }
    }
}

/// At least so many cases, more if the environment says so (PROPTEST_CASES).
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(cases), failure_persistence: None, ..default }
}

/// A reader without declared types.
pub(crate) fn reader() -> EnvelopeReader {
    EnvelopeReader::new(&[]).unwrap()
}

/// A reader that keeps the old row and the details, or does not.
pub(crate) fn keeping(all: bool) -> EnvelopeReader {
    reader().keeping_before(all).keeping_details(all)
}

/// Reads one value.
pub(crate) fn read(reader: &mut EnvelopeReader, value: Option<&[u8]>) -> Outcome {
    let record = RawRecord { tp: TpId(1), offset: 7, timestamp_ms: Some(8), key: None, value };
    match read_any(reader, &Definitions::default(), &record) {
        (outcome, true) => outcome,
        (outcome, false) => panic!("a row has its op: {outcome:?}"),
    }
}

/// Reads a record of a frame with these schemas; gives whether anything says what a row's event did
/// (its op is of no meaning if not).
pub(crate) fn read_any(
    reader: &mut EnvelopeReader,
    frame: &Definitions,
    record: &RawRecord<'_>,
) -> (Outcome, bool) {
    let mut row = Row::default();
    let schema = match reader.read_in(frame, record, &mut row) {
        Ok(Parsed::Row(schema)) => (**schema).clone(),
        Ok(Parsed::Tombstone) => return (Outcome::Tombstone, true),
        Ok(Parsed::Skip(reason)) => return (Outcome::Skip(reason), true),
        Err(error) => return (bad(&error), true),
    };
    let value = record.value.unwrap_or_default();
    assert_eq!(row.slots.len(), schema.columns.len(), "one slot a column");
    let image = |slots: &[Slot]| slots.iter().map(|slot| cell(*slot, &row, value)).collect();
    let cells = image(&row.slots);
    let before = row.has_before.then(|| image(&row.before));
    let details = image(&row.details);
    let slots = if row.has_before { schema.columns.len() } else { 0 };
    assert_eq!(row.before.len(), slots, "one slot a column of the old row");
    let text = |span: Option<Span>| {
        span.map(|s| String::from_utf8(row.bytes(s, value).to_vec()).expect("text is UTF-8"))
    };
    let from = From {
        ts_us: row.source.ts_us,
        envelope_ts_us: row.source.envelope_ts_us,
        server_id: row.source.server_id,
        pos: row.source.pos,
        row: row.source.row,
        gtid: text(row.source.gtid),
        file: text(row.source.file),
        snapshot: text(row.source.snapshot),
        db: text(row.source.db),
        table: text(row.source.table),
        tx_id: text(row.source.tx_id),
    };
    let (op, said) = (row.op.unwrap_or(Op::Message), row.op.is_some());
    (Outcome::Row(Box::new(Read { schema, op, cells, before, details, from })), said)
}

/// Reads the same value by the slow way: the walker takes no white space
/// behind it.
pub(crate) fn read_slowly(reader: &mut EnvelopeReader, value: &[u8]) -> Outcome {
    let before = reader.ways().fast;
    let outcome = read(reader, Some(&[value, b" "].concat()));
    assert_eq!(reader.ways().fast, before, "white space must be read the slow way");
    outcome
}

fn bad(error: &Error) -> Outcome {
    assert_eq!(error.kind(), Kind::BadRecord, "{error}");
    Outcome::Bad(error.context("field").map(str::to_owned), error.message().to_owned())
}

fn cell(slot: Slot, row: &Row, value: &[u8]) -> Cell {
    match slot {
        Slot::Null => Cell::Null,
        Slot::Bool(value) => Cell::Bool(value),
        Slot::Int(value) => Cell::Int(value),
        Slot::Float(value) => Cell::Float(value.to_bits()),
        Slot::Decimal(value) => Cell::Decimal(value),
        Slot::Bytes(span) => Cell::Bytes(row.bytes(span, value).to_vec()),
    }
}

/// A text cell.
pub(crate) fn text(text: &str) -> Cell {
    Cell::Bytes(text.as_bytes().to_vec())
}

/// `source` as Debezium's MySQL connector writes it.
pub(crate) const SOURCE: &str = r#"{"version":"3.6.1.Final","connector":"mysql","name":"shop","ts_ms":1772352930123,"snapshot":"false","db":"inventory","sequence":null,"ts_us":1772352930123456,"ts_ns":1772352930123456000,"table":"orders","server_id":1,"gtid":"c5fc10bb-e590-11f1-b2cd-02fc00000001:12","file":"binlog.000001","pos":6918,"row":2,"thread":20,"query":null}"#;

/// A payload with these row images.
pub(crate) fn payload(op: &str, before: &str, after: &str) -> String {
    format!(
        r#"{{"before":{before},"after":{after},"source":{SOURCE},"transaction":null,"op":"{op}","ts_ms":1772352930200,"ts_us":1772352930200300,"ts_ns":1772352930200300400}}"#
    )
}

/// The Connect schema of an envelope whose row has these fields, each a JSON object less its
/// closing brace: `{"type":"int32","optional":false`, by name.
pub(crate) fn schema(fields: &[(&str, &str)]) -> String {
    let string = |text: &str| serde_json::to_string(text).unwrap();
    let field = |(name, json): &(&str, &str)| format!(r#"{json},"field":{}}}"#, string(name));
    let row = fields.iter().map(field).collect::<Vec<_>>().join(",");
    let image = |name: &str| {
        format!(
            r#"{{"type":"struct","fields":[{row}],"optional":true,"name":"shop.inventory.orders.Value","field":"{name}"}}"#
        )
    };
    let plain = |literal: &str, names: &[&str]| -> String {
        let one = |n: &&str| format!(r#"{{"type":"{literal}","optional":true,"field":"{n}"}}"#);
        names.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let source = [
        plain("string", &["version", "connector", "name"]),
        plain("int64", &["ts_ms"]),
        plain("string", &["snapshot", "db", "sequence"]),
        plain("int64", &["ts_us", "ts_ns"]),
        plain("string", &["table"]),
        plain("int64", &["server_id"]),
        plain("string", &["gtid", "file"]),
        plain("int64", &["pos", "row", "thread"]),
        plain("string", &["query"]),
    ]
    .join(",");
    let transaction = [plain("string", &["id"]), plain("int64", &["total_order"])].join(",");
    format!(
        r#"{{"type":"struct","fields":[{},{},{{"type":"struct","fields":[{source}],"optional":false,"name":"io.debezium.connector.mysql.Source","field":"source"}},{{"type":"struct","fields":[{transaction}],"optional":true,"name":"event.block","version":1,"field":"transaction"}},{},{}],"optional":false,"name":"shop.inventory.orders.Envelope","version":2}}"#,
        image("before"),
        image("after"),
        plain("string", &["op"]),
        plain("int64", &["ts_ms", "ts_us", "ts_ns"]),
    )
}

/// A value with its schema.
pub(crate) fn with_schema(schema: &str, payload: &str) -> String {
    format!(r#"{{"schema":{schema},"payload":{payload}}}"#)
}
