//! DELTA_BINARY_PACKED: differences to the value before, in blocks with their own widths.
//!
//! A header (block size, miniblocks, count, first value), then per block the least difference, four
//! widths, and four miniblocks of 32 differences above the least.

use super::hybrid::{pack, varint, width, zigzag};

const BLOCK: usize = 128;
const MINIBLOCKS: usize = 4;

/// The integers of a page.
#[derive(Debug)]
pub(super) struct Delta {
    /// Values are 32 bits wide: differences wrap there.
    narrow: bool,
    count: u64,
    first: i64,
    last: i64,
    block: Vec<i64>,
    blocks: Vec<u8>,
}

impl Delta {
    pub(super) fn new(narrow: bool) -> Self {
        Self { narrow, count: 0, first: 0, last: 0, block: Vec::new(), blocks: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        if self.count == 0 {
            self.first = value;
        } else {
            let delta = value.wrapping_sub(self.last);
            self.block.push(if self.narrow { i64::from(delta as i32) } else { delta });
            if self.block.len() == BLOCK {
                self.end_block();
            }
        }
        self.last = value;
        self.count += 1;
    }

    /// Bytes so far, nearly.
    pub(super) fn len(&self) -> usize {
        self.blocks.len() + self.block.len() * 4
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.blocks.capacity() + self.block.capacity() * 8
    }

    /// Appends everything and begins anew.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        if !self.block.is_empty() {
            self.end_block();
        }
        varint(BLOCK as u64, out);
        varint(MINIBLOCKS as u64, out);
        varint(self.count, out);
        zigzag(self.first, out);
        out.extend_from_slice(&self.blocks);
        self.blocks.clear();
        (self.count, self.first) = (0, 0);
    }

    fn end_block(&mut self) {
        let least = self.block.iter().copied().min().unwrap_or(0);
        zigzag(least, &mut self.blocks);
        let widths = self.blocks.len();
        self.blocks.extend_from_slice(&[0; MINIBLOCKS]);
        for (n, miniblock) in self.block.chunks(BLOCK / MINIBLOCKS).enumerate() {
            let above = |delta: &i64| delta.wrapping_sub(least) as u64;
            let bits = width(miniblock.iter().map(above).fold(0, |all, n| all | n));
            self.blocks[widths + n] = bits;
            let zeros = std::iter::repeat_n(0, BLOCK / MINIBLOCKS - miniblock.len());
            pack(miniblock.iter().map(above).chain(zeros), bits, &mut self.blocks);
        }
        self.block.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads as the format says, knowing nothing of the writer.
    fn decode(bytes: &[u8], narrow: bool) -> Vec<i64> {
        let mut at = 0;
        let varint = |at: &mut usize| {
            let (mut n, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[*at];
                *at += 1;
                n |= u64::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return n;
                }
            }
        };
        let unzigzag = |n: u64| (n >> 1) as i64 ^ -((n & 1) as i64);
        let block = varint(&mut at) as usize;
        let miniblocks = varint(&mut at) as usize;
        let count = varint(&mut at) as usize;
        let mut values = vec![unzigzag(varint(&mut at))];
        while values.len() < count {
            let least = unzigzag(varint(&mut at));
            let widths = bytes[at..at + miniblocks].to_vec();
            at += miniblocks;
            for width in widths {
                if values.len() >= count {
                    assert_eq!(width, 0, "a miniblock without values has no width");
                    continue;
                }
                let start = at * 8;
                for n in 0..block / miniblocks {
                    let from = start + n * usize::from(width);
                    let bit = |at: usize| u64::from(bytes[at / 8] >> (at % 8) & 1);
                    let above =
                        (from..from + usize::from(width)).rev().fold(0, |v, b| v << 1 | bit(b));
                    if values.len() < count {
                        let last = *values.last().unwrap();
                        let value = last.wrapping_add(least).wrapping_add(above as i64);
                        values.push(if narrow { i64::from(value as i32) } else { value });
                    }
                }
                at += block / miniblocks * usize::from(width) / 8;
            }
        }
        assert_eq!(at, bytes.len(), "all is read");
        values
    }

    fn round_trip(narrow: bool, values: &[i64]) -> Vec<i64> {
        let mut delta = Delta::new(narrow);
        let mut out = Vec::new();
        // The second use must not remember the first.
        for _ in 0..2 {
            out.clear();
            values.iter().for_each(|value| delta.push(*value));
            delta.take(&mut out);
        }
        decode(&out, narrow)
    }

    proptest! {
        #[test]
        fn wide_integers_come_back(
            values in prop::collection::vec(
                prop_oneof![any::<i64>(), 0i64..1_000, Just(i64::MIN), Just(i64::MAX)], 1..400,
            ),
        ) {
            prop_assert_eq!(round_trip(false, &values), values);
        }

        #[test]
        fn narrow_integers_come_back(
            values in prop::collection::vec(
                prop_oneof![any::<i32>(), 0i32..1_000, Just(i32::MIN), Just(i32::MAX)], 1..400,
            ),
        ) {
            let values: Vec<i64> = values.into_iter().map(i64::from).collect();
            prop_assert_eq!(round_trip(true, &values), values);
        }
    }

    #[test]
    fn a_sequence_is_a_few_bytes() {
        let mut delta = Delta::new(false);
        (0..20_000).for_each(|n| delta.push(1_000_000 + n));
        let mut out = Vec::new();
        delta.take(&mut out);
        assert!(out.len() < 20_000 / 20, "{} bytes", out.len());
    }
}
