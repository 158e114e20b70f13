//! What was handed on of a device, in so few bytes that it is kept for every table: most tables are the same each time they
//! are read, and then the spool need only know that they were.
//!
//! Invariant: what is told to be the same was handed on complete, and the spool did not lose it since, as its
//! [lineage](crate::spool::Lineage) shows. Pure.

use std::hash::{BuildHasher as _, Hash};

use onenet_snmp::InterfaceTables;
use onenet_topology::fact::Method;

/// What was handed on of a device.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// Seeded anew for each device, so that no device can send rows that only seem to be the same.
    hasher: foldhash::quality::RandomState,
    /// The lineage of the spool from before all of it was handed on.
    since: u64,
    groups: Vec<Whole>,
    again: Vec<Method>,
}

/// A group of facts that was handed on complete.
#[derive(Debug)]
struct Whole {
    method: Method,
    hash: u64,
    facts: usize,
}

impl Handed {
    /// Returns how many facts the bodies that `hash` [stands for](Self::stands_for) were when they were handed on last, if they were
    /// the last and the spool, whose lineage is `lineage` now, has them still. They are [taken along](Self::take_again) then.
    pub(super) fn same(&mut self, method: Method, hash: u64, lineage: u64) -> Option<usize> {
        if self.since != lineage {
            (self.since, self.groups, self.again) = (lineage, Vec::new(), Vec::new());
        }
        let whole = self.groups.iter().find(|whole| whole.method == method)?;
        let same = whole.hash == hash;
        if same && !self.again.contains(&method) {
            self.again.push(method);
        }
        same.then_some(whole.facts)
    }

    /// Returns what stands for tables.
    pub(super) fn fingerprint(&self, tables: &InterfaceTables) -> u64 {
        tables.fingerprint(&self.hasher)
    }

    /// Returns what stands for a value.
    pub(super) fn stands_for(&self, value: &impl Hash) -> u64 {
        self.hasher.hash_one(value)
    }

    /// Notes that bodies of this hash, which are so many facts, are handed on and are all there is.
    pub(super) fn whole(&mut self, method: Method, hash: u64, facts: usize) {
        self.part(method);
        self.groups.push(Whole { method, hash, facts });
    }

    /// Notes that something else is handed on, so that the spool holds more than that or less.
    pub(super) fn part(&mut self, method: Method) {
        self.groups.retain(|whole| whole.method != method);
        self.again.retain(|again| *again != method);
    }

    /// Returns what was the same since the last time that this was asked, and since when the spool has it.
    pub(super) fn take_again(&mut self) -> (Vec<Method>, u64) {
        (std::mem::take(&mut self.again), self.since)
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::fact::{FactBody, Reach, ReachState};

    use super::*;

    const METHOD: Method = Method::SnmpReach;

    fn body(detail: &str) -> Vec<FactBody> {
        vec![FactBody::Reach(Reach { state: ReachState::Answering, detail: detail.into(), target: String::new() })]
    }

    fn same(handed: &mut Handed, method: Method, detail: &str, lineage: u64) -> Option<usize> {
        handed.same(method, handed.stands_for(&body(detail)), lineage)
    }

    #[test]
    fn only_what_was_handed_on_last_is_the_same() {
        let mut handed = Handed::default();
        assert_eq!(same(&mut handed, METHOD, "a", 0), None);
        handed.whole(METHOD, handed.stands_for(&body("a")), 1);
        assert_eq!(same(&mut handed, METHOD, "a", 0), Some(1));
        assert_eq!(same(&mut handed, METHOD, "b", 0), None);
        assert_eq!(same(&mut handed, Method::SnmpSystem, "a", 0), None);
        assert_eq!(handed.take_again(), (vec![METHOD], 0));
        assert_eq!(handed.take_again(), (vec![], 0));
        handed.part(METHOD);
        assert_eq!(same(&mut handed, METHOD, "a", 0), None);
    }

    #[test]
    fn a_spool_that_lost_something_is_given_everything_again() {
        let mut handed = Handed::default();
        handed.whole(METHOD, handed.stands_for(&body("a")), 1);
        assert_eq!(same(&mut handed, METHOD, "a", 1), None);
        handed.whole(METHOD, handed.stands_for(&body("a")), 1);
        assert_eq!(same(&mut handed, METHOD, "a", 1), Some(1));
        assert_eq!(handed.take_again(), (vec![METHOD], 1));
    }
}
