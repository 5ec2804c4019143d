//! The port to room 7: what a file asks of the encoder of its format.

use crate::error::Result;
use arrow::array::RecordBatch;
use bytes::Bytes;
use std::fmt::Debug;

/// Turns batches into the bytes of one file.
pub trait Encoder: Debug + Send {
    /// Takes the next rows. After an error the encoder is of no more use.
    ///
    /// # Errors
    /// `Encode`.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Takes the bytes that are final and not yet taken.
    fn drain(&mut self) -> Option<Bytes>;

    /// Memory held, bytes: rows in progress and bytes not yet drained.
    fn memory_bytes(&self) -> u64;

    /// Final bytes so far, drained or not.
    fn encoded_bytes(&self) -> u64;

    /// Bytes drained so far.
    fn drained_bytes(&self) -> u64;

    /// Final bytes that a byte of rows makes, about, until the file has shown its own.
    fn first_ratio(&self) -> f64 {
        0.25
    }

    /// Final bytes, and what the rows in progress are likely to add.
    fn estimated_bytes(&self) -> u64;

    /// Ends the file, with `metadata` where the format has a place for it; gives the bytes not yet
    /// drained.
    ///
    /// # Errors
    /// `Encode`.
    fn finish(self: Box<Self>, metadata: &[(&'static str, String)]) -> Result<Bytes>;
}
