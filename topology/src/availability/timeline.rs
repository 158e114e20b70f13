//! What was concluded over time: turns from one standing to another.
//!
//! Invariant: turns are in the order of time, no two in a row say the same, and there are [`TURNS_MAX`] at most: when there
//! are more, the oldest time becomes unknown. A turn may be dated back to when the evidence says that it happened, but
//! never in front of the turn before it; and nothing is dated back to be good where it was unknown.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, incident::State};

/// Turns that a timeline keeps: what comes and goes is damped before it gets here, so this is a bound and no limit.
pub const TURNS_MAX: usize = 2_048;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does not exist, or nobody has begun to watch it.
    Absent,
    /// Nobody who is heard can tell.
    Unknown,
    /// It does not work.
    Down,
    /// It works, badly, or on one side only, or comes and goes.
    Degraded,
    /// It works.
    Up,
}

/// From when on something stands in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// From when.
    pub at: Timestamp,
    /// How it stands from then on.
    pub to: Standing,
}

/// How something stood over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    turns: Vec<Turn>,
}

impl Standing {
    /// Every standing, in order.
    pub const ALL: [Self; 5] = [Self::Absent, Self::Unknown, Self::Down, Self::Degraded, Self::Up];

    /// Returns how something stands that was concluded to stand like `self`, where `measured` was found by who measured it
    /// at that time. What was unknown, or not concluded yet, is what was measured. A way that was taken for down, and that one of its ends measured
    /// as good all the while, worked on one side at least. Everything else was concluded with more than one probe's view.
    #[must_use]
    pub const fn revised(self, measured: Option<Self>) -> Self {
        match (self, measured) {
            (Self::Unknown | Self::Absent, Some(measured)) => measured,
            (Self::Down, Some(Self::Up)) => Self::Degraded,
            (concluded, _) => concluded,
        }
    }
}

impl From<State> for Standing {
    fn from(state: State) -> Self {
        match state {
            State::Up => Self::Up,
            State::Degraded | State::Flapping => Self::Degraded,
            State::Down => Self::Down,
            State::Unknown => Self::Unknown,
        }
    }
}

impl Timeline {
    /// Returns the timeline of turns that were kept, which are in the order of time.
    pub fn of(turns: impl IntoIterator<Item = Turn>) -> Self {
        let mut timeline = Self::default();
        for turn in turns {
            timeline.push(turn);
        }
        timeline
    }

    /// Returns the turns, in the order of time.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// Returns how it stood last.
    pub fn last(&self) -> Option<Turn> {
        self.turns.last().copied()
    }

    /// Returns how it stood at `at`.
    pub fn at(&self, at: Timestamp) -> Standing {
        let after = self.turns.partition_point(|turn| turn.at <= at);
        after.checked_sub(1).and_then(|last| self.turns.get(last)).map_or(Standing::Absent, |turn| turn.to)
    }

    /// Takes in that it stands like this at `now`, since `since` by the evidence. Returns whether that is news.
    pub fn conclude(&mut self, to: Standing, since: Option<Timestamp>, now: Timestamp) -> bool {
        let last = self.turns.last().copied();
        let from = match last {
            Some(last) if last.to == to => return false,
            None if to == Standing::Absent => return false,
            // Who comes back and says that all was well the whole time may not have looked.
            Some(Turn { to: Standing::Unknown | Standing::Absent, .. }) if to >= Standing::Degraded => now,
            // Who has had answers since before it failed does not say when it was mended.
            Some(last) if to >= Standing::Degraded => since.filter(|since| *since > last.at).unwrap_or(now).min(now),
            Some(last) => since.unwrap_or(now).clamp(last.at.min(now), now),
            None => now,
        };
        self.push(Turn { at: from, to });
        true
    }

    /// Lets go what was before `before`; how it stood then stays.
    pub fn forget(&mut self, before: Timestamp) {
        let gone = self.turns.partition_point(|turn| turn.at <= before).saturating_sub(1);
        self.turns.drain(..gone);
        if let Some(first) = self.turns.first_mut().filter(|first| first.at < before) {
            first.at = before;
        }
    }

    /// Adds a turn in the place of those from then on.
    fn push(&mut self, turn: Turn) {
        while self.turns.last().is_some_and(|last| last.at >= turn.at) {
            self.turns.pop();
        }
        if self.turns.last().is_none_or(|last| last.to != turn.to) {
            self.turns.push(turn);
        }
        while self.turns.len() > TURNS_MAX {
            self.turns.remove(1);
            if let Some(first) = self.turns.first_mut() {
                first.to = Standing::Unknown;
            }
        }
    }
}
