//! The values of an array, nulls left out, into the page at work.

use super::chunk::ColumnChunk;
use super::leaves::Leaf;
use super::values::Values;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type,
    Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, i256,
};
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;

/// Appends the rows of an array to a column.
pub(super) fn append(chunk: &mut ColumnChunk, leaf: Leaf<'_>) -> Result<(), ParquetError> {
    let array = leaf.array;
    chunk.append_validity(leaf);
    match array.data_type() {
        DataType::Boolean => bools(chunk, array),
        DataType::Int16 => ints(chunk, &dense::<Int16Type, _>(array, i64::from)),
        DataType::Int32 => ints(chunk, &dense::<Int32Type, _>(array, i64::from)),
        DataType::Date32 => ints(chunk, &dense::<Date32Type, _>(array, i64::from)),
        DataType::Int64 => ints(chunk, &dense::<Int64Type, _>(array, |n| n)),
        DataType::Time64(TimeUnit::Microsecond) => {
            ints(chunk, &dense::<Time64MicrosecondType, _>(array, |n| n));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            ints(chunk, &dense::<TimestampMicrosecondType, _>(array, |n| n));
        }
        DataType::Float32 => floats(chunk, &dense::<Float32Type, _>(array, f64::from)),
        DataType::Float64 => floats(chunk, &dense::<Float64Type, _>(array, |f| f)),
        DataType::Decimal128(..) if chunk.physical() == Physical::FIXED_LEN_BYTE_ARRAY => {
            wide(chunk, &dense::<Decimal128Type, _>(array, i256::from_i128));
        }
        // Up to 18 digits Parquet keeps decimals as integers.
        DataType::Decimal128(..) => ints(chunk, &dense::<Decimal128Type, _>(array, |n| n as i64)),
        DataType::Decimal256(..) => wide(chunk, &dense::<Decimal256Type, _>(array, |n| n)),
        DataType::Utf8 => {
            bytes(chunk, array.as_string::<i32>().iter().flatten().map(str::as_bytes));
        }
        DataType::Binary => bytes(chunk, array.as_binary::<i32>().iter().flatten()),
        other => return Err(ParquetError::NYI(format!("columns of {other}"))),
    }
    Ok(())
}

/// The values that are not null.
fn dense<T: ArrowPrimitiveType, U>(array: &ArrayRef, into: impl Fn(T::Native) -> U) -> Vec<U> {
    let array = array.as_primitive::<T>();
    let values = array.values();
    let mut dense = Vec::with_capacity(array.len() - array.null_count());
    match array.nulls() {
        None => dense.extend(values.iter().map(|value| into(*value))),
        Some(nulls) => {
            for (start, end) in nulls.valid_slices() {
                dense.extend(values[start..end].iter().map(|value| into(*value)));
            }
        }
    }
    dense
}

fn ints(chunk: &mut ColumnChunk, values: &[i64]) {
    chunk.bounds.ints(values);
    let width = if chunk.physical() == Physical::INT32 { 4 } else { 8 };
    chunk.values.ints(values, width);
}

fn floats(chunk: &mut ColumnChunk, values: &[f64]) {
    chunk.bounds.floats(values);
    let narrow = chunk.physical() == Physical::FLOAT;
    for value in values {
        if narrow {
            chunk.values.fixed(&(*value as f32).to_le_bytes());
        } else {
            chunk.values.fixed(&value.to_le_bytes());
        }
    }
}

fn wide(chunk: &mut ColumnChunk, values: &[i256]) {
    let width = chunk.width();
    for value in values {
        chunk.bounds.wide(*value);
        chunk.values.fixed(&value.to_be_bytes()[32 - width..]);
    }
}

fn bytes<'a>(chunk: &mut ColumnChunk, values: impl Iterator<Item = &'a [u8]>) {
    for value in values {
        if chunk.values.bytes(value) {
            chunk.bounds.bytes(value);
        }
    }
}

fn bools(chunk: &mut ColumnChunk, array: &ArrayRef) {
    let Values::Bits(bits) = &mut chunk.values else { return };
    for value in array.as_boolean().iter().flatten() {
        bits.append(value);
        chunk.bounds.bool(value);
    }
}
