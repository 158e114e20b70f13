//! Longest-prefix look-up: one hash table for each prefix length in use, asked from the longest to the shortest.
//!
//! Invariant: the answer is that of a scan over all prefixes. The tables' order never shows: what is listed is sorted.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use ipnetwork::IpNetwork;

use super::PlanEntry;

/// The prefixes of one space.
#[derive(Debug, Clone, Default)]
pub(super) struct PrefixTable {
    v4: Family,
    v6: Family,
}

/// The prefixes of one address family by length; the networks are numbers with the host bits shifted out.
type Family = BTreeMap<u8, HashMap<u128, Arc<PlanEntry>>>;

impl PrefixTable {
    /// Returns the entries whose prefix covers `ip`, the longest first.
    pub(super) fn covering(&self, ip: IpAddr) -> impl Iterator<Item = &PlanEntry> {
        let (family, bits, width) = match ip {
            IpAddr::V4(ip) => (&self.v4, u128::from(ip.to_bits()), 32),
            IpAddr::V6(ip) => (&self.v6, ip.to_bits(), 128),
        };
        let entries = family.iter().rev().filter_map(move |(length, table)| table.get(&network(bits, width, *length)));
        entries.map(Arc::as_ref)
    }

    pub(super) fn get(&self, prefix: IpNetwork) -> Option<&PlanEntry> {
        let (family, bits, width) = match prefix {
            IpNetwork::V4(net) => (&self.v4, u128::from(net.ip().to_bits()), 32),
            IpNetwork::V6(net) => (&self.v6, net.ip().to_bits(), 128),
        };
        family.get(&prefix.prefix())?.get(&network(bits, width, prefix.prefix())).map(Arc::as_ref)
    }

    /// Puts `entry` in, or in the place of the former one of its prefix.
    pub(super) fn put(&mut self, entry: PlanEntry) {
        let length = entry.prefix.prefix();
        let (family, bits, width) = match entry.prefix {
            IpNetwork::V4(net) => (&mut self.v4, u128::from(net.ip().to_bits()), 32),
            IpNetwork::V6(net) => (&mut self.v6, net.ip().to_bits(), 128),
        };
        family.entry(length).or_default().insert(network(bits, width, length), Arc::new(entry));
    }

    /// Returns every entry, by prefix: IPv4 first, by address, then by length.
    pub(super) fn sorted(&self) -> Vec<&Arc<PlanEntry>> {
        let mut entries: Vec<_> = self.v4.values().chain(self.v6.values()).flat_map(HashMap::values).collect();
        entries.sort_by_key(|entry| (entry.prefix.is_ipv6(), entry.prefix.ip(), entry.prefix.prefix()));
        entries
    }
}

/// Shifts the host bits out. A shift by the whole width is what a prefix of length zero needs: nothing is left.
fn network(bits: u128, width: u32, length: u8) -> u128 {
    bits.checked_shr(width.saturating_sub(u32::from(length))).unwrap_or(0)
}
