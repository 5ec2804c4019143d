//! The columns of a data file: those of the table, then the `_` columns.

use crate::schema::TableSchema;
use std::sync::Arc;

/// The columns of the data files of one schema; made once per schema, shared by its files.
#[derive(Debug)]
pub struct FileLayout {
    table: Arc<TableSchema>,
}

impl FileLayout {
    /// Lays out the columns of a table's files.
    pub fn new(table: Arc<TableSchema>) -> Self {
        Self { table }
    }

    /// The table's columns.
    pub fn table(&self) -> &Arc<TableSchema> {
        &self.table
    }
}
