//! A day: from what is known of it to how its time was spent.

use std::collections::BTreeSet;

use super::{Minutes, Spent, Standing, Timeline};
use crate::{Timestamp, coverage::Day};

/// Days for which late evidence is waited for: an agent keeps seven days of history, and a day more at each end. What is
/// older stays as it is.
pub const LATE_DAYS: i32 = 9;

/// What is known of a day of a way or a site.
#[derive(Debug, Clone)]
pub struct DayEvidence<'e> {
    /// Which day.
    pub day: Day,
    /// What was concluded.
    pub concluded: &'e Timeline,
    /// What was measured: of a way its own minutes, of a site those of its ways.
    pub measured: Vec<&'e Minutes>,
    /// Whether it is a site. That one of its ways answers says nothing against its being cut off further up.
    pub is_site: bool,
    /// The planned maintenances of it: each from when until when.
    pub maintained: &'e [(Timestamp, Timestamp)],
    /// What has not been yet is not counted.
    pub now: Timestamp,
}

impl DayEvidence<'_> {
    /// Returns how the day's time was spent.
    pub fn spent(&self) -> Spent {
        let (begin, end) = (self.day.start(), Day(self.day.0.saturating_add(1)).start().min(self.now));
        let mut spent = Spent::default();
        if begin >= end {
            return spent;
        }
        let mut edges = BTreeSet::from([begin, end]);
        edges.extend(self.concluded.turns().iter().map(|turn| turn.at));
        edges.extend(self.measured.iter().flat_map(|minutes| minutes.edges(self.day)));
        edges.extend(self.maintained.iter().flat_map(|(from, until)| [*from, *until]));
        let edges: Vec<Timestamp> = edges.range(begin..=end).copied().collect();
        for pair in edges.windows(2) {
            let [from, until] = pair else { continue };
            let ms = until.ms_since(*from).unsigned_abs();
            let standing = self.standing(*from);
            let is_maintained = self.maintained.iter().any(|(begin, end)| begin <= from && from < end);
            if is_maintained && standing != Standing::Absent {
                spent.maintenance_ms = spent.maintenance_ms.saturating_add(ms);
            } else {
                spent.add(standing, ms);
            }
        }
        spent
    }

    fn standing(&self, at: Timestamp) -> Standing {
        let concluded = self.concluded.at(at);
        let measured = self.measured.iter().filter_map(|minutes| minutes.at(self.day, at)).max();
        let is_concluded = concluded >= Standing::Down;
        if self.is_site && is_concluded { concluded } else { concluded.revised(measured) }
    }
}
