//! VLANs, own addresses, spanning tree, next hops: what a device is in its network.

use std::collections::BTreeMap;

use onenet_snmp::{Bridge, InterfaceIndex, OwnAddress, PortVlan, Routes, StpPort, Vlan};
use onenet_topology::fact::{self, FactBody, SpanningTreeState};

/// Next hops that are told of a device; those of default routes go first.
const NEXT_HOPS_MAX: usize = 64;

/// Returns the device's own addresses.
pub(in crate::poll) fn own_addresses(rows: Vec<OwnAddress>) -> Vec<FactBody> {
    let body = |row: OwnAddress| {
        let interface = row.interface.unwrap_or_else(|| format!("#{}", row.if_index));
        FactBody::OwnAddress(fact::OwnAddress { ip: row.ip, prefix_bits: row.prefix_bits, interface })
    };
    rows.into_iter().map(body).collect()
}

/// Returns the VLANs, and by port which of them it carries; ports without a name are left out.
pub(in crate::poll) fn vlans(vlans: Vec<Vlan>, natives: &[PortVlan], names: &InterfaceIndex) -> Vec<FactBody> {
    #[derive(Default)]
    struct Carried {
        native: Option<u16>,
        tagged: Vec<u16>,
        untagged: Vec<u16>,
    }
    let mut ports: BTreeMap<u32, Carried> = BTreeMap::new();
    let mut bodies = Vec::with_capacity(vlans.len());
    for vlan in vlans {
        for port in &vlan.untagged_if_indexes {
            ports.entry(*port).or_default().untagged.push(vlan.vlan);
        }
        for port in vlan.egress_if_indexes.iter().filter(|port| !vlan.untagged_if_indexes.contains(port)) {
            ports.entry(*port).or_default().tagged.push(vlan.vlan);
        }
        let name = vlan.name.get().cloned().unwrap_or_default();
        bodies.push(FactBody::Vlan(fact::Vlan { vlan: vlan.vlan, name }));
    }
    for native in natives {
        ports.entry(native.if_index).or_default().native = Some(native.pvid);
    }
    let named = |(if_index, carried): (u32, Carried)| {
        Some(FactBody::PortVlans(fact::PortVlans {
            interface: names.name(if_index)?.to_owned(),
            native: carried.native,
            tagged: carried.tagged.into_iter().collect(),
            untagged: carried.untagged.into_iter().collect(),
        }))
    };
    bodies.extend(ports.into_iter().filter_map(named));
    bodies
}

/// Returns the root of the spanning tree, and the ports that tell of somebody: where another bridge is the designated one, or
/// that pass nothing on. A port with terminals says of itself only what everybody knows.
pub(in crate::poll) fn spanning_tree(bridge: &Bridge) -> Vec<FactBody> {
    let name = |number: u64| {
        let mut ports = bridge.stp_ports.iter().filter(|port| u64::from(port.bridge_port) == number);
        ports.find_map(|port| port.interface.clone())
    };
    let root = bridge.stp_root.get().map(|root| {
        FactBody::SpanningTree(fact::SpanningTree {
            root: root.mac,
            root_priority: root.priority,
            root_cost: bridge.stp_root_cost.get().copied(),
            root_port: bridge.stp_root_port.get().and_then(|number| name(*number)).unwrap_or_default(),
        })
    });
    let own = bridge.address.get().copied();
    let port = |port: &StpPort| {
        let word = port.state.get().copied();
        let state = SpanningTreeState::ALL.into_iter().find(|state| Some(state.name()) == word);
        let designated = port.designated_bridge.get().map(|bridge| bridge.mac).filter(|mac| mac.is_unicast());
        let held_up = matches!(state, Some(SpanningTreeState::Blocking | SpanningTreeState::Broken));
        let tells = held_up || designated.is_some() && designated != own;
        let interface = port.interface.clone().filter(|_| tells && state != Some(SpanningTreeState::Disabled))?;
        Some(FactBody::SpanningTreePort(fact::SpanningTreePort {
            interface,
            bridge_port: port.bridge_port,
            state,
            designated_bridge: designated,
            designated_port: port.designated_port.get().copied(),
        }))
    };
    root.into_iter().chain(bridge.stp_ports.iter().filter_map(port)).collect()
}

/// Returns where a device sends packets on to.
pub(in crate::poll) fn next_hops(routes: Vec<Routes>) -> Vec<FactBody> {
    let mut hops: Vec<_> = routes.into_iter().flat_map(|routes| routes.next_hops).collect();
    hops.sort_by_key(|hop| (!hop.default_route, std::cmp::Reverse(hop.routes), hop.ip));
    let body = |hop: onenet_snmp::NextHop| {
        let interface = hop.interface.unwrap_or_default();
        FactBody::NextHop(fact::NextHop { ip: hop.ip, interface, default_route: hop.default_route })
    };
    hops.into_iter().take(NEXT_HOPS_MAX).map(body).collect()
}
