//! `parquet.sort.columns`: in go batches, out come the rows of a row group in order. What the
//! footer says of the order is true of every row group, and is said only where it is.

use super::leaves::leaves;
use crate::buffer::FileLayout;
use crate::config::ParquetConfig;
use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{
    SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch,
};
use arrow::error::ArrowError;
use parquet::file::metadata::SortingColumn;
use std::sync::Arc;

/// Memory of rows that wait, at which they are sorted and written.
const WAITING_BYTES: usize = 32 << 20;

/// Rows of a row group that wait until all are there.
#[derive(Debug)]
pub(super) struct Sorter {
    /// The columns, the first by which rows differ counts.
    by: Vec<usize>,
    waiting: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Sorter {
    /// `None` when no column that rows are to be sorted by is in the file.
    pub(super) fn new(layout: &FileLayout, config: &ParquetConfig) -> Option<Self> {
        let by: Vec<usize> =
            config.sort_columns.iter().filter_map(|name| layout.leaf(name)).collect();
        (!by.is_empty()).then(|| Self { by, waiting: Vec::new(), rows: 0, bytes: 0 })
    }

    /// What the footer says of the order.
    pub(super) fn says(&self) -> Vec<SortingColumn> {
        let column = |at: &usize| SortingColumn {
            column_idx: i32::try_from(*at).unwrap_or(i32::MAX),
            descending: false,
            nulls_first: true,
        };
        self.by.iter().map(column).collect()
    }

    /// Takes rows of the row group at work.
    pub(super) fn push(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.waiting.push(batch);
    }

    /// Rows that wait.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Memory of the rows that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether so much waits that the row group has to end.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= WAITING_BYTES
    }

    /// The rows that wait, in order; rows that are alike by offset. `None` = there are none.
    pub(super) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(schema) = self.waiting.first().map(RecordBatch::schema) else { return Ok(None) };
        let rows = concat_batches(&schema, &std::mem::take(&mut self.waiting))?;
        (self.rows, self.bytes) = (0, 0);
        let options = SortOptions { descending: false, nulls_first: true };
        let column = |values: ArrayRef| SortColumn { values, options: Some(options) };
        let places = UInt64Array::from_iter_values(0..rows.num_rows() as u64);
        let of_leaf = |at: &usize| leaves(rows.columns()).nth(*at).map(|leaf| leaf.array.clone());
        let mut columns: Vec<SortColumn> = self.by.iter().filter_map(of_leaf).map(column).collect();
        columns.push(column(Arc::new(places)));
        take_record_batch(&rows, &lexsort_to_indices(&columns, None)?).map(Some)
    }
}
