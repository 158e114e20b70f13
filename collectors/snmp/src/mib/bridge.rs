//! The bridge: BRIDGE-MIB (RFC 4188).
//!
//! Invariant: a forwarding row names an address and a bridge port; where the port leads is told by
//! dot1dBasePortIfIndex, and by nothing else unless the device has no dot1dBasePortTable at all.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::MacAddr;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, TableError, TableProblem, stable_words},
    index::{IndexReader, mac_of},
    mib::{
        Polled, ReadTable, Reading, cell,
        columns::columns,
        interfaces::InterfaceIndex,
        q_bridge::{Q_FDB_TABLE, VLAN_TABLE, VlanMap},
    },
    oid::Oid,
    value::{Value, VarBind},
};

pub(crate) const SCALARS_GROUP: &str = "dot1dBridge";
pub(crate) const BASE_PORT_TABLE: &str = "dot1dBasePortTable";
pub(crate) const STP_PORT_TABLE: &str = "dot1dStpPortTable";
pub(crate) const FDB_TABLE: &str = "dot1dTpFdbTable";

columns!(BASE_PORTS: [1, 3, 6, 1, 2, 1, 17, 1, 4, 1] { IF_INDEX = 2 "dot1dBasePortIfIndex" });

columns!(STP_PORTS: [1, 3, 6, 1, 2, 1, 17, 2, 15, 1] {
    STATE = 3 "dot1dStpPortState",
    PATH_COST = 5 "dot1dStpPortPathCost",
    DESIGNATED_ROOT = 6 "dot1dStpPortDesignatedRoot",
    DESIGNATED_BRIDGE = 8 "dot1dStpPortDesignatedBridge",
    DESIGNATED_PORT = 9 "dot1dStpPortDesignatedPort",
});

columns!(FDB: [1, 3, 6, 1, 2, 1, 17, 4, 3, 1] {
    FDB_PORT = 2 "dot1dTpFdbPort",
    FDB_STATUS = 3 "dot1dTpFdbStatus",
});

/// dot1dBaseBridgeAddress, dot1dStpPriority, dot1dStpTopChanges, dot1dStpDesignatedRoot, dot1dStpRootCost,
/// dot1dStpRootPort; below dot1dBridge.
const SCALARS: [[u32; 2]; 6] = [[1, 1], [2, 2], [2, 4], [2, 5], [2, 6], [2, 7]];

const STATES: [&str; 6] = ["disabled", "blocking", "listening", "learning", "forwarding", "broken"];

/// A row of a forwarding table. `Name` is how it has the interface's name: borrowed where rows come by the thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ForwardingRow<Name = String> {
    /// The address.
    pub mac: MacAddr,
    /// The VLAN, where the device tells it without doubt.
    pub vlan: Option<u16>,
    /// The filtering database (dot1qFdbId); `None` for a row of dot1dTpFdbTable.
    pub fdb_id: Option<u32>,
    /// The bridge port.
    pub bridge_port: u32,
    /// The bridge port's ifIndex.
    pub if_index: u32,
    /// The interface's name.
    pub interface: Option<Name>,
    /// How the row came to be; `None` when the device does not tell. Only `learned` rows tell where an endpoint is.
    pub status: Option<FdbStatus>,
}

impl ForwardingRow<&str> {
    /// Returns the row with a name of its own.
    pub fn into_owned(self) -> ForwardingRow {
        let Self { mac, vlan, fdb_id, bridge_port, if_index, interface, status } = self;
        ForwardingRow { mac, vlan, fdb_id, bridge_port, if_index, interface: interface.map(str::to_owned), status }
    }
}

stable_words! {
    /// How a forwarding row came to be (dot1dTpFdbStatus, dot1qTpFdbStatus).
    FdbStatus {
        /// None of the others.
        Other = "other",
        /// Learned from a frame, and in use.
        Learned = "learned",
        /// An address of the bridge itself.
        Own = "self",
        /// Configured by an administrator.
        Management = "mgmt",
    }
}

impl ForwardingRow {
    /// Returns the row with a borrowed name.
    pub fn borrowed(&self) -> ForwardingRow<&str> {
        let Self { mac, vlan, fdb_id, bridge_port, if_index, ref interface, status } = *self;
        ForwardingRow { mac, vlan, fdb_id, bridge_port, if_index, interface: interface.as_deref(), status }
    }
}

/// The bridge ports of a device: bridge port to ifIndex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgePorts {
    ports: BTreeMap<u32, u32>,
    /// Whether the device told of no bridge port at all.
    absent: bool,
}

/// What a bridge says of itself and of the spanning tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Bridge {
    /// dot1dBaseBridgeAddress.
    pub address: Reading<MacAddr>,
    /// dot1dStpPriority.
    pub stp_priority: Reading<u64>,
    /// dot1dStpTopChanges.
    pub stp_topology_changes: Reading<u64>,
    /// dot1dStpDesignatedRoot: the priority and address of the root.
    pub stp_root: Reading<BridgeId>,
    /// dot1dStpRootCost.
    pub stp_root_cost: Reading<u64>,
    /// dot1dStpRootPort; 0 on the root itself.
    pub stp_root_port: Reading<u64>,
    /// The ports in the spanning tree.
    pub stp_ports: Vec<StpPort>,
}

/// A bridge identifier (IEEE 802.1D): priority and address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BridgeId {
    /// The priority.
    pub priority: u16,
    /// The address.
    pub mac: MacAddr,
}

/// A port in the spanning tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StpPort {
    /// The bridge port.
    pub bridge_port: u32,
    /// Its ifIndex.
    pub if_index: Option<u32>,
    /// The interface's name.
    pub interface: Option<String>,
    /// dot1dStpPortState.
    pub state: Reading<&'static str>,
    /// dot1dStpPortPathCost.
    pub path_cost: Reading<u64>,
    /// dot1dStpPortDesignatedRoot.
    pub designated_root: Reading<BridgeId>,
    /// dot1dStpPortDesignatedBridge.
    pub designated_bridge: Reading<BridgeId>,
    /// dot1dStpPortDesignatedPort: the designated bridge's port identifier, a priority and a number.
    pub designated_port: Reading<u16>,
}

impl BridgePorts {
    /// Returns the bridge ports of dot1dBasePortTable.
    pub(crate) fn of(read: &ReadTable) -> Self {
        let rows = read.rows();
        let ports = rows.filter_map(|(index, row)| {
            let [port] = *index else { return None };
            let if_index =
                cell(row, IF_INDEX).and_then(Value::unsigned).and_then(|number| u32::try_from(number).ok())?;
            Some((port, if_index))
        });
        Self { ports: ports.collect(), absent: read.is_empty() && read.errors.is_empty() }
    }

    /// Returns the ifIndex of a bridge port. Where the device has no dot1dBasePortTable, the port's number is taken
    /// for the ifIndex if an interface has it: such devices number them alike.
    pub fn if_index(&self, port: u32, interfaces: &InterfaceIndex) -> Option<u32> {
        let same = || Some(port).filter(|port| self.absent && interfaces.get(*port).is_some());
        self.ports.get(&port).copied().or_else(same)
    }
}

/// The tables that forwarding is told by, as read. Reading them is dear and resolving them is not: when a port turns out
/// to be new, its name is asked for and the same tables are resolved again.
#[derive(Debug)]
pub struct ForwardingTables {
    pub(crate) q_fdb: ReadTable,
    pub(crate) fdb: ReadTable,
    pub(crate) base_ports: ReadTable,
    pub(crate) vlans: ReadTable,
}

impl ForwardingTables {
    /// Returns the rows, their ports resolved by `interfaces`; take it from the latest
    /// [`poll_interfaces`](crate::poll_interfaces).
    pub fn resolve(&self, interfaces: &InterfaceIndex) -> Polled<ForwardingRow> {
        self.resolve_borrowed(interfaces).map(ForwardingRow::into_owned)
    }

    /// Returns what [`resolve`](Self::resolve) does, with the names that `interfaces` has.
    pub fn resolve_borrowed<'a>(&self, interfaces: &'a InterfaceIndex) -> Polled<ForwardingRow<&'a str>> {
        forwarding(self, interfaces)
    }
}

/// Returns the forwarding rows of both tables. A row of dot1dTpFdbTable that repeats one of dot1qTpFdbTable without
/// its VLAN is dropped.
fn forwarding<'a>(tables: &ForwardingTables, interfaces: &'a InterfaceIndex) -> Polled<ForwardingRow<&'a str>> {
    let mut polled = Polled::default();
    polled.note(Q_FDB_TABLE, &tables.q_fdb);
    polled.note(FDB_TABLE, &tables.fdb);
    polled.note(BASE_PORT_TABLE, &tables.base_ports);
    polled.note(VLAN_TABLE, &tables.vlans);
    let vlans = VlanMap::of(&tables.vlans);
    let ports = BridgePorts::of(&tables.base_ports);
    let mut known: BTreeSet<(MacAddr, u32)> = BTreeSet::new();
    let mut guessed_vlans = 0;
    polled.rows.reserve(tables.q_fdb.len() + tables.fdb.len());
    for (index, row) in tables.q_fdb.rows() {
        match q_index(index).and_then(|(fdb_id, mac)| decode(mac, row, &ports, interfaces).map(|row| (fdb_id, row))) {
            Ok((fdb_id, row)) => {
                let (vlan, guessed) = vlans.vlan(fdb_id);
                guessed_vlans += usize::from(guessed);
                known.insert((row.mac, row.bridge_port));
                polled.rows.push(ForwardingRow { vlan, fdb_id: Some(fdb_id), ..row });
            }
            Err(reason) => polled.dropped.push(DroppedRow::new(Q_FDB_TABLE, index, reason)),
        }
    }
    for (index, row) in tables.fdb.rows() {
        match plain_index(index).and_then(|mac| decode(mac, row, &ports, interfaces)) {
            Ok(row) if !known.contains(&(row.mac, row.bridge_port)) => polled.rows.push(row),
            Ok(_) => polled.dropped.push(DroppedRow::new(FDB_TABLE, index, DropReason::AlsoInQBridge)),
            Err(reason) => polled.dropped.push(DroppedRow::new(FDB_TABLE, index, reason)),
        }
    }
    if ports.absent && !polled.rows.is_empty() {
        polled.errors.push(guess(BASE_PORT_TABLE, TableProblem::PortsAreInterfaces, polled.rows.len()));
    }
    if guessed_vlans > 0 {
        polled.errors.push(guess(VLAN_TABLE, TableProblem::VlansAreDatabases, guessed_vlans));
    }
    polled
}

fn guess(table: &'static str, error: TableProblem, rows: usize) -> TableError {
    TableError { table, column: None, error, rows: Some(rows), detail: None }
}

/// Decodes the index of dot1qTpFdbTable: a filtering database and an address.
///
/// # Errors
///
/// The index is something else.
pub fn q_index(index: &[u32]) -> Result<(u32, MacAddr), DropReason> {
    let mut reader = IndexReader::new(index);
    let fdb_id = reader.number()?;
    let mac = reader.mac()?;
    reader.end().map(|()| (fdb_id, mac))
}

/// Decodes the index of dot1dTpFdbTable: an address.
///
/// # Errors
///
/// The index is something else.
pub fn plain_index(index: &[u32]) -> Result<MacAddr, DropReason> {
    let mut reader = IndexReader::new(index);
    let mac = reader.mac()?;
    reader.end().map(|()| mac)
}

/// Decodes port and status, which stand at the same places in both tables.
fn decode<'a>(
    mac: MacAddr,
    row: &[Option<Value>],
    ports: &BridgePorts,
    interfaces: &'a InterfaceIndex,
) -> Result<ForwardingRow<&'a str>, DropReason> {
    if mac == MacAddr::ZERO {
        return Err(DropReason::ZeroMac);
    }
    if mac.is_multicast() {
        return Err(DropReason::MulticastMac);
    }
    let status = match cell(row, FDB_STATUS).and_then(Value::unsigned) {
        Some(2) => return Err(DropReason::StatusInvalid),
        Some(3) => Some(FdbStatus::Learned),
        Some(4) => Some(FdbStatus::Own),
        Some(5) => Some(FdbStatus::Management),
        Some(_) => Some(FdbStatus::Other),
        None => None,
    };
    let port = cell(row, FDB_PORT).and_then(Value::unsigned).ok_or(DropReason::PortMissing)?;
    if port == 0 {
        return Err(DropReason::PortZero);
    }
    let bridge_port = u32::try_from(port).map_err(|_| DropReason::BridgePortUnknown)?;
    let if_index = ports.if_index(bridge_port, interfaces).ok_or(DropReason::BridgePortUnknown)?;
    let interface = interfaces.name_of(if_index)?;
    Ok(ForwardingRow { mac, vlan: None, fdb_id: None, bridge_port, if_index, interface, status })
}

/// Returns the names of the bridge's scalars.
pub(crate) fn scalar_names() -> Vec<Oid> {
    SCALARS.iter().map(|[group, object]| Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 17, *group, *object, 0])).collect()
}

/// Returns the bridge of its scalars (the answer to [`scalar_names`]) and its spanning-tree ports.
pub(crate) fn bridge(scalars: &[VarBind], stp: &ReadTable, ports: &BridgePorts, interfaces: &InterfaceIndex) -> Bridge {
    let scalar = |place: usize| scalars.get(place).map(|varbind| &varbind.value);
    let rows = stp.rows().filter_map(|(index, row)| {
        let [bridge_port] = *index else { return None };
        let if_index = ports.if_index(bridge_port, interfaces);
        Some(StpPort {
            bridge_port,
            if_index,
            interface: if_index.and_then(|if_index| interfaces.name(if_index)).map(str::to_owned),
            state: Reading::of(cell(row, STATE), |value| crate::mib::word_of(&STATES, value)),
            path_cost: Reading::number(cell(row, PATH_COST)),
            designated_root: Reading::of(cell(row, DESIGNATED_ROOT), bridge_id),
            designated_bridge: Reading::of(cell(row, DESIGNATED_BRIDGE), bridge_id),
            designated_port: Reading::of(cell(row, DESIGNATED_PORT), |value| {
                value.octets().and_then(|octets| <[u8; 2]>::try_from(octets).ok()).map(u16::from_be_bytes)
            }),
        })
    });
    Bridge {
        address: Reading::of(scalar(0), |value| value.octets().and_then(mac_of)),
        stp_priority: Reading::number(scalar(1)),
        stp_topology_changes: Reading::number(scalar(2)),
        stp_root: Reading::of(scalar(3), bridge_id),
        stp_root_cost: Reading::number(scalar(4)),
        stp_root_port: Reading::number(scalar(5)),
        stp_ports: rows.collect(),
    }
}

/// Decodes a BridgeId: two bytes of priority and six of address.
fn bridge_id(value: &Value) -> Option<BridgeId> {
    let octets: [u8; 8] = value.octets()?.try_into().ok()?;
    let [high, low, mac @ ..] = octets;
    Some(BridgeId { priority: u16::from_be_bytes([high, low]), mac: MacAddr(mac) })
}

#[cfg(test)]
mod tests;
