//! Interfaces: ifTable and ifXTable (IF-MIB, RFC 2863), duplex of dot3StatsTable (EtherLike-MIB, RFC 3635).
//!
//! Invariant: an interface is named by ifName, else by ifDescr, and says which. Octets and packets come from the
//! 64-bit counters where the agent has them, and say how wide they are.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash as _, Hasher as _},
};

use onenet_topology::MacAddr;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow, TableError, TableProblem},
    index::mac_of,
    mib::{Polled, ReadTable, Reading, cell, columns::columns, word_of},
    oid::Oid,
    value::Value,
};

pub use super::interface_index::{InterfaceIndex, KnownInterface};

pub(crate) const IF_TABLE: &str = "ifTable";
pub(crate) const IF_X_TABLE: &str = "ifXTable";
pub(crate) const DOT3_STATS_TABLE: &str = "dot3StatsTable";

columns!(IF_NAMES: [1, 3, 6, 1, 2, 1, 2, 2, 1] {
    DESCR = 2 "ifDescr",
    TYPE = 3 "ifType",
    MTU = 4 "ifMtu",
    SPEED = 5 "ifSpeed",
    PHYS_ADDRESS = 6 "ifPhysAddress",
    LAST_CHANGE = 9 "ifLastChange",
});

columns!(IF_X_NAMES: [1, 3, 6, 1, 2, 1, 31, 1, 1, 1] {
    NAME = 1 "ifName",
    HIGH_SPEED = 15 "ifHighSpeed",
    ALIAS = 18 "ifAlias",
});

columns!(DOT3_STATS: [1, 3, 6, 1, 2, 1, 10, 7, 2, 1] { DUPLEX = 19 "dot3StatsDuplexStatus" });

columns!(IF_COUNTERS: [1, 3, 6, 1, 2, 1, 2, 2, 1] {
    ADMIN = 7 "ifAdminStatus",
    OPER = 8 "ifOperStatus",
    IN_OCTETS = 10 "ifInOctets",
    IN_UCAST = 11 "ifInUcastPkts",
    IN_DISCARDS = 13 "ifInDiscards",
    IN_ERRORS = 14 "ifInErrors",
    OUT_OCTETS = 16 "ifOutOctets",
    OUT_UCAST = 17 "ifOutUcastPkts",
    OUT_DISCARDS = 19 "ifOutDiscards",
    OUT_ERRORS = 20 "ifOutErrors",
});

columns!(IF_X_COUNTERS: [1, 3, 6, 1, 2, 1, 31, 1, 1, 1] {
    HC_IN_OCTETS = 6 "ifHCInOctets",
    HC_IN_UCAST = 7 "ifHCInUcastPkts",
    HC_IN_MULTICAST = 8 "ifHCInMulticastPkts",
    HC_IN_BROADCAST = 9 "ifHCInBroadcastPkts",
    HC_OUT_OCTETS = 10 "ifHCOutOctets",
    HC_OUT_UCAST = 11 "ifHCOutUcastPkts",
    HC_OUT_MULTICAST = 12 "ifHCOutMulticastPkts",
    HC_OUT_BROADCAST = 13 "ifHCOutBroadcastPkts",
});

// Multicast and broadcast packets in 32 bits, for a device that has no wider ones.
columns!(IF_X_NARROW: [1, 3, 6, 1, 2, 1, 31, 1, 1, 1] {
    IN_MULTICAST = 2 "ifInMulticastPkts",
    IN_BROADCAST = 3 "ifInBroadcastPkts",
    OUT_MULTICAST = 4 "ifOutMulticastPkts",
    OUT_BROADCAST = 5 "ifOutBroadcastPkts",
});

const DUPLEXES: [&str; 3] = ["unknown", "half", "full"];

const STATUSES: [&str; 7] = ["up", "down", "testing", "unknown", "dormant", "not_present", "lower_layer_down"];

/// An interface of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// What the interface is.
    #[serde(flatten)]
    pub label: InterfaceLabel,
    /// What it counted.
    #[serde(flatten)]
    pub counters: Counters,
}

/// What an interface is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InterfaceLabel {
    /// ifIndex: only a cache of the identity, which is device and name.
    pub if_index: u32,
    /// ifName, or ifDescr where the device has no ifName.
    pub name: Option<String>,
    /// Which object the name comes from.
    pub name_source: Option<&'static str>,
    /// ifDescr.
    pub description: Reading<String>,
    /// ifAlias, what an administrator called it.
    pub alias: Reading<String>,
    /// ifType by the name IANA gives it, or its number.
    #[serde(rename = "type")]
    pub kind: Reading<String>,
    /// ifType as its number.
    pub type_number: Reading<u64>,
    /// ifPhysAddress; missing when empty.
    pub mac: Reading<MacAddr>,
    /// ifMtu in bytes.
    pub mtu_bytes: Reading<u64>,
    /// ifHighSpeed or ifSpeed, in bits a second.
    pub speed_bps: Reading<u64>,
    /// dot3StatsDuplexStatus; missing for what is not Ethernet.
    pub duplex: Reading<&'static str>,
    /// sysUpTime when the operational state last changed, in seconds.
    pub last_change_s: Reading<u64>,
}

/// State and counters of an interface: cheap, and read often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// ifAdminStatus.
    pub admin: Reading<&'static str>,
    /// ifOperStatus.
    pub oper: Reading<&'static str>,
    /// Bytes received.
    pub in_octets: Reading<u64>,
    /// Bytes sent.
    pub out_octets: Reading<u64>,
    /// How wide the octet counters are: 64, or 32 where the device has no other. `None` without counters.
    pub octets_bits: Option<u8>,
    /// Unicast packets received.
    pub in_unicast_packets: Reading<u64>,
    /// Multicast packets received.
    pub in_multicast_packets: Reading<u64>,
    /// Broadcast packets received.
    pub in_broadcast_packets: Reading<u64>,
    /// Unicast packets sent.
    pub out_unicast_packets: Reading<u64>,
    /// Multicast packets sent.
    pub out_multicast_packets: Reading<u64>,
    /// Broadcast packets sent.
    pub out_broadcast_packets: Reading<u64>,
    /// How wide the unicast packet counters are: 64 or 32.
    pub packets_bits: Option<u8>,
    /// ifInErrors.
    pub in_errors: Reading<u64>,
    /// ifOutErrors.
    pub out_errors: Reading<u64>,
    /// ifInDiscards.
    pub in_discards: Reading<u64>,
    /// ifOutDiscards.
    pub out_discards: Reading<u64>,
}

/// Counters of an interface that is known by its ifIndex only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterfaceCounters {
    /// ifIndex.
    pub if_index: u32,
    /// State and counters.
    #[serde(flatten)]
    pub counters: Counters,
}

/// The tables that interfaces are named by, as read. Most times they are the same as before, which is cheaper to see than to
/// read names and speeds out of them.
#[derive(Debug)]
pub struct InterfaceTables {
    pub(crate) base: ReadTable,
    pub(crate) extended: ReadTable,
    pub(crate) stats: ReadTable,
}

impl InterfaceTables {
    /// Returns what stands for all of it, what was wrong with it included.
    pub fn fingerprint(&self, hasher: &impl BuildHasher) -> u64 {
        let mut state = hasher.build_hasher();
        for table in [&self.base, &self.extended, &self.stats] {
            table.hash(&mut state);
        }
        state.finish()
    }

    /// Returns the labels of the interfaces.
    pub fn labels(&self) -> Polled<InterfaceLabel> {
        labels(&self.base, &self.extended, &self.stats)
    }
}

/// Returns the labels of the interfaces. A row that only ifXTable has is kept: some agents leave ifTable out.
fn labels(base: &ReadTable, extended: &ReadTable, stats: &ReadTable) -> Polled<InterfaceLabel> {
    let mut polled = Polled::default();
    polled.note(IF_TABLE, base);
    polled.note(IF_X_TABLE, extended);
    polled.note(DOT3_STATS_TABLE, stats);
    for (if_index, row, extra) in joined(base, extended, &mut polled.dropped) {
        polled.rows.push(label(if_index, row, extra, stats.row(&[if_index])));
    }
    polled.errors.extend(duplicate_names(&polled.rows));
    let unnamed = polled.rows.iter().filter(|label| label.name_source == Some("ifDescr")).count();
    if unnamed > 0 {
        polled.errors.push(noted(IF_X_TABLE, "ifName", TableProblem::NamedByDescription, unnamed));
    }
    polled
}

/// Returns the name of ifLastChange of an interface.
pub(crate) fn last_change_name(if_index: u32) -> Oid {
    Oid::from_arcs(&[IF_NAMES[LAST_CHANGE].oid, &[if_index]].concat())
}

/// Returns how long a device had been up when the state of an interface last changed, in seconds.
pub(crate) fn last_change_s(value: &Value) -> Option<u32> {
    u32::try_from(value.unsigned()? / 100).ok()
}

/// Returns whether every interface counts multicast and broadcast packets in 64 bits.
pub(crate) fn counts_groups_widely(base: &ReadTable, extended: &ReadTable) -> bool {
    base.rows().all(|(index, _)| has_wide_groups(extended.row(index)))
}

fn has_wide_groups(extra: Row<'_>) -> bool {
    let groups = [HC_IN_MULTICAST, HC_IN_BROADCAST, HC_OUT_MULTICAST, HC_OUT_BROADCAST];
    groups.iter().any(|place| cell(extra, *place).is_some())
}

/// Returns the counters of the interfaces; `narrow` has the 32-bit counters of a device that has no others.
pub(crate) fn counters(base: &ReadTable, extended: &ReadTable, narrow: &ReadTable) -> Polled<InterfaceCounters> {
    let mut polled = Polled::default();
    polled.note(IF_TABLE, base);
    polled.note(IF_X_TABLE, extended);
    for (if_index, row, extra) in joined(base, extended, &mut polled.dropped) {
        polled.rows.push(InterfaceCounters { if_index, counters: counted(row, extra, narrow.row(&[if_index])) });
    }
    let narrow = polled.rows.iter().filter(|row| row.counters.octets_bits == Some(32)).count();
    if narrow > 0 {
        polled.errors.push(noted(IF_X_TABLE, "ifHCInOctets", TableProblem::NarrowCounters, narrow));
    }
    polled
}

fn duplicate_names(labels: &[InterfaceLabel]) -> Option<TableError> {
    let mut bearers: BTreeMap<&str, usize> = BTreeMap::new();
    for name in
        labels.iter().filter(|label| label.name_source == Some("ifName")).filter_map(|label| label.name.as_deref())
    {
        *bearers.entry(name).or_default() += 1;
    }
    let sharing: usize = bearers.values().filter(|count| **count > 1).sum();
    (sharing > 0).then(|| noted(IF_X_TABLE, "ifName", TableProblem::DuplicateNames, sharing))
}

pub(super) fn noted(table: &'static str, column: &'static str, error: TableProblem, rows: usize) -> TableError {
    TableError { table, column: Some(column), error, rows: Some(rows), detail: None }
}

type Row<'a> = &'a [Option<Value>];

/// Joins the two tables by their common index, a single ifIndex.
fn joined<'a>(
    base: &'a ReadTable,
    extended: &'a ReadTable,
    dropped: &mut Vec<DroppedRow>,
) -> Vec<(u32, Row<'a>, Row<'a>)> {
    let mut numbered = |table, read: &'a ReadTable| -> Vec<(u32, Row<'a>)> {
        let mut rows = Vec::with_capacity(read.len());
        for (index, row) in read.rows() {
            match *index {
                [if_index] => rows.push((if_index, row)),
                _ => dropped.push(DroppedRow::new(table, index, DropReason::InvalidIndexLength)),
            }
        }
        rows
    };
    // Both are in the order of ifIndex, and have each once.
    let (base, extended) = (numbered(IF_TABLE, base), numbered(IF_X_TABLE, extended));
    let mut joined = Vec::with_capacity(base.len().max(extended.len()));
    let (mut base, mut extended) = (base.into_iter().peekable(), extended.into_iter().peekable());
    while let Some(if_index) = base.peek().into_iter().chain(extended.peek()).map(|(if_index, _)| *if_index).min() {
        let row = base.next_if(|next| next.0 == if_index).map_or(&[][..], |(_, row)| row);
        let extra = extended.next_if(|next| next.0 == if_index).map_or(&[][..], |(_, row)| row);
        joined.push((if_index, row, extra));
    }
    joined
}

fn label(if_index: u32, row: Row<'_>, extra: Row<'_>, stats: Row<'_>) -> InterfaceLabel {
    let name = Reading::text(cell(extra, NAME));
    let description = Reading::text(cell(row, DESCR));
    let (name, name_source) = match (name.filled(), description.filled()) {
        (Some(name), _) => (Some(name.to_owned()), Some("ifName")),
        (None, Some(description)) => (Some(description.to_owned()), Some("ifDescr")),
        (None, None) => (None, None),
    };
    InterfaceLabel {
        if_index,
        name,
        name_source,
        description,
        alias: Reading::text(cell(extra, ALIAS)),
        kind: Reading::of(cell(row, TYPE), |value| value.unsigned().map(type_name)),
        type_number: Reading::number(cell(row, TYPE)),
        mac: physical_address(cell(row, PHYS_ADDRESS)),
        mtu_bytes: Reading::number(cell(row, MTU)),
        speed_bps: speed(Reading::number(cell(row, SPEED)), &Reading::number(cell(extra, HIGH_SPEED))),
        duplex: Reading::of(cell(stats, DUPLEX), |value| word_of(&DUPLEXES, value)),
        last_change_s: Reading::number(cell(row, LAST_CHANGE)).map(|hundredths| hundredths / 100),
    }
}

fn physical_address(cell: Option<&Value>) -> Reading<MacAddr> {
    match cell.and_then(Value::octets) {
        Some([]) => Reading::Missing,
        _ => Reading::of(cell, |value| value.octets().and_then(mac_of)),
    }
}

/// Returns the speed in bits a second. ifSpeed is exact up to 2^32 - 1, at which it stands for "more" (RFC 2863,
/// section 3.1.11); some agents let it wrap instead, so a high ifHighSpeed goes first.
pub fn speed(speed_bps: Reading<u64>, high_speed_mbps: &Reading<u64>) -> Reading<u64> {
    const SPEED_MAX: u64 = u32::MAX as u64;
    let high_bps = high_speed_mbps.get().map(|mbps| mbps.saturating_mul(1_000_000));
    match (speed_bps.get().copied(), high_bps) {
        (_, Some(high)) if high > SPEED_MAX => Reading::Value(high),
        (Some(low @ 1..SPEED_MAX), _) => Reading::Value(low),
        (_, Some(high @ 1..)) => Reading::Value(high),
        (Some(0), _) | (_, Some(0)) => Reading::Value(0),
        _ => speed_bps,
    }
}

fn counted(row: Row<'_>, extra: Row<'_>, groups: Row<'_>) -> Counters {
    let status = |place| Reading::of(cell(row, place), |value| word_of(&STATUSES, value));
    let narrow = |place| Reading::number(cell(row, place));
    let wide = |place| Reading::number(cell(extra, place));
    let wide_groups = has_wide_groups(extra);
    let group = |wide_place, place| if wide_groups { wide(wide_place) } else { Reading::number(cell(groups, place)) };
    let bits = |wide_place, narrow_place| match (wide(wide_place).get(), narrow(narrow_place).get()) {
        (Some(_), _) => Some(64),
        (None, Some(_)) => Some(32),
        (None, None) => None,
    };
    Counters {
        admin: status(ADMIN),
        oper: status(OPER),
        in_octets: wide(HC_IN_OCTETS).or(narrow(IN_OCTETS)),
        out_octets: wide(HC_OUT_OCTETS).or(narrow(OUT_OCTETS)),
        octets_bits: bits(HC_IN_OCTETS, IN_OCTETS),
        in_unicast_packets: wide(HC_IN_UCAST).or(narrow(IN_UCAST)),
        in_multicast_packets: group(HC_IN_MULTICAST, IN_MULTICAST),
        in_broadcast_packets: group(HC_IN_BROADCAST, IN_BROADCAST),
        out_unicast_packets: wide(HC_OUT_UCAST).or(narrow(OUT_UCAST)),
        out_multicast_packets: group(HC_OUT_MULTICAST, OUT_MULTICAST),
        out_broadcast_packets: group(HC_OUT_BROADCAST, OUT_BROADCAST),
        packets_bits: bits(HC_IN_UCAST, IN_UCAST),
        in_errors: narrow(IN_ERRORS),
        out_errors: narrow(OUT_ERRORS),
        in_discards: narrow(IN_DISCARDS),
        out_discards: narrow(OUT_DISCARDS),
    }
}

/// Returns the name of an ifType (IANAifType-MIB) for the types that networks like ours have, else its number.
fn type_name(number: u64) -> String {
    let name = match number {
        1 => "other",
        6 => "ethernetCsmacd",
        18 => "ds1",
        22 => "propPointToPointSerial",
        23 => "ppp",
        24 => "softwareLoopback",
        32 => "frameRelay",
        33 => "rs232",
        37 => "atm",
        39 => "sonet",
        49 => "aal5",
        53 => "propVirtual",
        54 => "propMultiplexor",
        56 => "fibreChannel",
        62 => "fastEther",
        69 => "fastEtherFX",
        71 => "ieee80211",
        77 => "lapd",
        81 => "ds0",
        108 => "pppMultilinkBundle",
        117 => "gigabitEthernet",
        118 => "hdlc",
        131 => "tunnel",
        135 => "l2vlan",
        136 => "l3ipvlan",
        142 => "ipForward",
        150 => "mplsTunnel",
        161 => "ieee8023adLag",
        166 => "mpls",
        169 => "shdsl",
        209 => "bridge",
        244 => "wwanPP2",
        250 => "gpon",
        251 => "vdsl2",
        _ => return number.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
