//! How many flows each source holds, so that none takes the table from the others.
//!
//! Invariant: 64 KiB, whatever the number of sources. Sources share counters, two each; the smaller of both is believed, so
//! that a source may be thought to hold more than it does, and never less. Which share is seeded in each process.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use onenet_topology::MacAddr;

const COUNTERS: usize = 8_192;

/// Who sent the first packet of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opener {
    pub(super) ip: u128,
    pub(super) mac: Option<MacAddr>,
}

#[derive(Debug)]
pub(super) struct Sources {
    hasher: RandomState,
    rows: [Box<[u32]>; 2],
    ip_share: u32,
    mac_share: u32,
}

impl Sources {
    /// Returns counters that allow an address an eighth of `capacity`, and a link address, behind which may be a router, a
    /// quarter.
    pub(super) fn new(capacity: usize) -> Self {
        let share = |part: usize| u32::try_from((capacity / part).max(1)).unwrap_or(u32::MAX);
        let row = || vec![0; COUNTERS].into_boxed_slice();
        Self { hasher: RandomState::default(), rows: [row(), row()], ip_share: share(8), mac_share: share(4) }
    }

    /// Counts a flow more.
    pub(super) fn opened(&mut self, opener: &Opener) {
        self.change(opener, |count| count.saturating_add(1));
    }

    /// Counts a flow less.
    pub(super) fn closed(&mut self, opener: &Opener) {
        self.change(opener, |count| count.saturating_sub(1));
    }

    /// Returns whether an address, and its link address, hold more than their share.
    pub(super) fn over(&self, opener: &Opener) -> (bool, bool) {
        let by_mac = opener.mac.is_some_and(|mac| self.count(&mac.0) > self.mac_share);
        (self.count(&opener.ip) > self.ip_share, by_mac)
    }

    fn change(&mut self, opener: &Opener, change: fn(u32) -> u32) {
        let places = [Some(self.places(&opener.ip)), opener.mac.map(|mac| self.places(&mac.0))];
        for place in places.into_iter().flatten() {
            for (row, at) in self.rows.iter_mut().zip(place) {
                if let Some(count) = row.get_mut(at) {
                    *count = change(*count);
                }
            }
        }
    }

    fn count(&self, source: &impl Hash) -> u32 {
        let counts = self.rows.iter().zip(self.places(source)).filter_map(|(row, at)| row.get(at));
        counts.copied().min().unwrap_or_default()
    }

    /// Returns the place of a source in each row.
    fn places(&self, source: &impl Hash) -> [usize; 2] {
        let hash = self.hasher.hash_one(source);
        [hash, hash >> 32].map(|part| usize::try_from(part).unwrap_or_default() % COUNTERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opener(ip: u128, mac: u8) -> Opener {
        Opener { ip, mac: Some(MacAddr([2, 0, 0, 0, 0, mac])) }
    }

    #[test]
    fn a_source_is_over_its_share_until_flows_of_it_are_closed() {
        let mut sources = Sources::new(80);
        (0..10).for_each(|_| sources.opened(&opener(1, 1)));
        assert_eq!(sources.over(&opener(1, 1)), (false, false));
        sources.opened(&opener(1, 1));
        assert_eq!((sources.over(&opener(1, 9)), sources.over(&opener(2, 1))), ((true, false), (false, false)));
        sources.closed(&opener(1, 1));
        assert_eq!(sources.over(&opener(1, 1)), (false, false));
    }

    #[test]
    fn a_link_address_that_forges_addresses_is_over_its_share() {
        let mut sources = Sources::new(80);
        (0..21).for_each(|ip| sources.opened(&opener(ip, 1)));
        assert_eq!((sources.over(&opener(99, 1)), sources.over(&opener(1, 2))), ((false, true), (false, false)));
    }
}
