//! Facts in the order in which groups keep them, as they are kept.
//!
//! Invariant: facts fit the wire's limits, and stand in the order of their key hashes, each hash once. They come by the thousand
//! with each poll, so that each is written once, behind the others, and then only compared. Pure.

use std::cmp::Reverse;

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactBody},
};
use onenet_wire::{FactRow, codec, key_hash_of, key_hash_of_row, limits};

/// What a row takes as a message, as a rule.
const USUAL_BYTES: usize = 40;

/// Everything that holds of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SortedFacts {
    places: Vec<Place>,
    /// The facts as the codec writes them, one behind the other.
    messages: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    key_hash: u64,
    observed: Timestamp,
    /// Where its message ends.
    end: usize,
}

/// A fact as a group keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SortedFact<'a> {
    pub(super) key_hash: u64,
    pub(super) observed: Timestamp,
    /// As the codec writes it, without its time.
    pub(super) message: &'a [u8],
}

impl SortedFacts {
    /// Returns bodies as facts observed at `now`. Of several with one key that which is `worth` most is kept, the first of those.
    pub fn new(mut bodies: Vec<FactBody>, now: Timestamp, worth: impl Fn(&FactBody) -> u8) -> Self {
        let kept = kept(&mut bodies, |body| body, worth);
        Self::of(kept.into_iter().filter_map(|(hash, place)| Some((hash, now, bodies.get(place)?))))
    }

    /// Returns what [`new`](Self::new) does of the bodies of rows, which fit the limits.
    pub fn of_rows<R: FactRow>(rows: &[R], now: Timestamp, worth: impl Fn(&R) -> u8) -> Self {
        let mut room = Vec::new();
        let place = |(place, row): (usize, &R)| (key_hash_of_row(row, &mut room), Reverse(worth(row)), place);
        let mut order: Vec<(u64, Reverse<u8>, usize)> = rows.iter().enumerate().map(place).collect();
        let mut facts = Self { places: Vec::with_capacity(rows.len()), messages: Vec::new() };
        facts.messages.reserve(rows.len().saturating_mul(USUAL_BYTES));
        for (key_hash, row) in firsts(&mut order).filter_map(|(hash, place)| Some((hash, rows.get(place)?))) {
            row.write_message(&mut facts.messages);
            facts.places.push(Place { key_hash, observed: now, end: facts.messages.len() });
        }
        facts
    }

    fn of<'a>(sorted: impl Iterator<Item = (u64, Timestamp, &'a FactBody)>) -> Self {
        let mut facts = Self::default();
        for (key_hash, observed, body) in sorted {
            codec::write_fact_message(body, &mut facts.messages);
            facts.places.push(Place { key_hash, observed, end: facts.messages.len() });
        }
        facts
    }

    /// Returns how many facts they are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the facts.
    pub(super) fn iter(&self) -> impl Iterator<Item = SortedFact<'_>> {
        let mut begin = 0;
        self.places.iter().map(move |Place { key_hash, observed, end }| {
            let message = self.messages.get(std::mem::replace(&mut begin, *end)..*end).unwrap_or_default();
            SortedFact { key_hash: *key_hash, observed: *observed, message }
        })
    }
}

/// Of several facts with one key the last of those that were observed last is kept.
impl From<Vec<Fact>> for SortedFacts {
    fn from(mut facts: Vec<Fact>) -> Self {
        facts.reverse();
        let kept = kept(&mut facts, |fact| &mut fact.body, |fact| fact.observed);
        let fact = |(hash, place): (u64, usize)| facts.get(place).map(|fact| (hash, fact.observed, &fact.body));
        Self::of(kept.into_iter().filter_map(fact))
    }
}

/// Returns bodies, one a key: of several that which is `worth` most, the first of those.
pub(crate) fn one_each(mut bodies: Vec<FactBody>, worth: impl Fn(&FactBody) -> u8) -> impl Iterator<Item = FactBody> {
    let kept = kept(&mut bodies, |body| body, worth);
    let mut bodies: Vec<Option<FactBody>> = bodies.into_iter().map(Some).collect();
    kept.into_iter().filter_map(move |(_, place)| bodies.get_mut(place)?.take())
}

/// Fits facts to the wire's limits. Returns the key hashes of those that are kept, in order, and their places: of several with one
/// hash that which is `worth` most, the first of those.
fn kept<T, K: Ord>(
    facts: &mut [T],
    body: impl Fn(&mut T) -> &mut FactBody,
    worth: impl Fn(&T) -> K,
) -> Vec<(u64, usize)> {
    let mut room = Vec::new();
    let mut order: Vec<(u64, Reverse<K>, usize)> = Vec::with_capacity(facts.len());
    for (place, fact) in facts.iter_mut().enumerate() {
        let body = body(fact);
        limits::fit_fact(body);
        let hash = key_hash_of(body, &mut room);
        order.push((hash, Reverse(worth(fact)), place));
    }
    firsts(&mut order).collect()
}

/// Returns hashes in order, each once, and of each the place that comes first.
fn firsts<K: Ord>(order: &mut Vec<(u64, Reverse<K>, usize)>) -> impl Iterator<Item = (u64, usize)> {
    order.sort_unstable();
    order.dedup_by_key(|(hash, ..)| *hash);
    order.iter().map(|(hash, _, place)| (*hash, *place))
}

#[cfg(test)]
mod tests {
    use onenet_topology::fact::{Forwarding, ForwardingStatus};

    use super::*;

    fn row(port: u32, status: ForwardingStatus) -> FactBody {
        let mac = onenet_topology::MacAddr([2, 0, 0, 0, 0, 7]);
        FactBody::Forwarding(Forwarding { mac, vlan: None, interface: None, bridge_port: port, status })
    }

    fn read(facts: &SortedFacts) -> Vec<(Timestamp, FactBody)> {
        let body = |message| codec::read_fact_message(message).expect("it was written");
        facts.iter().map(|fact| (fact.observed, body(fact.message))).collect()
    }

    #[test]
    fn of_facts_with_one_key_the_worthiest_is_kept_and_the_first_of_those() {
        let rows =
            [row(1, ForwardingStatus::Other), row(2, ForwardingStatus::Learned), row(3, ForwardingStatus::Learned)];
        let learned = |body: &FactBody| match body {
            FactBody::Forwarding(row) => u8::from(row.status == ForwardingStatus::Learned),
            _ => 0,
        };
        let kept = SortedFacts::new(rows.to_vec(), Timestamp::EPOCH, learned);
        assert_eq!(read(&kept), [(Timestamp::EPOCH, rows[1].clone())]);
        assert_eq!(one_each(rows.to_vec(), learned).collect::<Vec<_>>(), rows[1..2]);
    }

    #[test]
    fn of_facts_with_one_key_the_last_of_those_observed_last_is_kept() {
        let at = |ms, port| Fact { observed: Timestamp::from_unix_ms(ms), body: row(port, ForwardingStatus::Learned) };
        let kept = SortedFacts::from(vec![at(5, 1), at(9, 2), at(9, 3), at(1, 4)]);
        assert_eq!(read(&kept), [(Timestamp::from_unix_ms(9), row(3, ForwardingStatus::Learned))]);
    }
}
