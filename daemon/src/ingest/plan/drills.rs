//! Drills: ordered, put in by the agent of a site or here, found as what is real is found, and ended.
//!
//! Invariants: a drill is found once, however often an agent tells of it, and in the record that told of it opens its case, so that a
//! kill loses and repeats nothing; what an agent tells as a drill that was not ordered from it is nothing, least of all something real.

use std::sync::Arc;

use onenet_topology::{
    AgentId, DrillId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyReport, Ends},
    case::{CaseCause, CaseEvidence, CaseKey, SUBJECT_CHARS_MAX, TEXT_CHARS_MAX},
    drill::{Drill, DrillFailure, DrillPlan, DrillWay, LASTS_MAX_MS, WAITS_MS},
    incident::{Closing, Incident, IncidentKind, Subject},
};
use onenet_wire::limits::SUBJECT_BYTES;

use super::{
    Draft, Outcome, Refusal,
    caps::KEPT_MS,
    cases::{self, incident_cause, subject_of},
    command::check_site,
};
use crate::{estate::Change, outbox::Message, record::Command};

/// Drills that there can be, past ones included, some 2 KB each.
const DRILLS_MAX: usize = 10_000;
/// Those that are kept however old they are.
const KEPT_MIN: usize = 1_000;

/// Checks a drill that is ordered.
pub(super) fn check(draft: &Draft<'_>, command: &Command) -> Result<Outcome, Refusal> {
    let Command::OrderDrill { site, plan } = command else { return Ok(Outcome::Accepted) };
    let now = draft.record.time;
    check_site(draft, *site)?;
    if !cases::kinds().any(|known| known == plan.kind) {
        return Err(Refusal::DrillKind(plan.kind.clone()));
    }
    let is_text = |text: &str, max: usize| (1..=max).contains(&text.trim().chars().count());
    let is_short = plan.subject.len() <= SUBJECT_BYTES;
    let said = incident_kind(&plan.kind).is_some() || is_text(&plan.subject, SUBJECT_CHARS_MAX) && is_short;
    let lasts = (1..=LASTS_MAX_MS).contains(&plan.lasts_ms);
    if !said || !is_text(&plan.text, TEXT_CHARS_MAX) || !lasts || plan.began.is_some_and(|began| began > now) {
        return Err(Refusal::Drill);
    }
    let subject = subject(draft, *site, plan)?;
    let all = &draft.next.drills.all;
    let same = all.values().rev().find(|it| {
        (it.site, it.plan.kind.as_str(), it.plan.subject.as_str()) == (*site, plan.kind.as_str(), subject.as_str())
    });
    if let Some(same) = same.filter(|it| is_under_way(draft, it)) {
        return Err(Refusal::DrillUnderWay(same.id));
    }
    if all.len() >= DRILLS_MAX { Err(Refusal::TooManyDrills) } else { Ok(Outcome::Accepted) }
}

/// Returns whether something is still to become of a drill, by itself or by people.
fn is_under_way(draft: &Draft<'_>, drill: &Drill) -> bool {
    let case = drill.case.and_then(|id| draft.next.cases.all.get(&id));
    !drill.is_settled() || case.is_some_and(|case| case.is_open())
}

fn incident_kind(kind: &str) -> Option<IncidentKind> {
    IncidentKind::ALL.into_iter().find(|it| it.name() == kind)
}

/// Returns about whom or what a drill is: of an incident, as an incident about it would say.
fn subject(draft: &Draft<'_>, site: SiteId, plan: &DrillPlan) -> Result<String, Refusal> {
    match incident_kind(&plan.kind) {
        Some(kind) => broken(draft, site, kind, plan.subject.trim()).map(|it| subject_of(&it)),
        None => Ok(plan.subject.trim().to_owned()),
    }
}

/// Returns what an incident of a kind at a site would be about.
fn broken(draft: &Draft<'_>, site: SiteId, kind: IncidentKind, said: &str) -> Result<Subject, Refusal> {
    let (estate, now) = (&draft.next, draft.record.time);
    let state = estate.site(site);
    let is = |id: String, name: &str| said.is_empty() || said == id || said == name;
    let (found, wanted) = match kind {
        IncidentKind::CentreIsolated => (Some(Subject::Centre), "the centre"),
        IncidentKind::SiteCut => (Some(Subject::Site(site)), "the site"),
        IncidentKind::LinkDown | IncidentKind::LinkDegraded => {
            // As an incident says it, too: the lower and the upper site.
            let upper = said.rsplit(' ').next().unwrap_or_default();
            let is_meant = |id: String, code: &str| said.is_empty() || upper == id || upper == code;
            let mut above = estate.tree.parents(site, now);
            let parent = above.find(|it| is_meant(it.id.to_string(), it.code(now)));
            (parent.map(|it| Subject::Link { child: site, parent: it.id }), "a site directly above it: its id or code")
        }
        IncidentKind::AgentSilent => {
            let mut agents = estate.agents_of(site).filter(|it| it.revoked.is_none());
            (
                agents.find(|it| is(it.id.to_string(), "")).map(|it| Subject::Agent(it.id)),
                "an agent of the site: its id",
            )
        }
        IncidentKind::DeviceDown => {
            let mut devices = state.into_iter().flat_map(|state| state.devices.values()).filter(|_| !said.is_empty());
            let found = devices.find(|it| is(it.id.to_string(), it.name()));
            (found.map(|it| Subject::Device(it.id)), "a device of the site: its id or name")
        }
        IncidentKind::InterfaceDown => {
            let devices = state.into_iter().flat_map(|state| state.devices.values());
            let mut ports = devices.flat_map(|it| it.interfaces.iter()).filter(|_| !said.is_empty());
            (ports.find(|it| is(it.id.to_string(), "")).map(|it| Subject::Interface(it.id)), "a port: its id")
        }
        IncidentKind::ServiceDown | IncidentKind::ServiceDegraded => {
            let is_name = (1..=SUBJECT_CHARS_MAX).contains(&said.chars().count());
            (is_name.then(|| Subject::Service(said.into())), "a service, by its name")
        }
    };
    found.ok_or_else(|| Refusal::DrillSubject { kind: kind.name(), wanted })
}

/// Returns where a drill is put in: by an agent that is connected or else by one that will be, at the centre where there is none and
/// where no site finds it.
fn way(draft: &Draft<'_>, site: SiteId, plan: &DrillPlan) -> DrillWay {
    let at_sites = onenet_detection::Kind::ALL.iter().any(|kind| kind.name() == plan.kind);
    let agents = || draft.next.agents_of(site).filter(|it| it.revoked.is_none());
    let connected = agents().find(|it| it.contact.connected_since.is_some());
    let heard = || agents().max_by_key(|it| it.contact.last_heard);
    match connected.or_else(heard).filter(|_| at_sites && !plan.at_centre) {
        Some(agent) => DrillWay::Agent(agent.id),
        None => DrillWay::Centre,
    }
}

/// Carries an order out, which was checked and is in the log. Returns what to answer, where it is one.
pub(super) fn carry_out(draft: &mut Draft<'_>, by: &str, command: &Command) -> Result<Option<Outcome>, Refusal> {
    let Command::OrderDrill { site, plan } = command else { return Ok(None) };
    let now = draft.record.time;
    let said = plan.subject.trim();
    let plan = DrillPlan {
        subject: subject(draft, *site, plan)?,
        text: plan.text.trim().to_owned(),
        ..DrillPlan::clone(plan)
    };
    let mut drill = Drill {
        id: draft.id()?,
        site: *site,
        way: way(draft, *site, &plan),
        plan,
        by: by.to_owned(),
        ordered: now,
        injected: None,
        found: None,
        failed: None,
        case: None,
        anomaly: None,
        incident: None,
    };
    if drill.way == DrillWay::Centre {
        drill.injected = Some(now);
        if let Some(kind) = incident_kind(&drill.plan.kind) {
            break_it(draft, &mut drill, kind, said)?;
        } else {
            let report = drill.report(now);
            take(draft, &mut drill, (Anomaly::CENTRE, now), &report)?;
        }
    }
    let id = drill.id;
    draft.put(Change::Drill(Arc::new(drill)));
    Ok(Some(Outcome::DrillOrdered(id)))
}

/// Lets an incident begin that is a drill.
fn break_it(draft: &mut Draft<'_>, drill: &mut Drill, kind: IncidentKind, said: &str) -> Result<(), Refusal> {
    let (now, site) = (draft.record.time, drill.site);
    let subject = broken(draft, site, kind, said)?;
    let since = drill.plan.began.unwrap_or(now);
    let incident = Incident::drilled(draft.id()?, (kind, site, subject), drill.plan.grade, (since, now));
    drill.found = Some(now);
    let message = Message::of_incident(None, (&incident, true), subject_of(&incident.subject), draft.message_id());
    draft.tell(message);
    drill.case = cases::drilled(draft, cause_of_incident(drill, &incident))?;
    drill.incident = Some(incident);
    Ok(())
}

/// Takes an anomaly that is a drill in, told by an agent or concluded here, seen last at `last`.
fn take(
    draft: &mut Draft<'_>,
    drill: &mut Drill,
    (agent, last): (AgentId, Timestamp),
    report: &AnomalyReport,
) -> Result<(), Refusal> {
    let Some(mut anomaly) = Anomaly::told(None, report, last, agent) else { return Ok(()) };
    // What it is about was ordered here.
    anomaly.key = drill.report(last).key;
    drill.found = Some(draft.record.time);
    drill.failed = None;
    drill.case = cases::drilled(draft, cause_of_anomaly(drill, &anomaly))?;
    drill.anomaly = Some(anomaly);
    Ok(())
}

/// Takes in that an agent tells of a drill, seen last at `last`.
pub(super) fn found(
    draft: &mut Draft<'_>,
    (site, agent): (SiteId, AgentId),
    id: DrillId,
    report: &AnomalyReport,
    last: Timestamp,
) {
    let known = draft.next.drills.all.get(&id);
    let ordered = known.filter(|it| it.site == site && it.way == DrillWay::Agent(agent) && it.found.is_none());
    let Some(mut drill) = ordered.map(|it| Drill::clone(it)) else { return };
    // Nothing is put in before it was ordered: a clock that could not be corrected says so.
    let last = last.max(drill.ordered);
    drill.injected = Some(last);
    // Without a position left there is no record either.
    if take(draft, &mut drill, (agent, last), report).is_ok() {
        draft.put(Change::Drill(Arc::new(drill)));
    }
}

/// Takes in that an agent put a drill in, or why it did not.
pub(super) fn told(draft: &mut Draft<'_>, agent: AgentId, id: DrillId, refused: Option<&str>) -> Outcome {
    let awaited = draft.next.drills.all.get(&id).filter(|it| it.awaits(agent));
    let Some(mut drill) = awaited.map(|it| Drill::clone(it)) else { return Outcome::Accepted };
    let now = draft.record.time;
    match refused {
        Some(reason) => drill.failed = Some(DrillFailure { time: now, reason: reason.to_owned() }),
        None => drill.injected = drill.injected.or(Some(now)),
    }
    draft.put(Change::Drill(Arc::new(drill)));
    Outcome::Accepted
}

fn evidence_of(drill: &Drill) -> CaseEvidence {
    CaseEvidence::new("drill", drill.plan.text.as_str())
}

/// Returns what a drill tells: it says first that it is one.
fn cause_of_anomaly(drill: &Drill, anomaly: &Anomaly) -> CaseCause {
    let DrillPlan { kind, subject, source, destination, port, .. } = &drill.plan;
    let ends = anomaly.ends();
    let Ends { source, destination, port } = Ends {
        source: source.or(ends.source),
        destination: destination.or(ends.destination),
        port: port.or(ends.port),
    };
    let told = anomaly.evidence.iter().map(|it| CaseEvidence::new(&it.is, it.value.as_str()));
    CaseCause {
        key: CaseKey { site: drill.site, kind: kind.clone(), subject: subject.clone(), drill: true },
        grade: anomaly.grade,
        confidence: None,
        first: anomaly.first,
        last: anomaly.last,
        count: anomaly.count,
        incident: None,
        source,
        destination,
        port,
        evidence: [evidence_of(drill)].into_iter().chain(told).collect(),
    }
}

fn cause_of_incident(drill: &Drill, incident: &Incident) -> CaseCause {
    let mut cause = incident_cause(incident);
    cause.key.drill = true;
    cause.evidence.retain(|it| !it.value.is_empty());
    cause.evidence.insert(0, evidence_of(drill));
    cause
}

/// Lets incidents that are drilled end, gives up what no agent puts in, and lets old drills go.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let unsettled: Vec<Arc<Drill>> = draft.next.drills.unsettled().cloned().collect();
    for drill in unsettled {
        if drill.incident.is_some() {
            mend(draft, &drill);
        } else if let Some(reason) = given_up(draft, &drill) {
            let failed = Some(DrillFailure { time: draft.record.time, reason });
            draft.put(Change::Drill(Arc::new(Drill { failed, ..Drill::clone(&drill) })));
        }
    }
    let (now, drills) = (draft.record.time, &draft.next.drills);
    let oldest = drills.all.values().next().filter(|_| drills.all.len() > KEPT_MIN);
    let gone = oldest.filter(|it| now.ms_since(it.ordered) > KEPT_MS && !is_under_way(draft, it)).map(|it| it.id);
    if let Some(id) = gone {
        draft.put(Change::DrillForgotten(id));
    }
}

/// Returns why nobody puts a drill in any more, where that is so.
fn given_up(draft: &Draft<'_>, drill: &Drill) -> Option<String> {
    let DrillWay::Agent(agent) = drill.way else { return None };
    let known = draft.next.agent(agent);
    if known.is_none_or(|it| it.revoked.is_some()) {
        return Some(format!("{agent} was revoked: order the drill again, another agent of the site gets it"));
    }
    let waited = draft.record.time.ms_since(drill.ordered) > WAITS_MS;
    (waited && drill.injected.is_none())
        .then(|| format!("{agent} was not heard within a day: see to its line, and order the drill again"))
}

/// Ends an incident that is drilled, once its time is over or its case is closed.
fn mend(draft: &mut Draft<'_>, drill: &Drill) {
    let now = draft.record.time;
    let Some(known) = drill.incident.as_ref().filter(|it| it.is_open()) else { return };
    let case = drill.case.and_then(|id| draft.next.cases.all.get(&id));
    let is_closed = case.is_none_or(|case| case.state.verdict().is_some());
    if !is_closed && now.ms_since(known.raised) < drill.plan.lasts_ms {
        return;
    }
    let incident = Incident { closed: Some((now, Closing::Healed)), updated: now, ..known.clone() };
    let subject = subject_of(&incident.subject);
    let message = Message::of_incident(Some(known), (&incident, true), subject, draft.message_id());
    draft.tell(message);
    if let Some(case) = drill.case {
        cases::drilled_again(draft, case, &cause_of_incident(drill, &incident));
    }
    draft.put(Change::Drill(Arc::new(Drill { incident: Some(incident), ..drill.clone() })));
}
