//! Endpoints that are seen no more: silent, then retired, then forgotten.
//!
//! | state | begins when | shows |
//! |---|---|---|
//! | present | somebody sees it | everywhere |
//! | silent | nobody saw it for [`Lifetimes::silent_ms`], though all agents that saw it last are heard | as past |
//! | retired | silent for [`Lifetimes::retire_ms`]; for [`Lifetimes::retire_passing_ms`] where it was passing through | only when asked for |
//! | forgotten | retired for [`Lifetimes::forget_ms`], or too many are retired | not any more |
//!
//! An endpoint is *passing through* when it was seen for less than a day altogether, or made its own address up. When a site
//! is nearly full, silent ones that were passing through are retired at once: a flood of forged addresses makes room
//! again by itself, and established endpoints never do.
//!
//! Invariant: absence is judged only where somebody who would see it is heard (invariant 5): an agent's silence makes nothing
//! silent, until the agent was revoked or is silent for [`Lifetimes::agent_lapse_ms`]. Facts are not touched, so digests stay
//! what they are. Whoever comes back has its old identity and history as long as it is not forgotten.
//!
//! Cost: it is each site's turn every ten minutes, so a tick looks at 1 in 600 endpoints of the nation.

use std::sync::Arc;

use onenet_topology::{Timestamp, endpoint::Endpoint};

use super::{Draft, tick::is_turn};
use crate::estate::{Change, Estate, SiteState};

/// Endpoints of one site that change in one tick, so that a batch of the store stays small; the others follow in the next round.
const CHANGES_PER_SITE: usize = 2_000;
/// Part of a site's room, in percent, from which silent endpoints that were passing through make room.
const CROWDED_PERCENT: usize = 90;
const DAY_MS: i64 = 86_400_000;

/// How long endpoints live on when nobody sees them, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without a sight, until it is silent. More than an agent waits before it says again what stays (10 minutes).
    pub silent_ms: i64,
    /// Silent, until it is retired.
    pub retire_ms: i64,
    /// Silent, until one that was passing through is retired.
    pub retire_passing_ms: i64,
    /// Retired, until it is forgotten.
    pub forget_ms: i64,
    /// Silence of an agent, until what only it saw counts as seen by nobody.
    pub agent_lapse_ms: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            silent_ms: 3_600_000,
            retire_ms: 90 * DAY_MS,
            retire_passing_ms: 7 * DAY_MS,
            forget_ms: 400 * DAY_MS,
            agent_lapse_ms: 30 * DAY_MS,
        }
    }
}

/// Looks at the sites whose turn it is.
pub(super) fn sweep(draft: &mut Draft<'_>) {
    let sites = draft.next.sites.values().filter(|state| is_turn(state.id, draft.record.time));
    let due: Vec<Arc<SiteState>> = sites.cloned().collect();
    for state in &due {
        sweep_site(draft, state);
    }
}

fn sweep_site(draft: &mut Draft<'_>, state: &SiteState) {
    let (site, now, lifetimes) = (state.id, draft.record.time, draft.policy.lifetimes);
    let max = draft.policy.endpoints_per_site_max;
    let crowded = state.live() * 100 >= max * CROWDED_PERCENT;
    let estate = draft.next.clone();
    let mut changes = Vec::new();
    for endpoint in state.endpoints.values() {
        if changes.len() == CHANGES_PER_SITE {
            break;
        }
        let changed = |endpoint: Endpoint| Change::Endpoint { site, endpoint: Arc::new(endpoint) };
        match (endpoint.retired_since, endpoint.silent_since) {
            (Some(since), _) if now.ms_since(since) >= lifetimes.forget_ms => {
                changes.push(Change::EndpointForgotten { site, id: endpoint.id });
            }
            (Some(_), _) => {}
            (None, Some(since)) => {
                let passing = is_passing(endpoint);
                let lifetime = if passing { lifetimes.retire_passing_ms } else { lifetimes.retire_ms };
                if now.ms_since(since) >= lifetime || (passing && crowded) {
                    changes.push(changed(Endpoint { retired_since: Some(now), ..Endpoint::clone(endpoint) }));
                }
            }
            (None, None) => {
                if let Some(last) =
                    endpoint.last_seen().filter(|last| is_absent(&estate, endpoint, *last, now, lifetimes))
                {
                    changes.push(changed(Endpoint { silent_since: Some(last), ..Endpoint::clone(endpoint) }));
                }
            }
        }
    }
    for change in changes {
        draft.put(change);
    }
    make_room(draft, site, max);
}

/// Returns whether nobody sees the endpoint, though somebody who would is heard.
fn is_absent(estate: &Estate, endpoint: &Endpoint, last: Timestamp, now: Timestamp, lifetimes: Lifetimes) -> bool {
    if now.ms_since(last) < lifetimes.silent_ms {
        return false;
    }
    // Whoever was connected again just now has had no time to say what is there.
    let settled = lifetimes.silent_ms / 2;
    endpoint.holders().all(|agent| {
        let Some(agent) = estate.agent(agent).filter(|agent| agent.revoked.is_none()) else {
            return true;
        };
        let contact = agent.contact;
        match contact.silent_since {
            Some(since) => now.ms_since(since) >= lifetimes.agent_lapse_ms,
            None => contact.connected_since.is_none_or(|since| now.ms_since(since) >= settled),
        }
    })
}

/// Returns whether it was passing through.
fn is_passing(endpoint: &Endpoint) -> bool {
    let (first, last) = (endpoint.first_seen(), endpoint.last_seen());
    endpoint.mac.is_local() || first.zip(last).is_none_or(|(first, last)| last.ms_since(first) < DAY_MS)
}

/// Forgets retired endpoints beyond as many as may live: those that were seen for the shortest time first.
fn make_room(draft: &mut Draft<'_>, site: onenet_topology::SiteId, max: usize) {
    let Some(state) = draft.next.site(site) else { return };
    let over = state.retired.saturating_sub(max).min(CHANGES_PER_SITE);
    if over == 0 {
        return;
    }
    let lived = |endpoint: &Endpoint| {
        let (first, last) = (endpoint.first_seen(), endpoint.last_seen());
        first.zip(last).map_or(0, |(first, last)| last.ms_since(first))
    };
    let mut retired: Vec<_> = state.endpoints.values().filter(|it| it.retired_since.is_some()).collect();
    retired.sort_by_key(|endpoint| (lived(endpoint), endpoint.retired_since, endpoint.id));
    let ids: Vec<_> = retired.into_iter().take(over).map(|endpoint| endpoint.id).collect();
    for id in ids {
        draft.put(Change::EndpointForgotten { site, id });
    }
}
