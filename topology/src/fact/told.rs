//! What devices tell of themselves and of others.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{MacAddr, Role, SensorKind, SensorState, VlanSet};

/// Whether a device answers, and if not, what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reach {
    /// The verdict.
    pub state: ReachState,
    /// What was tried and what came of it.
    pub detail: String,
    /// The address asked, with its port.
    pub target: String,
}

/// Verdict on a device's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachState {
    /// It answers.
    Answering,
    /// Nothing comes back.
    Silent,
    /// Something comes back, but not to these credentials.
    Refusing,
}

/// What a device says it is (RFC 3418), and what else names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct System {
    /// sysName.
    pub name: String,
    /// sysDescr.
    pub description: String,
    /// sysObjectID, dotted.
    pub object_id: String,
    /// sysContact.
    pub contact: String,
    /// sysLocation.
    pub location: String,
    /// dot1dBaseBridgeAddress.
    pub bridge_mac: Option<MacAddr>,
    /// snmpEngineID; empty when not known.
    pub engine_id: Vec<u8>,
    /// lldpLocChassisId as text.
    pub chassis_id: String,
}

/// A port (RFC 2863).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interface {
    /// ifName: the identity within the device.
    pub name: String,
    /// ifIndex: a cache, renumbered by some devices at every start.
    pub if_index: u32,
    /// ifAlias.
    pub alias: String,
    /// ifType (IANAifType-MIB).
    pub if_type: u32,
    /// ifPhysAddress.
    pub mac: Option<MacAddr>,
    /// Speed in bits per second.
    pub speed_bps: Option<u64>,
    /// Whether it sends and receives at once (dot3StatsDuplexStatus, RFC 3635); `None` where the device does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_duplex: Option<bool>,
    /// ifAdminStatus.
    pub admin: InterfaceStatus,
    /// ifOperStatus.
    pub oper: InterfaceStatus,
    /// ifLastChange: how long the device had been up, in seconds, when `oper` last changed; `None` where it does not tell, or when
    /// that was before it started. The device's own time, so that it stays as long as the port does, whoever reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change_s: Option<u32>,
}

/// ifAdminStatus and ifOperStatus (RFC 2863).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterfaceStatus {
    /// up(1)
    Up,
    /// down(2)
    Down,
    /// testing(3)
    Testing,
    /// unknown(4), and what the device did not say
    Unknown,
    /// dormant(5)
    Dormant,
    /// notPresent(6)
    NotPresent,
    /// lowerLayerDown(7)
    LowerLayerDown,
}

/// A row of a forwarding table (RFC 4188, RFC 4363).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Forwarding {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN; `None` where the table does not say.
    pub vlan: Option<u16>,
    /// ifName of the port; `None` where the bridge port did not resolve.
    pub interface: Option<String>,
    /// The bridge port.
    pub bridge_port: u32,
    /// How the row came to be.
    pub status: ForwardingStatus,
}

/// dot1dTpFdbStatus (RFC 4188).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForwardingStatus {
    /// other(1)
    Other,
    /// invalid(2)
    Invalid,
    /// learned(3): the only one that tells where an endpoint is.
    Learned,
    /// self(4): an address of the device itself
    #[serde(rename = "self")]
    Own,
    /// mgmt(5): set by hand
    Mgmt,
}

/// A row of ipNetToMediaTable or ipNetToPhysicalTable (RFC 4293).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The IP address.
    pub ip: IpAddr,
    /// ifName.
    pub interface: String,
    /// The MAC address.
    pub mac: MacAddr,
}

/// A neighbour heard by a device, or by the agent itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Neighbour {
    /// How it was heard.
    pub protocol: NeighbourProtocol,
    /// ifName of the local end.
    pub local_interface: String,
    /// Chassis id as text: a MAC address where the subtype says so.
    pub chassis_id: String,
    /// Port id as text.
    pub port_id: String,
    /// Port description.
    pub port_description: String,
    /// System name.
    pub system_name: String,
    /// System description.
    pub system_description: String,
    /// Management addresses.
    pub management_addresses: Vec<IpAddr>,
    /// What it says it is at present, by the bits of IEEE 802.1AB, clause 8.5.8; 0 where it does not say.
    pub capabilities: u16,
}

impl Neighbour {
    /// The bit of a telephone.
    pub const TELEPHONE: u16 = 1 << 5;
    /// The words that `inspect` and files use, in the order of the bits.
    pub const CAPABILITIES: [&str; 8] = [
        "other",
        "repeater",
        "bridge",
        "wlan_access_point",
        "router",
        "telephone",
        "docsis_cable_device",
        "station_only",
    ];
}

/// How a neighbour was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourProtocol {
    /// IEEE 802.1AB.
    Lldp,
    /// Cisco Discovery Protocol.
    Cdp,
}

/// A physical part (ENTITY-MIB, RFC 6933).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// entPhysicalIndex.
    pub index: u32,
    /// entPhysicalClass: 3 is a chassis, 9 a module, 11 a stack.
    pub class: u32,
    /// entPhysicalName.
    pub name: String,
    /// entPhysicalDescr.
    pub description: String,
    /// entPhysicalSerialNum.
    pub serial: String,
    /// entPhysicalModelName.
    pub model: String,
    /// entPhysicalSoftwareRev.
    pub software_revision: String,
}

/// What a device was recognised as, by its sysObjectID, sysDescr and parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Identification {
    /// Who made it.
    pub vendor: String,
    /// Its model.
    pub model: String,
    /// Its operating system.
    pub os: String,
    /// The version of that.
    pub version: String,
    /// The serial number of its chassis.
    pub serial: String,
    /// What it is for.
    pub role: Option<Role>,
}

/// Something that a device measures of itself. What it measured is in samples: see [`super::SensorSample`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sensor {
    /// What it measures, and so the unit.
    pub kind: SensorKind,
    /// The device's name of it, unique among those of its kind.
    pub name: String,
    /// What the device says of it; `None` where it does not judge.
    pub state: Option<SensorState>,
}

/// A station of a wireless controller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Station {
    /// Its MAC address.
    pub mac: MacAddr,
    /// Name of the access point that it is associated with, or its MAC address.
    pub access_point: String,
    /// The network's name.
    pub ssid: String,
    /// The VLAN that it is put into.
    pub vlan: Option<u16>,
}

/// A port that is part of an aggregate (IEEE 802.1AX).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Aggregation {
    /// ifName of the part.
    pub member: String,
    /// ifName of the aggregate.
    pub aggregate: String,
    /// The system at the other end, as LACP knows it (dot3adAggPortPartnerOperSystemID).
    pub partner_system: Option<MacAddr>,
    /// The key of the aggregate there (dot3adAggPortPartnerOperKey).
    pub partner_key: Option<u16>,
}

/// The state of a port in the spanning tree (dot1dStpPortState of RFC 4188).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanningTreeState {
    /// It takes no part.
    Disabled,
    /// It passes nothing on, so that there is no loop.
    Blocking,
    /// It waits before it learns.
    Listening,
    /// It learns, and passes nothing on yet.
    Learning,
    /// It passes frames on.
    Forwarding,
    /// It is broken.
    Broken,
}

impl SpanningTreeState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Disabled, Self::Blocking, Self::Listening, Self::Learning, Self::Forwarding, Self::Broken];

    /// Returns the word that `inspect` and files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Blocking => "blocking",
            Self::Listening => "listening",
            Self::Learning => "learning",
            Self::Forwarding => "forwarding",
            Self::Broken => "broken",
        }
    }
}

/// What a device believes of the spanning tree (RFC 4188, dot1dStp).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanningTree {
    /// The address of the root bridge.
    pub root: MacAddr,
    /// Its priority.
    pub root_priority: u16,
    /// The cost of the way there; 0 on the root itself.
    pub root_cost: Option<u64>,
    /// ifName of the port that leads there; empty on the root itself, or where it did not resolve.
    pub root_port: String,
}

/// A port at which another bridge is the designated one, or that passes nothing on (RFC 4188, dot1dStpPortTable).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanningTreePort {
    /// ifName.
    pub interface: String,
    /// The bridge port.
    pub bridge_port: u32,
    /// Its state.
    pub state: Option<SpanningTreeState>,
    /// The address of the segment's designated bridge.
    pub designated_bridge: Option<MacAddr>,
    /// The identifier of that bridge's port: a priority and a number.
    pub designated_port: Option<u16>,
}

/// Where a device sends packets on to: a next hop of its routes, of which none is kept (RFC 4292).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NextHop {
    /// The address.
    pub ip: IpAddr,
    /// ifName of the way there; empty where the device does not tell.
    pub interface: String,
    /// Whether a default route leads there.
    pub default_route: bool,
}

/// A VLAN that a device has (dot1qVlanCurrentTable of RFC 4363, vtpVlanTable).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Vlan {
    /// Its number, 1 to 4094.
    pub vlan: u16,
    /// Its name on this device.
    pub name: String,
}

/// The VLANs that a port carries: told by port, since a trunk of all VLANs is one range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortVlans {
    /// ifName.
    pub interface: String,
    /// The VLAN that frames without a tag are put into (dot1qPvid).
    pub native: Option<u16>,
    /// The VLANs whose frames leave it with a tag.
    pub tagged: VlanSet,
    /// The VLANs whose frames leave it without one.
    pub untagged: VlanSet,
}

/// An address of a device itself; with its length, the prefix that it is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnAddress {
    /// The IP address.
    pub ip: IpAddr,
    /// The length of its prefix in bits; `None` where the device does not tell.
    pub prefix_bits: Option<u8>,
    /// ifName.
    pub interface: String,
}

/// Something peculiar about a device's answers: where it does not keep to the standards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quirk {
    /// The stable word for it, such as `bridge_port_unknown`.
    pub word: String,
    /// The table where it shows; `device` when it is not a table's.
    pub table: String,
    /// How many rows, names or values showed it, where that is known.
    pub count: Option<u64>,
}
