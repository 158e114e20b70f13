//! By when things are due, and to whom a case goes up when they are not done.
//!
//! Invariant: what is overdue goes up one level at a time, and each level has as long as the one below it had to be told; who is
//! told follows from the tree alone.

use serde::{Deserialize, Serialize};

use super::{Case, CaseState, Notice};
use crate::{SiteId, Timestamp, incident::Severity};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Levels that a case can go up.
const LEVELS_MAX: usize = 32;

/// How long things may take, in milliseconds, by grade: general, considerable, major, extraordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until somebody takes a case up.
    pub acknowledge: [i64; 4],
    /// Until the unit answers a notice.
    pub answer: [i64; 4],
    /// Until an answer is judged.
    pub judge: [i64; 4],
    /// Until a case that somebody has taken up goes on: is notified or closed.
    pub close: [i64; 4],
    /// From one level to the next.
    pub level: [i64; 4],
}

/// The shortest and the longest that anything may be due after, in milliseconds.
pub const DEADLINE_MS: std::ops::RangeInclusive<i64> = 60_000..=90 * DAY_MS;

/// A case went up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// When.
    pub time: Timestamp,
    /// To whom.
    pub to: SiteId,
    /// Why.
    pub reason: EscalationReason,
}

/// Why a case went up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationReason {
    /// Nobody took it up.
    NotAcknowledged,
    /// The unit did not answer.
    NotAnswered,
    /// Nobody went on with it.
    NotClosed,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            acknowledge: [24 * HOUR_MS, 8 * HOUR_MS, 2 * HOUR_MS, HOUR_MS / 2],
            answer: [10 * DAY_MS, 5 * DAY_MS, 2 * DAY_MS, DAY_MS],
            judge: [5 * DAY_MS, 3 * DAY_MS, DAY_MS, DAY_MS / 2],
            close: [10 * DAY_MS, 5 * DAY_MS, 2 * DAY_MS, DAY_MS],
            level: [DAY_MS, DAY_MS, 4 * HOUR_MS, HOUR_MS],
        }
    }
}

const fn of(times: [i64; 4], grade: Severity) -> i64 {
    let [general, considerable, major, extraordinary] = times;
    match grade {
        Severity::General => general,
        Severity::Considerable => considerable,
        Severity::Major => major,
        Severity::Extraordinary => extraordinary,
    }
}

impl Deadlines {
    /// Returns how long it may take until somebody takes a case of this grade up.
    pub const fn acknowledge_ms(&self, grade: Severity) -> i64 {
        of(self.acknowledge, grade)
    }

    /// Returns how long the unit may take to answer.
    pub const fn answer_ms(&self, grade: Severity) -> i64 {
        of(self.answer, grade)
    }

    /// Returns how long judging an answer may take.
    pub const fn judge_ms(&self, grade: Severity) -> i64 {
        of(self.judge, grade)
    }

    /// Returns how long it may take until a case goes on.
    pub const fn close_ms(&self, grade: Severity) -> i64 {
        of(self.close, grade)
    }
}

impl EscalationReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NotAcknowledged, Self::NotAnswered, Self::NotClosed];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAcknowledged => "not_acknowledged",
            Self::NotAnswered => "not_answered",
            Self::NotClosed => "not_closed",
        }
    }
}

impl Case {
    /// Returns the notice whose unit is late where something is overdue: an answer that came and is to be judged is the reviewers' to see
    /// to, as long as no unit is late itself.
    fn late(&self, now: Timestamp) -> Option<&Notice> {
        let is_judged = self.notices.iter().any(|it| it.is_open() && !it.awaits());
        self.awaiting().into_iter().next().filter(|it| !is_judged || it.due < now)
    }

    /// Returns the case as it goes up at `now`, `None` where it does not. `above` gives the site above another. The first time that is
    /// since something became overdue, which is a step of its own.
    pub fn escalated(
        &self,
        now: Timestamp,
        deadlines: &Deadlines,
        above: impl Fn(SiteId) -> Option<SiteId>,
    ) -> Option<Self> {
        let due = self.due.filter(|due| self.is_open() && *due < now)?;
        let late = self.late(now);
        let (reason, from) = match (self.state, late) {
            (CaseState::New, _) => (EscalationReason::NotAcknowledged, self.key.site),
            (_, Some(notice)) => (EscalationReason::NotAnswered, notice.to),
            _ => (EscalationReason::NotClosed, self.key.site),
        };
        // What went up before this was due went up for something else.
        let last = self.escalations.last().filter(|it| it.time >= due && it.reason == reason);
        let (from, next) = last.map_or((from, due), |it| (it.to, it.time.plus_ms(of(deadlines.level, self.grade))));
        if now < next || self.escalations.len() >= LEVELS_MAX {
            return None;
        }
        // Where nobody is above, whoever is there is told once.
        let to = above(from).or_else(|| last.is_none().then_some(from))?;
        let mut case = self.clone();
        if last.is_none() {
            case.step(now, None, "overdue", self.state, reason.name());
            case.about(late.map(|it| it.number));
        }
        case.escalations.push(Escalation { time: now, to, reason });
        case.step(now, None, "escalated", self.state, reason.name());
        case.about(late.map(|it| it.number));
        Some(case)
    }
}
