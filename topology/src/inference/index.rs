//! The evidence of a site put together by device and port, in dense numbers.
//!
//! Invariant: equal sets of evidence give equal indexes: devices and ports are numbered in the order of their ids, and
//! everything else is a set or the largest of several statements.

use std::collections::{BTreeMap, BTreeSet};

use super::{DropReason, ForwardingEvidence, Place, SiteEvidence, adjacency::Adjacency, shared::Shared};
use crate::{DeviceId, InterfaceId, MacAddr};

/// The number of a device in the index.
pub(super) type DeviceIndex = usize;
/// The number of a port in the index.
pub(super) type PortIndex = usize;

/// A port of a device; members of an aggregate are their aggregate.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) device: DeviceIndex,
    pub(super) interface: InterfaceId,
    /// Whether the device says that it is down.
    pub(super) down: bool,
    /// Whom it is bundled with, as LACP tells.
    pub(super) partner: Option<String>,
    /// The managed devices behind it.
    pub(super) behind: BTreeSet<DeviceIndex>,
    /// The endpoints learned on it.
    pub(super) macs: usize,
}

/// A row about an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) device: DeviceIndex,
    pub(super) vlan: Option<u16>,
    /// `None` where the bridge port did not resolve.
    pub(super) port: Option<PortIndex>,
    pub(super) learned: bool,
}

/// The evidence of a site.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) devices: Vec<DeviceId>,
    /// Whether the device has a forwarding table that tells anything.
    pub(super) has_table: Vec<bool>,
    pub(super) ports: Vec<Port>,
    /// The ways between devices.
    pub(super) adjacency: Adjacency,
    /// For each device, others with a table of which it is not sure where they are.
    unplaced: Vec<Vec<DeviceIndex>>,
    /// The VLANs in which an anchor was learned; `None` when no anchor is known.
    anchored: Option<BTreeSet<u16>>,
    /// The rows about each endpoint.
    pub(super) rows: BTreeMap<MacAddr, BTreeSet<Row>>,
    pub(super) dropped: BTreeMap<MacAddr, DropReason>,
    /// The telephones heard at each port.
    phones: BTreeMap<PortIndex, BTreeSet<MacAddr>>,
    /// The controller of each wireless station, with the VLAN where that is told: of several the first in order.
    pub(super) stations: BTreeMap<MacAddr, (DeviceIndex, Option<u16>)>,
}

/// Looks numbers up while the index is built.
struct Lookup {
    devices: BTreeMap<DeviceId, DeviceIndex>,
    ports: BTreeMap<(DeviceIndex, InterfaceId), PortIndex>,
    /// Whose own an address is; `None` when several devices claim it, so that it tells nothing of the way.
    owners: BTreeMap<MacAddr, Option<DeviceIndex>>,
}

impl Index {
    pub(super) fn of(evidence: &SiteEvidence) -> Self {
        let mut index = Self::default();
        let mut lookup = index.number_devices(evidence);
        index.number_ports(evidence, &mut lookup);
        index.adjacency = Adjacency::new(index.devices.len());
        index.read_neighbours(evidence, &lookup);
        index.read_facing(evidence, &lookup);
        index.read_stations(evidence, &lookup);
        let shared = index.read_tables(evidence, &lookup);
        index.adjacency.decide(&shared, &index.paired());
        for (device, far, port, _, is_way) in index.adjacency.claims() {
            if let Some(port) = index.ports.get_mut(port).filter(|_| is_way && device != far) {
                port.behind.insert(far);
            }
        }
        index.unplaced = index.unplaced(&shared);
        index.anchored = index.anchored(evidence);
        index
    }

    /// Returns the number of the port at a place.
    pub(super) fn port_of(&self, at: Place) -> Option<PortIndex> {
        let of = |port: &Port| (self.device(port.device), port.interface);
        // Ports are numbered in the order of their devices, and those in the order of their ids.
        let from = self.ports.partition_point(|port| self.device(port.device) < at.device);
        let ports =
            self.ports.iter().enumerate().skip(from).take_while(|(_, port)| self.device(port.device) == at.device);
        ports.into_iter().find(|(_, port)| of(port) == (at.device, at.interface)).map(|(number, _)| number)
    }

    /// Returns the identity of a device.
    pub(super) fn device(&self, device: DeviceIndex) -> DeviceId {
        // Every number in the index comes from `devices`; the zero id stands for a defect, and names nothing.
        self.devices.get(device).copied().unwrap_or(DeviceId::from_raw(0))
    }

    /// Returns the devices that may be behind any port of a device without anything that tells so.
    pub(super) fn may_be_behind(&self, device: DeviceIndex) -> &[DeviceIndex] {
        self.unplaced.get(device).map_or(&[], Vec::as_slice)
    }

    /// Returns whether no anchor tells the ways in a VLAN, though there are anchors.
    pub(super) fn is_adrift(&self, vlan: Option<u16>) -> bool {
        matches!((&self.anchored, vlan), (Some(anchored), Some(vlan)) if !anchored.contains(&vlan))
    }

    /// Returns the devices that are bundled with the same partner, each two in their order.
    fn paired(&self) -> BTreeSet<(DeviceIndex, DeviceIndex)> {
        let mut by_partner: BTreeMap<&str, BTreeSet<DeviceIndex>> = BTreeMap::new();
        for port in &self.ports {
            if let Some(partner) = &port.partner {
                by_partner.entry(partner).or_default().insert(port.device);
            }
        }
        // More than two share no port: such a partner names nobody.
        let pairs = by_partner.into_values().filter(|devices| devices.len() == 2);
        pairs.filter_map(|devices| Some((*devices.first()?, *devices.last()?))).collect()
    }

    fn unplaced(&self, shared: &Shared) -> Vec<Vec<DeviceIndex>> {
        let devices = 0..self.devices.len();
        let learned = shared.learned();
        let hidden = |device: DeviceIndex, far: DeviceIndex| {
            let there = learned.get(far).map_or(&[][..], Vec::as_slice);
            let has_table = device != far && self.has_table.get(far) == Some(&true);
            has_table
                && !self.adjacency.is_sure(device, far)
                && shared.may_be_behind_any(device, (far, there), self.adjacency.way(far, device))
        };
        devices.clone().map(|device| devices.clone().filter(|far| hidden(device, *far)).collect()).collect()
    }

    fn anchored(&self, evidence: &SiteEvidence) -> Option<BTreeSet<u16>> {
        let anchors: BTreeSet<MacAddr> = evidence.anchors.iter().copied().collect();
        let known = anchors.iter().any(|anchor| self.rows.contains_key(anchor));
        let rows = anchors.iter().filter_map(|anchor| self.rows.get(anchor)).flatten();
        known.then(|| rows.filter_map(|row| row.vlan).collect())
    }

    fn number_devices(&mut self, evidence: &SiteEvidence) -> Lookup {
        let ids: BTreeSet<DeviceId> = evidence.devices.iter().map(|device| device.id).collect();
        self.devices = ids.into_iter().collect();
        self.has_table = vec![false; self.devices.len()];
        let devices: BTreeMap<_, _> = self.devices.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        let mut owners: BTreeMap<MacAddr, Option<DeviceIndex>> = BTreeMap::new();
        for device in &evidence.devices {
            let Some(owner) = devices.get(&device.id).copied() else { continue };
            let ports = device.interfaces.iter().filter_map(|interface| interface.mac);
            for mac in device.own_macs.iter().copied().chain(ports) {
                if mac.is_unicast() && !mac.is_virtual_router() {
                    let known = owners.entry(mac).or_insert(Some(owner));
                    *known = known.filter(|known| *known == owner);
                }
            }
        }
        Lookup { devices, ports: BTreeMap::new(), owners }
    }

    /// Numbers every port that anything is said about. A port is down when the device says so and never that it is up.
    fn number_ports(&mut self, evidence: &SiteEvidence, lookup: &mut Lookup) {
        let mut parents: BTreeMap<(DeviceIndex, InterfaceId), InterfaceId> = BTreeMap::new();
        let mut up: BTreeMap<(DeviceIndex, InterfaceId), bool> = BTreeMap::new();
        let mut partners: BTreeMap<(DeviceIndex, InterfaceId), &String> = BTreeMap::new();
        let mut known: BTreeSet<(DeviceIndex, InterfaceId)> = BTreeSet::new();
        for device in &evidence.devices {
            let Some(number) = lookup.devices.get(&device.id).copied() else { continue };
            for interface in &device.interfaces {
                let key = (number, interface.id);
                known.insert(key);
                if let Some(partner) = interface.partner.as_ref().filter(|partner| !partner.is_empty()) {
                    let least = partners.entry(key).or_insert(partner);
                    *least = partner.min(*least);
                }
                if let Some(says) = interface.up {
                    let up = up.entry(key).or_insert(says);
                    *up |= says;
                }
                if let Some(aggregate) = interface.aggregate.filter(|aggregate| *aggregate != interface.id) {
                    let parent = parents.entry(key).or_insert(aggregate);
                    *parent = aggregate.min(*parent);
                }
            }
            let named = device.forwarding.iter().filter_map(|row| row.interface);
            let heard = device.neighbours.iter().map(|neighbour| neighbour.interface);
            let facing = device.facing.iter().map(|facing| facing.interface);
            known.extend(named.chain(heard).chain(facing).map(|interface| (number, interface)));
        }
        // One level only: an aggregate is not a member of another (IEEE 802.1AX), and a loop must not hang us.
        known.extend(parents.iter().map(|((device, _), parent)| (*device, *parent)));
        let mut numbers: BTreeMap<(DeviceIndex, InterfaceId), PortIndex> = BTreeMap::new();
        for (device, interface) in &known {
            let whole = parents.get(&(*device, *interface)).copied().unwrap_or(*interface);
            let number = *numbers.entry((*device, whole)).or_insert_with(|| {
                self.ports.push(Port {
                    device: *device,
                    interface: whole,
                    down: up.get(&(*device, whole)) == Some(&false),
                    partner: partners.get(&(*device, whole)).map(|partner| (*partner).clone()),
                    behind: BTreeSet::new(),
                    macs: 0,
                });
                self.ports.len() - 1
            });
            lookup.ports.insert((*device, *interface), number);
        }
    }

    /// A neighbour that is a managed device makes the port one between switches. Phones and cameras speak LLDP too: an
    /// unmanaged neighbour does not.
    fn read_neighbours(&mut self, evidence: &SiteEvidence, lookup: &Lookup) {
        for device in &evidence.devices {
            for neighbour in &device.neighbours {
                let chassis = neighbour.chassis_id.parse::<MacAddr>().ok();
                let by_chassis = chassis.and_then(|mac| lookup.owners.get(&mac).copied().flatten());
                let named = neighbour.device.and_then(|id| lookup.devices.get(&id).copied()).or(by_chassis);
                let Some(port) = lookup.port(device.id, neighbour.interface) else { continue };
                let Some(here) = self.ports.get(port).map(|port| port.device) else { continue };
                if let Some(phone) = neighbour.phone {
                    self.phones.entry(port).or_default().insert(phone);
                }
                let claimed = neighbour.claims.and_then(|id| lookup.devices.get(&id).copied());
                let Some(far) = named.or(claimed).filter(|far| *far != here) else { continue };
                let id = self.devices.get(far).copied();
                let far_port = id.zip(neighbour.remote_interface).and_then(|(id, at)| lookup.port(id, at));
                if named.is_some() {
                    self.adjacency.hears(here, port, far, far_port);
                } else {
                    self.adjacency.is_told(here, port, far, far_port);
                }
            }
        }
    }

    /// A station that two controllers tell of roams between them: one of them is named.
    fn read_stations(&mut self, evidence: &SiteEvidence, lookup: &Lookup) {
        for device in &evidence.devices {
            let Some(controller) = lookup.devices.get(&device.id).copied() else { continue };
            for station in &device.stations {
                if lookup.drop_reason(station.mac, &self.devices).is_none() {
                    let known = self.stations.entry(station.mac).or_insert((controller, station.vlan));
                    *known = (*known).min((controller, station.vlan));
                }
            }
        }
    }

    /// Returns the telephone at a port that an address is behind, where one alone is heard there that the port has learned.
    pub(super) fn phone_before(&self, port: PortIndex, mac: MacAddr) -> Option<MacAddr> {
        let mut phones = self.phones.get(&port)?.iter().copied();
        let phone = phones.next().filter(|phone| phones.next().is_none() && *phone != mac)?;
        let here = |row: &Row| row.port == Some(port) && row.learned;
        self.rows.get(&phone)?.iter().any(here).then_some(phone)
    }

    fn read_facing(&mut self, evidence: &SiteEvidence, lookup: &Lookup) {
        for device in &evidence.devices {
            for facing in &device.facing {
                let Some(port) = lookup.port(device.id, facing.interface) else { continue };
                let Some(here) = self.ports.get(port).filter(|port| !port.down).map(|port| port.device) else {
                    continue;
                };
                let far = lookup.devices.get(&facing.device).copied();
                if let Some(far) = far.filter(|far| *far != here) {
                    let far_port = facing.far_interface.and_then(|at| lookup.port(facing.device, at));
                    self.adjacency.faces(here, port, far, far_port, facing.source);
                }
            }
        }
    }

    fn read_tables(&mut self, evidence: &SiteEvidence, lookup: &Lookup) -> Shared {
        let learned = evidence.devices.iter().flat_map(|device| &device.forwarding).filter(|row| row.learned);
        let mut addresses: Vec<MacAddr> = learned.map(|row| row.mac).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let mut shared = Shared::new(self.devices.len(), addresses.len());
        let mut on_ports: Vec<(PortIndex, MacAddr)> = Vec::new();
        for device in &evidence.devices {
            let Some(number) = lookup.devices.get(&device.id).copied() else { continue };
            for row in &device.forwarding {
                if let Some(has_table) = self.has_table.get_mut(number) {
                    *has_table |= row.learned;
                }
                let port = row.interface.and_then(|interface| lookup.port(device.id, interface));
                let reason = lookup.drop_reason(row.mac, &self.devices);
                if let (true, Some(port), Ok(address)) = (row.learned, port, addresses.binary_search(&row.mac)) {
                    let down = self.ports.get(port).is_none_or(|port| port.down);
                    let owner = lookup.owners.get(&row.mac).copied();
                    if !down && (reason.is_none() || owner.flatten().is_some_and(|owner| owner != number)) {
                        shared.add(number, address, port);
                    }
                }
                if let Some(reason) = reason {
                    self.dropped.insert(row.mac, reason);
                    self.read_own(lookup, row, number, port);
                } else {
                    on_ports.extend(port.filter(|_| row.learned).map(|port| (port, row.mac)));
                    let about = Row { device: number, vlan: row.vlan, port, learned: row.learned };
                    self.rows.entry(row.mac).or_default().insert(about);
                }
            }
        }
        on_ports.sort_unstable();
        on_ports.dedup();
        for (port, _) in on_ports {
            if let Some(port) = self.ports.get_mut(port) {
                port.macs += 1;
            }
        }
        shared
    }

    /// A device's own address on another device's port: that device is behind the port.
    fn read_own(&mut self, lookup: &Lookup, row: &ForwardingEvidence, device: DeviceIndex, port: Option<PortIndex>) {
        let owner = lookup.owners.get(&row.mac).copied().flatten();
        if let (Some(owner), Some(port)) = (owner, port)
            && row.learned
            && owner != device
        {
            self.adjacency.has_learned(device, port, owner);
        }
    }
}

impl Lookup {
    fn port(&self, device: DeviceId, interface: InterfaceId) -> Option<PortIndex> {
        let device = self.devices.get(&device)?;
        self.ports.get(&(*device, interface)).copied()
    }

    /// Returns why this address is no endpoint.
    fn drop_reason(&self, mac: MacAddr, devices: &[DeviceId]) -> Option<DropReason> {
        if mac == MacAddr::ZERO {
            return Some(DropReason::Zero);
        }
        if mac.is_multicast() {
            return Some(DropReason::Multicast);
        }
        if mac.is_virtual_router() {
            return Some(DropReason::VirtualRouter);
        }
        let owner = self.owners.get(&mac)?;
        Some(DropReason::DeviceOwn { device: owner.and_then(|owner| devices.get(owner).copied()) })
    }
}
