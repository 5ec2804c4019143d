//! Parquet's hybrid of run lengths and packed bits: for levels and for places in a dictionary.
//!
//! A run is a varint `count << 1` and the value; packed groups of eight are a varint
//! `groups << 1 | 1` and their bits, least significant first.

use arrow::buffer::BooleanBuffer;

/// Packed groups under one header: what every reader is known to take.
const MAX_GROUPS: usize = 63;
/// A run shorter than this is packed.
const MIN_RUN: usize = 8;

/// Appends values of `width` bits.
pub(super) fn encode(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let mut packed = Vec::with_capacity(MAX_GROUPS * 8);
    let mut rest = values;
    while let Some(&value) = rest.first() {
        let run = rest.iter().take_while(|next| **next == value).count();
        // Groups are of eight: what is packed already takes from the run what it lacks.
        let lacking = packed.len().next_multiple_of(8) - packed.len();
        if run >= MIN_RUN + lacking {
            packed.extend(&rest[..lacking]);
            pack_groups(&mut packed, width, out);
            varint(((run - lacking) as u64) << 1, out);
            out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
        } else {
            for value in &rest[..run] {
                packed.push(*value);
                if packed.len() == MAX_GROUPS * 8 {
                    pack_groups(&mut packed, width, out);
                }
            }
        }
        rest = &rest[run..];
    }
    pack_groups(&mut packed, width, out);
}

/// Appends the levels of a page of an optional column, led by their length: one bit a row.
pub(super) fn levels(valid: &BooleanBuffer, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let set = valid.count_set_bits();
    if set == 0 || set == valid.len() {
        varint((valid.len() as u64) << 1, out);
        out.push(u8::from(set > 0));
    } else {
        // A bitmap is what packed groups of one bit are.
        let bits = valid.sliced();
        let bytes = &bits.as_slice()[..valid.len().div_ceil(8)];
        for chunk in bytes.chunks(MAX_GROUPS) {
            varint((chunk.len() as u64) << 1 | 1, out);
            out.extend_from_slice(chunk);
        }
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Appends the levels of a page of an optional column within an optional struct: 0 where the struct
/// is null, 1 where the column is, 2 where there is a value.
pub(super) fn levels_within(within: &BooleanBuffer, valid: &BooleanBuffer, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let level = |(within, valid)| u32::from(within) + u32::from(within & valid);
    let levels: Vec<u32> = within.iter().zip(valid.iter()).map(level).collect();
    encode(&levels, 2, out);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Appends the values, filled up with zeros to whole groups, and forgets them.
fn pack_groups(values: &mut Vec<u32>, width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    values.resize(values.len().next_multiple_of(8), 0);
    varint(((values.len() / 8) as u64) << 1 | 1, out);
    pack(values.iter().map(|value| u64::from(*value)), width, out);
    values.clear();
}

/// Appends values of `width` bits side by side; together they must fill whole bytes.
#[inline]
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0u128, 0u32);
    for value in values {
        bits |= u128::from(value) << filled;
        filled += u32::from(width);
        if filled >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            filled -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes()[..(filled / 8) as usize]);
}

/// Appends an unsigned number, seven bits a byte.
pub(super) fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a signed number, small ones of either sign short.
pub(super) fn zigzag(n: i64, out: &mut Vec<u8>) {
    varint((n << 1 ^ n >> 63) as u64, out);
}

/// Bits that hold a number.
pub(super) fn width(max: u64) -> u8 {
    (64 - max.leading_zeros()) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::BooleanBufferBuilder;
    use proptest::prelude::*;

    /// Reads as the format says, knowing nothing of the writer.
    fn decode(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let (byte, rest) = bytes.split_first().unwrap();
                header |= u64::from(byte & 0x7F) << shift;
                shift += 7;
                bytes = rest;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let (value, rest) = bytes.split_at(usize::from(width).div_ceil(8));
                let value = value.iter().rev().fold(0u32, |n, b| n << 8 | u32::from(*b));
                values.resize(values.len() + (header >> 1) as usize, value);
                bytes = rest;
            } else {
                let groups = (header >> 1) as usize;
                let (packed, rest) = bytes.split_at(groups * usize::from(width));
                let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
                for n in 0..groups * 8 {
                    let bits = n * usize::from(width)..(n + 1) * usize::from(width);
                    values.push(bits.rev().fold(0, |value, at| value << 1 | bit(at)));
                }
                bytes = rest;
            }
        }
        assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
        assert!(values.len() < count + 8 && values[count..].iter().all(|v| *v == 0));
        values.truncate(count);
        values
    }

    fn runs() -> impl Strategy<Value = (u8, Vec<u32>)> {
        (0u8..=20).prop_flat_map(|width| {
            let run = (0..1u32 << width, prop_oneof![1usize..4, 1usize..40, 500usize..600]);
            let values = prop::collection::vec(run, 0..60).prop_map(|runs| {
                runs.into_iter().flat_map(|(value, count)| vec![value; count]).collect()
            });
            (Just(width), values)
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded((width, values) in runs()) {
            let mut out = Vec::new();
            encode(&values, width, &mut out);
            prop_assert_eq!(decode(&out, width, values.len()), values);
        }

        #[test]
        fn levels_are_the_bits((_, runs) in runs(), skip in 0usize..20) {
            let mut bits = BooleanBufferBuilder::new(0);
            runs.iter().for_each(|n| bits.append(n % 2 == 1));
            prop_assume!(runs.len() > skip);
            let bits = bits.finish().slice(skip, runs.len() - skip);
            let mut out = Vec::new();
            levels(&bits, &mut out);
            let length = u32::from_le_bytes(out[..4].try_into().unwrap()) as usize;
            prop_assert_eq!(length, out.len() - 4);
            let expected: Vec<u32> = bits.iter().map(u32::from).collect();
            prop_assert_eq!(decode(&out[4..], 1, expected.len()), expected);
        }
    }

    #[test]
    fn a_constant_column_is_a_few_bytes() {
        let mut out = Vec::new();
        encode(&[0; 20_000], 0, &mut out);
        assert!(out.len() <= 3, "{out:?}");
    }
}
