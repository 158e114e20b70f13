//! How much of a site one agent can take, and the finding that says that it wants more.
//!
//! Invariant: whatever an agent reports, what the centre keeps of it is bounded, established things stay, and other agents
//! of the site keep a part of its room (invariant 9).

use std::sync::Arc;

use onenet_topology::{AgentId, SiteId, device::Handle, fact::Scope};

use super::{Draft, anomalies::ANOMALIES_MAX};
use crate::{
    estate::Change,
    findings::{Capacity, Evidence, Finding, FindingKey, FindingKind, Subject},
};

/// Part of a site's room for endpoints, in percent, that one agent can fill where others report too.
const SHARE_PERCENT: usize = 75;
/// Part of a limit, in percent, below which it counts as kept again.
const CLEAR_PERCENT: usize = 95;
/// A finding that stays is confirmed this often, in milliseconds.
const CONFIRM_MS: i64 = 600_000;

/// What a batch found no room for.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) facts: bool,
    pub(super) devices: bool,
    pub(super) endpoints: bool,
    /// How many.
    pub(super) anomalies: u64,
}

/// Returns whether the agent may hold one more fact.
pub(super) fn has_room_for_fact(draft: &Draft<'_>, site: SiteId, agent: AgentId) -> bool {
    held(draft, site, agent, Capacity::Facts) < draft.policy.facts_per_agent_max
}

/// Returns whether the agent may poll one more device.
pub(super) fn has_room_for_device(draft: &Draft<'_>, site: SiteId, agent: AgentId) -> bool {
    held(draft, site, agent, Capacity::Devices) < draft.policy.devices_per_agent_max
}

/// Returns whether the site has room for one more endpoint that this agent brings, after `admitted` of its batch.
pub(super) fn has_room_for_endpoint(draft: &Draft<'_>, site: SiteId, agent: AgentId, admitted: usize) -> bool {
    let max = draft.policy.endpoints_per_site_max;
    let Some(state) = draft.next.site(site) else { return admitted < max };
    if state.live() + admitted >= max {
        return false;
    }
    let brought = state.discovered.get(&agent).copied().unwrap_or_default() + admitted;
    // Looked at only near the limit: it asks every agent of the nation for its site.
    brought < max / 100 * SHARE_PERCENT || !has_company(draft, site, agent)
}

fn has_company(draft: &Draft<'_>, site: SiteId, agent: AgentId) -> bool {
    draft.next.agents_of(site).any(|other| other.id != agent && other.revoked.is_none())
}

fn held(draft: &Draft<'_>, site: SiteId, agent: AgentId, what: Capacity) -> usize {
    let Some(state) = draft.next.site(site) else { return 0 };
    match what {
        Capacity::Facts => state.held.get(&agent).copied().unwrap_or_default(),
        Capacity::Devices => {
            let first = Handle { agent, scope: Scope::new("") };
            state.handles.range(first..).take_while(|(handle, _)| handle.agent == agent).count()
        }
        Capacity::Endpoints => state.live(),
        Capacity::Anomalies => state.anomalies.len(),
    }
}

/// Raises, confirms or clears the finding that an agent wants more than there is room for.
pub(super) fn judge(draft: &mut Draft<'_>, site: SiteId, agent: AgentId, refused: &Refused) {
    let key = FindingKey { kind: FindingKind::CapacityReached, subject: Subject::Agent(agent) };
    let known = draft.next.site(site).and_then(|state| state.findings.get(&key)).cloned();
    let what = match refused {
        Refused { facts: true, .. } => Some(Capacity::Facts),
        Refused { devices: true, .. } => Some(Capacity::Devices),
        Refused { endpoints: true, .. } => Some(Capacity::Endpoints),
        Refused { anomalies: 1.., .. } => Some(Capacity::Anomalies),
        _ => None,
    };
    let now = draft.record.time;
    let limit = |draft: &Draft<'_>, what| match what {
        Capacity::Facts => draft.policy.facts_per_agent_max,
        Capacity::Devices => draft.policy.devices_per_agent_max,
        Capacity::Endpoints => draft.policy.endpoints_per_site_max,
        Capacity::Anomalies => ANOMALIES_MAX,
    };
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let before = known.as_ref().map_or(0, |it| it.evidence.left_out());
    let left_out = before.saturating_add(refused.anomalies);
    let finding = match (&known, what) {
        // What is not kept anywhere is counted one by one.
        (Some(known), Some(_)) if left_out == before && now.ms_since(known.confirmed) < CONFIRM_MS => return,
        (known, Some(what)) => {
            let evidence = Evidence::Capacity {
                what,
                held: number(held(draft, site, agent, what)),
                limit: number(limit(draft, what)),
                left_out,
            };
            let since = known.as_ref().map_or(now, |known| known.since);
            Some(Arc::new(Finding { key, since, confirmed: now, evidence }))
        }
        (None, None) => return,
        (Some(known), None) => {
            let Evidence::Capacity { what, .. } = known.evidence else { return };
            if held(draft, site, agent, what) >= limit(draft, what) / 100 * CLEAR_PERCENT {
                return;
            }
            None
        }
    };
    draft.put(Change::Finding { site, key, finding });
}
