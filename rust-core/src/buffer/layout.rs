//! The columns of a data file: those of the table, then the `_` columns.

use super::metadata::METADATA;
use crate::schema::{Column, TableSchema};
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The columns of the data files of one schema; made once per schema, shared by its files.
#[derive(Debug)]
pub struct FileLayout {
    table: Arc<TableSchema>,
    columns: Vec<Column>,
    arrow: SchemaRef,
}

impl FileLayout {
    /// Lays out the columns of a table's files.
    ///
    /// A `_` column whose name a table column has takes one more leading underscore until it is
    /// alone. Letter case makes no difference, since it makes none to most readers.
    pub fn new(table: Arc<TableSchema>) -> Self {
        let mut taken: HashSet<String> =
            table.columns.iter().map(|column| column.name.to_lowercase()).collect();
        let mut columns = table.columns.clone();
        for (name, kind) in METADATA {
            let mut name = name.to_owned();
            while !taken.insert(name.clone()) {
                name.insert(0, '_');
            }
            columns.push(Column { name: name.into(), kind });
        }
        let fields: Vec<Field> = columns.iter().zip(1..).map(|(c, id)| field(c, id)).collect();
        Self { table, columns, arrow: Arc::new(Schema::new(fields)) }
    }

    /// The table's columns.
    pub fn table(&self) -> &Arc<TableSchema> {
        &self.table
    }

    /// All columns, in the order of the file.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns as Arrow has them; `PARQUET:field_id` is in their metadata.
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }
}

fn field(column: &Column, id: i32) -> Field {
    let metadata = HashMap::from([("PARQUET:field_id".to_owned(), id.to_string())]);
    Field::new(&*column.name, column.kind.data_type(), true).with_metadata(metadata)
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

    #[test]
    fn each_column_has_its_number() {
        let layout = FileLayout::new(Arc::new(TableSchema { columns: Vec::new() }));
        let ids: Vec<_> = layout
            .arrow()
            .fields()
            .iter()
            .map(|f| f.metadata()["PARQUET:field_id"].clone())
            .collect();
        assert_eq!(ids[..2], ["1", "2"]);
        assert_eq!(ids.last().map(String::as_str), Some("14"));
    }
}
