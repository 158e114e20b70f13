//! Networks with known truth, as their devices would tell of them.
//!
//! A network is a tree of bridges: managed switches, pairs of them that share their ports (MLAG), and unmanaged hubs, at
//! the edge and between switches. Cables between switches are single or aggregates. Hosts are plugged into ports, into
//! hubs, or into both switches of a pair. One host is the agent, whose broadcasts everybody has learned.
//!
//! Invariant: a network is a function of its plan. Tables are complete: each switch has learned each host. What the
//! plan takes away (neighbours, own addresses) is taken away before walks lose rows at random.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made for tests: a defect in it may end them, and sizes are small"
)]

mod build;
mod dice;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    DeviceId, InterfaceId, MacAddr,
    inference::{ForwardingEvidence, SiteEvidence},
};

pub use dice::Dice;

/// How devices tell of their neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lldp {
    /// Everybody of everybody.
    Full,
    /// Half of the statements are missing.
    Half,
    /// Nobody.
    None,
    /// One statement in five names another port or another device.
    Wrong,
}

/// Whose own addresses are in whose tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Everybody's in all tables.
    Everywhere,
    /// In the tables on the way to the agent: the device answers it.
    OnTheWay,
    /// Nobody's, as where management goes another way.
    Nowhere,
}

/// What a network is like.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Managed switches, two of each pair counted.
    pub switches: usize,
    /// Hosts, the agent not counted.
    pub hosts: usize,
    /// How devices tell of their neighbours.
    pub lldp: Lldp,
    /// Whose own addresses are in whose tables.
    pub own: Own,
    /// Whether there are pairs of switches that share ports.
    pub pairs: bool,
    /// Whether there are unmanaged hubs.
    pub hubs: bool,
    /// VLANs of the hosts.
    pub vlans: u16,
    /// What chance begins with.
    pub seed: u64,
}

/// A port of a device.
pub type At = (DeviceId, InterfaceId);

/// A network.
#[derive(Debug, Clone)]
pub struct Network {
    /// What its devices say, with nothing lost.
    pub complete: SiteEvidence,
    /// The ports at which each host is: several where the host is on an unmanaged segment between switches, or plugged
    /// into both switches of a pair.
    pub truth: BTreeMap<MacAddr, BTreeSet<At>>,
}

impl Network {
    /// Returns the network of a plan.
    pub fn new(plan: &Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let shape = build::shape(plan, &mut dice);
        Self { truth: shape.truth(), complete: tell::evidence(plan, &shape, &mut dice) }
    }

    /// Returns one walk of the devices that loses rows of tables and of neighbours, each by itself with a chance of
    /// `percent` in a hundred.
    pub fn walk(&self, dice: &mut Dice, percent: u64) -> SiteEvidence {
        let mut evidence = self.complete.clone();
        for device in &mut evidence.devices {
            device.forwarding.retain(|_| dice.below(100) >= percent);
            device.neighbours.retain(|_| dice.below(100) >= percent);
        }
        evidence
    }

    /// Returns whether a walk still has a row of this host at a port where it is.
    pub fn has_access_row(&self, walk: &SiteEvidence, mac: MacAddr) -> bool {
        let places = &self.truth[&mac];
        walk.devices.iter().any(|device| {
            let here = |row: &ForwardingEvidence| {
                row.mac == mac && row.interface.is_some_and(|at| self.is(places, device.id, at))
            };
            device.forwarding.iter().any(here)
        })
    }

    /// Returns whether a port, or the aggregate that it is a member of, is one of these places.
    fn is(&self, places: &BTreeSet<At>, device: DeviceId, interface: InterfaceId) -> bool {
        let of = self.complete.devices.iter().find(|it| it.id == device);
        let member = of.and_then(|it| it.interfaces.iter().find(|it| it.id == interface));
        let whole = member.and_then(|it| it.aggregate).unwrap_or(interface);
        places.contains(&(device, whole))
    }

    /// Returns how many rows its tables have.
    pub fn rows(&self) -> usize {
        self.complete.devices.iter().map(|device| device.forwarding.len()).sum()
    }
}

/// Returns plans of every kind: neighbours told in each way, with and without pairs, hubs and own addresses, from 3
/// switches and 20 hosts up to `switches` and `hosts`. Another `seed` gives other networks.
pub fn plans(count: usize, switches: usize, hosts: usize, seed: u64) -> Vec<Plan> {
    let ways = [Lldp::Full, Lldp::Half, Lldp::None, Lldp::Wrong];
    let mut dice = Dice::new(5 + seed);
    (0..count)
        .map(|number| {
            let spread = |least: usize, most: usize, dice: &mut Dice| {
                // Small networks are as frequent as large ones.
                let share = dice.below(1000) as f64 / 1000.0;
                (least as f64 * (most as f64 / least as f64).powf(share)).round() as usize
            };
            let lldp = ways[number % ways.len()];
            let pairs = number / 4 % 2 == 1;
            let own = match number / 8 % 4 {
                0 | 1 => Own::OnTheWay,
                2 => Own::Everywhere,
                // Nothing but hosts tells the way, which is not enough for pairs.
                _ if pairs || matches!(lldp, Lldp::Half | Lldp::Wrong) => Own::OnTheWay,
                _ => Own::Nowhere,
            };
            let switches = spread(3, switches, &mut dice);
            let hosts = spread(20, hosts, &mut dice).max(switches * 3).min(hosts.max(20));
            let hubs = dice.below(4) > 0;
            let vlans = 1 + u16::try_from(dice.below(6)).unwrap_or(0);
            Plan { switches, hosts, lldp, own, pairs, hubs, vlans, seed: 1000 * (seed + 1) + number as u64 }
        })
        .collect()
}
