//! The columns of a data file: those of the table, then the `_` columns, then the old row; or the
//! structs of an envelope, what stands beside them, then the `_` columns.
//!
//! Each has a number that stays its own in all files of the table (`PARQUET:field_id`), however
//! many columns the table gets: a range each for the table's, those of the old row, and ours.

use super::envelope::{EnvelopeFields, HEADS, SOURCE, TRANSACTION, listed};
use super::metadata::METADATA;
use crate::config::RowsConfig;
use crate::schema::{Column, TableSchema};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The columns of the data files of one schema; made once per schema, shared by its files.
#[derive(Debug)]
pub struct FileLayout {
    table: Arc<TableSchema>,
    columns: Vec<Column>,
    arrow: SchemaRef,
    metadata: [bool; METADATA.len()],
    before: Option<Fields>,
    envelope: Option<EnvelopeFields>,
}

/// Numbers of the table's columns begin here,
const TABLE_IDS: i32 = 1;
/// those of the same columns in the old row here,
const OLD_IDS: i32 = 1_000_001;
/// and ours here: the `_` columns by their place, then the structs and what is in them.
const OUR_IDS: i32 = 2_000_001;
const BEFORE_ID: i32 = OUR_IDS + 1_000;
const AFTER_ID: i32 = OUR_IDS + 1_001;
const SOURCE_ID: i32 = OUR_IDS + 1_002;
const TRANSACTION_ID: i32 = OUR_IDS + 1_003;
const HEAD_IDS: i32 = OUR_IDS + 1_100;
const SOURCE_IDS: i32 = OUR_IDS + 1_200;
const TRANSACTION_IDS: i32 = OUR_IDS + 1_300;

/// A layout in the making.
#[derive(Debug, Default)]
struct Draft {
    columns: Vec<Column>,
    fields: Vec<Field>,
    /// Names that are taken, in lower case.
    taken: HashSet<String>,
}

impl FileLayout {
    /// The layout of rows as they are unless configured otherwise.
    pub fn new(table: Arc<TableSchema>) -> Self {
        Self::of(table, &RowsConfig::default())
    }

    /// Lays out the columns of a table's files.
    ///
    /// A `_` column whose name a table column has takes one more leading underscore until it is
    /// alone. Letter case makes no difference, since it makes none to most readers.
    pub fn of(table: Arc<TableSchema>, rows: &RowsConfig) -> Self {
        let mut draft = Draft::default();
        // A struct of nothing cannot be written, and has nothing to say.
        let has_columns = !table.columns.is_empty();
        let has_before = has_columns && (rows.before || rows.envelope);
        let before = has_before.then(|| numbered(&table.columns, OLD_IDS));
        let envelope = match rows.envelope {
            true => Some(draft.envelope(&table, before.as_ref())),
            false => {
                draft.add(&table.columns, TABLE_IDS);
                None
            }
        };
        let mut metadata = rows.metadata;
        if draft.columns.is_empty() && !metadata.contains(&true) {
            // A file has columns: the rows of a table without any have at least their offset.
            metadata[METADATA.iter().position(|(name, _)| *name == "_offset").unwrap_or(0)] = true;
        }
        for (((name, kind), id), _) in
            METADATA.into_iter().zip(OUR_IDS..).zip(metadata).filter(|(_, wanted)| *wanted)
        {
            let column = Column { name: draft.free(name).into(), kind };
            draft.add(&[column], id);
        }
        if let (Some(old), false) = (&before, rows.envelope) {
            let name = draft.free("_before");
            draft.add_struct(&name, BEFORE_ID, old, &table.columns);
        }
        Self {
            metadata,
            arrow: Arc::new(Schema::new(draft.fields)),
            columns: draft.columns,
            table,
            before,
            envelope,
        }
    }

    /// The table's columns.
    pub fn table(&self) -> &Arc<TableSchema> {
        &self.table
    }

    /// All columns that hold values, in the order of the file: those within a struct in its place.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The place among [`columns`](Self::columns) of a column of the table (as the row has it, not
    /// the old row), or of one of ours, by its name.
    pub fn leaf(&self, name: &str) -> Option<usize> {
        let Some(envelope) = &self.envelope else {
            return self.columns.iter().position(|column| *column.name == *name);
        };
        // `before`, then `after`, each of the table's columns.
        let (width, has_row) = (self.table.columns.len(), envelope.after.is_some());
        let of_row = self.table.columns.iter().position(|column| *column.name == *name);
        let ours = || self.columns.iter().rposition(|column| *column.name == *name);
        of_row.filter(|_| has_row).map(|at| width + at).or_else(ours)
    }

    /// The columns as Arrow has them; `PARQUET:field_id` is in their metadata.
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }

    /// Which of the `_` columns the file has.
    pub(super) fn metadata(&self) -> &[bool; METADATA.len()] {
        &self.metadata
    }

    /// The fields of the old row, in files that have it.
    pub(super) fn before(&self) -> Option<&Fields> {
        self.before.as_ref()
    }

    /// The fields of the other structs, in files of envelopes.
    pub(super) fn envelope(&self) -> Option<&EnvelopeFields> {
        self.envelope.as_ref()
    }
}

impl Draft {
    /// The name, with underscores before it until nothing else is called so.
    fn free(&self, name: &str) -> String {
        let mut name = name.to_owned();
        while self.taken.contains(&name) {
            name.insert(0, '_');
        }
        name
    }

    fn add(&mut self, columns: &[Column], first: i32) {
        for (column, id) in columns.iter().zip(first..) {
            self.taken.insert(column.name.to_lowercase());
            self.fields.push(field(column, id));
            self.columns.push(column.clone());
        }
    }

    fn add_struct(&mut self, name: &str, id: i32, fields: &Fields, columns: &[Column]) {
        self.taken.insert(name.to_lowercase());
        self.columns.extend(columns.iter().cloned());
        self.fields.push(with_id(Field::new(name, DataType::Struct(fields.clone()), true), id));
    }

    fn envelope(&mut self, table: &TableSchema, before: Option<&Fields>) -> EnvelopeFields {
        if let Some(old) = before {
            self.add_struct("before", BEFORE_ID, old, &table.columns);
        }
        let after = before.map(|_| numbered(&table.columns, TABLE_IDS));
        if let Some(after) = &after {
            self.add_struct("after", AFTER_ID, after, &table.columns);
        }
        let (columns, transaction_columns) = (listed(&SOURCE), listed(&TRANSACTION));
        let source = numbered(&columns, SOURCE_IDS);
        self.add_struct("source", SOURCE_ID, &source, &columns);
        let transaction = numbered(&transaction_columns, TRANSACTION_IDS);
        self.add_struct("transaction", TRANSACTION_ID, &transaction, &transaction_columns);
        self.add(&listed(&HEADS), HEAD_IDS);
        EnvelopeFields { after, source, transaction }
    }
}

fn numbered(columns: &[Column], first: i32) -> Fields {
    columns.iter().zip(first..).map(|(column, id)| field(column, id)).collect()
}

fn field(column: &Column, id: i32) -> Field {
    with_id(Field::new(&*column.name, column.kind.data_type(), true), id)
}

fn with_id(field: Field, id: i32) -> Field {
    field.with_metadata(HashMap::from([("PARQUET:field_id".to_owned(), id.to_string())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ColumnKind;

    fn names(table: &[&str]) -> Vec<String> {
        let column = |name: &&str| Column { name: (*name).into(), kind: ColumnKind::Int64 };
        let table = TableSchema { columns: table.iter().map(column).collect() };
        let layout = FileLayout::new(Arc::new(table));
        layout.arrow().fields().iter().map(|f| f.name().clone()).collect()
    }

    #[test]
    fn metadata_columns_follow_the_table_and_give_way_to_its_names() {
        let plain = names(&["id", "op"]);
        assert_eq!(plain[..4], ["id", "op", "_op", "_event_time"]);
        assert_eq!(plain.len(), 2 + METADATA.len());

        let clash = names(&["_op", "_OFFSET", "__offset", "_row"]);
        assert_eq!(clash[4..6], ["__op", "_event_time"]);
        assert_eq!(clash[9], "___offset");
    }

    fn id(field: &Field) -> i32 {
        field.metadata()["PARQUET:field_id"].parse().unwrap()
    }

    /// Names and numbers of all columns, those of the old row with their path.
    fn ids_of(table: &[&str], rows: &RowsConfig) -> HashMap<String, i32> {
        let column = |name: &&str| Column { name: (*name).into(), kind: ColumnKind::Int64 };
        let table = Arc::new(TableSchema { columns: table.iter().map(column).collect() });
        let layout = FileLayout::of(table, rows);
        let mut ids = HashMap::new();
        for field in layout.arrow().fields() {
            ids.insert(field.name().clone(), id(field));
            if let DataType::Struct(old) = field.data_type() {
                ids.extend(old.iter().map(|f| (format!("{}.{}", field.name(), f.name()), id(f))));
            }
        }
        ids
    }

    fn ids(table: &[&str]) -> HashMap<String, i32> {
        ids_of(table, &RowsConfig { before: true, ..RowsConfig::default() })
    }

    #[test]
    fn an_envelope_has_its_structs_and_no_number_twice() {
        let mut metadata = [false; METADATA.len()];
        metadata[5] = true;
        let rows = RowsConfig { envelope: true, metadata, ..RowsConfig::default() };
        let few = ids_of(&["op", "_offset"], &rows);
        assert_eq!((few["after.op"], few["before.op"]), (1, 1_000_001));
        assert_eq!(few["_offset"], 2_000_006, "the table's own is in the structs");
        for name in ["source.ts_us", "transaction.id", "op", "ts_ms", "ts_us", "ts_ns"] {
            assert!(few.contains_key(name), "{name}");
        }
        let table = |names: &[&str]| {
            let column = |name: &&str| Column { name: (*name).into(), kind: ColumnKind::Int64 };
            Arc::new(TableSchema { columns: names.iter().map(column).collect() })
        };
        let layout = FileLayout::of(table(&["id", "op"]), &rows);
        assert_eq!((layout.leaf("op"), layout.leaf("id")), (Some(3), Some(2)));
        let last = layout.columns().len() - 1;
        assert_eq!((layout.leaf("_offset"), layout.leaf("x")), (Some(last), None));
        let flat = RowsConfig { before: true, ..RowsConfig::default() };
        assert_eq!(FileLayout::of(table(&["id", "op"]), &flat).leaf("op"), Some(1));
        let distinct: HashSet<_> = few.values().collect();
        assert_eq!(distinct.len(), few.len());
        let more = ids_of(&["op", "_offset", "price"], &rows);
        assert!(few.iter().all(|(name, id)| more[name] == *id), "{few:?} {more:?}");
        assert!(!ids_of(&[], &rows).contains_key("after"), "nothing to be in it");
    }

    #[test]
    fn only_the_metadata_that_is_asked_for_is_there() {
        let rows = RowsConfig { metadata: [false; METADATA.len()], ..RowsConfig::default() };
        assert_eq!(ids_of(&["id"], &rows), HashMap::from([("id".to_owned(), 1)]));
        assert_eq!(ids_of(&[], &rows), HashMap::from([("_offset".to_owned(), 2_000_006)]));
    }

    #[test]
    fn the_names_are_those_of_the_configuration() {
        assert_eq!(METADATA.map(|(name, _)| name), crate::config::METADATA_NAMES);
    }

    #[test]
    fn each_column_has_its_number_and_keeps_it() {
        let few = ids(&["id", "name"]);
        assert_eq!((few["id"], few["name"], few["_op"]), (1, 2, 2_000_001));
        assert_eq!((few["_before"], few["_before.id"]), (2_001_001, 1_000_001));
        assert_eq!(few.len(), 2 + METADATA.len() + 1 + 2);
        let more = ids(&["id", "name", "price"]);
        assert!(few.iter().all(|(name, id)| more[name] == *id), "{few:?} {more:?}");
        let distinct: HashSet<_> = more.values().collect();
        assert_eq!(distinct.len(), more.len());
    }

    #[test]
    fn the_old_row_is_a_struct_if_there_is_anything_in_it() {
        assert!(!ids(&[]).contains_key("_before"));
        let clash = ids(&["_BEFORE"]);
        assert_eq!(clash["__before._BEFORE"], 1_000_001);
        let table = Arc::new(TableSchema { columns: Vec::new() });
        assert!(FileLayout::new(table).before().is_none());
    }
}
