//! How a file is written: compression, row groups, and the encoding of each column.

use super::measure::{Measure, measure};
use crate::buffer::FileLayout;
use crate::config::{Compression, ParquetConfig};
use crate::schema::ColumnKind;
use arrow::array::RecordBatch;
use parquet::basic::{Compression as Codec, Encoding, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

/// Greatest size of a row group, bytes: rows of megabytes must not fill the memory.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// A dictionary that outgrows this was a wrong guess: the column goes on without.
const DICTIONARY_BYTES: usize = 128 << 10;

/// The properties of a file whose first rows are given.
pub(super) fn properties(
    layout: &FileLayout,
    config: &ParquetConfig,
    first: &RecordBatch,
) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("alluvium version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(codec(config.compression)?)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(config.row_group_rows))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_dictionary_enabled(false);
    for (column, array) in layout.columns().iter().zip(first.columns()) {
        let path = ColumnPath::new(vec![column.name.to_string()]);
        builder = match encoding(column.kind, &measure(array)) {
            None => builder.set_column_dictionary_enabled(path, true),
            Some(encoding) => builder.set_column_encoding(path, encoding),
        };
    }
    Ok(builder.build())
}

/// How a column is encoded; `None` = with a dictionary.
///
/// A dictionary costs more time than all else and, with many distinct values, more space. What
/// changes little from row to row (ids, times) is best told by its differences.
fn encoding(kind: ColumnKind, seen: &Measure) -> Option<Encoding> {
    match kind {
        ColumnKind::Enum => None,
        ColumnKind::Boolean => Some(Encoding::PLAIN),
        ColumnKind::Int16
        | ColumnKind::Int32
        | ColumnKind::Int64
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::Duration
        | ColumnKind::Timestamp { .. }
        | ColumnKind::Decimal { precision: ..=18, .. } => {
            if seen.distinct_at_most(64) {
                None
            } else {
                Some(Encoding::DELTA_BINARY_PACKED)
            }
        }
        ColumnKind::Float32 | ColumnKind::Float64 | ColumnKind::Decimal { .. } => {
            if seen.distinct_at_most(4) { None } else { Some(Encoding::PLAIN) }
        }
        ColumnKind::Utf8 | ColumnKind::Json | ColumnKind::Binary => {
            if seen.distinct_at_most(4) {
                None
            } else if seen.prefixes_repeat() {
                Some(Encoding::DELTA_BYTE_ARRAY)
            } else {
                Some(Encoding::PLAIN)
            }
        }
    }
}

fn codec(compression: Compression) -> Result<Codec, ParquetError> {
    Ok(match compression {
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Gzip(level) => Codec::GZIP(GzipLevel::try_new(level)?),
        Compression::None => Codec::UNCOMPRESSED,
    })
}
