//! Neighbours by Cisco's discovery protocol: cdpCacheTable (CISCO-CDP-MIB), which other makers' switches have too.
//!
//! Invariant: a neighbour is kept when it names itself. Its local port is an ifIndex: the first part of the row's index.

use std::net::IpAddr;

use crate::{
    dropped::{DropReason, DroppedRow},
    index::family_address,
    mib::{
        Polled, ReadTable, Reading, cell,
        columns::columns,
        interfaces::InterfaceIndex,
        lldp::{Neighbour, readable},
    },
    value::Value,
};

pub(crate) const CACHE_TABLE: &str = "cdpCacheTable";

columns!(CACHE: [1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1] {
    ADDRESS_TYPE = 3 "cdpCacheAddressType",
    ADDRESS = 4 "cdpCacheAddress",
    VERSION = 5 "cdpCacheVersion",
    DEVICE_ID = 6 "cdpCacheDeviceId",
    DEVICE_PORT = 7 "cdpCacheDevicePort",
    PLATFORM = 8 "cdpCachePlatform",
    CAPABILITIES = 9 "cdpCacheCapabilities",
    SYS_NAME = 17 "cdpCacheSysName",
});

/// What a bit of the capabilities stands for, the lowest first, in LLDP's words. Bits that LLDP has no word for (IGMP,
/// remotely managed, two-port MAC relay) are left out.
const CAPABILITY_BITS: [(u32, &str); 7] = [
    (0x01, "router"),
    (0x02, "bridge"),
    (0x04, "bridge"),
    (0x08, "bridge"),
    (0x10, "station_only"),
    (0x40, "repeater"),
    (0x80, "telephone"),
];

/// CiscoNetworkProtocol ip(1) and ipv6(20).
const IP: u64 = 1;
const IPV6: u64 = 20;

/// Returns the neighbours.
pub(crate) fn neighbours(read: &ReadTable, interfaces: &InterfaceIndex) -> Polled<Neighbour> {
    let mut polled = Polled::default();
    polled.note(CACHE_TABLE, read);
    for (index, row) in read.rows() {
        match neighbour(index, row, interfaces) {
            Ok(neighbour) => polled.rows.push(neighbour),
            Err(reason) => polled.dropped.push(DroppedRow::new(CACHE_TABLE, index, reason)),
        }
    }
    polled
}

fn neighbour(index: &[u32], row: &[Option<Value>], interfaces: &InterfaceIndex) -> Result<Neighbour, DropReason> {
    let [if_index, _] = *index else { return Err(DropReason::InvalidIndexLength) };
    let identifier = |place| Reading::of(cell(row, place), |value| value.octets().map(readable));
    let chassis_id = identifier(DEVICE_ID).filled().map(str::to_owned).ok_or(DropReason::ChassisIdMissing)?;
    let label = interfaces.get(if_index);
    let name = Reading::text(cell(row, SYS_NAME));
    Ok(Neighbour {
        protocol: "cdp",
        local_port: label.and_then(|label| label.name).map(str::to_owned),
        if_index: label.map(|label| label.if_index),
        local_port_number: if_index,
        chassis_id_type: None,
        chassis_id,
        port_id_type: None,
        port_id: identifier(DEVICE_PORT),
        port_description: Reading::Missing,
        system_name: if name.filled().is_some() { name } else { Reading::Missing },
        system_description: Reading::text(cell(row, VERSION)),
        platform: Reading::text(cell(row, PLATFORM)),
        capabilities: Reading::of(cell(row, CAPABILITIES), |value| value.octets().and_then(capabilities)),
        management_addresses: address(row).into_iter().collect(),
    })
}

fn address(row: &[Option<Value>]) -> Option<IpAddr> {
    let family = match cell(row, ADDRESS_TYPE).and_then(Value::unsigned)? {
        IP => 1,
        IPV6 => 2,
        _ => return None,
    };
    let address = family_address(family, cell(row, ADDRESS)?.octets()?)?;
    Some(address).filter(|address| !address.is_unspecified())
}

/// Returns the words of four bytes of capabilities; some agents send fewer, without the leading zeros.
fn capabilities(octets: &[u8]) -> Option<Vec<&'static str>> {
    if octets.is_empty() || octets.len() > 4 {
        return None;
    }
    let set = octets.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet));
    let mut words: Vec<_> = CAPABILITY_BITS.iter().filter(|(bit, _)| set & bit != 0).map(|(_, word)| *word).collect();
    words.dedup();
    Some(words)
}

#[cfg(test)]
mod tests;
