//! What is peculiar about a device, by stable words, of all that was noted while it was read.
//!
//! Invariant: there is one mechanism: a quirk is a [`TableProblem`] or a [`DropReason`] that is the device's doing, and
//! this is their summary, one entry a word and table.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dropped::{DropReason, DroppedRow, TableError, TableProblem};

/// What is noted on the device as a whole instead of on a table.
pub(crate) const DEVICE: &str = "device";

/// A peculiarity of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quirk {
    /// The word for it, of [`TableProblem`] or [`DropReason`].
    pub quirk: &'static str,
    /// The table where it shows; `device` when it is not a table's.
    pub table: &'static str,
    /// How many rows, names or values show it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl TableProblem {
    /// Returns whether this is the device's doing, and not that of the network, the budget or the MIB.
    pub const fn is_quirk(self) -> bool {
        match self {
            Self::Malformed
            | Self::Loop
            | Self::Disordered
            | Self::TooManyRows
            | Self::RoutesCut
            | Self::TooManyBytes
            | Self::Truncated
            | Self::DuplicateNames
            | Self::NarrowCounters
            | Self::GbkText
            | Self::Renumbered
            | Self::SmallAnswers
            | Self::AnswersFromElsewhere
            | Self::EngineTimeDrift
            | Self::VlanPortsUnknown
            | Self::PortsAreInterfaces => true,
            Self::Missing
            | Self::NoContexts
            | Self::NoAnswer
            | Self::ErrorStatus
            | Self::BudgetSpent
            | Self::Unread
            | Self::NamedByDescription
            | Self::VlansAreDatabases => false,
        }
    }
}

impl DropReason {
    /// Returns whether a row with it should not be there, or not so.
    pub const fn is_quirk(self) -> bool {
        matches!(
            self,
            Self::InvalidIndexLength
                | Self::InvalidIndexOctet
                | Self::InvalidAddressLength
                | Self::InvalidMacLength
                | Self::PortMissing
                | Self::BridgePortUnknown
                | Self::InterfaceUnknown
                | Self::NeighbourUnknown
        )
    }
}

/// Returns the peculiarities among what was noted, by word and table.
pub fn quirks(errors: &[TableError], dropped: &[DroppedRow]) -> Vec<Quirk> {
    let mut found: BTreeMap<(&'static str, &'static str), Option<usize>> = BTreeMap::new();
    for error in errors.iter().filter(|error| error.error.is_quirk()) {
        let count = found.entry((error.error.as_str(), error.table)).or_default();
        // Columns of one table mostly show it in the same rows.
        *count = (*count).max(error.rows);
    }
    for row in dropped.iter().filter(|row| row.reason.is_quirk()) {
        let count = found.entry((row.reason.as_str(), row.table)).or_default();
        *count = Some(count.unwrap_or_default() + 1);
    }
    found.into_iter().map(|((quirk, table), count)| Quirk { quirk, table, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_devices_doing_is_told_once_a_table() {
        let error = |table, column, error, rows| TableError { table, column: Some(column), error, rows, detail: None };
        let errors = [
            error("ifTable", "ifDescr", TableProblem::GbkText, Some(3)),
            error("ifTable", "ifInOctets", TableProblem::Malformed, Some(1)),
            error("ifTable", "ifOutOctets", TableProblem::Malformed, Some(2)),
            error("ifTable", "ifMtu", TableProblem::Missing, Some(9)),
            error("dot1dTpFdbTable", "dot1dTpFdbPort", TableProblem::Loop, None),
        ];
        let row = |last| DroppedRow::new("dot1dTpFdbTable", &[last], DropReason::BridgePortUnknown);
        let plain = DroppedRow::new("dot1dTpFdbTable", &[9], DropReason::MulticastMac);
        let quirk = |quirk, table, count| Quirk { quirk, table, count };
        assert_eq!(
            quirks(&errors, &[row(1), row(2), plain]),
            [
                quirk("bridge_port_unknown", "dot1dTpFdbTable", Some(2)),
                quirk("gbk_text", "ifTable", Some(3)),
                quirk("loop", "dot1dTpFdbTable", None),
                quirk("malformed", "ifTable", Some(2)),
            ]
        );
    }
}
