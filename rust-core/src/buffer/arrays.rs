//! Arrays made of the values of a column, which are handed over, not copied.

use super::column::Misfit;
use crate::error::Result;
use crate::schema::ColumnKind;
use arrow::array::{ArrayRef, BinaryArray, PrimitiveArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DecimalType, TimestampMicrosecondType};
use arrow::error::ArrowError;
use std::sync::Arc;

/// Byte strings one behind the other; `ends` has one entry a row.
#[derive(Debug, Default)]
pub(super) struct Texts {
    data: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<usize, Misfit> {
        let end = i32::try_from(self.data.len() + bytes.len())
            .map_err(|_| Misfit::Value("more than 2 GiB in one batch of a column"))?;
        self.data.extend_from_slice(bytes);
        self.ends.push(end);
        Ok(bytes.len())
    }

    pub(super) fn push_empty(&mut self) {
        self.ends.push(self.data.len() as i32);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.data.capacity() + self.ends.capacity() * 4
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    pub(super) fn take(
        &mut self,
        valid: Option<NullBuffer>,
        kind: ColumnKind,
    ) -> Result<ArrayRef, ArrowError> {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let data = Buffer::from_vec(take(&mut self.data));
        Ok(match kind {
            ColumnKind::Binary => Arc::new(BinaryArray::try_new(offsets, data, valid)?),
            _ => Arc::new(StringArray::try_new(offsets, data, valid)?),
        })
    }
}

/// The values, replaced by room for as many.
fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

pub(super) fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    valid: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(PrimitiveArray::<T>::try_new(ScalarBuffer::from(take(values)), valid)?))
}

pub(super) fn timestamps(
    values: &mut Vec<i64>,
    valid: Option<NullBuffer>,
    utc: bool,
) -> Result<ArrayRef, ArrowError> {
    let values = ScalarBuffer::from(take(values));
    let array = PrimitiveArray::<TimestampMicrosecondType>::try_new(values, valid)?;
    Ok(Arc::new(array.with_timezone_opt(utc.then_some("UTC"))))
}

pub(super) fn decimals<T: DecimalType + ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    valid: Option<NullBuffer>,
    kind: ColumnKind,
) -> Result<ArrayRef, ArrowError> {
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(take(values)), valid)?;
    Ok(Arc::new(array.with_data_type(kind.data_type())))
}
