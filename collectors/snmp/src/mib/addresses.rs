//! Which address is at which card: ipNetToMediaTable (RFC 4293, deprecated and everywhere) and ipNetToPhysicalTable
//! (RFC 4293, IPv6 and zones too).
//!
//! Invariant: a row is kept when it names an IP address and a MAC address that a card can have.

use std::{collections::BTreeSet, net::IpAddr};

use onenet_topology::MacAddr;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, stable_words},
    index::{IndexReader, ZonedAddress, mac_of},
    mib::{Polled, ReadTable, cell, columns::columns, interfaces::InterfaceIndex},
    value::Value,
};

pub(crate) const MEDIA_TABLE: &str = "ipNetToMediaTable";
pub(crate) const PHYSICAL_TABLE: &str = "ipNetToPhysicalTable";

columns!(MEDIA: [1, 3, 6, 1, 2, 1, 4, 22, 1] {
    MEDIA_PHYS_ADDRESS = 2 "ipNetToMediaPhysAddress",
    MEDIA_TYPE = 4 "ipNetToMediaType",
});

columns!(PHYSICAL: [1, 3, 6, 1, 2, 1, 4, 35, 1] {
    PHYSICAL_ADDRESS = 4 "ipNetToPhysicalPhysAddress",
    PHYSICAL_TYPE = 6 "ipNetToPhysicalType",
    PHYSICAL_STATE = 7 "ipNetToPhysicalState",
});

/// A row of an address resolution table (ARP, neighbour discovery). `Name` is how it has the interface's name: borrowed where
/// rows come by the thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AddressRow<Name = String> {
    /// The IP address.
    pub ip: IpAddr,
    /// The zone of a zoned address (RFC 4007), usually an ifIndex.
    pub zone: Option<u32>,
    /// The MAC address.
    pub mac: MacAddr,
    /// The interface it was resolved on.
    pub if_index: u32,
    /// The interface's name, where ifTable has it.
    pub interface: Option<Name>,
    /// How the row came to be; `None` when the device does not tell.
    #[serde(rename = "type")]
    pub kind: Option<MappingType>,
}

impl AddressRow<&str> {
    /// Returns the row with a name of its own.
    pub fn into_owned(self) -> AddressRow {
        let Self { ip, zone, mac, if_index, interface, kind } = self;
        AddressRow { ip, zone, mac, if_index, interface: interface.map(str::to_owned), kind }
    }
}

impl AddressRow {
    /// Returns the row with a borrowed name.
    pub fn borrowed(&self) -> AddressRow<&str> {
        let Self { ip, zone, mac, if_index, ref interface, kind } = *self;
        AddressRow { ip, zone, mac, if_index, interface: interface.as_deref(), kind }
    }
}

/// The tables that addresses are told by, as read.
#[derive(Debug)]
pub struct AddressTables {
    pub(crate) physical: ReadTable,
    pub(crate) media: ReadTable,
}

impl AddressTables {
    /// Returns the rows, named by `interfaces`.
    pub fn resolve(&self, interfaces: &InterfaceIndex) -> Polled<AddressRow> {
        self.resolve_borrowed(interfaces).map(AddressRow::into_owned)
    }

    /// Returns what [`resolve`](Self::resolve) does, with the names that `interfaces` has.
    pub fn resolve_borrowed<'a>(&self, interfaces: &'a InterfaceIndex) -> Polled<AddressRow<&'a str>> {
        addresses(&self.physical, &self.media, interfaces)
    }
}

stable_words! {
    /// How a mapping came to be (ipNetToPhysicalType).
    MappingType {
        /// None of the others.
        Other = "other",
        /// Resolved by ARP or neighbour discovery.
        Dynamic = "dynamic",
        /// Configured.
        Static = "static",
        /// The device's own address.
        Local = "local",
    }
}

/// Returns the mappings of both tables. A row of ipNetToMediaTable that repeats one of ipNetToPhysicalTable is
/// dropped.
fn addresses<'a>(
    physical: &ReadTable,
    media: &ReadTable,
    interfaces: &'a InterfaceIndex,
) -> Polled<AddressRow<&'a str>> {
    let mut polled = Polled::default();
    polled.rows.reserve(physical.len() + media.len());
    polled.note(PHYSICAL_TABLE, physical);
    polled.note(MEDIA_TABLE, media);
    let mut known: BTreeSet<(u32, IpAddr, MacAddr)> = BTreeSet::new();
    for (index, row) in physical.rows() {
        match physical_row(index, row) {
            Ok(row) => {
                known.insert((row.if_index, row.ip, row.mac));
                polled.rows.push(named(row, interfaces));
            }
            Err(reason) => polled.dropped.push(DroppedRow::new(PHYSICAL_TABLE, index, reason)),
        }
    }
    for (index, row) in media.rows() {
        match media_row(index, row) {
            Ok(row) if !known.contains(&(row.if_index, row.ip, row.mac)) => polled.rows.push(named(row, interfaces)),
            Ok(_) => polled.dropped.push(DroppedRow::new(MEDIA_TABLE, index, DropReason::AlsoInIpNetToPhysical)),
            Err(reason) => polled.dropped.push(DroppedRow::new(MEDIA_TABLE, index, reason)),
        }
    }
    polled
}

/// Decodes the index of ipNetToMediaTable: an ifIndex and an IPv4 address.
///
/// # Errors
///
/// The index is something else.
pub fn media_index(index: &[u32]) -> Result<(u32, ZonedAddress), DropReason> {
    let mut reader = IndexReader::new(index);
    let if_index = reader.number()?;
    let ip = IpAddr::V4(reader.ipv4()?);
    reader.end().map(|()| (if_index, ZonedAddress { ip, zone: None }))
}

/// Decodes the index of ipNetToPhysicalTable: an ifIndex, an address type, and an address with its length.
///
/// # Errors
///
/// The index is something else.
pub fn physical_index(index: &[u32]) -> Result<(u32, ZonedAddress), DropReason> {
    let mut reader = IndexReader::new(index);
    let if_index = reader.number()?;
    let address = reader.inet_address()?;
    reader.end().map(|()| (if_index, address))
}

fn media_row(index: &[u32], row: &[Option<Value>]) -> Result<AddressRow<&'static str>, DropReason> {
    let (if_index, address) = media_index(index)?;
    let mac = card(cell(row, MEDIA_PHYS_ADDRESS))?;
    let kind = mapping_type(cell(row, MEDIA_TYPE))?;
    Ok(AddressRow { ip: address.ip, zone: address.zone, mac, if_index, interface: None, kind })
}

fn physical_row(index: &[u32], row: &[Option<Value>]) -> Result<AddressRow<&'static str>, DropReason> {
    let (if_index, address) = physical_index(index)?;
    let mac = card(cell(row, PHYSICAL_ADDRESS));
    match cell(row, PHYSICAL_STATE).and_then(Value::unsigned) {
        Some(5) => return Err(DropReason::MappingInvalid),
        Some(7) => return Err(DropReason::MappingIncomplete),
        _ => {}
    }
    let kind = mapping_type(cell(row, PHYSICAL_TYPE))?;
    Ok(AddressRow { ip: address.ip, zone: address.zone, mac: mac?, if_index, interface: None, kind })
}

/// Returns the type, which has the same numbers in both tables: other(1), invalid(2), dynamic(3), static(4), local(5).
fn mapping_type(cell: Option<&Value>) -> Result<Option<MappingType>, DropReason> {
    match cell.and_then(Value::unsigned) {
        Some(2) => Err(DropReason::MappingInvalid),
        Some(3) => Ok(Some(MappingType::Dynamic)),
        Some(4) => Ok(Some(MappingType::Static)),
        Some(5) => Ok(Some(MappingType::Local)),
        Some(_) => Ok(Some(MappingType::Other)),
        None => Ok(None),
    }
}

fn card(cell: Option<&Value>) -> Result<MacAddr, DropReason> {
    let octets = cell.and_then(Value::octets).filter(|octets| !octets.is_empty()).ok_or(DropReason::MacMissing)?;
    let mac = mac_of(octets).ok_or(DropReason::InvalidMacLength)?;
    match mac {
        MacAddr::ZERO => Err(DropReason::ZeroMac),
        mac if mac.is_multicast() => Err(DropReason::MulticastMac),
        mac => Ok(mac),
    }
}

fn named<'a>(row: AddressRow<&'a str>, interfaces: &'a InterfaceIndex) -> AddressRow<&'a str> {
    AddressRow { interface: interfaces.name(row.if_index), ..row }
}

#[cfg(test)]
mod tests;
