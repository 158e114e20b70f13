//! The facts that agents hold, group by group, packed: a country holds a million of them, most are rows of a few bytes, and few are read
//! between two tellings.
//!
//! Invariant: a group's facts lie in blocks in the order of their key hashes, each fact as the bytes of which agents and the centre make
//! its hash ([`codec::fact_message`]), with its time before them. How they are cut into blocks depends on the order in which they came and
//! does not show. A change makes one block anew, of at most [`BLOCK_BYTES`] and the fact; other snapshots share the rest.

use std::{cmp::Ordering, sync::Arc};

use onenet_topology::{
    Timestamp,
    fact::{Fact, Group},
    varint::{self, unzigzag, zigzag},
};
use onenet_wire::{GroupDigest, codec, message_hash};
use serde::{Deserialize, Serialize};

/// A block that grew beyond so many bytes is cut in two. Small enough to be made anew for one fact, large enough that what a block costs by
/// itself is little beside its thirty rows.
const BLOCK_BYTES: usize = 2_048;
/// Key hash and time, before a row's two short numbers.
const HEAD_BYTES: usize = 16;

/// The facts of one group, as one agent holds them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HeldGroup {
    /// None of them is empty.
    blocks: Vec<Arc<[u8]>>,
    /// No fact has a greater key hash.
    last: u64,
    digest: GroupDigest,
}

/// A fact, and how its time came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The fact, with the time corrected by the centre's clock.
    pub fact: Fact,
    /// Milliseconds that were added to the agent's time.
    pub shift_ms: i64,
    /// Whether the correction is a guess, since the batch is from a boot that the centre never saw.
    pub uncertain: bool,
}

/// A fact as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldRow<'g> {
    /// The hash of its key.
    pub key_hash: u64,
    /// When it was last observed, corrected by the centre's clock.
    pub observed: Timestamp,
    shift_ms: i64,
    uncertain: bool,
    message: &'g [u8],
}

impl HeldRow<'_> {
    /// Returns the fact.
    pub fn held(&self) -> Option<Held> {
        // What was written is read back; `None` stands for a defect.
        let body = codec::read_fact_message(self.message).ok()?;
        let fact = Fact { observed: self.observed, body };
        Some(Held { fact, shift_ms: self.shift_ms, uncertain: self.uncertain })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key_hash.to_be_bytes());
        out.extend_from_slice(&self.observed.unix_ms().to_be_bytes());
        varint::put(out, zigzag(self.shift_ms));
        varint::put(out, self.message.len() as u64 * 2 + u64::from(self.uncertain));
        out.extend_from_slice(self.message);
    }
}

/// Splits the first row from a block; `None` at its end.
fn first_row(block: &[u8]) -> Option<(HeldRow<'_>, &[u8])> {
    let (key_hash, rest) = block.split_first_chunk()?;
    let (observed, mut rest) = rest.split_first_chunk()?;
    let (shift, length) = (varint::take(&mut rest)?, varint::take(&mut rest)?);
    let (message, rest) = rest.split_at_checked(usize::try_from(length / 2).ok()?)?;
    let row = HeldRow {
        key_hash: u64::from_be_bytes(*key_hash),
        observed: Timestamp::from_unix_ms(i64::from_be_bytes(*observed)),
        shift_ms: unzigzag(shift),
        uncertain: length % 2 == 1,
        message,
    };
    Some((row, rest))
}

fn rows(block: &[u8]) -> impl Iterator<Item = HeldRow<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (row, after) = first_row(rest)?;
        rest = after;
        Some(row)
    })
}

fn first_hash(block: &[u8]) -> u64 {
    block.first_chunk().map_or(0, |hash| u64::from_be_bytes(*hash))
}

/// Returns where in a block the row of this key hash begins and ends, or would.
fn place_of(block: &[u8], key_hash: u64) -> (usize, usize) {
    let mut rest = block;
    while let Some((row, after)) = first_row(rest) {
        let begin = block.len() - rest.len();
        match row.key_hash.cmp(&key_hash) {
            Ordering::Less => rest = after,
            Ordering::Equal => return (begin, block.len() - after.len()),
            Ordering::Greater => return (begin, begin),
        }
    }
    (block.len(), block.len())
}

/// Returns where a block is to be cut in two: at the row that crosses its middle.
fn middle(block: &[u8]) -> usize {
    let mut rest = block;
    while let Some((_, after)) = first_row(rest) {
        rest = after;
        if rest.len() <= block.len() / 2 {
            break;
        }
    }
    block.len() - rest.len()
}

impl HeldGroup {
    /// Returns a group without a fact.
    pub const fn new(group: Group) -> Self {
        Self { blocks: Vec::new(), last: 0, digest: GroupDigest::empty(group) }
    }

    /// Returns number and sum of the facts, as agents compute them.
    pub const fn digest(&self) -> &GroupDigest {
        &self.digest
    }

    /// Returns the fact of this key hash.
    pub fn get(&self, key_hash: u64) -> Option<Held> {
        self.range(key_hash, key_hash).next()?.held()
    }

    /// Returns all facts with their key hashes, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Held)> {
        self.rows().filter_map(|row| Some((row.key_hash, row.held()?)))
    }

    /// Returns all facts as they are kept, in the order of their key hashes.
    pub fn rows(&self) -> impl Iterator<Item = HeldRow<'_>> {
        self.blocks.iter().flat_map(|block| rows(block))
    }

    /// Returns the facts whose key hashes lie in the range, both ends included, as they are kept.
    pub fn range(&self, first: u64, last: u64) -> impl Iterator<Item = HeldRow<'_>> {
        let blocks = self.blocks.get(self.block_of(first)..).unwrap_or_default();
        let rows = blocks.iter().flat_map(|block| rows(block)).skip_while(move |row| row.key_hash < first);
        rows.take_while(move |row| row.key_hash <= last)
    }

    /// Returns whether it holds no fact.
    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Returns the number of facts.
    pub fn len(&self) -> usize {
        usize::try_from(self.digest.count).unwrap_or(usize::MAX)
    }

    /// Puts the fact in (`Some`) or takes it out (`None`), and keeps the digest in step.
    pub fn set(&mut self, key_hash: u64, held: Option<&Held>) {
        // From the store, and mostly from agents, they come in order.
        let behind = key_hash > self.last;
        let at = if behind { self.blocks.len().saturating_sub(1) } else { self.block_of(key_hash) };
        let block = self.blocks.get(at).cloned().unwrap_or_default();
        let (begin, end) = if behind { (block.len(), block.len()) } else { place_of(&block, key_hash) };
        self.last = self.last.max(key_hash);
        let (before, rest) = block.split_at(begin);
        let (old, after) = rest.split_at(end - begin);
        if let Some((old, _)) = first_row(old) {
            self.digest.count = self.digest.count.saturating_sub(1);
            self.digest.sum = self.digest.sum.wrapping_sub(message_hash(&self.digest.group, old.message));
        }
        let mut bytes = Vec::with_capacity(block.len() + HEAD_BYTES + BLOCK_BYTES / 8);
        bytes.extend_from_slice(before);
        if let Some(held) = held {
            let message = codec::fact_message(&held.fact.body);
            self.digest.count = self.digest.count.saturating_add(1);
            self.digest.sum = self.digest.sum.wrapping_add(message_hash(&self.digest.group, &message));
            let Held { fact, shift_ms, uncertain } = held;
            let (observed, shift_ms, uncertain) = (fact.observed, *shift_ms, *uncertain);
            HeldRow { key_hash, observed, shift_ms, uncertain, message: &message }.write(&mut bytes);
        }
        bytes.extend_from_slice(after);
        self.put(at, &bytes, behind.then_some(begin));
    }

    /// Puts a block in the place of another, or none or two where it became empty or large: cut where it says, or in the middle.
    fn put(&mut self, at: usize, bytes: &[u8], cut: Option<usize>) {
        let whole = bytes.len() <= BLOCK_BYTES;
        let (one, two) = bytes.split_at(if whole { bytes.len() } else { cut.unwrap_or_else(|| middle(bytes)) });
        let parts = [one, two].into_iter().filter(|part| !part.is_empty()).map(Arc::from);
        let until = self.blocks.len().min(at + 1);
        self.blocks.splice(at..until, parts);
        self.blocks.shrink_to_fit();
    }

    /// Returns the place of the block that has this key hash, or would.
    fn block_of(&self, key_hash: u64) -> usize {
        self.blocks.partition_point(|block| first_hash(block) <= key_hash).saturating_sub(1)
    }
}

impl PartialEq for HeldGroup {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.rows().eq(other.rows())
    }
}

impl Eq for HeldGroup {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use onenet_topology::{
        MacAddr,
        fact::{FactBody, Method, Scope, Sighting, System},
    };
    use onenet_wire::fact_hash;
    use proptest::prelude::*;

    use super::*;

    fn group() -> Group {
        Group { method: Method::PassiveFrames, scope: Scope::new("eth0") }
    }

    /// A fact of a few bytes, or, of each eight, one of up to half a block.
    fn held(number: u8, observed: i64, shift_ms: i64) -> Held {
        let body = if number.is_multiple_of(8) {
            let description = "x".repeat(usize::from(number) * 4);
            FactBody::System(Box::new(System { description, ..System::default() }))
        } else {
            FactBody::Sighting(Sighting { mac: MacAddr([2, 0, 0, 0, 0, number]), vlan: None })
        };
        let fact = Fact { observed: Timestamp::from_unix_ms(observed), body };
        Held { fact, shift_ms, uncertain: number.is_multiple_of(2) }
    }

    fn hash(number: u8) -> u64 {
        u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn filled<'h>(all: impl Iterator<Item = (&'h u64, &'h Held)>) -> HeldGroup {
        let mut group = HeldGroup::new(group());
        for (hash, held) in all {
            group.set(*hash, Some(held));
        }
        group
    }

    proptest! {
        #[test]
        fn a_group_holds_what_a_map_would(
            changes in prop::collection::vec((any::<u8>(), any::<Option<i64>>(), any::<i64>()), 0..600),
            (first, last) in any::<(u64, u64)>(),
        ) {
            let (mut model, mut packed) = (BTreeMap::new(), HeldGroup::new(group()));
            for (number, shift, observed) in changes {
                let held = shift.map(|shift| held(number, observed, shift));
                packed.set(hash(number), held.as_ref());
                match held {
                    Some(held) => model.insert(hash(number), held),
                    None => model.remove(&hash(number)),
                };
            }
            prop_assert!(packed.iter().eq(model.iter().map(|(hash, held)| (*hash, held.clone()))));
            prop_assert_eq!((packed.len(), packed.is_empty()), (model.len(), model.is_empty()));
            let sum = model.values().fold(0, |sum: u64, it| sum.wrapping_add(fact_hash(&group(), &it.fact.body)));
            prop_assert_eq!((packed.digest().count, packed.digest().sum), (model.len() as u64, sum));
            for number in 0..=u8::MAX {
                prop_assert_eq!(packed.get(hash(number)), model.get(&hash(number)).cloned());
            }
            let between = packed.range(first, last).map(|row| row.key_hash);
            prop_assert!(first > last || between.eq(model.range(first..=last).map(|(hash, _)| *hash)));
            prop_assert_eq!(&packed, &filled(model.iter().rev()), "the order in which they came does not show");
        }
    }

    #[test]
    fn facts_that_come_in_order_fill_their_blocks() {
        let all: BTreeMap<u64, Held> = (1..=255).map(|number| (hash(number), held(number | 1, 7, 0))).collect();
        let group = filled(all.iter());
        let full = group.blocks.iter().rev().skip(1).filter(|block| block.len() > BLOCK_BYTES * 9 / 10).count();
        assert_eq!(full, group.blocks.len() - 1);
    }

    #[test]
    fn a_change_copies_one_block_and_another_snapshot_keeps_its_own() {
        let all: BTreeMap<u64, Held> = (1..=255).map(|number| (hash(number), held(number | 1, 7, 0))).collect();
        let before = filled(all.iter());
        let mut after = before.clone();
        after.set(hash(9), Some(&held(9, 8, 0)));
        assert!(before.blocks.len() > 3, "{}", before.blocks.len());
        let shared = before.blocks.iter().zip(&after.blocks).filter(|(one, other)| Arc::ptr_eq(one, other)).count();
        assert_eq!(shared, before.blocks.len() - 1);
        assert_eq!(before.get(hash(9)), all.get(&hash(9)).cloned());
        assert_ne!(before, after);
    }
}
