//! What is peculiar about a device, collected over what is read of it at different times.
//!
//! Invariant: what one reading showed holds until the same is read whole again without it. A count is told again only when it
//! doubled or halved, so that one that wavers costs nothing on the line. Pure.

use std::collections::BTreeMap;

use onenet_snmp::{DroppedRow, Quirk, TableError, quirks};
use onenet_topology::fact::{self, FactBody};

/// What reading showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    /// What is noted of the session and the device as a whole.
    Device,
    /// The names of the ports.
    Labels,
    /// The bridge and its spanning tree.
    Bridge,
    /// Which port is part of which aggregate.
    Aggregation,
    /// A table of the schedule.
    Table(crate::schedule::Table),
}

/// What is peculiar about one device.
#[derive(Debug, Default)]
pub(super) struct Quirks {
    shown: BTreeMap<Shown, Vec<Quirk>>,
    told: BTreeMap<(&'static str, &'static str), Option<u64>>,
}

impl Quirks {
    /// Takes note of what a reading showed, which was `partial` or whole.
    pub(super) fn note(&mut self, by: Shown, errors: &[TableError], dropped: &[DroppedRow], partial: bool) {
        let found = quirks(errors, dropped);
        if partial {
            let known = self.shown.entry(by).or_default();
            known.retain(|old| !found.iter().any(|new| (new.quirk, new.table) == (old.quirk, old.table)));
            known.extend(found);
        } else if found.is_empty() {
            self.shown.remove(&by);
        } else {
            self.shown.insert(by, found);
        }
    }

    /// Returns what is peculiar now, as facts.
    pub(super) fn facts(&mut self) -> Vec<FactBody> {
        let mut now: BTreeMap<(&'static str, &'static str), Option<u64>> = BTreeMap::new();
        for quirk in self.shown.values().flatten() {
            let count = quirk.count.and_then(|count| u64::try_from(count).ok());
            let known = now.entry((quirk.quirk, quirk.table)).or_default();
            *known = (*known).max(count);
        }
        for (which, count) in &mut now {
            if let (Some(new), Some(Some(old))) = (*count, self.told.get(which))
                && new.div_ceil(2) <= *old
                && *old <= new.saturating_mul(2)
            {
                *count = Some(*old);
            }
        }
        self.told = now;
        let fact = |((word, table), count): (&(&'static str, &'static str), &Option<u64>)| {
            FactBody::Quirk(fact::Quirk { word: (*word).to_owned(), table: (*table).to_owned(), count: *count })
        };
        self.told.iter().map(fact).collect()
    }
}

#[cfg(test)]
mod tests {
    use onenet_snmp::{DropReason, TableProblem};

    use super::*;
    use crate::schedule::Table;

    const FORWARDING: Shown = Shown::Table(Table::Forwarding);

    fn rows(count: u32) -> Vec<DroppedRow> {
        (0..count).map(|row| DroppedRow::new("dot1dTpFdbTable", &[row], DropReason::BridgePortUnknown)).collect()
    }

    fn told(quirks: &mut Quirks) -> Vec<(String, Option<u64>)> {
        let plain = |body| match body {
            FactBody::Quirk(it) => (format!("{} {}", it.word, it.table), it.count),
            other => panic!("{other:?}"),
        };
        quirks.facts().into_iter().map(plain).collect()
    }

    #[test]
    fn a_count_that_wavers_is_told_as_before_and_one_that_doubles_anew() {
        let mut quirks = Quirks::default();
        for (count, expected) in [(100, 100), (110, 100), (51, 100), (49, 49), (98, 49), (99, 99)] {
            quirks.note(FORWARDING, &[], &rows(count), false);
            assert_eq!(
                told(&mut quirks),
                [("bridge_port_unknown dot1dTpFdbTable".to_owned(), Some(expected))],
                "{count}"
            );
        }
    }

    #[test]
    fn a_reading_in_part_takes_nothing_back_and_a_whole_one_does() {
        let mut quirks = Quirks::default();
        quirks.note(FORWARDING, &[], &rows(3), false);
        let gbk = TableError { table: "ifTable", column: None, error: TableProblem::GbkText, rows: None, detail: None };
        quirks.note(Shown::Labels, &[gbk], &[], false);
        quirks.note(FORWARDING, &[], &[], true);
        assert_eq!(told(&mut quirks).len(), 2);
        quirks.note(FORWARDING, &[], &[], false);
        assert_eq!(told(&mut quirks), [("gbk_text ifTable".to_owned(), None)]);
    }
}
