//! Incidents: from what is measured, polled and heard to the states of sites, links, agents and devices, and to the few
//! causes that explain them.
//!
//! Invariant: [`evaluate`] is pure and its result depends on the set of evidence, never on its order. Silence alone is
//! never failure, and never recovery (invariant 5): what nobody who is heard can tell is unknown. What is out of reach
//! because something above it failed is a consequence of that cause and no cause of its own (invariant 6).
//!
//! The work grows with the size of the country: each site, way up, agent, statement and device is looked at a fixed number
//! of times.
//!
//! It does not know how evidence arrives, which incidents are open ([`follow()`] is told), nor whom they concern.

mod country;
mod cut;
mod damp;
mod evidence;
mod follow;
mod links;
mod maintenance;
mod services;
mod silence;
mod verdict;
mod within;

#[cfg(test)]
mod tests;

pub use damp::Damper;
pub use evidence::{
    AgentFact, Answer, Contact, DeviceFact, DeviceJoint, Evidence, InterfaceFact, Joint, ProbeFact, ProbeState,
    ProbeTarget, ServiceFact, Side, SiteFact,
};
pub use follow::{Affected, Closing, Incident, Revision, follow};
pub use maintenance::{Maintenance, MaintenanceError, MaintenanceScope};
pub use verdict::{Cause, Clue, Explanation, IncidentKind, Severity, State, Subject, Verdicts, WayUp};

use country::Country;

/// How long, in milliseconds, an open stream outlives the line below it: the centre's kernel finds a dead one in that time. Until
/// then a failed probe and an open stream do not contradict each other.
pub const STREAM_OUTLIVES_MS: i64 = 11_000;
/// How long, in milliseconds, a failed probe stands alone before it counts, where nobody below the link could be heard.
pub const HOLD_DOWN_MS: i64 = 3_000;
/// How long, in milliseconds, a way is bad before that is told of: one that fails altogether is found down by then.
pub const BAD_HOLD_DOWN_MS: i64 = 8_000;
/// How long, in milliseconds, a service is bad before that is told: by then the line to it is judged.
pub const SERVICE_HOLD_DOWN_MS: i64 = 20_000;
/// How long, in milliseconds, what is good again stays so before an incident closes.
pub const HOLD_UP_MS: i64 = 8_000;
/// How long, in milliseconds, a link whose probes fail although what is behind it is heard stands so before it is degraded: by
/// then whoever answers the probes has fallen silent if that is why.
pub const CONTRADICTED_MS: i64 = 90_000;
/// What happened within so many milliseconds happened at once: probes and signs of life are that far apart.
pub const AT_ONCE_MS: i64 = 90_000;
/// Streams that break within so many milliseconds broke for one reason: the centre's kernel finds a dead line in that time.
pub const BREAK_AT_ONCE_MS: i64 = 12_000;
/// Agents of which so many parts in a hundred are lost at once have not all failed: the centre is cut off.
pub const ISOLATED_PERCENT: usize = 80;
/// Agents that there must be before the centre is taken for cut off.
pub const ISOLATED_AGENTS_MIN: usize = 3;
/// Ways down of one site that fail at once, with none left, have one cause at that site.
pub const COMMON_CAUSE_LINKS_MIN: usize = 3;
/// How long, in milliseconds, after its start the centre judges nobody by a stream that is missing.
pub const START_GRACE_MS: i64 = 60_000;
/// How long, in milliseconds, an agent whose site is still reached is away before it has stopped: longer than a restart of it takes,
/// and than the probes over the way to its site take to fail, were that why.
pub const STOPPED_MS: i64 = 12_000;
/// How long, in milliseconds, agents may take to come back after a way to them is there again, and what they watch to answer.
pub const RECONNECT_MS: i64 = 90_000;
/// How long, in milliseconds, an agent that is heard again may take to say how a way is by now: what it tells of before was measured
/// while the failure that is over lasted, and its probes want some answers in a row first.
pub const HEARD_OUT_MS: i64 = 30_000;
/// Pieces of evidence of each sort that a cause keeps.
pub const CLUES_MAX: usize = 16;

/// Returns the state of everything and what causes what is wrong.
pub fn evaluate(evidence: &Evidence) -> Verdicts {
    let country = Country::of(evidence);
    let mut verdicts = Verdicts::new(evidence.now);
    if let Some(cause) = cut::isolation(&country) {
        cut::all_unknown(&country, cause, &mut verdicts);
        return verdicts;
    }
    let ways = links::judge(&country);
    let reach = cut::spread(&country, &ways, &mut verdicts);
    let restored = silence::restored(&country, &ways);
    silence::judge(&country, &ways, &reach, &restored, &mut verdicts);
    within::judge(&country, &reach, &restored, &mut verdicts);
    services::judge(&country, &mut verdicts);
    cut::states(&country, &ways, &reach, &mut verdicts);
    verdicts.finish(&country);
    verdicts
}
