//! Link aggregation: dot3adAggPortTable (IEEE8023-LAG-MIB, IEEE 802.3 clause 30.7), and ifStackTable (RFC 2863) where a device
//! tells of its aggregates only there.
//!
//! Invariant: an interface is a member of one aggregate at most. What LACP says goes before ifStackTable, in which only an
//! aggregate (ifType ieee8023adLag or propMultiplexor) above an Ethernet interface counts: a stack has other layers too.

use std::collections::BTreeMap;

use onenet_topology::MacAddr;
use serde::Serialize;

use crate::{
    dropped::{DropReason, DroppedRow},
    index::mac_of,
    mib::{Polled, ReadTable, Reading, cell, columns::columns, interfaces::InterfaceIndex},
    value::Value,
};

pub(crate) const AGGREGATION_TABLE: &str = "dot3adAggPortTable";
pub(crate) const STACK_TABLE: &str = "ifStackTable";

columns!(AGGREGATION: [1, 2, 840, 10006, 300, 43, 1, 2, 1, 1] {
    PARTNER_SYSTEM = 9 "dot3adAggPortPartnerOperSystemID",
    PARTNER_KEY = 11 "dot3adAggPortPartnerOperKey",
    SELECTED = 12 "dot3adAggPortSelectedAggID",
    ATTACHED = 13 "dot3adAggPortAttachedAggID",
    PARTNER_PORT = 17 "dot3adAggPortPartnerOperPort",
});

columns!(STACK: [1, 3, 6, 1, 2, 1, 31, 1, 2, 1] { STACK_STATUS = 3 "ifStackStatus" });

/// ifType of an aggregate: ieee8023adLag, and propMultiplexor, as which some switches have their trunks.
const AGGREGATES: [u64; 2] = [161, 54];

/// ifType of an Ethernet interface: ethernetCsmacd and the three that it replaced.
const ETHERNETS: [u64; 4] = [6, 62, 69, 117];

/// RowStatus active.
const ACTIVE: u64 = 1;

/// An interface that belongs to an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LagMember {
    /// The member.
    pub if_index: u32,
    /// The member's name.
    pub interface: Option<String>,
    /// The aggregate.
    pub aggregate_if_index: u32,
    /// The aggregate's name.
    pub aggregate: Option<String>,
    /// Whether the member is attached; one that is only selected carries nothing yet. `None` where ifStackTable told.
    pub attached: Option<bool>,
    /// The system at the other end, as LACP knows it; missing before there was one.
    pub partner_system: Reading<MacAddr>,
    /// The partner's key, which is the same for all ports of its aggregate.
    pub partner_key: Reading<u64>,
    /// The partner's port number.
    pub partner_port: Reading<u64>,
    /// The table that told of it.
    pub source: &'static str,
}

/// Returns whether the device has an interface that is an aggregate.
pub(crate) fn has_aggregates(interfaces: &InterfaceIndex) -> bool {
    interfaces.any(|label| label.type_number.is_some_and(|kind| AGGREGATES.contains(&kind)))
}

/// Returns the members of aggregates.
pub(crate) fn members(aggregation: &ReadTable, stack: &ReadTable, interfaces: &InterfaceIndex) -> Polled<LagMember> {
    let mut polled = Polled::default();
    polled.note(AGGREGATION_TABLE, aggregation);
    polled.note(STACK_TABLE, stack);
    let mut found: BTreeMap<u32, LagMember> = BTreeMap::new();
    for (index, row) in aggregation.rows() {
        match aggregated(index, row, interfaces) {
            Ok(member) => drop(found.insert(member.if_index, member)),
            Err(reason) => polled.dropped.push(DroppedRow::new(AGGREGATION_TABLE, index, reason)),
        }
    }
    for (index, row) in stack.rows() {
        match stacked(index, row, interfaces) {
            Ok(Some(member)) => drop(found.entry(member.if_index).or_insert(member)),
            Ok(None) => {}
            Err(reason) => polled.dropped.push(DroppedRow::new(STACK_TABLE, index, reason)),
        }
    }
    polled.rows = found.into_values().collect();
    polled
}

fn aggregated(index: &[u32], row: &[Option<Value>], interfaces: &InterfaceIndex) -> Result<LagMember, DropReason> {
    let [if_index] = *index else { return Err(DropReason::InvalidIndexLength) };
    let aggregate = |place| {
        let number = cell(row, place).and_then(Value::unsigned).and_then(|number| u32::try_from(number).ok());
        // An individual link may be its own aggregate (IEEE 802.1AX, 6.3.4).
        number.filter(|number| *number != 0 && *number != if_index)
    };
    let attached = aggregate(ATTACHED);
    let aggregate_if_index = attached.or_else(|| aggregate(SELECTED)).ok_or(DropReason::NotAggregated)?;
    let partner_system = Reading::of(cell(row, PARTNER_SYSTEM), |value| value.octets().and_then(mac_of));
    let partnered = partner_system.get().is_some_and(|mac| *mac != MacAddr::ZERO);
    let of_partner = |place| if partnered { Reading::number(cell(row, place)) } else { Reading::Missing };
    Ok(LagMember {
        if_index,
        interface: known(if_index, interfaces)?,
        aggregate_if_index,
        aggregate: known(aggregate_if_index, interfaces)?,
        attached: Some(attached.is_some()),
        partner_key: of_partner(PARTNER_KEY),
        partner_port: of_partner(PARTNER_PORT),
        partner_system: if partnered { partner_system } else { Reading::Missing },
        source: AGGREGATION_TABLE,
    })
}

/// Decodes a row of ifStackTable: the index is the layer above and the one below. `None` when it is not about an
/// aggregate.
fn stacked(index: &[u32], row: &[Option<Value>], interfaces: &InterfaceIndex) -> Result<Option<LagMember>, DropReason> {
    let [above, below] = *index else { return Err(DropReason::InvalidIndexLength) };
    let is = |if_index, types: &[u64]| {
        interfaces.get(if_index).and_then(|label| label.type_number).is_some_and(|kind| types.contains(&kind))
    };
    let active = cell(row, STACK_STATUS).and_then(Value::unsigned) == Some(ACTIVE);
    if !active || !is(above, &AGGREGATES) || !is(below, &ETHERNETS) {
        return Ok(None);
    }
    Ok(Some(LagMember {
        if_index: below,
        interface: known(below, interfaces)?,
        aggregate_if_index: above,
        aggregate: known(above, interfaces)?,
        attached: None,
        partner_system: Reading::Missing,
        partner_key: Reading::Missing,
        partner_port: Reading::Missing,
        source: STACK_TABLE,
    }))
}

fn known(if_index: u32, interfaces: &InterfaceIndex) -> Result<Option<String>, DropReason> {
    interfaces.get(if_index).map(|label| label.name.map(str::to_owned)).ok_or(DropReason::InterfaceUnknown)
}

#[cfg(test)]
mod tests;
