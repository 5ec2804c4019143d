//! The columns of one row image of the rows that wait: of the row itself, or of the old one.

use super::column::{ColumnBuffer, Misfit};
use crate::envelope::{Row, Slot};
use crate::error::{Error, Kind, Result};
use crate::schema::{ColumnKind, TableSchema};
use arrow::array::{ArrayRef, NullBufferBuilder, StructArray};
use arrow::datatypes::Fields;
use std::sync::Arc;

/// Values, column by column. A row is in every column or in none.
#[derive(Debug)]
pub(super) struct ImageBuffer {
    columns: Vec<ColumnBuffer>,
    rows: usize,
}

/// An image that is one column of the file: a struct, null where there is none.
#[derive(Debug)]
pub(super) struct StructBuffer {
    image: ImageBuffer,
    valid: NullBufferBuilder,
}

impl ImageBuffer {
    pub(super) fn new(kinds: impl IntoIterator<Item = ColumnKind>) -> Self {
        Self { columns: kinds.into_iter().map(ColumnBuffer::new).collect(), rows: 0 }
    }

    /// For the columns of a table.
    pub(super) fn of(table: &TableSchema) -> Self {
        Self::new(table.columns.iter().map(|column| column.kind))
    }

    /// Bytes of a row beside those `append` tells of.
    pub(super) fn row_width(&self) -> usize {
        self.columns.iter().map(ColumnBuffer::row_width).sum()
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.columns.iter().map(ColumnBuffer::memory_bytes).sum()
    }

    /// Appends the slots of a row's image, null everywhere if there are none; gives the bytes of
    /// its texts. On an error, which names the column, some columns have the row: `truncate` takes
    /// it out again.
    pub(super) fn append(
        &mut self,
        slots: &[Slot],
        row: &Row,
        value: &[u8],
        mapping: Option<&[Option<u16>]>,
    ) -> Result<usize, (usize, Misfit)> {
        let appended = match mapping {
            Some(mapping) => self.append_mapped(slots, row, value, mapping)?,
            None if slots.is_empty() => {
                self.columns.iter_mut().for_each(ColumnBuffer::append_null);
                0
            }
            None if slots.len() != self.columns.len() => {
                return Err((slots.len().min(self.columns.len()), Misfit::Slot));
            }
            None => {
                let mut variable = 0;
                for (at, (column, slot)) in self.columns.iter_mut().zip(slots).enumerate() {
                    variable += column.append(*slot, row, value).map_err(|misfit| (at, misfit))?;
                }
                variable
            }
        };
        self.rows += 1;
        Ok(appended)
    }

    /// Appends a text that is not in the row's memory (null for `None`), and slots behind it.
    pub(super) fn append_led(
        &mut self,
        text: Option<&[u8]>,
        slots: &[Slot],
        row: &Row,
        value: &[u8],
    ) -> Result<usize, (usize, Misfit)> {
        let mut variable = 0;
        for (at, column) in self.columns.iter_mut().enumerate() {
            variable += match (at, text) {
                (0, Some(text)) => column.append_text(text),
                (0, None) => column.append(Slot::Null, row, value),
                _ => {
                    let slot = slots.get(at - 1).copied().unwrap_or(Slot::Null);
                    column.append(slot, row, value)
                }
            }
            .map_err(|misfit| (at, misfit))?;
        }
        self.rows += 1;
        Ok(variable)
    }

    fn append_mapped(
        &mut self,
        slots: &[Slot],
        row: &Row,
        value: &[u8],
        mapping: &[Option<u16>],
    ) -> Result<usize, (usize, Misfit)> {
        let mut variable = 0;
        for (at, slot) in slots.iter().enumerate() {
            let Some(to) = mapping.get(at).copied().flatten() else { continue };
            let to = usize::from(to);
            let column = match self.columns.get_mut(to) {
                Some(column) if column.len() == self.rows => column,
                // Beyond the table, or a second slot for one column.
                _ => return Err((to, Misfit::Slot)),
            };
            variable += column.append(*slot, row, value).map_err(|misfit| (to, misfit))?;
        }
        for column in self.columns.iter_mut().filter(|column| column.len() == self.rows) {
            column.append_null();
        }
        Ok(variable)
    }

    /// Forgets all rows behind the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    /// Takes all rows, as arrays behind those given.
    pub(super) fn take(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<()> {
        for column in &mut self.columns {
            arrays.push(column.take()?);
        }
        self.rows = 0;
        Ok(())
    }
}

impl StructBuffer {
    pub(super) fn new(image: ImageBuffer) -> Self {
        Self { image, valid: NullBufferBuilder::new(0) }
    }

    pub(super) fn row_width(&self) -> usize {
        self.image.row_width()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.image.memory_bytes() + self.valid.allocated_size()
    }

    /// Appends an image, or null for `None`; as [`ImageBuffer::append`] else.
    pub(super) fn append(
        &mut self,
        slots: Option<&[Slot]>,
        row: &Row,
        value: &[u8],
        mapping: Option<&[Option<u16>]>,
    ) -> Result<usize, (usize, Misfit)> {
        let variable = self.image.append(slots.unwrap_or_default(), row, value, mapping)?;
        self.valid.append(slots.is_some());
        Ok(variable)
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.image.truncate(rows);
        if self.valid.len() > rows {
            self.valid.truncate(rows);
        }
    }

    /// Takes all rows as one array of the given fields.
    pub(super) fn take(&mut self, fields: &Fields) -> Result<ArrayRef> {
        let (mut arrays, rows) = (Vec::with_capacity(fields.len()), self.valid.len());
        self.image.take(&mut arrays)?;
        let valid = self.valid.finish();
        StructArray::try_new_with_length(fields.clone(), arrays, valid, rows)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|error| {
                Error::new(
                    Kind::Encode,
                    "a batch of structs cannot be built; please report this bug",
                )
                .because(error)
            })
    }
}
