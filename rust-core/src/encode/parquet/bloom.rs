//! Bloom filters of a row group: in go its batches, out comes a filter for each column that is
//! wanted (`parquet.bloom.columns`), as large as its values need.

use super::leaves::leaves;
use crate::buffer::FileLayout;
use crate::config::ParquetConfig;
use arrow::array::{Array, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use parquet::basic::Type as Physical;
use parquet::bloom_filter::Sbbf;
use parquet::data_type::AsBytes;
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

/// How often a filter says "perhaps" of a value that is not there.
const FALSE_POSITIVES: f64 = 0.01;
/// Values that a filter is made for at most; with more it says "perhaps" more often.
const VALUES_MAX: usize = 1 << 20;

/// The filters of the row group at work.
#[derive(Debug, Default)]
pub(super) struct Blooms(Vec<Bloom>);

#[derive(Debug)]
struct Bloom {
    /// The column, in the order of the file.
    column: usize,
    /// Width of values that are neither integers nor byte strings.
    width: usize,
    physical: Physical,
    values_max: usize,
    filter: Option<Sbbf>,
}

impl Blooms {
    /// The filters that the configuration wants of a file's columns.
    pub(super) fn new(
        layout: &FileLayout,
        config: &ParquetConfig,
        schema: &SchemaDescriptor,
    ) -> Self {
        let bloom = |name: &String| {
            let column = layout.leaf(name)?;
            let descriptor: &ColumnDescriptor = schema.columns().get(column)?;
            let physical = descriptor.physical_type();
            // Two values need no filter.
            (physical != Physical::BOOLEAN).then(|| Bloom {
                column,
                width: usize::try_from(descriptor.type_length()).unwrap_or(0),
                physical,
                values_max: config.row_group_rows.min(VALUES_MAX),
                filter: None,
            })
        };
        Self(config.bloom_columns.iter().filter_map(bloom).collect())
    }

    /// Takes the values of a batch.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        for bloom in &mut self.0 {
            let Some(leaf) = leaves(batch.columns()).nth(bloom.column) else { continue };
            let filter = match &mut bloom.filter {
                Some(filter) => filter,
                None => {
                    let values = bloom.values_max as u64;
                    bloom.filter.insert(Sbbf::new_with_ndv_fpp(values, FALSE_POSITIVES)?)
                }
            };
            insert(filter, leaf.array.as_ref(), bloom.physical, bloom.width);
        }
        Ok(())
    }

    /// The filter of a column, and the next row group begins.
    pub(super) fn end(&mut self, column: usize) -> Option<Sbbf> {
        let bloom = self.0.iter_mut().find(|bloom| bloom.column == column)?;
        let mut filter = bloom.filter.take()?;
        filter.fold_to_target_fpp(FALSE_POSITIVES);
        Some(filter)
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        let filters = self.0.iter().filter_map(|bloom| bloom.filter.as_ref());
        filters.map(|filter| filter.num_blocks() * 32).sum()
    }
}

/// Inserts the values of an array as Parquet has them.
fn insert(filter: &mut Sbbf, array: &dyn Array, physical: Physical, width: usize) {
    let narrow = physical == Physical::INT32;
    match array.data_type() {
        DataType::Int16 => each::<Int16Type, _>(filter, array, i32::from),
        DataType::Int32 => each::<Int32Type, _>(filter, array, |n| n),
        DataType::Date32 => each::<Date32Type, _>(filter, array, |n| n),
        DataType::Int64 => each::<Int64Type, _>(filter, array, |n| n),
        DataType::Time64(_) => each::<Time64MicrosecondType, _>(filter, array, |n| n),
        DataType::Timestamp(..) => each::<TimestampMicrosecondType, _>(filter, array, |n| n),
        DataType::Float32 => each::<Float32Type, _>(filter, array, |f| f),
        DataType::Float64 => each::<Float64Type, _>(filter, array, |f| f),
        DataType::Decimal128(..) if physical == Physical::FIXED_LEN_BYTE_ARRAY => {
            for value in array.as_primitive::<Decimal128Type>().iter().flatten() {
                filter.insert(&value.to_be_bytes()[16 - width.min(16)..]);
            }
        }
        DataType::Decimal128(..) if narrow => {
            each::<Decimal128Type, _>(filter, array, |n| n as i32);
        }
        DataType::Decimal128(..) => each::<Decimal128Type, _>(filter, array, |n| n as i64),
        DataType::Decimal256(..) => {
            for value in array.as_primitive::<Decimal256Type>().iter().flatten() {
                filter.insert(&value.to_be_bytes()[32 - width.min(32)..]);
            }
        }
        DataType::Utf8 => {
            array
                .as_string::<i32>()
                .iter()
                .flatten()
                .for_each(|text| filter.insert(text.as_bytes()));
        }
        DataType::Binary => {
            array.as_binary::<i32>().iter().flatten().for_each(|bytes| filter.insert(bytes));
        }
        // No column of another type is looked up by its name above.
        _ => {}
    }
}

fn each<T: ArrowPrimitiveType, B: AsBytes>(
    filter: &mut Sbbf,
    array: &dyn Array,
    into: impl Fn(T::Native) -> B,
) {
    array.as_primitive::<T>().iter().flatten().for_each(|value| filter.insert(&into(value)));
}
