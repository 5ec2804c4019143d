//! A column of a batch, its type looked up once; and the values that JSON and CSV write alike.

use super::{decimal, time, unknown_type};
use crate::error::Result;
use arrow::array::{Array, AsArray, BinaryArray, BooleanArray, FixedSizeBinaryArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, i256,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The values of a column.
#[derive(Debug)]
pub(super) struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    pub(super) values: Values<'a>,
}

/// Values by how they are written.
#[derive(Debug)]
pub(super) enum Values<'a> {
    Bool(&'a BooleanArray),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    Decimal(&'a [i128], i8),
    Wide(&'a [i256], i8),
    Text(&'a StringArray),
    Binary(&'a BinaryArray),
    Fixed(&'a FixedSizeBinaryArray),
    Date(&'a [i32]),
    Time(&'a [i64]),
    /// µs since 1970, and whether in UTC.
    Timestamp(&'a [i64], bool),
    /// Each member with the JSON of its name and the colon.
    Struct(Vec<(Vec<u8>, Column<'a>)>),
    /// Where each row's items begin, and the items.
    List(&'a [i32], Box<Column<'a>>),
    /// Items of a row, and the items.
    FixedList(usize, Box<Column<'a>>),
}

impl<'a> Column<'a> {
    /// Looks at an array.
    ///
    /// # Errors
    /// `Encode`: a type that no schema gives a column.
    pub(super) fn of(name: &str, array: &'a dyn Array) -> Result<Self> {
        let values = match array.data_type() {
            DataType::Boolean => Values::Bool(array.as_boolean()),
            DataType::Int8 => Values::I8(slice::<Int8Type>(array)),
            DataType::Int16 => Values::I16(slice::<Int16Type>(array)),
            DataType::Int32 => Values::I32(slice::<Int32Type>(array)),
            DataType::Int64 => Values::I64(slice::<Int64Type>(array)),
            DataType::Float32 => Values::F32(slice::<Float32Type>(array)),
            DataType::Float64 => Values::F64(slice::<Float64Type>(array)),
            DataType::Decimal128(_, scale) => {
                Values::Decimal(slice::<Decimal128Type>(array), *scale)
            }
            DataType::Decimal256(_, scale) => Values::Wide(slice::<Decimal256Type>(array), *scale),
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Binary => Values::Binary(array.as_binary()),
            DataType::FixedSizeBinary(_) => Values::Fixed(array.as_fixed_size_binary()),
            DataType::Date32 => Values::Date(slice::<Date32Type>(array)),
            DataType::Time64(TimeUnit::Microsecond) => {
                Values::Time(slice::<Time64MicrosecondType>(array))
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                Values::Timestamp(slice::<TimestampMicrosecondType>(array), zone.is_some())
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let members = columns.map(|(field, column)| {
                    let mut key = Vec::with_capacity(field.name().len() + 3);
                    super::json::string(field.name().as_bytes(), &mut key);
                    key.push(b':');
                    Ok((key, Column::of(field.name(), column)?))
                });
                Values::Struct(members.collect::<Result<_>>()?)
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Values::List(list.value_offsets(), Box::new(Column::of(name, list.values())?))
            }
            DataType::FixedSizeList(_, _) => {
                let list = array.as_fixed_size_list();
                let items = usize::try_from(list.value_length()).unwrap_or(0);
                Values::FixedList(items, Box::new(Column::of(name, list.values())?))
            }
            other => return Err(unknown_type(name, other)),
        };
        Ok(Self { nulls: array.nulls(), values })
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether the text of a value is a number or a truth value, which JSON has without quotes.
    #[inline]
    pub(super) fn is_literal(&self, row: usize) -> bool {
        match &self.values {
            Values::Bool(_) | Values::I8(_) | Values::I16(_) => true,
            Values::I32(_) | Values::I64(_) => true,
            Values::F32(values) => values[row].is_finite(),
            Values::F64(values) => values[row].is_finite(),
            _ => false,
        }
    }

    /// Appends a value that is a word of letters, digits and `+-.:/=`, everywhere the same. Gives
    /// whether it is one; if not, nothing is appended.
    #[inline]
    pub(super) fn word(&self, row: usize, out: &mut Vec<u8>) -> bool {
        match &self.values {
            Values::Bool(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
            Values::I8(values) => int(values[row], out),
            Values::I16(values) => int(values[row], out),
            Values::I32(values) => int(values[row], out),
            Values::I64(values) => int(values[row], out),
            Values::F32(values) => float(values[row], out),
            Values::F64(values) => float(values[row], out),
            Values::Decimal(values, scale) => decimal::narrow(values[row], *scale, out),
            Values::Wide(values, scale) => decimal::wide(values[row], *scale, out),
            Values::Binary(values) => base64(values.value(row), out),
            Values::Fixed(values) => base64(values.value(row), out),
            Values::Date(values) => time::date(values[row].into(), out),
            Values::Time(values) => time::time(values[row], out),
            Values::Timestamp(values, utc) => time::timestamp(values[row], *utc, out),
            Values::Text(_) | Values::Struct(_) => return false,
            Values::List(..) | Values::FixedList(..) => return false,
        }
        true
    }
}

fn slice<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

#[inline]
fn int<N: itoa::Integer>(n: N, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// The shortest text that reads back as the same float of the same width.
fn float<F: zmij::Float + Into<f64>>(f: F, out: &mut Vec<u8>) {
    let wide: f64 = f.into();
    if wide.is_finite() {
        return out.extend_from_slice(zmij::Buffer::new().format_finite(f).as_bytes());
    }
    out.extend_from_slice(match wide {
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ => b"NaN",
    });
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact: nothing can be wrong.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}
