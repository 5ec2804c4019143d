//! The distinct values of a column chunk, and the place of each row's value among them.

use super::hash::hash;
use super::hybrid;

/// A dictionary, and the places of the page at work.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Bytes before each value in the page: its length, for values that vary in it.
    prefix: usize,
    /// The dictionary page: the values in the order they were first seen.
    page: Vec<u8>,
    /// Where each value ends in the page.
    ends: Vec<u32>,
    /// Places by hash, open addressing; 0 = free, else place + 1. A power of two, half empty.
    table: Vec<u32>,
    places: Vec<u32>,
    last: u32,
}

impl Dictionary {
    /// An empty dictionary, of values that vary in length or do not.
    pub(super) fn new(varying: bool) -> Self {
        let prefix = if varying { 4 } else { 0 };
        let (page, ends, table) = (Vec::new(), Vec::new(), vec![0; 16]);
        Self { prefix, page, ends, table, places: Vec::new(), last: 0 }
    }

    /// Adds the value of the next row; tells whether it was not known before.
    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) -> bool {
        if !self.ends.is_empty() && self.value(self.last) == value {
            self.places.push(self.last);
            return false;
        }
        let known = self.ends.len();
        self.last = self.find(value);
        self.places.push(self.last);
        self.ends.len() > known
    }

    /// Distinct values.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The dictionary page.
    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }

    /// Bytes the places take, nearly.
    pub(super) fn places_len(&self) -> usize {
        self.places.len() * usize::from(self.width()) / 8
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let words = self.ends.capacity() + self.table.capacity() + self.places.capacity();
        self.page.capacity() + words * 4
    }

    /// Appends the places of the page at work and begins the next page; nothing when there is no
    /// value yet.
    pub(super) fn take_places(&mut self, out: &mut Vec<u8>) {
        if self.ends.is_empty() {
            return;
        }
        out.push(self.width());
        hybrid::encode(&self.places, self.width(), out);
        self.places.clear();
    }

    /// Bits of a place.
    fn width(&self) -> u8 {
        hybrid::width(self.ends.len().saturating_sub(1) as u64)
    }

    fn value(&self, place: u32) -> &[u8] {
        let place = place as usize;
        let start = if place == 0 { 0 } else { self.ends[place - 1] as usize };
        &self.page[start + self.prefix..self.ends[place] as usize]
    }

    fn find(&mut self, value: &[u8]) -> u32 {
        if self.ends.len() * 2 >= self.table.len() {
            self.grow();
        }
        let mut slot = self.slot(value);
        loop {
            match self.table[slot] {
                0 => break,
                place if self.value(place - 1) == value => return place - 1,
                _ => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
        if self.prefix > 0 {
            self.page.extend_from_slice(&(value.len() as u32).to_le_bytes());
        }
        self.page.extend_from_slice(value);
        self.ends.push(self.page.len() as u32);
        self.table[slot] = self.ends.len() as u32;
        self.table[slot] - 1
    }

    fn slot(&self, value: &[u8]) -> usize {
        (hash(value) >> 32) as usize & (self.table.len() - 1)
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 4];
        for place in 0..self.ends.len() as u32 {
            let mut slot = self.slot(self.value(place));
            while self.table[slot] != 0 {
                slot = (slot + 1) & (self.table.len() - 1);
            }
            self.table[slot] = place + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_value_has_one_place(
            values in prop::collection::vec("[ab]{0,9}|[a-z]{0,2}", 1..2_000),
            varying in any::<bool>(),
        ) {
            // Values that do not vary in length are told apart by their bytes alone.
            let bytes = |text: &str| if varying {
                text.as_bytes().to_vec()
            } else {
                format!("{text:>9}").into_bytes()
            };
            let mut dictionary = Dictionary::new(varying);
            let mut seen: Vec<Vec<u8>> = Vec::new();
            for value in &values {
                let value = bytes(value);
                let new = !seen.contains(&value);
                prop_assert_eq!(dictionary.push(&value), new);
                if new {
                    seen.push(value);
                }
            }
            prop_assert_eq!(dictionary.count(), seen.len());
            for (value, place) in values.iter().zip(&dictionary.places) {
                prop_assert_eq!(dictionary.value(*place), bytes(value));
            }
            let page: Vec<u8> = seen
                .iter()
                .flat_map(|value| {
                    let length = (value.len() as u32).to_le_bytes();
                    [if varying { &length[..] } else { &[] }, value].concat()
                })
                .collect();
            prop_assert_eq!(dictionary.page(), page);
        }
    }
}
