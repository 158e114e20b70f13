//! Which address is at which card, by tables beside the standard ones.
//!
//! Invariant: as for the standard tables, a row is kept when it names an IP address of its version and a MAC address that a card
//! can have; any other is told as dropped. Pure.

use onenet_topology::MacAddr;

use super::{
    Taken,
    sensors::Condition,
    stations::{Reach, address, mac},
    table::{Key, PartNames, Read, TableSpec},
};
use crate::{
    dropped::{DropReason, DroppedRow},
    mib::addresses::AddressRow,
};

/// A version of the Internet protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// How a profile reads the addresses of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AddressSource {
    pub(super) table: usize,
    /// Of which version its rows are: it is read where the standard tables have none of that.
    pub(super) version: IpVersion,
    pub(super) ip: Key,
    pub(super) mac: Reach,
    pub(super) interface: Key,
    pub(super) conditions: Vec<Condition>,
}

impl IpVersion {
    /// Returns the version that rows are of.
    pub(crate) fn of<Name>(row: &AddressRow<Name>) -> Self {
        if row.ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Takes the addresses of one source from what was read.
pub(super) fn addresses(
    source: &AddressSource,
    tables: &[TableSpec],
    read: &Read,
    names: &PartNames<'_>,
) -> Taken<AddressRow> {
    let (mut rows, mut dropped) = (Vec::new(), Vec::new());
    let Some(spec) = tables.get(source.table) else { return (rows, dropped) };
    for row in read.rows(tables, Some(source.table)) {
        if !source.conditions.iter().all(|condition| condition.holds(&row)) {
            continue;
        }
        let ip = row.octets(source.ip).and_then(|octets| address(&octets));
        let ip = ip.filter(|ip| ip.is_ipv4() == (source.version == IpVersion::V4));
        let made = ip.ok_or(DropReason::InvalidAddressLength).and_then(|ip| {
            let mac = card(source.mac.octets(&row))?;
            let if_index = row.number(source.interface).ok_or(DropReason::PortMissing)?;
            let interface = names.interfaces.name(if_index).map(str::to_owned);
            Ok(AddressRow { ip, zone: None, mac, if_index, interface, kind: None })
        });
        match made {
            Ok(made) => rows.push(made),
            Err(reason) => dropped.push(DroppedRow { table: spec.name, row: row.index_text(), reason }),
        }
    }
    (rows, dropped)
}

/// Returns the card's address that octets hold.
pub(super) fn card(octets: Option<Vec<u8>>) -> Result<MacAddr, DropReason> {
    let octets = octets.filter(|octets| !octets.is_empty()).ok_or(DropReason::MacMissing)?;
    match mac(&octets).ok_or(DropReason::InvalidMacLength)? {
        MacAddr::ZERO => Err(DropReason::ZeroMac),
        mac if mac.is_multicast() => Err(DropReason::MulticastMac),
        mac => Ok(mac),
    }
}
