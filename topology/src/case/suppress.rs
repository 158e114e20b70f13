//! Rules that silence what nobody need look at: for whom, until when, and who answers for it.
//!
//! Invariant: a rule has an owner, a reason and an end. What it silences is kept and names the rule; it opens a case as any other
//! when the rule is over and it still goes on.

use std::{fmt, str::FromStr};

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::{CaseCause, KIND_CHARS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX, act::is_word};
use crate::{AreaId, SiteId, SuppressionId, Timestamp};

/// How long a rule may hold, in milliseconds: a year. Whoever still needs it then makes it anew.
const HOLDS_MAX_MS: i64 = 366 * 86_400_000;
const DAY_MIN: i64 = 24 * 60;

/// What a rule silences: whatever all that it says is true of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionScope {
    /// The kind, such as `port_scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The subject, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The site, with everything below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// The area, with all who belong to it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// Whose traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpNetwork>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<IpNetwork>,
    /// To which port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Between which hours of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

/// A part of the day in China, in minutes from midnight; over midnight where it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// From.
    pub from_min: u16,
    /// Until before.
    pub to_min: u16,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Its identity.
    pub id: SuppressionId,
    /// What it silences.
    pub scope: SuppressionScope,
    /// The person who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who made it.
    pub by: String,
    /// Who ended it early.
    pub ended_by: Option<String>,
}

/// Why a rule cannot be like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionError {
    /// It says nothing.
    #[error("a rule for everything silences everything: give a kind, a subject, a source, a destination or a port")]
    Everything,
    /// The kind is no word.
    #[error("a kind is a word such as port_scan: small letters, digits and _, at most {KIND_CHARS_MAX}")]
    Kind,
    /// The hours are none.
    #[error("hours are two different times of the day: write them as 22:00-06:00")]
    Hours,
    /// Nobody answers for it.
    #[error("name who answers for the rule, in at most {NAME_CHARS_MAX} characters")]
    Owner,
    /// Nothing says why.
    #[error("say why, in at most {TEXT_CHARS_MAX} characters: whoever asks later what was silenced has nothing else")]
    Reason,
    /// It never ends, or is over.
    #[error("a rule ends within a year, and not before it begins: give another end")]
    End,
}

impl SuppressionScope {
    /// Checks it.
    ///
    /// # Errors
    /// It cannot be like this.
    pub fn check(&self) -> Result<(), SuppressionError> {
        let says = self.kind.is_some()
            || self.subject.is_some()
            || self.source.is_some()
            || self.destination.is_some()
            || self.port.is_some();
        if !says {
            return Err(SuppressionError::Everything);
        }
        if self.kind.as_deref().is_some_and(|kind| !is_word(kind)) {
            return Err(SuppressionError::Kind);
        }
        match self.hours {
            Some(hours) if !hours.is_part_of_day() => Err(SuppressionError::Hours),
            _ => Ok(()),
        }
    }

    /// Returns whether it is true of a cause. `is_within` says whether a site is another or below it, `is_in` whether it belongs to
    /// an area.
    pub fn covers(
        &self,
        cause: &CaseCause,
        is_within: impl Fn(SiteId, SiteId) -> bool,
        is_in: impl Fn(SiteId, AreaId) -> bool,
    ) -> bool {
        let within = |net: Option<IpNetwork>, ip: Option<std::net::IpAddr>| {
            net.is_none_or(|net| ip.is_some_and(|ip| net.contains(ip)))
        };
        self.kind.as_ref().is_none_or(|kind| *kind == cause.key.kind)
            && self.subject.as_ref().is_none_or(|subject| *subject == cause.key.subject)
            && self.site.is_none_or(|root| is_within(cause.key.site, root))
            && self.area.is_none_or(|area| is_in(cause.key.site, area))
            && within(self.source, cause.source)
            && within(self.destination, cause.destination)
            && self.port.is_none_or(|port| cause.port == Some(port))
            && self.hours.is_none_or(|hours| hours.contain(cause.last))
    }
}

impl Hours {
    const fn is_part_of_day(self) -> bool {
        self.from_min < 1_440 && self.to_min < 1_440 && self.from_min != self.to_min
    }

    /// Returns whether a moment falls into them.
    pub fn contain(self, at: Timestamp) -> bool {
        let minute = at.china_ms().div_euclid(60_000).rem_euclid(DAY_MIN);
        let (from, to) = (i64::from(self.from_min), i64::from(self.to_min));
        if from < to { from <= minute && minute < to } else { minute >= from || minute < to }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from_min: from, to_min: to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl FromStr for Hours {
    type Err = SuppressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let hours = text
            .split_once('-')
            .and_then(|(from, to)| Some(Self { from_min: minute(from.trim())?, to_min: minute(to.trim())? }));
        hours.filter(|hours| hours.is_part_of_day()).ok_or(SuppressionError::Hours)
    }
}

impl Suppression {
    /// Checks what a rule says of itself.
    ///
    /// # Errors
    /// It cannot be like this.
    pub fn check(
        scope: &SuppressionScope,
        (owner, reason): (&str, &str),
        (now, until): (Timestamp, Timestamp),
    ) -> Result<(), SuppressionError> {
        let is_text = |text: &str, max: usize| (1..=max).contains(&text.trim().chars().count());
        scope.check()?;
        if !is_text(owner, NAME_CHARS_MAX) {
            return Err(SuppressionError::Owner);
        }
        if !is_text(reason, TEXT_CHARS_MAX) {
            return Err(SuppressionError::Reason);
        }
        if until <= now || until.ms_since(now) > HOLDS_MAX_MS { Err(SuppressionError::End) } else { Ok(()) }
    }

    /// Returns whether it holds at `at`.
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}
