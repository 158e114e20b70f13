//! Neighbours by the LLDP-V2-MIB (IEEE 802.1AB-2016), for devices that have only that.
//!
//! Invariant: as in `lldp.rs`; but here a local port is an ifIndex, and a neighbour is known by the destination address that it
//! was heard at too, so that one neighbour may be there once for each of them.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    dropped::{DropReason, DroppedRow},
    index::{IndexReader, family_address},
    mib::{
        Polled, ReadTable,
        columns::columns,
        interfaces::InterfaceIndex,
        lldp::{self, Neighbour},
    },
    walk::Column,
};

pub(crate) const REMOTE_TABLE: &str = "lldpV2RemTable";
pub(crate) const ADDRESS_TABLE: &str = "lldpV2RemManAddrTable";

// The columns stand in the order of those of lldpRemTable, so that a row is read as one of that.
columns!(REMOTE: [1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1] {
    _CHASSIS_SUBTYPE = 5 "lldpV2RemChassisIdSubtype",
    _CHASSIS_ID = 6 "lldpV2RemChassisId",
    _PORT_SUBTYPE = 7 "lldpV2RemPortIdSubtype",
    _PORT_ID = 8 "lldpV2RemPortId",
    _PORT_DESC = 9 "lldpV2RemPortDesc",
    _SYS_NAME = 10 "lldpV2RemSysName",
    _SYS_DESC = 11 "lldpV2RemSysDesc",
    _CAPABILITIES = 13 "lldpV2RemSysCapEnabled",
});

/// As in `lldp.rs`, one column stands for all.
pub(crate) const ADDRESSES: [Column; 1] =
    [Column { name: "lldpV2RemManAddrIfSubtype", oid: &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 2, 1, 3] }];

/// The key of lldpV2RemTable: a time mark, an ifIndex, a destination address's number and a number the agent chose.
type RemoteKey = [u32; 4];

/// Returns the neighbours.
pub(crate) fn neighbours(remote: &ReadTable, addresses: &ReadTable, interfaces: &InterfaceIndex) -> Polled<Neighbour> {
    let mut polled = Polled::default();
    polled.note(REMOTE_TABLE, remote);
    polled.note(ADDRESS_TABLE, addresses);
    let mut found: BTreeMap<RemoteKey, Neighbour> = BTreeMap::new();
    for (index, row) in remote.rows() {
        let key = RemoteKey::try_from(index).map_err(|_| DropReason::InvalidIndexLength);
        match key.and_then(|key| lldp::neighbour(key[1], row).map(|neighbour| (key, neighbour))) {
            Ok((key, neighbour)) => {
                let label = interfaces.get(key[1]);
                let local_port = label.and_then(|label| label.name).map(str::to_owned);
                let if_index = label.map(|label| label.if_index);
                found.insert(key, Neighbour { local_port, if_index, ..neighbour });
            }
            Err(reason) => polled.dropped.push(DroppedRow::new(REMOTE_TABLE, index, reason)),
        }
    }
    for (index, _) in addresses.rows() {
        let attached = management_address(index).and_then(|(key, address)| {
            found.get_mut(&key).ok_or(DropReason::NeighbourUnknown)?.management_addresses.push(address);
            Ok(())
        });
        if let Err(reason) = attached {
            polled.dropped.push(DroppedRow::new(ADDRESS_TABLE, index, reason));
        }
    }
    polled.rows = found.into_values().collect();
    polled
}

/// Decodes the index of lldpV2RemManAddrTable: that of lldpV2RemTable, an address family, and an address with its length.
///
/// # Errors
///
/// The index is something else, or the address is not an IP address.
pub fn management_address(index: &[u32]) -> Result<([u32; 4], IpAddr), DropReason> {
    let mut reader = IndexReader::new(index);
    let key = [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
    let family = reader.number()?;
    let length = usize::try_from(reader.number()?).map_err(|_| DropReason::InvalidIndexLength)?;
    let octets = reader.octets(length)?;
    reader.end()?;
    let wrong = if matches!(family, 1 | 2) { DropReason::InvalidAddressLength } else { DropReason::UnknownAddressType };
    family_address(family, &octets).map(|address| (key, address)).ok_or(wrong)
}

#[cfg(test)]
mod tests;
