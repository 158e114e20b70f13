//! The addresses of the device itself: ipAddressTable (RFC 4293) and ipAddrTable (deprecated and everywhere).
//!
//! Invariant: an address is given once in its zone. What ipAddressTable leaves open, often the prefix, ipAddrTable may fill in.

use std::collections::BTreeMap;

use ipnetwork::IpNetwork;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow},
    index::{IndexReader, ZonedAddress},
    mib::{Polled, ReadTable, cell, columns::columns, interfaces::InterfaceIndex},
    value::Value,
};

pub(crate) const ADDRESS_TABLE: &str = "ipAddressTable";
pub(crate) const OLD_TABLE: &str = "ipAddrTable";

columns!(ADDRESSES: [1, 3, 6, 1, 2, 1, 4, 34, 1] {
    IF_INDEX = 3 "ipAddressIfIndex",
    TYPE = 4 "ipAddressType",
    PREFIX = 5 "ipAddressPrefix",
});

columns!(OLD: [1, 3, 6, 1, 2, 1, 4, 20, 1] {
    OLD_IF_INDEX = 2 "ipAdEntIfIndex",
    OLD_MASK = 3 "ipAdEntNetMask",
});

/// ipAddressPrefixOrigin, whose instances ipAddressPrefix points at. Their index ends with the prefix's length.
const PREFIX_ORIGIN: [u32; 10] = [1, 3, 6, 1, 2, 1, 4, 32, 1, 5];

/// IpAddressTC broadcast(3).
const BROADCAST: u64 = 3;

/// An address of the device itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnAddress {
    /// The address.
    pub ip: std::net::IpAddr,
    /// The zone of a zoned address (RFC 4007), usually an ifIndex.
    pub zone: Option<u32>,
    /// The length of its prefix in bits; `None` where the device does not tell.
    pub prefix_bits: Option<u8>,
    /// The interface that has it.
    pub if_index: u32,
    /// The interface's name, where ifTable has it.
    pub interface: Option<String>,
    /// The table that told of it.
    pub source: &'static str,
}

impl OwnAddress {
    /// Returns the prefix that the address is in.
    pub fn prefix(&self) -> Option<IpNetwork> {
        let network = IpNetwork::new(self.ip, self.prefix_bits?).ok()?;
        IpNetwork::new(network.network(), network.prefix()).ok()
    }
}

/// Returns the device's addresses.
pub(crate) fn own_addresses(addresses: &ReadTable, old: &ReadTable, interfaces: &InterfaceIndex) -> Polled<OwnAddress> {
    let mut polled = Polled::default();
    polled.note(ADDRESS_TABLE, addresses);
    polled.note(OLD_TABLE, old);
    let mut found: BTreeMap<ZonedAddress, OwnAddress> = BTreeMap::new();
    for (table, read) in [(ADDRESS_TABLE, addresses), (OLD_TABLE, old)] {
        for (index, row) in read.rows() {
            let decoded = if table == ADDRESS_TABLE { decode(index, row) } else { decode_old(index, row) };
            match decoded {
                Ok(mut own) => {
                    own.interface = interfaces.name(own.if_index).map(str::to_owned);
                    let key = ZonedAddress { ip: own.ip, zone: own.zone };
                    let bits = own.prefix_bits;
                    let known = found.entry(key).or_insert(own);
                    known.prefix_bits = known.prefix_bits.or(bits);
                }
                Err(reason) => polled.dropped.push(DroppedRow::new(table, index, reason)),
            }
        }
    }
    polled.rows = found.into_values().collect();
    polled
}

fn decode(index: &[u32], row: &[Option<Value>]) -> Result<OwnAddress, DropReason> {
    let mut reader = IndexReader::new(index);
    let address = reader.inet_address()?;
    reader.end()?;
    if cell(row, TYPE).and_then(Value::unsigned) == Some(BROADCAST) {
        return Err(DropReason::NotUnicast);
    }
    let prefix_bits = cell(row, PREFIX).and_then(Value::object_id).and_then(|pointer| {
        let index = pointer.below(&PREFIX_ORIGIN)?;
        index.last().and_then(|bits| u8::try_from(*bits).ok())
    });
    Ok(OwnAddress {
        ip: address.ip,
        zone: address.zone,
        prefix_bits: prefix_bits.filter(|bits| *bits <= bits_of(address.ip)),
        if_index: if_index(cell(row, IF_INDEX))?,
        interface: None,
        source: ADDRESS_TABLE,
    })
}

fn decode_old(index: &[u32], row: &[Option<Value>]) -> Result<OwnAddress, DropReason> {
    let mut reader = IndexReader::new(index);
    let ip = reader.ipv4()?;
    reader.end()?;
    let prefix_bits = cell(row, OLD_MASK).and_then(Value::ipv4).and_then(|mask| mask_bits(u32::from(mask)));
    let if_index = if_index(cell(row, OLD_IF_INDEX))?;
    Ok(OwnAddress { ip: ip.into(), zone: None, prefix_bits, if_index, interface: None, source: OLD_TABLE })
}

fn if_index(cell: Option<&Value>) -> Result<u32, DropReason> {
    let number = cell.and_then(Value::unsigned).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number != 0).ok_or(DropReason::PortMissing)
}

/// Returns how many bits a mask has; `None` when they are not at its beginning. A mask of zeros is what agents send for
/// an address without one.
pub(crate) fn mask_bits(mask: u32) -> Option<u8> {
    let bits = mask.leading_ones();
    let whole = bits + mask.trailing_zeros().min(32 - bits) == 32;
    u8::try_from(bits).ok().filter(|_| whole && bits > 0)
}

/// Returns how many bits an address has.
pub(crate) fn bits_of(ip: std::net::IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests;
