//! VLANs, own addresses: what a device is in its network.

use std::collections::BTreeMap;

use onenet_snmp::{InterfaceIndex, OwnAddress, PortVlan, Vlan};
use onenet_topology::fact::{self, FactBody};

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
