//! Room 3, schema: the columns a table has, and how schemas seen one after another become one.

use arrow::datatypes::DataType;
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
