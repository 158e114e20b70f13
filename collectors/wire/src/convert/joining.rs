//! What a device tells of how it is joined to others: the spanning tree, aggregates, next hops; and the agent's anchors.

use onenet_topology::fact::{Aggregation, Anchor, NextHop, SpanningTree, SpanningTreePort};

use super::check::{self, ip, ip_bytes, mac, name, optional_enumerated, optional_mac};
use crate::{Invalid, v1};

/// The largest key, priority or port identifier.
const U16_MAX: u32 = 65_535;

/// Returns a number of 16 bits.
pub(super) fn short(field: &str, number: u32) -> Result<u16, Invalid> {
    let number = check::range(field, number, 0, U16_MAX)?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

pub(super) fn aggregation(it: v1::Aggregation) -> Result<Aggregation, Invalid> {
    Ok(Aggregation {
        member: name("member", it.member)?,
        aggregate: name("aggregate", it.aggregate)?,
        partner_system: optional_mac("partner_system", &it.partner_system)?,
        partner_key: it.partner_key.map(|key| short("partner_key", key)).transpose()?,
    })
}

pub(super) fn spanning_tree(it: v1::SpanningTree) -> Result<SpanningTree, Invalid> {
    Ok(SpanningTree {
        root: mac("root", &it.root)?,
        root_priority: short("root_priority", it.root_priority)?,
        root_cost: it.root_cost,
        root_port: name("root_port", it.root_port)?,
    })
}

pub(super) fn spanning_tree_port(it: v1::SpanningTreePort) -> Result<SpanningTreePort, Invalid> {
    Ok(SpanningTreePort {
        interface: name("interface", it.interface)?,
        bridge_port: it.bridge_port,
        state: optional_enumerated::<v1::SpanningTreeState, _>("state", it.state)?,
        designated_bridge: optional_mac("designated_bridge", &it.designated_bridge)?,
        designated_port: it.designated_port.map(|port| short("designated_port", port)).transpose()?,
    })
}

pub(super) fn next_hop(it: v1::NextHop) -> Result<NextHop, Invalid> {
    Ok(NextHop { ip: ip("ip", &it.ip)?, interface: name("interface", it.interface)?, default_route: it.default_route })
}

pub(super) fn anchor(it: v1::Anchor) -> Result<Anchor, Invalid> {
    Ok(Anchor { interface: name("interface", it.interface)?, mac: mac("mac", &it.mac)?, vlan: check::vlan(it.vlan)? })
}

impl From<&Aggregation> for v1::Aggregation {
    fn from(it: &Aggregation) -> Self {
        Self {
            member: it.member.clone(),
            aggregate: it.aggregate.clone(),
            partner_system: it.partner_system.map_or_else(Vec::new, |mac| mac.0.to_vec()),
            partner_key: it.partner_key.map(u32::from),
        }
    }
}

impl From<&SpanningTree> for v1::SpanningTree {
    fn from(it: &SpanningTree) -> Self {
        Self {
            root: it.root.0.to_vec(),
            root_priority: it.root_priority.into(),
            root_cost: it.root_cost,
            root_port: it.root_port.clone(),
        }
    }
}

impl From<&SpanningTreePort> for v1::SpanningTreePort {
    fn from(it: &SpanningTreePort) -> Self {
        Self {
            interface: it.interface.clone(),
            bridge_port: it.bridge_port,
            state: it.state.map_or(0, |state| v1::SpanningTreeState::from(state).into()),
            designated_bridge: it.designated_bridge.map_or_else(Vec::new, |mac| mac.0.to_vec()),
            designated_port: it.designated_port.map(u32::from),
        }
    }
}

impl From<&NextHop> for v1::NextHop {
    fn from(it: &NextHop) -> Self {
        Self { ip: ip_bytes(it.ip), interface: it.interface.clone(), default_route: it.default_route }
    }
}

impl From<&Anchor> for v1::Anchor {
    fn from(it: &Anchor) -> Self {
        Self { interface: it.interface.clone(), mac: it.mac.0.to_vec(), vlan: it.vlan.unwrap_or(0).into() }
    }
}
