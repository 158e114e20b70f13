//! Figures of cases: how many there were, what they were found to be, and how long people took.
//!
//! Invariant: neither a drill nor what a rule silences is in any figure.

use super::{Case, CaseState, CaseVerdict};
use crate::{Timestamp, coverage::Day};

/// Figures of some cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFigures {
    /// Cases that were opened.
    pub opened: u32,
    /// Those of them that are open.
    pub open: u32,
    /// Those of them of which something is overdue.
    pub overdue: u32,
    /// Those that went up at least once.
    pub escalated: u32,
    /// Those of which a unit was notified.
    pub notified: u32,
    /// Those that are closed, by what they were found to be: true, benign, false.
    pub closed: [u32; 3],
    /// How long it took until somebody took each up, in milliseconds.
    acknowledged_ms: Vec<i64>,
    /// How long it took until each was closed.
    closed_ms: Vec<i64>,
}

/// By what cases are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseGrouping {
    /// By grade.
    Grade,
    /// By what kind of thing they are about.
    Kind,
    /// By the month, in China, in which they were opened.
    Month,
    /// By the part of the network below the asked one.
    Site,
    /// By area; a case is in each area that has its site.
    Area,
}

impl CaseGrouping {
    /// Every grouping.
    pub const ALL: [Self; 5] = [Self::Grade, Self::Kind, Self::Month, Self::Site, Self::Area];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grade => "grade",
            Self::Kind => "kind",
            Self::Month => "month",
            Self::Site => "site",
            Self::Area => "area",
        }
    }
}

impl Case {
    /// Returns whether figures count it.
    pub fn is_counted(&self) -> bool {
        !self.key.drill && self.state != CaseState::Silenced
    }

    /// Returns the month in which it was opened, such as `2026-11`.
    pub fn month(&self) -> String {
        Day::of(self.opened).month().to_string()
    }
}

impl CaseFigures {
    /// Counts a case, if it is one to be counted.
    pub fn add(&mut self, case: &Case, now: Timestamp) {
        if !case.is_counted() {
            return;
        }
        self.opened += 1;
        self.open += u32::from(case.is_open());
        self.overdue += u32::from(case.is_overdue(now));
        self.escalated += u32::from(!case.escalations.is_empty());
        self.notified += u32::from(!case.notices.is_empty());
        let [found_true, benign, found_false] = &mut self.closed;
        match case.state.verdict() {
            Some(CaseVerdict::True) => *found_true += 1,
            Some(CaseVerdict::Benign) => *benign += 1,
            Some(CaseVerdict::False) => *found_false += 1,
            Some(CaseVerdict::Drill) | None => {}
        }
        self.acknowledged_ms.extend(case.acknowledged_after_ms());
        self.closed_ms.extend(case.state.verdict().map(|_| case.age_ms(now)));
    }

    /// Returns how long it took until so many in a hundred of those that somebody took up were taken up, in milliseconds.
    pub fn acknowledged_after_ms(&self, percent: usize) -> Option<i64> {
        within(&self.acknowledged_ms, percent)
    }

    /// Returns how long it took until so many in a hundred of those that are closed were closed.
    pub fn closed_after_ms(&self, percent: usize) -> Option<i64> {
        within(&self.closed_ms, percent)
    }
}

/// Returns the smallest time that so many in a hundred kept within (nearest rank).
fn within(times: &[i64], percent: usize) -> Option<i64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = times.len().saturating_mul(percent.min(100)).div_ceil(100);
    times.get(rank.max(1).saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_smallest_time_that_so_many_kept_within() {
        assert_eq!(within(&[], 50), None);
        assert_eq!(within(&[7], 50), Some(7));
        assert_eq!((within(&[4, 1, 3, 2], 50), within(&[4, 1, 3, 2], 90)), (Some(2), Some(4)));
        assert_eq!((within(&[1, 2], 0), within(&[1, 2], 200)), (Some(1), Some(2)));
    }
}
