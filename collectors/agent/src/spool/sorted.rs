//! Facts in the order in which groups keep them.
//!
//! Invariant: facts fit the wire's limits, and stand in the order of their key hashes, each hash once. Pure.

use std::cmp::Reverse;

use onenet_topology::{
    Timestamp,
    fact::{Fact, FactBody},
};
use onenet_wire::{key_hash_of, limits};

/// Everything that holds of a group, each fact with its key hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SortedFacts(Vec<(u64, Fact)>);

impl SortedFacts {
    /// Returns bodies as facts observed at `now`. Of several with one key that which is `worth` most is kept, the first of those.
    pub fn new(bodies: Vec<FactBody>, now: Timestamp, worth: impl Fn(&FactBody) -> u8) -> Self {
        Self::of(bodies.into_iter().map(|body| Fact { observed: now, body }).collect(), |fact| worth(&fact.body))
    }

    fn of<K: Ord>(mut facts: Vec<Fact>, worth: impl Fn(&Fact) -> K) -> Self {
        let mut room = Vec::new();
        let mut order: Vec<(u64, Reverse<K>, usize)> = Vec::with_capacity(facts.len());
        for (place, fact) in facts.iter_mut().enumerate() {
            limits::fit_fact(&mut fact.body);
            order.push((key_hash_of(&fact.body, &mut room), Reverse(worth(fact)), place));
        }
        order.sort_unstable();
        order.dedup_by_key(|(hash, ..)| *hash);
        // Facts are large: each is moved once.
        let mut facts: Vec<Option<Fact>> = facts.into_iter().map(Some).collect();
        let fact = |(hash, _, place): (u64, _, usize)| Some((hash, facts.get_mut(place)?.take()?));
        Self(order.into_iter().filter_map(fact).collect())
    }

    /// Returns how many facts they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the facts.
    pub fn into_facts(self) -> impl Iterator<Item = Fact> {
        self.0.into_iter().map(|(_, fact)| fact)
    }

    /// Returns the facts with their key hashes.
    pub(super) fn into_hashed(self) -> Vec<(u64, Fact)> {
        self.0
    }
}

/// Of several facts with one key the last of those that were observed last is kept.
impl From<Vec<Fact>> for SortedFacts {
    fn from(mut facts: Vec<Fact>) -> Self {
        facts.reverse();
        Self::of(facts, |fact| fact.observed)
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::fact::{Forwarding, ForwardingStatus};

    use super::*;

    fn row(port: u32, status: ForwardingStatus) -> FactBody {
        let mac = onenet_topology::MacAddr([2, 0, 0, 0, 0, 7]);
        FactBody::Forwarding(Forwarding { mac, vlan: None, interface: None, bridge_port: port, status })
    }

    #[test]
    fn of_facts_with_one_key_the_worthiest_is_kept_and_the_first_of_those() {
        let rows =
            [row(1, ForwardingStatus::Other), row(2, ForwardingStatus::Learned), row(3, ForwardingStatus::Learned)];
        let learned = |body: &FactBody| match body {
            FactBody::Forwarding(row) => u8::from(row.status == ForwardingStatus::Learned),
            _ => 0,
        };
        let kept: Vec<Fact> = SortedFacts::new(rows.to_vec(), Timestamp::EPOCH, learned).into_facts().collect();
        assert_eq!(kept, [Fact { observed: Timestamp::EPOCH, body: rows[1].clone() }]);
    }

    #[test]
    fn of_facts_with_one_key_the_last_of_those_observed_last_is_kept() {
        let at = |ms, port| Fact { observed: Timestamp::from_unix_ms(ms), body: row(port, ForwardingStatus::Learned) };
        let kept: Vec<Fact> = SortedFacts::from(vec![at(5, 1), at(9, 2), at(9, 3), at(1, 4)]).into_facts().collect();
        assert_eq!(kept, [at(9, 3)]);
    }
}
