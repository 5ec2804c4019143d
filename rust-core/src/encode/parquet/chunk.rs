//! One column of a row group at work.

use super::bounds::Bounds;
use super::choice::Choice;
use super::codec::Compressor;
use super::hybrid;
use super::leaves::Leaf;
use super::values::Values;
use crate::error::Result;
use arrow::array::{Array, BooleanBufferBuilder};
use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, Encoding, PageType, Type as Physical};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Rows of a page: enough to compress well, few enough that pages at work stay small.
const PAGE_ROWS: usize = 10_240;
/// Bytes that end a page however few its rows are.
const PAGE_BYTES: usize = 1 << 20;
/// A dictionary that outgrows this was a wrong guess: the column goes on without.
const DICTIONARY_BYTES: usize = 128 << 10;

/// One column of the row group at work: finished pages, and the page at work.
#[derive(Debug)]
pub(super) struct ColumnChunk {
    column: ColumnDescPtr,
    pub(super) choice: Choice,
    pub(super) values: Values,
    pub(super) bounds: Bounds,
    valid: BooleanBufferBuilder,
    /// Of a column within a struct: where that is not null.
    within: Option<BooleanBufferBuilder>,
    pages: Vec<Bytes>,
    /// Data pages, counted by encoding.
    counts: Vec<(Encoding, i32)>,
    /// Length of the dictionary's page, once it is written: the first of `pages` then.
    dictionary_len: usize,
    rows: u64,
    nulls: u64,
    compressed: usize,
    uncompressed: usize,
}

/// Bytes of columns of the row group at work.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    /// Of the finished pages, as they are in the file.
    pub(super) compressed: usize,
    /// Of the finished pages, before compression.
    pub(super) uncompressed: usize,
    /// Of the pages at work, before compression.
    pub(super) at_work: usize,
}

impl ColumnChunk {
    pub(super) fn new(column: ColumnDescPtr, choice: Choice) -> Self {
        Self {
            values: Values::new(column.physical_type(), choice),
            within: (column.max_def_level() > 1).then(|| BooleanBufferBuilder::new(0)),
            column,
            choice,
            bounds: Bounds::default(),
            valid: BooleanBufferBuilder::new(0),
            pages: Vec::new(),
            counts: Vec::new(),
            dictionary_len: 0,
            rows: 0,
            nulls: 0,
            compressed: 0,
            uncompressed: 0,
        }
    }

    pub(super) fn physical(&self) -> Physical {
        self.column.physical_type()
    }

    /// Width of a value of fixed length, bytes.
    pub(super) fn width(&self) -> usize {
        self.column.type_length().max(0) as usize
    }

    /// Notes which rows of a leaf have a value; the values are appended beside.
    pub(super) fn append_validity(&mut self, leaf: Leaf<'_>) {
        let array = leaf.array;
        if let (Some(within), Some(nulls)) = (&mut self.within, leaf.within) {
            match nulls {
                Some(nulls) => within.append_buffer(nulls.inner()),
                None => within.append_n(array.len(), true),
            }
        }
        self.rows += array.len() as u64;
        self.nulls += array.null_count() as u64;
        match array.nulls() {
            Some(nulls) => self.valid.append_buffer(nulls.inner()),
            None => self.valid.append_n(array.len(), true),
        }
    }

    /// Whether the page at work should end.
    pub(super) fn page_is_full(&self) -> bool {
        self.valid.len() >= PAGE_ROWS || self.values.len() >= PAGE_BYTES || self.is_overgrown()
    }

    /// Bytes so far.
    pub(super) fn sizes(&self) -> Sizes {
        let dictionary = match &self.values {
            Values::Dictionary(dictionary) => dictionary.page().len(),
            _ => 0,
        };
        Sizes {
            compressed: self.compressed,
            uncompressed: self.uncompressed,
            at_work: self.values.len() + self.valid.len() / 8 + dictionary,
        }
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        let pages = self.pages.capacity() * size_of::<Bytes>() + self.compressed;
        let within = self.within.as_ref().map_or(0, |within| within.capacity() / 8);
        pages + self.values.memory_bytes() + self.valid.capacity() / 8 + within
    }

    /// Ends the page at work.
    pub(super) fn end_page(&mut self, compressor: &mut Compressor) -> Result<(), ParquetError> {
        let rows = self.valid.len();
        if rows > 0 {
            let mut body = Vec::with_capacity(self.values.len() + rows / 8 + 64);
            let valid = self.valid.finish();
            match &mut self.within {
                None => hybrid::levels(&valid, &mut body),
                Some(within) => hybrid::levels_within(&within.finish(), &valid, &mut body),
            }
            let encoding = self.values.encoding();
            self.values.take(&mut body);
            let page = |buf| Page::DataPage {
                buf,
                num_values: rows as u32,
                encoding,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let page = self.finish(body, compressor, page)?;
            self.pages.push(page);
            match self.counts.iter_mut().find(|(counted, _)| *counted == encoding) {
                Some((_, count)) => *count += 1,
                None => self.counts.push((encoding, 1)),
            }
        }
        if self.is_overgrown() {
            self.go_on_without_dictionary(compressor)?;
        }
        Ok(())
    }

    /// Ends the chunk and begins the next.
    pub(super) fn close(
        &mut self,
        compression: Compression,
        compressor: &mut Compressor,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        self.end_page(compressor)?;
        self.end_dictionary(compressor)?;
        let bytes: Bytes = self.pages.concat().into();
        let text = self.column.converted_type() != ConvertedType::NONE;
        let statistics = self.bounds.take(self.physical(), self.width(), text, self.nulls);
        let mut encodings = vec![Encoding::RLE];
        let mut stats = Vec::new();
        let dictionary =
            (self.dictionary_len > 0).then_some((PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        let data = self.counts.iter().map(|(encoding, n)| (PageType::DATA_PAGE, *encoding, *n));
        for (page_type, encoding, count) in dictionary.into_iter().chain(data) {
            encodings.push(encoding);
            stats.push(PageEncodingStats { page_type, encoding, count });
        }
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset((self.dictionary_len > 0).then_some(0))
            .set_data_page_offset(self.dictionary_len as i64)
            .set_statistics(statistics)
            .build()?;
        let closed = ColumnCloseResult {
            bytes_written: self.compressed as u64,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        *self = Self::new(self.column.clone(), self.choice);
        Ok((bytes, closed))
    }

    fn is_overgrown(&self) -> bool {
        matches!(&self.values, Values::Dictionary(d) if d.page().len() > DICTIONARY_BYTES)
    }

    fn go_on_without_dictionary(
        &mut self,
        compressor: &mut Compressor,
    ) -> Result<(), ParquetError> {
        self.end_dictionary(compressor)?;
        self.choice.dictionary = false;
        self.values = Values::new(self.physical(), self.choice);
        Ok(())
    }

    /// Puts the page of the dictionary, if any value is in it, before all others.
    fn end_dictionary(&mut self, compressor: &mut Compressor) -> Result<(), ParquetError> {
        let Values::Dictionary(dictionary) = &self.values else { return Ok(()) };
        if dictionary.count() == 0 {
            return Ok(());
        }
        let num_values = dictionary.count() as u32;
        let body = dictionary.page().to_vec();
        let page = |buf| Page::DictionaryPage {
            buf,
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let page = self.finish(body, compressor, page)?;
        self.dictionary_len = page.len();
        self.pages.insert(0, page);
        Ok(())
    }

    /// The bytes of a page in the file: header and compressed body.
    fn finish(
        &mut self,
        body: Vec<u8>,
        compressor: &mut Compressor,
        page: impl FnOnce(Bytes) -> Page,
    ) -> Result<Bytes, ParquetError> {
        let uncompressed = body.len();
        let page = page(compressor.compress(body)?.into());
        let mut out = TrackedWrite::new(Vec::with_capacity(page.buffer().len() + 64));
        let written = SerializedPageWriter::new(&mut out)
            .write_page(CompressedPage::new(page, uncompressed))?;
        let mut bytes = out.into_inner()?;
        bytes.shrink_to_fit();
        self.compressed += bytes.len();
        self.uncompressed += written.uncompressed_size;
        Ok(bytes.into())
    }
}
