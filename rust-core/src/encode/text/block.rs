//! Text into the bytes of a file, a block at a time. Each block is a gzip member or a Zstandard
//! frame of its own, as RFC 1952 and RFC 8878 have it: a reader takes them for one stream.
//!
//! So a compressor lives for one block. Kept open, each of a thousand open files would hold a
//! quarter of a megabyte (gzip) or more than one (Zstandard) that nobody counts.

use crate::config::TextCompression;
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// Text of a block: many times the window of gzip, so that blocks cost it next to nothing.
const BLOCK_BYTES: usize = 512 << 10;
/// What compression is taken to leave of a byte of text at first.
const FIRST_RATIO: f64 = 0.1;
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 1;

/// The text of a file on its way to bytes.
#[derive(Debug)]
pub(super) struct Blocks {
    compression: TextCompression,
    /// Text of the block at work.
    text: Vec<u8>,
    /// Final bytes, not yet drained.
    ready: Vec<u8>,
    drained: u64,
    /// Text of the blocks that ended.
    text_bytes: u64,
}

impl Blocks {
    pub(super) fn new(compression: TextCompression) -> Self {
        Self { compression, text: Vec::new(), ready: Vec::new(), drained: 0, text_bytes: 0 }
    }

    /// Where text is appended.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Ends the block at work when it has enough text.
    #[inline]
    pub(super) fn end_if_full(&mut self) -> Result<()> {
        if self.text.len() < BLOCK_BYTES { Ok(()) } else { self.end() }
    }

    /// Ends the block at work.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        self.text_bytes += self.text.len() as u64;
        self.compress().map_err(|error| {
            Error::new(Kind::Encode, "a block of text cannot be compressed").because(error)
        })?;
        self.text.clear();
        // A row of many megabytes must not be paid for until the file ends.
        self.text.shrink_to(2 * BLOCK_BYTES);
        Ok(())
    }

    fn compress(&mut self) -> io::Result<()> {
        match self.compression {
            TextCompression::None if self.ready.is_empty() => {
                std::mem::swap(&mut self.ready, &mut self.text);
            }
            TextCompression::None => self.ready.append(&mut self.text),
            TextCompression::Gzip => {
                let mut gzip = GzEncoder::new(&mut self.ready, Compression::new(GZIP_LEVEL));
                gzip.write_all(&self.text)?;
                gzip.finish()?;
            }
            TextCompression::Zstd => {
                self.ready.append(&mut zstd::bulk::compress(&self.text, ZSTD_LEVEL)?);
            }
        }
        Ok(())
    }

    /// Takes the bytes that are final and not yet taken.
    pub(super) fn drain(&mut self) -> Option<Bytes> {
        if self.ready.is_empty() {
            return None;
        }
        self.drained += self.ready.len() as u64;
        Some(std::mem::take(&mut self.ready).into())
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        (self.text.capacity() + self.ready.capacity()) as u64
    }

    pub(super) fn encoded_bytes(&self) -> u64 {
        self.drained + self.ready.len() as u64
    }

    pub(super) fn drained_bytes(&self) -> u64 {
        self.drained
    }

    /// What is left of a byte of text, until the file has shown its own ratio.
    pub(super) fn first_ratio(&self) -> f64 {
        match self.compression {
            TextCompression::None => 1.0,
            TextCompression::Gzip | TextCompression::Zstd => FIRST_RATIO,
        }
    }

    pub(super) fn estimated_bytes(&self) -> u64 {
        let ratio = match self.text_bytes {
            0 => self.first_ratio(),
            text => self.encoded_bytes() as f64 / text as f64,
        };
        self.encoded_bytes() + (self.text.len() as f64 * ratio) as u64
    }
}
