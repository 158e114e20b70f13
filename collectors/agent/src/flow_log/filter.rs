//! What a block may hold, in a few hundred bytes: a Bloom filter over addresses, their prefixes, link addresses and ports.
//!
//! Invariant: what a block holds is never denied; what it does not hold is affirmed once in a hundred times, and more often in
//! blocks with more than [`KEYS_MAX`] different things, such as those of a scan. Ports from [`PORTS_FROM`] on are not in it:
//! they are chosen at random by whoever opens a connection, and would be most of it.

use std::{collections::HashSet, net::IpAddr};

use ipnetwork::IpNetwork;
use onenet_topology::{
    MacAddr,
    flow::{Flow, FlowParty, FlowQuery},
};
use xxhash_rust::xxh3::xxh3_64;

/// Bits of the filter for each thing in it: one in a hundred is affirmed wrongly.
const BITS_A_KEY: usize = 10;
/// How many bits stand for one thing.
const HASHES: u32 = 7;
/// How many things have their full share of bits.
const KEYS_MAX: usize = 8_192;
/// Ports from here on are chosen by originators (Linux: 32768 and up; RFC 6335: 49152 and up).
pub(super) const PORTS_FROM: u16 = 32_768;
/// Lengths of the prefixes that are in it beside whole addresses.
const PREFIXES_V4: [u8; 2] = [24, 16];
const PREFIXES_V6: [u8; 2] = [64, 48];

/// Collects what a block holds.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<u64, foldhash::fast::RandomState>);

/// The filter as it stands in a block's summary. Empty: everything may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter<'a>(pub(super) &'a [u8]);

/// What a question asks of a filter: of each list one must be affirmed.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Vec<u64>);

impl Keys {
    pub(super) fn add(&mut self, flow: &Flow) {
        for end in [&flow.originator, &flow.responder] {
            if self.0.insert(address(end.ip)) {
                let lengths = if end.ip.is_ipv4() { PREFIXES_V4 } else { PREFIXES_V6 };
                self.0.extend(lengths.iter().filter_map(|length| prefix(end.ip, *length)));
            }
            self.0.extend(end.mac.map(mac));
            if end.port < PORTS_FROM {
                self.0.insert(port(end.port));
            }
        }
    }

    /// Returns the filter's bytes.
    pub(super) fn filter(&self) -> Vec<u8> {
        let bits = self.0.len().min(KEYS_MAX) * BITS_A_KEY;
        let mut bytes = vec![0_u8; bits.div_ceil(8)];
        let length = bytes.len();
        for place in self.0.iter().flat_map(|key| places(*key, length)) {
            if let Some(byte) = bytes.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
        }
        bytes
    }
}

impl Filter<'_> {
    /// Returns whether the block may hold all that is asked.
    pub(super) fn may_hold(self, asked: &Asked) -> bool {
        self.0.is_empty() || asked.0.iter().all(|key| self.has(*key))
    }

    fn has(self, key: u64) -> bool {
        places(key, self.0.len()).all(|place| self.0.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 != 0))
    }
}

impl Asked {
    /// Returns what a question asks.
    pub(super) fn of(query: &FlowQuery) -> Self {
        let parties = [query.endpoint, query.peer].into_iter().flatten().filter_map(party);
        Self(parties.chain(query.port.filter(|port| *port < PORTS_FROM).map(port)).collect())
    }
}

/// Returns the key that is there when the party is; `None` where nothing tells.
fn party(party: FlowParty) -> Option<u64> {
    match party {
        FlowParty::Mac(it) => Some(mac(it)),
        FlowParty::Ip(network) => {
            let (ip, length) = (network.ip(), network.prefix());
            let (whole, lengths) = if ip.is_ipv4() { (32, PREFIXES_V4) } else { (128, PREFIXES_V6) };
            if length == whole {
                return Some(address(ip));
            }
            // The longest prefix that is in the filter and covers the one that is asked for.
            lengths.iter().find(|it| **it <= length).and_then(|it| prefix(ip, *it))
        }
    }
}

/// Returns the bits that stand for a key in a filter of so many bytes.
fn places(key: u64, bytes: usize) -> impl Iterator<Item = usize> {
    let bits = (bytes as u64 * 8).max(1);
    let (first, step) = (key >> 32, key & 0xffff_ffff | 1);
    (0..u64::from(HASHES)).map(move |at| usize::try_from((first + at * step) % bits).unwrap_or(0))
}

fn mac(mac: MacAddr) -> u64 {
    let mut bytes = [b'm'; 7];
    bytes[1..].copy_from_slice(&mac.0);
    xxh3_64(&bytes)
}

fn port(port: u16) -> u64 {
    let [high, low] = port.to_be_bytes();
    xxh3_64(&[b'p', high, low])
}

fn address(ip: IpAddr) -> u64 {
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    hash(ip, whole)
}

fn prefix(ip: IpAddr, length: u8) -> Option<u64> {
    IpNetwork::new(ip, length).ok().map(|network| hash(network.network(), length))
}

fn hash(ip: IpAddr, length: u8) -> u64 {
    let mut bytes = [0; 18];
    let octets = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    bytes[..16].copy_from_slice(&octets);
    bytes[16..].copy_from_slice(&[length, if ip.is_ipv4() { 4 } else { 6 }]);
    xxh3_64(&bytes)
}
