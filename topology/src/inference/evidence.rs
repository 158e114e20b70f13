//! What the inference of one site looks at.
//!
//! Invariant: these are plain facts with resolved names: a forwarding row names an interface of ours, or none when the
//! bridge port did not resolve. The same device may come twice, as two agents see it: its evidence is put together.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, InterfaceId, MacAddr};

/// Everything known about the devices of one site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SiteEvidence {
    /// The managed devices.
    pub devices: Vec<DeviceEvidence>,
    /// Addresses that every device has learned, since their owner broadcasts more often than tables forget: an agent's.
    #[serde(default)]
    pub anchors: Vec<MacAddr>,
}

/// What one device says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEvidence {
    /// The device.
    pub id: DeviceId,
    /// The addresses of its bridge and its ports.
    pub own_macs: Vec<MacAddr>,
    /// Its interfaces.
    pub interfaces: Vec<InterfaceEvidence>,
    /// Its forwarding tables.
    pub forwarding: Vec<ForwardingEvidence>,
    /// The neighbours it hears.
    pub neighbours: Vec<NeighbourEvidence>,
    /// The devices that its spanning tree and LACP tell of at the other end.
    #[serde(default)]
    pub facing: Vec<FacingEvidence>,
    /// The wireless stations that it controls, each with its VLAN where that is told.
    #[serde(default)]
    pub stations: Vec<StationEvidence>,
}

/// A wireless station, as its controller tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StationEvidence {
    /// Its address.
    pub mac: MacAddr,
    /// The VLAN that its frames come out in.
    pub vlan: Option<u16>,
}

/// What kind of port an interface is, as far as the inference cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortLink {
    /// A cable goes in, or it is not known.
    Wired,
    /// A radio, with stations behind it.
    Wireless,
    /// An aggregate of other ports.
    Aggregate,
    /// Neither: a VLAN interface, a loopback, a tunnel.
    Virtual,
}

/// A port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceEvidence {
    /// Its identity.
    pub id: InterfaceId,
    /// ifName.
    pub name: String,
    /// ifIndex, for those who read the export.
    pub if_index: u32,
    /// Its address.
    pub mac: Option<MacAddr>,
    /// What kind of port.
    pub kind: PortLink,
    /// ifOperStatus: whether it is up; `None` when the device does not say.
    pub up: Option<bool>,
    /// The aggregate that it is a member of (IEEE8023-LAG-MIB).
    pub aggregate: Option<InterfaceId>,
    /// Whom an aggregate is bundled with, as LACP tells: the partner's system identifier and its key there
    /// (dot3adAggPartnerSystemID, dot3adAggPartnerOperKey), which name one aggregate. Ports of two devices that have the
    /// same partner are one to it.
    #[serde(default)]
    pub partner: Option<String>,
}

/// A row of a forwarding table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForwardingEvidence {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN; `None` where the table does not say (BRIDGE-MIB): it may then be any.
    pub vlan: Option<u16>,
    /// The port; `None` where the bridge port did not resolve.
    pub interface: Option<InterfaceId>,
    /// Whether the row was learned from traffic; other rows do not tell where anything is.
    pub learned: bool,
}

/// A neighbour heard by LLDP or CDP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighbourEvidence {
    /// The port on which it was heard.
    pub interface: InterfaceId,
    /// The managed device that it is, where that is known.
    pub device: Option<DeviceId>,
    /// Its port, where that is known.
    pub remote_interface: Option<InterfaceId>,
    /// Its chassis id as text. One that is a device's own MAC address names that device.
    pub chassis_id: String,
    /// The managed device that it says it is, where that alone proves nothing: it counts only beside what others hear.
    #[serde(default)]
    pub claims: Option<DeviceId>,
    /// The address of a telephone that it says it is.
    #[serde(default)]
    pub phone: Option<MacAddr>,
}

/// Which protocol tells of the device at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacingSource {
    /// The spanning tree: it is the designated bridge of the segment (dot1dStpPortDesignatedBridge).
    Stp,
    /// LACP: it is the partner (dot3adAggPortPartnerOperSystemID).
    Lacp,
}

/// A managed device that a protocol between switches tells of at the other end of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FacingEvidence {
    /// The port.
    pub interface: InterfaceId,
    /// The device.
    pub device: DeviceId,
    /// Its port, where that is known.
    pub far_interface: Option<InterfaceId>,
    /// Which protocol.
    pub source: FacingSource,
}
