//! Ports of two switches that are one to whoever is plugged into both (MLAG, vPC, M-LAG).
//!
//! The two switches tell each other what they learn, so that both have the address at a port of their own. LACP says so
//! where it is read: both ports have the same partner. Otherwise several such ports do: that as many terminals are moving
//! between the same two switches at once, each from one port to one port, is less likely than that they are a pair.
//!
//! Invariant: a port is one with at most one port of another switch, or with those that have its partner.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{DeviceIndex, Index, PortIndex};

/// Ports that two switches must share before their tables alone make them a pair.
const PORTS_MIN: usize = 3;

/// How it is known that ports are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shared {
    /// The tables of both switches.
    ByTables,
    /// LACP: they have the same partner.
    ByPartner,
}

/// The ports that are one.
#[derive(Debug, Default)]
pub(super) struct Pairs(BTreeMap<(PortIndex, PortIndex), Shared>);

impl Pairs {
    pub(super) fn of(index: &Index) -> Self {
        let mut met: BTreeSet<(PortIndex, PortIndex)> = BTreeSet::new();
        for rows in index.rows.values() {
            let usable = rows.iter().filter(|row| row.learned).filter_map(|row| row.port);
            let edge: BTreeSet<PortIndex> = usable.filter(|port| is_edge(index, *port)).collect();
            for (place, one) in edge.iter().enumerate() {
                met.extend(edge.iter().skip(place + 1).map(|other| (*one, *other)));
            }
        }
        let mut pairs = BTreeMap::new();
        let mut partners: BTreeMap<PortIndex, usize> = BTreeMap::new();
        for (one, other) in &met {
            *partners.entry(*one).or_default() += 1;
            *partners.entry(*other).or_default() += 1;
        }
        let mut by_tables: BTreeMap<(DeviceIndex, DeviceIndex), Vec<(PortIndex, PortIndex)>> = BTreeMap::new();
        for (one, other) in met {
            let (Some(a), Some(b)) = (index.ports.get(one), index.ports.get(other)) else { continue };
            if a.device == b.device {
                continue;
            }
            if a.partner.is_some() && a.partner == b.partner {
                pairs.insert((one, other), Shared::ByPartner);
            } else if partners.get(&one) == Some(&1) && partners.get(&other) == Some(&1) {
                by_tables.entry((a.device, b.device)).or_default().push((one, other));
            }
        }
        for ((one, other), ports) in by_tables {
            let know_each_other =
                index.adjacency.way(one, other).is_some() && index.adjacency.way(other, one).is_some();
            if know_each_other && ports.len() >= PORTS_MIN {
                pairs.extend(ports.into_iter().map(|ports| (ports, Shared::ByTables)));
            }
        }
        Self(pairs)
    }

    /// Returns how it is known that two ports are one; `None` where they are not.
    pub(super) fn get(&self, one: PortIndex, other: PortIndex) -> Option<Shared> {
        self.0.get(&(one.min(other), one.max(other))).copied()
    }
}

fn is_edge(index: &Index, port: PortIndex) -> bool {
    index.ports.get(port).is_some_and(|port| port.behind.is_empty() && !port.down)
}
