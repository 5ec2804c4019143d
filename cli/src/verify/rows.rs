//! One data file read back: in go its bytes, out come the offsets of its rows. By the `parquet`
//! crate's reader, three columns only, no code that wrote the file.

use super::offsets::Offsets;
use alluvium_core::position::TopicPartition;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;

/// Rows that are not shown one by one.
const KEPT: usize = 20;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    /// Rows.
    pub(super) rows: u64,
    /// The offsets of its rows, by topic-partition.
    pub(super) offsets: BTreeMap<TopicPartition, Offsets>,
    /// Rows whose offset another row of the file has; the first of them.
    pub(super) doubled: Vec<(TopicPartition, i64)>,
    /// How many those are.
    pub(super) doubled_rows: u64,
    /// Rows that do not say where they are from.
    pub(super) nameless: u64,
}

/// Reads a file.
///
/// # Errors
/// A text that says why it is not readable.
pub(super) fn read(bytes: Bytes) -> Result<FileRows, String> {
    let mut file = FileRows::default();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| e.to_string())?;
    let names: Vec<String> =
        builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let wanted =
        [column(&names, "topic")?, column(&names, "partition")?, column(&names, "offset")?];
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder.with_projection(mask).build().map_err(|e| e.to_string())?;
    for batch in reader {
        let batch = batch.map_err(|e| e.to_string())?;
        take(&batch, wanted.map(|index| &*names[index]), &mut file)?;
    }
    Ok(file)
}

/// The `_` columns stand behind the table's and take one more underscore for each that the table
/// has itself: the last one of that name is ours.
fn column(names: &[String], wanted: &str) -> Result<usize, String> {
    let is_ours = |name: &String| {
        name.starts_with('_') && name.trim_start_matches('_').eq_ignore_ascii_case(wanted)
    };
    names.iter().rposition(is_ours).ok_or(format!("it has no column _{wanted}"))
}

fn take(batch: &RecordBatch, names: [&str; 3], file: &mut FileRows) -> Result<(), String> {
    let column = |name: &str, to: &DataType| -> Result<ArrayRef, String> {
        let column = batch.column_by_name(name).ok_or(format!("it has no column {name}"))?;
        cast(column, to).map_err(|e| format!("column {name}: {e}"))
    };
    let topics = column(names[0], &DataType::Utf8)?;
    let partitions = column(names[1], &DataType::Int32)?;
    let offsets = column(names[2], &DataType::Int64)?;
    let (topics, partitions, offsets) = (
        topics.as_string::<i32>(),
        partitions.as_primitive::<Int32Type>(),
        offsets.as_primitive::<Int64Type>(),
    );
    // Rows of one topic-partition follow one another: in the usual file there is no other.
    let mut last: Option<TopicPartition> = None;
    for row in 0..batch.num_rows() {
        file.rows += 1;
        if topics.is_null(row) || partitions.is_null(row) || offsets.is_null(row) {
            file.nameless += 1;
            continue;
        }
        let (topic, partition) = (topics.value(row), partitions.value(row));
        let tp = match last.take() {
            Some(tp) if *tp.topic == *topic && tp.partition == partition => tp,
            _ => TopicPartition::new(topic, partition),
        };
        let offset = offsets.value(row);
        if !file.offsets.entry(tp.clone()).or_default().insert(offset) {
            file.doubled_rows += 1;
            if file.doubled.len() < KEPT {
                file.doubled.push((tp.clone(), offset));
            }
        }
        last = Some(tp);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_columns_are_told_from_the_tables() {
        let names = ["_offset", "id", "_topic", "_OFFSET", "__topic", "_partition", "___offset"];
        let names: Vec<String> = names.map(str::to_owned).to_vec();
        assert_eq!(column(&names, "offset"), Ok(6));
        assert_eq!(column(&names, "topic"), Ok(4));
        assert!(column(&names, "op").is_err());
    }

    #[test]
    fn what_is_no_parquet_file_is_said_so() {
        assert!(read(Bytes::from_static(b"no parquet at all, only text")).is_err());
    }
}
