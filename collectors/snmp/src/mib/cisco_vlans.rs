//! VLANs of Cisco's switches, which have no Q-BRIDGE-MIB: vtpVlanTable and vlanTrunkPortTable (CISCO-VTP-MIB), vmMembershipTable
//! (CISCO-VLAN-MEMBERSHIP-MIB).
//!
//! Invariant: read only where Q-BRIDGE-MIB tells of no VLAN. A port that trunks carries the VLANs that it is enabled for
//! and its native one untagged; any other port of vmMembershipTable carries its one VLAN untagged. Here a port is named
//! by its ifIndex. VLANs of other media than Ethernet (1002 to 1005) are dropped.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    dropped::{DropReason, DroppedRow},
    mib::{
        Polled, ReadTable, Reading, cell,
        columns::columns,
        interfaces::InterfaceIndex,
        vlans::{PortVlan, Vlan, bits, vlan_number},
    },
    value::Value,
};

pub(crate) const VTP_TABLE: &str = "vtpVlanTable";
pub(crate) const MEMBER_TABLE: &str = "vmMembershipTable";
pub(crate) const TRUNK_TABLE: &str = "vlanTrunkPortTable";

columns!(VTP: [1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1] {
    VTP_STATE = 2 "vtpVlanState",
    VTP_TYPE = 3 "vtpVlanType",
    VTP_NAME = 4 "vtpVlanName",
});

columns!(MEMBERS: [1, 3, 6, 1, 4, 1, 9, 9, 68, 1, 2, 2, 1] { MEMBER_VLAN = 2 "vmVlan" });

columns!(TRUNKS: [1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 6, 1, 1] {
    TRUNK_VLANS = 4 "vlanTrunkPortVlansEnabled",
    TRUNK_NATIVE = 5 "vlanTrunkPortNativeVlan",
    TRUNK_STATUS = 14 "vlanTrunkPortDynamicStatus",
    TRUNK_VLANS_2K = 17 "vlanTrunkPortVlansEnabled2k",
    TRUNK_VLANS_3K = 18 "vlanTrunkPortVlansEnabled3k",
    TRUNK_VLANS_4K = 19 "vlanTrunkPortVlansEnabled4k",
});

const OPERATIONAL: u64 = 1;
const ETHERNET: u64 = 1;
const TRUNKING: u64 = 1;

/// The tables that Cisco's VLANs are read from.
pub(crate) struct CiscoTables<'a> {
    pub(crate) vtp: &'a ReadTable,
    pub(crate) members: &'a ReadTable,
    pub(crate) trunks: &'a ReadTable,
    pub(crate) interfaces: &'a InterfaceIndex,
}

/// Which VLANs a port carries.
struct Port {
    native: Option<u16>,
    tagged: BTreeSet<u16>,
    source: &'static str,
}

/// Returns the VLANs and the VLAN of each port's untagged frames.
pub(crate) fn vlans(tables: &CiscoTables<'_>) -> (Polled<Vlan>, Polled<PortVlan>) {
    let (mut vlans, mut port_vlans) = (Polled::default(), Polled::default());
    vlans.note(VTP_TABLE, tables.vtp);
    port_vlans.note(MEMBER_TABLE, tables.members);
    port_vlans.note(TRUNK_TABLE, tables.trunks);
    let mut found: BTreeMap<u16, Vlan> = BTreeMap::new();
    for (index, row) in tables.vtp.rows() {
        match vtp_row(index, row) {
            Ok(vlan) => drop(found.insert(vlan.vlan, vlan)),
            Err(reason) => vlans.dropped.push(DroppedRow::new(VTP_TABLE, index, reason)),
        }
    }
    for (if_index, port) in ports(tables, &mut port_vlans.dropped) {
        for (vlan, known) in &mut found {
            if port.native == Some(*vlan) {
                known.untagged_if_indexes.push(if_index);
            }
            if port.native == Some(*vlan) || port.tagged.contains(vlan) {
                known.egress_if_indexes.push(if_index);
            }
        }
        let interface = tables.interfaces.name(if_index).map(str::to_owned);
        port_vlans.rows.extend(port.native.map(|pvid| PortVlan { if_index, interface, pvid, source: port.source }));
    }
    vlans.rows = found.into_values().collect();
    (vlans, port_vlans)
}

/// Returns the VLANs that are in use, in order: each has a bridge, and a context, of its own.
pub(crate) fn operational(read: &ReadTable) -> Vec<u16> {
    let in_use = read.rows().filter(|(_, row)| cell(row, VTP_STATE).and_then(Value::unsigned) == Some(OPERATIONAL));
    let vlans: BTreeSet<u16> =
        in_use.filter_map(|(index, row)| vtp_row(index, row).ok()).map(|vlan| vlan.vlan).collect();
    vlans.into_iter().collect()
}

/// Decodes a row of vtpVlanTable, whose index is a management domain and a VLAN.
fn vtp_row(index: &[u32], row: &[Option<Value>]) -> Result<Vlan, DropReason> {
    let [_, vlan] = *index else { return Err(DropReason::InvalidIndexLength) };
    let vlan = vlan_number(u64::from(vlan)).ok_or(DropReason::InvalidVlan)?;
    if cell(row, VTP_TYPE).and_then(Value::unsigned).is_some_and(|kind| kind != ETHERNET) {
        return Err(DropReason::NotEthernet);
    }
    Ok(Vlan {
        vlan,
        name: Reading::text(cell(row, VTP_NAME)),
        fdb_id: Reading::Missing,
        egress_if_indexes: Vec::new(),
        untagged_if_indexes: Vec::new(),
        source: VTP_TABLE,
    })
}

/// Returns the ports by ifIndex. A row of a port that does not trunk now says nothing, and is no loss.
fn ports(tables: &CiscoTables<'_>, dropped: &mut Vec<DroppedRow>) -> BTreeMap<u32, Port> {
    let mut ports = BTreeMap::new();
    for (index, row) in tables.members.rows() {
        match located(index, tables.interfaces).and_then(|if_index| {
            let vlan = cell(row, MEMBER_VLAN).and_then(Value::unsigned).and_then(vlan_number);
            vlan.map(|vlan| (if_index, vlan)).ok_or(DropReason::InvalidVlan)
        }) {
            Ok((if_index, vlan)) => {
                ports.insert(if_index, Port { native: Some(vlan), tagged: BTreeSet::new(), source: MEMBER_TABLE });
            }
            Err(reason) => dropped.push(DroppedRow::new(MEMBER_TABLE, index, reason)),
        }
    }
    let trunking =
        tables.trunks.rows().filter(|(_, row)| cell(row, TRUNK_STATUS).and_then(Value::unsigned) == Some(TRUNKING));
    for (index, row) in trunking {
        match located(index, tables.interfaces) {
            Ok(if_index) => drop(ports.insert(if_index, trunk(row))),
            Err(reason) => dropped.push(DroppedRow::new(TRUNK_TABLE, index, reason)),
        }
    }
    ports
}

fn located(index: &[u32], interfaces: &InterfaceIndex) -> Result<u32, DropReason> {
    let [if_index] = *index else { return Err(DropReason::InvalidIndexLength) };
    interfaces.get(if_index).map(|label| label.if_index).ok_or(DropReason::InterfaceUnknown)
}

/// Returns a trunk. Each set of VLANs has the bits of 1,024 of them, the first being a multiple of that.
fn trunk(row: &[Option<Value>]) -> Port {
    let sets = [TRUNK_VLANS, TRUNK_VLANS_2K, TRUNK_VLANS_3K, TRUNK_VLANS_4K];
    let tagged = sets.iter().zip(0u32..).flat_map(|(place, set)| {
        let octets = cell(row, *place).and_then(Value::octets).unwrap_or_default();
        bits(octets).filter(|bit| *bit < 1_024).filter_map(move |bit| vlan_number(u64::from(set * 1_024 + bit)))
    });
    let native = cell(row, TRUNK_NATIVE).and_then(Value::unsigned).and_then(vlan_number);
    Port { native, tagged: tagged.collect(), source: TRUNK_TABLE }
}

#[cfg(test)]
mod tests;
