//! The facts themselves, and the key that names each within its group.
//!
//! A text that the source left blank is the empty string; a number that it did not give is `None`, never zero.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    Address, Aggregation, Anchor, Binding, Classification, Condition, ConditionKind, Entity, Forwarding, Host,
    Identification, Interface, Neighbour, NeighbourProtocol, NextHop, OwnAddress, PortVlans, Quirk, Reach, Sensor,
    Sighting, SpanningTree, SpanningTreePort, Station, System, Vlan,
};
use crate::{MacAddr, Probe, SensorKind};

/// One observed thing.
///
/// What is large and seldom is boxed: of a million facts that a centre holds in memory, most are rows of tables of a few bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactBody {
    /// Whether the device answers.
    Reach(Reach),
    /// What the device says it is.
    System(Box<System>),
    /// A port.
    Interface(Interface),
    /// A row of a forwarding table.
    Forwarding(Forwarding),
    /// A row of an ARP or neighbour-discovery table.
    Address(Address),
    /// A neighbour by LLDP or CDP.
    Neighbour(Box<Neighbour>),
    /// A physical part.
    Entity(Box<Entity>),
    /// A source address on the local segment.
    Sighting(Sighting),
    /// A MAC-to-IP fact.
    Binding(Binding),
    /// What a host says of itself.
    Host(Box<Host>),
    /// Something that keeps the agent from its work.
    Condition(Condition),
    /// What the device was recognised as.
    Identification(Box<Identification>),
    /// Something that the device measures of itself.
    Sensor(Sensor),
    /// A station of a wireless controller.
    Station(Station),
    /// A port that is part of an aggregate.
    Aggregation(Aggregation),
    /// A VLAN that the device has.
    Vlan(Vlan),
    /// The VLANs that a port carries.
    PortVlans(PortVlans),
    /// An address of the device itself.
    OwnAddress(OwnAddress),
    /// Something peculiar about the device's answers.
    Quirk(Quirk),
    /// What an endpoint was concluded to be.
    Classification(Classification),
    /// A way that is measured.
    Probe(Box<Probe>),
    /// What the device believes of the spanning tree.
    SpanningTree(SpanningTree),
    /// A port in the spanning tree.
    SpanningTreePort(SpanningTreePort),
    /// A next hop of the device's routes.
    NextHop(NextHop),
    /// A card of the agent that broadcasts, so that every switch learns it.
    Anchor(Anchor),
}

/// Names a fact within its group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKey {
    /// The one reach fact of a device.
    Reach,
    /// The one system fact of a device.
    System,
    /// A port by ifName.
    Interface {
        /// ifName.
        name: String,
    },
    /// A forwarding row by address and VLAN.
    Forwarding {
        /// The address.
        mac: MacAddr,
        /// The VLAN, where the table says.
        vlan: Option<u16>,
    },
    /// An address row by IP and interface.
    Address {
        /// The IP address.
        ip: IpAddr,
        /// ifName.
        interface: String,
    },
    /// A neighbour by both ends.
    Neighbour {
        /// How it was heard.
        protocol: NeighbourProtocol,
        /// ifName of the local end.
        local_interface: String,
        /// The other end's chassis id as text.
        chassis_id: String,
        /// The other end's port id as text.
        port_id: String,
    },
    /// A part by entPhysicalIndex.
    Entity {
        /// entPhysicalIndex.
        index: u32,
    },
    /// A sighting by address and VLAN.
    Sighting {
        /// The address.
        mac: MacAddr,
        /// The VLAN, `None` for untagged frames.
        vlan: Option<u16>,
    },
    /// A binding by both its sides.
    Binding {
        /// The MAC address.
        mac: MacAddr,
        /// The IP address.
        ip: IpAddr,
    },
    /// A host by MAC address.
    Host {
        /// The MAC address.
        mac: MacAddr,
    },
    /// A condition by kind and subject.
    Condition {
        /// What is wrong.
        kind: ConditionKind,
        /// With what.
        subject: String,
    },
    /// The one identification of a device.
    Identification,
    /// A sensor by what it measures and its name.
    Sensor {
        /// What it measures.
        kind: SensorKind,
        /// Its name.
        name: String,
    },
    /// A station by MAC address.
    Station {
        /// The MAC address.
        mac: MacAddr,
    },
    /// A part of an aggregate by ifName.
    Aggregation {
        /// ifName of the part.
        member: String,
    },
    /// A VLAN by its number.
    Vlan {
        /// The number.
        vlan: u16,
    },
    /// The VLANs of a port by its ifName.
    PortVlans {
        /// ifName.
        interface: String,
    },
    /// An own address by IP and interface.
    OwnAddress {
        /// The IP address.
        ip: IpAddr,
        /// ifName.
        interface: String,
    },
    /// A quirk by its word and table.
    Quirk {
        /// The word for it.
        word: String,
        /// Where it shows.
        table: String,
    },
    /// A classification by MAC address.
    Classification {
        /// The MAC address.
        mac: MacAddr,
    },
    /// A probe by the agent's name of it.
    Probe {
        /// The name.
        name: String,
    },
    /// The one fact of a device about its spanning tree.
    SpanningTree,
    /// A port in the spanning tree by ifName.
    SpanningTreePort {
        /// ifName.
        interface: String,
    },
    /// A next hop by IP and interface.
    NextHop {
        /// The IP address.
        ip: IpAddr,
        /// ifName.
        interface: String,
    },
    /// An anchor by the agent's name of its interface.
    Anchor {
        /// The name.
        interface: String,
    },
}

impl FactBody {
    /// Returns the key that names this fact within its group.
    pub fn key(&self) -> ItemKey {
        match self {
            Self::Reach(_) => ItemKey::Reach,
            Self::System(_) => ItemKey::System,
            Self::Interface(it) => ItemKey::Interface { name: it.name.clone() },
            Self::Forwarding(it) => ItemKey::Forwarding { mac: it.mac, vlan: it.vlan },
            Self::Address(it) => ItemKey::Address { ip: it.ip, interface: it.interface.clone() },
            Self::Neighbour(it) => ItemKey::Neighbour {
                protocol: it.protocol,
                local_interface: it.local_interface.clone(),
                chassis_id: it.chassis_id.clone(),
                port_id: it.port_id.clone(),
            },
            Self::Entity(it) => ItemKey::Entity { index: it.index },
            Self::Sighting(it) => ItemKey::Sighting { mac: it.mac, vlan: it.vlan },
            Self::Binding(it) => ItemKey::Binding { mac: it.mac, ip: it.ip },
            Self::Host(it) => ItemKey::Host { mac: it.mac },
            Self::Condition(it) => ItemKey::Condition { kind: it.kind, subject: it.subject.clone() },
            Self::Identification(_) => ItemKey::Identification,
            Self::Sensor(it) => ItemKey::Sensor { kind: it.kind, name: it.name.clone() },
            Self::Station(it) => ItemKey::Station { mac: it.mac },
            Self::Aggregation(it) => ItemKey::Aggregation { member: it.member.clone() },
            Self::Vlan(it) => ItemKey::Vlan { vlan: it.vlan },
            Self::PortVlans(it) => ItemKey::PortVlans { interface: it.interface.clone() },
            Self::OwnAddress(it) => ItemKey::OwnAddress { ip: it.ip, interface: it.interface.clone() },
            Self::Quirk(it) => ItemKey::Quirk { word: it.word.clone(), table: it.table.clone() },
            Self::Classification(it) => ItemKey::Classification { mac: it.mac },
            Self::Probe(it) => ItemKey::Probe { name: it.name.clone() },
            Self::SpanningTree(_) => ItemKey::SpanningTree,
            Self::SpanningTreePort(it) => ItemKey::SpanningTreePort { interface: it.interface.clone() },
            Self::NextHop(it) => ItemKey::NextHop { ip: it.ip, interface: it.interface.clone() },
            Self::Anchor(it) => ItemKey::Anchor { interface: it.interface.clone() },
        }
    }
}
