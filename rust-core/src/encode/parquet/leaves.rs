//! The columns of a batch that hold values. In: its columns, structs among them. Out: each leaf, and
//! the struct it is in. Structs are of one level: nothing of ours is deeper.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

/// A column of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    /// The values; null where the struct around them is.
    pub(super) array: &'a ArrayRef,
    /// The struct around them, if there is one, and where it is null, if anywhere.
    pub(super) within: Option<Option<&'a NullBuffer>>,
}

/// The leaves of columns, in order.
pub(super) fn leaves(columns: &[ArrayRef]) -> impl Iterator<Item = Leaf<'_>> {
    columns.iter().flat_map(|column| {
        let (children, within) = match column.data_type() {
            DataType::Struct(_) => {
                let group = column.as_struct();
                (group.columns(), Some(group.nulls()))
            }
            _ => (std::slice::from_ref(column), None),
        };
        children.iter().map(move |array| Leaf { array, within })
    })
}
