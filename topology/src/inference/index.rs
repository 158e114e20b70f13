//! The evidence of a site put together by device and port, in dense numbers.
//!
//! Invariant: equal sets of evidence give equal indexes: devices and ports are numbered in the order of their ids, and
//! everything else is a set or the largest of several statements.

use std::collections::{BTreeMap, BTreeSet};

use super::{DropReason, ForwardingEvidence, SiteEvidence};
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
    /// The managed devices behind it.
    pub(super) behind: BTreeSet<DeviceIndex>,
    /// Those of them that are heard as neighbours.
    pub(super) neighbours: BTreeSet<DeviceIndex>,
    /// The endpoints learned on it.
    pub(super) macs: BTreeSet<MacAddr>,
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
    /// The ports of the first device behind which the second is.
    towards: BTreeMap<(DeviceIndex, DeviceIndex), Vec<PortIndex>>,
    pub(super) rows: BTreeMap<MacAddr, BTreeSet<Row>>,
    pub(super) dropped: BTreeMap<MacAddr, DropReason>,
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
        index.read_neighbours(evidence, &lookup);
        index.read_tables(evidence, &lookup);
        for (number, port) in index.ports.iter().enumerate() {
            for behind in &port.behind {
                index.towards.entry((port.device, *behind)).or_default().push(number);
            }
        }
        index
    }

    /// Returns the identity of a device.
    pub(super) fn device(&self, device: DeviceIndex) -> DeviceId {
        // Every number in the index comes from `devices`; the zero id stands for a defect, and names nothing.
        self.devices.get(device).copied().unwrap_or(DeviceId::from_raw(0))
    }

    /// Returns the ports of `device` through which `other` is seen.
    pub(super) fn towards(&self, device: DeviceIndex, other: DeviceIndex) -> impl Iterator<Item = &Port> {
        self.towards.get(&(device, other)).into_iter().flatten().filter_map(|port| self.ports.get(*port))
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
        let mut known: BTreeSet<(DeviceIndex, InterfaceId)> = BTreeSet::new();
        for device in &evidence.devices {
            let Some(number) = lookup.devices.get(&device.id).copied() else { continue };
            for interface in &device.interfaces {
                let key = (number, interface.id);
                known.insert(key);
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
            known.extend(named.chain(heard).map(|interface| (number, interface)));
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
                    behind: BTreeSet::new(),
                    neighbours: BTreeSet::new(),
                    macs: BTreeSet::new(),
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
                if let (Some(named), Some(port)) = (named, self.ports.get_mut(port))
                    && named != port.device
                {
                    port.behind.insert(named);
                    port.neighbours.insert(named);
                }
            }
        }
    }

    fn read_tables(&mut self, evidence: &SiteEvidence, lookup: &Lookup) {
        for device in &evidence.devices {
            let Some(number) = lookup.devices.get(&device.id).copied() else { continue };
            for row in &device.forwarding {
                if let Some(has_table) = self.has_table.get_mut(number) {
                    *has_table |= row.learned;
                }
                let port = row.interface.and_then(|interface| lookup.port(device.id, interface));
                match lookup.drop_reason(row.mac, &self.devices) {
                    Some(reason) => {
                        self.dropped.insert(row.mac, reason);
                        self.read_own(lookup, row, number, port);
                    }
                    None => self.read_endpoint(row, number, port),
                }
            }
        }
    }

    /// A device's own address on another device's port: that device is behind the port.
    fn read_own(&mut self, lookup: &Lookup, row: &ForwardingEvidence, device: DeviceIndex, port: Option<PortIndex>) {
        let owner = lookup.owners.get(&row.mac).copied().flatten();
        if let (Some(owner), Some(port)) = (owner, port.and_then(|port| self.ports.get_mut(port)))
            && row.learned
            && owner != device
        {
            port.behind.insert(owner);
        }
    }

    fn read_endpoint(&mut self, row: &ForwardingEvidence, device: DeviceIndex, port: Option<PortIndex>) {
        if let Some(port) = port.filter(|_| row.learned).and_then(|port| self.ports.get_mut(port)) {
            port.macs.insert(row.mac);
        }
        self.rows.entry(row.mac).or_default().insert(Row { device, vlan: row.vlan, port, learned: row.learned });
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
