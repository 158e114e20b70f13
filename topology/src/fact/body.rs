//! The facts themselves, and the key that names each within its group.
//!
//! A text that the source left blank is the empty string; a number that it did not give is `None`, never zero.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{MacAddr, Probe, Role, SensorKind, SensorState, VlanSet, classify::Conclusion};

/// One observed thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactBody {
    /// Whether the device answers.
    Reach(Reach),
    /// What the device says it is.
    System(System),
    /// A port.
    Interface(Interface),
    /// A row of a forwarding table.
    Forwarding(Forwarding),
    /// A row of an ARP or neighbour-discovery table.
    Address(Address),
    /// A neighbour by LLDP or CDP.
    Neighbour(Neighbour),
    /// A physical part.
    Entity(Entity),
    /// A source address on the local segment.
    Sighting(Sighting),
    /// A MAC-to-IP fact.
    Binding(Binding),
    /// What a host says of itself.
    Host(Host),
    /// Something that keeps the agent from its work.
    Condition(Condition),
    /// What the device was recognised as.
    Identification(Identification),
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
    Probe(Probe),
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
    /// ifAdminStatus.
    pub admin: InterfaceStatus,
    /// ifOperStatus.
    pub oper: InterfaceStatus,
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

/// The source address of a frame on the local segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sighting {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN, `None` for untagged frames.
    pub vlan: Option<u16>,
}

/// A MAC-to-IP fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Binding {
    /// The MAC address.
    pub mac: MacAddr,
    /// The IP address.
    pub ip: IpAddr,
}

/// What a host says of itself (RFC 2132 options 12, 60, 55, 61).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Host {
    /// The MAC address.
    pub mac: MacAddr,
    /// Host name.
    pub hostname: String,
    /// Vendor class identifier.
    pub vendor_class: String,
    /// Parameter request list, in the order asked: it tells operating systems apart.
    pub parameter_list: Vec<u8>,
    /// Client identifier.
    pub client_id: Vec<u8>,
}

/// What an endpoint was concluded to be, from what it was heard saying. Its fact was observed when that became so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Classification {
    /// The MAC address.
    pub mac: MacAddr,
    /// What follows, with the signs for and against.
    pub conclusion: Arc<Conclusion>,
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

/// A card of an agent that broadcasts in its VLAN more often than tables forget, so that every switch there has learned it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// The agent's name of the interface.
    pub interface: String,
    /// The address.
    pub mac: MacAddr,
    /// The VLAN of a tagged interface.
    pub vlan: Option<u16>,
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

/// Something that keeps the agent from its work, as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// What is wrong.
    pub kind: ConditionKind,
    /// With what: an interface, a device, a lane.
    pub subject: String,
    /// What happened and what to do about it.
    pub detail: String,
}

/// What can keep an agent from its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// An interface cannot be captured.
    CaptureFailed,
    /// The kernel dropped frames.
    CaptureLoss,
    /// A cap of the spool cost history.
    SpoolLoss,
    /// The spool cannot be written.
    DiskFull,
    /// A configuration from the centre was not applied.
    ConfigurationRefused,
    /// A poll cycle ended after its interval.
    CycleLate,
    /// A table is at its capacity and evicts.
    TableFull,
    /// A device's table could not be read whole.
    TableUnreadable,
    /// The centre refused a batch, which was set aside.
    BatchRejected,
    /// A device answers several times slower than it used to, and is asked less often.
    DeviceSlow,
    /// Traps cannot be received.
    TrapsFailed,
    /// Discovery or a sweep cannot do its work.
    DiscoveryFailed,
    /// The process has rights that it was to give up.
    RightsKept,
    /// What is captured is not what the mirrored ports counted.
    CaptureDiffers,
    /// Sequence numbers of TCP show that packets were not captured.
    CaptureGaps,
    /// Flows that ended were not kept.
    FlowsLost,
}
