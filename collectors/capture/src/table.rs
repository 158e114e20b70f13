//! A table of fixed capacity: a hash index into a dense vector, and doubly linked lists through it that say who leaves
//! first. Inventory and flows both stand on it.
//!
//! Invariants: never more than `capacity` entries; each entry is in exactly one list; an index stays valid until its
//! entry is removed. The hash is seeded in each process, so that nobody outside can choose colliding keys.
//! It knows no time: who touches an entry, and when, decides its place in the list.

use std::{
    hash::{BuildHasher, Hash},
    hint::black_box,
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::ring::prefer_large_pages;

/// No entry.
const NONE: u32 = u32::MAX;

/// The most entries that room is reserved for at once.
const RESERVED_MAX: usize = 1 << 20;

/// A table with `LISTS` lists, most recently touched entry first.
#[derive(Debug)]
pub(crate) struct Table<K, V, const LISTS: usize> {
    index: HashTable<u32>,
    slots: Vec<Slot<K, V>>,
    free: u32,
    lists: [List; LISTS],
    hasher: RandomState,
    capacity: usize,
    len: usize,
}

/// In the order and at the alignment of cache lines: what finding an entry reads first, then the value, whose own order says what
/// of it lies nearest.
#[derive(Debug)]
#[repr(C, align(64))]
struct Slot<K, V> {
    /// Of a free slot, what it was.
    key: K,
    newer: u32,
    /// The next older entry of the list; of a free slot, the next free one.
    older: u32,
    list: u8,
    value: Option<V>,
}

/// What the next frames will look for, one place each: found for all of them at once, and taken in turn.
#[derive(Debug)]
pub(crate) struct Ahead<const N: usize> {
    hashes: [u64; N],
    noted: usize,
    likely: [u32; N],
    turn: usize,
}

#[derive(Debug, Clone, Copy)]
struct List {
    newest: u32,
    oldest: u32,
    len: usize,
}

impl<const N: usize> Ahead<N> {
    pub(crate) const fn new() -> Self {
        Self { hashes: [0; N], noted: 0, likely: [NONE; N], turn: 0 }
    }

    /// Notes what the index knows the next key by; 0 where it is not known.
    #[inline]
    pub(crate) fn note(&mut self, hash: u64) {
        if let Some(place) = self.hashes.get_mut(self.noted) {
            *place = hash;
            self.noted += 1;
        }
    }

    /// Returns where the next key is likely to be.
    #[inline]
    pub(crate) fn next(&mut self) -> u32 {
        let likely = self.likely.get(self.turn).copied().unwrap_or(NONE);
        self.turn = self.turn.saturating_add(1);
        likely
    }
}

impl<K: Hash + Eq + Copy, V, const LISTS: usize> Table<K, V, LISTS> {
    /// Returns an empty table for at most `capacity` entries, at least one. Room for all is reserved at once, so that nothing is
    /// moved later; the system gives memory as it is first written to.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, NONE as usize - 1);
        let reserved = capacity.min(RESERVED_MAX);
        let mut slots = Vec::with_capacity(reserved);
        prefer_large_pages(slots.spare_capacity_mut());
        Self {
            index: HashTable::with_capacity(reserved),
            slots,
            free: NONE,
            lists: [List { newest: NONE, oldest: NONE, len: 0 }; LISTS],
            hasher: RandomState::default(),
            capacity,
            len: 0,
        }
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len >= self.capacity
    }

    /// Returns the number of entries in `list`.
    pub(crate) fn list_len(&self, list: u8) -> usize {
        self.lists.get(usize::from(list)).map_or(0, |list| list.len)
    }

    #[inline]
    pub(crate) fn find(&self, key: &K) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        // What the index names is in use.
        self.index.find(hash, |&at| self.slots.get(at as usize).is_some_and(|slot| slot.key == *key)).copied()
    }

    /// Returns the same, with a look at `guesses` first: where a frame was foreseen to lead, and where the last one led.
    #[inline]
    pub(crate) fn find_near(&self, guesses: [u32; 2], key: &K) -> Option<u32> {
        let is_right =
            |at: &u32| self.slots.get(*at as usize).is_some_and(|slot| slot.key == *key && slot.value.is_some());
        guesses.into_iter().find(is_right).or_else(|| self.find(key))
    }

    /// Returns what the index knows a key by.
    #[inline]
    pub(crate) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Fetches what finding the keys that were noted will read, and has `fetch` do the same with their values. Nothing here depends on
    /// what another waits for, so that all wait together.
    #[inline]
    pub(crate) fn foresee<const N: usize>(&self, ahead: &mut Ahead<N>, fetch: impl Fn(&V)) {
        // The few bits of a hash that the index keeps decide: comparing keys would have to wait for them.
        ahead.likely = ahead.hashes.map(|hash| self.index.find(hash, |_| true).copied().unwrap_or(NONE));
        (ahead.noted, ahead.turn) = (0, 0);
        for at in ahead.likely {
            let Some(slot) = self.slots.get(at as usize) else { continue };
            black_box(slot.list);
            if let Some(value) = &slot.value {
                fetch(value);
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&V> {
        self.slots.get(at as usize)?.value.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut V> {
        self.slots.get_mut(at as usize)?.value.as_mut()
    }

    pub(crate) fn key(&self, at: u32) -> Option<&K> {
        self.slots.get(at as usize).filter(|slot| slot.value.is_some()).map(|slot| &slot.key)
    }

    /// Returns the list that the entry is in.
    pub(crate) fn list_of(&self, at: u32) -> Option<u8> {
        self.slots.get(at as usize).filter(|slot| slot.value.is_some()).map(|slot| slot.list)
    }

    /// Puts a new entry in front of `list`. Returns `None`, and changes nothing, when the table is full: whoever
    /// inserts decides first who leaves. The key must not be in the table.
    pub(crate) fn insert(&mut self, key: K, value: V, list: u8) -> Option<u32> {
        if self.is_full() || usize::from(list) >= LISTS {
            return None;
        }
        let hash = self.hasher.hash_one(key);
        let slot = Slot { key, newer: NONE, older: NONE, list, value: Some(value) };
        let at = if self.free == NONE {
            let at = u32::try_from(self.slots.len()).ok()?;
            self.slots.push(slot);
            at
        } else {
            let at = self.free;
            let place = self.slots.get_mut(at as usize)?;
            self.free = place.older;
            *place = slot;
            at
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, at, |&at| slots.get(at as usize).map_or(0, |slot| hasher.hash_one(slot.key)));
        self.len += 1;
        self.link(at, list);
        Some(at)
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<(K, V)> {
        let hash = self.hasher.hash_one(self.key(at)?);
        self.unlink(at);
        if let Ok(found) = self.index.find_entry(hash, |&found| found == at) {
            found.remove();
        }
        let slot = self.slots.get_mut(at as usize)?;
        let value = slot.value.take()?;
        slot.older = self.free;
        self.free = at;
        self.len -= 1;
        Some((slot.key, value))
    }

    /// Moves the entry to the front of `list`.
    pub(crate) fn touch(&mut self, at: u32, list: u8) {
        if usize::from(list) < LISTS && self.list_of(at).is_some() {
            self.unlink(at);
            self.link(at, list);
        }
    }

    /// Returns the entry of `list` that was touched longest ago.
    pub(crate) fn oldest(&self, list: u8) -> Option<u32> {
        self.lists.get(usize::from(list)).map(|list| list.oldest).filter(|&at| at != NONE)
    }

    /// Returns the entries of `list`, the one that was touched longest ago first.
    pub(crate) fn oldest_first(&self, list: u8) -> impl Iterator<Item = u32> {
        let newer = |at: &u32| self.slots.get(*at as usize).map(|slot| slot.newer).filter(|&at| at != NONE);
        std::iter::successors(self.oldest(list), newer)
    }

    /// Returns every entry, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref().map(|value| (&slot.key, value)))
    }

    /// Returns the values for change, in the order of their indexes.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.slots.iter_mut().filter_map(|slot| slot.value.as_mut().map(|value| (&slot.key, value)))
    }

    fn link(&mut self, at: u32, to: u8) {
        let Some(list) = self.lists.get_mut(usize::from(to)) else { return };
        let second = list.newest;
        list.newest = at;
        list.len += 1;
        if second == NONE {
            list.oldest = at;
        } else if let Some(slot) = self.slots.get_mut(second as usize) {
            slot.newer = at;
        }
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.newer = NONE;
            slot.older = second;
            slot.list = to;
        }
    }

    fn unlink(&mut self, at: u32) {
        let Some(&Slot { newer, older, list, .. }) = self.slots.get(at as usize) else { return };
        let Some(list) = self.lists.get_mut(usize::from(list)) else { return };
        list.len -= 1;
        match self.slots.get_mut(newer as usize) {
            Some(slot) => slot.older = older,
            None => list.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = newer,
            None => list.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, u8),
        Remove(u8),
        Touch(u8, u8),
        EvictOldest(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (any::<u8>(), 0..2_u8).prop_map(|(key, list)| Step::Insert(key, list)),
            any::<u8>().prop_map(Step::Remove),
            (any::<u8>(), 0..2_u8).prop_map(|(key, list)| Step::Touch(key, list)),
            (0..2_u8).prop_map(Step::EvictOldest),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        /// The model: a map, and a queue for each list.
        #[test]
        fn the_table_does_what_a_map_with_queues_does(steps in steps()) {
            const CAPACITY: usize = 12;
            let mut table: Table<u8, u32, 2> = Table::new(CAPACITY);
            let mut map: HashMap<u8, u32> = HashMap::new();
            let mut queues = [VecDeque::new(), VecDeque::new()];
            for (number, step) in (0_u32..).zip(steps) {
                match step {
                    Step::Insert(key, list) => {
                        if map.contains_key(&key) { continue; }
                        let inserted = table.insert(key, number, list).is_some();
                        prop_assert_eq!(inserted, map.len() < CAPACITY);
                        if inserted {
                            map.insert(key, number);
                            queues[usize::from(list)].push_front(key);
                        }
                    }
                    Step::Remove(key) => {
                        let removed = table.find(&key).and_then(|at| table.remove(at));
                        prop_assert_eq!(removed, map.remove(&key).map(|value| (key, value)));
                        for queue in &mut queues { queue.retain(|k| *k != key); }
                    }
                    Step::Touch(key, list) => {
                        if let Some(at) = table.find(&key) {
                            table.touch(at, list);
                            for queue in &mut queues { queue.retain(|k| *k != key); }
                            queues[usize::from(list)].push_front(key);
                        }
                    }
                    Step::EvictOldest(list) => {
                        let evicted = table.oldest(list).and_then(|at| table.remove(at)).map(|(key, _)| key);
                        prop_assert_eq!(evicted, queues[usize::from(list)].pop_back());
                        if let Some(key) = evicted { map.remove(&key); }
                    }
                }
                prop_assert_eq!(table.len(), map.len());
                for list in 0..2_u8 {
                    let queue = &queues[usize::from(list)];
                    prop_assert_eq!(table.list_len(list), queue.len());
                    prop_assert_eq!(table.oldest(list).and_then(|at| table.key(at)), queue.back());
                    prop_assert!(table.oldest_first(list).filter_map(|at| table.key(at)).eq(queue.iter().rev()));
                }
                for (key, value) in &map {
                    prop_assert_eq!(table.find(key).and_then(|at| table.get(at)), Some(value));
                    let guesses = [number % 16, key.wrapping_mul(7).into()];
                    prop_assert_eq!(table.find_near(guesses, key), table.find(key));
                }
                // What is foreseen is never another key's, once it is looked at.
                let mut ahead: Ahead<4> = Ahead::new();
                for key in map.keys() {
                    ahead.note(table.hash(key));
                }
                table.foresee(&mut ahead, |_| ());
                for key in map.keys() {
                    prop_assert_eq!(table.find_near([ahead.next(), NONE], key), table.find(key));
                }
            }
        }
    }
}
