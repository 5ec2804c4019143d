//! The rows of an open file that wait to be handed to its encoder together.

use super::column::Misfit;
use super::envelope::{self, EnvelopeBuffer};
use super::image::{ImageBuffer, StructBuffer};
use super::metadata::MetadataBuffers;
use super::{FileLayout, RowStamp};
use crate::envelope::Row;
use crate::error::{Error, Kind, Result};
use arrow::array::{ArrayRef, RecordBatch};

/// Rows, column by column. A row is in every column or in none.
#[derive(Debug)]
pub(super) struct BatchBuffer {
    /// Without columns where there is an envelope.
    table: ImageBuffer,
    metadata: MetadataBuffers,
    before: Option<StructBuffer>,
    envelope: Option<Box<EnvelopeBuffer>>,
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
        let envelope = layout.envelope().map(|_| Box::new(EnvelopeBuffer::new(layout.table())));
        let table = match envelope {
            None => ImageBuffer::of(layout.table()),
            Some(_) => ImageBuffer::new([]),
        };
        let metadata = MetadataBuffers::new(layout.metadata());
        let old = layout.before().map(|_| StructBuffer::new(ImageBuffer::of(layout.table())));
        let row_width = table.row_width()
            + metadata.row_width()
            + old.as_ref().map_or(0, StructBuffer::row_width)
            + envelope.as_ref().map_or(0, |envelope| envelope.row_width());
        Self {
            table,
            metadata,
            before: old,
            envelope,
            rows: 0,
            row_width: row_width as u64,
            bytes: 0,
            memory_bytes: 0,
        }
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
        let variable =
            self.append_parts(row, value, stamp, mapping).map_err(|(column, misfit)| {
                self.table.truncate(self.rows);
                self.metadata.truncate(self.rows);
                self.before.iter_mut().for_each(|before| before.truncate(self.rows));
                self.envelope.iter_mut().for_each(|envelope| envelope.truncate(self.rows));
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
        let before = match (&mut self.before, layout.before()) {
            (Some(before), Some(fields)) => Some(before.take(fields)?),
            _ => None,
        };
        if let (Some(envelope), Some(fields)) = (&mut self.envelope, layout.envelope()) {
            arrays.extend(before.clone());
            envelope.take(fields, &mut arrays)?;
        }
        self.table.take(&mut arrays)?;
        self.metadata.take(self.rows, topic, partition, &mut arrays)?;
        arrays.extend(before.filter(|_| layout.envelope().is_none()));
        self.rows = 0;
        self.bytes = 0;
        self.count_memory();
        RecordBatch::try_new(layout.arrow().clone(), arrays).map_err(|error| {
            Error::new(Kind::Encode, "a batch of rows cannot be built; please report this bug")
                .because(error)
        })
    }

    /// Appends to each part; gives the bytes of the texts, or which column does not fit.
    fn append_parts(
        &mut self,
        row: &Row,
        value: &[u8],
        stamp: &RowStamp<'_>,
        mapping: Option<&[Option<u16>]>,
    ) -> Result<usize, (usize, Misfit)> {
        let mut variable = match &mut self.envelope {
            None => self.table.append(&row.slots, row, value, mapping)?,
            Some(envelope) => envelope.append(row, value, mapping)?,
        };
        let metadata = self.metadata.append(row, value, stamp);
        variable += metadata.map_err(|misfit| (usize::MAX, misfit))?;
        if let Some(before) = &mut self.before {
            let old = match self.envelope {
                None => row.has_before.then_some(&row.before[..]),
                Some(_) => envelope::old(row),
            };
            variable += before.append(old, row, value, mapping)?;
        }
        Ok(variable)
    }

    fn count_memory(&mut self) {
        let bytes = self.table.memory_bytes()
            + self.metadata.memory_bytes()
            + self.before.as_ref().map_or(0, StructBuffer::memory_bytes)
            + self.envelope.as_ref().map_or(0, |envelope| envelope.memory_bytes());
        self.memory_bytes = bytes as u64;
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
