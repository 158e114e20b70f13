//! Hashes by which an agent and the centre find out whether they hold the same facts.
//!
//! Invariant: both sides hash the same bytes, the protobuf encoding of the fact (fields in the order of their numbers,
//! defaults left out), with XXH3. When a fact was observed is not part of it. The golden file `digest.txt` freezes it.

use onenet_topology::fact::{FactBody, Group, ItemKey};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{FactRow, GroupDigest, codec, v1};

/// Returns the place of a fact in the order in which groups are cut into [ranges](crate::KeyRange).
pub fn key_hash(key: &ItemKey) -> u64 {
    xxh3_64(&codec::gone_message(key))
}

/// Returns the [`key_hash`] of a body's key; `room` is room to write to, so that many take no allocation each.
pub fn key_hash_of(body: &FactBody, room: &mut Vec<u8>) -> u64 {
    room.clear();
    codec::write_gone_message_of(body, room);
    xxh3_64(room)
}

/// Returns the [`key_hash`] of a row's key; `room` as for [`key_hash_of`].
pub fn key_hash_of_row(row: &impl FactRow, room: &mut Vec<u8>) -> u64 {
    room.clear();
    row.write_gone_message(room);
    xxh3_64(room)
}

/// Makes [`message_hash`]es of one group.
#[derive(Debug, Clone, Copy)]
pub struct MessageHasher(u64);

impl MessageHasher {
    /// Returns what makes the hashes of a group.
    pub fn new(group: &Group) -> Self {
        Self(group_seed(group))
    }

    /// Returns the [`message_hash`] of a message.
    pub fn hash(self, message: &[u8]) -> u64 {
        xxh3_64_with_seed(message, self.0)
    }
}

/// Returns the hash of one fact of a group: the whole body, without the time.
pub fn fact_hash(group: &Group, body: &FactBody) -> u64 {
    message_hash(group, &codec::fact_message(body))
}

/// Returns the hash of one fact of a group from its [bytes without the time](codec::fact_message).
pub fn message_hash(group: &Group, message: &[u8]) -> u64 {
    MessageHasher::new(group).hash(message)
}

fn group_seed(group: &Group) -> u64 {
    xxh3_64_with_seed(group.scope.as_str().as_bytes(), u64::from(v1::Method::from(group.method) as u32))
}

impl GroupDigest {
    /// Returns the digest of an empty group.
    pub const fn empty(group: Group) -> Self {
        Self { group, count: 0, sum: 0 }
    }

    /// Returns whether the group holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts a fact that the group now holds.
    pub fn add(&mut self, body: &FactBody) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.wrapping_add(fact_hash(&self.group, body));
    }

    /// Takes back a fact that was [added](Self::add) and that the group holds no more.
    pub fn remove(&mut self, body: &FactBody) {
        self.count = self.count.saturating_sub(1);
        self.sum = self.sum.wrapping_sub(fact_hash(&self.group, body));
    }
}
