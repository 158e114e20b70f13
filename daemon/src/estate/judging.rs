//! What was concluded of the country last, and whether that is still worth anything.
//!
//! Invariant: it follows from the rest, so it is not stored: after a start everything is concluded anew. What changes often
//! and says nothing of states, such as signs of life and tables, does not ask for it.

use std::sync::Arc;

use onenet_topology::{
    Timestamp,
    fact::Method,
    incident::{Damper, Verdicts},
};

use super::{Agent, Change};

/// How long, in milliseconds, after a change everything is concluded again and again: hold-downs and pauses end in that time.
const LIVELY_MS: i64 = 180_000;
/// How often, in milliseconds, it is concluded in any case.
const CALM_MS: i64 = 30_000;
/// For each so many sites what was concluded stands for a second: what it costs grows with the country, in which something
/// changes all the time, and is so kept to the same part of a core. A province is concluded at each tick.
const SITES_PER_SECOND: usize = 1_000;
/// How long that is at most, in seconds.
const STANDS_MAX_S: usize = 10;

/// What was concluded, and when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judging {
    /// The states and causes; `None` before the first time.
    pub verdicts: Option<Arc<Verdicts>>,
    /// What flaps.
    pub damper: Damper,
    /// Whether something changed since.
    pub(crate) stale: bool,
    /// Until when it is concluded again and again.
    pub(crate) lively_until: Timestamp,
}

impl Judging {
    /// Returns whether it is time to conclude anew.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let Some(verdicts) = &self.verdicts else { return true };
        let stood_ms = now.ms_since(verdicts.at);
        let stands_s = (verdicts.sites.len() / SITES_PER_SECOND).min(STANDS_MAX_S);
        let stood = stood_ms >= 1_000 * i64::try_from(stands_s).unwrap_or(i64::MAX);
        stood_ms >= CALM_MS || stood && (self.stale || now < self.lively_until)
    }

    /// Returns it with what was concluded at `now`.
    #[must_use]
    pub fn with(&self, verdicts: Arc<Verdicts>, damper: Damper) -> Self {
        let now = verdicts.at;
        let lively_until = if self.stale { now.plus_ms(LIVELY_MS) } else { self.lively_until };
        Self { verdicts: Some(verdicts), damper, stale: false, lively_until }
    }

    /// Notes a change that may say something of states.
    pub(super) fn note(&mut self, change: &Change) {
        let says = match change {
            Change::Fact { group, .. } => {
                matches!(group.method, Method::Probe | Method::SnmpReach | Method::SnmpInterfaces)
            }
            Change::Commanded { .. } | Change::Started(_) | Change::Device { .. } | Change::Links { .. } => true,
            _ => false,
        };
        self.stale |= says;
    }

    /// Notes that an agent is now like `new`: what counts is whether it is heard, and when its machine started.
    pub(super) fn note_agent(&mut self, old: Option<&Agent>, new: &Agent) {
        let of = |agent: &Agent| {
            let contact = agent.contact;
            let ends = (contact.connected_since, contact.disconnected_since, contact.silent_since);
            (ends, agent.revoked.is_some(), agent.clock.boots.last().map(|boot| boot.id))
        };
        self.stale |= old.is_none_or(|old| of(old) != of(new));
    }
}
