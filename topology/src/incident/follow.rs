//! Incidents over time: what is open, what a cause does to it, and when it is over.
//!
//! Invariant: a cause has one incident as long as it lasts; what is found out later makes a new version of it, never another
//! incident. Only a good sign closes it: that nobody can tell any more does not (invariant 5). Times are the evidence's and
//! the record's (invariant 11).
//!
//! It does not know who is told of an incident, nor how it is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    AT_ONCE_MS, Cause, Clue, Explanation, HOLD_UP_MS, IncidentKind, RECONNECT_MS, Severity, State, Subject, Verdicts,
};
use crate::{AgentId, DeviceId, IncidentId, MaintenanceId, SiteId, Timestamp};

/// Versions that an incident keeps: the first one and the last ones.
const REVISIONS_MAX: usize = 32;
/// Things of each sort that an incident names as affected; beyond that it counts them.
const AFFECTED_MAX: usize = 4_096;

/// What an incident keeps from working.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Sites that are, or were, out of reach by it.
    pub sites: BTreeSet<SiteId>,
    /// Agents that are not heard by it.
    pub agents: BTreeSet<AgentId>,
    /// Devices that nobody can reach by it.
    pub devices: BTreeSet<DeviceId>,
}

/// A version of an incident: what was believed from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// From when.
    pub time: Timestamp,
    /// What sort of thing it was taken for.
    pub kind: IncidentKind,
    /// With what.
    pub subject: Subject,
    /// What could be behind it.
    pub possible: BTreeSet<Explanation>,
    /// How grave it was.
    pub severity: Severity,
    /// Sites out of reach.
    pub sites: usize,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// What was broken works again.
    Healed,
    /// It was found to be part of another.
    PartOf(IncidentId),
    /// What was broken is no more: the site was moved, the agent revoked.
    Gone,
}

/// Something is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its identity.
    pub id: IncidentId,
    /// The site that it is filed under.
    pub site: SiteId,
    /// What sort of thing happened.
    pub kind: IncidentKind,
    /// With what.
    pub subject: Subject,
    /// Further subjects that it explains.
    pub covers: BTreeSet<Subject>,
    /// How grave it is: a proposal.
    pub severity: Severity,
    /// What may be behind it.
    pub possible: BTreeSet<Explanation>,
    /// Since when, by the evidence.
    pub since: Timestamp,
    /// When it was raised.
    pub raised: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Since when what was broken shows good signs.
    pub healing: Option<Timestamp>,
    /// When it was over, by the evidence, and how it ended; `None` while it is open.
    pub closed: Option<(Timestamp, Closing)>,
    /// The planned maintenance that it falls into.
    pub planned: Option<MaintenanceId>,
    /// What it keeps, or kept, from working.
    pub affected: Affected,
    /// What speaks for it.
    pub evidence_for: BTreeSet<Clue>,
    /// What speaks against it.
    pub evidence_against: BTreeSet<Clue>,
    /// What was believed before and is believed now, oldest first.
    pub revisions: Vec<Revision>,
}

/// Returns the incidents that are to be as returned from now on: raised, revised or closed ones among `known`. Those of them
/// that were closed a while ago may still learn what they were.
///
/// `identity` gives an id that nothing else has, `None` when there are none left; `planned` says into which planned
/// maintenance a cause falls.
pub fn follow<'i>(
    known: impl IntoIterator<Item = &'i Incident>,
    verdicts: &Verdicts,
    mut identity: impl FnMut() -> Option<IncidentId>,
    planned: impl Fn(&Cause) -> Option<MaintenanceId>,
) -> Vec<Incident> {
    let (mut open, closed): (Vec<&Incident>, Vec<&Incident>) = known.into_iter().partition(|it| it.is_open());
    open.sort_by_key(|it| (it.since, it.id));
    let matched = assign(&open, verdicts);
    let mut changed: Vec<Incident> = closed.into_iter().filter_map(|it| learned(it, verdicts)).collect();
    // By which incident each cause is told of.
    let mut told: Vec<Option<IncidentId>> = Vec::with_capacity(verdicts.causes.len());
    for (cause, known) in verdicts.causes.iter().zip(&matched) {
        let now = verdicts.at;
        let next = match known.and_then(|place| open.get(place).copied()) {
            Some(known) => {
                told.push(Some(known.id));
                revised(known, cause, planned(cause), verdicts)
            }
            None if cause.due <= now => {
                let raised = identity().map(|id| raise(id, cause, planned(cause), now));
                told.push(raised.as_ref().map(|it| it.id));
                raised
            }
            None => {
                told.push(None);
                None
            }
        };
        changed.extend(next);
    }
    let taken: BTreeSet<usize> = matched.into_iter().flatten().collect();
    for (_, incident) in open.iter().enumerate().filter(|(place, _)| !taken.contains(place)) {
        changed.extend(without_cause(incident, verdicts, &told));
    }
    changed
}

/// Returns which open incident each cause is: the one of its subject, else the oldest one that it explains or that had
/// explained it.
fn assign(open: &[&Incident], verdicts: &Verdicts) -> Vec<Option<usize>> {
    let mut by_subject: BTreeMap<&Subject, Vec<usize>> = BTreeMap::new();
    for (place, incident) in open.iter().enumerate() {
        for subject in incident.covers.iter().chain([&incident.subject]) {
            by_subject.entry(subject).or_default().push(place);
        }
    }
    let mut taken = BTreeSet::new();
    let mut matched = vec![None; verdicts.causes.len()];
    let exact = |cause: &Cause, place: usize| open.get(place).is_some_and(|it| it.subject == cause.subject);
    for by_subject_alone in [true, false] {
        for (number, cause) in verdicts.causes.iter().enumerate() {
            if matched[number].is_some() {
                continue;
            }
            let candidates = cause.covers.iter().filter_map(|subject| by_subject.get(subject)).flatten().copied();
            let free = candidates.filter(|place| {
                let known = open.get(*place);
                // What is not to be told of yet changes nothing that was told as something else.
                let told = cause.due <= verdicts.at || known.is_some_and(|it| it.kind == cause.kind);
                told && !taken.contains(place) && related(known, cause)
            });
            let found = free.filter(|place| !by_subject_alone || exact(cause, *place)).min();
            if let Some(place) = found {
                taken.insert(place);
                matched[number] = Some(place);
            }
        }
    }
    matched
}

/// Returns whether an incident and a cause can be one thing: both of the ways to a site, or both of the same sort.
fn related(incident: Option<&&Incident>, cause: &Cause) -> bool {
    let of_ways = |kind: IncidentKind| {
        matches!(
            kind,
            IncidentKind::SiteCut | IncidentKind::LinkDown | IncidentKind::LinkDegraded | IncidentKind::AgentSilent
        )
    };
    let of_services = |kind| matches!(kind, IncidentKind::ServiceDown | IncidentKind::ServiceDegraded);
    let same = |one, other| one == other || of_ways(one) && of_ways(other) || of_services(one) && of_services(other);
    incident.is_some_and(|it| same(it.kind, cause.kind))
}

fn raise(id: IncidentId, cause: &Cause, planned: Option<MaintenanceId>, now: Timestamp) -> Incident {
    let mut incident = Incident {
        id,
        site: cause.site,
        kind: cause.kind,
        subject: cause.subject.clone(),
        covers: cause.covers.clone(),
        severity: cause.severity,
        possible: cause.possible.clone(),
        since: cause.since,
        raised: now,
        updated: now,
        healing: None,
        closed: None,
        planned,
        affected: Affected::default(),
        evidence_for: cause.evidence_for.clone(),
        evidence_against: cause.evidence_against.clone(),
        revisions: Vec::new(),
    };
    incident.add_affected(cause);
    incident.note(now);
    incident
}

/// Returns the incident as the cause has it now, `None` where that says nothing new.
fn revised(known: &Incident, cause: &Cause, planned: Option<MaintenanceId>, verdicts: &Verdicts) -> Option<Incident> {
    let mut next = known.clone();
    next.healing = recovering(known, cause, verdicts);
    next.planned = planned;
    if next.healing.is_some() {
        return (next != *known).then_some(Incident { updated: verdicts.at, ..next });
    }
    let lost_sight = cause.kind == IncidentKind::AgentSilent
        && known.kind != IncidentKind::AgentSilent
        && verdicts.state(&known.subject) == State::Unknown;
    // That nobody can tell of the way any more takes nothing back of what was found.
    if !lost_sight {
        next.kind = cause.kind;
        next.site = cause.site;
        next.subject = cause.subject.clone();
        next.covers.clone_from(&cause.covers);
        next.possible.clone_from(&cause.possible);
        // A grade proposed once stands: what came back meanwhile does not make it less.
        next.severity = known.severity.max(cause.severity);
        next.since = known.since.min(cause.since);
        next.add_affected(cause);
        next.evidence_for.clone_from(&cause.evidence_for);
        next.evidence_against.clone_from(&cause.evidence_against);
    }
    next.note(verdicts.at);
    if next == *known {
        return None;
    }
    next.updated = verdicts.at;
    Some(next)
}

/// Returns since when a device answers again, of which only what is behind it does not yet: that was last asked while it could not
/// be reached, and gets time before it is a failure of its own.
fn recovering(known: &Incident, cause: &Cause, verdicts: &Verdicts) -> Option<Timestamp> {
    let (Subject::Device(was), Subject::Device(is)) = (&known.subject, &cause.subject) else { return None };
    let behind = was != is && known.affected.devices.contains(is);
    let answers = matches!(verdicts.state(&known.subject), State::Up | State::Degraded);
    let since = known.healing.unwrap_or(verdicts.at);
    (behind && answers && verdicts.at.ms_since(since) < RECONNECT_MS).then_some(since)
}

/// Returns what becomes of an open incident that no cause stands behind any more, `None` where that is nothing new.
fn without_cause(known: &Incident, verdicts: &Verdicts, told: &[Option<IncidentId>]) -> Option<Incident> {
    let now = verdicts.at;
    let mut next = known.clone();
    let part_of = verdicts.causes.iter().zip(told).find_map(|(cause, id)| {
        let explains = cause.covers.contains(&known.subject) || is_consequence(known, cause);
        let at_once = cause.since.ms_since(known.since) <= AT_ONCE_MS;
        id.filter(|_| explains && at_once && cause.kind != IncidentKind::CentreIsolated)
    });
    if let Some(id) = part_of {
        next.closed = Some((now, Closing::PartOf(id)));
    } else if !verdicts.knows(&known.subject) {
        next.closed = Some((now, Closing::Gone));
    } else if let Some(since) = good_since(known, verdicts) {
        let since = known.healing.unwrap_or(since).max(known.since);
        next.healing = Some(since);
        if now.ms_since(since) >= HOLD_UP_MS {
            next.closed = Some((since, Closing::Healed));
            next.learn_from_restart(verdicts);
        }
    } else {
        next.healing = None;
    }
    if next == *known {
        return None;
    }
    next.updated = now;
    Some(next)
}

/// Returns a closed incident with what became known since.
fn learned(closed: &Incident, verdicts: &Verdicts) -> Option<Incident> {
    let mut next = closed.clone();
    next.learn_from_restart(verdicts);
    (next != *closed).then_some(Incident { updated: verdicts.at, ..next })
}

fn is_consequence(incident: &Incident, cause: &Cause) -> bool {
    match &incident.subject {
        Subject::Agent(agent) => cause.agents.contains(agent),
        Subject::Device(device) => cause.subject != incident.subject && cause.devices.contains(device),
        Subject::Link { child, .. } | Subject::Site(child) => {
            cause.subject != incident.subject && cause.sites.contains(child)
        }
        Subject::Interface(_) | Subject::Service(_) | Subject::Centre => false,
    }
}

/// Returns since when what was broken works, as far as anybody can tell now.
fn good_since(incident: &Incident, verdicts: &Verdicts) -> Option<Timestamp> {
    if verdicts.isolated {
        return None;
    }
    let ways_up = || {
        let ways = incident.covers.iter().filter(|it| matches!(it, Subject::Link { .. }) && verdicts.knows(it));
        ways.into_iter().all(|way| matches!(verdicts.state(way), State::Up | State::Degraded))
    };
    let good = match (incident.kind, verdicts.state(&incident.subject)) {
        // All ways down of a site failed: the site itself may well have been heard all the while.
        (IncidentKind::LinkDown, _) if matches!(incident.subject, Subject::Site(_)) => ways_up(),
        (_, State::Up) => true,
        // A site of which something else is not right, a device or a service that is bad now, and nothing that causes it.
        (kind, State::Degraded) => {
            !matches!(kind, IncidentKind::LinkDown | IncidentKind::LinkDegraded)
                || !matches!(incident.subject, Subject::Link { .. })
        }
        _ => false,
    };
    let told = match incident.subject {
        Subject::Link { child, parent } => verdicts.links.get(&(child, parent)).and_then(|way| way.since),
        _ => None,
    };
    good.then(|| told.filter(|since| *since >= incident.since && *since <= verdicts.at).unwrap_or(verdicts.at))
}

impl Incident {
    /// Returns an incident that nothing but a drill speaks for.
    pub fn drilled(
        id: IncidentId,
        (kind, site, subject): (IncidentKind, SiteId, Subject),
        severity: Severity,
        (since, now): (Timestamp, Timestamp),
    ) -> Self {
        let mut affected = Affected::default();
        match (&subject, kind) {
            (Subject::Site(site), _) => affected.sites.extend([*site]),
            (Subject::Link { child, .. }, IncidentKind::SiteCut) => affected.sites.extend([*child]),
            (Subject::Agent(agent), _) => affected.agents.extend([*agent]),
            (Subject::Device(device), _) => affected.devices.extend([*device]),
            _ => {}
        }
        let mut incident = Self {
            id,
            site,
            kind,
            covers: [subject.clone()].into(),
            subject,
            severity,
            possible: BTreeSet::new(),
            since,
            raised: now,
            updated: now,
            healing: None,
            closed: None,
            planned: None,
            affected,
            evidence_for: BTreeSet::new(),
            evidence_against: BTreeSet::new(),
            revisions: Vec::new(),
        };
        incident.note(now);
        incident
    }

    /// Returns whether it is open.
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Returns how long it lasted, or has lasted until `now`, in milliseconds.
    pub fn duration_ms(&self, now: Timestamp) -> i64 {
        self.closed.map_or(now, |(at, _)| at).ms_since(self.since).max(0)
    }

    /// Returns whether it is filed under a site, is about its way up, or keeps it from working.
    pub fn concerns_site(&self, site: SiteId) -> bool {
        let about = match &self.subject {
            Subject::Link { child, parent } => *child == site || *parent == site,
            Subject::Site(it) => *it == site,
            _ => false,
        };
        about || self.site == site || self.affected.sites.contains(&site)
    }

    fn add_affected(&mut self, cause: &Cause) {
        add(&mut self.affected.sites, &cause.sites);
        add(&mut self.affected.agents, &cause.agents);
        add(&mut self.affected.devices, &cause.devices);
    }

    /// Returns whether a machine's start could still tell what it was.
    pub fn can_learn(&self) -> bool {
        [Explanation::UplinkCut, Explanation::PowerCut].iter().all(|it| self.possible.contains(it))
    }

    /// A machine that started after its site was cut had lost power; one that ran on had not.
    fn learn_from_restart(&mut self, verdicts: &Verdicts) {
        let open = self.can_learn();
        let site = match self.subject {
            Subject::Link { child, .. } | Subject::Site(child) => child,
            _ => self.site,
        };
        let Some(started) = verdicts.started.get(&site).copied().filter(|_| open) else { return };
        let restarted = started >= self.since;
        self.possible.remove(if restarted { &Explanation::UplinkCut } else { &Explanation::PowerCut });
        self.note(verdicts.at);
    }

    /// Notes a version where what is believed changed.
    fn note(&mut self, time: Timestamp) {
        let next = Revision {
            time,
            kind: self.kind,
            subject: self.subject.clone(),
            possible: self.possible.clone(),
            severity: self.severity,
            sites: self.affected.sites.len(),
        };
        let same = self.revisions.last().is_some_and(|last| Revision { time, ..last.clone() } == next);
        if same {
            return;
        }
        if self.revisions.len() >= REVISIONS_MAX {
            self.revisions.remove(1);
        }
        self.revisions.push(next);
    }
}

fn add<T: Copy + Ord>(to: &mut BTreeSet<T>, more: &BTreeSet<T>) {
    for it in more {
        if to.len() >= AFFECTED_MAX {
            return;
        }
        to.insert(*it);
    }
}
