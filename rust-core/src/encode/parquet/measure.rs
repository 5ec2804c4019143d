//! What the first rows of a column tell about the rest.

use super::hash::hash;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

/// What was seen of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    /// Values that are not null.
    values: usize,
    /// Distinct values, estimated.
    distinct: usize,
    /// Bytes of all texts, and those each has in common with the beginning of the one before.
    text_bytes: usize,
    prefix_bytes: usize,
}

impl Measure {
    /// Whether, on average, each value occurs this often at least.
    pub(super) fn each_occurs(&self, times: usize) -> bool {
        self.distinct * times <= self.values
    }

    /// Whether texts begin like the ones before, so that it pays not to write the beginnings.
    pub(super) fn prefixes_repeat(&self) -> bool {
        self.prefix_bytes * 3 >= self.text_bytes && self.prefix_bytes >= self.values * 4
    }
}

/// Looks at the values of a column.
///
/// Distinct values are counted by linear counting: each value sets one bit of a small map, and the
/// bits that stay clear tell how many there were. Good to a few per cent, at 2 ns a value.
pub(super) fn measure(array: &ArrayRef) -> Measure {
    let mut seen = Seen::default();
    match array.data_type() {
        DataType::Utf8 => seen.texts(array.as_string::<i32>().iter().map(|t| t.map(str::as_bytes))),
        DataType::Binary => seen.texts(array.as_binary::<i32>().iter()),
        _ => seen.fixed(array),
    }
    Measure {
        values: array.len() - array.null_count(),
        distinct: seen.distinct(),
        text_bytes: seen.text_bytes,
        prefix_bytes: seen.prefix_bytes,
    }
}

/// 2^14 bits: exact enough for the few thousand values of a batch.
const WORDS: usize = 256;
const BITS: u64 = WORDS as u64 * 64;

struct Seen {
    bits: [u64; WORDS],
    text_bytes: usize,
    prefix_bytes: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self { bits: [0; WORDS], text_bytes: 0, prefix_bytes: 0 }
    }
}

impl Seen {
    fn texts<'a>(&mut self, texts: impl Iterator<Item = Option<&'a [u8]>>) {
        let mut before: &[u8] = b"";
        for text in texts.flatten() {
            self.mark(text);
            self.text_bytes += text.len();
            self.prefix_bytes += before.iter().zip(text).take_while(|(a, b)| a == b).count();
            before = text;
        }
    }

    /// Values of one width, read as bytes.
    fn fixed(&mut self, array: &ArrayRef) {
        let (Some(width), data) = (array.data_type().primitive_width(), array.to_data()) else {
            return;
        };
        let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
        for (row, value) in bytes.chunks_exact(width).take(array.len()).enumerate() {
            if array.is_valid(row) {
                self.mark(value);
            }
        }
    }

    fn mark(&mut self, value: &[u8]) {
        let bit = hash(value) >> (64 - BITS.trailing_zeros());
        self.bits[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    fn distinct(&self) -> usize {
        let clear: u32 = self.bits.iter().map(|word| word.count_zeros()).sum();
        let (clear, all) = (f64::from(clear.max(1)), BITS as f64);
        (all * (all / clear).ln()).round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Int64Array, StringArray};
    use std::sync::Arc;

    fn ints(values: impl Iterator<Item = i64>) -> Measure {
        measure(&(Arc::new(Int64Array::from_iter_values(values)) as ArrayRef))
    }

    #[test]
    fn distinct_values_are_counted_to_a_few_per_cent() {
        for distinct in [1i64, 2, 10, 100, 500, 1_000, 2_000, 4_000] {
            for step in [1, 1_000, 1 << 40] {
                let seen = ints((0..4_096).map(|i| i % distinct * step)).distinct as f64;
                let ratio = seen / distinct as f64;
                assert!((0.9..1.1).contains(&ratio), "{distinct} by {step}: {seen}");
            }
        }
    }

    #[test]
    fn few_and_many_are_told_apart() {
        assert!(ints((0..2_048).map(|i| i % 30)).each_occurs(64));
        assert!(!ints(0..2_048).each_occurs(64));
        assert!(ints((0..2_048).map(|i| i % 300)).each_occurs(4));
        let nulls: ArrayRef = Arc::new(Int64Array::from(vec![None; 100]));
        assert_eq!(measure(&nulls).values, 0);
        assert!(measure(&nulls).each_occurs(64), "a column of nulls costs nothing anyway");
        let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![true; 10]));
        assert_eq!(measure(&booleans).distinct, 0);
    }

    #[test]
    fn texts_with_equal_beginnings_are_seen() {
        let texts = |text: &dyn Fn(usize) -> String| {
            let array: ArrayRef = Arc::new(StringArray::from_iter_values((0..1_000).map(text)));
            measure(&array)
        };
        assert!(texts(&|i| format!("3E11FA47-71CA-11E1-9E33:{i}")).prefixes_repeat());
        assert!(!texts(&|i| format!("{} street", i * 7_919 % 1_000)).prefixes_repeat());
        assert!(!texts(&|_| "ab".to_owned()).prefixes_repeat(), "too short to pay");
    }
}
