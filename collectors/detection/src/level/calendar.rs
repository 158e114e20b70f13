//! Which days people work: the week, public holidays, and the weekend days worked for them (调休), as data of each year.
//!
//! Invariant: at most [`PERIODS_MAX`] periods; a day's kind is that of the last period read that has the day, else Saturday and
//! Sunday are off. It does not know what a series measures, nor what time it is.

use std::fmt::Write as _;

use jiff::civil::Date;
use onenet_topology::{Timestamp, time::CHINA_AHEAD_MIN};
use serde::{Deserialize, Serialize};

/// The periods that come with the product.
const CHINA: &str = include_str!("../../data/holidays.csv");
/// The most periods of a calendar: 40 years of some 25 each.
pub const PERIODS_MAX: usize = 1000;
/// The most days of one period: a mistyped year shall not turn decades into holidays.
const PERIOD_DAYS_MAX: i32 = 31;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayKind {
    /// People work.
    Work,
    /// A Saturday or Sunday.
    Weekend,
    /// A public holiday, its bridges and weekends included.
    Holiday,
}

/// A moment as the calendar sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What kind of day it is.
    pub kind: DayKind,
    /// 0 is Monday.
    pub weekday: u8,
    /// Minutes since midnight, under 1440.
    pub minute: u16,
    /// Whole days since 1970-01-01.
    pub day: i32,
}

/// A period of days off, or of days worked although they are a weekend.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Period {
    first: i32,
    last: i32,
    work: bool,
}

/// The days people work, in one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    offset_minutes: i16,
    periods: Vec<Period>,
}

/// A line of a calendar cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}; write first,last,off or work,name, such as 2026-10-01,2026-10-07,off,国庆节")]
pub struct InvalidCalendar {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Calendar {
    /// Returns a calendar of weeks alone.
    pub fn weeks(offset_minutes: i16) -> Self {
        Self { offset_minutes, periods: Vec::new() }
    }

    /// Returns the calendar of China with the years that come with the product, in the time of China.
    pub fn china() -> Self {
        let mut calendar = Self::weeks(CHINA_AHEAD_MIN);
        // What comes with the product is read by a test; a line that cannot be read is a day like any other.
        let _read = calendar.add(CHINA);
        calendar
    }

    /// Returns the same days in another time zone.
    #[must_use]
    pub fn with_offset_minutes(mut self, offset_minutes: i16) -> Self {
        self.offset_minutes = offset_minutes;
        self
    }

    /// Adds periods, a line each (`first,last,kind,name`); empty lines, lines that begin with `#` and a header are passed over.
    ///
    /// # Errors
    /// A line is none of these. Nothing of the text is added then.
    pub fn add(&mut self, text: &str) -> Result<(), InvalidCalendar> {
        let mut added = Vec::new();
        for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("first,") {
                continue;
            }
            added.push(period(line).map_err(|reason| InvalidCalendar { line: n + 1, reason })?);
            if self.periods.len() + added.len() > PERIODS_MAX {
                let reason = format!("a calendar has at most {PERIODS_MAX} periods: leave out past years");
                return Err(InvalidCalendar { line: n + 1, reason });
            }
        }
        self.periods.append(&mut added);
        Ok(())
    }

    /// Returns what the calendar says of a point in time.
    pub fn moment(&self, time: Timestamp) -> Moment {
        let local = time.unix_ms().saturating_add(i64::from(self.offset_minutes) * MINUTE_MS);
        let day = i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
        let minute = u16::try_from(local.rem_euclid(DAY_MS) / MINUTE_MS).unwrap_or(0);
        // 1970-01-01 was a Thursday.
        let weekday = u8::try_from((i64::from(day) + 3).rem_euclid(7)).unwrap_or(0);
        Moment { kind: self.kind(day, weekday), weekday, minute, day }
    }

    fn kind(&self, day: i32, weekday: u8) -> DayKind {
        match self.periods.iter().rfind(|period| (period.first..=period.last).contains(&day)) {
            Some(period) if period.work => DayKind::Work,
            Some(_) => DayKind::Holiday,
            None if weekday >= 5 => DayKind::Weekend,
            None => DayKind::Work,
        }
    }
}

fn period(line: &str) -> Result<Period, String> {
    let mut fields = line.split(',').map(str::trim);
    let mut next =
        |what: &str| fields.next().filter(|it| !it.is_empty()).ok_or_else(|| format!("the {what} is missing"));
    let (first, last, kind) = (next("first day")?, next("last day")?, next("kind")?);
    let (first, last) = (days(first)?, days(last)?);
    if last < first || last - first >= PERIOD_DAYS_MAX {
        let mut reason = String::from("a period ends on or after its first day");
        let _written = write!(reason, " and has at most {PERIOD_DAYS_MAX} days");
        return Err(reason);
    }
    match kind {
        "off" => Ok(Period { first, last, work: false }),
        "work" => Ok(Period { first, last, work: true }),
        other => Err(format!("{other:?} is no kind of day")),
    }
}

/// Returns the days since 1970-01-01.
fn days(text: &str) -> Result<i32, String> {
    let date: Date = text.parse().map_err(|_| format!("{text:?} is not a day"))?;
    Ok((date - Date::constant(1970, 1, 1)).get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(time: &str) -> DayKind {
        Calendar::china().moment(time.parse().unwrap()).kind
    }

    #[test]
    fn what_comes_with_the_product_can_be_read_whole() {
        let mut calendar = Calendar::weeks(CHINA_AHEAD_MIN);
        calendar.add(CHINA).unwrap();
        assert_eq!(calendar, Calendar::china());
        let work = calendar.periods.iter().filter(|period| period.work);
        for period in work {
            let weekday = (period.first + 3).rem_euclid(7);
            assert!(
                period.first == period.last && weekday >= 5,
                "a make-up workday is a Saturday or a Sunday: {period:?}"
            );
        }
    }

    #[test]
    fn holidays_and_the_weekend_days_worked_for_them_are_known() {
        assert_eq!(kind("2025-10-08T12:00:00+08:00"), DayKind::Holiday);
        assert_eq!(kind("2025-10-09T12:00:00+08:00"), DayKind::Work);
        assert_eq!(kind("2025-10-11T12:00:00+08:00"), DayKind::Work, "a Saturday worked for the holiday");
        assert_eq!(kind("2025-10-12T12:00:00+08:00"), DayKind::Weekend);
        assert_eq!(kind("2026-02-14T09:00:00+08:00"), DayKind::Work);
        assert_eq!(kind("2026-02-15T09:00:00+08:00"), DayKind::Holiday);
        assert_eq!(kind("2031-05-03T09:00:00+08:00"), DayKind::Weekend, "a year without data has weeks");
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let moment = Calendar::china().moment("2026-09-30T16:00:00Z".parse().unwrap());
        assert_eq!((moment.kind, moment.minute, moment.weekday), (DayKind::Holiday, 0, 3));
        let utc = Calendar::china().with_offset_minutes(0).moment("2026-09-30T16:00:00Z".parse().unwrap());
        assert_eq!((utc.kind, utc.minute, utc.weekday), (DayKind::Work, 960, 2));
    }

    #[test]
    fn a_users_line_goes_before_ours_and_a_wrong_one_is_named() {
        let mut calendar = Calendar::china();
        calendar.add("2027-01-02,2027-01-03,off,元旦\n\n2026-10-06,2026-10-07,work,防汛\n").unwrap();
        let at = |time: &str| calendar.moment(time.parse().unwrap()).kind;
        assert_eq!(at("2027-01-03T08:00:00+08:00"), DayKind::Holiday);
        assert_eq!(at("2026-10-06T08:00:00+08:00"), DayKind::Work);
        for (text, line) in [
            ("2026-10-01,2026-10-07,off,a\n2026-13-01,2026-13-01,off,b", 2),
            ("2026-10-01,2026-09-01,off", 1),
            ("2026-10-01,2036-10-01,off", 1),
            ("2026-10-01,2026-10-02,rest", 1),
            ("2026-10-01", 1),
        ] {
            let before = calendar.clone();
            let error = calendar.add(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains("2026-10-01,2026-10-07,off"), "{error}");
            assert_eq!(calendar, before);
        }
    }
}
