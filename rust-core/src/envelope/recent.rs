//! A few things of which mostly the same one is wanted again.

/// Things, of which one is the current one.
#[derive(Debug)]
pub(super) struct Recent<T> {
    items: Vec<T>,
    current: usize,
    capacity: usize,
    /// Replaced next, once all places are taken.
    oldest: usize,
}

impl<T> Recent<T> {
    /// None yet; at most `capacity`.
    pub(super) fn new(capacity: usize) -> Self {
        Self { items: Vec::new(), current: 0, capacity, oldest: 0 }
    }

    /// Makes the first thing that `is` wanted the current one, asking of the present one first.
    #[inline]
    pub(super) fn find(&mut self, mut is: impl FnMut(&T) -> bool) -> Option<&T> {
        let now = self.current;
        if !self.items.get(now).is_some_and(&mut is) {
            let mut others = self.items.iter().enumerate();
            self.current = others.find(|(at, item)| *at != now && is(item))?.0;
        }
        self.items.get(self.current)
    }

    /// Adds a thing, the current one from now on.
    pub(super) fn insert(&mut self, item: T) {
        if self.items.len() < self.capacity {
            self.current = self.items.len();
            self.items.push(item);
        } else {
            self.current = self.oldest;
            self.items[self.current] = item;
            self.oldest = (self.oldest + 1) % self.capacity;
        }
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// The current one.
    pub(super) fn current(&self) -> Option<&T> {
        self.items.get(self.current)
    }

    /// The current one, to be changed.
    pub(super) fn current_mut(&mut self) -> Option<&mut T> {
        self.items.get_mut(self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_one_is_asked_first_and_the_oldest_goes() {
        let mut recent = Recent::new(2);
        assert_eq!(recent.find(|_: &i32| true), None);
        recent.insert(1);
        recent.insert(2);
        assert_eq!(recent.find(|_| true), Some(&2));
        assert_eq!(recent.find(|n| *n == 1), Some(&1));
        assert_eq!(recent.find(|n| *n == 3), None);
        assert_eq!(recent.current(), Some(&1), "a miss changes nothing");
        recent.insert(3);
        assert_eq!(recent.find(|n| *n == 1), None);
        assert_eq!(recent.current(), Some(&3));
        recent.insert(4);
        assert_eq!(recent.find(|n| *n == 2), None);
        assert_eq!(recent.find(|n| *n == 3), Some(&3));
        recent.iter_mut().for_each(|n| *n *= 10);
        assert_eq!(recent.current(), Some(&30));
    }
}
