//! What the agent of a site tells: everything, what changed, and the counters of a minute.
//!
//! Invariant: whoever holds everything that was told at one time and applies what changed since holds what would be told in whole now. The
//! unit tests prove it.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use onenet_topology::{
    Role, Timestamp,
    classify::{Sign, SignKind, conclude},
    fact::{
        Address, Binding, Classification, Entity, Fact, FactBody, FactChange, Forwarding, ForwardingStatus, Group,
        HistoryBody, HistoryItem, Host, Identification, Interface, InterfaceSample, InterfaceStatus, ItemKey, Method,
        Neighbour, NeighbourProtocol, Reach, ReachState, Scope, Sighting, System,
    },
};
use onenet_wire::{GroupChanges, KeyRange, key_hash};

use super::{
    more,
    network::{Kind, Network, Slot, port_name},
    sites::PORTS,
};

/// Facts of a batch: far from the limits of the wire, also where classifications are long.
const BATCH_FACTS: usize = 500;
/// The port of a switch that leads up.
const UPLINK: usize = PORTS + 1;
/// The VLAN of a site without aggregation; with it, each access switch has its own.
const VLAN: u16 = 100;
/// ifType of Ethernet (IANAifType-MIB).
const ETHERNET: u32 = 6;
/// What Windows asks a DHCP server for (RFC 2132, option 55).
const WINDOWS_ASKS: [u8; 14] = [1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252];
/// What is heard of a computer, a printer and a camera.
const COMPUTER: &[(SignKind, &str)] = &[
    (SignKind::DhcpVendorClass, "MSFT 5.0"),
    (SignKind::DhcpParameters, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
    (SignKind::LlmnrQuery, ""),
];
const PRINTER: &[(SignKind, &str)] = &[(SignKind::MdnsService, "_ipp._tcp")];
const CAMERA: &[(SignKind, &str)] = &[(SignKind::WsdType, "NetworkVideoTransmitter")];

type Facts = Vec<(Group, FactBody)>;

fn on_device(network: &Network, method: Method, device: usize) -> Group {
    Group { method, scope: Scope::new(&network.device_name(device)) }
}

fn heard(method: Method) -> Group {
    Group { method, scope: Scope::new("eth1") }
}

/// Returns everything that holds now, group by group.
pub(crate) fn everything(network: &Network) -> BTreeMap<Group, Vec<FactBody>> {
    let mut all: BTreeMap<Group, Vec<FactBody>> = BTreeMap::new();
    let devices = (0..network.site().devices()).flat_map(|device| of_device(network, device));
    let terminals = network.slots().iter().enumerate().flat_map(|(at, slot)| of_terminal(network, at, *slot));
    let more = if network.is_full() { more::facts(network) } else { Facts::new() };
    for (group, body) in devices.chain(terminals).chain(more) {
        all.entry(group).or_default().push(body);
    }
    all
}

/// Returns what changed since the terminals were as `told`, which is brought up to date.
pub(crate) fn differences(network: &Network, told: &mut [Slot], at: Timestamp) -> Vec<GroupChanges> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for (number, (then, now)) in told.iter_mut().zip(network.slots()).enumerate() {
        if then == now {
            continue;
        }
        before.extend(of_terminal(network, number, *then).into_iter().map(keyed));
        after.extend(of_terminal(network, number, *now).into_iter().map(keyed));
        *then = *now;
    }
    let mut groups: BTreeMap<Group, Vec<FactChange>> = BTreeMap::new();
    for (group, key) in before.keys().filter(|key| !after.contains_key(*key)) {
        groups.entry(group.clone()).or_default().push(FactChange::Gone { key: key.clone(), observed: at });
    }
    for (key, body) in after {
        if before.get(&key) != Some(&body) {
            groups.entry(key.0).or_default().push(FactChange::Present(Fact { observed: at, body }));
        }
    }
    groups.into_iter().map(|(group, changes)| GroupChanges { group, changes, complete: None }).collect()
}

/// Returns what was told of the terminals that are no more as `told`, as it is told again of what stays.
pub(crate) fn seen_again(network: &Network, told: &[Slot], at: Timestamp) -> Vec<GroupChanges> {
    let changed = told.iter().zip(network.slots()).enumerate().filter(|(_, (then, now))| then != now);
    let mut groups: BTreeMap<Group, Vec<FactBody>> = BTreeMap::new();
    for (group, body) in changed.flat_map(|(number, (then, _))| of_terminal(network, number, *then)) {
        groups.entry(group).or_default().push(body);
    }
    again(groups, at)
}

fn keyed((group, body): (Group, FactBody)) -> ((Group, ItemKey), FactBody) {
    ((group, body.key()), body)
}

/// Returns groups as they are told in whole: each part says between which key hashes it is complete.
pub(crate) fn complete(groups: BTreeMap<Group, Vec<FactBody>>, at: Timestamp) -> Vec<GroupChanges> {
    let mut parts = Vec::new();
    for (group, bodies) in groups {
        let mut hashed: Vec<(u64, FactBody)> = bodies.into_iter().map(|body| (key_hash(&body.key()), body)).collect();
        hashed.sort_by_key(|(hash, _)| *hash);
        let mut first = 0;
        let mut rest = hashed.into_iter().peekable();
        loop {
            let part: Vec<(u64, FactBody)> = rest.by_ref().take(BATCH_FACTS).collect();
            let last = if rest.peek().is_some() { part.last().map_or(u64::MAX, |(hash, _)| *hash) } else { u64::MAX };
            let changes = part.into_iter().map(|(_, body)| FactChange::Present(Fact { observed: at, body })).collect();
            parts.push(GroupChanges { group: group.clone(), changes, complete: Some(KeyRange { first, last }) });
            if last == u64::MAX {
                break;
            }
            first = last + 1;
        }
    }
    parts
}

/// Returns groups as they are told again: nothing changed, and all of it was seen.
pub(crate) fn again(groups: BTreeMap<Group, Vec<FactBody>>, at: Timestamp) -> Vec<GroupChanges> {
    let mut parts = Vec::new();
    for (group, bodies) in groups {
        let changes: Vec<FactChange> =
            bodies.into_iter().map(|body| FactChange::Present(Fact { observed: at, body })).collect();
        for part in changes.chunks(BATCH_FACTS) {
            parts.push(GroupChanges { group: group.clone(), changes: part.to_vec(), complete: None });
        }
    }
    parts
}

/// Puts parts together to what batches take.
pub(crate) fn batches(parts: Vec<GroupChanges>) -> Vec<Vec<GroupChanges>> {
    let mut batches: Vec<Vec<GroupChanges>> = Vec::new();
    let (mut open, mut facts) = (Vec::new(), 0);
    for part in parts {
        if facts + part.changes.len() > BATCH_FACTS && !open.is_empty() {
            batches.push(std::mem::take(&mut open));
            facts = 0;
        }
        facts += part.changes.len() + 1;
        open.push(part);
    }
    if !open.is_empty() {
        batches.push(open);
    }
    batches
}

/// Returns how many samples there are of a minute at most.
pub(crate) const fn sample_count(network: &Network) -> usize {
    let site = network.site();
    let down = if site.aggregation() > 0 { site.aggregation() } else { site.access() };
    let more = if network.is_full() { more::sample_count(site) } else { 0 };
    site.terminals + site.access() + down + 1 + more
}

/// Returns the counters of all ports of terminals, of the ways up and of the router, after so many minutes of service, and what else
/// is told of this minute.
pub(crate) fn samples(network: &Network, time: Timestamp, minutes: u64) -> Vec<HistoryItem> {
    let ports = (0..network.site().terminals).map(|port| {
        let (device, port) = Network::place(u16::try_from(port).unwrap_or(u16::MAX));
        counters(network, (device, port), 40_000 + 977 * port as u64, (time, minutes))
    });
    ports.chain(few_samples(network, time, minutes)).collect()
}

/// Returns the same without the ports of terminals: what is told of a past that is filled in coarsely.
pub(crate) fn few_samples(network: &Network, time: Timestamp, minutes: u64) -> Vec<HistoryItem> {
    let site = network.site();
    let leads = |device: usize, port: usize| counters(network, (device, port), 1_000_000, (time, minutes));
    let uplinks = (1..=site.access()).map(|device| leads(device, UPLINK));
    let down = if site.aggregation() > 0 { site.aggregation() } else { site.access() };
    let router = (1..=down + 1).map(|port| leads(0, port));
    let more = if network.is_full() { more::samples(network, time, minutes) } else { Vec::new() };
    uplinks.chain(router).chain(more).collect()
}

fn counters(
    network: &Network,
    (device, port): (usize, usize),
    rate: u64,
    (time, minutes): (Timestamp, u64),
) -> HistoryItem {
    let octets = minutes.wrapping_mul(rate);
    HistoryItem {
        time,
        scope: Scope::new(&network.device_name(device)),
        body: HistoryBody::Interface(InterfaceSample {
            name: port_name(port),
            in_octets: Some(octets),
            out_octets: Some(octets / 5),
            in_errors: Some(0),
            out_errors: Some(0),
            in_discards: Some(0),
            out_discards: Some(0),
            in_packets: Some(octets / 700),
            out_packets: Some(octets / 1_200),
        }),
    }
}

/// Returns what stays as it is of a device.
fn of_device(network: &Network, device: usize) -> Facts {
    let name = network.device_name(device);
    let mac = network.device_mac(device);
    let role = if device == 0 { Role::Router } else { Role::Switch };
    let [.., high, low] = (device + 1).to_be_bytes();
    let target = format!("{}:161", Ipv4Addr::new(192, 168, high, low));
    let group = |method| on_device(network, method, device);
    let serial = format!("SIM{:09}", network.site().first_device + device as u64);
    let model = "S5130S-28P-EI";
    let mut facts = vec![
        (
            group(Method::SnmpReach),
            FactBody::Reach(Reach { state: ReachState::Answering, detail: "answers SNMP v2c".to_owned(), target }),
        ),
        (
            group(Method::SnmpSystem),
            FactBody::System(Box::new(System {
                name: format!("{}-{name}", network.site().code),
                description: "H3C Comware Platform Software, Software Version 7.1.070, H3C S5130S-28P-EI".to_owned(),
                object_id: "1.3.6.1.4.1.25506.1.1880".to_owned(),
                location: network.site().name.clone(),
                bridge_mac: Some(mac),
                chassis_id: mac.to_string(),
                ..System::default()
            })),
        ),
        (
            group(Method::SnmpSystem),
            FactBody::Identification(Box::new(Identification {
                vendor: "H3C".to_owned(),
                model: model.to_owned(),
                os: "Comware".to_owned(),
                version: "7.1.070".to_owned(),
                serial: serial.clone(),
                role: Some(role),
            })),
        ),
        (
            group(Method::SnmpEntities),
            FactBody::Entity(Box::new(Entity {
                index: 1,
                class: 3,
                name: model.to_owned(),
                description: model.to_owned(),
                serial,
                model: model.to_owned(),
                software_revision: String::new(),
            })),
        ),
    ];
    facts.extend(fixed_ports(network, device));
    facts.extend(neighbours(network, device));
    facts
}

/// Returns the ports of a device at which no terminal of the site belongs.
fn fixed_ports(network: &Network, device: usize) -> Facts {
    let site = network.site();
    let (access, aggregation) = (site.access(), site.aggregation());
    let status: Vec<(usize, InterfaceStatus)> = if device == 0 {
        let down = if aggregation > 0 { aggregation } else { access };
        (1..=down + 1).map(|port| (port, InterfaceStatus::Up)).collect()
    } else if device <= access {
        let taken = site.terminals.saturating_sub((device - 1) * PORTS).min(PORTS);
        let free = (taken + 1..=PORTS).map(|port| (port, InterfaceStatus::Down));
        free.chain([(UPLINK, InterfaceStatus::Up)]).collect()
    } else {
        (1..=UPLINK).map(|port| (port, InterfaceStatus::Up)).collect()
    };
    status.into_iter().map(|(port, oper)| interface(network, device, port, oper)).collect()
}

fn interface(network: &Network, device: usize, port: usize, oper: InterfaceStatus) -> (Group, FactBody) {
    let body = FactBody::Interface(Interface {
        name: port_name(port),
        if_index: u32::try_from(port).unwrap_or_default(),
        alias: String::new(),
        if_type: ETHERNET,
        mac: Some(network.device_mac(device)),
        speed_bps: Some(1_000_000_000),
        admin: InterfaceStatus::Up,
        oper,
        full_duplex: Some(true),
        last_change_s: None,
    });
    (on_device(network, Method::SnmpInterfaces, device), body)
}

/// Returns to which device and port of it the way up of a switch leads.
fn above(network: &Network, device: usize) -> (usize, usize) {
    let (access, aggregation) = (network.site().access(), network.site().aggregation());
    if device > access {
        (0, device - access)
    } else if aggregation > 0 {
        (access + 1 + (device - 1) / PORTS, 1 + (device - 1) % PORTS)
    } else {
        (0, device)
    }
}

/// Returns what a device hears of those beside it.
fn neighbours(network: &Network, device: usize) -> Facts {
    let neighbour = |own: usize, other: usize, port: usize| {
        let body = FactBody::Neighbour(Box::new(Neighbour {
            protocol: NeighbourProtocol::Lldp,
            local_interface: port_name(own),
            chassis_id: network.device_mac(other).to_string(),
            port_id: port_name(port),
            port_description: String::new(),
            system_name: format!("{}-{}", network.site().code, network.device_name(other)),
            system_description: String::new(),
            management_addresses: Vec::new(),
            capabilities: 0,
        }));
        (on_device(network, Method::SnmpNeighbours, device), body)
    };
    let mut facts = Vec::new();
    if device > 0 {
        let (other, port) = above(network, device);
        facts.push(neighbour(UPLINK, other, port));
    }
    for other in 1..network.site().devices() {
        let (up, port) = above(network, other);
        if up == device {
            facts.push(neighbour(port, other, UPLINK));
        }
    }
    facts
}

/// Returns what follows from a terminal that is as `slot` says: its port, and where it is seen when it is on.
fn of_terminal(network: &Network, at: usize, slot: Slot) -> Facts {
    let (device, port) = Network::place(slot.port);
    let oper = if slot.on { InterfaceStatus::Up } else { InterfaceStatus::Down };
    let mut facts = vec![interface(network, device, port, oper)];
    if !slot.on {
        return facts;
    }
    let mac = network.mac(at, slot.generation);
    let ip = Network::ip(at).into();
    let aggregated = network.site().aggregation() > 0;
    let vlan = if aggregated { VLAN + u16::try_from(device % 3_000).unwrap_or_default() } else { VLAN };
    let row = |device: usize, port: usize| {
        let body = FactBody::Forwarding(Forwarding {
            mac,
            vlan: Some(vlan),
            interface: Some(port_name(port)),
            bridge_port: u32::try_from(port).unwrap_or_default(),
            status: ForwardingStatus::Learned,
        });
        (on_device(network, Method::SnmpForwarding, device), body)
    };
    facts.push(row(device, port));
    let (up, port_above) = above(network, device);
    let router_port = if aggregated { up - network.site().access() } else { port_above };
    if aggregated {
        facts.push(row(up, port_above));
    } else {
        facts.extend((1..=network.site().access()).filter(|other| *other != device).map(|other| row(other, UPLINK)));
    }
    let address = FactBody::Address(Address { ip, interface: port_name(router_port), mac });
    facts.push((on_device(network, Method::SnmpAddresses, 0), address));
    facts.push((heard(Method::PassiveFrames), FactBody::Sighting(Sighting { mac, vlan: None })));
    facts.push((heard(Method::PassiveArp), FactBody::Binding(Binding { mac, ip })));
    facts.extend(said(network, at, slot));
    facts
}

/// Returns what a terminal says of itself, and what follows from it.
fn said(network: &Network, at: usize, slot: Slot) -> Facts {
    let mac = network.mac(at, slot.generation);
    let kind = network.kind(at);
    let hostname = network.hostname(at, slot.generation);
    let says = match kind {
        Kind::Computer => COMPUTER,
        Kind::Printer => PRINTER,
        Kind::Camera => CAMERA,
    };
    let sign = |kind, value| Sign { kind, value, first: Timestamp::EPOCH, last: Timestamp::EPOCH, count: 1 };
    let name = hostname.iter().map(|name| sign(SignKind::DhcpName, name.as_str()));
    let signs: Vec<Sign<'_>> = name.chain(says.iter().map(|(kind, value)| sign(*kind, value))).collect();
    let conclusion = Arc::new(conclude(mac, &signs));
    let mut facts =
        vec![(heard(Method::PassiveClassification), FactBody::Classification(Classification { mac, conclusion }))];
    if let Some(hostname) = hostname {
        let windows = kind == Kind::Computer;
        let host = Host {
            mac,
            hostname,
            vendor_class: if windows { "MSFT 5.0".to_owned() } else { String::new() },
            parameter_list: if windows { WINDOWS_ASKS.to_vec() } else { Vec::new() },
            client_id: Vec::new(),
        };
        facts.push((heard(Method::PassiveDhcp), FactBody::Host(Box::new(host))));
    }
    facts
}
