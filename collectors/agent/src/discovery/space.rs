//! The addresses of a sweep: in an order that looks random, each once, without a list of them. Pure.
//!
//! Invariant: memory is one bit an address, and whatever the order, each address that can be a host's comes exactly once.
//! Neighbouring addresses come far apart, so that no switch or gateway sees a burst.

use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

/// The addresses to sweep.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    /// First address and number of hosts of each prefix, with the hosts before it; no two overlap.
    parts: Vec<Part>,
    hosts: u64,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    first: u32,
    hosts: u64,
    before: u64,
}

/// An order of the addresses: a linear congruential sequence with full period (Hull and Dobell), beyond whose end nothing is.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    space: Space,
    modulus: u64,
    step: u64,
    shift: u64,
    at: u64,
    left: u64,
}

/// Which addresses answered: a bit each.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    space: Space,
    bits: Vec<u64>,
}

impl Space {
    /// Returns the hosts of the prefixes: all addresses of a /31 and /32, else without those of network and broadcast. What
    /// is in several prefixes is there once.
    pub(crate) fn new(prefixes: &[Ipv4Network]) -> Self {
        let mut ranges: Vec<(u64, u64)> = prefixes.iter().copied().map(hosts_of).collect();
        ranges.sort_unstable();
        let (mut parts, mut hosts, mut end) = (Vec::new(), 0, 0);
        for (first, after) in ranges {
            let first = first.max(end);
            if first >= after {
                continue;
            }
            parts.push(Part { first: u32::try_from(first).unwrap_or(u32::MAX), hosts: after - first, before: hosts });
            hosts += after - first;
            end = after;
        }
        Self { parts, hosts }
    }

    /// Returns the addresses in an order that follows from the seed.
    pub(crate) fn order(&self, seed: u64) -> Order {
        let modulus = self.hosts.next_power_of_two().max(4);
        // Full period for a modulus that is a power of two: an odd shift, and a step that is one more than a multiple of four
        // (Knuth's of MMIX is).
        let step = 6_364_136_223_846_793_005 % modulus;
        Order { space: self.clone(), modulus, step, shift: (seed % modulus) | 1, at: seed % modulus, left: modulus }
    }

    /// Returns a record of answers.
    pub(crate) fn answered(&self) -> Answered {
        let words = usize::try_from(self.hosts.div_ceil(64)).unwrap_or_default();
        Answered { space: self.clone(), bits: vec![0; words] }
    }

    fn address(&self, place: u64) -> Option<Ipv4Addr> {
        let part = self.parts.get(self.parts.partition_point(|part| part.before <= place).checked_sub(1)?)?;
        let offset = u32::try_from(place - part.before).ok().filter(|offset| u64::from(*offset) < part.hosts)?;
        Some(Ipv4Addr::from(part.first.checked_add(offset)?))
    }

    fn place(&self, address: Ipv4Addr) -> Option<u64> {
        let number = u32::from(address);
        let part = self.parts.get(self.parts.partition_point(|part| part.first <= number).checked_sub(1)?)?;
        let offset = u64::from(number - part.first);
        (offset < part.hosts).then_some(part.before + offset)
    }
}

impl Iterator for Order {
    type Item = Ipv4Addr;

    fn next(&mut self) -> Option<Ipv4Addr> {
        while self.left > 0 {
            let place = self.at;
            self.left -= 1;
            self.at = (self.at.wrapping_mul(self.step).wrapping_add(self.shift)) % self.modulus;
            if place < self.space.hosts {
                return self.space.address(place);
            }
        }
        None
    }
}

impl Answered {
    /// Notes that an address answered. Returns whether it is one of the swept ones, and new.
    pub(crate) fn note(&mut self, address: Ipv4Addr) -> bool {
        let Some(place) = self.space.place(address) else { return false };
        let Some(word) = usize::try_from(place / 64).ok().and_then(|word| self.bits.get_mut(word)) else {
            return false;
        };
        let bit = 1 << (place % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Returns the addresses that answered.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let set = |place: &u64| {
            let word = usize::try_from(place / 64).ok().and_then(|word| self.bits.get(word));
            word.is_some_and(|word| word & (1 << (place % 64)) != 0)
        };
        (0..self.space.hosts).filter(set).filter_map(|place| self.space.address(place))
    }
}

/// Returns the first host of a prefix and what is behind the last.
fn hosts_of(prefix: Ipv4Network) -> (u64, u64) {
    let (first, size) = (u64::from(u32::from(prefix.network())), 1_u64 << (32 - u64::from(prefix.prefix())));
    if prefix.prefix() >= 31 { (first, first + size) } else { (first + 1, first + size - 1) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn space(prefixes: &[&str]) -> Space {
        Space::new(&prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn hosts_are_those_of_the_prefixes_each_once() {
        let space = space(&["10.0.0.0/30", "10.0.0.0/29", "192.0.2.7/32", "10.0.1.0/31"]);
        let hosts: BTreeSet<String> = space.order(7).map(|address| address.to_string()).collect();
        let expected = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.1.0", "10.0.1.1"];
        assert_eq!(hosts, expected.iter().map(|text| (*text).to_owned()).chain(["192.0.2.7".to_owned()]).collect());
        assert_eq!(space.hosts, 9);
    }

    #[test]
    fn a_whole_16_takes_8_kib_and_neighbours_come_far_apart() {
        let space = space(&["10.7.0.0/16"]);
        assert_eq!(space.answered().bits.len() * 8, 8 * 1_024);
        let order: Vec<u32> = space.order(99).map(u32::from).collect();
        assert_eq!(order.len(), 65_534);
        let close = order.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 256).count();
        assert!(close < 700, "{close}");
    }

    proptest! {
        #[test]
        fn every_host_comes_once_and_what_answers_is_told(
            prefixes in prop::collection::vec((any::<u32>(), 22u8..=32), 1..6), seed in any::<u64>(),
        ) {
            let prefixes: Vec<Ipv4Network> =
                prefixes.into_iter().map(|(address, length)| Ipv4Network::new(address.into(), length).unwrap()).collect();
            let space = Space::new(&prefixes);
            let mut order: Vec<Ipv4Addr> = space.order(seed).collect();
            prop_assert_eq!(u64::try_from(order.len()).unwrap(), space.hosts);
            order.sort_unstable();
            order.dedup();
            prop_assert_eq!(u64::try_from(order.len()).unwrap(), space.hosts);
            let mut answered = space.answered();
            let chosen: Vec<Ipv4Addr> = order.iter().copied().step_by(3).collect();
            prop_assert!(chosen.iter().all(|address| answered.note(*address)));
            prop_assert!(!chosen.iter().any(|address| answered.note(*address)), "each once");
            prop_assert_eq!(answered.addresses().collect::<Vec<_>>(), chosen);
        }
    }
}
