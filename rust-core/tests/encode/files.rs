//! Files written from cells, and read back with the Parquet crate's own reader.

use crate::cells::{Cell, expected};
use alluvium_core::buffer::{FileLayout, OpenFile, RowStamp, SealedFile};
use alluvium_core::config::{Compression, FileFormat, ParquetConfig};
use alluvium_core::encode;
use alluvium_core::envelope::{Op, Row, SpanSource};
use alluvium_core::error::Result;
use alluvium_core::schema::{Column, ColumnKind, TableSchema};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use std::sync::Arc;

pub(crate) const PLAIN: ParquetConfig = ParquetConfig {
    compression: Compression::Zstd(1),
    row_group_rows: 65_536,
    bloom_columns: Vec::new(),
    sort_columns: Vec::new(),
};

/// Columns `c0`, `c1`, … of the kinds.
pub(crate) fn schema(kinds: &[ColumnKind]) -> Arc<TableSchema> {
    let column =
        |(at, kind): (usize, &ColumnKind)| Column { name: format!("c{at}").into(), kind: *kind };
    Arc::new(TableSchema { columns: kinds.iter().enumerate().map(column).collect() })
}

pub(crate) fn open(schema: &Arc<TableSchema>, config: &ParquetConfig) -> OpenFile {
    let format = FileFormat::Parquet(config.clone());
    encode::open(&Arc::new(FileLayout::new(schema.clone())), &format)
}

/// A row of the cells, every second text in the record's value, the others in the arena.
pub(crate) fn row(cells: &[Cell]) -> (Row, Vec<u8>) {
    let (mut row, mut value) = (Row { op: Some(Op::Create), ..Row::default() }, b"pad".to_vec());
    for (at, cell) in cells.iter().enumerate() {
        let slot = match at % 2 {
            0 => cell.slot(SpanSource::Value, &mut value),
            _ => cell.slot(SpanSource::Arena, &mut row.arena),
        };
        row.slots.push(slot);
    }
    (row, value)
}

pub(crate) fn stamp(offset: i64) -> RowStamp<'static> {
    RowStamp { topic: "orders_cdc", partition: 3, offset, event_time_us: 1_000_000 - offset }
}

pub(crate) fn append(file: &mut OpenFile, offset: i64, cells: &[Cell]) -> Result<()> {
    let (row, value) = row(cells);
    file.append(&row, &value, &stamp(offset), None)
}

/// Everything of a file: what is drained on the way, then the tail.
pub(crate) fn finish(mut file: OpenFile, mut drained: Vec<u8>) -> (Bytes, SealedFile) {
    while let Some(part) = file.drain_encoded() {
        drained.extend_from_slice(&part);
    }
    let sealed = file.seal().unwrap();
    drained.extend_from_slice(&sealed.tail);
    assert_eq!(sealed.stats.encoded_bytes, drained.len() as u64, "the size told is the size");
    (drained.into(), sealed)
}

/// A file of the rows, drained whenever there is something.
pub(crate) fn write(
    schema: &Arc<TableSchema>,
    config: &ParquetConfig,
    rows: &[Vec<Cell>],
) -> Bytes {
    let mut file = open(schema, config);
    let mut drained = Vec::new();
    for (offset, cells) in (0..).zip(rows) {
        append(&mut file, offset, cells).unwrap();
        if let Some(part) = file.drain_encoded() {
            drained.extend_from_slice(&part);
        }
    }
    finish(file, drained).0
}

pub(crate) fn read(file: &Bytes) -> (RecordBatch, Arc<ParquetMetaData>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
    let metadata = builder.metadata().clone();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    (concat_batches(&schema, &batches).unwrap(), metadata)
}

/// Whether the columns of the table hold the rows, type by type and value by value.
pub(crate) fn assert_rows(batch: &RecordBatch, kinds: &[ColumnKind], rows: &[Vec<Cell>]) {
    assert_eq!(batch.num_rows(), rows.len());
    for (at, kind) in kinds.iter().enumerate() {
        let cells: Vec<&Cell> = rows.iter().map(|row| &row[at]).collect();
        let (got, expected) = (batch.column(at), expected(*kind, &cells));
        assert_eq!(got.data_type(), &kind.data_type(), "type of {kind:?}");
        assert_eq!(got, &expected, "values of {kind:?}");
    }
}
