//! Things that repeat, told once and named by their place.
//!
//! Invariant: places are given in the order of first appearance; [`Told::ranked`] gives them anew by how often each was named,
//! so that what is frequent has the shortest number.

use std::{borrow::Borrow, cmp::Reverse, collections::HashMap, hash::Hash};

/// What was told so far.
pub(super) struct Told<T> {
    places: HashMap<T, u32, foldhash::fast::RandomState>,
    order: Vec<(T, u32)>,
}

impl<T: Clone + Eq + Hash> Told<T> {
    pub(super) fn new() -> Self {
        Self { places: HashMap::default(), order: Vec::new() }
    }

    /// Returns the place of a thing, told now if it was not before.
    pub(super) fn place<Q>(&mut self, it: &Q) -> u32
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = T> + ?Sized,
    {
        if let Some(place) = self.places.get(it) {
            if let Some((_, count)) = self.order.get_mut(index(*place)) {
                *count += 1;
            }
            return *place;
        }
        let place = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.places.insert(it.to_owned(), place);
        self.order.push((it.to_owned(), 1));
        place
    }

    /// Returns the things, the most frequent first, and by place where each went.
    pub(super) fn ranked(self) -> (Vec<T>, Vec<u32>) {
        let counts: Vec<u32> = self.order.iter().map(|(_, count)| *count).collect();
        self.ordered(|place, _| Reverse(counts.get(place).copied()))
    }

    /// Returns the things in their own order, and by place where each went.
    pub(super) fn sorted(self) -> (Vec<T>, Vec<u32>)
    where
        T: Ord,
    {
        self.ordered(|_, it| it.clone())
    }

    fn ordered<K: Ord>(self, key: impl Fn(usize, &T) -> K) -> (Vec<T>, Vec<u32>) {
        let mut numbered: Vec<(usize, T)> = self.order.into_iter().map(|(it, _)| it).enumerate().collect();
        numbered.sort_by_cached_key(|(place, it)| key(*place, it));
        let mut went = vec![0; numbered.len()];
        for (new, (place, _)) in numbered.iter().enumerate() {
            if let Some(slot) = went.get_mut(*place) {
                *slot = u32::try_from(new).unwrap_or(u32::MAX);
            }
        }
        (numbered.into_iter().map(|(_, it)| it).collect(), went)
    }
}

/// Returns where a place went.
pub(super) fn went(to: &[u32], place: u32) -> u32 {
    to.get(index(place)).copied().unwrap_or(u32::MAX)
}

/// Returns a place as an index.
pub(super) fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frequent_comes_first_and_is_told_once() {
        let mut told = Told::<String>::new();
        let places: Vec<u32> = ["b", "a", "c", "a", "c", "a"].into_iter().map(|it| told.place::<str>(it)).collect();
        assert_eq!(places, [0, 1, 2, 1, 2, 1]);
        let (order, to) = told.ranked();
        assert_eq!(order, ["a", "c", "b"]);
        assert_eq!(places.iter().map(|place| order[index(went(&to, *place))].as_str()).collect::<String>(), "bacaca");
    }
}
