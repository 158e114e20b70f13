//! Attributes with dates: what held from when until when.
//!
//! Invariant: a history is never empty, is ordered by start, and loses nothing. A value set later for the same start
//! corrects the earlier one, which stays in the history with an empty period.
//!
//! It does not know who changed what, or when the change was made: the log of records does.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A value and the period in which it held: from the start, up to but not including the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// The first moment at which the value held.
    pub from: Timestamp,
    /// The first moment at which it no longer held; `None` when no end is known.
    pub until: Option<Timestamp>,
    /// The value.
    pub value: T,
}

/// A period of time: from the start, up to but not including the end (`None`: without end).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Option<Timestamp>,
}

/// The values of one attribute over time. Stored and exported as the list of its [`Dated`] values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Dated<T>>", try_from = "Vec<Dated<T>>", bound(serialize = "T: Clone + Serialize"))]
pub struct History<T> {
    first: Entry<T>,
    /// Ordered by `from`; those with the same start in the order in which they were set.
    later: Vec<Entry<T>>,
}

/// A stored list of dated values is not a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistory {
    /// The list has no value.
    #[error("a history has at least one value: give the value and the time from which it held")]
    Empty,
    /// The list goes back in time.
    #[error("the history goes back in time at its value number {number}: order the values by their start")]
    Disordered {
        /// Counted from 1.
        number: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<T> {
    from: Timestamp,
    value: T,
}

impl Period {
    /// Returns the period that starts at `from` and has no known end.
    pub const fn since(from: Timestamp) -> Self {
        Self { from, until: None }
    }

    /// Returns whether no moment lies within.
    pub fn is_empty(self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }

    /// Returns whether `at` lies within.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Returns what this period and `other` have in common; empty when that is nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { from: self.from.max(other.from), until }
    }

    /// Returns whether some moment lies in both.
    pub fn overlaps(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }
}

impl<T> Dated<T> {
    /// Returns the period in which the value held.
    pub const fn period(&self) -> Period {
        Period { from: self.from, until: self.until }
    }
}

impl<T> History<T> {
    /// Returns the history of an attribute that has had `value` since `from`.
    pub const fn new(from: Timestamp, value: T) -> Self {
        Self { first: Entry { from, value }, later: Vec::new() }
    }

    /// Returns the value that held at `at`, `None` before the first one.
    pub fn at(&self, at: Timestamp) -> Option<&T> {
        match self.later.partition_point(|entry| entry.from <= at).checked_sub(1) {
            Some(index) => self.later.get(index).map(|entry| &entry.value),
            None => (self.first.from <= at).then_some(&self.first.value),
        }
    }

    /// Returns the value without a known end: the last in time.
    pub fn current(&self) -> &T {
        &self.later.last().unwrap_or(&self.first).value
    }

    /// Returns when the first value started to hold.
    pub const fn start(&self) -> Timestamp {
        self.first.from
    }

    /// Returns every value with its period, in order of time. A value with an empty period was corrected by the next.
    pub fn iter(&self) -> impl Iterator<Item = Dated<&T>> {
        let ends = self.later.iter().map(|entry| Some(entry.from)).chain([None]);
        std::iter::once(&self.first).chain(&self.later).zip(ends).map(|(entry, until)| Dated {
            from: entry.from,
            until,
            value: &entry.value,
        })
    }

    /// Returns the period that a value set at `from` would hold: until the next change already known.
    pub fn period_from(&self, from: Timestamp) -> Period {
        let until = self.iter().map(|dated| dated.from).find(|start| *start > from);
        Period { from, until }
    }
}

impl<T: PartialEq> History<T> {
    /// Sets the attribute to `value` from `from` until the next change already known; `from` may lie in the past.
    ///
    /// Returns whether the history changed: it does not when the attribute had this value then anyway.
    pub fn set(&mut self, from: Timestamp, value: T) -> bool {
        if self.at(from) == Some(&value) {
            return false;
        }
        let entry = Entry { from, value };
        if from < self.first.from {
            let first = std::mem::replace(&mut self.first, entry);
            self.later.insert(0, first);
        } else {
            let index = self.later.partition_point(|later| later.from <= from);
            self.later.insert(index, entry);
        }
        true
    }
}

impl<T> From<History<T>> for Vec<Dated<T>> {
    fn from(history: History<T>) -> Self {
        let starts: Vec<_> = history.later.iter().map(|entry| Some(entry.from)).chain([None]).collect();
        let entries = std::iter::once(history.first).chain(history.later);
        entries.zip(starts).map(|(entry, until)| Dated { from: entry.from, until, value: entry.value }).collect()
    }
}

impl<T> TryFrom<Vec<Dated<T>>> for History<T> {
    type Error = InvalidHistory;

    /// The ends in the list are not read: each value holds until the next one starts.
    fn try_from(list: Vec<Dated<T>>) -> Result<Self, Self::Error> {
        if let Some(index) = list.iter().zip(list.iter().skip(1)).position(|(one, next)| next.from < one.from) {
            return Err(InvalidHistory::Disordered { number: index + 2 });
        }
        let mut entries = list.into_iter().map(|dated| Entry { from: dated.from, value: dated.value });
        let first = entries.next().ok_or(InvalidHistory::Empty)?;
        Ok(Self { first, later: entries.collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(day: i64) -> Timestamp {
        Timestamp::from_unix_ms(day * 86_400_000)
    }

    #[test]
    fn a_back_dated_value_holds_until_the_change_already_known() {
        let mut code = History::new(time(10), "A");
        assert!(code.set(time(30), "B"));
        assert!(code.set(time(20), "C"));
        assert!(!code.set(time(25), "C"), "it had this value then anyway");
        let held: Vec<_> = (9..32).step_by(11).map(|day| code.at(time(day)).copied()).collect();
        assert_eq!(held, [None, Some("C"), Some("B")]);
        assert_eq!((code.at(time(10)), *code.current()), (Some(&"A"), "B"));
        assert_eq!(code.period_from(time(12)), Period { from: time(12), until: Some(time(20)) });
    }

    #[test]
    fn a_corrected_value_stays_in_the_history_with_an_empty_period() {
        let mut name = History::new(time(1), "misspelt");
        assert!(name.set(time(1), "right"));
        assert_eq!(name.at(time(1)), Some(&"right"));
        let all: Vec<_> = name.iter().map(|dated| (*dated.value, dated.period().is_empty())).collect();
        assert_eq!(all, [("misspelt", true), ("right", false)]);
    }

    #[test]
    fn a_stored_list_that_is_no_history_is_refused() {
        let empty = serde_json::from_str::<History<u8>>("[]").unwrap_err();
        assert!(empty.to_string().contains("at least one"), "{empty}");
        let back = r#"[{"from":"2026-01-02T00:00:00Z","value":1},{"from":"2026-01-01T00:00:00Z","value":2}]"#;
        assert!(serde_json::from_str::<History<u8>>(back).unwrap_err().to_string().contains("number 2"));
    }

    /// The naive model: every set ever made; the latest start wins, among equal starts the last set.
    fn model(sets: &[(i64, u8)], at: i64) -> Option<u8> {
        let mut timeline: Vec<(i64, u8)> = Vec::new();
        for (from, value) in sets {
            let held = timeline.iter().rev().find(|(start, _)| start <= from);
            if held.is_none_or(|(_, current)| current != value) {
                timeline.push((*from, *value));
                timeline.sort_by_key(|(start, _)| *start);
            }
        }
        timeline.iter().rev().find(|(start, _)| *start <= at).map(|(_, value)| *value)
    }

    proptest! {
        #[test]
        fn a_history_answers_as_the_naive_timeline_does(sets in prop::collection::vec((0_i64..20, 0_u8..4), 1..24)) {
            let (day, value) = sets[0];
            let mut history = History::new(time(day), value);
            for (day, value) in &sets[1..] {
                history.set(time(*day), *value);
            }
            for day in -1..21 {
                prop_assert_eq!(history.at(time(day)).copied(), model(&sets, day));
            }
        }

        #[test]
        fn a_history_loses_nothing_and_its_periods_touch(sets in prop::collection::vec((0_i64..20, 0_u8..4), 1..24)) {
            let mut history = History::new(time(5), 9_u8);
            for (day, value) in &sets {
                let before: Vec<_> = history.iter().map(|dated| (dated.from, *dated.value)).collect();
                let grew = history.set(time(*day), *value);
                let after: Vec<_> = history.iter().map(|dated| (dated.from, *dated.value)).collect();
                prop_assert!(before.iter().all(|entry| after.contains(entry)));
                prop_assert_eq!(after.len(), before.len() + usize::from(grew));
                prop_assert_eq!(history.at(time(*day)), Some(value));
            }
            let all: Vec<_> = history.iter().collect();
            for pair in all.windows(2) {
                prop_assert_eq!(pair[0].until, Some(pair[1].from));
            }
            prop_assert_eq!(all[all.len() - 1].until, None);
            let json = serde_json::to_string(&history).expect("a history is JSON");
            prop_assert_eq!(serde_json::from_str::<History<u8>>(&json).expect("and comes back"), history);
        }
    }
}
