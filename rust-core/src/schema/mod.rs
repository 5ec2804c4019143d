//! Room 3, schema: in come the schemas of rows, one after another, out goes the one schema that all
//! of them can be written with. Never loses a column, never changes a value to make it fit.

mod evolution;

pub use evolution::{Evolution, Mapping};

use arrow::datatypes::{DataType, Field, Schema};
use std::fmt;
use std::sync::Arc;

/// What a column holds, in terms of the values a [`Slot`](crate::envelope::Slot) carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Slot::Bool.
    Boolean,
    /// Slot::Int.
    Int16,
    /// Slot::Int.
    Int32,
    /// Slot::Int.
    Int64,
    /// Slot::Float.
    Float32,
    /// Slot::Float.
    Float64,
    /// Slot::Decimal up to 38 digits, else Slot::Bytes (32 bytes, little endian, two's complement).
    Decimal {
        /// Total digits, 1..=76.
        precision: u8,
        /// Digits behind the point.
        scale: i8,
    },
    /// Slot::Bytes, UTF-8.
    Utf8,
    /// Slot::Bytes, UTF-8 of few distinct values (ENUM, SET).
    Enum,
    /// Slot::Bytes, UTF-8 that is a JSON document.
    Json,
    /// Slot::Bytes.
    Binary,
    /// Slot::Int, days since 1970.
    Date,
    /// Slot::Int, µs of the day.
    Time,
    /// Slot::Int, µs, may be negative or exceed a day: lands as Int64, never wrapped.
    Duration,
    /// Slot::Int, µs since 1970; `utc` = an instant, else local time without zone.
    Timestamp {
        /// Whether the column is an instant (TIMESTAMP) rather than a local time (DATETIME).
        utc: bool,
    },
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as in the database.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: ColumnKind,
}

/// The columns of a table as one event (or the union of several) shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// In the order of the table. All are nullable in files: a later version may lack them.
    pub columns: Vec<Column>,
}

impl ColumnKind {
    /// The Arrow type the column lands as.
    pub fn data_type(self) -> DataType {
        use arrow::datatypes::TimeUnit::Microsecond;
        match self {
            ColumnKind::Boolean => DataType::Boolean,
            ColumnKind::Int16 => DataType::Int16,
            ColumnKind::Int32 => DataType::Int32,
            ColumnKind::Int64 | ColumnKind::Duration => DataType::Int64,
            ColumnKind::Float32 => DataType::Float32,
            ColumnKind::Float64 => DataType::Float64,
            ColumnKind::Decimal { precision, scale } if precision <= 38 => {
                DataType::Decimal128(precision, scale)
            }
            ColumnKind::Decimal { precision, scale } => DataType::Decimal256(precision, scale),
            ColumnKind::Utf8 | ColumnKind::Enum | ColumnKind::Json => DataType::Utf8,
            ColumnKind::Binary => DataType::Binary,
            ColumnKind::Date => DataType::Date32,
            ColumnKind::Time => DataType::Time64(Microsecond),
            ColumnKind::Timestamp { utc: true } => {
                DataType::Timestamp(Microsecond, Some("UTC".into()))
            }
            ColumnKind::Timestamp { utc: false } => DataType::Timestamp(Microsecond, None),
        }
    }
}

/// The name of the type, for messages.
impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnKind::Boolean => "boolean",
            ColumnKind::Int16 => "smallint",
            ColumnKind::Int32 => "int",
            ColumnKind::Int64 => "bigint",
            ColumnKind::Float32 => "float",
            ColumnKind::Float64 => "double",
            ColumnKind::Decimal { precision, scale } => {
                return write!(f, "decimal({precision},{scale})");
            }
            ColumnKind::Utf8 => "text",
            ColumnKind::Enum => "enum",
            ColumnKind::Json => "json",
            ColumnKind::Binary => "binary",
            ColumnKind::Date => "date",
            ColumnKind::Time => "time",
            ColumnKind::Duration => "duration",
            ColumnKind::Timestamp { utc: true } => "timestamptz",
            ColumnKind::Timestamp { utc: false } => "timestamp",
        })
    }
}

impl TableSchema {
    /// The Arrow schema of the table's own columns; all are nullable.
    pub fn to_arrow(&self) -> Schema {
        let field = |c: &Column| Field::new(&*c.name, c.kind.data_type(), true);
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_nullable_arrow_fields_of_their_type() {
        let column = |name: &str, kind| Column { name: name.into(), kind };
        let schema = TableSchema {
            columns: vec![
                column("id", ColumnKind::Int64),
                column("price", ColumnKind::Decimal { precision: 10, scale: 2 }),
                column("huge", ColumnKind::Decimal { precision: 65, scale: 30 }),
                column("at", ColumnKind::Timestamp { utc: true }),
            ],
        };
        let arrow = schema.to_arrow();
        let types: Vec<_> = arrow.fields().iter().map(|f| f.data_type().clone()).collect();
        let utc = Some("UTC".into());
        let expected = [
            DataType::Int64,
            DataType::Decimal128(10, 2),
            DataType::Decimal256(65, 30),
            DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, utc),
        ];
        assert_eq!(types, expected);
        assert!(arrow.fields().iter().all(|f| f.is_nullable()));
    }
}
