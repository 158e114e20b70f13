//! From what devices tell, in their own names, to evidence: which port a row means, which device a neighbour is.
//!
//! Invariant: the answer does not depend on the order of the devices or of their rows. What cannot be resolved stays without a
//! port or without a device; nothing is guessed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{DeviceTold, ForwardingRow, InterfaceRow, LagRow, NeighbourRow, RowStatus};
use crate::{
    DeviceId, InterfaceId, MacAddr,
    inference::{
        DeviceEvidence, FacingEvidence, FacingSource, ForwardingEvidence, InterfaceEvidence, NeighbourEvidence,
        PortLink, StationEvidence,
    },
};

/// How far neighbours that name a device of the site are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claims {
    /// As far as other evidence lets them.
    #[default]
    Told,
    /// Only where the device hears back, an address of its was learned at that port, or its table agrees: whoever is
    /// plugged in can call himself a switch of the site.
    BorneOut,
}

/// The names of a device's ports.
pub(super) struct PortNames<'a> {
    told: &'a DeviceTold,
    by_index: BTreeMap<u32, &'a str>,
    by_bridge_port: BTreeMap<u32, Cow<'a, str>>,
    named: BTreeSet<&'a str>,
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl<'a> PortNames<'a> {
    pub(super) fn of(told: &'a DeviceTold) -> Self {
        let (mut by_index, mut named) = (BTreeMap::new(), BTreeSet::new());
        for row in &told.interfaces {
            if let (Some(if_index), Some(name)) = (row.if_index, filled(row.name.as_ref())) {
                let known = by_index.entry(if_index).or_insert(name);
                *known = name.min(*known);
            }
            named.extend(filled(row.name.as_ref()));
        }
        let mut it = Self { told, by_index, by_bridge_port: BTreeMap::new(), named };
        let mut by_bridge_port: BTreeMap<u32, Cow<'a, str>> = BTreeMap::new();
        let stp = told.bridge.iter().flat_map(|bridge| &bridge.stp_ports);
        let stp = stp.map(|row| (row.bridge_port, row.interface.as_ref(), row.if_index));
        let rows = told.forwarding.iter().map(|row| (row.bridge_port, row.interface.as_ref(), row.if_index));
        for (port, name, if_index) in stp.chain(rows) {
            if let (Some(port), Some(name)) = (port.filter(|port| *port > 0), it.name(name, if_index)) {
                let known = by_bridge_port.entry(port).or_insert_with(|| name.clone());
                if name < *known {
                    *known = name;
                }
            }
        }
        it.by_bridge_port = by_bridge_port;
        it
    }

    /// Returns the name of a port: as told, or by its ifIndex.
    fn name(&self, name: Option<&'a String>, if_index: Option<u32>) -> Option<Cow<'a, str>> {
        if let Some(name) = filled(name) {
            return Some(Cow::Borrowed(name));
        }
        let if_index = if_index.filter(|number| *number > 0)?;
        Some(self.by_index.get(&if_index).map_or_else(|| format!("ifIndex {if_index}").into(), |name| (*name).into()))
    }

    fn of_interface(&self, row: &'a InterfaceRow) -> Option<Cow<'a, str>> {
        self.name(row.name.as_ref().or(row.description.as_ref()), row.if_index)
    }

    fn of_row(&self, row: &'a ForwardingRow) -> Option<Cow<'a, str>> {
        let by_port = || row.bridge_port.and_then(|port| self.by_bridge_port.get(&port)).cloned();
        self.name(row.interface.as_ref(), row.if_index).or_else(by_port)
    }

    fn of_members(&self, row: &'a LagRow) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let member = self.name(row.interface.as_ref(), row.if_index)?;
        let aggregate = self.name(row.aggregate.as_ref(), row.aggregate_if_index)?;
        (row.attached != Some(false)).then_some((member, aggregate))
    }

    /// Returns the port at which a neighbour is heard. What is no interface of the device is none, unless it tells of none.
    fn of_neighbour(&self, row: &'a NeighbourRow) -> Option<Cow<'a, str>> {
        if let Some(if_index) = row.if_index.filter(|number| self.by_index.contains_key(number)) {
            return self.name(None, Some(if_index));
        }
        let told = filled(row.local_port.as_ref());
        if self.told.interfaces.is_empty() {
            return self.name(row.local_port.as_ref(), row.if_index);
        }
        let told = told?;
        if self.named.contains(told) {
            return Some(told.into());
        }
        let described = |row: &&InterfaceRow| {
            [&row.description, &row.alias].into_iter().any(|text| filled(text.as_ref()) == Some(told))
        };
        self.told.interfaces.iter().filter(described).filter_map(|row| self.of_interface(row)).min()
    }

    /// Returns the VLAN of each port that carries just one.
    pub(super) fn only_vlans(&self) -> BTreeMap<String, u16> {
        let mut carried: BTreeMap<u32, BTreeSet<u16>> = BTreeMap::new();
        for row in &self.told.vlans {
            for if_index in &row.egress_if_indexes {
                carried.entry(*if_index).or_default().insert(row.vlan);
            }
        }
        let only = |vlans: &BTreeSet<u16>| vlans.first().copied().filter(|_| vlans.len() == 1);
        let named = |if_index: u32| self.by_index.get(&if_index).map(|name| (*name).to_owned());
        carried.iter().filter_map(|(if_index, vlans)| Some((named(*if_index)?, only(vlans)?))).collect()
    }

    /// Hands over each name with its ifIndex, as far as it is known.
    pub(super) fn each(&self, mut found: impl FnMut(&str, u32)) {
        let mut tell = |name: Option<Cow<'a, str>>, if_index: Option<u32>| {
            if let Some(name) = name {
                found(&name, if_index.unwrap_or(u32::MAX));
            }
        };
        for row in &self.told.interfaces {
            tell(self.of_interface(row), row.if_index);
        }
        for row in &self.told.forwarding {
            tell(self.of_row(row), row.if_index);
        }
        for row in &self.told.lag_members {
            if let Some((member, aggregate)) = self.of_members(row) {
                tell(Some(member), row.if_index);
                tell(Some(aggregate), row.aggregate_if_index);
            }
        }
        for row in &self.told.neighbours {
            tell(self.of_neighbour(row), row.if_index);
        }
        for row in self.told.bridge.iter().flat_map(|bridge| &bridge.stp_ports) {
            tell(self.name(row.interface.as_ref(), row.if_index), row.if_index);
        }
    }
}

/// What names the devices of a site.
struct Site<'a> {
    told: Vec<(DeviceId, &'a DeviceTold, PortNames<'a>)>,
    owners: BTreeMap<MacAddr, BTreeSet<DeviceId>>,
    names: BTreeMap<String, BTreeSet<DeviceId>>,
    chassis: BTreeMap<String, BTreeSet<DeviceId>>,
    addresses: BTreeMap<IpAddr, BTreeSet<DeviceId>>,
}

/// Returns what devices tell as evidence; `interface` gives the identity of a device's port.
pub fn resolve(
    told: &[(DeviceId, &DeviceTold)],
    interface: impl Fn(DeviceId, &str) -> Option<InterfaceId>,
    claims: Claims,
) -> Vec<DeviceEvidence> {
    let site = Site::of(told);
    let mut devices: Vec<DeviceEvidence> = site
        .told
        .iter()
        .map(|(id, told, ports)| {
            let at = |name: &str| interface(*id, name);
            DeviceEvidence {
                id: *id,
                own_macs: site.own_macs(*id, told),
                interfaces: interfaces(told, ports, &site, at),
                forwarding: told.forwarding.iter().map(|row| forwarding(row, ports, at)).collect(),
                neighbours: told
                    .neighbours
                    .iter()
                    .filter_map(|row| Some(site.neighbour(*id, row, at(&ports.of_neighbour(row)?)?, &interface)))
                    .collect(),
                facing: site.facing(*id, told, ports, &interface),
                stations: told.stations.iter().map(|row| StationEvidence { mac: row.mac, vlan: row.vlan }).collect(),
            }
        })
        .collect();
    if claims == Claims::BorneOut {
        let borne_out = BorneOut::of(&devices);
        for device in &mut devices {
            let id = device.id;
            for neighbour in &mut device.neighbours {
                if neighbour.device.is_some_and(|far| !borne_out.is(id, neighbour.interface, far)) {
                    neighbour.claims = neighbour.device.take();
                    neighbour.chassis_id.clear();
                }
            }
            device.facing.retain(|facing| borne_out.is_facing(id, facing));
        }
    }
    devices
}

fn primary_macs(told: &DeviceTold) -> impl Iterator<Item = MacAddr> {
    let bridge = told.bridge.iter().filter_map(|bridge| bridge.address);
    let chassis = told.identity.chassis_id.iter().filter_map(|text| text.parse().ok());
    let ports = told.interfaces.iter().filter_map(|row| row.mac);
    bridge.chain(chassis).chain(ports).filter(|mac: &MacAddr| mac.is_unicast())
}

/// Addresses that a device says are its own in a table of others: less sure, as some list what they have configured.
fn secondary_macs(told: &DeviceTold) -> impl Iterator<Item = MacAddr> {
    let rows = told.forwarding.iter().filter(|row| row.status == Some(RowStatus::Own)).map(|row| row.mac);
    let arp = told.addresses.iter().filter(|row| row.kind.as_deref() == Some("local")).map(|row| row.mac);
    rows.chain(arp).filter(|mac| mac.is_unicast())
}

impl<'a> Site<'a> {
    fn of(told: &[(DeviceId, &'a DeviceTold)]) -> Self {
        let mut site = Self {
            told: told.iter().map(|(id, told)| (*id, *told, PortNames::of(told))).collect(),
            owners: BTreeMap::new(),
            names: BTreeMap::new(),
            chassis: BTreeMap::new(),
            addresses: BTreeMap::new(),
        };
        for (id, told) in told {
            for mac in primary_macs(told) {
                site.owners.entry(mac).or_default().insert(*id);
            }
            for (texts, text) in [(&mut site.names, &told.system.name), (&mut site.chassis, &told.identity.chassis_id)]
            {
                if let Some(text) = filled(text.as_ref()) {
                    texts.entry(text.to_ascii_lowercase()).or_default().insert(*id);
                }
            }
            for row in &told.own_addresses {
                site.addresses.entry(row.ip).or_default().insert(*id);
            }
        }
        let mut further: BTreeMap<MacAddr, BTreeSet<DeviceId>> = BTreeMap::new();
        for (id, told) in told {
            for mac in secondary_macs(told).filter(|mac| !site.owners.contains_key(mac)) {
                further.entry(mac).or_default().insert(*id);
            }
        }
        site.owners.extend(further.into_iter().filter(|(_, owners)| owners.len() == 1));
        site
    }

    fn own_macs(&self, id: DeviceId, told: &DeviceTold) -> Vec<MacAddr> {
        let all = primary_macs(told).chain(secondary_macs(told));
        let own: BTreeSet<MacAddr> =
            all.filter(|mac| self.owners.get(mac).is_some_and(|owners| owners.contains(&id))).collect();
        own.into_iter().collect()
    }

    /// Returns the device of an address, where it is one's alone.
    fn owner(&self, mac: MacAddr) -> Option<DeviceId> {
        only(self.owners.get(&mac))
    }

    /// Returns the device that a neighbour is: by its chassis id, its address, its name, or an address to manage it.
    fn device_of(&self, row: &NeighbourRow) -> Option<DeviceId> {
        let of = |texts: &BTreeMap<String, BTreeSet<DeviceId>>, text: &Option<String>| {
            only(texts.get(&filled(text.as_ref())?.to_ascii_lowercase()))
        };
        let mac = row.chassis_id.as_ref().and_then(|text| text.parse().ok());
        let by_address = || {
            let found: BTreeSet<DeviceId> =
                row.management_addresses.iter().filter_map(|ip| only(self.addresses.get(ip))).collect();
            only(Some(&found))
        };
        mac.and_then(|mac| self.owner(mac))
            .or_else(|| of(&self.chassis, &row.chassis_id))
            .or_else(|| of(&self.names, &row.system_name))
            // CDP has the name where LLDP has the chassis.
            .or_else(|| of(&self.names, &row.chassis_id))
            .or_else(by_address)
            .or_else(|| {
                let same = |it: &&(DeviceId, &DeviceTold, PortNames<'_>)| row.chassis_id.as_ref() == Some(&it.1.id);
                self.told.iter().find(same).map(|(id, ..)| *id)
            })
    }

    /// Returns the port of `far` that a neighbour means: by name, description, address, alias, or number.
    fn far_port(&self, far: DeviceId, row: &NeighbourRow) -> Option<Cow<'_, str>> {
        let texts = [filled(row.port_id.as_ref()), filled(row.port_description.as_ref())];
        let mac = row.port_id.as_ref().and_then(|text| text.parse::<MacAddr>().ok());
        let number = row.port_id.as_ref().and_then(|text| text.parse::<u32>().ok());
        let is = |text: Option<&String>| filled(text).is_some_and(|text| texts.contains(&Some(text)));
        let ways: [&dyn Fn(&InterfaceRow) -> bool; 5] = [
            &|it| is(it.name.as_ref()),
            &|it| is(it.description.as_ref()),
            &|it| mac.is_some() && it.mac == mac,
            &|it| is(it.alias.as_ref()),
            &|it| number.is_some() && it.if_index == number,
        ];
        let of_far = || self.told.iter().filter(|(id, ..)| *id == far);
        let found = ways.iter().find_map(|is_meant| {
            let rows = of_far().flat_map(|(_, told, ports)| told.interfaces.iter().map(move |row| (ports, row)));
            let meant: BTreeSet<Cow<'_, str>> =
                rows.filter(|(_, row)| is_meant(row)).filter_map(|(ports, row)| ports.of_interface(row)).collect();
            // A base address that all ports share names none of them.
            if meant.len() == 1 { meant.into_iter().next() } else { None }
        });
        // Without a table of interfaces, a port that another table names.
        found.or_else(|| {
            let named = of_far().flat_map(|(_, told, ports)| {
                told.forwarding.iter().filter_map(|row| ports.of_row(row)).filter(|_| told.interfaces.is_empty())
            });
            named.filter(|name| texts.contains(&Some(name))).min()
        })
    }

    fn neighbour(
        &self,
        device: DeviceId,
        row: &NeighbourRow,
        heard_at: InterfaceId,
        interface: &impl Fn(DeviceId, &str) -> Option<InterfaceId>,
    ) -> NeighbourEvidence {
        let far = self.device_of(row).filter(|far| *far != device);
        let remote = far.and_then(|far| interface(far, &self.far_port(far, row)?));
        let chassis_id = row.chassis_id.clone().unwrap_or_default();
        NeighbourEvidence {
            interface: heard_at,
            device: far,
            remote_interface: remote,
            chassis_id,
            claims: None,
            phone: phone(row),
        }
    }

    /// Returns what the spanning tree and LACP say of who is at the other end.
    fn facing(
        &self,
        device: DeviceId,
        told: &DeviceTold,
        ports: &PortNames<'_>,
        interface: &impl Fn(DeviceId, &str) -> Option<InterfaceId>,
    ) -> Vec<FacingEvidence> {
        let mut facing = Vec::new();
        for row in told.bridge.iter().flat_map(|bridge| &bridge.stp_ports) {
            let far = row.designated_bridge.and_then(|bridge| self.owner(bridge.mac)).filter(|far| *far != device);
            let at = ports.name(row.interface.as_ref(), row.if_index).and_then(|name| interface(device, &name));
            if let (Some(far), Some(at), false) = (far, at, row.state.as_deref() == Some("disabled")) {
                let far_port = row.designated_port.and_then(|port| self.bridge_port(far, port));
                let far_interface = far_port.and_then(|name| interface(far, name));
                facing.push(FacingEvidence { interface: at, device: far, far_interface, source: FacingSource::Stp });
            }
        }
        for row in &told.lag_members {
            let far = row.partner_system.and_then(|mac| self.owner(mac)).filter(|far| *far != device);
            let at = ports.of_members(row).and_then(|(_, aggregate)| interface(device, &aggregate));
            if let (Some(far), Some(at)) = (far, at) {
                let source = FacingSource::Lacp;
                facing.push(FacingEvidence { interface: at, device: far, far_interface: None, source });
            }
        }
        facing
    }

    /// Returns the port of a port identifier: 12 bits of number below 4 of priority (IEEE 802.1D-2004), or 8 below 8.
    fn bridge_port(&self, device: DeviceId, identifier: u16) -> Option<&str> {
        let number = |bits: u16| u32::from(identifier & bits);
        let of = |number: u32| {
            let told = self.told.iter().filter(|(id, ..)| *id == device);
            told.filter_map(|(_, _, ports)| ports.by_bridge_port.get(&number)).map(AsRef::as_ref).min()
        };
        of(number(0x0fff)).or_else(|| of(number(0x00ff)))
    }
}

/// Returns the address of a telephone that a neighbour says it is: its chassis', or its port's where the chassis is an IP address
/// (ANSI/TIA-1057).
fn phone(row: &NeighbourRow) -> Option<MacAddr> {
    let is_phone = row.capabilities.iter().any(|word| word == "telephone");
    let mac = |text: &Option<String>| text.as_ref().and_then(|text| text.trim().parse().ok());
    let found: Option<MacAddr> = mac(&row.chassis_id).or_else(|| mac(&row.port_id));
    found.filter(|mac| is_phone && mac.is_unicast())
}

fn only(devices: Option<&BTreeSet<DeviceId>>) -> Option<DeviceId> {
    devices.filter(|devices| devices.len() == 1).and_then(|devices| devices.first().copied())
}

fn interfaces(
    told: &DeviceTold,
    ports: &PortNames<'_>,
    site: &Site<'_>,
    at: impl Fn(&str) -> Option<InterfaceId>,
) -> Vec<InterfaceEvidence> {
    let (mut aggregates, mut partners) = (BTreeMap::new(), BTreeMap::new());
    for row in &told.lag_members {
        let Some((member, aggregate)) = ports.of_members(row) else { continue };
        if let Some(partner) = partner(row, site) {
            let known: &mut String = partners.entry(aggregate.clone()).or_insert_with(|| partner.clone());
            *known = partner.min(std::mem::take(known));
        }
        let known = aggregates.entry(member).or_insert_with(|| aggregate.clone());
        *known = aggregate.min(std::mem::take(known));
    }
    let evidence = |name: Cow<'_, str>, row: Option<&InterfaceRow>| {
        Some(InterfaceEvidence {
            id: at(&name)?,
            if_index: row.and_then(|row| row.if_index).unwrap_or_default(),
            mac: row.and_then(|row| row.mac),
            kind: row.map_or(PortLink::Wired, |row| port_link(row.type_number)),
            up: row.and_then(|row| row.oper.as_deref()).and_then(|oper| match oper {
                "up" => Some(true),
                "unknown" => None,
                _ => Some(false),
            }),
            aggregate: aggregates.get(&name).and_then(|aggregate| at(aggregate)),
            partner: partners.get(&name).cloned(),
            name: name.into_owned(),
        })
    };
    let listed: BTreeSet<Cow<'_, str>> = told.interfaces.iter().filter_map(|row| ports.of_interface(row)).collect();
    // Members and aggregates that the table of interfaces lacks.
    let further: BTreeSet<&Cow<'_, str>> =
        aggregates.keys().chain(partners.keys()).filter(|name| !listed.contains(*name)).collect();
    let rows = told.interfaces.iter().filter_map(|row| evidence(ports.of_interface(row)?, Some(row)));
    rows.chain(further.into_iter().filter_map(|name| evidence(name.clone(), None))).collect()
}

/// Returns what names the aggregate at the other end. A managed device has several: without its key none is named.
fn partner(row: &LagRow, site: &Site<'_>) -> Option<String> {
    let system = row.partner_system.filter(|mac| mac.is_unicast())?;
    match row.partner_key {
        Some(key) => Some(format!("{system} key {key}")),
        None => (!site.owners.contains_key(&system)).then(|| system.to_string()),
    }
}

/// Returns what kind of port an ifType is (IANAifType-MIB).
const fn port_link(if_type: Option<u64>) -> PortLink {
    match if_type {
        Some(71) => PortLink::Wireless,
        Some(161) => PortLink::Aggregate,
        // softwareLoopback, propVirtual, tunnel, l2vlan, l3ipvlan, mplsTunnel
        Some(24 | 53 | 131 | 135 | 136 | 150) => PortLink::Virtual,
        _ => PortLink::Wired,
    }
}

fn forwarding(
    row: &ForwardingRow,
    ports: &PortNames<'_>,
    at: impl Fn(&str) -> Option<InterfaceId>,
) -> ForwardingEvidence {
    let interface = ports.of_row(row).and_then(|name| at(&name));
    ForwardingEvidence { mac: row.mac, vlan: row.vlan, interface, learned: row.status == Some(RowStatus::Learned) }
}

/// Hosts that both have learned, from which on whoever faces a device is borne out.
const HOSTS_MIN: usize = 3;

/// What bears neighbours out.
struct BorneOut {
    hears: BTreeSet<(DeviceId, DeviceId)>,
    learned: BTreeSet<(DeviceId, InterfaceId, DeviceId)>,
    rows: BTreeMap<(DeviceId, MacAddr), BTreeSet<InterfaceId>>,
}

impl BorneOut {
    fn of(devices: &[DeviceEvidence]) -> Self {
        let mut owners: BTreeMap<MacAddr, BTreeSet<DeviceId>> = BTreeMap::new();
        for device in devices {
            for mac in &device.own_macs {
                owners.entry(*mac).or_default().insert(device.id);
            }
        }
        let mut it = Self { hears: BTreeSet::new(), learned: BTreeSet::new(), rows: BTreeMap::new() };
        for device in devices {
            it.hears.extend(device.neighbours.iter().filter_map(|row| Some((device.id, row.device?))));
            it.hears.extend(device.facing.iter().map(|facing| (device.id, facing.device)));
            for row in device.forwarding.iter().filter(|row| row.learned) {
                if let Some(at) = row.interface {
                    it.rows.entry((device.id, row.mac)).or_default().insert(at);
                }
                let owners = owners.get(&row.mac).into_iter().flatten();
                it.learned.extend(
                    row.interface.into_iter().flat_map(|at| owners.clone().map(move |of| (device.id, at, *of))),
                );
            }
        }
        it
    }

    fn is(&self, device: DeviceId, at: InterfaceId, far: DeviceId) -> bool {
        self.hears.contains(&(far, device)) || self.learned.contains(&(device, at, far))
    }
    /// The other end has learned, at the port that is named, hosts that the device has at its other ports.
    fn is_facing(&self, device: DeviceId, facing: &FacingEvidence) -> bool {
        let far = (facing.device, MacAddr::ZERO)..=(facing.device, MacAddr::BROADCAST);
        let beyond = self.rows.range(far).filter(|((_, mac), ports)| {
            let here = self.rows.get(&(device, *mac));
            facing.far_interface.is_some_and(|at| ports.contains(&at))
                && here.is_some_and(|ports| !ports.contains(&facing.interface))
        });
        self.is(device, facing.interface, facing.device) || beyond.take(HOSTS_MIN).count() == HOSTS_MIN
    }
}
