//! What a reader of the table sees: every visible file, read by the `parquet` crate's reader or
//! by `serde_json`, not by code of ours.

use crate::MemoryStore;
use alluvium_core::position::TopicPartition;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// How often each position is visible.
pub type Visible = BTreeMap<(TopicPartition, i64), u32>;

/// Reads visible files, each only once: files are immutable.
#[derive(Debug, Default)]
pub struct Reader {
    files: HashMap<String, Vec<(TopicPartition, i64)>>,
}

impl Reader {
    /// Every position visible below the folder `table`, and how often.
    ///
    /// # Errors
    /// A text naming the file that cannot be read, or that changed or vanished since last time.
    pub fn read(&mut self, store: &MemoryStore, table: &str) -> Result<Visible, String> {
        let prefix = format!("{table}/");
        let keys: Vec<String> =
            store.keys().into_iter().filter(|key| key.starts_with(&prefix)).collect();
        if let Some(gone) = self.files.keys().find(|key| !keys.contains(key)) {
            return Err(format!("{gone} was visible and is gone"));
        }
        let mut visible = Visible::new();
        for key in keys {
            if !self.files.contains_key(&key) {
                let bytes = store.object(&key).ok_or("listed, not there")?;
                let rows = rows(&key, bytes).map_err(|e| format!("{key}: {e}"))?;
                let positions = rows.into_iter().map(|row| (row.tp, row.offset)).collect();
                self.files.insert(key.clone(), positions);
            }
            for position in &self.files[&key] {
                *visible.entry(position.clone()).or_default() += 1;
            }
        }
        Ok(visible)
    }

    /// Number of visible files.
    pub fn files(&self) -> usize {
        self.files.len()
    }
}

/// A row as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it is from,
    pub tp: TopicPartition,
    /// and its offset there.
    pub offset: i64,
    /// Its column `id`, where there is one.
    pub id: Option<i64>,
}

type AnyError = Box<dyn std::error::Error>;

/// The rows of a file of the format that its key names.
///
/// # Errors
/// A text saying why it cannot be read, or which row does not say where it is from.
pub fn rows(key: &str, bytes: Bytes) -> Result<Vec<Row>, String> {
    let read = match key {
        _ if key.ends_with(".parquet") => read(bytes),
        _ if key.ends_with(".json.gz") => json(bytes),
        _ if key.ends_with(".csv.zst") => csv(bytes),
        _ => Err("its name says nothing of a format".into()),
    };
    read.map_err(|error| error.to_string())
}

/// One object a line.
fn json(bytes: Bytes) -> Result<Vec<Row>, AnyError> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes.reader()).read_to_string(&mut text)?;
    let row = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line)?;
        let partition = object["_partition"].as_i64().ok_or("no _partition")?;
        Ok(Row {
            tp: TopicPartition::new(
                object["_topic"].as_str().ok_or("no _topic")?,
                i32::try_from(partition)?,
            ),
            offset: object["_offset"].as_i64().ok_or("no _offset")?,
            id: object["id"].as_i64(),
        })
    };
    text.lines().map(row).collect()
}

/// With a header.
fn csv(bytes: Bytes) -> Result<Vec<Row>, AnyError> {
    let text = zstd::decode_all(bytes.reader())?;
    let text = String::from_utf8(text)?;
    if text.contains('"') {
        return Err("a value is quoted: no event of these tests needs that".into());
    }
    let mut records = text.split_terminator("\r\n").map(|record| record.split(','));
    let header: Vec<&str> = records.next().ok_or("no header")?.collect();
    let row = |record: std::str::Split<'_, char>| {
        let record: Vec<&str> = record.collect();
        let value = |name: &str| {
            let column = header.iter().position(|column| *column == name);
            column.and_then(|at| record.get(at).copied()).ok_or(format!("no column {name}"))
        };
        Ok(Row {
            tp: TopicPartition::new(value("_topic")?, value("_partition")?.parse()?),
            offset: value("_offset")?.parse()?,
            id: value("id")?.parse().ok(),
        })
    };
    records.map(row).collect()
}

fn read(bytes: Bytes) -> Result<Vec<Row>, AnyError> {
    let mut all = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        let batch = batch?;
        let column = |name: &str, to: &DataType| -> Result<ArrayRef, AnyError> {
            let column = batch.column_by_name(name).ok_or(format!("no column {name}"))?;
            Ok(cast(column, to)?)
        };
        let topics = column("_topic", &DataType::Utf8)?;
        let partitions = column("_partition", &DataType::Int32)?;
        let offsets = column("_offset", &DataType::Int64)?;
        let ids = column("id", &DataType::Int64).ok();
        for row in 0..batch.num_rows() {
            if topics.is_null(row) || partitions.is_null(row) || offsets.is_null(row) {
                return Err(format!("row {row} does not say where it is from").into());
            }
            let topic = topics.as_string::<i32>().value(row);
            let partition = partitions.as_primitive::<Int32Type>().value(row);
            let id = ids.as_ref().filter(|ids| ids.is_valid(row));
            all.push(Row {
                tp: TopicPartition::new(topic, partition),
                offset: offsets.as_primitive::<Int64Type>().value(row),
                id: id.map(|ids| ids.as_primitive::<Int64Type>().value(row)),
            });
        }
    }
    Ok(all)
}
