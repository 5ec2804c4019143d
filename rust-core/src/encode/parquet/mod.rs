//! Parquet: row groups are encoded in memory and drained when they close.

mod measure;
mod properties;
mod schema;

use crate::buffer::{Encoder, FileLayout};
use crate::config::ParquetConfig;
use crate::error::{Error, Kind, Result};
use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use std::fmt;
use std::sync::Arc;

/// Writes one Parquet file.
///
/// How a column is encoded is decided by the first batch: by then it is seen which columns have
/// few distinct values. The writer is made only then, so that a file of few rows costs little.
pub struct ParquetEncoder {
    layout: Arc<FileLayout>,
    config: ParquetConfig,
    writer: Option<ArrowWriter<Vec<u8>>>,
    drained: u64,
}

impl ParquetEncoder {
    /// An encoder for one file.
    pub fn new(layout: Arc<FileLayout>, config: ParquetConfig) -> Self {
        Self { layout, config, writer: None, drained: 0 }
    }

    fn start(&self, first: &RecordBatch) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties::properties(&self.layout, &self.config, first)?)
            .with_parquet_schema(schema::parquet_schema(&self.layout)?)
            // Every type of ours is said by Parquet's own: the copy would be kilobytes a file.
            .with_skip_arrow_metadata(true);
        ArrowWriter::try_new_with_options(Vec::new(), self.layout.arrow().clone(), options)
    }
}

impl Encoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let writer = self.start(batch).map_err(failed)?;
                self.writer.insert(writer)
            }
        };
        writer.write(batch).map_err(failed)
    }

    fn drain(&mut self) -> Option<Bytes> {
        let sink = self.writer.as_mut()?.inner_mut();
        if sink.is_empty() {
            return None;
        }
        self.drained += sink.len() as u64;
        Some(std::mem::take(sink).into())
    }

    fn memory_bytes(&self) -> u64 {
        self.writer.as_ref().map_or(0, |w| w.memory_size() + w.inner().capacity()) as u64
    }

    fn encoded_bytes(&self) -> u64 {
        self.writer.as_ref().map_or(0, |w| w.bytes_written()) as u64
    }

    fn drained_bytes(&self) -> u64 {
        self.drained
    }

    fn estimated_bytes(&self) -> u64 {
        self.writer.as_ref().map_or(0, |w| w.bytes_written() + w.in_progress_size()) as u64
    }

    fn finish(self: Box<Self>, metadata: &[(&'static str, String)]) -> Result<Bytes> {
        let Some(mut writer) = self.writer else {
            return Err(Error::new(
                Kind::Encode,
                "a Parquet file without rows cannot be finished; please report this bug",
            ));
        };
        for (key, value) in metadata {
            writer.append_key_value_metadata(KeyValue::new((*key).to_owned(), value.clone()));
        }
        writer.into_inner().map(Bytes::from).map_err(failed)
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
