//! A set of offsets: 64 of them in a few bytes, so that those of one cut fit into memory whatever
//! their order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A set of offsets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    blocks: BTreeMap<i64, u64>,
}

impl Offsets {
    /// Adds an offset; `false` = it was there.
    pub(super) fn insert(&mut self, offset: i64) -> bool {
        let bit = 1 << (offset & 63);
        let block = self.blocks.entry(offset >> 6).or_default();
        let added = *block & bit == 0;
        *block |= bit;
        added
    }

    pub(super) fn contains(&self, offset: i64) -> bool {
        self.blocks.get(&(offset >> 6)).is_some_and(|block| block & (1 << (offset & 63)) != 0)
    }

    pub(super) fn len(&self) -> u64 {
        self.blocks.values().map(|block| u64::from(block.count_ones())).sum()
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = i64> {
        self.blocks.iter().flat_map(|(block, bits)| offsets_in(*block, *bits))
    }

    /// The greatest.
    pub(super) fn last(&self) -> Option<i64> {
        let (block, bits) = self.blocks.last_key_value()?;
        Some((block << 6) + i64::from(63 - bits.leading_zeros()))
    }

    /// Those of `from..to`, in order.
    pub(super) fn range(&self, from: i64, to: i64) -> impl Iterator<Item = i64> {
        let blocks = self.blocks.range(from >> 6..=to >> 6);
        let all = blocks.flat_map(|(block, bits)| offsets_in(*block, *bits));
        all.filter(move |offset| (from..to).contains(offset))
    }

    /// Adds all of another set; gives those that were there already.
    pub(super) fn merge(&mut self, other: &Self) -> Self {
        let mut both = Self::default();
        for (block, bits) in &other.blocks {
            match self.blocks.entry(*block) {
                Entry::Vacant(entry) => _ = entry.insert(*bits),
                Entry::Occupied(mut entry) => {
                    let common = entry.get() & bits;
                    if common != 0 {
                        both.blocks.insert(*block, common);
                    }
                    *entry.get_mut() |= bits;
                }
            }
        }
        both
    }

    /// As half-open ranges, at most `max`.
    pub(super) fn ranges(&self, max: usize) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for offset in self.iter() {
            let count = ranges.len();
            match ranges.last_mut() {
                Some((_, to)) if *to == offset => *to += 1,
                _ if count == max => break,
                _ => ranges.push((offset, offset + 1)),
            }
        }
        ranges
    }
}

impl FromIterator<i64> for Offsets {
    fn from_iter<I: IntoIterator<Item = i64>>(all: I) -> Self {
        let mut offsets = Self::default();
        all.into_iter().for_each(|offset| _ = offsets.insert(offset));
        offsets
    }
}

fn offsets_in(block: i64, bits: u64) -> impl Iterator<Item = i64> {
    (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| (block << 6) + bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_come_back_in_order_and_count_once() {
        let mut offsets: Offsets = [130, 5, 63, 64, 5, i64::MAX, 0].into_iter().collect();
        assert_eq!(offsets.iter().collect::<Vec<_>>(), [0, 5, 63, 64, 130, i64::MAX]);
        assert_eq!((offsets.len(), offsets.contains(63), offsets.contains(62)), (6, true, false));
        assert_eq!(offsets.range(5, 130).collect::<Vec<_>>(), [5, 63, 64]);
        assert_eq!(offsets.ranges(3), [(0, 1), (5, 6), (63, 65)]);
        let both = offsets.merge(&[64, 65].into_iter().collect());
        assert_eq!(both.iter().collect::<Vec<_>>(), [64]);
        assert_eq!((offsets.contains(65), offsets.last()), (true, Some(i64::MAX)));
    }
}
