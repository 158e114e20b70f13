//! VLANs and their filtering databases: Q-BRIDGE-MIB (RFC 4363).
//!
//! Invariant: a filtering database is of a VLAN when dot1qVlanFdbId says so of exactly one. Where the device does not
//! say, its number is taken for the VLAN's if that is how the device numbers the others (independent learning).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    mib::{ReadTable, cell, columns::columns},
    value::Value,
    walk::Column,
};

pub(crate) const Q_FDB_TABLE: &str = "dot1qTpFdbTable";
pub(crate) const VLAN_TABLE: &str = "dot1qVlanCurrentTable";

/// dot1qTpFdbPort and dot1qTpFdbStatus: the same places as in dot1dTpFdbTable.
pub(crate) const Q_FDB: [Column; 2] = [
    Column { name: "dot1qTpFdbPort", oid: &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 2] },
    Column { name: "dot1qTpFdbStatus", oid: &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 3] },
];

columns!(VLANS: [1, 3, 6, 1, 2, 1, 17, 7, 1, 4, 2, 1] { FDB_ID = 3 "dot1qVlanFdbId" });

/// The highest VLAN identifier (IEEE 802.1Q).
const VLAN_MAX: u32 = 4094;

/// Which VLANs use which filtering database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VlanMap {
    vlans: BTreeMap<u32, BTreeSet<u16>>,
}

impl VlanMap {
    /// Returns the map of dot1qVlanCurrentTable. Its index is a time mark and a VLAN; some agents leave the mark out.
    pub(crate) fn of(read: &ReadTable) -> Self {
        let mut map = Self::default();
        for (index, row) in read.rows() {
            let vlan = vlan_of_index(index);
            let fdb_id = cell(row, FDB_ID).and_then(Value::unsigned).and_then(|number| u32::try_from(number).ok());
            if let (Some(vlan), Some(fdb_id)) = (vlan, fdb_id) {
                map.vlans.entry(fdb_id).or_default().insert(vlan);
            }
        }
        map
    }

    /// Returns the VLAN of a filtering database, and whether it is only the database's number.
    pub fn vlan(&self, fdb_id: u32) -> (Option<u16>, bool) {
        match self.vlans.get(&fdb_id) {
            Some(vlans) => (vlans.first().copied().filter(|_| vlans.len() == 1), false),
            None if self.numbered_alike() => {
                let vlan = vlan_number(fdb_id);
                (vlan, vlan.is_some())
            }
            None => (None, false),
        }
    }

    /// Returns whether every database known is of the VLAN of its own number.
    fn numbered_alike(&self) -> bool {
        self.vlans.iter().all(|(fdb_id, vlans)| vlans.iter().all(|vlan| u32::from(*vlan) == *fdb_id))
    }
}

/// Decodes the VLAN in the index of dot1qVlanCurrentTable: after a time mark, or alone. ZTE's older switches have a time mark
/// of 0 after it: no VLAN is 0, so there is no doubt.
pub fn vlan_of_index(index: &[u32]) -> Option<u16> {
    match index {
        [vlan, 0] | [_, vlan] | [vlan] => vlan_number(*vlan),
        _ => None,
    }
}

fn vlan_number(number: u32) -> Option<u16> {
    u16::try_from(number).ok().filter(|vlan| (1..=VLAN_MAX).contains(&u32::from(*vlan)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(u16, u32)]) -> VlanMap {
        let mut map = VlanMap::default();
        for (vlan, fdb_id) in pairs {
            map.vlans.entry(*fdb_id).or_default().insert(*vlan);
        }
        map
    }

    #[test]
    fn a_database_of_one_vlan_gives_that_vlan() {
        let map = map(&[(1, 1), (50, 2), (52, 3)]);
        assert_eq!(map.vlan(2), (Some(50), false));
        assert_eq!(map.vlan(50), (None, false), "numbers are not alike, so a number proves nothing");
    }

    #[test]
    fn a_database_shared_by_vlans_gives_none() {
        assert_eq!(map(&[(10, 1), (20, 1)]).vlan(1), (None, false));
    }

    #[test]
    fn without_a_table_the_number_is_taken_and_marked() {
        assert_eq!(map(&[]).vlan(3344), (Some(3344), true));
        assert_eq!(map(&[(5, 5)]).vlan(7), (Some(7), true));
        assert_eq!(map(&[]).vlan(5000), (None, false));
    }

    #[test]
    fn the_index_is_read_with_and_without_its_time_mark() {
        assert_eq!(vlan_of_index(&[89_411_558, 55]), Some(55));
        assert_eq!(vlan_of_index(&[55]), Some(55));
        assert_eq!(vlan_of_index(&[548, 0]), Some(548));
        assert_eq!(vlan_of_index(&[0, 0]), None);
        assert_eq!(vlan_of_index(&[1, 2, 3]), None);
        assert_eq!(vlan_of_index(&[0, 4095]), None);
    }
}
