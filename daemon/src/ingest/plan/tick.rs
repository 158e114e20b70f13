//! Time passing: which agents and endpoints have fallen silent, what follows, and what is counted once a day.

use std::sync::Arc;

use onenet_topology::{SiteId, Timestamp};

use super::{
    Draft, Outcome, attach, availability, campaigns, caps, cases, concluded, coverage, drills, duplicates, expire,
    incidents,
};
use crate::estate::{Agent, Change};

/// Seconds in which it is every site's turn once.
const ROUND_S: u64 = 600;

/// Returns whether it is a site's turn at `at`: what has to be done for every site now and then is spread over the ticks.
/// Whose turn it is follows from the time alone; a second that no tick falls into is made up for in a later round.
pub(super) fn is_turn(site: SiteId, at: Timestamp) -> bool {
    let slot = at.unix_ms().div_euclid(1_000).rem_euclid(ROUND_S.cast_signed()).cast_unsigned();
    site.raw() % ROUND_S == slot
}

/// Plans a tick. Silence makes what only the agent watches unknown, never down (invariant 5).
pub(super) fn tick(draft: &mut Draft<'_>) -> Outcome {
    let now = draft.record.time;
    let started = draft.next.started;
    let limit = draft.policy.silence_ms;
    let is_shared = draft.next.log.is_some();
    let silent: Vec<Arc<Agent>> = draft
        .next
        .agents
        .values()
        .filter(|agent| agent.is_heard())
        .filter(|agent| agent.contact.last_heard.is_some_and(|last| now.ms_since(last.max(started)) > limit))
        .cloned()
        .collect();
    for mut agent in silent {
        let it = Arc::make_mut(&mut agent);
        it.contact.silent_since = it.contact.last_heard;
        if is_shared {
            // The replica that had its stream may be gone, and nobody else knows of a stream that ended with it.
            it.contact.connected_since = None;
        }
        draft.put(Change::Agent(agent));
    }
    attach::settle(draft);
    expire::sweep(draft);
    coverage::count(draft);
    duplicates::judge(draft);
    concluded::judge(draft);
    incidents::judge(draft);
    availability::follow(draft);
    cases::follow(draft);
    drills::follow(draft);
    campaigns::follow(draft);
    caps::warn(draft);
    Outcome::Accepted
}
