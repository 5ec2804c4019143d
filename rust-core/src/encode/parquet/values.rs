//! The values of a page, nulls left out, in the encoding of their column.

use super::choice::Choice;
use super::delta::Delta;
use super::dictionary::Dictionary;
use arrow::array::BooleanBufferBuilder;
use parquet::basic::{Encoding, Type as Physical};

/// The values of the page at work.
#[derive(Debug)]
pub(super) enum Values {
    Bits(BooleanBufferBuilder),
    Plain(Vec<u8>),
    Delta(Delta),
    DeltaBytes(Box<DeltaBytes>),
    Dictionary(Box<Dictionary>),
}

/// Texts as what they share with the one before, and the rest.
#[derive(Debug)]
pub(super) struct DeltaBytes {
    shared: Delta,
    lengths: Delta,
    rests: Vec<u8>,
    before: Vec<u8>,
}

impl Values {
    pub(super) fn new(physical: Physical, choice: Choice) -> Self {
        match (physical, choice.encoding) {
            (Physical::BOOLEAN, _) => Values::Bits(BooleanBufferBuilder::new(0)),
            _ if choice.dictionary => {
                let varying = physical == Physical::BYTE_ARRAY;
                Values::Dictionary(Box::new(Dictionary::new(varying)))
            }
            (Physical::INT32, Encoding::DELTA_BINARY_PACKED) => Values::Delta(Delta::new(true)),
            (Physical::INT64, Encoding::DELTA_BINARY_PACKED) => Values::Delta(Delta::new(false)),
            (Physical::BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY) => {
                Values::DeltaBytes(Box::new(DeltaBytes {
                    shared: Delta::new(true),
                    lengths: Delta::new(true),
                    rests: Vec::new(),
                    before: Vec::new(),
                }))
            }
            _ => Values::Plain(Vec::new()),
        }
    }

    /// The encoding of the page.
    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Values::Bits(_) | Values::Plain(_) => Encoding::PLAIN,
            Values::Delta(_) => Encoding::DELTA_BINARY_PACKED,
            Values::DeltaBytes(_) => Encoding::DELTA_BYTE_ARRAY,
            // A page of nulls alone needs no dictionary, and some readers take no empty one.
            Values::Dictionary(dictionary) if dictionary.count() == 0 => Encoding::PLAIN,
            Values::Dictionary(_) => Encoding::RLE_DICTIONARY,
        }
    }

    /// Appends integers of `width` bytes.
    pub(super) fn ints(&mut self, values: &[i64], width: usize) {
        match self {
            Values::Delta(delta) => values.iter().for_each(|value| delta.push(*value)),
            _ => values.iter().for_each(|value| {
                self.fixed(&value.to_le_bytes()[..width]);
            }),
        }
    }

    /// Appends a value of fixed width, as Parquet writes it.
    #[inline]
    pub(super) fn fixed(&mut self, value: &[u8]) {
        match self {
            Values::Dictionary(dictionary) => _ = dictionary.push(value),
            Values::Plain(out) => out.extend_from_slice(value),
            // Never made for columns of fixed width.
            Values::Bits(_) | Values::Delta(_) | Values::DeltaBytes(_) => {}
        }
    }

    /// Appends a byte string; tells whether it may be a new least or greatest one.
    #[inline]
    pub(super) fn bytes(&mut self, value: &[u8]) -> bool {
        match self {
            Values::Dictionary(dictionary) => return dictionary.push(value),
            Values::DeltaBytes(delta) => delta.push(value),
            Values::Plain(out) => {
                out.extend_from_slice(&(value.len() as u32).to_le_bytes());
                out.extend_from_slice(value);
            }
            // Never made for columns of byte strings.
            Values::Bits(_) | Values::Delta(_) => {}
        }
        true
    }

    /// Bytes of the page so far, nearly.
    pub(super) fn len(&self) -> usize {
        match self {
            Values::Bits(bits) => bits.len() / 8,
            Values::Plain(out) => out.len(),
            Values::Delta(delta) => delta.len(),
            Values::DeltaBytes(delta) => {
                delta.shared.len() + delta.lengths.len() + delta.rests.len()
            }
            Values::Dictionary(dictionary) => dictionary.places_len(),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Values::Bits(bits) => bits.capacity() / 8,
            Values::Plain(out) => out.capacity(),
            Values::Delta(delta) => delta.memory_bytes(),
            Values::DeltaBytes(delta) => {
                let DeltaBytes { shared, lengths, rests, before } = &**delta;
                let texts = rests.capacity() + before.capacity();
                shared.memory_bytes() + lengths.memory_bytes() + texts
            }
            Values::Dictionary(dictionary) => dictionary.memory_bytes(),
        }
    }

    /// Appends the page's values and begins the next page.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        match self {
            Values::Bits(bits) => out.extend_from_slice(bits.finish().inner().as_slice()),
            Values::Plain(values) => {
                out.extend_from_slice(values);
                values.clear();
            }
            Values::Delta(delta) => delta.take(out),
            Values::DeltaBytes(delta) => {
                delta.shared.take(out);
                delta.lengths.take(out);
                out.extend_from_slice(&delta.rests);
                delta.rests.clear();
                delta.before.clear();
            }
            Values::Dictionary(dictionary) => dictionary.take_places(out),
        }
    }
}

impl DeltaBytes {
    fn push(&mut self, value: &[u8]) {
        let shared = self.before.iter().zip(value).take_while(|(a, b)| a == b).count();
        self.shared.push(shared as i64);
        self.lengths.push((value.len() - shared) as i64);
        self.rests.extend_from_slice(&value[shared..]);
        self.before.truncate(shared);
        self.before.extend_from_slice(&value[shared..]);
    }
}
