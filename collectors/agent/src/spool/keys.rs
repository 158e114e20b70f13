//! The keys of the spool's one tree.
//!
//! Invariant: keys of one kind sort by what they name: groups by method and scope, pages of a group by key hash, parts of a
//! batch by number. So a range of key hashes, or a batch, is one scan.

use onenet_topology::fact::{Group, Method, Scope};

/// Pages of facts: group, first key hash → facts that hold, or are gone and wait to be sent.
pub(super) const PAGE: u8 = b'p';
/// Facts in format 1: group, key hash → the fact.
pub(super) const OLD_FACT: u8 = b'f';
/// Facts that wait to be sent in format 1: group, key hash → nothing, or for a fact that is gone, when and which.
pub(super) const OLD_DIRTY: u8 = b'd';
/// Groups that wait to be sent again, complete: group → the first key hash not yet sent.
pub(super) const RESYNC: u8 = b'c';
/// The state batch that waits for its acknowledgement: part → bytes.
pub(super) const OUTSTANDING: u8 = b'o';
/// History batches: number, part → bytes.
pub(super) const HISTORY: u8 = b'h';
/// Refused batches: lane, number, part → bytes.
pub(super) const ASIDE: u8 = b'r';

/// Version of the format.
pub(super) const FORMAT: &[u8] = b"m/format";
/// Boot id and anchor of the clock in which the times of facts are.
pub(super) const CLOCK: &[u8] = b"m/clock";
/// Epoch and last sequence of the state lane.
pub(super) const STATE_LANE: &[u8] = b"m/state";
/// Epoch, base and next number of the history lane.
pub(super) const HISTORY_LANE: &[u8] = b"m/history";
/// What the caps cost and was not yet reported.
pub(super) const LOST: &[u8] = b"m/lost";

/// Returns the key of everything of this kind and group.
pub(super) fn group(kind: u8, group: &Group) -> Vec<u8> {
    let scope = group.scope.as_str().as_bytes();
    let mut key = Vec::with_capacity(3 + scope.len() + 8);
    key.push(kind);
    key.push(method_number(group.method));
    // Scopes are cut to 128 bytes before they come here.
    key.push(u8::try_from(scope.len()).unwrap_or(u8::MAX));
    key.extend_from_slice(scope);
    key
}

/// Returns the key of one page.
pub(super) fn item(kind: u8, of: &Group, key_hash: u64) -> Vec<u8> {
    let mut key = group(kind, of);
    key.extend_from_slice(&key_hash.to_be_bytes());
    key
}

/// Returns the group that a key names, and what follows it.
pub(super) fn parse_group(key: &[u8]) -> Option<(Group, &[u8])> {
    let (&[_, method, length], rest) = key.split_first_chunk::<3>()?;
    let method = *Method::ALL.iter().find(|known| method_number(**known) == method)?;
    let (scope, rest) = rest.split_at_checked(length.into())?;
    Some((Group { method, scope: Scope::new(std::str::from_utf8(scope).ok()?) }, rest))
}

/// Returns the group and key hash of a page's key.
pub(super) fn parse_item(key: &[u8]) -> Option<(Group, u64)> {
    let (group, rest) = parse_group(key)?;
    Some((group, u64::from_be_bytes(rest.try_into().ok()?)))
}

/// Returns the key of all parts of a history batch.
pub(super) fn history(number: u64) -> Vec<u8> {
    let mut key = vec![HISTORY];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Returns the number of the history batch that a key belongs to.
pub(super) fn parse_history(key: &[u8]) -> Option<u64> {
    let number = key.get(1..9)?;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}

/// Returns the key of one part.
pub(super) fn part(prefix: &[u8], part: u16) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// Returns whether a key is that of a first part.
pub(super) fn is_first_part(key: &[u8]) -> bool {
    key.ends_with(&[0, 0])
}

/// Returns the number that stands for a method on disk: the wire's, frozen with it.
fn method_number(method: Method) -> u8 {
    u8::try_from(i32::from(onenet_wire::v1::Method::from(method))).unwrap_or(0)
}
