//! MAC addresses whose rows change ports again and again in the table of one device: a loop, or two machines with one address.
//!
//! Invariant: it counts what tables said and adds nothing to what the estate says; a start forgets it. It holds at most
//! [`ADDRESSES_MAX`] addresses a site, and [`CHANGES_MAX`] changes of each: what changed least, and longest ago, makes room, so that
//! many forged addresses that change once expel none that flaps. What rests for [`RESTS_MS`] is counted anew.

use std::sync::Arc;

use imbl::OrdMap;
use onenet_topology::{MacAddr, Timestamp, device::Handle};
use serde::{Deserialize, Serialize};

/// Addresses of a site that are watched.
const ADDRESSES_MAX: usize = 1_024;
/// Changes of an address that are kept.
const CHANGES_MAX: usize = 8;
/// Without a change for so long, in milliseconds, an address is at rest: tables are walked each 5 to 15 minutes.
pub const RESTS_MS: i64 = 7_200_000;
/// Changes from which on an address flaps. Who is carried from room to room changes less often, and does not come back.
const FLAPS_FROM: u64 = 4;

/// A row that went from one port to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortChange {
    /// When the table was read.
    pub at: Timestamp,
    /// The ifName of the port that it was at.
    pub from: Arc<str>,
    /// The ifName of the port that it is at.
    pub to: Arc<str>,
}

/// The changes of one address in the tables of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changing {
    /// How many there were since it rested.
    pub count: u64,
    /// The last ones, oldest first.
    pub last: Vec<PortChange>,
}

impl Changing {
    fn newest(&self) -> Timestamp {
        self.last.last().map_or(Timestamp::EPOCH, |change| change.at)
    }

    /// Returns whether it flaps: it changed often, not long ago, and went back to a port that it had left.
    pub fn flaps(&self, now: Timestamp) -> bool {
        let returned = self
            .last
            .iter()
            .enumerate()
            .any(|(place, change)| self.last.iter().take(place).any(|earlier| earlier.from == change.to));
        self.count >= FLAPS_FROM && returned && now.ms_since(self.newest()) < RESTS_MS
    }
}

/// What changes ports at a site. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Flaps(OrdMap<(MacAddr, Handle), Arc<Changing>>);

impl Flaps {
    /// Counts a change in the table of a device.
    pub fn take(&mut self, mac: MacAddr, device: &Handle, change: PortChange) {
        let key = (mac, device.clone());
        let known = self.0.get(&key).filter(|known| change.at.ms_since(known.newest()) < RESTS_MS);
        let mut changing = known.map_or_else(|| Changing { count: 0, last: Vec::new() }, |it| Changing::clone(it));
        changing.count = changing.count.saturating_add(1);
        if changing.last.len() >= CHANGES_MAX {
            changing.last.remove(0);
        }
        changing.last.push(change);
        if !self.0.contains_key(&key) && self.0.len() >= ADDRESSES_MAX {
            let least = self.0.iter().min_by_key(|(_, it)| (it.count, it.newest())).map(|(key, _)| key.clone());
            least.and_then(|key| self.0.remove(&key));
        }
        self.0.insert(key, Arc::new(changing));
    }

    /// Returns the addresses that flap, each with the device in whose table it changes most.
    pub fn flapping(&self, now: Timestamp) -> impl Iterator<Item = (MacAddr, &Handle, &Changing)> {
        let flapping = self.0.iter().filter(move |(_, it)| it.flaps(now));
        let most = flapping.fold(
            imbl::OrdMap::new(),
            |mut most: OrdMap<MacAddr, (&Handle, &Changing)>, ((mac, handle), it)| {
                if most.get(mac).is_none_or(|(_, known)| known.count < it.count) {
                    most.insert(*mac, (handle, it));
                }
                most
            },
        );
        most.into_iter().map(|(mac, (handle, it))| (mac, handle, it))
    }
}

#[cfg(test)]
mod tests {
    use onenet_topology::{AgentId, fact::Scope};

    use super::*;

    fn device() -> Handle {
        Handle { agent: AgentId::from_raw(1), scope: Scope::new("core") }
    }

    fn mac(number: u64) -> MacAddr {
        MacAddr::from_u64(number).unwrap()
    }

    fn change(minute: i64, from: &str, to: &str) -> PortChange {
        PortChange { at: Timestamp::from_unix_ms(minute * 60_000), from: from.into(), to: to.into() }
    }

    fn flapping(flaps: &Flaps, minute: i64) -> Vec<MacAddr> {
        flaps.flapping(Timestamp::from_unix_ms(minute * 60_000)).map(|(mac, ..)| mac).collect()
    }

    #[test]
    fn what_goes_back_and_forth_flaps_until_it_rests() {
        let mut flaps = Flaps::default();
        for (minute, from, to) in [(1, "a", "b"), (6, "b", "a"), (11, "a", "b")] {
            flaps.take(mac(1), &device(), change(minute, from, to));
        }
        assert_eq!(flapping(&flaps, 12), []);
        flaps.take(mac(1), &device(), change(16, "b", "a"));
        assert_eq!(flapping(&flaps, 17), [mac(1)]);
        assert_eq!(flapping(&flaps, 16 + 120), []);
        // After a rest it is counted anew.
        flaps.take(mac(1), &device(), change(300, "a", "b"));
        assert_eq!(flapping(&flaps, 301), []);
    }

    #[test]
    fn who_is_carried_around_does_not_flap() {
        let mut flaps = Flaps::default();
        for (minute, (from, to)) in (0..).zip([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]) {
            flaps.take(mac(1), &device(), change(minute, from, to));
        }
        assert_eq!(flapping(&flaps, 10), []);
    }

    #[test]
    fn many_addresses_that_change_once_expel_none_that_flaps() {
        let mut flaps = Flaps::default();
        for (minute, from, to) in [(1, "a", "b"), (2, "b", "a"), (3, "a", "b"), (4, "b", "a")] {
            flaps.take(mac(1), &device(), change(minute, from, to));
        }
        for number in 2..10_000 {
            flaps.take(mac(number), &device(), change(5, "a", "b"));
        }
        assert_eq!(flaps.0.len(), ADDRESSES_MAX);
        assert_eq!(flapping(&flaps, 6), [mac(1)]);
    }
}
