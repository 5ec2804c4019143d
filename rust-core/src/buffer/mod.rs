//! Room 5, buffer: in come rows of one partition path and schema, out go batches of columns to the
//! file's encoder and, at the end, the sealed file. Never knows where the file will lie.

mod arrays;
mod batch;
mod column;
mod encoder;
mod envelope;
mod file;
mod image;
mod layout;
mod metadata;

pub use encoder::Encoder;
pub use file::OpenFile;
pub use layout::FileLayout;

use bytes::Bytes;

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

impl OpenFileStats {
    fn take(&mut self, stamp: &RowStamp<'_>) {
        self.rows += 1;
        self.first_offset = self.first_offset.min(stamp.offset);
        self.last_offset = stamp.offset;
        self.min_event_time_us = self.min_event_time_us.min(stamp.event_time_us);
        self.max_event_time_us = self.max_event_time_us.max(stamp.event_time_us);
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
