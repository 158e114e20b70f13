//! What was measured of a way, minute by minute of a day, by whoever measures it.
//!
//! Invariant: a minute is what every window says in which its middle lies, and windows add up in any order, repeated or
//! not. There are 1,440 minutes a day and no more runs than that.

use serde::{Deserialize, Serialize};

use super::{Quality, Standing};
use crate::{ProbeSample, Timestamp, coverage::Day};

/// A window that lost so many thousandths or more was bad: what agents take for degraded where nobody says otherwise.
pub const LOSSY_MILLI: u64 = 50;

const DAY_MINUTES: u16 = 1_440;
const MINUTE_MS: i64 = 60_000;

const ANSWERED: u8 = 1;
const LOSSY: u8 = 2;
const NOTHING: u8 = 4;

/// What was found in the minutes of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    /// From which minute on what was found, in order; before the first one nothing was.
    runs: Vec<(u16, u8)>,
}

/// What was measured of a way on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredDay {
    /// Minute by minute.
    pub minutes: Minutes,
    /// In sum.
    pub quality: Quality,
}

/// Returns the days into which a window falls that ended at `end`: each with its minutes, the first and the one after the
/// last.
pub fn windows(end: Timestamp, interval_ms: u64) -> impl Iterator<Item = (Day, u16, u16)> {
    // No window is longer than an hour; more than a day would be nonsense.
    let interval_ms = i64::try_from(interval_ms).unwrap_or(i64::MAX).clamp(0, 86_400_000);
    let begin = end.plus_ms(-interval_ms);
    let days = Day::of(begin).0..=Day::of(end).0;
    days.map(Day).filter_map(move |day| {
        let minute = |at: Timestamp| {
            // The first minute whose middle is not before `at`.
            let after = at.ms_since(day.start()).saturating_sub(MINUTE_MS / 2);
            let minute = after.saturating_add(MINUTE_MS - 1).div_euclid(MINUTE_MS).clamp(0, i64::from(DAY_MINUTES));
            u16::try_from(minute).unwrap_or(DAY_MINUTES)
        };
        let (first, until) = (minute(begin), minute(end));
        (first < until).then_some((day, first, until))
    })
}

impl Minutes {
    /// Returns the minutes of runs that were kept.
    pub fn of(runs: impl IntoIterator<Item = (u16, u8)>) -> Self {
        let mut minutes = Self::default();
        for (first, found) in runs {
            minutes.split(first.min(DAY_MINUTES));
            let last = minutes.runs.last_mut();
            if let Some(last) = last.filter(|last| last.0 == first) {
                last.1 = found;
            }
        }
        minutes
    }

    /// Returns from which minute on what was found: for whoever keeps it.
    pub fn runs(&self) -> &[(u16, u8)] {
        &self.runs
    }

    /// Takes in what a window found in the minutes from `first` to before `until`.
    pub fn mark(&mut self, first: u16, until: u16, sample: &ProbeSample) {
        let found = match sample.loss_milli() {
            None => return,
            Some(1_000..) => NOTHING,
            Some(LOSSY_MILLI..) => LOSSY,
            Some(_) => ANSWERED,
        };
        let until = until.min(DAY_MINUTES);
        if first >= until {
            return;
        }
        self.split(first);
        self.split(until);
        for run in self.runs.iter_mut().filter(|run| (first..until).contains(&run.0)) {
            run.1 |= found;
        }
        let mut before = 0;
        self.runs.retain(|run| std::mem::replace(&mut before, run.1) != run.1);
    }

    /// Returns how the way stood at a time of `day` by what was measured; `None` where nothing was.
    pub fn at(&self, day: Day, at: Timestamp) -> Option<Standing> {
        let minute = u16::try_from(at.ms_since(day.start()).div_euclid(MINUTE_MS)).ok()?;
        let after = self.runs.partition_point(|run| run.0 <= minute);
        match self.runs.get(after.checked_sub(1)?)?.1 {
            0 => None,
            ANSWERED => Some(Standing::Up),
            NOTHING => Some(Standing::Down),
            // Some windows were bad, or one end had answers and another none.
            _ => Some(Standing::Degraded),
        }
    }

    /// Returns the moments of `day` at which what was found changes.
    pub fn edges(&self, day: Day) -> impl Iterator<Item = Timestamp> {
        self.runs.iter().map(move |run| day.start().plus_ms(i64::from(run.0) * MINUTE_MS))
    }

    /// Lets a run begin at a minute.
    fn split(&mut self, minute: u16) {
        let place = self.runs.partition_point(|run| run.0 < minute);
        if self.runs.get(place).is_none_or(|run| run.0 != minute) {
            let found = place.checked_sub(1).and_then(|before| self.runs.get(before)).map_or(0, |run| run.1);
            self.runs.insert(place, (minute, found));
        }
    }
}
