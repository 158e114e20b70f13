//! What is usual at a time of day, on working days and on days off.
//!
//! A day has 48 slots, for each kind of day. A slot keeps a robust mean and the mean distance from it (steps are cut at three and
//! six spreads); both forget at the pace of days, not of rows, so that any sampling interval learns alike: after six days of a kind
//! a slot is where its values are.
//!
//! Invariant: fixed size; what is returned is finite. It does not know how a surprise is judged.

use serde::{Deserialize, Serialize};

use super::calendar::{DayKind, Moment};

const SLOTS: usize = 48;
const SLOT_MINUTES: u16 = 30;
/// Within how many visits, one a day, a slot follows a new level.
const VISITS: f64 = 6.0;
/// As many days the other kind of day and the whole count for, beside a slot's own.
const PRIOR_OTHER: f64 = 2.0;
const PRIOR_OWN: f64 = 0.5;
/// A slot's spread is at least this share of the whole's.
const SPREAD_LEAST: f64 = 0.1;
/// How many spreads from the mean are usual.
const USUAL_SPREADS: f64 = 4.0;

/// What may be left on a public holiday of what a weekend has.
const QUIET_HOLIDAY: f64 = 0.2;

/// A robust mean and the mean distance from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Centre {
    pub(super) mean: f64,
    pub(super) spread: f64,
    weight: f64,
}

/// A slot of a kind of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    centre: Centre,
    /// On how many days it was visited, and last on which.
    days: u16,
    last_day: i32,
}

/// What is usual, by the time of day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Season {
    work: Vec<Slot>,
    off: Vec<Slot>,
    whole: Centre,
}

/// What is expected at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expected {
    pub(super) mean: f64,
    pub(super) spread: f64,
    days: u16,
    last_day: i32,
}

/// Between which values an hour is usual; unlike a row's surprise, this allows for what the calendar cannot know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) low: f64,
    pub(super) high: f64,
    /// What a distance from there is measured in.
    pub(super) unit: f64,
    /// How much there is at the least that is usual, and over all times of day; of the sign of the series.
    pub(super) least: f64,
    pub(super) whole: f64,
    /// By how much more than later everything may differ, as few such days were seen: 1 or more.
    pub(super) few: f64,
}

impl Centre {
    /// Takes a value in with a weight of at least `pace`.
    pub(super) fn learn(&mut self, value: f64, pace: f64) {
        if self.weight < 1.0 {
            *self = Self { mean: value, spread: 0.0, weight: 1.0 };
            return;
        }
        let pace = pace.max(1.0 / (self.weight + 1.0)).min(1.0);
        let cut = if self.weight < 4.0 || self.spread <= 0.0 { f64::INFINITY } else { 3.0 * self.spread };
        let step = (value - self.mean).clamp(-2.0 * cut, 2.0 * cut);
        self.mean += pace * step.clamp(-cut, cut);
        self.spread += pace * (step.abs() - self.spread);
        self.weight = (self.weight + 1.0).min(1e6);
    }

    /// Returns how many values it has seen, as far as it counts.
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }
}

impl Default for Season {
    fn default() -> Self {
        Self { work: vec![Slot::default(); SLOTS], off: vec![Slot::default(); SLOTS], whole: Centre::default() }
    }
}

impl Expected {
    /// Returns on how many days before this one the time of day was seen.
    pub(super) fn days_before(&self, moment: Moment) -> u16 {
        if self.last_day == moment.day { self.days.saturating_sub(1) } else { self.days }
    }
}

impl Season {
    /// Takes in a value; rows come about every `interval` minutes.
    pub(super) fn learn(&mut self, moment: Moment, value: f64, interval: f64) {
        let rows_a_slot = (f64::from(SLOT_MINUTES) / interval.max(1e-6)).max(1.0);
        self.whole.learn(value, 1.0 / (rows_a_slot * f64::from(1440 / SLOT_MINUTES) * VISITS));
        let slots = if moment.kind == DayKind::Work { &mut self.work } else { &mut self.off };
        let Some(slot) = slots.get_mut(usize::from(moment.minute / SLOT_MINUTES)) else { return };
        if slot.days == 0 || slot.last_day != moment.day {
            slot.days = slot.days.saturating_add(1);
            slot.last_day = moment.day;
        }
        slot.centre.learn(value, 1.0 / (rows_a_slot * VISITS));
    }

    /// Returns what is expected: the slot's own as far as it was visited, the rest from the other kind of day, then from the whole.
    pub(super) fn expected(&self, moment: Moment) -> Expected {
        let (own, other) = self.slots(moment);
        let mut mean = self.whole.mean;
        let mut spread = self.whole.spread;
        for (slot, prior) in [(other, PRIOR_OTHER), (own, PRIOR_OWN)] {
            let share = f64::from(slot.days) / (f64::from(slot.days) + prior);
            mean += share * (slot.centre.mean - mean);
            spread += share * (slot.centre.spread - spread);
        }
        let spread = spread.max(SPREAD_LEAST * self.whole.spread);
        Expected { mean, spread, days: own.days, last_day: own.last_day }
    }

    /// Returns between which values an hour is usual. Few days say little of how far days differ. A public holiday may be like a
    /// working day, like a weekend, or as much quieter than a weekend as that is quieter than a working day.
    pub(super) fn usual(&self, moment: Moment) -> Usual {
        let expected = self.expected(moment);
        let few = 1.0 + 3.0 / f64::from(expected.days_before(moment).max(1));
        let unit = expected.spread * few;
        let room = USUAL_SPREADS * unit;
        let (mut low, mut high) = (expected.mean - room, expected.mean + room);
        let mut least = expected.mean;
        if moment.kind == DayKind::Holiday {
            let (_, work) = self.slots(moment);
            let (down, up) = self.differences();
            low = low.min(work.centre.mean - room).min(expected.mean - room - down);
            high = high.max(work.centre.mean + room).max(expected.mean + room + up);
            least *= QUIET_HOLIDAY;
        }
        Usual { low, high, unit, least, whole: self.whole.mean, few }
    }

    pub(super) fn whole(&self) -> Centre {
        self.whole
    }

    /// Returns the slot of this kind of day, and that of the other.
    fn slots(&self, moment: Moment) -> (Slot, Slot) {
        let at = usize::from(moment.minute / SLOT_MINUTES);
        let (own, other) = if moment.kind == DayKind::Work { (&self.work, &self.off) } else { (&self.off, &self.work) };
        (own.get(at).copied().unwrap_or_default(), other.get(at).copied().unwrap_or_default())
    }

    /// Returns how much days off lie under working days on the average of the day, and over them.
    fn differences(&self) -> (f64, f64) {
        let (mut down, mut up, mut n) = (0.0, 0.0, 0.0);
        for (work, off) in self.work.iter().zip(&self.off) {
            if work.days > 0 && off.days > 0 {
                down += (work.centre.mean - off.centre.mean).max(0.0);
                up += (off.centre.mean - work.centre.mean).max(0.0);
                n += 1.0;
            }
        }
        if n > 0.0 { (down / n, up / n) } else { (0.0, 0.0) }
    }
}
