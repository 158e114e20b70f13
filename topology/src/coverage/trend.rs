//! How coverage went: the figures of a site day by day, and month by month further back.
//!
//! Invariant: a trend is in the order of days, one entry a day, and bounded: the last [`TREND_DAYS`] days, and before them the
//! last entry of each month, [`MONTHS_MAX`] of them.

use std::{fmt, str::FromStr};

use jiff::{civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

use super::{Coverage, Terminals, Units};
use crate::{
    Timestamp, differences,
    time::{CHINA_AHEAD_H, CHINA_AHEAD_MS},
};

/// Days that a trend keeps whole: two months, so that a month can be held against the one before it.
pub const TREND_DAYS: i32 = 62;
/// Months of which a trend keeps the last day.
pub const MONTHS_MAX: usize = 120;

const DAY_MS: i64 = 86_400_000;

/// A day in China, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

/// A month in China.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    /// 1 to 12.
    month: i8,
}

/// The text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a month: write it as 2026-01")]
pub struct InvalidMonth(pub String);

/// The figures of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFigures {
    /// Which day.
    pub day: Day,
    /// What was counted on it.
    pub coverage: Coverage,
}

/// The figures of a site over time, packed: thousands of sites keep theirs, and hardly anybody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Days", into = "Days")]
pub struct Trend(Box<[u8]>);

/// The figures of a site over time, laid out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Days {
    days: Vec<DayFigures>,
}

impl Day {
    /// Returns the day in China on which `at` lies.
    pub fn of(at: Timestamp) -> Self {
        let days = at.china_ms().div_euclid(DAY_MS);
        Self(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Returns the moment at which it begins.
    pub fn start(self) -> Timestamp {
        Timestamp::from_unix_ms(i64::from(self.0) * DAY_MS - CHINA_AHEAD_MS)
    }

    /// Returns its month.
    pub fn month(self) -> Month {
        let date = self.date();
        Month { year: date.year(), month: date.month() }
    }

    /// Returns the last day of its month.
    #[must_use]
    pub fn end_of_month(self) -> Self {
        let date = self.date();
        Self(self.0.saturating_add(i32::from(date.days_in_month()) - i32::from(date.day())))
    }

    fn date(self) -> Date {
        let noon = self.start().plus_ms(DAY_MS / 2).unix_ms();
        // Days beyond jiff's years are no days of this network.
        jiff::Timestamp::from_millisecond(noon)
            .map_or(Date::ZERO, |noon| Offset::constant(CHINA_AHEAD_H).to_datetime(noon).date())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)
    }
}

impl Month {
    /// Returns its year.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Returns the month in which `at` lies.
    pub fn of(at: Timestamp) -> Self {
        Day::of(at).month()
    }

    /// Returns the month before.
    #[must_use]
    pub const fn before(self) -> Self {
        match self.month {
            1 => Self { year: self.year.saturating_sub(1), month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// Returns its first day.
    pub fn first(self) -> Day {
        let date = Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO);
        let midnight = Offset::constant(CHINA_AHEAD_H).to_timestamp(date.at(0, 0, 0, 0));
        midnight.map_or(Day(0), |midnight| Day::of(Timestamp::from_unix_ms(midnight.as_millisecond())))
    }

    /// Returns the month after.
    #[must_use]
    pub const fn after(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date: Option<Date> = format!("{text}-01").parse().ok().filter(|_| text.len() == 7);
        let date = date.ok_or_else(|| InvalidMonth(text.to_owned()))?;
        Ok(Self { year: date.year(), month: date.month() })
    }
}

impl FromIterator<DayFigures> for Trend {
    /// Adds the figures of each day in turn, as [`Trend::add`] does.
    fn from_iter<I: IntoIterator<Item = DayFigures>>(days: I) -> Self {
        let mut trend = Days::default();
        days.into_iter().for_each(|figures| trend.put(figures));
        trend.packed()
    }
}

impl From<Days> for Trend {
    fn from(it: Days) -> Self {
        it.days.into_iter().collect()
    }
}

impl From<Trend> for Days {
    fn from(it: Trend) -> Self {
        Self { days: it.days() }
    }
}

impl Trend {
    /// Adds the figures of a day, in the place of former figures of that day. Days before the last one change nothing: what
    /// was counted then is what was known then.
    pub fn add(&mut self, figures: DayFigures) {
        let mut days = Days { days: self.days() };
        days.put(figures);
        *self = days.packed();
    }

    /// Returns the last day with figures.
    pub fn last_day(&self) -> Option<Day> {
        self.last().map(|last| last.day)
    }

    /// Returns the last figures.
    pub fn last(&self) -> Option<DayFigures> {
        self.each().last()
    }

    /// Returns the figures day by day, where there are any.
    pub fn days(&self) -> Vec<DayFigures> {
        self.each().collect()
    }

    /// Returns the last figures of a month.
    pub fn of_month(&self, month: Month) -> Option<Coverage> {
        self.each().filter(|it| it.day.month() == month).last().map(|it| it.coverage)
    }

    fn each(&self) -> impl Iterator<Item = DayFigures> {
        differences::days(&self.0).map(DayFigures::of_numbers)
    }
}

impl DayFigures {
    /// Returns the last figures up to a day, of figures in the order of days.
    pub fn as_of(days: &[Self], day: Day) -> Option<Coverage> {
        let after = days.partition_point(|it| it.day <= day);
        days.get(after.checked_sub(1)?).map(|it| it.coverage)
    }

    /// Returns the day and its figures as they are packed.
    fn numbers(&self) -> (i32, [u64; 10]) {
        let Coverage { units, terminals } = self.coverage;
        let Terminals { registered, seen, silent, never_seen, strayed, unregistered, unregistered_unclassified } =
            terminals;
        let Units { planned, attached, reachable } = units;
        let figures = [
            planned,
            attached,
            reachable,
            registered,
            seen,
            silent,
            never_seen,
            strayed,
            unregistered,
            unregistered_unclassified,
        ];
        (self.day.0, figures.map(u64::from))
    }

    fn of_numbers((day, figures): (i32, [u64; 10])) -> Self {
        // They were numbers of 32 bits.
        let [planned, attached, reachable, registered, seen, silent, never_seen, strayed, unregistered, unclassified] =
            figures.map(|figure| u32::try_from(figure).unwrap_or(u32::MAX));
        let units = Units { planned, attached, reachable };
        let terminals = Terminals {
            registered,
            seen,
            silent,
            never_seen,
            strayed,
            unregistered,
            unregistered_unclassified: unclassified,
        };
        Self { day: Day(day), coverage: Coverage { units, terminals } }
    }
}

impl Days {
    fn packed(&self) -> Trend {
        Trend(differences::pack(self.days.iter().map(DayFigures::numbers)).into())
    }

    fn put(&mut self, figures: DayFigures) {
        match self.days.last_mut() {
            Some(last) if last.day > figures.day => return,
            Some(last) if last.day == figures.day => *last = figures,
            _ => self.days.push(figures),
        }
        self.forget(figures.day);
    }

    fn forget(&mut self, today: Day) {
        let first = today.0.saturating_sub(TREND_DAYS);
        let ends = |index: usize| match (self.days.get(index), self.days.get(index + 1)) {
            (Some(this), Some(next)) => this.day.month() != next.day.month(),
            _ => true,
        };
        let kept: Vec<bool> = self.days.iter().enumerate().map(|(index, it)| it.day.0 > first || ends(index)).collect();
        let mut kept = kept.into_iter();
        self.days.retain(|_| kept.next().unwrap_or(true));
        let recent = self.days.iter().filter(|it| it.day.0 > first).count();
        let over = self.days.len().saturating_sub(recent + MONTHS_MAX);
        self.days.drain(..over);
    }
}
