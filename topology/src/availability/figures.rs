//! Figures: time by how it was spent, and quality, of a day or of any sum of days, ways and sites.
//!
//! Invariant: figures add up. What was not measured is absent, never zero.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::Standing;
use crate::ProbeSample;

/// Time in milliseconds, by how it was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// It worked.
    pub up_ms: u64,
    /// It worked, badly.
    pub degraded_ms: u64,
    /// It did not work.
    pub down_ms: u64,
    /// Nobody could tell.
    pub unknown_ms: u64,
    /// It was planned to be out of order.
    pub maintenance_ms: u64,
}

/// What was measured, in sum. Means are weighted by the answers that they are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Questions sent.
    pub sent: u64,
    /// Questions that nobody answered.
    pub lost: u64,
    /// The greatest loss of a window, in thousandths.
    pub loss_worst_milli: u64,
    /// Answers of windows whose round trip is known.
    pub timed: u64,
    /// The sum of their windows' median round trips, once an answer, in microseconds.
    pub round_trip_sum_us: u64,
    /// The greatest round trip that 95 in a hundred of a window kept under.
    pub round_trip_worst_us: u64,
    /// Answers of windows whose jitter is known.
    pub jittered: u64,
    /// The sum of their windows' jitters, once an answer, in microseconds.
    pub jitter_sum_us: u64,
    /// The greatest jitter of a window.
    pub jitter_worst_us: u64,
}

/// How something was over some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How the time was spent.
    pub spent: Spent,
    /// What was measured meanwhile.
    pub quality: Quality,
}

impl Spent {
    /// Adds time that was spent standing like this.
    pub const fn add(&mut self, standing: Standing, ms: u64) {
        let sum = match standing {
            Standing::Absent => return,
            Standing::Unknown => &mut self.unknown_ms,
            Standing::Down => &mut self.down_ms,
            Standing::Degraded => &mut self.degraded_ms,
            Standing::Up => &mut self.up_ms,
        };
        *sum = sum.saturating_add(ms);
    }

    /// Returns the time of which it is known how it was, maintenance aside.
    pub const fn known_ms(&self) -> u64 {
        self.up_ms.saturating_add(self.degraded_ms).saturating_add(self.down_ms)
    }

    /// Returns all time, maintenance aside.
    pub const fn counted_ms(&self) -> u64 {
        self.known_ms().saturating_add(self.unknown_ms)
    }

    /// Returns up and degraded as a part of the known time; `None` where nothing is known.
    pub fn availability(&self) -> Option<f64> {
        part(self.up_ms.saturating_add(self.degraded_ms), self.known_ms())
    }

    /// Returns unknown as a part of all time but maintenance; `None` where there is none.
    pub fn unknown(&self) -> Option<f64> {
        part(self.unknown_ms, self.counted_ms())
    }
}

impl Quality {
    /// Takes in what a window measured.
    pub fn take(&mut self, sample: &ProbeSample) {
        let answered = sample.answered();
        self.sent = self.sent.saturating_add(sample.sent);
        self.lost = self.lost.saturating_add(sample.lost.min(sample.sent));
        self.loss_worst_milli = self.loss_worst_milli.max(sample.loss_milli().unwrap_or(0));
        if let Some(median) = sample.round_trip_median_us {
            self.timed = self.timed.saturating_add(answered);
            self.round_trip_sum_us = self.round_trip_sum_us.saturating_add(median.saturating_mul(answered));
        }
        self.round_trip_worst_us = self.round_trip_worst_us.max(sample.round_trip_p95_us.unwrap_or(0));
        if let Some(jitter) = sample.jitter_us {
            self.jittered = self.jittered.saturating_add(answered);
            self.jitter_sum_us = self.jitter_sum_us.saturating_add(jitter.saturating_mul(answered));
        }
        self.jitter_worst_us = self.jitter_worst_us.max(sample.jitter_us.unwrap_or(0));
    }

    /// Returns what was lost as a part of what was sent; `None` where nothing was.
    pub fn loss(&self) -> Option<f64> {
        part(self.lost, self.sent)
    }

    /// Returns the mean round trip in microseconds.
    pub const fn round_trip_us(&self) -> Option<u64> {
        self.round_trip_sum_us.checked_div(self.timed)
    }

    /// Returns the mean jitter in microseconds.
    pub const fn jitter_us(&self) -> Option<u64> {
        self.jitter_sum_us.checked_div(self.jittered)
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.up_ms = self.up_ms.saturating_add(other.up_ms);
        self.degraded_ms = self.degraded_ms.saturating_add(other.degraded_ms);
        self.down_ms = self.down_ms.saturating_add(other.down_ms);
        self.unknown_ms = self.unknown_ms.saturating_add(other.unknown_ms);
        self.maintenance_ms = self.maintenance_ms.saturating_add(other.maintenance_ms);
    }
}

impl AddAssign for Quality {
    fn add_assign(&mut self, other: Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.lost = self.lost.saturating_add(other.lost);
        self.loss_worst_milli = self.loss_worst_milli.max(other.loss_worst_milli);
        self.timed = self.timed.saturating_add(other.timed);
        self.round_trip_sum_us = self.round_trip_sum_us.saturating_add(other.round_trip_sum_us);
        self.round_trip_worst_us = self.round_trip_worst_us.max(other.round_trip_worst_us);
        self.jittered = self.jittered.saturating_add(other.jittered);
        self.jitter_sum_us = self.jitter_sum_us.saturating_add(other.jitter_sum_us);
        self.jitter_worst_us = self.jitter_worst_us.max(other.jitter_worst_us);
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.spent += other.spent;
        self.quality += other.quality;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a part of a whole is told to a few digits")]
fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
