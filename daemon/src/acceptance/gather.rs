//! What is known of a site that an acceptance test asks for.
//!
//! Invariant: it follows from one snapshot. What a silent agent told is from before, and is left out.

use std::net::IpAddr;

use onenet_topology::{
    AgentId, Probe, ProbeKind, ProbeState, SiteId, Timestamp,
    acceptance::{AgentFound, Configured, Found, ServiceFound, WayFound},
    device::Standing,
    endpoint::Endpoint,
    incident::Side,
};

use super::Measured;
use crate::{
    availability::way_of,
    estate::{Agent, Estate, Rollout},
};

/// A probe of one of the site's ways up, from either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Whose agent measures.
    pub(super) site: SiteId,
    /// Who.
    pub(super) agent: AgentId,
    /// The agent's name of it.
    pub(super) probe: String,
    /// What it sends.
    pub(super) kind: ProbeKind,
    /// The upper site of the way.
    pub(super) parent: SiteId,
    /// From which end.
    side: Side,
    state: ProbeState,
    detail: String,
}

/// Returns the probes of heard agents over the ways up of a site: the site's own first.
pub(super) fn sources(estate: &Estate, site: SiteId, now: Timestamp) -> Vec<Source> {
    let parents: Vec<SiteId> = estate.tree.parents(site, now).map(|parent| parent.id).collect();
    let mut sources = Vec::new();
    for of in std::iter::once(site).chain(parents.iter().copied()) {
        for (agent, probe) in probes(estate, of) {
            let Some(way) = way_of(&estate.tree, of, &probe, now) else { continue };
            if way.child == site && parents.contains(&way.parent) {
                sources.push(Source {
                    site: of,
                    agent,
                    probe: probe.name,
                    kind: probe.kind,
                    parent: way.parent,
                    side: way.side,
                    state: probe.state,
                    detail: probe.detail,
                });
            }
        }
    }
    let place = |parent: SiteId| parents.iter().position(|it| *it == parent);
    sources.sort_by_key(|source| place(source.parent));
    sources
}

/// Returns the probes of a site's agents that are heard.
fn probes(estate: &Estate, site: SiteId) -> impl Iterator<Item = (AgentId, Probe)> {
    let all = estate.site(site).into_iter().flat_map(|state| state.probes());
    all.filter(|(agent, ..)| estate.is_heard(*agent)).map(|(agent, _, probe)| (agent, probe))
}

/// Returns what is known of a site, media tests aside.
pub(super) fn found(estate: &Estate, site: SiteId, now: Timestamp, measured: &Measured) -> Found {
    let sources = sources(estate, site, now);
    let mut found = Found { version: env!("CARGO_PKG_VERSION").to_owned(), ..Found::default() };
    for agent in estate.agents_of(site).filter(|agent| agent.revoked.is_none()) {
        found.agents.push(of_agent(estate, agent, now));
    }
    for parent in estate.tree.parents(site, now) {
        let side = |side| worst(sources.iter().filter(|it| it.parent == parent.id && it.side == side));
        let (quality, windows) = measured.get(&parent.id).copied().unwrap_or_default();
        let (below, above) = (side(Side::Below), side(Side::Above));
        found.ways.push(WayFound { parent: parent.id.to_string(), below, above, quality, windows });
    }
    found.name_services = probes(estate, site)
        .filter(|(_, probe)| probe.kind == ProbeKind::Dns)
        .map(|(_, probe)| ServiceFound { name: probe.name, state: probe.state, detail: probe.detail })
        .collect();
    address_plan(estate, site, now, &mut found);
    devices(estate, site, &mut found);
    found
}

/// Returns what the probe says that has the least good to say: all of them are to be good.
fn worst<'s>(sources: impl Iterator<Item = &'s Source>) -> Option<(ProbeState, String)> {
    let rank = |state: ProbeState| match state {
        ProbeState::Down => 0,
        ProbeState::Degraded => 1,
        ProbeState::Unknown => 2,
        ProbeState::Up => 3,
    };
    sources.min_by_key(|source| rank(source.state)).map(|source| (source.state, source.detail.clone()))
}

fn of_agent(estate: &Estate, agent: &Agent, now: Timestamp) -> AgentFound {
    let configured = match estate.configurations.get(&agent.site).map(|wanted| wanted.rollout(agent)) {
        None => Configured::NotSet,
        Some(Rollout::Applied) => Configured::Applied,
        Some(Rollout::Waiting | Rollout::Pushed) => Configured::Waiting,
        Some(Rollout::Rejected) => {
            Configured::Rejected(agent.refused.as_ref().map(|refused| refused.reason.clone()).unwrap_or_default())
        }
    };
    let captures = estate.site(agent.site).into_iter().flat_map(|state| state.captures.get().of(agent.id, now));
    let captured = captures.map(|it| (it.sample.frames_seen, it.sample.frames_dropped_by_kernel));
    AgentFound {
        name: agent.id.to_string(),
        connected: agent.is_heard() && agent.contact.connected_since.is_some(),
        version: agent.version.clone(),
        clock_offset_ms: agent.clock.offset_ms,
        history_waiting: agent.history_waiting,
        heard_ms_ago: agent.contact.last_heard.map(|last| now.ms_since(last).max(0)),
        configured,
        captured: captured
            .reduce(|(seen, lost), (more, dropped)| (seen.saturating_add(more), lost.saturating_add(dropped))),
    }
}

fn address_plan(estate: &Estate, site: SiteId, now: Timestamp, found: &mut Found) {
    let own = estate.plan.entries().filter(|entry| entry.assignment(now).is_some_and(|it| it.site == site)).count();
    found.prefixes = u32::try_from(own).unwrap_or(u32::MAX);
    let in_plan = |ip: IpAddr| {
        let entry = estate.plan.match_at_site(site, ip, now);
        entry.and_then(|entry| entry.assignment(now)).is_some_and(|assignment| assignment.site == site)
    };
    let Some(state) = estate.site(site) else { return };
    for endpoint in state.visible_endpoints().filter(|endpoint| endpoint.is_present()) {
        let mut ips = addresses(endpoint).peekable();
        if ips.peek().is_some() {
            found.terminals = found.terminals.saturating_add(1);
            found.terminals_in_plan = found.terminals_in_plan.saturating_add(u32::from(ips.any(in_plan)));
        }
    }
}

/// Returns the addresses that a plan can have: those of a link alone are nobody's.
fn addresses(endpoint: &Endpoint) -> impl Iterator<Item = IpAddr> {
    let plannable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    endpoint.current_addresses().map(|address| address.ip).filter(plannable)
}

fn devices(estate: &Estate, site: SiteId, found: &mut Found) {
    let devices = estate.site(site).into_iter().flat_map(|state| state.devices.values());
    for (standing, _) in devices.map(|device| estate.device_standing(device)) {
        // Of what nobody who is heard polls, nothing is known.
        if standing != Standing::Unknown {
            found.devices = found.devices.saturating_add(1);
            found.devices_answering = found.devices_answering.saturating_add(u32::from(standing != Standing::Down));
        }
    }
}
