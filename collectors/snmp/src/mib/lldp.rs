//! Neighbours: LLDP-MIB (IEEE 802.1AB-2005).
//!
//! Invariant: a neighbour is kept when it names its chassis. Its local port is an LldpPortNumber, which is resolved
//! to an interface by what lldpLocPortTable calls it, then as a bridge port or ifIndex, and left open when neither
//! fits.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, stable_words},
    index::{IndexReader, family_address, mac_of},
    mib::{
        Polled, ReadTable, Reading,
        bridge::BridgePorts,
        cell,
        columns::columns,
        interfaces::{InterfaceIndex, KnownInterface},
    },
    text::{looks_like_text, text_of},
    value::Value,
    walk::Column,
};

pub(crate) const LOCAL_TABLE: &str = "lldpLocPortTable";
pub(crate) const REMOTE_TABLE: &str = "lldpRemTable";
pub(crate) const ADDRESS_TABLE: &str = "lldpRemManAddrTable";

columns!(LOCAL: [1, 0, 8802, 1, 1, 2, 1, 3, 7, 1] {
    LOCAL_SUBTYPE = 2 "lldpLocPortIdSubtype",
    LOCAL_ID = 3 "lldpLocPortId",
    LOCAL_DESC = 4 "lldpLocPortDesc",
});

columns!(REMOTE: [1, 0, 8802, 1, 1, 2, 1, 4, 1, 1] {
    CHASSIS_SUBTYPE = 4 "lldpRemChassisIdSubtype",
    CHASSIS_ID = 5 "lldpRemChassisId",
    PORT_SUBTYPE = 6 "lldpRemPortIdSubtype",
    PORT_ID = 7 "lldpRemPortId",
    PORT_DESC = 8 "lldpRemPortDesc",
    SYS_NAME = 9 "lldpRemSysName",
    SYS_DESC = 10 "lldpRemSysDesc",
    CAPABILITIES = 12 "lldpRemSysCapEnabled",
});

/// Every column of lldpRemManAddrTable that can be read repeats or qualifies its index: one of them is enough.
pub(crate) const ADDRESSES: [Column; 1] =
    [Column { name: "lldpRemManAddrIfSubtype", oid: &[1, 0, 8802, 1, 1, 2, 1, 4, 2, 1, 3] }];

const CAPABILITY_WORDS: [&str; 8] =
    ["other", "repeater", "bridge", "wlan_access_point", "router", "telephone", "docsis_cable_device", "station_only"];

/// A neighbour at the other end of a cable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// The protocol that told of it: `lldp` or `cdp`.
    pub protocol: &'static str,
    /// The local interface's name; what the device calls the port where it is not known as an interface.
    pub local_port: Option<String>,
    /// The local interface, where the port could be resolved to one.
    pub if_index: Option<u32>,
    /// The LldpPortNumber; the ifIndex where the LLDP-V2-MIB or CDP told of it.
    pub local_port_number: u32,
    /// What kind of identifier `chassis_id` is.
    pub chassis_id_type: Option<ChassisIdType>,
    /// The neighbour's chassis: a MAC address, an IP address or a text.
    pub chassis_id: String,
    /// What kind of identifier `port_id` is.
    pub port_id_type: Option<PortIdType>,
    /// The neighbour's port: a MAC address, an IP address or a text.
    pub port_id: Reading<String>,
    /// How the neighbour describes its port.
    pub port_description: Reading<String>,
    /// The neighbour's sysName.
    pub system_name: Reading<String>,
    /// The neighbour's sysDescr.
    pub system_description: Reading<String>,
    /// The neighbour's model, which only CDP tells.
    pub platform: Reading<String>,
    /// What the neighbour does.
    pub capabilities: Reading<Vec<&'static str>>,
    /// Addresses at which the neighbour can be managed, in order.
    pub management_addresses: Vec<IpAddr>,
}

stable_words! {
    /// LldpChassisIdSubtype.
    ChassisIdType {
        /// entPhysicalAlias of a chassis.
        ChassisComponent = "chassis_component",
        /// ifAlias of an interface.
        InterfaceAlias = "interface_alias",
        /// entPhysicalAlias of a port or backplane.
        PortComponent = "port_component",
        /// A MAC address.
        MacAddress = "mac_address",
        /// A network address.
        NetworkAddress = "network_address",
        /// ifName of an interface.
        InterfaceName = "interface_name",
        /// Whatever the neighbour chose.
        Local = "local",
    }
}

stable_words! {
    /// LldpPortIdSubtype.
    PortIdType {
        /// ifAlias.
        InterfaceAlias = "interface_alias",
        /// entPhysicalAlias of a port or backplane.
        PortComponent = "port_component",
        /// A MAC address.
        MacAddress = "mac_address",
        /// A network address.
        NetworkAddress = "network_address",
        /// ifName.
        InterfaceName = "interface_name",
        /// A circuit of a relay agent (RFC 3046).
        AgentCircuitId = "agent_circuit_id",
        /// Whatever the neighbour chose.
        Local = "local",
    }
}

impl ChassisIdType {
    /// Returns the type of its number in the MIB.
    pub(crate) fn of(number: u64) -> Option<Self> {
        numbered(Self::ALL, number)
    }
}

impl PortIdType {
    /// Returns the type of its number in the MIB.
    fn of(number: u64) -> Option<Self> {
        numbered(Self::ALL, number)
    }
}

/// The tables that neighbours are read from.
pub(crate) struct LldpTables<'a> {
    pub(crate) local: &'a ReadTable,
    pub(crate) remote: &'a ReadTable,
    pub(crate) addresses: &'a ReadTable,
}

/// The key of lldpRemTable: a time mark, a local port and a number the agent chose.
type RemoteKey = [u32; 3];

/// Returns the neighbours.
pub(crate) fn neighbours(
    tables: &LldpTables<'_>,
    ports: &BridgePorts,
    interfaces: &InterfaceIndex,
) -> Polled<Neighbour> {
    let mut polled = Polled::default();
    polled.note(LOCAL_TABLE, tables.local);
    polled.note(REMOTE_TABLE, tables.remote);
    polled.note(ADDRESS_TABLE, tables.addresses);
    let mut found: BTreeMap<RemoteKey, Neighbour> = BTreeMap::new();
    for (index, row) in tables.remote.rows() {
        match remote(index, row) {
            Ok((key, neighbour)) => {
                let [_, port, _] = key;
                let local = tables.local.row(&[port]);
                found.insert(key, located(neighbour, local, ports, interfaces));
            }
            Err(reason) => polled.dropped.push(DroppedRow::new(REMOTE_TABLE, index, reason)),
        }
    }
    for (index, _) in tables.addresses.rows() {
        let attached = management_address(index).and_then(|(key, address)| {
            let neighbour = found.get_mut(&key).ok_or(DropReason::NeighbourUnknown)?;
            neighbour.management_addresses.push(address);
            Ok(())
        });
        if let Err(reason) = attached {
            polled.dropped.push(DroppedRow::new(ADDRESS_TABLE, index, reason));
        }
    }
    polled.rows = found.into_values().collect();
    polled
}

/// Decodes the index of lldpRemTable.
///
/// # Errors
///
/// The index is something else.
pub fn remote_index(index: &[u32]) -> Result<RemoteKey, DropReason> {
    index.try_into().map_err(|_| DropReason::InvalidIndexLength)
}

/// Decodes the index of lldpRemManAddrTable: that of lldpRemTable, an address family, and an address with its length.
///
/// # Errors
///
/// The index is something else, or the address is not an IP address.
pub fn management_address(index: &[u32]) -> Result<(RemoteKey, IpAddr), DropReason> {
    let mut reader = IndexReader::new(index);
    let key = [reader.number()?, reader.number()?, reader.number()?];
    let family = reader.number()?;
    let length = usize::try_from(reader.number()?).map_err(|_| DropReason::InvalidIndexLength)?;
    let octets = reader.octets(length)?;
    reader.end()?;
    let known = matches!(family, 1 | 2);
    let wrong = if known { DropReason::InvalidAddressLength } else { DropReason::UnknownAddressType };
    family_address(family, &octets).map(|address| (key, address)).ok_or(wrong)
}

fn remote(index: &[u32], row: &[Option<Value>]) -> Result<(RemoteKey, Neighbour), DropReason> {
    let key = remote_index(index)?;
    neighbour(key[1], row).map(|neighbour| (key, neighbour))
}

/// Returns the neighbour that a row of lldpRemTable tells of, at a local port that is not resolved yet.
pub(crate) fn neighbour(local_port_number: u32, row: &[Option<Value>]) -> Result<Neighbour, DropReason> {
    let chassis_id_type = cell(row, CHASSIS_SUBTYPE).and_then(Value::unsigned).and_then(ChassisIdType::of);
    let port_id_type = cell(row, PORT_SUBTYPE).and_then(Value::unsigned).and_then(PortIdType::of);
    let chassis = cell(row, CHASSIS_ID).and_then(Value::octets).filter(|octets| !octets.is_empty());
    let chassis_id = chassis_id(chassis.ok_or(DropReason::ChassisIdMissing)?, chassis_id_type);
    Ok(Neighbour {
        protocol: "lldp",
        local_port: None,
        if_index: None,
        local_port_number,
        chassis_id_type,
        chassis_id,
        port_id_type,
        port_id: Reading::of(cell(row, PORT_ID), |value| {
            value.octets().map(|octets| identified(octets, port_id_type.map(PortIdType::as_str)))
        }),
        port_description: Reading::text(cell(row, PORT_DESC)),
        system_name: Reading::text(cell(row, SYS_NAME)),
        system_description: Reading::text(cell(row, SYS_DESC)),
        platform: Reading::Missing,
        capabilities: Reading::of(cell(row, CAPABILITIES), |value| value.octets().map(capabilities)),
        management_addresses: Vec::new(),
    })
}

/// Returns a chassis id as text.
pub(crate) fn chassis_id(octets: &[u8], kind: Option<ChassisIdType>) -> String {
    identified(octets, kind.map(ChassisIdType::as_str))
}

/// Returns an identifier of a kind as text.
fn identified(octets: &[u8], kind: Option<&'static str>) -> String {
    match kind {
        Some("mac_address") => mac_of(octets).map_or_else(|| readable(octets), |mac| mac.to_string()),
        Some("network_address") => network_address(octets).unwrap_or_else(|| readable(octets)),
        _ => readable(octets),
    }
}

/// Tells where a neighbour's local port is.
fn located(
    neighbour: Neighbour,
    local: &[Option<Value>],
    ports: &BridgePorts,
    interfaces: &InterfaceIndex,
) -> Neighbour {
    let number = neighbour.local_port_number;
    let label = by_local_id(local, interfaces)
        .or_else(|| by_description(local, interfaces))
        .or_else(|| by_number(number, ports, interfaces));
    let called = cell(local, LOCAL_ID).and_then(Value::octets).map(readable).filter(|text| !text.is_empty());
    Neighbour {
        local_port: label.and_then(|label| label.name).map(str::to_owned).or(called),
        if_index: label.map(|label| label.if_index),
        ..neighbour
    }
}

/// Resolves a port by lldpLocPortId and its subtype (IEEE 802.1AB, table 9-3).
fn by_local_id<'a>(local: &[Option<Value>], interfaces: &'a InterfaceIndex) -> Option<KnownInterface<'a>> {
    let kind = cell(local, LOCAL_SUBTYPE).and_then(Value::unsigned).and_then(PortIdType::of)?;
    let octets = cell(local, LOCAL_ID)?.octets()?;
    let text = text_of(octets);
    let named = |known: &KnownInterface<'_>| [known.name, known.description].contains(&Some(&text));
    match kind {
        PortIdType::InterfaceName => interfaces.only(named),
        PortIdType::InterfaceAlias => {
            interfaces.only(|label| !text.is_empty() && label.alias == text).or_else(|| interfaces.only(named))
        }
        PortIdType::MacAddress => {
            let mac = mac_of(octets)?;
            interfaces.only(|label| label.mac == Some(mac))
        }
        PortIdType::Local => {
            interfaces.only(named).or_else(|| text.parse().ok().and_then(|if_index| interfaces.get(if_index)))
        }
        PortIdType::PortComponent | PortIdType::NetworkAddress | PortIdType::AgentCircuitId => None,
    }
}

/// Resolves a port by lldpLocPortDesc, which is to be the port's ifDescr.
fn by_description<'a>(local: &[Option<Value>], interfaces: &'a InterfaceIndex) -> Option<KnownInterface<'a>> {
    let text = cell(local, LOCAL_DESC).and_then(Value::octets).map(text_of).filter(|text| !text.is_empty())?;
    interfaces
        .only(|label| label.description == Some(&text))
        .or_else(|| interfaces.only(|label| label.name == Some(&text)))
        .or_else(|| interfaces.only(|label| !text.is_empty() && label.alias == text))
}

/// Resolves a port by its number, which on a bridge is the bridge port's, and on many others the ifIndex.
fn by_number<'a>(number: u32, ports: &BridgePorts, interfaces: &'a InterfaceIndex) -> Option<KnownInterface<'a>> {
    let bridge_port = ports.if_index(number, interfaces).and_then(|if_index| interfaces.get(if_index));
    bridge_port.or_else(|| interfaces.get(number))
}

fn numbered<T: Copy>(all: &[T], number: u64) -> Option<T> {
    usize::try_from(number).ok()?.checked_sub(1).and_then(|place| all.get(place)).copied()
}

/// Returns the address of an LldpChassisId or LldpPortId that holds one: an address family and the address.
fn network_address(octets: &[u8]) -> Option<String> {
    let (family, address) = octets.split_first()?;
    family_address(u32::from(*family), address).map(|address| address.to_string())
}

/// Returns octets as text when they are text, else as pairs of hexadecimal digits.
pub(crate) fn readable(octets: &[u8]) -> String {
    if looks_like_text(octets) {
        return text_of(octets);
    }
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(":")
}

/// Returns the words of the bits that are set; bit 0 is the highest of the first byte (RFC 3417, BITS).
fn capabilities(octets: &[u8]) -> Vec<&'static str> {
    let first = octets.first().copied().unwrap_or_default();
    let set = |place: usize| first & (0x80 >> place) != 0;
    CAPABILITY_WORDS.iter().enumerate().filter(|(place, _)| set(*place)).map(|(_, word)| *word).collect()
}

#[cfg(test)]
mod tests;
