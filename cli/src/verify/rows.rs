//! One data file read back: in go its bytes, out come the offsets of its rows. Parquet by the
//! `parquet` crate's reader, three columns only; lines by [`lines`]; no code that wrote the file.

use super::lines;
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

impl FileRows {
    /// Takes a row. `last` is where the row before it was from: in the usual file all rows are of
    /// one topic-partition, whose name need not be made anew for each.
    pub(super) fn take(
        &mut self,
        topic: Option<&str>,
        partition: Option<i32>,
        offset: Option<i64>,
        last: &mut Option<TopicPartition>,
    ) {
        self.rows += 1;
        let (Some(topic), Some(partition), Some(offset)) = (topic, partition, offset) else {
            self.nameless += 1;
            return;
        };
        let tp = match last.take() {
            Some(tp) if *tp.topic == *topic && tp.partition == partition => tp,
            _ => TopicPartition::new(topic, partition),
        };
        if !self.offsets.entry(tp.clone()).or_default().insert(offset) {
            self.doubled_rows += 1;
            if self.doubled.len() < KEPT {
                self.doubled.push((tp.clone(), offset));
            }
        }
        *last = Some(tp);
    }
}

/// Reads a file, of the format that its key names. `tp` is the topic-partition it should be of.
///
/// # Errors
/// A text that says why it is not readable.
pub(super) fn read(
    key: &str,
    bytes: Bytes,
    tp: Option<&TopicPartition>,
) -> Result<FileRows, String> {
    match lines::by_name(key) {
        Some(what) => lines::read(key, what, &bytes, tp),
        None => parquet(bytes),
    }
}

fn parquet(bytes: Bytes) -> Result<FileRows, String> {
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
    let place = names.iter().rposition(|name| is_ours(name, wanted));
    place.ok_or(format!("it has no column _{wanted}"))
}

/// Whether a column can be our `_` column of this name.
pub(super) fn is_ours(name: &str, wanted: &str) -> bool {
    name.starts_with('_') && name.trim_start_matches('_').eq_ignore_ascii_case(wanted)
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
    let mut last = None;
    for row in 0..batch.num_rows() {
        let topic = topics.is_valid(row).then(|| topics.value(row));
        let partition = partitions.is_valid(row).then(|| partitions.value(row));
        let offset = offsets.is_valid(row).then(|| offsets.value(row));
        file.take(topic, partition, offset, &mut last);
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
        let text = Bytes::from_static(b"no parquet at all, only text");
        assert!(read("a.parquet", text, None).is_err());
    }
}
