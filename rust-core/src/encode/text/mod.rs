//! Files of lines: JSON, one object a row, and CSV. In come batches, out goes text, compressed
//! block by block. Never a heap object for a row or a value.
//!
//! How each type is written: `docs/decisions/0006-values-as-text.md`.

mod block;
mod column;
mod csv;
mod decimal;
mod json;
#[cfg(test)]
mod tests;
mod time;

use crate::buffer::Encoder;
use crate::config::{CsvConfig, TextCompression};
use crate::error::{Error, Kind, Result};
use arrow::array::{RecordBatch, StructArray};
use block::Blocks;
use bytes::Bytes;
use column::Column;

/// Writes one file of lines.
#[derive(Debug)]
pub(super) struct TextEncoder {
    lines: Lines,
    blocks: Blocks,
    is_begun: bool,
}

/// What a row becomes.
#[derive(Debug)]
enum Lines {
    Json,
    Csv(CsvConfig),
}

impl TextEncoder {
    /// One JSON object a line.
    pub(super) fn json(compression: TextCompression) -> Self {
        Self { lines: Lines::Json, blocks: Blocks::new(compression), is_begun: false }
    }

    /// RFC 4180.
    pub(super) fn csv(config: CsvConfig) -> Self {
        let blocks = Blocks::new(config.compression);
        Self { lines: Lines::Csv(config), blocks, is_begun: false }
    }
}

impl Encoder for TextEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if let (Lines::Csv(config), false) = (&self.lines, self.is_begun) {
            csv::header(&batch.schema(), config, self.blocks.text());
        }
        self.is_begun = true;
        match &self.lines {
            Lines::Json => {
                let rows = StructArray::from(batch.clone());
                let rows = Column::of("", &rows)?;
                for row in 0..batch.num_rows() {
                    json::value(&rows, row, self.blocks.text());
                    self.blocks.text().push(b'\n');
                    self.blocks.end_if_full()?;
                }
            }
            Lines::Csv(config) => {
                let schema = batch.schema();
                let fields = schema.fields().iter().zip(batch.columns());
                let columns: Vec<_> = fields
                    .map(|(field, array)| Column::of(field.name(), array))
                    .collect::<Result<_>>()?;
                for row in 0..batch.num_rows() {
                    csv::record(&columns, row, config, self.blocks.text());
                    self.blocks.end_if_full()?;
                }
            }
        }
        Ok(())
    }

    fn drain(&mut self) -> Option<Bytes> {
        self.blocks.drain()
    }

    fn memory_bytes(&self) -> u64 {
        self.blocks.memory_bytes()
    }

    fn encoded_bytes(&self) -> u64 {
        self.blocks.encoded_bytes()
    }

    fn drained_bytes(&self) -> u64 {
        self.blocks.drained_bytes()
    }

    /// JSON names its columns in each row, and compression takes that out again.
    fn first_ratio(&self) -> f64 {
        let text = if matches!(self.lines, Lines::Json) { 2.5 } else { 1.0 };
        self.blocks.first_ratio() * text
    }

    fn estimated_bytes(&self) -> u64 {
        self.blocks.estimated_bytes()
    }

    /// Lines have no place for metadata.
    fn finish(mut self: Box<Self>, _: &[(&'static str, String)]) -> Result<Bytes> {
        self.blocks.end()?;
        Ok(self.blocks.drain().unwrap_or_default())
    }
}

fn unknown_type(column: &str, of: &arrow::datatypes::DataType) -> Error {
    let message = "a column is of a type that has no text; please report this bug";
    Error::new(Kind::Encode, message).with("column", column).with("type", of)
}
