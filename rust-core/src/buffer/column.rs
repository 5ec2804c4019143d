//! One column of the rows that wait for their batch.

use super::arrays::{Texts, decimals, primitive, timestamps};
use crate::envelope::{Row, Slot};
use crate::error::{Error, Kind, Result};
use crate::schema::ColumnKind;
use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, NullBufferBuilder};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Decimal256Type, DecimalType, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, i256,
};
use arrow::error::ArrowError;
use std::sync::Arc;

const DAY_US: i64 = 86_400_000_000;

/// The values of a column, row after row.
#[derive(Debug)]
pub(super) struct ColumnBuffer {
    kind: ColumnKind,
    values: Values,
    valid: NullBufferBuilder,
}

#[derive(Debug)]
enum Values {
    Bool(BooleanBufferBuilder),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    I128(Vec<i128>),
    I256(Vec<i256>),
    Bytes(Texts),
}

/// Why a value is not one of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The value does not fit the column's type: the record is bad.
    Value(&'static str),
    /// The slot is not one the column's kind can hold: row and file do not belong together.
    Slot,
}

impl ColumnBuffer {
    pub(super) fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Boolean => Values::Bool(BooleanBufferBuilder::new(0)),
            ColumnKind::Int16 => Values::I16(Vec::new()),
            ColumnKind::Int32 | ColumnKind::Date => Values::I32(Vec::new()),
            ColumnKind::Int64
            | ColumnKind::Duration
            | ColumnKind::Time
            | ColumnKind::Timestamp { .. } => Values::I64(Vec::new()),
            ColumnKind::Float32 => Values::F32(Vec::new()),
            ColumnKind::Float64 => Values::F64(Vec::new()),
            ColumnKind::Decimal { precision: ..=38, .. } => Values::I128(Vec::new()),
            ColumnKind::Decimal { .. } => Values::I256(Vec::new()),
            ColumnKind::Utf8 | ColumnKind::Enum | ColumnKind::Json | ColumnKind::Binary => {
                Values::Bytes(Texts::default())
            }
        };
        Self { kind, values, valid: NullBufferBuilder::new(0) }
    }

    /// Appends a slot; gives the number of bytes it took beside its fixed width. On an error
    /// nothing is appended.
    #[inline]
    pub(super) fn append(&mut self, slot: Slot, row: &Row, value: &[u8]) -> Result<usize, Misfit> {
        let mut variable = 0;
        match (&mut self.values, slot) {
            (_, Slot::Null) => {
                self.append_null();
                return Ok(0);
            }
            (Values::I64(values), Slot::Int(n)) => {
                if self.kind == ColumnKind::Time && !(0..DAY_US).contains(&n) {
                    return Err(Misfit::Value("a time of day lies within 0 and 24 h"));
                }
                values.push(n);
            }
            (Values::Bytes(text), Slot::Bytes(span)) => {
                variable = text.push(row.bytes(span, value))?;
            }
            (Values::I32(values), Slot::Int(n)) => values.push(narrow(n)?),
            (Values::I16(values), Slot::Int(n)) => values.push(narrow(n)?),
            (Values::Bool(values), Slot::Bool(b)) => values.append(b),
            (Values::F64(values), Slot::Float(f)) => values.push(f),
            (Values::F32(values), Slot::Float(f)) => {
                if f.is_finite() && (f as f32).is_infinite() {
                    return Err(Misfit::Value("beyond the range of a 4-byte float"));
                }
                values.push(f as f32);
            }
            (Values::I128(values), Slot::Decimal(n)) => {
                values.push(decimal::<Decimal128Type>(n, self.kind)?);
            }
            (Values::I256(values), Slot::Decimal(n)) => {
                values.push(decimal::<Decimal256Type>(i256::from_i128(n), self.kind)?);
            }
            (Values::I256(values), Slot::Bytes(span)) => {
                let bytes = row.bytes(span, value).try_into().map_err(|_| Misfit::Slot)?;
                values.push(decimal::<Decimal256Type>(i256::from_le_bytes(bytes), self.kind)?);
            }
            _ => return Err(Misfit::Slot),
        }
        self.valid.append_non_null();
        Ok(variable)
    }

    /// Appends a text that is not in the row's memory; as [`append`](Self::append) else.
    pub(super) fn append_text(&mut self, text: &[u8]) -> Result<usize, Misfit> {
        let Values::Bytes(values) = &mut self.values else { return Err(Misfit::Slot) };
        let variable = values.push(text)?;
        self.valid.append_non_null();
        Ok(variable)
    }

    /// Appends a null.
    pub(super) fn append_null(&mut self) {
        match &mut self.values {
            Values::Bool(values) => values.append(false),
            Values::I16(values) => values.push(0),
            Values::I32(values) => values.push(0),
            Values::I64(values) => values.push(0),
            Values::F32(values) => values.push(0.0),
            Values::F64(values) => values.push(0.0),
            Values::I128(values) => values.push(0),
            Values::I256(values) => values.push(i256::ZERO),
            Values::Bytes(texts) => texts.push_empty(),
        }
        self.valid.append_null();
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.valid.len()
    }

    /// Forgets all rows behind the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        if self.len() <= rows {
            return;
        }
        match &mut self.values {
            Values::Bool(values) => values.truncate(rows),
            Values::I16(values) => values.truncate(rows),
            Values::I32(values) => values.truncate(rows),
            Values::I64(values) => values.truncate(rows),
            Values::F32(values) => values.truncate(rows),
            Values::F64(values) => values.truncate(rows),
            Values::I128(values) => values.truncate(rows),
            Values::I256(values) => values.truncate(rows),
            Values::Bytes(texts) => texts.truncate(rows),
        }
        self.valid.truncate(rows);
    }

    /// Memory held, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        let values = match &self.values {
            Values::Bool(values) => values.capacity() / 8,
            Values::I16(values) => values.capacity() * 2,
            Values::I32(values) => values.capacity() * 4,
            Values::I64(values) => values.capacity() * 8,
            Values::F32(values) => values.capacity() * 4,
            Values::F64(values) => values.capacity() * 8,
            Values::I128(values) => values.capacity() * 16,
            Values::I256(values) => values.capacity() * 32,
            Values::Bytes(texts) => texts.memory_bytes(),
        };
        values + self.valid.allocated_size()
    }

    /// Bytes of a row beside those `append` told of.
    pub(super) fn row_width(&self) -> usize {
        match &self.values {
            Values::Bool(_) => 1,
            Values::I16(_) => 2,
            Values::I32(_) | Values::F32(_) | Values::Bytes(_) => 4,
            Values::I64(_) | Values::F64(_) => 8,
            Values::I128(_) => 16,
            Values::I256(_) => 32,
        }
    }

    /// Takes all rows as an array; the buffer is empty then, with room for as many again.
    pub(super) fn take(&mut self) -> Result<ArrayRef> {
        let valid = self.valid.finish();
        let array: Result<ArrayRef, ArrowError> = match &mut self.values {
            Values::Bool(values) => Ok(Arc::new(BooleanArray::new(values.finish(), valid))),
            Values::I16(values) => primitive::<Int16Type>(values, valid),
            Values::I32(values) if self.kind == ColumnKind::Date => {
                primitive::<Date32Type>(values, valid)
            }
            Values::I32(values) => primitive::<Int32Type>(values, valid),
            Values::I64(values) => match self.kind {
                ColumnKind::Time => primitive::<Time64MicrosecondType>(values, valid),
                ColumnKind::Timestamp { utc } => timestamps(values, valid, utc),
                _ => primitive::<Int64Type>(values, valid),
            },
            Values::F32(values) => primitive::<Float32Type>(values, valid),
            Values::F64(values) => primitive::<Float64Type>(values, valid),
            Values::I128(values) => decimals::<Decimal128Type>(values, valid, self.kind),
            Values::I256(values) => decimals::<Decimal256Type>(values, valid, self.kind),
            Values::Bytes(texts) => texts.take(valid, self.kind),
        };
        array.map_err(|error| {
            Error::new(Kind::Encode, "a batch of a column cannot be built; please report this bug")
                .with("kind", format_args!("{:?}", self.kind))
                .because(error)
        })
    }
}

#[inline]
fn narrow<T: TryFrom<i64>>(n: i64) -> Result<T, Misfit> {
    T::try_from(n).map_err(|_| Misfit::Value("beyond the range of the column's integer type"))
}

fn decimal<T: DecimalType>(n: T::Native, kind: ColumnKind) -> Result<T::Native, Misfit> {
    match kind {
        ColumnKind::Decimal { precision, .. } if T::is_valid_decimal_precision(n, precision) => {
            Ok(n)
        }
        _ => Err(Misfit::Value("more digits than the decimal column has")),
    }
}
