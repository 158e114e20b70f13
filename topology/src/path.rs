//! Paths: over which devices the way leads from one place of the network to another, hop by hop.
//!
//! Invariant: a path says what is known and names what is not. Two devices are joined because a link between them is believed,
//! because one sends packets on to an address of the other, or because both have an address of one subnet; where neither leads on, the path has a gap, and goes on behind it. The same
//! map gives the same path, whatever the order in which it was filled.
//!
//! It does not know who may see what, nor whether anything on the way works.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::IpAddr,
};

use ipnetwork::IpNetwork;

use crate::{DeviceId, SiteId};

/// Links of a confidence under this, in percent, are guesses: no way leads over them.
const CONFIDENCE_MIN: u8 = 50;
/// What a step over a link costs.
const LINK_COST: u32 = 10;
/// What a step to a next hop costs: a router's own word goes before the guess that it may send to whoever is in its subnet; the
/// one of a default route before others.
const DEFAULT_ROUTE_COST: u32 = 10;
const NEXT_HOP_COST: u32 = 11;
/// What a step within a subnet costs: a little more, since there may be switches on the way that nobody polls.
const SUBNET_COST: u32 = 12;

/// Why a step is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// A link between the two devices, with its confidence in percent.
    Link(u8),
    /// Both have an address in this prefix.
    Subnet(IpNetwork),
    /// The first sends packets on to this address, which is the second's own.
    NextHop(IpAddr),
}

/// One step from a device to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The device that the step leads to.
    pub to: DeviceId,
    /// The ifName of the port by which it leaves the device before; `None` where it cannot be told.
    pub out: Option<String>,
    /// The ifName of the port by which it reaches this one.
    pub into: Option<String>,
    /// Why it is believed.
    pub ground: Ground,
}

/// A stretch of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// The steps from one device to another; none where they are the same.
    Steps {
        /// Where it begins.
        from: DeviceId,
        /// The steps.
        steps: Vec<Step>,
    },
    /// Between two devices of one site, or of sites next to each other, the way is not known.
    Gap {
        /// Behind this one.
        from: DeviceId,
        /// In front of this one.
        to: DeviceId,
    },
}

/// An address of a device, for the subnets that it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foot {
    /// The device.
    pub device: DeviceId,
    /// Its site.
    pub site: SiteId,
    /// The ifName.
    pub interface: String,
    /// The address with the length of its prefix.
    pub address: IpNetwork,
}

/// Devices, and what joins them.
#[derive(Debug, Clone, Default)]
pub struct Map {
    steps: BTreeMap<DeviceId, BTreeSet<Step>>,
    feet: Vec<Foot>,
    /// The next hops of default routes, by device.
    defaults: BTreeSet<(DeviceId, IpAddr)>,
}

impl Map {
    /// Adds a link between the ports of two devices, believed with a confidence in percent.
    pub fn link(&mut self, one: (DeviceId, Option<&str>), other: (DeviceId, Option<&str>), confidence: u8) {
        if confidence < CONFIDENCE_MIN || one.0 == other.0 {
            return;
        }
        for (from, to) in [(one, other), (other, one)] {
            self.step(from, to, Ground::Link(confidence));
        }
    }

    /// Adds the addresses of devices: those of one subnet are joined. `is_shared` says whether a prefix means one thing at
    /// two sites, since county networks were numbered without a common plan.
    pub fn feet(&mut self, feet: impl IntoIterator<Item = Foot>, is_shared: impl Fn(&Foot, &Foot) -> bool) {
        self.feet.extend(feet);
        self.feet.sort_unstable();
        self.feet.dedup();
        let mut subnets: BTreeMap<IpNetwork, Vec<&Foot>> = BTreeMap::new();
        for foot in &self.feet {
            if let Some(subnet) = subnet_of(foot.address) {
                subnets.entry(subnet).or_default().push(foot);
            }
        }
        let mut found = Vec::new();
        for (subnet, feet) in subnets {
            for (at, one) in feet.iter().enumerate() {
                let others = feet.iter().skip(at + 1).filter(|other| other.device != one.device);
                let joined = others.filter(|other| other.site == one.site || is_shared(one, other));
                found.extend(joined.map(|other| (subnet, (*one).clone(), (*other).clone())));
            }
        }
        for (subnet, one, other) in found {
            for (from, to) in [(&one, &other), (&other, &one)] {
                let [from, to] = [from, to].map(|foot| (foot.device, Some(foot.interface.as_str())));
                self.step(from, to, Ground::Subnet(subnet));
            }
        }
    }

    /// Adds that a device sends packets on to an address, by a port where it tells. Whose address it is follows from [`Self::feet`],
    /// which comes first: `is_near` says whether a device's site is this one's, or next to it. An address that two devices there
    /// have leads nowhere, since county networks were numbered without a common plan.
    pub fn next_hop(
        &mut self,
        from: (DeviceId, Option<&str>),
        to: IpAddr,
        is_default: bool,
        is_near: impl Fn(&Foot) -> bool,
    ) {
        let mut whose: Vec<&Foot> = self.feet.iter().filter(|foot| foot.address.ip() == to && is_near(foot)).collect();
        whose.dedup_by_key(|foot| foot.device);
        let [foot] = whose[..] else { return };
        let foot = foot.clone();
        if foot.device == from.0 {
            return;
        }
        if is_default {
            self.defaults.insert((from.0, to));
        }
        self.step(from, (foot.device, Some(foot.interface.as_str())), Ground::NextHop(to));
    }

    fn step(&mut self, from: (DeviceId, Option<&str>), to: (DeviceId, Option<&str>), ground: Ground) {
        let name = |name: Option<&str>| name.map(str::to_owned);
        let step = Step { to: to.0, out: name(from.1), into: name(to.1), ground };
        self.steps.entry(from.0).or_default().insert(step);
    }

    /// Returns the device of a site that has an address in the subnet of `ip`, with the longest prefix: who takes it further.
    /// Of several the one with the most subnets, since a switch has one and a router several.
    pub fn gateway(&self, site: SiteId, ip: std::net::IpAddr) -> Option<&Foot> {
        let feet_of = |device: DeviceId| self.feet.iter().filter(|foot| foot.device == device).count();
        let candidates = self.feet.iter().filter(|foot| foot.site == site && foot.address.contains(ip));
        candidates.max_by_key(|foot| (foot.address.prefix(), feet_of(foot.device), Reverse(foot.device)))
    }

    /// Returns the device of a site with the most addresses: its router, as far as addresses tell.
    pub fn busiest(&self, site: SiteId) -> Option<DeviceId> {
        let mut counts: BTreeMap<DeviceId, usize> = BTreeMap::new();
        for foot in self.feet.iter().filter(|foot| foot.site == site) {
            *counts.entry(foot.device).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(device, count)| (*count, Reverse(*device))).map(|(device, _)| device)
    }

    /// Returns the cheapest way between two devices; `None` where none is known. `over_subnets` says whether it may pass from
    /// one subnet into another at a device that is on both.
    pub fn way(&self, from: DeviceId, to: DeviceId, over_subnets: bool) -> Option<Vec<Step>> {
        let mut costs = BTreeMap::from([(from, 0_u32)]);
        let mut before: BTreeMap<DeviceId, (DeviceId, &Step)> = BTreeMap::new();
        let mut open = BinaryHeap::from([(Reverse(0_u32), Reverse(from))]);
        while let Some((Reverse(cost), Reverse(at))) = open.pop() {
            if at == to {
                break;
            }
            if costs.get(&at).is_some_and(|known| *known < cost) {
                continue;
            }
            for step in self.steps.get(&at).into_iter().flatten() {
                let price = match step.ground {
                    Ground::Link(_) => LINK_COST,
                    Ground::Subnet(_) if over_subnets => SUBNET_COST,
                    Ground::NextHop(to) if over_subnets && self.defaults.contains(&(at, to)) => DEFAULT_ROUTE_COST,
                    Ground::NextHop(_) if over_subnets => NEXT_HOP_COST,
                    Ground::Subnet(_) | Ground::NextHop(_) => continue,
                };
                let total = cost.saturating_add(price);
                if costs.get(&step.to).is_none_or(|known| total < *known) {
                    costs.insert(step.to, total);
                    before.insert(step.to, (at, step));
                    open.push((Reverse(total), Reverse(step.to)));
                }
            }
        }
        let mut steps = Vec::new();
        let mut at = to;
        while at != from {
            let (previous, step) = before.get(&at)?;
            steps.push((*step).clone());
            at = *previous;
        }
        steps.reverse();
        Some(steps)
    }

    /// Returns the way along `stops`, stretch by stretch: within a site over links, and between gateways over subnets too.
    pub fn along(&self, stops: &[(DeviceId, bool)]) -> Vec<Stretch> {
        let pairs = stops.windows(2).filter_map(|pair| match pair {
            [(from, over_subnets), (to, _)] => Some((*from, *to, *over_subnets)),
            _ => None,
        });
        pairs
            .map(|(from, to, over_subnets)| match self.way(from, to, over_subnets) {
                Some(steps) => Stretch::Steps { from, steps },
                None => Stretch::Gap { from, to },
            })
            .collect()
    }
}

/// Returns the subnet of an address; `None` where the prefix says nothing of neighbours: a host's own, or everything.
fn subnet_of(address: IpNetwork) -> Option<IpNetwork> {
    let host = if address.is_ipv4() { 32 } else { 128 };
    let link_local = match address.ip() {
        std::net::IpAddr::V4(ip) => ip.is_link_local() || ip.is_loopback(),
        std::net::IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_loopback(),
    };
    let tells = address.prefix() > 0 && address.prefix() < host && !link_local;
    IpNetwork::new(address.network(), address.prefix()).ok().filter(|_| tells)
}

#[cfg(test)]
mod tests;
