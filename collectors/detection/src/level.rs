//! What is usual in a series of numbers, and when it has left that for good.
//!
//! A [`Level`] reads a series row by row and gives each row a score and a verdict. It learns from the series alone, in about 4 KB
//! that do not grow, whatever the sampling interval; rows may be missing, and their steps unequal.
//!
//! **What is expected** (`season.rs`): a robust mean m and mean distance s for each half hour of the day, on working days and on days
//! off ([`calendar`]), drawn to the other kind of day and to the whole as long as there were few such days.
//!
//! **Score.** Three magnitudes of a row x, each in units of its own spread:
//!
//! | | is | sees |
//! |---|---|---|
//! | season | `abs(x − m) / s` | what is unusual for this time of this kind of day |
//! | step | `abs((x − m) / s − h)`, h the mean of `(x − m) / s` over the last hour | a jump, also on a day that is high or low as a whole |
//! | whole | `abs(x − M) / S` of all times of day | what is unusual at any time, also while the season is not known |
//!
//! The rarity of each is −log10 of the share of the series' own past that was at least so large (`tail.rs`), so that a heavy
//! tail is no surprise where it is usual, and one threshold serves all series. Their surprise is `q = max(r) + (r1 + r2 + r3) / 2`. What has
//! been said is not said again: the news of a row is `n = q − 0.8 · k`, where k is the largest surprise before it, fading by e a day.
//! The score is `n / (n + 1)`, 0 where n is negative; from [`UNUSUAL`] on the verdict is *unusual*.
//!
//! **Shift** (`shift.rs`): whole hours that lie outside of what is usual on one side, or have far too little, for four to eight hours. A shift that stays is the
//! new usual after about five days of its kind: a week on working days, up to three on weekends.
//!
//! **Learning** is the verdict while the half hour was seen on fewer than two earlier days of its kind; scores are given all the same.
//!
//! Invariants: a score is in [0, 1] and no number is NaN, whatever comes in; multiplying a series by a factor (a negative one too) does not
//! change a score; rows count in their order of time, and what comes later than its time changes nothing.
//!
//! It does not see: what is unusual for a weekday alone (Mondays are working days like any other); a change slower than about a spread
//! a week, which it follows; a dip that lies within what that time of day varies by. A feed that sends no rows has
//! no row to judge: that is what [`Level::silence`] is for.

pub mod calendar;
mod season;
mod shift;
mod tail;

pub use calendar::{Calendar, DayKind, InvalidCalendar, Moment};

use onenet_topology::Timestamp;
use serde::{Deserialize, Serialize};

use season::Season;
use shift::Shift;
use tail::Tail;

/// The score from which a row is unusual.
pub const UNUSUAL: f64 = 0.75;
/// On so many earlier days of its kind a time of day must have been seen before a row is judged.
const LEARNT_DAYS: u16 = 2;
/// Larger values are taken for this one.
const VALUE_MAX: f64 = 1e100;
const MINUTE_MS: f64 = 60_000.0;
/// The time over which "the last hour" is averaged, in minutes.
const HOUR_MINUTES: f64 = 60.0;
/// How long what was said stays said, in minutes.
const SAID_MINUTES: f64 = 1440.0;
/// How much of what was said is taken off.
const SAID_SHARE: f64 = 0.8;
/// How much of the sum of rarities is added to the largest.
const SUM_SHARE: f64 = 0.5;
/// Rows that must have been seen until one can be a surprise: of the first few each is unlike all others.
const SCORED_ROWS: u32 = 24;
/// By how much one row changes what is taken for the usual step from row to row.
const INTERVAL_PACE: f64 = 1.02;
/// A feed is silent after so many usual steps.
const SILENT_STEPS: f64 = 5.0;
/// A distance is compared with at least this, so that a constant series has a scale.
const TINY: f64 = 1e-9;

/// What is to be said of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// There is too little history of this time of day.
    Learning,
    /// As ever.
    Usual,
    /// Rare in this series, and news.
    Unusual,
    /// For hours now, the series is not where it belongs.
    Shifted,
}

impl Verdict {
    /// Returns the word of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Usual => "usual",
            Self::Unusual => "unusual",
            Self::Shifted => "shifted",
        }
    }
}

/// What the model says of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// How much of a surprise the row is, from 0 to 1; 0 for the first two dozen rows.
    pub score: f64,
    /// What is to be said.
    pub verdict: Verdict,
    /// What was expected at this time; the value itself where nothing is known yet.
    pub expected: f64,
    /// Since when the series is shifted, as far as it is.
    pub since: Option<Timestamp>,
}

/// A row is not read. The model is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has the time of the row before.
    #[error("its time is that of the row before")]
    SameTime,
    /// It is earlier than a row that was read.
    #[error("it is earlier than the row before")]
    Earlier,
    /// The value is no number.
    #[error("its value is not a finite number")]
    NotFinite,
}

/// A model of what is usual in one series. It can be stored and read back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Level {
    season: Season,
    shift: Shift,
    last: Option<Timestamp>,
    /// Rows that were read, up to [`SCORED_ROWS`].
    rows: u32,
    /// The usual step from row to row, in minutes.
    interval: f64,
    /// The longest step of late, in minutes.
    longest: f64,
    /// How far from what is expected the last hour was, in spreads.
    hour: f64,
    tails: [Tail; 3],
    /// The largest surprise of late.
    said: f64,
}

impl Level {
    /// Returns a model that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a row: judges it by what came before, then learns from it.
    ///
    /// # Errors
    /// The row cannot be read, and nothing changes.
    pub fn observe(&mut self, calendar: &Calendar, time: Timestamp, value: f64) -> Result<Reading, Refused> {
        if !value.is_finite() {
            return Err(Refused::NotFinite);
        }
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        let moment = calendar.moment(time);
        let Some(last) = self.last else {
            self.season.learn(moment, value, 1.0);
            (self.last, self.rows) = (Some(time), 1);
            return Ok(Reading { score: 0.0, verdict: Verdict::Learning, expected: value, since: None });
        };
        let step = match time.ms_since(last) {
            0 => return Err(Refused::SameTime),
            ms if ms < 0 => return Err(Refused::Earlier),
            // Longer than 49 days is as good as that.
            ms => f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / MINUTE_MS,
        };
        self.pace(step);
        let expected = self.season.expected(moment);
        let known = expected.days_before(moment) >= LEARNT_DAYS;
        let surprise = self.surprise(value, &expected, step);
        let news = self.news(surprise, step);
        let score = if self.rows < SCORED_ROWS { 0.0 } else { news };
        self.rows = self.rows.saturating_add(1).min(SCORED_ROWS);
        if known {
            self.shift.take(time, value, &self.season.usual(moment));
        }
        self.season.learn(moment, value, self.interval);
        self.last = Some(time);
        let verdict = match (known, self.shift.since()) {
            (false, _) => Verdict::Learning,
            (true, Some(_)) => Verdict::Shifted,
            (true, None) if score >= UNUSUAL => Verdict::Unusual,
            (true, None) => Verdict::Usual,
        };
        let since = self.shift.since().filter(|_| known);
        Ok(Reading { score, verdict, expected: expected.mean, since })
    }

    /// Returns since when there has been no row, where that is longer than this series' steps explain: more than five usual
    /// steps, and more than twice the longest of late.
    pub fn silence(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.last?;
        let waited = f64::from(u32::try_from(now.ms_since(last).max(0)).unwrap_or(u32::MAX)) / MINUTE_MS;
        let patience = (SILENT_STEPS * self.interval).max(2.0 * self.longest);
        (self.interval > 0.0 && waited > patience).then_some(last)
    }

    /// Follows the usual step: its median, a fiftieth at a time.
    fn pace(&mut self, step: f64) {
        if self.interval <= 0.0 {
            (self.interval, self.longest) = (step, step);
        } else if step > self.interval {
            self.interval = (self.interval * INTERVAL_PACE).min(step);
        } else {
            self.interval = (self.interval / INTERVAL_PACE).max(step);
        }
        // One outage shall not make the next one usual.
        let counted = step.min(SILENT_STEPS * self.interval);
        self.longest = counted.max(self.longest + (self.interval - self.longest) * 0.01);
    }

    /// Returns how rare the row is, and learns that.
    fn surprise(&mut self, value: f64, expected: &season::Expected, step: f64) -> f64 {
        let whole = self.season.whole();
        let tiny = TINY * (whole.mean.abs() + whole.spread) + f64::MIN_POSITIVE;
        let season = (value - expected.mean) / expected.spread.max(tiny);
        let magnitudes = [season, season - self.hour, (value - whole.mean) / whole.spread.max(tiny)];
        let (mut largest, mut sum) = (0.0_f64, 0.0);
        for (tail, magnitude) in self.tails.iter_mut().zip(magnitudes) {
            let rarity = tail.rarity(magnitude.abs());
            tail.learn(magnitude.abs());
            largest = largest.max(rarity);
            sum += rarity;
        }
        let over = HOUR_MINUTES.max(1.5 * self.interval);
        let share = 1.0 - (-step.min(4.0 * self.interval) / over).exp();
        self.hour += share * (season.clamp(-8.0, 8.0) - self.hour);
        largest + SUM_SHARE * sum
    }

    /// Returns the score: what of a surprise was not said before.
    fn news(&mut self, surprise: f64, step: f64) -> f64 {
        self.said *= (-step / SAID_MINUTES).exp();
        let news = (surprise - SAID_SHARE * self.said).max(0.0);
        self.said = self.said.max(surprise);
        news / (news + 1.0)
    }
}

#[cfg(test)]
mod tests;
