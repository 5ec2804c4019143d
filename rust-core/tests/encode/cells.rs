//! Values of every kind: as slots of a row, and as the arrays a reader must get.

use alluvium_core::envelope::{Slot, Span, SpanSource};
use alluvium_core::schema::ColumnKind;
use arrow::array::*;
use arrow::datatypes::*;
use proptest::prelude::*;
use std::sync::Arc;

/// A value of a column, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(i128),
    Bytes(Vec<u8>),
}

pub(crate) const KINDS: [ColumnKind; 18] = [
    ColumnKind::Boolean,
    ColumnKind::Int16,
    ColumnKind::Int32,
    ColumnKind::Int64,
    ColumnKind::Float32,
    ColumnKind::Float64,
    ColumnKind::Decimal { precision: 7, scale: 2 },
    ColumnKind::Decimal { precision: 18, scale: 18 },
    ColumnKind::Decimal { precision: 38, scale: 0 },
    ColumnKind::Decimal { precision: 65, scale: 30 },
    ColumnKind::Utf8,
    ColumnKind::Enum,
    ColumnKind::Json,
    ColumnKind::Binary,
    ColumnKind::Date,
    ColumnKind::Time,
    ColumnKind::Duration,
    ColumnKind::Timestamp { utc: true },
];

/// The first and last values of a kind, and those known to make trouble.
pub(crate) fn extremes(kind: ColumnKind) -> Vec<Cell> {
    let ints = |values: &[i64]| values.iter().map(|n| Cell::Int(*n)).collect::<Vec<_>>();
    let bytes = |values: &[&[u8]]| values.iter().map(|b| Cell::Bytes(b.to_vec())).collect();
    match kind {
        ColumnKind::Boolean => vec![Cell::Bool(true), Cell::Bool(false)],
        ColumnKind::Int16 => ints(&[0, i16::MIN.into(), i16::MAX.into()]),
        ColumnKind::Int32 | ColumnKind::Date => ints(&[0, i32::MIN.into(), i32::MAX.into()]),
        ColumnKind::Int64 | ColumnKind::Duration => ints(&[0, -1, i64::MIN, i64::MAX]),
        // MySQL's first and last, and all that eight bytes can say.
        ColumnKind::Timestamp { .. } => {
            ints(&[0, -1, -62_135_596_800_000_000, 253_402_300_799_999_999, i64::MIN, i64::MAX])
        }
        ColumnKind::Time => ints(&[0, 1, 86_399_999_999]),
        ColumnKind::Float32 => [0.0, -0.0, f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY]
            .map(|f| Cell::Float(f.into()))
            .to_vec(),
        ColumnKind::Float64 => {
            [0.0, -0.0, f64::MIN, f64::MAX, 5e-324, f64::NEG_INFINITY].map(Cell::Float).to_vec()
        }
        ColumnKind::Decimal { precision: precision @ ..=38, .. } => {
            let max = 10i128.pow(precision.into()) - 1;
            [0, 1, -1, max, -max].map(Cell::Decimal).to_vec()
        }
        ColumnKind::Decimal { precision, .. } => {
            let max = i256::from_i128(10).pow_wrapping(precision.into()) - i256::ONE;
            let wide = |n: i256| Cell::Bytes(n.to_le_bytes().to_vec());
            vec![wide(i256::ZERO), wide(max), wide(-max), Cell::Decimal(i128::MIN)]
        }
        ColumnKind::Binary => bytes(&[b"", b"\0", &[0xFF; 300]]),
        ColumnKind::Utf8 => bytes(&[b"", "日本語 \u{1F600}".as_bytes(), b"a\0b", &[b'x'; 5_000]]),
        ColumnKind::Enum => bytes(&[b"", b"a,b", "größe".as_bytes()]),
        ColumnKind::Json => bytes(&[b"{}", br#"{"a":[1,null,"NaN"],"a":2}"#]),
    }
}

/// Any value of a kind that fits it.
pub(crate) fn any_cell(kind: ColumnKind) -> BoxedStrategy<Cell> {
    let some = match kind {
        ColumnKind::Boolean => any::<bool>().prop_map(Cell::Bool).boxed(),
        ColumnKind::Int16 => any::<i16>().prop_map(|n| Cell::Int(n.into())).boxed(),
        ColumnKind::Int32 | ColumnKind::Date => {
            any::<i32>().prop_map(|n| Cell::Int(n.into())).boxed()
        }
        ColumnKind::Time => (0..86_400_000_000i64).prop_map(Cell::Int).boxed(),
        ColumnKind::Int64 | ColumnKind::Duration | ColumnKind::Timestamp { .. } => {
            any::<i64>().prop_map(Cell::Int).boxed()
        }
        ColumnKind::Float32 => any::<f32>().prop_map(|f| Cell::Float(f.into())).boxed(),
        ColumnKind::Float64 => any::<f64>().prop_map(Cell::Float).boxed(),
        ColumnKind::Decimal { precision, .. } => {
            let max = 10i128.pow(precision.min(38).into()) - 1;
            (-max..=max).prop_map(Cell::Decimal).boxed()
        }
        ColumnKind::Binary => {
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Bytes).boxed()
        }
        ColumnKind::Enum => "[abc]{1}".prop_map(|text| Cell::Bytes(text.into_bytes())).boxed(),
        ColumnKind::Utf8 | ColumnKind::Json => {
            any::<String>().prop_map(|text| Cell::Bytes(text.into_bytes())).boxed()
        }
    };
    prop_oneof![
        1 => Just(Cell::Null),
        1 => prop::sample::select(extremes(kind)),
        6 => some,
    ]
    .boxed()
}

/// So many cases, and no file of failures: those of an integration test would lie beside it.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

impl Cell {
    /// The slot of a cell; its bytes go behind those of the memory named.
    pub(crate) fn slot(&self, source: SpanSource, memory: &mut Vec<u8>) -> Slot {
        match self {
            Cell::Null => Slot::Null,
            Cell::Bool(b) => Slot::Bool(*b),
            Cell::Int(n) => Slot::Int(*n),
            Cell::Float(f) => Slot::Float(*f),
            Cell::Decimal(n) => Slot::Decimal(*n),
            Cell::Bytes(bytes) => {
                let start = memory.len() as u32;
                memory.extend_from_slice(bytes);
                Slot::Bytes(Span { source, start, len: bytes.len() as u32 })
            }
        }
    }

    fn int(&self) -> Option<i64> {
        match self {
            Cell::Null => None,
            Cell::Int(n) => Some(*n),
            other => panic!("no int: {other:?}"),
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Cell::Null => None,
            Cell::Float(f) => Some(*f),
            other => panic!("no float: {other:?}"),
        }
    }

    fn wide(&self) -> Option<i256> {
        match self {
            Cell::Null => None,
            Cell::Decimal(n) => Some(i256::from_i128(*n)),
            Cell::Bytes(bytes) => Some(i256::from_le_bytes(bytes[..].try_into().unwrap())),
            other => panic!("no decimal: {other:?}"),
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Cell::Null => None,
            Cell::Bytes(bytes) => Some(bytes),
            other => panic!("no bytes: {other:?}"),
        }
    }

    fn text(&self) -> Option<&str> {
        self.bytes().map(|bytes| std::str::from_utf8(bytes).unwrap())
    }
}

/// The array a reader must get, made by Arrow's own constructors.
pub(crate) fn expected(kind: ColumnKind, cells: &[&Cell]) -> ArrayRef {
    let ints = || cells.iter().map(|cell| cell.int());
    let floats = || cells.iter().map(|cell| cell.float());
    match kind {
        ColumnKind::Boolean => {
            let bool = |cell: &&Cell| match cell {
                Cell::Bool(b) => Some(*b),
                _ => None,
            };
            Arc::new(cells.iter().map(bool).collect::<BooleanArray>())
        }
        ColumnKind::Int16 => Arc::new(ints().map(|n| n.map(|n| n as i16)).collect::<Int16Array>()),
        ColumnKind::Int32 => Arc::new(ints().map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
        ColumnKind::Date => Arc::new(ints().map(|n| n.map(|n| n as i32)).collect::<Date32Array>()),
        ColumnKind::Int64 | ColumnKind::Duration => Arc::new(ints().collect::<Int64Array>()),
        ColumnKind::Time => Arc::new(ints().collect::<Time64MicrosecondArray>()),
        ColumnKind::Timestamp { utc } => {
            let array = ints().collect::<TimestampMicrosecondArray>();
            Arc::new(if utc { array.with_timezone("UTC") } else { array })
        }
        ColumnKind::Float32 => {
            Arc::new(floats().map(|f| f.map(|f| f as f32)).collect::<Float32Array>())
        }
        ColumnKind::Float64 => Arc::new(floats().collect::<Float64Array>()),
        ColumnKind::Decimal { precision: precision @ ..=38, scale } => {
            let narrow = cells.iter().map(|cell| cell.wide().map(i256::as_i128));
            let array = narrow.collect::<Decimal128Array>();
            Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
        }
        ColumnKind::Decimal { precision, scale } => {
            let array = cells.iter().map(|cell| cell.wide()).collect::<Decimal256Array>();
            Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
        }
        ColumnKind::Utf8 | ColumnKind::Enum | ColumnKind::Json => {
            Arc::new(cells.iter().map(|cell| cell.text()).collect::<StringArray>())
        }
        ColumnKind::Binary => {
            Arc::new(cells.iter().map(|cell| cell.bytes()).collect::<BinaryArray>())
        }
    }
}
