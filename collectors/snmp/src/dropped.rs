//! Rows that were read and cannot be used, each with its reason; and what could not be read at all.
//!
//! Invariant: the texts of [`DropReason`] and [`TableProblem`] are a contract (the JSON of `inspect`, counters):
//! they are never changed, only added to.

use serde::Serialize;

use crate::{oid::dotted, quirks::DEVICE};

/// A row that was read and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DroppedRow {
    /// The table, by the name its MIB gives it.
    pub table: &'static str,
    /// The index of the row, its numbers joined by dots.
    pub row: String,
    /// Why.
    pub reason: DropReason,
}

impl DroppedRow {
    /// Returns the record of a dropped row.
    pub fn new(table: &'static str, index: &[u32], reason: DropReason) -> Self {
        Self { table, row: dotted(index), reason }
    }
}

/// Declares an enum whose variants each have one stable text.
macro_rules! stable_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use stable_words;

stable_words! {
    /// Why a row cannot be used.
    DropReason {
        /// The index is shorter or longer than the table's index.
        InvalidIndexLength = "invalid_index_length",
        /// An arc that stands for a byte is above 255.
        InvalidIndexOctet = "invalid_index_octet",
        /// The address is of a type that is not IP.
        UnknownAddressType = "unknown_address_type",
        /// The address does not have the length of its type.
        InvalidAddressLength = "invalid_address_length",
        /// The physical address is not a MAC address.
        InvalidMacLength = "invalid_mac_length",
        /// The row has no physical address.
        MacMissing = "mac_missing",
        /// A group address, which no card has.
        MulticastMac = "multicast_mac",
        /// All zeros, which no card has.
        ZeroMac = "zero_mac",
        /// The row does not tell a port.
        PortMissing = "port_missing",
        /// The port is 0: the bridge knows the address but not where it is (RFC 4188).
        PortZero = "port_zero",
        /// No bridge port has this number in dot1dBasePortTable.
        BridgePortUnknown = "bridge_port_unknown",
        /// The bridge port's ifIndex is not in ifTable.
        InterfaceUnknown = "interface_unknown",
        /// The row's status says that it is no longer valid.
        StatusInvalid = "status_invalid",
        /// The mapping's type or state says that it is no longer valid.
        MappingInvalid = "mapping_invalid",
        /// Address resolution is not finished.
        MappingIncomplete = "mapping_incomplete",
        /// The same fact is in dot1qTpFdbTable, with its VLAN.
        AlsoInQBridge = "also_in_q_bridge",
        /// The same fact is in the forwarding table of a VLAN's context, with its VLAN.
        AlsoInVlanContext = "also_in_vlan_context",
        /// The same fact is in ipNetToPhysicalTable.
        AlsoInIpNetToPhysical = "also_in_ip_net_to_physical",
        /// A neighbour without chassis identifier.
        ChassisIdMissing = "chassis_id_missing",
        /// A management address of a neighbour that is not in lldpRemTable.
        NeighbourUnknown = "neighbour_unknown",
        /// A sensor's value is not a number, or its numbers give none.
        NotANumber = "not_a_number",
        /// A sensor's value is outside what the sensor can measure.
        OutOfRange = "out_of_range",
        /// A sensor's state is a number that has no meaning in its MIB.
        UnknownState = "unknown_state",
        /// The number is not a VLAN's (1 to 4094).
        InvalidVlan = "invalid_vlan",
        /// The VLAN is of another medium than Ethernet.
        NotEthernet = "not_ethernet",
        /// The port belongs to no aggregate.
        NotAggregated = "not_aggregated",
        /// A broadcast address, which no machine has.
        NotUnicast = "not_unicast",
        /// A row that has none of the values that make it worth keeping.
        Empty = "empty",
    }
}

/// Something of a table that could not be read, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableError {
    /// The table, by the name its MIB gives it.
    pub table: &'static str,
    /// The column, when the problem is a column's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<&'static str>,
    /// What is wrong.
    pub error: TableProblem,
    /// How many rows are concerned, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// More about it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl TableError {
    /// Returns a problem of the device as a whole.
    pub const fn of_device(error: TableProblem) -> Self {
        Self { table: DEVICE, column: None, error, rows: None, detail: None }
    }
}

stable_words! {
    /// What is wrong with a table or one of its columns.
    TableProblem {
        /// Rows lack the column's value.
        Missing = "missing",
        /// Values are of the wrong type or out of range.
        Malformed = "malformed",
        /// The agent repeats itself.
        Loop = "loop",
        /// Rows do not come in order, or come twice.
        Disordered = "disordered",
        /// More rows than are read.
        TooManyRows = "too_many_rows",
        /// The device has more routes than are counted into next hops; those read are the first.
        RoutesCut = "routes_cut",
        /// More bytes than are read.
        TooManyBytes = "too_many_bytes",
        /// The device did not answer this part, or no longer.
        NoAnswer = "no_answer",
        /// The agent answered with an error status.
        ErrorStatus = "error_status",
        /// The round's budget was used up.
        BudgetSpent = "budget_spent",
        /// It could not be asked for another reason, which the detail tells.
        Unread = "unread",
        /// Interfaces have no ifName, so ifDescr names them.
        NamedByDescription = "named_by_description",
        /// dot1dBasePortTable is absent, so bridge ports are taken for ifIndexes.
        PortsAreInterfaces = "ports_are_interfaces",
        /// dot1qVlanCurrentTable does not tell which VLAN a filtering database is of, so its number is taken.
        VlansAreDatabases = "vlans_are_databases",
        /// Sets of ports of VLANs name bridge ports that lead to no interface.
        VlanPortsUnknown = "vlan_ports_unknown",
        /// The device keeps its VLANs' tables in no contexts that it answers in.
        NoContexts = "no_contexts",
        /// A column ends before the others of its table do, so that the last rows lack its value.
        Truncated = "truncated",
        /// Several interfaces have the same ifName.
        DuplicateNames = "duplicate_names",
        /// Interfaces count octets in 32 bits only: at 1 Gbit/s they wrap within 35 seconds.
        NarrowCounters = "narrow_counters",
        /// Texts are in GBK, and were decoded so.
        GbkText = "gbk_text",
        /// Interfaces have other ifIndexes than when they were read before.
        Renumbered = "renumbered",
        /// The device cannot cope with answers of the usual size: it is asked for less at once.
        SmallAnswers = "small_answers",
        /// Answers come from another address or port than the one asked.
        AnswersFromElsewhere = "answers_from_elsewhere",
        /// The clock of the v3 engine does not run as clocks do.
        EngineTimeDrift = "engine_time_drift",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_its_own_and_in_snake_case() {
        let mut words: Vec<_> = DropReason::ALL.iter().map(|reason| reason.as_str()).collect();
        words.extend(TableProblem::ALL.iter().map(|problem| problem.as_str()));
        assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
