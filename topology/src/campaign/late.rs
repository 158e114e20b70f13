//! Who is late in a campaign, and that it is told once.
//!
//! Invariant: what is told is a part of the campaign or of the sheet, so that it is told once, whatever happens in between. A finding that is given
//! another date is late anew once that is over.

use std::collections::BTreeSet;

use super::{Campaign, FindingState, STEPS_MAX, Sheet, SheetStep};
use crate::{SiteId, Timestamp};

/// The name of the step that tells that something is late.
pub const OVERDUE: &str = "overdue";

impl Campaign {
    /// Returns the units that were to answer by now and have not; `None` before that, and once they were told of.
    pub fn late<'s>(&self, now: Timestamp, sheet: impl Fn(SiteId) -> Option<&'s Sheet>) -> Option<BTreeSet<SiteId>> {
        let is_time = self.is_open() && self.late_told.is_none() && self.plan.due < now;
        let owes = |site: &SiteId| sheet(*site).map_or(0, |it| it.answers.len()) < self.plan.checklist.len();
        is_time.then(|| self.plan.units.iter().copied().filter(owes).collect())
    }

    /// Returns the campaign once it was told who is late, if anybody is.
    #[must_use]
    pub fn told_late(&self, now: Timestamp) -> Self {
        Self { late_told: Some(now), ..self.clone() }
    }
}

impl Sheet {
    /// Returns the numbers of the findings that were to be mended by now and are not, and that nobody was told of as late.
    pub fn late(&self, now: Timestamp) -> BTreeSet<u16> {
        let is_late = |number: u16| {
            let finding = self.findings.get(usize::from(number).saturating_sub(1));
            finding.is_some_and(|it| it.state == FindingState::Open && it.due < now) && !self.late.contains(&number)
        };
        let last = u16::try_from(self.findings.len()).unwrap_or(u16::MAX);
        (1..=last).filter(|number| is_late(*number)).collect()
    }

    /// Returns the sheet once it was told that these findings are late; none of them: that the unit did not answer.
    #[must_use]
    pub fn told_late(&self, now: Timestamp, findings: &BTreeSet<u16>) -> Self {
        let mut next = self.clone();
        next.late.extend(findings);
        let mut step = |item: u16, text: String| {
            // What is full says no more; that it was told stays known.
            if next.steps.len() < STEPS_MAX {
                next.steps.push(SheetStep { time: now, by: String::new(), did: OVERDUE.to_owned(), item, text });
            }
        };
        if findings.is_empty() {
            step(0, String::new());
        }
        let of = |number: &u16| self.findings.get(usize::from(*number).saturating_sub(1));
        findings.iter().filter_map(of).for_each(|it| step(it.item, it.text.clone()));
        next
    }
}
