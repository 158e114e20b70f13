//! Incidents and planned maintenances as the API tells of them.
//!
//! Invariant: whoever sees one of the sites that an incident keeps from working sees the incident, and of it only what the view
//! shows: what is above his sites is named by its sort alone.

use onenet_topology::{
    SiteId,
    incident::{Closing, Clue, Incident, Maintenance, MaintenanceScope, Revision, Subject},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{site::named, time};
use crate::access::View;

/// Something that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentBody {
    /// Its id.
    pub id: String,
    /// `centre_isolated`, `site_cut`, `link_down`, `link_degraded`, `agent_silent`, `device_down`, `interface_down`,
    /// `service_down` or `service_degraded`.
    pub kind: &'static str,
    /// `open` or `closed`.
    pub state: &'static str,
    /// The grade that is proposed: `general`, `considerable`, `major` or `extraordinary`.
    pub severity: &'static str,
    /// The site that it is filed under; `null` where it may not be seen.
    pub site: Option<String>,
    /// What is broken.
    pub subject: SubjectBody,
    /// What may be behind it; with several, the evidence does not tell them apart: `uplink_cut`, `power_cut`, `agent_stopped`,
    /// `upper_equipment`, `centre_cut_off`, `probes_dropped`, `agents_port`, `way_to_service`, `itself`.
    pub possible: Vec<&'static str>,
    /// Since when, by the evidence.
    pub since: String,
    /// When it was raised.
    pub raised: String,
    /// When it last changed.
    pub updated: String,
    /// When it was over, by the evidence; `null` while it is open.
    pub closed: Option<String>,
    /// How it ended: `healed`, `part_of` another, or `gone` with what was broken.
    pub ending: Option<&'static str>,
    /// The incident that it was found to be part of.
    pub part_of: Option<String>,
    /// How long it lasted, or has lasted until now.
    pub duration_s: i64,
    /// The planned maintenance that it falls into.
    pub maintenance: Option<String>,
    /// The drill that it is: nothing is broken, and it is in no figure. `null` where it is none.
    pub drill: Option<String>,
    /// How many sites that may be seen are out of reach by it.
    pub sites_affected: usize,
    /// How many agents at sites that may be seen are not heard by it.
    pub agents_affected: usize,
    /// How many devices at sites that may be seen nobody can reach by it.
    pub devices_affected: usize,
}

/// What is broken: by its kind, with the ids that go with that, as far as they may be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectBody {
    /// `link`, `site`, `agent`, `device`, `interface`, `service` or `centre`.
    pub kind: &'static str,
    /// The site, of a link the lower one.
    pub site: Option<String>,
    /// The upper site of a link.
    pub parent: Option<String>,
    /// The agent, device or interface, or the service's name.
    pub id: Option<String>,
    /// The same in words, for whoever reads: the names of sites with their codes, of the device and of the interface or service.
    pub label: String,
}

/// Something that is broken, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentDetailBody {
    /// The incident.
    #[serde(flatten)]
    pub incident: IncidentBody,
    /// The sites that are out of reach by it.
    pub sites: Vec<String>,
    /// The agents that are not heard by it.
    pub agents: Vec<String>,
    /// The devices that nobody can reach by it.
    pub devices: Vec<String>,
    /// What speaks for it.
    pub evidence_for: Vec<ClueBody>,
    /// What speaks against it.
    pub evidence_against: Vec<ClueBody>,
    /// What was believed, oldest first.
    pub versions: Vec<VersionBody>,
}

/// A piece of evidence. What does not go with its kind is `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClueBody {
    /// `probe_fails`, `probe_answered`, `agent_heard`, `agent_lost`, `restarted`, `device_answers`, `device_silent`,
    /// `interface_down`, `service_checked`, `agents_lost_at_once`, `ways_failed_at_once`, `flapping` or `nobody_measures`.
    pub clue: &'static str,
    /// The agent that says so, or that it is about.
    pub agent: Option<String>,
    /// The device that it is about.
    pub device: Option<String>,
    /// The interface that it is about.
    pub interface: Option<String>,
    /// Of a probe between two sites: whether the upper one measures.
    pub from_above: Option<bool>,
    /// Of an answer: whether it is as it should be.
    pub good: Option<bool>,
    /// Since when.
    pub since: Option<String>,
    /// How many.
    pub count: Option<usize>,
    /// Of how many.
    pub of: Option<usize>,
}

/// What was believed of an incident from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionBody {
    /// From when.
    pub time: String,
    /// What sort of thing it was taken for.
    pub kind: &'static str,
    /// With what.
    pub subject: SubjectBody,
    /// What could be behind it.
    pub possible: Vec<&'static str>,
    /// How grave it was.
    pub severity: &'static str,
    /// Sites out of reach.
    pub sites_affected: usize,
}

/// A planned maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MaintenanceBody {
    /// Its id.
    pub id: String,
    /// `subtree`, `site`, `link` or `device`.
    pub scope: &'static str,
    /// The site, of a link the lower one.
    pub site: String,
    /// The upper site of a link, where it may be seen.
    pub parent: Option<String>,
    /// The device.
    pub device: Option<String>,
    /// From when.
    pub begin: String,
    /// Until when.
    pub end: String,
    /// `planned`, `on` or `over`.
    pub state: &'static str,
    /// Why.
    pub reason: String,
    /// Who planned it.
    pub by: String,
    /// Who ended it early or called it off.
    pub ended_by: Option<String>,
}

fn shown(view: &View, site: SiteId) -> Option<String> {
    view.site(site).map(|site| site.id.to_string())
}

impl SubjectBody {
    /// Returns a subject as far as the view shows it.
    pub fn of(view: &View, subject: &Subject) -> Self {
        let label = label(view, subject).unwrap_or_default();
        match subject {
            Subject::Link { child, parent } => {
                Self { kind: "link", site: shown(view, *child), parent: shown(view, *parent), id: None, label }
            }
            Subject::Site(site) => Self { kind: "site", site: shown(view, *site), label, ..Self::default() },
            Subject::Agent(agent) => {
                let site = view.agent(*agent).map(|agent| agent.site);
                let id = site.map(|_| agent.to_string());
                Self { kind: "agent", site: site.and_then(|site| shown(view, site)), parent: None, id, label }
            }
            Subject::Device(device) => {
                let site = view.device(*device).map(|(site, _)| site.id);
                let id = site.map(|_| device.to_string());
                Self { kind: "device", site: site.and_then(|site| shown(view, site)), parent: None, id, label }
            }
            Subject::Interface(interface) => {
                let found = view.interface(*interface);
                let site = found.map(|(site, ..)| site.id);
                let id = site.map(|_| interface.to_string());
                Self { kind: "interface", site: site.and_then(|site| shown(view, site)), parent: None, id, label }
            }
            Subject::Service(name) => Self { kind: "service", id: Some(name.to_string()), label, ..Self::default() },
            Subject::Centre => Self { kind: "centre", ..Self::default() },
        }
    }
}

/// Returns a subject in words, as far as the view shows it.
fn label(view: &View, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Link { child, parent } => match (named(view, *child), named(view, *parent)) {
            (Some(child), Some(parent)) => Some(format!("{child} - {parent}")),
            (one, other) => one.or(other),
        },
        Subject::Site(site) => named(view, *site),
        Subject::Agent(agent) => named(view, view.agent(*agent)?.site),
        Subject::Device(device) => {
            let (site, device) = view.device(*device)?;
            Some(format!("{} {}", named(view, site.id)?, device.name()))
        }
        Subject::Interface(interface) => {
            let (site, device, interface) = view.interface(*interface)?;
            Some(format!("{} {} {}", named(view, site.id)?, device.name(), interface.said.name))
        }
        Subject::Service(name) => Some(name.to_string()),
        Subject::Centre => None,
    }
}

impl IncidentBody {
    /// Returns an incident as the view shows it.
    pub fn of(view: &View, incident: &Incident) -> Self {
        let (ending, part_of) = match incident.closed.map(|(_, how)| how) {
            None => (None, None),
            Some(Closing::Healed) => (Some("healed"), None),
            Some(Closing::PartOf(id)) => (Some("part_of"), Some(id.to_string())),
            Some(Closing::Gone) => (Some("gone"), None),
        };
        Self {
            id: incident.id.to_string(),
            kind: incident.kind.name(),
            state: if incident.is_open() { "open" } else { "closed" },
            severity: incident.severity.name(),
            site: shown(view, incident.site),
            subject: SubjectBody::of(view, &incident.subject),
            possible: incident.possible.iter().map(|it| it.name()).collect(),
            since: time(incident.since),
            raised: time(incident.raised),
            updated: time(incident.updated),
            closed: incident.closed.map(|(at, _)| time(at)),
            ending,
            part_of,
            duration_s: incident.duration_ms(view.now()) / 1_000,
            maintenance: incident.planned.map(|it| it.to_string()),
            drill: view.drill_of_incident(incident.id).map(|it| it.to_string()),
            sites_affected: incident.affected.sites.iter().filter(|it| view.site(**it).is_some()).count(),
            agents_affected: incident.affected.agents.iter().filter(|it| view.agent(**it).is_some()).count(),
            devices_affected: incident.affected.devices.iter().filter(|it| view.device(**it).is_some()).count(),
        }
    }
}

impl IncidentDetailBody {
    /// Returns an incident with all that the view shows of it.
    pub fn of(view: &View, incident: &Incident) -> Self {
        let affected = &incident.affected;
        let clues = |clues: &std::collections::BTreeSet<Clue>| clues.iter().map(|it| ClueBody::of(view, it)).collect();
        Self {
            sites: affected.sites.iter().filter_map(|site| shown(view, *site)).collect(),
            agents: affected.agents.iter().filter(|it| view.agent(**it).is_some()).map(ToString::to_string).collect(),
            devices: affected
                .devices
                .iter()
                .filter(|it| view.device(**it).is_some())
                .map(ToString::to_string)
                .collect(),
            evidence_for: clues(&incident.evidence_for),
            evidence_against: clues(&incident.evidence_against),
            versions: incident.revisions.iter().map(|it| VersionBody::of(view, it)).collect(),
            incident: IncidentBody::of(view, incident),
        }
    }
}

impl VersionBody {
    fn of(view: &View, revision: &Revision) -> Self {
        Self {
            time: time(revision.time),
            kind: revision.kind.name(),
            subject: SubjectBody::of(view, &revision.subject),
            possible: revision.possible.iter().map(|it| it.name()).collect(),
            severity: revision.severity.name(),
            sites_affected: revision.sites,
        }
    }
}

impl ClueBody {
    /// Returns a piece of evidence; an agent or device that may not be seen has no name.
    pub fn of(view: &View, clue: &Clue) -> Self {
        let agent = |id: onenet_topology::AgentId| view.agent(id).map(|agent| agent.id.to_string());
        let device = |id: onenet_topology::DeviceId| view.device(id).map(|_| id.to_string());
        let base = Self { clue: clue.name(), ..Self::default() };
        match clue {
            Clue::ProbeFails { agent: by, from_above, since } => {
                Self { agent: agent(*by), from_above: Some(*from_above), since: Some(time(*since)), ..base }
            }
            Clue::ProbeAnswered { agent: by, from_above, since, degraded } => Self {
                agent: agent(*by),
                from_above: Some(*from_above),
                good: Some(!degraded),
                since: Some(time(*since)),
                ..base
            },
            Clue::AgentHeard { agent: by, since }
            | Clue::AgentLost { agent: by, since }
            | Clue::Restarted { agent: by, at: since } => Self { agent: agent(*by), since: Some(time(*since)), ..base },
            Clue::DeviceAnswers { device: of, agent: by } => Self { agent: agent(*by), device: device(*of), ..base },
            Clue::DeviceSilent { device: of, agent: by, since } => {
                Self { agent: agent(*by), device: device(*of), since: Some(time(*since)), ..base }
            }
            Clue::InterfaceDown { interface, since } => {
                let interface = view.interface(*interface).map(|_| interface.to_string());
                Self { interface, since: Some(time(*since)), ..base }
            }
            Clue::ServiceChecked { agent: by, good, since } => {
                Self { agent: agent(*by), good: Some(*good), since: Some(time(*since)), ..base }
            }
            Clue::AgentsLostAtOnce { lost, of } => Self { count: Some(*lost), of: Some(*of), ..base },
            Clue::WaysFailedAtOnce { ways } => Self { count: Some(*ways), ..base },
            Clue::Flapping | Clue::NobodyMeasures => base,
        }
    }
}

impl MaintenanceBody {
    /// Returns a maintenance as the view shows it.
    pub fn of(view: &View, maintenance: &Maintenance) -> Self {
        let (parent, device) = match maintenance.scope {
            MaintenanceScope::Link { parent, .. } => (shown(view, parent), None),
            MaintenanceScope::Device { device, .. } => (None, Some(device.to_string())),
            MaintenanceScope::Subtree(_) | MaintenanceScope::Site(_) => (None, None),
        };
        let now = view.now();
        let state = match () {
            () if maintenance.end <= now => "over",
            () if maintenance.begin <= now => "on",
            () => "planned",
        };
        Self {
            id: maintenance.id.to_string(),
            scope: maintenance.scope.name(),
            site: maintenance.scope.site().to_string(),
            parent,
            device,
            begin: time(maintenance.begin),
            end: time(maintenance.end),
            state,
            reason: maintenance.reason.clone(),
            by: maintenance.by.clone(),
            ended_by: maintenance.ended_by.clone(),
        }
    }
}
