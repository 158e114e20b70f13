//! What one device tells: the part of `inspect --json` that says where things are.
//!
//! Invariant: what is not read is not refused, and what is written here reads back as the same.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::lenient;
use crate::MacAddr;

/// What one device tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceTold {
    /// What the writer of the file calls it.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// What it is called.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub system: SystemTold,
    /// What tells it from another.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub identity: IdentityTold,
    /// Its bridge and spanning tree.
    #[serde(default)]
    pub bridge: Option<BridgeTold>,
    /// Its interfaces.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub interfaces: Vec<InterfaceRow>,
    /// Its forwarding tables.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub forwarding: Vec<ForwardingRow>,
    /// Its ARP and neighbour discovery tables.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub addresses: Vec<ArpRow>,
    /// The neighbours it hears by LLDP and CDP.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub neighbours: Vec<NeighbourRow>,
    /// The wireless stations that it controls.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::or_default")]
    pub stations: Vec<StationRow>,
    /// The VLANs and the interfaces that carry them.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub vlans: Vec<VlanRow>,
    /// The VLAN of each interface's untagged frames.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub port_vlans: Vec<PortVlanRow>,
    /// The members of aggregates, with whom LACP knows at the other end.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub lag_members: Vec<LagRow>,
    /// Its own IP addresses.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub own_addresses: Vec<OwnAddressRow>,
}

/// `system`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SystemTold {
    /// sysName.
    #[serde(default)]
    pub name: Option<String>,
}

/// `identity`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityTold {
    /// lldpLocChassisId as text.
    #[serde(default)]
    pub chassis_id: Option<String>,
}

/// `bridge`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BridgeTold {
    /// dot1dBaseBridgeAddress.
    #[serde(default)]
    pub address: Option<MacAddr>,
    /// The ports in the spanning tree.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub stp_ports: Vec<StpRow>,
}

/// A port in the spanning tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StpRow {
    /// The bridge port.
    #[serde(default)]
    pub bridge_port: Option<u32>,
    /// Its ifIndex.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// Its name.
    #[serde(default)]
    pub interface: Option<String>,
    /// dot1dStpPortState: `forwarding`, `blocking` and so on.
    #[serde(default)]
    pub state: Option<String>,
    /// dot1dStpPortDesignatedBridge.
    #[serde(default)]
    pub designated_bridge: Option<BridgeId>,
    /// dot1dStpPortDesignatedPort: a priority and the number of a bridge port there.
    #[serde(default)]
    pub designated_port: Option<u16>,
}

/// A bridge identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeId {
    /// The address.
    pub mac: MacAddr,
}

/// A row of `interfaces`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InterfaceRow {
    /// ifIndex.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// ifName.
    #[serde(default)]
    pub name: Option<String>,
    /// ifDescr.
    #[serde(default)]
    pub description: Option<String>,
    /// ifAlias.
    #[serde(default)]
    pub alias: Option<String>,
    /// ifType as its number.
    #[serde(default)]
    pub type_number: Option<u64>,
    /// ifPhysAddress.
    #[serde(default)]
    pub mac: Option<MacAddr>,
    /// ifOperStatus: `up`, `down` and so on.
    #[serde(default)]
    pub oper: Option<String>,
}

/// A row of `forwarding`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingRow {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN, where the table tells.
    #[serde(default, deserialize_with = "lenient::vlan")]
    pub vlan: Option<u16>,
    /// The bridge port.
    #[serde(default)]
    pub bridge_port: Option<u32>,
    /// Its ifIndex.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// Its name.
    #[serde(default)]
    pub interface: Option<String>,
    /// How the row came to be; a row without this key was learned, one with null is of a device that does not tell.
    #[serde(default = "learned")]
    pub status: Option<RowStatus>,
}

#[expect(clippy::unnecessary_wraps, reason = "it is the default of an optional field")]
const fn learned() -> Option<RowStatus> {
    Some(RowStatus::Learned)
}

/// How a forwarding row came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowStatus {
    /// None of the others.
    Other,
    /// It is in use no more.
    Invalid,
    /// Learned from a frame.
    Learned,
    /// An address of the device itself.
    #[serde(rename = "self")]
    Own,
    /// Configured.
    Mgmt,
}

/// A row of `addresses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArpRow {
    /// The IP address.
    pub ip: IpAddr,
    /// The MAC address.
    pub mac: MacAddr,
    /// The interface's name.
    #[serde(default)]
    pub interface: Option<String>,
    /// How the row came to be: `local` for the device's own address.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// A row of `neighbours`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NeighbourRow {
    /// `lldp` or `cdp`.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The name of the port at which it is heard.
    #[serde(default)]
    pub local_port: Option<String>,
    /// The ifIndex of that port.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// Its chassis: a MAC address or a text.
    #[serde(default)]
    pub chassis_id: Option<String>,
    /// Its port: a name or a MAC address.
    #[serde(default)]
    pub port_id: Option<String>,
    /// How it describes its port.
    #[serde(default)]
    pub port_description: Option<String>,
    /// Its sysName.
    #[serde(default)]
    pub system_name: Option<String>,
    /// Addresses at which it can be managed.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub management_addresses: Vec<IpAddr>,
    /// What it says it is: `telephone`, `bridge` and so on.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::or_default")]
    pub capabilities: Vec<String>,
}

/// A row of `stations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationRow {
    /// The station.
    pub mac: MacAddr,
    /// The access point's name.
    #[serde(default)]
    pub access_point: Option<String>,
    /// The network's name.
    #[serde(default)]
    pub ssid: Option<String>,
    /// The VLAN that its frames come out in.
    #[serde(default, deserialize_with = "lenient::vlan")]
    pub vlan: Option<u16>,
}

/// A row of `vlans`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VlanRow {
    /// The VLAN.
    pub vlan: u16,
    /// The ifIndexes of the interfaces that carry it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub egress_if_indexes: Vec<u32>,
}

/// A row of `port_vlans`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortVlanRow {
    /// The ifIndex.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// The interface's name.
    #[serde(default)]
    pub interface: Option<String>,
    /// The VLAN of its untagged frames.
    #[serde(default, deserialize_with = "lenient::vlan")]
    pub pvid: Option<u16>,
}

/// A row of `lag_members`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LagRow {
    /// The member's ifIndex.
    #[serde(default)]
    pub if_index: Option<u32>,
    /// The member's name.
    #[serde(default)]
    pub interface: Option<String>,
    /// The aggregate's ifIndex.
    #[serde(default)]
    pub aggregate_if_index: Option<u32>,
    /// The aggregate's name.
    #[serde(default)]
    pub aggregate: Option<String>,
    /// Whether the member is attached; one that is not carries nothing.
    #[serde(default)]
    pub attached: Option<bool>,
    /// The system at the other end, as LACP knows it.
    #[serde(default)]
    pub partner_system: Option<MacAddr>,
    /// The key of the aggregate there.
    #[serde(default)]
    pub partner_key: Option<u64>,
}

/// A row of `own_addresses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAddressRow {
    /// The address.
    pub ip: IpAddr,
}
