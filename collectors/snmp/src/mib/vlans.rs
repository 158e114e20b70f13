//! VLANs and their ports: dot1qVlanCurrentTable, dot1qVlanStaticTable and dot1qPortVlanTable of Q-BRIDGE-MIB (RFC 4363),
//! and where a device has none of these, what `cisco_vlans.rs` reads.
//!
//! Invariant: a VLAN is given once. What is in force (the current table) goes before what is configured (the static
//! table), which has the names. Sets of ports are given as interfaces: a bit of a PortList (RFC 4363, section 5) is a
//! bridge port, and one that leads to no interface is counted and left out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, TableError, TableProblem},
    mib::{
        Polled, ReadTable, Reading,
        bridge::BridgePorts,
        cell,
        columns::columns,
        interfaces::InterfaceIndex,
        q_bridge::{VLAN_TABLE, vlan_of_index},
    },
    value::Value,
};

pub(crate) const STATIC_TABLE: &str = "dot1qVlanStaticTable";
pub(crate) const PORT_TABLE: &str = "dot1qPortVlanTable";

columns!(CURRENT: [1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1] {
    CURRENT_FDB_ID = 3 "dot1qVlanFdbId",
    CURRENT_EGRESS = 4 "dot1qVlanCurrentEgressPorts",
    CURRENT_UNTAGGED = 5 "dot1qVlanCurrentUntaggedPorts",
});

columns!(STATIC: [1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 3, 1] {
    STATIC_NAME = 1 "dot1qVlanStaticName",
    STATIC_EGRESS = 2 "dot1qVlanStaticEgressPorts",
    STATIC_UNTAGGED = 4 "dot1qVlanStaticUntaggedPorts",
});

columns!(PORTS: [1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 5, 1] { PVID = 1 "dot1qPvid" });

/// A VLAN and the interfaces that carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vlan {
    /// The VLAN identifier.
    pub vlan: u16,
    /// What an administrator called it.
    pub name: Reading<String>,
    /// dot1qVlanFdbId.
    pub fdb_id: Reading<u64>,
    /// The ifIndexes of the interfaces that send frames of the VLAN, in order.
    pub egress_if_indexes: Vec<u32>,
    /// The ifIndexes of those that send them untagged, in order.
    pub untagged_if_indexes: Vec<u32>,
    /// The table that told of the ports.
    pub source: &'static str,
}

/// The VLAN that an interface puts untagged frames in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortVlan {
    /// The interface.
    pub if_index: u32,
    /// The interface's name.
    pub interface: Option<String>,
    /// dot1qPvid.
    pub pvid: u16,
    /// The table that told of it.
    pub source: &'static str,
}

/// The tables that VLANs are read from.
pub(crate) struct VlanTables<'a> {
    pub(crate) current: &'a ReadTable,
    pub(crate) fixed: &'a ReadTable,
    pub(crate) ports: &'a BridgePorts,
    pub(crate) interfaces: &'a InterfaceIndex,
}

/// Returns the VLANs of both tables.
pub(crate) fn vlans(tables: &VlanTables<'_>) -> Polled<Vlan> {
    let mut polled = Polled::default();
    polled.note(VLAN_TABLE, tables.current);
    polled.note(STATIC_TABLE, tables.fixed);
    let mut found: BTreeMap<u16, Vlan> = BTreeMap::new();
    for (table, read) in [(VLAN_TABLE, tables.current), (STATIC_TABLE, tables.fixed)] {
        let mut unknown = 0;
        for (index, row) in read.rows() {
            match vlan_of_row(table, index) {
                Ok(vlan) if table == VLAN_TABLE => {
                    // A later row of the same VLAN has a later time mark, and so the newer sets.
                    found.insert(vlan, current(vlan, row, tables, &mut unknown));
                }
                Ok(vlan) => {
                    let name = Reading::text(cell(row, STATIC_NAME));
                    match found.get_mut(&vlan) {
                        Some(known) => known.name = name,
                        None => drop(found.insert(vlan, fixed(vlan, name, row, tables, &mut unknown))),
                    }
                }
                Err(reason) => polled.dropped.push(DroppedRow::new(table, index, reason)),
            }
        }
        if unknown > 0 {
            let error = TableProblem::VlanPortsUnknown;
            polled.errors.push(TableError { table, column: None, error, rows: Some(unknown), detail: None });
        }
    }
    polled.rows = found.into_values().collect();
    polled
}

/// Returns the VLANs of untagged frames, port by port.
pub(crate) fn port_vlans(read: &ReadTable, ports: &BridgePorts, interfaces: &InterfaceIndex) -> Polled<PortVlan> {
    let mut polled = Polled::default();
    polled.note(PORT_TABLE, read);
    for (index, row) in read.rows() {
        let port = <[u32; 1]>::try_from(index).map_err(|_| DropReason::InvalidIndexLength);
        let located = port.and_then(|[port]| ports.if_index(port, interfaces).ok_or(DropReason::BridgePortUnknown));
        let decoded = located.and_then(|if_index| {
            let pvid =
                cell(row, PVID).and_then(Value::unsigned).and_then(vlan_number).ok_or(DropReason::InvalidVlan)?;
            let label = interfaces.get(if_index).ok_or(DropReason::InterfaceUnknown)?;
            Ok(PortVlan { if_index, interface: label.name.map(str::to_owned), pvid, source: PORT_TABLE })
        });
        match decoded {
            Ok(row) => polled.rows.push(row),
            Err(reason) => polled.dropped.push(DroppedRow::new(PORT_TABLE, index, reason)),
        }
    }
    polled
}

/// Returns a number that a VLAN can have.
pub(crate) fn vlan_number(number: u64) -> Option<u16> {
    u32::try_from(number).ok().and_then(|number| vlan_of_index(&[number]))
}

/// Returns the places of the bits that are set, the first being 0: the highest bit of the first byte.
pub(crate) fn bits(octets: &[u8]) -> impl Iterator<Item = u32> + '_ {
    octets.iter().zip(0u32..).flat_map(|(octet, byte)| {
        (0u32..8).filter(move |bit| octet & (0x80 >> bit) != 0).map(move |bit| byte * 8 + bit)
    })
}

fn vlan_of_row(table: &'static str, index: &[u32]) -> Result<u16, DropReason> {
    let longest = if table == VLAN_TABLE { 2 } else { 1 };
    if index.is_empty() || index.len() > longest {
        return Err(DropReason::InvalidIndexLength);
    }
    vlan_of_index(index).ok_or(DropReason::InvalidVlan)
}

fn current(vlan: u16, row: &[Option<Value>], tables: &VlanTables<'_>, unknown: &mut usize) -> Vlan {
    Vlan {
        vlan,
        name: Reading::Missing,
        fdb_id: Reading::number(cell(row, CURRENT_FDB_ID)),
        egress_if_indexes: members(cell(row, CURRENT_EGRESS), tables, unknown),
        untagged_if_indexes: members(cell(row, CURRENT_UNTAGGED), tables, unknown),
        source: VLAN_TABLE,
    }
}

fn fixed(
    vlan: u16,
    name: Reading<String>,
    row: &[Option<Value>],
    tables: &VlanTables<'_>,
    unknown: &mut usize,
) -> Vlan {
    Vlan {
        vlan,
        name,
        fdb_id: Reading::Missing,
        egress_if_indexes: members(cell(row, STATIC_EGRESS), tables, unknown),
        untagged_if_indexes: members(cell(row, STATIC_UNTAGGED), tables, unknown),
        source: STATIC_TABLE,
    }
}

/// Returns the interfaces of a PortList: its first bit is bridge port 1.
fn members(cell: Option<&Value>, tables: &VlanTables<'_>, unknown: &mut usize) -> Vec<u32> {
    let octets = cell.and_then(Value::octets).unwrap_or_default();
    let mut interfaces = Vec::new();
    for bit in bits(octets) {
        let if_index = tables.ports.if_index(bit + 1, tables.interfaces);
        match if_index.filter(|if_index| tables.interfaces.get(*if_index).is_some()) {
            Some(if_index) => interfaces.push(if_index),
            None => *unknown += 1,
        }
    }
    interfaces.sort_unstable();
    interfaces.dedup();
    interfaces
}

#[cfg(test)]
mod tests;
