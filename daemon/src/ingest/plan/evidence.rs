//! What the devices of a site tell, as the inference reads it: the facts of their agents in the form of `inspect --json`.
//!
//! Invariant: what is inferred from an exported file is what the centre infers: both are resolved by
//! [`onenet_topology::inspection`], from the same rows. A neighbour that names a device of the site counts only when a device
//! bears it out (decision 15).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use onenet_topology::{
    DeviceId, MacAddr, Timestamp,
    device::{Device, Interface},
    fact::{self, FactBody, ForwardingStatus, InterfaceStatus, Method},
    inference::SiteEvidence,
    inspection::{
        ArpRow, BridgeId, BridgeTold, Claims, DeviceTold, EvidenceFile, ForwardingRow, IdentityTold, InterfaceRow,
        LagRow, NeighbourRow, OwnAddressRow, PortVlanRow, RowStatus, StationRow, StpRow, SystemTold, VlanRow, Walk,
        resolve,
    },
};

use crate::estate::{Held, SiteState};

/// Returns what the devices of a site tell, with resolved names.
pub(super) fn evidence(state: &SiteState) -> SiteEvidence {
    let told: Vec<(DeviceId, DeviceTold)> =
        state.devices.values().map(|device| (device.id, told(state, device))).collect();
    let told: Vec<(DeviceId, &DeviceTold)> = told.iter().map(|(id, told)| (*id, told)).collect();
    let interface = |device: DeviceId, name: &str| Some(state.devices.get(&device)?.interface(name)?.id);
    SiteEvidence { devices: resolve(&told, interface, Claims::BorneOut), anchors: anchors(state) }
}

/// Returns what is known of a site at present as a file that `onenetd topology infer` reads.
pub(crate) fn evidence_file(state: &SiteState, site: &str, now: Timestamp) -> EvidenceFile {
    let devices = state.devices.values().map(|device| {
        let (vlans, port_vlans) = vlans(state, device);
        DeviceTold { addresses: addresses(state, device), vlans, port_vlans, ..told(state, device) }
    });
    let walk = Walk { time: Some(now), devices: devices.collect() };
    let mut anchors = anchors(state).into_iter();
    let (anchor, anchors) = (anchors.next(), anchors.collect());
    EvidenceFile { site: site.to_owned(), anchor, anchors, neighbours: Claims::BorneOut, walks: vec![walk] }
}

/// Returns what a device tells of where things are.
fn told(state: &SiteState, device: &Arc<Device>) -> DeviceTold {
    let rows: Vec<Held> = Method::FORWARDING.into_iter().flat_map(|method| state.told(device, method)).collect();
    let ports: Vec<Held> = state.told(device, Method::SnmpInterfaces).collect();
    let learned = newest(rows.iter().filter_map(|held| match &held.fact.body {
        FactBody::Forwarding(row) if row.status == ForwardingStatus::Learned => {
            Some((row.interface.as_deref()?, held.fact.observed))
        }
        _ => None,
    }));
    let states = newest(ports.iter().filter_map(|held| match &held.fact.body {
        FactBody::Interface(interface) => Some((interface.name.as_str(), held.fact.observed)),
        _ => None,
    }));
    // Tables are read at different times: an address that was learned after the port was seen down says that it came up.
    let outdated = |name: &str| learned.get(name) > states.get(name);
    let system = device.system.as_ref();
    let current = device.interfaces.iter().filter(|it| it.current);
    DeviceTold {
        id: device.id.to_string(),
        system: SystemTold { name: system.and_then(|it| given(&it.name)) },
        identity: IdentityTold { chassis_id: system.and_then(|it| given(&it.chassis_id)) },
        bridge: bridge(state, device),
        interfaces: current.map(|it| interface(it, outdated(&it.said.name))).collect(),
        forwarding: rows.into_iter().filter_map(|held| forwarding(held.fact.body)).collect(),
        neighbours: all(state, device, Method::SnmpNeighbours, neighbour),
        stations: all(state, device, Method::SnmpStations, station),
        lag_members: all(state, device, Method::SnmpAggregation, lag_member),
        own_addresses: all(state, device, Method::SnmpOwnAddresses, |body| match body {
            FactBody::OwnAddress(it) => Some(OwnAddressRow { ip: it.ip }),
            _ => None,
        }),
        ..DeviceTold::default()
    }
}

/// Returns what a device tells of its bridge; `None` where it tells nothing.
fn bridge(state: &SiteState, device: &Device) -> Option<BridgeTold> {
    let stp_ports = all(state, device, Method::SnmpSpanningTree, |body| match body {
        FactBody::SpanningTreePort(it) => Some(StpRow {
            bridge_port: Some(it.bridge_port),
            if_index: None,
            interface: given(&it.interface),
            state: it.state.map(|state| state.name().to_owned()),
            designated_bridge: it.designated_bridge.map(|mac| BridgeId { mac }),
            designated_port: it.designated_port,
        }),
        _ => None,
    });
    let address = device.system.as_ref().and_then(|it| it.bridge_mac);
    (address.is_some() || !stp_ports.is_empty()).then_some(BridgeTold { address, stp_ports })
}

/// Returns the cards of the site's agents that broadcast, so that every switch has learned them.
fn anchors(state: &SiteState) -> Vec<MacAddr> {
    let groups = state.facts.iter().filter(|((_, group), _)| group.method == Method::Anchor);
    let macs = groups.flat_map(|(_, held)| held.iter()).filter_map(|(_, held)| match &held.fact.body {
        FactBody::Anchor(anchor) => Some(anchor.mac),
        _ => None,
    });
    macs.collect::<BTreeSet<MacAddr>>().into_iter().collect()
}

fn all<T>(state: &SiteState, device: &Device, method: Method, row: impl Fn(&FactBody) -> Option<T>) -> Vec<T> {
    state.told(device, method).filter_map(|held| row(&held.fact.body)).collect()
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns the newest time for each name.
fn newest<'n>(named: impl Iterator<Item = (&'n str, Timestamp)>) -> BTreeMap<&'n str, Timestamp> {
    let mut newest = BTreeMap::new();
    for (name, time) in named {
        let known = newest.entry(name).or_insert(time);
        *known = time.max(*known);
    }
    newest
}

/// Returns what a device says of a port; whether it is up is not known where that is `outdated`.
fn interface(interface: &Interface, outdated: bool) -> InterfaceRow {
    let said = &interface.said;
    let oper = match said.oper {
        InterfaceStatus::Up => "up",
        InterfaceStatus::Unknown => "unknown",
        _ if outdated => "unknown",
        InterfaceStatus::Down => "down",
        InterfaceStatus::Testing => "testing",
        InterfaceStatus::Dormant => "dormant",
        InterfaceStatus::NotPresent => "not_present",
        InterfaceStatus::LowerLayerDown => "lower_layer_down",
    };
    InterfaceRow {
        if_index: Some(said.if_index),
        name: given(&said.name),
        description: None,
        alias: given(&said.alias),
        type_number: Some(u64::from(said.if_type)),
        mac: said.mac,
        oper: Some(oper.to_owned()),
    }
}

fn forwarding(body: FactBody) -> Option<ForwardingRow> {
    let FactBody::Forwarding(row) = body else { return None };
    let status = match row.status {
        ForwardingStatus::Other => RowStatus::Other,
        ForwardingStatus::Invalid => RowStatus::Invalid,
        ForwardingStatus::Learned => RowStatus::Learned,
        ForwardingStatus::Own => RowStatus::Own,
        ForwardingStatus::Mgmt => RowStatus::Mgmt,
    };
    Some(ForwardingRow {
        mac: row.mac,
        vlan: row.vlan,
        bridge_port: Some(row.bridge_port),
        if_index: None,
        interface: row.interface,
        status: Some(status),
    })
}

fn neighbour(body: &FactBody) -> Option<NeighbourRow> {
    let FactBody::Neighbour(row) = body else { return None };
    let protocol = match row.protocol {
        fact::NeighbourProtocol::Lldp => "lldp",
        fact::NeighbourProtocol::Cdp => "cdp",
    };
    Some(NeighbourRow {
        protocol: Some(protocol.to_owned()),
        local_port: given(&row.local_interface),
        if_index: None,
        chassis_id: given(&row.chassis_id),
        port_id: given(&row.port_id),
        port_description: given(&row.port_description),
        system_name: given(&row.system_name),
        management_addresses: row.management_addresses.clone(),
        capabilities: capabilities(row.capabilities),
    })
}

fn capabilities(bits: u16) -> Vec<String> {
    let words = fact::Neighbour::CAPABILITIES.iter().enumerate().filter(|(place, _)| bits & 1 << place != 0);
    words.map(|(_, word)| (*word).to_owned()).collect()
}

fn station(body: &FactBody) -> Option<StationRow> {
    let FactBody::Station(row) = body else { return None };
    let (access_point, ssid) = (given(&row.access_point), given(&row.ssid));
    Some(StationRow { mac: row.mac, access_point, ssid, vlan: row.vlan })
}

fn lag_member(body: &FactBody) -> Option<LagRow> {
    let FactBody::Aggregation(row) = body else { return None };
    Some(LagRow {
        interface: given(&row.member),
        aggregate: given(&row.aggregate),
        attached: Some(true),
        partner_system: row.partner_system,
        partner_key: row.partner_key.map(u64::from),
        ..LagRow::default()
    })
}

fn addresses(state: &SiteState, device: &Device) -> Vec<ArpRow> {
    all(state, device, Method::SnmpAddresses, |body| match body {
        FactBody::Address(row) => {
            Some(ArpRow { ip: row.ip, mac: row.mac, interface: given(&row.interface), kind: None })
        }
        _ => None,
    })
}

/// Returns the VLANs and the ports that carry them.
fn vlans(state: &SiteState, device: &Device) -> (Vec<VlanRow>, Vec<PortVlanRow>) {
    let mut carried: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    let mut natives = Vec::new();
    for held in state.told(device, Method::SnmpVlans) {
        match &held.fact.body {
            FactBody::Vlan(it) => {
                carried.entry(it.vlan).or_default();
            }
            FactBody::PortVlans(it) => {
                let if_index = device.interface(&it.interface).map(|port| port.said.if_index);
                let ranges = it.tagged.ranges().iter().chain(it.untagged.ranges());
                for vlan in ranges.flat_map(|(first, last)| *first..=*last) {
                    carried.entry(vlan).or_default().extend(if_index);
                }
                natives.push(PortVlanRow { if_index, interface: given(&it.interface), pvid: it.native });
            }
            _ => {}
        }
    }
    let vlans = carried.into_iter().map(|(vlan, egress_if_indexes)| VlanRow { vlan, egress_if_indexes });
    (vlans.collect(), natives)
}
