//! Lines that fail: what many hosts ask in vain of networks that answered them until just now.
//!
//! Invariants: a network counts as cut off only where several hosts lost services that had answered each of them in the last day or two, and
//! nothing of it was heard since; the first sign of life ends that. It does not know which networks lie beyond which line: it takes every
//! network for itself, at three sizes.

use std::net::IpAddr;

use onenet_topology::Timestamp;

use crate::{
    observation::{Attempt, FlowSeen},
    table::{Distinct, Recollection, Table, Worth, hash},
};

/// How long what was lost is remembered while nobody asks for it.
const KEPT_MS: i64 = 2 * 24 * 3_600_000;
/// How much later a flow may be told than one that began after it.
const LATE_MS: i64 = 10 * 60_000;
/// Bits of a network's address, of IPv4 and of IPv6: a segment, a site or a province, everything.
const SIZES: [[u32; 3]; 2] = [[24, 16, 8], [64, 48, 32]];

/// A network of one of the sizes: its first address, and of how many bits it is.
type Network = (u128, u32);

/// A network of which nothing is heard.
#[derive(Debug)]
struct Silence {
    since: Timestamp,
    /// When it was heard again.
    until: Option<Timestamp>,
    /// Who lost a service there.
    losers: Distinct,
}

/// What is cut off.
#[derive(Debug)]
pub(crate) struct Outages {
    /// Who was answered by which service.
    answered: Recollection,
    silent: Table<Network, Silence>,
    /// Whether anything was lost yet.
    any: bool,
}

impl Worth for Silence {
    fn worth(&self) -> u64 {
        self.losers.count()
    }
}

impl Silence {
    fn new(since: Timestamp) -> Self {
        Self { since, until: None, losers: Distinct::default() }
    }

    fn covers(&self, at: Timestamp) -> bool {
        at >= self.since && self.until.is_none_or(|until| at < until)
    }
}

impl Outages {
    pub(crate) fn new() -> Self {
        Self { answered: Recollection::new(1 << 21), silent: Table::new(1_024, KEPT_MS), any: false }
    }

    /// Takes note of an attempt whose ends, protocol and port have the hash `pair`. Returns whether it stayed unanswered because what it
    /// went to is cut off: whether `hosts` or more lost what answered them there.
    pub(crate) fn explains(&mut self, flow: &FlowSeen<'_>, attempt: Attempt, pair: u64, hosts: u64) -> bool {
        if attempt == Attempt::Answered {
            self.answered.note(pair, flow.start);
        }
        // Who sends is there; and who refuses.
        self.heard(flow.from, flow.start);
        if attempt != Attempt::Failed || flow.packets_in > 0 {
            self.heard(flow.to, flow.start);
            return false;
        }
        if self.answered.has(pair) {
            self.lost(flow);
        }
        self.any && networks(flow.to).any(|network| self.is_cut(network, flow.start, hosts))
    }

    fn heard(&mut self, ip: IpAddr, at: Timestamp) {
        if !self.any {
            return;
        }
        for network in networks(ip) {
            if let Some(silence) = self.silent.get_mut(&network, at)
                && at > silence.since
            {
                silence.until = Some(silence.until.map_or(at, |until| until.min(at)));
            }
        }
    }

    fn lost(&mut self, flow: &FlowSeen<'_>) {
        self.any = true;
        let at = flow.start;
        for network in networks(flow.to) {
            let Some(silence) = self.silent.touch(network, at, || Silence::new(at)) else { continue };
            if silence.until.is_some_and(|until| at > until) {
                *silence = Silence::new(at);
            }
            // Flows are told as they end: one that began before the others may come after them.
            if silence.since.ms_since(at) <= LATE_MS {
                silence.since = silence.since.min(at);
                silence.losers.add(hash(flow.from));
            }
        }
    }

    fn is_cut(&mut self, network: Network, at: Timestamp, hosts: u64) -> bool {
        let Some(silence) = self.silent.get_mut(&network, at) else { return false };
        let cut = silence.covers(at) && silence.losers.count() >= hosts;
        if cut {
            // As long as anybody asks in vain it is remembered, however long the line takes.
            self.silent.touch(network, at, || Silence::new(at));
        }
        cut
    }
}

/// Returns the networks that an address is in, the smallest first.
fn networks(ip: IpAddr) -> impl Iterator<Item = Network> {
    let (bits, width, sizes) = match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32, SIZES[0]),
        IpAddr::V6(ip) => (ip.to_bits(), 128, SIZES[1]),
    };
    // The width keeps networks of the two families apart.
    sizes.into_iter().map(move |size| (bits >> (width - size), width + size))
}
