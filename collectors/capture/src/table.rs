//! A table of fixed capacity: a hash index into a dense vector, and doubly linked lists through it that say who leaves
//! first. Inventory and flows both stand on it.
//!
//! Invariants: never more than `capacity` entries; each entry is in exactly one list; an index stays valid until its
//! entry is removed. The hash is seeded in each process, so that nobody outside can choose colliding keys.
//! It knows no time: who touches an entry, and when, decides its place in the list.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// No entry.
const NONE: u32 = u32::MAX;

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

#[derive(Debug)]
struct Slot<K, V> {
    entry: Option<(K, V)>,
    newer: u32,
    /// The next older entry of the list; of a free slot, the next free one.
    older: u32,
    list: u8,
}

#[derive(Debug, Clone, Copy)]
struct List {
    newest: u32,
    oldest: u32,
    len: usize,
}

impl<K: Hash + Eq, V, const LISTS: usize> Table<K, V, LISTS> {
    /// Returns an empty table for at most `capacity` entries, at least one; memory is taken as it fills.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: NONE,
            lists: [List { newest: NONE, oldest: NONE, len: 0 }; LISTS],
            hasher: RandomState::default(),
            capacity: capacity.clamp(1, NONE as usize - 1),
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
        self.index.find(hash, |&at| self.key(at).is_some_and(|found| found == key)).copied()
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&V> {
        self.slots.get(at as usize)?.entry.as_ref().map(|(_, value)| value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut V> {
        self.slots.get_mut(at as usize)?.entry.as_mut().map(|(_, value)| value)
    }

    pub(crate) fn key(&self, at: u32) -> Option<&K> {
        self.slots.get(at as usize)?.entry.as_ref().map(|(key, _)| key)
    }

    /// Returns the list that the entry is in.
    pub(crate) fn list_of(&self, at: u32) -> Option<u8> {
        self.slots.get(at as usize).filter(|slot| slot.entry.is_some()).map(|slot| slot.list)
    }

    /// Puts a new entry in front of `list`. Returns `None`, and changes nothing, when the table is full: whoever
    /// inserts decides first who leaves. The key must not be in the table.
    pub(crate) fn insert(&mut self, key: K, value: V, list: u8) -> Option<u32> {
        if self.is_full() || usize::from(list) >= LISTS {
            return None;
        }
        let hash = self.hasher.hash_one(&key);
        let slot = Slot { entry: Some((key, value)), newer: NONE, older: NONE, list };
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
        self.index.insert_unique(hash, at, |&at| {
            slots.get(at as usize).and_then(|slot| slot.entry.as_ref()).map_or(0, |(key, _)| hasher.hash_one(key))
        });
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
        let entry = slot.entry.take();
        slot.older = self.free;
        self.free = at;
        self.len -= 1;
        entry
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
        self.slots.iter().filter_map(|slot| slot.entry.as_ref()).map(|(key, value)| (key, value))
    }

    /// Returns the values for change, in the order of their indexes.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut()).map(|(key, value)| (&*key, value))
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
                }
            }
        }
    }
}
