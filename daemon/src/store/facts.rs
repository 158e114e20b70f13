//! Facts as they lie in the tree: page by page, each a row with some facts of one group that follow each other by the hashes of their keys.
//!
//! sled keeps half a kilobyte in memory for each leaf, and has sixteen rows in one at most, however short they are. The country has a
//! million facts of some seventy bytes: with a row each they were five sixths of what the tree takes in memory and of the rows that a start reads.
//!
//! Invariant: of a hash a group holds what is in its page with the greatest key up to it. A page that has no facts left is taken away.
//!
//! # Format
//!
//! ```text
//! page = fact*                           in the order of hashes
//! fact = key_hash:8 len:4 held           as `store.rs` tells of it
//! ```

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included},
};

use super::{Store, StoreError};

/// Facts of a page at most: a change of one writes all of them.
const FACTS_MAX: usize = 16;
/// Facts of each page when one with too many is divided, so that some can be added.
const FACTS_FILLED: usize = 12;
/// Bytes of a page at most, unless a single fact has more; and of each when it is divided.
const BYTES_MAX: usize = 8 << 10;
const BYTES_FILLED: usize = 6 << 10;
/// Bytes in front of a fact.
const HEAD_BYTES: usize = 12;

/// Facts to be written, or removed where there is nothing, by their keys.
pub(super) type Facts = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A page that is changed.
struct Page {
    /// Keys of the group, as far as they are the same.
    group: Vec<u8>,
    /// Its key; `None` where it is new.
    key: Option<sled::IVec>,
    /// The last hash that it may hold.
    last: u64,
    facts: BTreeMap<u64, Vec<u8>>,
}

impl Store {
    /// Adds the pages to a batch of which facts change. Returns how many there are.
    pub(super) fn write_facts(&self, batch: &mut sled::Batch, facts: Facts) -> Result<usize, StoreError> {
        let (mut facts, mut pages) = (facts.into_iter().peekable(), 0);
        while let Some((key, _)) = facts.peek() {
            let mut page = Page::with(self, key)?;
            while let Some((key, held)) = facts.next_if(|(key, _)| page.hash_of(key).is_some()) {
                page.set(&key, held);
            }
            page.write(batch);
            pages += 1;
        }
        Ok(pages)
    }
}

impl Page {
    /// Reads the page in which the fact of a key is, or is to be.
    fn with(store: &Store, key: &[u8]) -> Result<Self, StoreError> {
        let (group, hash) = split(key);
        let at = |hash: u64| [group, &hash.to_be_bytes()].concat();
        let row = |row: Option<sled::Result<_>>| row.transpose().map_err(|error| store.read_error(error));
        let found: Option<(sled::IVec, sled::IVec)> = row(store.tree.range(at(0)..=at(hash)).next_back())?;
        let behind = row(store.tree.range((Excluded(at(hash)), Included(at(u64::MAX)))).next())?;
        let last = behind.map_or(u64::MAX, |(key, _)| split(&key).1.saturating_sub(1));
        let mut page = Self { group: group.to_vec(), key: None, last, facts: BTreeMap::new() };
        if let Some((key, value)) = found {
            for fact in all(&value) {
                let (hash, held) = fact.map_err(|problem| store.damaged(&key, problem))?;
                page.facts.insert(hash, held.to_vec());
            }
            page.key = Some(key);
        }
        Ok(page)
    }

    /// Returns the hash in a key behind the one that the page was read by, if it is of this page.
    fn hash_of(&self, key: &[u8]) -> Option<u64> {
        let (group, hash) = split(key);
        (group == self.group && hash <= self.last).then_some(hash)
    }

    fn set(&mut self, key: &[u8], held: Option<Vec<u8>>) {
        let (_, hash) = split(key);
        match held {
            Some(held) => drop(self.facts.insert(hash, held)),
            None => drop(self.facts.remove(&hash)),
        }
    }

    /// Writes it, in several pages if it has become too long for one.
    fn write(self, batch: &mut sled::Batch) {
        let bytes: usize = self.facts.values().map(|held| HEAD_BYTES + held.len()).sum();
        let fits = self.facts.len() <= FACTS_MAX && bytes <= BYTES_MAX;
        let (facts_max, bytes_max) = if fits { (FACTS_MAX, BYTES_MAX) } else { (FACTS_FILLED, BYTES_FILLED) };
        let (mut key, mut count, mut value) = (self.key, 0, Vec::new());
        if let Some(key) = key.as_ref().filter(|_| self.facts.is_empty()) {
            batch.remove(key);
        }
        for (hash, held) in &self.facts {
            if count == facts_max || (count > 0 && value.len() + HEAD_BYTES + held.len() > bytes_max) {
                batch.insert(key.take().unwrap_or_default(), std::mem::take(&mut value));
                count = 0;
            }
            key.get_or_insert_with(|| [&self.group[..], &hash.to_be_bytes()].concat().into());
            put(&mut value, *hash, held);
            count += 1;
        }
        if let Some(key) = key.filter(|_| count > 0) {
            batch.insert(key, value);
        }
    }
}

/// Returns the part of a fact's key that is of its group, and the hash.
fn split(key: &[u8]) -> (&[u8], u64) {
    let (group, hash) = key.split_last_chunk::<8>().unwrap_or((key, &[0; 8]));
    (group, u64::from_be_bytes(*hash))
}

fn put(page: &mut Vec<u8>, hash: u64, held: &[u8]) {
    // A fact is bounded by the wire's limits, far below 4 GiB.
    let len = u32::try_from(held.len()).unwrap_or(u32::MAX);
    page.extend_from_slice(&hash.to_be_bytes());
    page.extend_from_slice(&len.to_be_bytes());
    page.extend_from_slice(held);
}

/// Returns the facts of a page: the hashes of their keys, and what is held.
pub(super) fn all(mut page: &[u8]) -> impl Iterator<Item = Result<(u64, &[u8]), String>> {
    std::iter::from_fn(move || {
        if page.is_empty() {
            return None;
        }
        let Some((hash, held, rest)) = first(page) else {
            page = &[];
            return Some(Err("the page of facts is cut short".into()));
        };
        page = rest;
        Some(Ok((hash, held)))
    })
}

fn first(page: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (hash, rest) = page.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (held, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    Some((u64::from_be_bytes(*hash), held, rest))
}
