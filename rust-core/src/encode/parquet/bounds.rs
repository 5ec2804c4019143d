//! The least and greatest value of a column chunk, for its statistics.

use super::shorten::{LONGEST, above, beginning};
use arrow::datatypes::i256;
use parquet::basic::Type as Physical;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::{Statistics, ValueStatistics};

/// The least and greatest value so far.
#[derive(Debug, Default)]
pub(super) enum Bounds {
    #[default]
    None,
    Bool(bool, bool),
    Int(i64, i64),
    Float(f64, f64),
    Wide(i256, i256),
    Bytes(Vec<u8>, Vec<u8>),
}

impl Bounds {
    pub(super) fn bool(&mut self, value: bool) {
        *self = match self {
            Bounds::Bool(least, greatest) => Bounds::Bool(*least & value, *greatest | value),
            _ => Bounds::Bool(value, value),
        };
    }

    pub(super) fn ints(&mut self, values: &[i64]) {
        let Some(first) = values.first() else { return };
        let (mut least, mut greatest) = match self {
            Bounds::Int(least, greatest) => (*least, *greatest),
            _ => (*first, *first),
        };
        for value in values {
            least = least.min(*value);
            greatest = greatest.max(*value);
        }
        *self = Bounds::Int(least, greatest);
    }

    /// NaN is neither least nor greatest.
    pub(super) fn floats(&mut self, values: &[f64]) {
        let all = values.iter().filter(|value| !value.is_nan());
        let (mut least, mut greatest) = match self {
            Bounds::Float(least, greatest) => (*least, *greatest),
            _ => (f64::INFINITY, f64::NEG_INFINITY),
        };
        for value in all {
            least = least.min(*value);
            greatest = greatest.max(*value);
        }
        if least <= greatest {
            *self = Bounds::Float(least, greatest);
        }
    }

    pub(super) fn wide(&mut self, value: i256) {
        *self = match self {
            Bounds::Wide(least, greatest) => {
                Bounds::Wide((*least).min(value), (*greatest).max(value))
            }
            _ => Bounds::Wide(value, value),
        };
    }

    #[inline]
    pub(super) fn bytes(&mut self, value: &[u8]) {
        match self {
            Bounds::Bytes(least, greatest) => {
                if value < &least[..] {
                    replace(least, value);
                } else if value > &greatest[..] {
                    replace(greatest, value);
                }
            }
            _ => *self = Bounds::Bytes(value.to_vec(), value.to_vec()),
        }
    }

    /// Takes the bounds as Parquet tells them; `text` = the column's bytes are UTF-8.
    pub(super) fn take(
        &mut self,
        physical: Physical,
        width: usize,
        text: bool,
        nulls: u64,
    ) -> Statistics {
        let nulls = Some(nulls);
        match (physical, std::mem::take(self)) {
            (Physical::BOOLEAN, Bounds::Bool(least, greatest)) => {
                Statistics::boolean(Some(least), Some(greatest), None, nulls, false)
            }
            (Physical::INT32, Bounds::Int(least, greatest)) => {
                Statistics::int32(Some(least as i32), Some(greatest as i32), None, nulls, false)
            }
            (Physical::INT64, Bounds::Int(least, greatest)) => {
                Statistics::int64(Some(least), Some(greatest), None, nulls, false)
            }
            // A zero may be of either sign: readers must find both.
            (Physical::FLOAT, Bounds::Float(least, greatest)) => {
                let (least, greatest) = (signed(least, -0.0), signed(greatest, 0.0));
                Statistics::float(Some(least as f32), Some(greatest as f32), None, nulls, false)
            }
            (Physical::DOUBLE, Bounds::Float(least, greatest)) => {
                let (least, greatest) = (signed(least, -0.0), signed(greatest, 0.0));
                Statistics::double(Some(least), Some(greatest), None, nulls, false)
            }
            (Physical::FIXED_LEN_BYTE_ARRAY, Bounds::Wide(least, greatest)) => {
                let bytes =
                    |n: i256| Some(FixedLenByteArray::from(n.to_be_bytes()[32 - width..].to_vec()));
                let (least, greatest) = (bytes(least), bytes(greatest));
                Statistics::fixed_len_byte_array(least, greatest, None, nulls, false)
            }
            (Physical::BYTE_ARRAY, Bounds::Bytes(least, greatest)) => {
                bytes_statistics(least, greatest, text, nulls)
            }
            (physical, _) => without_bounds(physical, nulls),
        }
    }
}

fn replace(old: &mut Vec<u8>, new: &[u8]) {
    old.clear();
    old.extend_from_slice(new);
}

fn signed(value: f64, zero: f64) -> f64 {
    if value == 0.0 { zero } else { value }
}

fn without_bounds(physical: Physical, nulls: Option<u64>) -> Statistics {
    match physical {
        Physical::BOOLEAN => Statistics::boolean(None, None, None, nulls, false),
        Physical::INT32 => Statistics::int32(None, None, None, nulls, false),
        Physical::FLOAT => Statistics::float(None, None, None, nulls, false),
        Physical::DOUBLE => Statistics::double(None, None, None, nulls, false),
        Physical::FIXED_LEN_BYTE_ARRAY => {
            Statistics::fixed_len_byte_array(None, None, None, nulls, false)
        }
        Physical::BYTE_ARRAY => Statistics::byte_array(None, None, None, nulls, false),
        _ => Statistics::int64(None, None, None, nulls, false),
    }
}

/// Long values are told by their beginnings: of the least one itself, of the greatest the next that
/// is greater than all that begin so.
fn bytes_statistics(
    least: Vec<u8>,
    greatest: Vec<u8>,
    text: bool,
    nulls: Option<u64>,
) -> Statistics {
    let least_is_exact = least.len() <= LONGEST;
    let greatest_is_exact = greatest.len() <= LONGEST;
    let least = beginning(&least, text).to_vec();
    let greatest = match greatest_is_exact {
        true => Some(greatest),
        false => above(beginning(&greatest, text), text),
    };
    let statistics = ValueStatistics::new(
        Some(ByteArray::from(least)),
        greatest.map(ByteArray::from),
        None,
        nulls,
        false,
    );
    Statistics::ByteArray(
        statistics.with_min_is_exact(least_is_exact).with_max_is_exact(greatest_is_exact),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(values: &[&[u8]], text: bool) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let mut bounds = Bounds::default();
        values.iter().for_each(|value| bounds.bytes(value));
        let statistics = bounds.take(Physical::BYTE_ARRAY, 0, text, 0);
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        (owned(statistics.min_bytes_opt()), owned(statistics.max_bytes_opt()))
    }

    #[test]
    fn zeros_and_nan_do_not_hide_values() {
        let mut bounds = Bounds::default();
        bounds.floats(&[f64::NAN]);
        let none = bounds.take(Physical::DOUBLE, 8, false, 3);
        assert_eq!((none.min_bytes_opt(), none.null_count_opt()), (None, Some(3)));
        bounds.floats(&[0.0, f64::NAN]);
        bounds.floats(&[-0.0]);
        let zero = bounds.take(Physical::DOUBLE, 8, false, 0);
        assert_eq!(zero.min_bytes_opt(), Some(&(-0.0f64).to_le_bytes()[..]));
        assert_eq!(zero.max_bytes_opt(), Some(&0.0f64.to_le_bytes()[..]));
        bounds.floats(&[f64::NEG_INFINITY]);
        assert_eq!(
            bounds.take(Physical::FLOAT, 4, false, 0).max_bytes_opt(),
            Some(&f32::NEG_INFINITY.to_le_bytes()[..])
        );
    }

    proptest! {
        #[test]
        fn bounds_hold_every_value(
            texts in prop::collection::vec("[a-cä\u{10FFFF}]{0,90}", 1..20),
        ) {
            let values: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
            for text in [true, false] {
                let (least, greatest) = told(&values, text);
                let least = least.unwrap();
                prop_assert!(values.iter().all(|value| *value >= &least[..]));
                if let Some(greatest) = greatest {
                    prop_assert!(values.iter().all(|value| *value <= &greatest[..]));
                    prop_assert!(!text || std::str::from_utf8(&greatest).is_ok());
                }
            }
        }
    }
}
