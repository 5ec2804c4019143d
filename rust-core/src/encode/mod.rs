//! Room 7, encode: in come batches of rows, out go the bytes of a data file. Never sees a record.

mod parquet;

pub use parquet::ParquetEncoder;

use crate::buffer::{FileLayout, OpenFile};
use crate::config::ParquetConfig;
use std::sync::Arc;

/// Opens a Parquet file for rows of the layout.
pub fn open(layout: &Arc<FileLayout>, config: &ParquetConfig) -> OpenFile {
    OpenFile::new(layout.clone(), Box::new(ParquetEncoder::new(layout.clone(), config.clone())))
}
