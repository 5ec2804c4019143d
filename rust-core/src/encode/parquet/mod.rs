//! Parquet, encoded by ourselves page by page; headers and footer are the parquet crate's.
//!
//! The crate's own column writers keep a compressor and buffers of a megabyte for each column of
//! each open file: `docs/decisions/0005-own-parquet-pages.md`.

mod append;
mod bloom;
mod bounds;
mod choice;
mod chunk;
mod codec;
mod delta;
mod dictionary;
mod hash;
mod hybrid;
mod leaves;
mod measure;
mod schema;
mod shorten;
mod sort;
mod values;

use crate::buffer::{Encoder, FileLayout};
use crate::config::ParquetConfig;
use crate::error::{Error, Kind, Result};
use arrow::array::RecordBatch;
use bloom::Blooms;
use bytes::Bytes;
use chunk::{ColumnChunk, Sizes};
use codec::Compressor;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use sort::Sorter;
use std::fmt;
use std::sync::Arc;

/// Greatest size of a row group, bytes: rows of megabytes must not fill the memory.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Rows that are appended together once they are sorted: as many as arrive together else.
const SORTED_ROWS: usize = 2_048;
/// What compression is taken to leave of a byte, until the file has shown its own ratio.
const FIRST_RATIO: f64 = 0.5;

/// Writes one Parquet file.
///
/// How a column is encoded is decided by the first batch: by then it is seen which columns have
/// few distinct values.
pub struct ParquetEncoder {
    layout: Arc<FileLayout>,
    config: ParquetConfig,
    file: Option<OpenParquet>,
    /// Rows that wait for their order, where one is wanted.
    sorter: Option<Sorter>,
    drained: u64,
}

/// A file with its first batch.
struct OpenParquet {
    writer: SerializedFileWriter<Vec<u8>>,
    columns: Vec<ColumnChunk>,
    blooms: Blooms,
    /// Rows of the row group at work.
    rows: usize,
    /// What compression left of a byte so far.
    ratio: f64,
}

impl ParquetEncoder {
    /// An encoder for one file.
    pub fn new(layout: Arc<FileLayout>, config: ParquetConfig) -> Self {
        let sorter = Sorter::new(&layout, &config);
        Self { layout, config, file: None, sorter, drained: 0 }
    }

    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let begun = match &self.sorter {
                Some(sorter) => sorter.rows(),
                None => self.file.as_ref().map_or(0, |file| file.rows),
            };
            let room = self.config.row_group_rows.max(1) - begun;
            let rows = room.min(batch.num_rows() - start);
            let slice = batch.slice(start, rows);
            start += rows;
            match &mut self.sorter {
                None => self.append(&slice)?,
                Some(sorter) => {
                    sorter.push(slice);
                    if rows == room || sorter.is_full() {
                        self.write_sorted()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let says = self.sorter.as_ref().map(Sorter::says);
                self.file.insert(OpenParquet::new(&self.layout, &self.config, says, batch)?)
            }
        };
        file.append(batch, &self.config)
    }

    /// Writes the rows that wait, in order, and ends their row group: the next rows begin anew.
    fn write_sorted(&mut self) -> Result<(), ParquetError> {
        let Some(rows) = self.sorter.as_mut().map(Sorter::take).transpose()?.flatten() else {
            return Ok(());
        };
        for start in (0..rows.num_rows()).step_by(SORTED_ROWS) {
            self.append(&rows.slice(start, SORTED_ROWS.min(rows.num_rows() - start)))?;
        }
        match &mut self.file {
            Some(file) if file.rows > 0 => file.end_row_group(&self.config),
            _ => Ok(()),
        }
    }
}

impl OpenParquet {
    fn new(
        layout: &FileLayout,
        config: &ParquetConfig,
        order: Option<Vec<SortingColumn>>,
        first: &RecordBatch,
    ) -> Result<Self, ParquetError> {
        let schema = schema::parquet_schema(layout)?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("alluvium version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_sorting_columns(order)
            .build();
        let columns = layout
            .columns()
            .iter()
            .zip(leaves::leaves(first.columns()))
            .zip(schema.columns())
            .map(|((column, leaf), descriptor)| {
                let choice = choice::choose(column.kind, &measure::measure(leaf.array));
                ColumnChunk::new(descriptor.clone(), choice)
            })
            .collect();
        let blooms = Blooms::new(layout, config, &schema);
        let root = schema.root_schema_ptr();
        let writer = SerializedFileWriter::new(Vec::new(), root, Arc::new(properties))?;
        Ok(Self { writer, columns, blooms, rows: 0, ratio: FIRST_RATIO })
    }

    /// Appends rows of one row group.
    fn append(&mut self, batch: &RecordBatch, config: &ParquetConfig) -> Result<(), ParquetError> {
        for (column, leaf) in self.columns.iter_mut().zip(leaves::leaves(batch.columns())) {
            append::append(column, leaf)?;
        }
        self.blooms.take(batch)?;
        self.rows += batch.num_rows();
        if self.columns.iter().any(ColumnChunk::page_is_full) {
            let mut compressor = Compressor::new(config.compression)?;
            for column in self.columns.iter_mut().filter(|column| column.page_is_full()) {
                column.end_page(&mut compressor)?;
            }
        }
        let Sizes { compressed, uncompressed, at_work } = self.sizes();
        if uncompressed > 0 {
            self.ratio = compressed as f64 / uncompressed as f64;
        }
        if self.rows >= config.row_group_rows || compressed + at_work >= ROW_GROUP_BYTES {
            self.end_row_group(config)?;
        }
        Ok(())
    }

    fn end_row_group(&mut self, config: &ParquetConfig) -> Result<(), ParquetError> {
        let mut compressor = Compressor::new(config.compression)?;
        let codec = codec::codec(config.compression)?;
        let mut row_group = self.writer.next_row_group()?;
        for (at, column) in self.columns.iter_mut().enumerate() {
            let (bytes, mut closed) = column.close(codec, &mut compressor)?;
            closed.bloom_filter = self.blooms.end(at);
            row_group.append_column(&bytes, closed)?;
        }
        row_group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Bytes of the row group at work.
    fn sizes(&self) -> Sizes {
        let sizes = self.columns.iter().map(ColumnChunk::sizes);
        sizes.fold(Sizes::default(), |all, column| Sizes {
            compressed: all.compressed + column.compressed,
            uncompressed: all.uncompressed + column.uncompressed,
            at_work: all.at_work + column.at_work,
        })
    }

    fn estimated_bytes(&self) -> u64 {
        let Sizes { compressed, at_work, .. } = self.sizes();
        (self.writer.bytes_written() + compressed) as u64 + (at_work as f64 * self.ratio) as u64
    }

    fn memory_bytes(&self) -> u64 {
        let columns: usize = self.columns.iter().map(ColumnChunk::memory_bytes).sum();
        (columns + self.blooms.memory_bytes() + self.writer.inner().capacity()) as u64
    }
}

impl Encoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.write_batch(batch).map_err(failed)
    }

    fn drain(&mut self) -> Option<Bytes> {
        let sink = self.file.as_mut()?.writer.inner_mut();
        if sink.is_empty() {
            return None;
        }
        self.drained += sink.len() as u64;
        Some(std::mem::take(sink).into())
    }

    fn memory_bytes(&self) -> u64 {
        let waiting = self.sorter.as_ref().map_or(0, Sorter::bytes) as u64;
        waiting + self.file.as_ref().map_or(0, OpenParquet::memory_bytes)
    }

    fn encoded_bytes(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.writer.bytes_written()) as u64
    }

    fn drained_bytes(&self) -> u64 {
        self.drained
    }

    fn estimated_bytes(&self) -> u64 {
        let waiting = self.sorter.as_ref().map_or(0, Sorter::bytes) as f64;
        let waiting = (waiting * self.first_ratio()) as u64;
        waiting + self.file.as_ref().map_or(0, OpenParquet::estimated_bytes)
    }

    fn finish(mut self: Box<Self>, metadata: &[(&'static str, String)]) -> Result<Bytes> {
        self.write_sorted().map_err(failed)?;
        let Some(mut file) = self.file else {
            return Err(Error::new(
                Kind::Encode,
                "a Parquet file without rows cannot be finished; please report this bug",
            ));
        };
        if file.rows > 0 {
            file.end_row_group(&self.config).map_err(failed)?;
        }
        for (key, value) in metadata {
            let pair = KeyValue::new((*key).to_owned(), value.clone());
            file.writer.append_key_value_metadata(pair);
        }
        file.writer.into_inner().map(Bytes::from).map_err(failed)
    }
}

impl fmt::Debug for ParquetEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetEncoder")
            .field("config", &self.config)
            .field("encoded_bytes", &self.encoded_bytes())
            .field("drained", &self.drained)
            .finish_non_exhaustive()
    }
}

fn failed(error: ParquetError) -> Error {
    Error::new(Kind::Encode, "rows cannot be encoded as Parquet").because(error)
}
