//! Incidents: what is concluded of the country at a tick, and what that makes of the incidents.
//!
//! Invariant: nothing here looks at a clock: hold-downs and pauses are counted from the evidence's times to the record's
//! (invariant 11). No report's path comes here: a tick does, and only when something changed that says something of states, or
//! something is about to.

use std::sync::Arc;

use onenet_topology::{
    AgentId, DeviceId, InterfaceId, MaintenanceId, ProbeKind, ProbeRole, Timestamp,
    device::Device,
    fact::{FactBody, Group, InterfaceStatus, Method, Scope},
    incident::{
        self, AgentFact, Cause, Contact, DeviceFact, DeviceJoint, Evidence, Incident, IncidentKind, InterfaceFact,
        Joint, ProbeFact, ProbeState, ProbeTarget, ServiceFact, SiteFact,
    },
    link::LinkEnd,
};

use super::Draft;
use crate::{
    availability::{Way, way_of},
    estate::{Agent, Change, Estate, Held, SiteState},
    outbox::Message,
};

/// Incidents that are kept, open and closed: some 1 to 2 KB each.
const INCIDENTS_MAX: usize = 20_000;
/// How long closed ones are kept, in milliseconds: as long as the audit trail.
const CLOSED_KEPT_MS: i64 = 190 * 86_400_000;
/// Closed ones that one tick lets go.
const FORGOTTEN_PER_TICK: usize = 100;
/// How long, in milliseconds, after its end an incident may learn what it was, and of how many of the newest that is asked.
const UNSETTLED_MS: i64 = 3_600_000;
const UNSETTLED_MAX: usize = 1_000;
/// What the description of a port (ifAlias) contains when somebody wants to know that it is down.
pub(crate) const WATCH_MARK: &str = "#watch";

/// Concludes anew where that is due, and raises, revises and closes incidents.
pub(super) fn judge(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    if !draft.next.judging.get().is_due(now) {
        return;
    }
    let mut evidence = gather(&draft.next, now);
    let mut damper = draft.next.judging.get().damper.clone();
    evidence.flapping = damper.observe(&evidence);
    let verdicts = Arc::new(incident::evaluate(&evidence));
    let estate = draft.next.clone();
    let known: Vec<_> = estate.open_incidents().chain(unsettled(&estate, now)).cloned().collect();
    let identity = || draft.id().ok();
    let planned = |cause: &Cause| planned(&estate, cause, now);
    let changed = incident::follow(known.iter().map(Arc::as_ref), &verdicts, identity, planned);
    for incident in changed {
        let incident = Arc::new(incident);
        let known = draft.next.incidents.get(&incident.id);
        let subject = super::cases::subject_of(&incident.subject);
        let message = Message::of_incident(known.map(Arc::as_ref), (&incident, false), subject, draft.message_id());
        draft.put(Change::Incident(Arc::clone(&incident)));
        draft.tell(message);
        super::cases::of_incident(draft, &incident);
    }
    let judging = draft.next.judging.get().with(verdicts, damper);
    draft.put(Change::Judged(Arc::new(judging)));
    forget(draft);
}

/// Returns incidents that were over a while ago and may still learn what they were: agents come back later than lines.
fn unsettled(estate: &Estate, now: Timestamp) -> impl Iterator<Item = &Arc<Incident>> {
    let newest = estate.incidents.values().rev().take(UNSETTLED_MAX);
    newest.filter(move |it| it.closed.is_some_and(|(at, _)| now.ms_since(at) < UNSETTLED_MS) && it.can_learn())
}

/// Returns the maintenance that a cause falls into: the one that was planned first.
fn planned(estate: &Estate, cause: &Cause, now: Timestamp) -> Option<MaintenanceId> {
    let on = estate.maintenances.values().filter(|it| it.is_on(now));
    let is_below = |site, root| estate.tree.is_within(site, root, now);
    on.filter(|it| it.scope.covers(cause, is_below)).map(|it| it.id).next()
}

/// Lets closed incidents go that are too old, or for which there is no room.
fn forget(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let over = draft.next.incidents.len().saturating_sub(INCIDENTS_MAX);
    let closed = draft.next.incidents.values().filter_map(|it| it.closed.map(|(at, _)| (it.id, at)));
    let old = |place: usize, at: Timestamp| place < over || now.ms_since(at) > CLOSED_KEPT_MS;
    let gone: Vec<_> = closed
        .take(over.max(FORGOTTEN_PER_TICK))
        .enumerate()
        .filter(|(place, (_, at))| old(*place, *at))
        .take(FORGOTTEN_PER_TICK)
        .map(|(_, (id, _))| id)
        .collect();
    for id in gone {
        draft.put(Change::IncidentForgotten(id));
    }
}

/// Returns what is known, as the evaluation wants it.
fn gather(estate: &Estate, now: Timestamp) -> Evidence {
    let isolated = estate.incidents.values().rev().find(|it| it.kind == IncidentKind::CentreIsolated);
    let back = isolated.map(|it| it.closed.map_or(now, |(at, _)| at)).unwrap_or_default();
    let mut evidence =
        Evidence { now, started: estate.started, hearing_since: estate.started.max(back), ..Evidence::default() };
    for site in estate.tree.existing(now) {
        let parents = site.uplinks(now).iter().map(|uplink| uplink.parent).collect();
        evidence.sites.push(SiteFact { id: site.id, tier: site.tier, parents });
    }
    for agent in estate.agents.values().filter(|agent| agent.revoked.is_none()) {
        let contact = contact(agent, estate.started);
        let booted = agent.clock.boots.last().filter(|boot| boot.measured).map(|boot| boot.zero);
        evidence.agents.push(AgentFact { id: agent.id, site: agent.site, contact, booted });
    }
    for state in estate.sites.values() {
        gather_site(state, &mut evidence);
    }
    for agent in estate.agents.values().filter(|agent| agent.is_heard()) {
        gather_probes(estate, agent, &mut evidence);
    }
    evidence
}

/// Returns whether an agent is heard. One whose stream the centre never saw break, since it was not running, may yet be back.
fn contact(agent: &Agent, started: Timestamp) -> Contact {
    let known = agent.contact;
    match (known.last_heard, known.silent_since, known.connected_since) {
        (None, ..) => Contact::Never,
        (_, Some(silent), _) => Contact::Silent(known.disconnected_since.unwrap_or(silent)),
        (_, None, Some(since)) => Contact::Heard(since),
        (Some(last), None, None) => Contact::Lost(known.disconnected_since.unwrap_or(last.max(started))),
    }
}

fn gather_site(state: &SiteState, evidence: &mut Evidence) {
    for device in state.devices.values() {
        let answers = device.answering.iter().map(|it| (it.agent, it.reach.state.into(), it.since)).collect();
        evidence.devices.push(DeviceFact { id: device.id, site: state.id, answers });
        gather_ports(state, device, evidence);
    }
    for link in state.links.iter() {
        if let (Some(a), Some(b)) = (joint(&link.a), joint(&link.b)) {
            evidence.joints.push(DeviceJoint { site: state.id, a, b });
        }
    }
}

/// Adds what an agent measures.
fn gather_probes(estate: &Estate, agent: &Agent, evidence: &mut Evidence) {
    let Some(state) = estate.site(agent.site) else { return };
    let now = evidence.now;
    for held in probes_of(state, agent.id) {
        let FactBody::Probe(probe) = &held.fact.body else { continue };
        let since = held.fact.observed;
        let Some(state) = measured(probe.state) else { continue };
        if probe.role == ProbeRole::Named {
            let name = probe.name.as_str().into();
            let at = estate.tree.by_code(&probe.site, now).map(|site| site.id);
            evidence.services.push(ServiceFact { teller: agent.id, name, at, state, since });
        }
        let Some(Way { child, parent, side }) = way_of(&estate.tree, agent.site, probe, now) else { continue };
        let target = ProbeTarget::Way { child, parent, side };
        let by_agent = probe.kind == ProbeKind::Stamp;
        evidence.probes.push(ProbeFact { teller: agent.id, target, state, since, by_agent });
    }
}

pub(super) fn probes_of(state: &SiteState, agent: AgentId) -> impl Iterator<Item = Held> {
    let first = (agent, Group { method: Method::Probe, scope: Scope::new("") });
    let groups = state.facts.range(first..);
    let own = groups.take_while(move |((holder, group), _)| *holder == agent && group.method == Method::Probe);
    own.flat_map(|(_, group)| group.iter().map(|(_, held)| held))
}

const fn measured(state: onenet_topology::ProbeState) -> Option<ProbeState> {
    match state {
        onenet_topology::ProbeState::Up => Some(ProbeState::Up),
        onenet_topology::ProbeState::Degraded => Some(ProbeState::Degraded),
        onenet_topology::ProbeState::Down => Some(ProbeState::Down),
        onenet_topology::ProbeState::Unknown => None,
    }
}

fn joint(end: &LinkEnd) -> Option<Joint> {
    match end {
        LinkEnd::Interface { device, .. } => Some(Joint::Device(*device)),
        LinkEnd::Agent { agent, .. } => Some(Joint::Agent(*agent)),
        LinkEnd::Unmanaged { .. } => None,
    }
}

/// Adds the ports of a device that somebody wants to be up.
fn gather_ports(state: &SiteState, device: &Device, evidence: &mut Evidence) {
    let watched = device.interfaces.iter().filter(|it| it.current && it.said.alias.contains(WATCH_MARK));
    for port in watched.filter(|it| it.said.admin != InterfaceStatus::Down) {
        let peer = state
            .links
            .iter()
            .find_map(|link| peer(&link.a, &link.b, port.id).or_else(|| peer(&link.b, &link.a, port.id)));
        evidence.interfaces.push(InterfaceFact {
            id: port.id,
            device: device.id,
            site: state.id,
            up: matches!(port.said.oper, InterfaceStatus::Up | InterfaceStatus::Dormant),
            since: port.observed,
            peer,
        });
    }
}

/// Returns the device at the other end of a port's link.
fn peer(one: &LinkEnd, other: &LinkEnd, port: InterfaceId) -> Option<DeviceId> {
    match (one, other) {
        (LinkEnd::Interface { interface: Some(interface), .. }, LinkEnd::Interface { device, .. }) => {
            (*interface == port).then_some(*device)
        }
        _ => None,
    }
}
