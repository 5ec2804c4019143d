//! A file that still takes rows.

use super::batch::BatchBuffer;
use super::{Encoder, FileLayout, OpenFileStats, RowStamp, SealedFile};
use crate::envelope::Row;
use crate::error::{Error, Kind, Result};
use crate::schema::TableSchema;
use bytes::Bytes;
use std::sync::Arc;

/// Rows handed to the encoder together: enough to make its work cheap, few enough to stay in the
/// processor's cache.
const BATCH_ROWS: usize = 2_048;
/// Bytes of rows that are handed over however few they are.
const BATCH_BYTES: u64 = 2 << 20;

/// A file that still takes rows: one topic-partition, one partition path, one schema.
#[derive(Debug)]
pub struct OpenFile {
    layout: Arc<FileLayout>,
    encoder: Box<dyn Encoder>,
    batch: BatchBuffer,
    topic: String,
    partition: i32,
    stats: OpenFileStats,
    /// Bytes of the rows the encoder has.
    handed_bytes: u64,
    /// The encoder's answers after the last batch: asking walks over every column.
    encoder_memory: u64,
    encoder_estimate: u64,
}

impl OpenFile {
    /// A file without rows. `encode::open` gives one with the encoder of the configuration.
    pub fn new(layout: Arc<FileLayout>, encoder: Box<dyn Encoder>) -> Self {
        Self {
            batch: BatchBuffer::new(&layout),
            layout,
            encoder,
            topic: String::new(),
            partition: 0,
            stats: OpenFileStats::default(),
            handed_bytes: 0,
            encoder_memory: 0,
            encoder_estimate: 0,
        }
    }

    /// Appends a row; `value` is the value of the record it was read from. On an error nothing of
    /// the row is in the file.
    ///
    /// `mapping` is for rows read with an older plan than the file's schema: for each slot of the
    /// row the column it goes to (`None` = to none); columns that no slot goes to are null. Without
    /// a mapping slot n is column n. A row without slots (truncate, message) has null everywhere.
    /// The old row is mapped like the row; a file that has no column for it leaves it out.
    ///
    /// # Errors
    /// `BadRecord` when a value does not fit its column; `Encode` when row and file do not belong
    /// together, or the batch cannot be encoded: only then the file is lost.
    pub fn append(
        &mut self,
        row: &Row,
        value: &[u8],
        stamp: &RowStamp<'_>,
        mapping: Option<&[Option<u16>]>,
    ) -> Result<()> {
        if self.stats.rows == 0 {
            stamp.topic.clone_into(&mut self.topic);
            self.partition = stamp.partition;
        } else if stamp.offset <= self.stats.last_offset
            || stamp.partition != self.partition
            || stamp.topic != self.topic
        {
            return Err(self.foreign(stamp));
        }
        self.batch.append(row, value, stamp, mapping, &self.layout).map_err(|error| {
            error
                .with("topic", stamp.topic)
                .with("partition", stamp.partition)
                .with("offset", stamp.offset)
        })?;
        self.stats.take(stamp);
        if self.batch.rows() >= BATCH_ROWS || self.batch.bytes() >= BATCH_BYTES {
            self.hand_over()?;
        }
        self.estimate();
        Ok(())
    }

    /// Takes the bytes that are final, if there are any: the next part of the file.
    pub fn drain_encoded(&mut self) -> Option<Bytes> {
        let drained = self.encoder.drain()?;
        self.encoder_memory = self.encoder.memory_bytes();
        self.estimate();
        Some(drained)
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
    pub fn seal(mut self) -> Result<SealedFile> {
        if self.stats.rows == 0 {
            return Err(Error::new(
                Kind::Encode,
                "a file without rows cannot be sealed; please report this bug",
            ));
        }
        if self.batch.rows() > 0 {
            self.hand_over()?;
        }
        let drained = self.encoder.drained_bytes();
        let tail = self.encoder.finish(&[
            ("alluvium.topic", self.topic),
            ("alluvium.partition", self.partition.to_string()),
            ("alluvium.first_offset", self.stats.first_offset.to_string()),
            ("alluvium.last_offset", self.stats.last_offset.to_string()),
            ("alluvium.version", env!("CARGO_PKG_VERSION").to_owned()),
        ])?;
        let size = drained + tail.len() as u64;
        let memory_bytes = tail.len() as u64;
        let stats = OpenFileStats {
            encoded_bytes: size,
            estimated_bytes: size,
            memory_bytes,
            ..self.stats
        };
        Ok(SealedFile { tail, stats })
    }

    fn hand_over(&mut self) -> Result<()> {
        self.handed_bytes += self.batch.bytes();
        let batch = self.batch.take(&self.layout, &self.topic, self.partition)?;
        self.encoder.write(&batch)?;
        self.encoder_memory = self.encoder.memory_bytes();
        self.encoder_estimate = self.encoder.estimated_bytes();
        self.stats.encoded_bytes = self.encoder.encoded_bytes();
        Ok(())
    }

    fn estimate(&mut self) {
        let ratio = match self.handed_bytes {
            0 => self.encoder.first_ratio(),
            handed => self.encoder_estimate as f64 / handed as f64,
        };
        let waiting = self.batch.bytes() as f64 * ratio;
        self.stats.estimated_bytes = self.encoder_estimate + waiting as u64;
        self.stats.memory_bytes = self.batch.memory_bytes() + self.encoder_memory;
    }

    #[cold]
    fn foreign(&self, stamp: &RowStamp<'_>) -> Error {
        Error::new(
            Kind::Encode,
            "a row is not the next of its file: another topic-partition, or an offset not above \
             the last; please report this bug",
        )
        .with("topic", stamp.topic)
        .with("partition", stamp.partition)
        .with("offset", stamp.offset)
        .with("file_topic", &self.topic)
        .with("file_partition", self.partition)
        .with("last_offset", self.stats.last_offset)
    }
}
