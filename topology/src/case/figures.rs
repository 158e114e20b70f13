//! Figures of cases: how many there were, what they were found to be, how long people took, and what became of notices.
//!
//! Invariant: neither a drill nor what a rule silences is in any figure.

use super::{Case, CaseState, CaseVerdict, Notice, NoticeAnswer};
use crate::{SiteId, Timestamp};

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
    /// What became of notices.
    pub notices: NoticeFigures,
    /// How long it took until somebody took each up, in milliseconds.
    acknowledged_ms: Vec<i64>,
    /// How long it took until each was closed.
    closed_ms: Vec<i64>,
}

/// Figures of some notices: each was answered in time, or late, or is unanswered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeFigures {
    /// Notices that were sent.
    pub sent: u32,
    /// Those of them with an answer that stands, each answer to which came in time.
    pub in_time: u32,
    /// Those with an answer that stands, and one that came late.
    pub late: u32,
    /// Those without an answer that stands.
    pub unanswered: u32,
    /// Those of the unanswered ones whose time was over, before their case was closed.
    pub overdue: u32,
}

/// The cases of a month, or of any other time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseMonth {
    /// Cases that were opened in it.
    pub opened: u32,
    /// Cases that were closed in it, by what they were found to be: true, benign, false.
    pub closed: [u32; 3],
    /// Cases of which something became overdue in it.
    pub overdue: u32,
    /// What became of the notices that were sent in it.
    pub notices: NoticeFigures,
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
    /// By the very site.
    Unit,
    /// By the very site and the month, in China.
    UnitMonth,
}

impl CaseGrouping {
    /// Every grouping.
    pub const ALL: [Self; 7] =
        [Self::Grade, Self::Kind, Self::Month, Self::Site, Self::Area, Self::Unit, Self::UnitMonth];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grade => "grade",
            Self::Kind => "kind",
            Self::Month => "month",
            Self::Site => "site",
            Self::Area => "area",
            Self::Unit => "unit",
            Self::UnitMonth => "unit_month",
        }
    }
}

impl Case {
    /// Returns whether figures count it.
    pub fn is_counted(&self) -> bool {
        !self.key.drill && self.state != CaseState::Silenced
    }
}

impl NoticeFigures {
    /// Counts a notice of a case that is one to be counted.
    pub fn add(&mut self, notice: &Notice, now: Timestamp) {
        self.sent += 1;
        if notice.answered().is_none() {
            self.unanswered += 1;
            self.overdue += u32::from(notice.due < notice.ended.unwrap_or(now));
        } else if notice.answers.iter().any(NoticeAnswer::is_late) {
            self.late += 1;
        } else {
            self.in_time += 1;
        }
    }
}

impl CaseMonth {
    /// Counts what happened to cases from `begin` until before `end`, as it stands at `now`: to cases of sites that `is_of` says yes of,
    /// and to notices to such.
    pub fn of<'c>(
        cases: impl Iterator<Item = &'c Case>,
        (begin, end, now): (Timestamp, Timestamp, Timestamp),
        is_of: impl Fn(SiteId) -> bool,
    ) -> Self {
        let mut month = Self::default();
        let is_in = |at: Timestamp| begin <= at && at < end;
        for case in cases.filter(|case| case.is_counted()) {
            for notice in case.notices.iter().filter(|it| is_in(it.sent) && is_of(it.to)) {
                month.notices.add(notice, now);
            }
            if !is_of(case.key.site) {
                continue;
            }
            month.opened += u32::from(is_in(case.opened));
            month.overdue += u32::from(case.steps.iter().any(|step| step.did == "overdue" && is_in(step.time)));
            if case.closed.is_some_and(is_in) {
                add_verdict(&mut month.closed, case);
            }
        }
        month
    }
}

/// Counts what a case was found to be.
fn add_verdict([found_true, benign, found_false]: &mut [u32; 3], case: &Case) {
    match case.state.verdict() {
        Some(CaseVerdict::True) => *found_true += 1,
        Some(CaseVerdict::Benign) => *benign += 1,
        Some(CaseVerdict::False) => *found_false += 1,
        Some(CaseVerdict::Drill) | None => {}
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
        add_verdict(&mut self.closed, case);
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
