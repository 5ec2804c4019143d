//! The rows of an open file that wait to be handed to its encoder together.

use super::column::{ColumnBuffer, Misfit};
use super::metadata::MetadataBuffers;
use super::{FileLayout, RowStamp};
use crate::envelope::Row;
use crate::error::{Error, Kind, Result};
use arrow::array::{ArrayRef, RecordBatch};

/// Rows, column by column. A row is in every column or in none.
#[derive(Debug)]
pub(super) struct BatchBuffer {
    table: Vec<ColumnBuffer>,
    metadata: MetadataBuffers,
    rows: usize,
    /// Bytes of a row beside its texts.
    row_width: u64,
    /// Bytes of the rows that wait: what they would take without spare room.
    bytes: u64,
    memory_bytes: u64,
}

/// Rows between two counts of the memory: a count looks at every column.
const COUNT_EVERY: usize = 64;
/// A row with more text than this is counted at once.
const LARGE_ROW: usize = 4_096;

impl BatchBuffer {
    pub(super) fn new(layout: &FileLayout) -> Self {
        let table: Vec<_> =
            layout.table().columns.iter().map(|column| ColumnBuffer::new(column.kind)).collect();
        let metadata = MetadataBuffers::new();
        let width: usize =
            table.iter().map(ColumnBuffer::row_width).sum::<usize>() + metadata.row_width();
        Self { table, metadata, rows: 0, row_width: width as u64, bytes: 0, memory_bytes: 0 }
    }

    /// Rows that wait.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the rows that wait, without spare room.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Memory held, bytes; at most [`COUNT_EVERY`] rows old.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Appends a row; on an error nothing of it.
    pub(super) fn append(
        &mut self,
        row: &Row,
        value: &[u8],
        stamp: &RowStamp<'_>,
        mapping: Option<&[Option<u16>]>,
        layout: &FileLayout,
    ) -> Result<()> {
        let appended = match mapping {
            None => self.append_slots(row, value),
            Some(mapping) => self.append_mapped(row, value, mapping),
        };
        let appended = appended.and_then(|table| {
            let metadata = self.metadata.append(row, value, stamp);
            metadata.map(|bytes| table + bytes).map_err(|misfit| (self.table.len(), misfit))
        });
        let variable = appended.map_err(|(column, misfit)| {
            self.table.iter_mut().for_each(|column| column.truncate(self.rows));
            self.metadata.truncate(self.rows);
            refusal(column, misfit, row, layout)
        })?;
        self.rows += 1;
        self.bytes += self.row_width + variable as u64;
        let due = self.rows.is_multiple_of(COUNT_EVERY) || self.rows.is_power_of_two();
        if due || variable > LARGE_ROW {
            self.count_memory();
        }
        Ok(())
    }

    /// Takes the rows as one batch.
    pub(super) fn take(
        &mut self,
        layout: &FileLayout,
        topic: &str,
        partition: i32,
    ) -> Result<RecordBatch> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(layout.columns().len());
        for column in &mut self.table {
            arrays.push(column.take()?);
        }
        self.metadata.take(self.rows, topic, partition, &mut arrays)?;
        self.rows = 0;
        self.bytes = 0;
        self.count_memory();
        RecordBatch::try_new(layout.arrow().clone(), arrays).map_err(|error| {
            Error::new(Kind::Encode, "a batch of rows cannot be built; please report this bug")
                .because(error)
        })
    }

    fn append_slots(&mut self, row: &Row, value: &[u8]) -> Result<usize, (usize, Misfit)> {
        if row.slots.len() != self.table.len() {
            if !row.slots.is_empty() {
                return Err((row.slots.len().min(self.table.len()), Misfit::Slot));
            }
            self.table.iter_mut().for_each(ColumnBuffer::append_null);
            return Ok(0);
        }
        let mut variable = 0;
        for (at, (column, slot)) in self.table.iter_mut().zip(&row.slots).enumerate() {
            variable += column.append(*slot, row, value).map_err(|misfit| (at, misfit))?;
        }
        Ok(variable)
    }

    fn append_mapped(
        &mut self,
        row: &Row,
        value: &[u8],
        mapping: &[Option<u16>],
    ) -> Result<usize, (usize, Misfit)> {
        let mut variable = 0;
        for (at, slot) in row.slots.iter().enumerate() {
            let Some(to) = mapping.get(at).copied().flatten() else { continue };
            let to = usize::from(to);
            let column = match self.table.get_mut(to) {
                Some(column) if column.len() == self.rows => column,
                // Beyond the table, or a second slot for one column.
                _ => return Err((to, Misfit::Slot)),
            };
            variable += column.append(*slot, row, value).map_err(|misfit| (to, misfit))?;
        }
        for column in self.table.iter_mut().filter(|column| column.len() == self.rows) {
            column.append_null();
        }
        Ok(variable)
    }

    fn count_memory(&mut self) {
        let table: usize = self.table.iter().map(ColumnBuffer::memory_bytes).sum();
        self.memory_bytes = (table + self.metadata.memory_bytes()) as u64;
    }
}

#[cold]
fn refusal(column: usize, misfit: Misfit, row: &Row, layout: &FileLayout) -> Error {
    let column = layout.table().columns.get(column);
    let name = column.map_or("(none)", |column| &column.name);
    let error = match misfit {
        Misfit::Value(why) => {
            Error::new(Kind::BadRecord, format!("the value of column `{name}` does not fit: {why}"))
        }
        Misfit::Slot => Error::new(
            Kind::Encode,
            "a row does not have the columns of its file; please report this bug",
        )
        .with("slots", row.slots.len())
        .with("columns", layout.table().columns.len()),
    };
    match column {
        Some(column) => error.with("column", name).with("type", format_args!("{:?}", column.kind)),
        None => error.with("column", name),
    }
}
