//! How each column is encoded, from its kind and the first rows of the file.

use super::measure::Measure;
use crate::schema::ColumnKind;
use parquet::basic::Encoding;

/// How a column is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    /// Whether a dictionary comes first.
    pub(super) dictionary: bool,
    /// The encoding without a dictionary, or when it has grown too large.
    pub(super) encoding: Encoding,
}

/// Chooses.
///
/// A dictionary pays where few values repeat. What changes little from row to row (ids, times) is
/// best told by its differences, texts that begin alike by what differs. All these are encodings
/// that DuckDB, Arrow, Spark and Trino read.
pub(super) fn choose(kind: ColumnKind, seen: &Measure) -> Choice {
    let (dictionary, encoding) = match kind {
        ColumnKind::Enum => (true, Encoding::PLAIN),
        ColumnKind::Boolean => (false, Encoding::PLAIN),
        ColumnKind::Int16
        | ColumnKind::Int32
        | ColumnKind::Int64
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::Duration
        | ColumnKind::Timestamp { .. }
        | ColumnKind::Decimal { precision: ..=18, .. } => {
            (seen.each_occurs(64), Encoding::DELTA_BINARY_PACKED)
        }
        ColumnKind::Float32 | ColumnKind::Float64 | ColumnKind::Decimal { .. } => {
            (seen.each_occurs(4), Encoding::PLAIN)
        }
        ColumnKind::Utf8 | ColumnKind::Json | ColumnKind::Binary => {
            let alike = seen.prefixes_repeat();
            let encoding = if alike { Encoding::DELTA_BYTE_ARRAY } else { Encoding::PLAIN };
            (seen.each_occurs(4), encoding)
        }
    };
    Choice { dictionary, encoding }
}
