//! Room 7, encode: in come batches of rows, out go the bytes of a data file. Never sees a record.

mod parquet;
mod text;

pub use parquet::ParquetEncoder;

use crate::buffer::{Encoder, FileLayout, OpenFile};
use crate::config::FileFormat;
use std::sync::Arc;
use text::TextEncoder;

/// Opens a file of the format for rows of the layout.
pub fn open(layout: &Arc<FileLayout>, format: &FileFormat) -> OpenFile {
    let encoder: Box<dyn Encoder> = match format {
        FileFormat::Parquet(config) => {
            Box::new(ParquetEncoder::new(layout.clone(), config.clone()))
        }
        FileFormat::Json(compression) => Box::new(TextEncoder::json(*compression)),
        FileFormat::Csv(config) => Box::new(TextEncoder::csv(config.clone())),
    };
    OpenFile::new(layout.clone(), encoder)
}
