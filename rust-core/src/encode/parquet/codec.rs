//! Compression of pages.

use crate::config::Compression;
use flate2::write::GzEncoder;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use std::fmt;
use std::io::Write;

/// A compressor. Made for a round of pages and dropped: Zstandard's memory, a third of a megabyte,
/// must not be multiplied by the columns of all open files.
pub(super) struct Compressor {
    compression: Compression,
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        let zstd = match compression {
            Compression::Zstd(level) => Some(zstd::bulk::Compressor::new(level)?),
            _ => None,
        };
        Ok(Self { compression, zstd })
    }

    /// The page's bytes, compressed.
    pub(super) fn compress(&mut self, page: Vec<u8>) -> Result<Vec<u8>> {
        let external =
            |error: Box<dyn std::error::Error + Send + Sync>| ParquetError::External(error);
        match (self.compression, &mut self.zstd) {
            (Compression::Zstd(_), Some(zstd)) => Ok(zstd.compress(&page)?),
            (Compression::Snappy, _) => snap::raw::Encoder::new()
                .compress_vec(&page)
                .map_err(|error| external(error.into())),
            (Compression::Lz4, _) => Ok(lz4_flex::block::compress(&page)),
            (Compression::Gzip(level), _) => {
                let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::new(level));
                gzip.write_all(&page)?;
                Ok(gzip.finish()?)
            }
            (Compression::None, _) | (Compression::Zstd(_), None) => Ok(page),
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("compression", &self.compression).finish_non_exhaustive()
    }
}

/// The codec's name in the file.
pub(super) fn codec(compression: Compression) -> Result<Codec> {
    Ok(match compression {
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Gzip(level) => Codec::GZIP(GzipLevel::try_new(level)?),
        Compression::None => Codec::UNCOMPRESSED,
    })
}
