//! What is concluded: states, causes, and the words for both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{CLUES_MAX, Side, country::Country};
use crate::{AgentId, DeviceId, InterfaceId, SiteId, Timestamp, division::Tier};

/// The state of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Up,
    /// It works, and something about it does not.
    Degraded,
    /// It does not work.
    Down,
    /// It changes too often to be called one or the other.
    Flapping,
    /// Nobody who is heard can tell.
    Unknown,
}

/// What is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The way between a site and one above it.
    Link {
        /// The lower site.
        child: SiteId,
        /// The upper site.
        parent: SiteId,
    },
    /// A site as a whole.
    Site(SiteId),
    /// An agent.
    Agent(AgentId),
    /// A device.
    Device(DeviceId),
    /// An interface that is watched.
    Interface(InterfaceId),
    /// A service, by its name.
    Service(Arc<str>),
    /// The centre's own way to the network.
    Centre,
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// The centre itself is cut off.
    CentreIsolated,
    /// All ways of a site failed.
    SiteCut,
    /// A way between two sites failed.
    LinkDown,
    /// A way between two sites is bad, or comes and goes.
    LinkDegraded,
    /// An agent says nothing, and nothing says that its site is cut.
    AgentSilent,
    /// A device does not answer.
    DeviceDown,
    /// A watched interface is down.
    InterfaceDown,
    /// A service does not answer, at all or to some.
    ServiceDown,
    /// A service answers, and something is wrong with its answers.
    ServiceDegraded,
}

/// What may be behind a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// The line, or the equipment at its ends.
    UplinkCut,
    /// Power failed at the site.
    PowerCut,
    /// The agent's program or machine alone.
    AgentStopped,
    /// The upper site's own equipment, since all its ways down failed at once.
    UpperEquipment,
    /// The centre's own way to the network.
    CentreCutOff,
    /// What answers the probes, or something that drops them, since what is behind the link is heard.
    ProbesDropped,
    /// The agent's own port or the switch next to it, since all devices fell silent at once.
    AgentsPort,
    /// The way to it from those who cannot use it, or something on that way which lets others through.
    WayToService,
    /// The thing itself.
    Itself,
}

/// The grades of an incident, after the national classification; proposed, never decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 一般.
    General,
    /// 较大.
    Considerable,
    /// 重大.
    Major,
    /// 特别重大.
    Extraordinary,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "clue")]
pub enum Clue {
    /// A probe between two sites is not answered.
    ProbeFails {
        /// Who measures.
        agent: AgentId,
        /// Whether from the upper site.
        from_above: bool,
        /// Since when.
        since: Timestamp,
    },
    /// A probe between two sites is answered, well or badly.
    ProbeAnswered {
        /// Who measures.
        agent: AgentId,
        /// Whether from the upper site.
        from_above: bool,
        /// Since when.
        since: Timestamp,
        /// Whether it loses or delays more than it should.
        degraded: bool,
    },
    /// An agent is heard.
    AgentHeard {
        /// Which.
        agent: AgentId,
        /// Since when its stream is open.
        since: Timestamp,
    },
    /// An agent is not heard.
    AgentLost {
        /// Which.
        agent: AgentId,
        /// Since when.
        since: Timestamp,
    },
    /// The machine of an agent started again.
    Restarted {
        /// Which agent.
        agent: AgentId,
        /// When.
        at: Timestamp,
    },
    /// A device answers an agent.
    DeviceAnswers {
        /// Which device.
        device: DeviceId,
        /// Which agent.
        agent: AgentId,
    },
    /// A device does not answer an agent.
    DeviceSilent {
        /// Which device.
        device: DeviceId,
        /// Which agent.
        agent: AgentId,
        /// Since when.
        since: Timestamp,
    },
    /// A device says that its interface is down.
    InterfaceDown {
        /// Which interface.
        interface: InterfaceId,
        /// Since when.
        since: Timestamp,
    },
    /// A check of a service found this.
    ServiceChecked {
        /// Who checks.
        agent: AgentId,
        /// Whether it is as it should be.
        good: bool,
        /// Since when.
        since: Timestamp,
    },
    /// So many of the agents were lost at once.
    AgentsLostAtOnce {
        /// How many.
        lost: usize,
        /// Of how many.
        of: usize,
    },
    /// So many ways down of the site failed at once, and none is left.
    WaysFailedAtOnce {
        /// How many.
        ways: usize,
    },
    /// It changed so often that it is neither up nor down.
    Flapping,
    /// Nobody measures the way from above.
    NobodyMeasures,
}

/// Something that explains what is wrong, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What sort of thing happened.
    pub kind: IncidentKind,
    /// With what.
    pub subject: Subject,
    /// Further subjects that it explains, so that an incident of one of them is this one: both ways up of a cut site.
    pub covers: BTreeSet<Subject>,
    /// The site that it is filed under.
    pub site: SiteId,
    /// Since when, by the evidence.
    pub since: Timestamp,
    /// From when it is to be told of: the end of its hold-down.
    pub due: Timestamp,
    /// How grave it is, by what is affected.
    pub severity: Severity,
    /// What may be behind it; with several, they could not be told apart.
    pub possible: BTreeSet<Explanation>,
    /// Sites that are out of reach by it.
    pub sites: BTreeSet<SiteId>,
    /// Agents that are not heard by it.
    pub agents: BTreeSet<AgentId>,
    /// Devices that nobody can reach by it.
    pub devices: BTreeSet<DeviceId>,
    /// What speaks for it, in order.
    pub evidence_for: BTreeSet<Clue>,
    /// What speaks against it, in order.
    pub evidence_against: BTreeSet<Clue>,
}

/// A way up and what is concluded of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WayUp {
    /// Its state.
    pub state: State,
    /// Since when, where the evidence says.
    pub since: Option<Timestamp>,
}

/// The state of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts {
    /// When.
    pub at: Timestamp,
    /// The state of every site.
    pub sites: BTreeMap<SiteId, State>,
    /// The state of every way up: lower site, upper site.
    pub links: BTreeMap<(SiteId, SiteId), WayUp>,
    /// The state of every agent: up, down or unknown (never heard, or behind a cut).
    pub agents: BTreeMap<AgentId, State>,
    /// The state of every device.
    pub devices: BTreeMap<DeviceId, State>,
    /// The state of every watched interface.
    pub interfaces: BTreeMap<InterfaceId, State>,
    /// The state of every service that is checked.
    pub services: BTreeMap<Arc<str>, State>,
    /// What explains what is wrong, by subject.
    pub causes: Vec<Cause>,
    /// Whether the centre is cut off.
    pub isolated: bool,
    /// When a machine of each site's heard agents last started, where known: it tells a power cut from a cut line.
    pub started: BTreeMap<SiteId, Timestamp>,
    /// Agents that are silent although their sites are reached.
    pub stopped: BTreeSet<AgentId>,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 5] = [Self::Up, Self::Degraded, Self::Down, Self::Flapping, Self::Unknown];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Flapping => "flapping",
            Self::Unknown => "unknown",
        }
    }
}

impl IncidentKind {
    /// Every kind, in order.
    pub const ALL: [Self; 9] = [
        Self::CentreIsolated,
        Self::SiteCut,
        Self::LinkDown,
        Self::LinkDegraded,
        Self::AgentSilent,
        Self::DeviceDown,
        Self::InterfaceDown,
        Self::ServiceDown,
        Self::ServiceDegraded,
    ];

    /// Returns the name used in the API, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CentreIsolated => "centre_isolated",
            Self::SiteCut => "site_cut",
            Self::LinkDown => "link_down",
            Self::LinkDegraded => "link_degraded",
            Self::AgentSilent => "agent_silent",
            Self::DeviceDown => "device_down",
            Self::InterfaceDown => "interface_down",
            Self::ServiceDown => "service_down",
            Self::ServiceDegraded => "service_degraded",
        }
    }
}

impl Explanation {
    /// Every explanation, in order.
    pub const ALL: [Self; 9] = [
        Self::UplinkCut,
        Self::PowerCut,
        Self::AgentStopped,
        Self::UpperEquipment,
        Self::CentreCutOff,
        Self::ProbesDropped,
        Self::AgentsPort,
        Self::WayToService,
        Self::Itself,
    ];

    /// Returns the name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UplinkCut => "uplink_cut",
            Self::PowerCut => "power_cut",
            Self::AgentStopped => "agent_stopped",
            Self::UpperEquipment => "upper_equipment",
            Self::CentreCutOff => "centre_cut_off",
            Self::ProbesDropped => "probes_dropped",
            Self::AgentsPort => "agents_port",
            Self::WayToService => "way_to_service",
            Self::Itself => "itself",
        }
    }
}

impl Severity {
    /// Every grade, the least first.
    pub const ALL: [Self; 4] = [Self::General, Self::Considerable, Self::Major, Self::Extraordinary];

    /// Returns the name used in the API and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Considerable => "considerable",
            Self::Major => "major",
            Self::Extraordinary => "extraordinary",
        }
    }

    /// Proposes a grade by the highest level that is affected and the number of sites out of reach.
    pub const fn of_reach(tier: Tier, sites: usize) -> Self {
        match (tier, sites) {
            (Tier::Ministry, 1..) | (_, 500..) => Self::Extraordinary,
            (Tier::Province, 1..) | (_, 50..) => Self::Major,
            (Tier::City, 1..) | (_, 5..) => Self::Considerable,
            _ => Self::General,
        }
    }
}

impl Cause {
    /// Returns a cause without evidence or consequences, to be told of at once.
    pub(super) fn new(kind: IncidentKind, subject: Subject, site: SiteId, since: Timestamp) -> Self {
        Self {
            kind,
            covers: BTreeSet::from([subject.clone()]),
            subject,
            site,
            since,
            due: since,
            severity: Severity::General,
            possible: BTreeSet::new(),
            sites: BTreeSet::new(),
            agents: BTreeSet::new(),
            devices: BTreeSet::new(),
            evidence_for: BTreeSet::new(),
            evidence_against: BTreeSet::new(),
        }
    }

    /// Adds what speaks for it.
    pub(super) fn bear_out(&mut self, clues: impl IntoIterator<Item = Clue>) {
        self.evidence_for.extend(clues);
    }

    /// Adds what speaks against it.
    pub(super) fn contradict(&mut self, clues: impl IntoIterator<Item = Clue>) {
        self.evidence_against.extend(clues);
    }
}

impl Clue {
    /// Returns the name used in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProbeFails { .. } => "probe_fails",
            Self::ProbeAnswered { .. } => "probe_answered",
            Self::AgentHeard { .. } => "agent_heard",
            Self::AgentLost { .. } => "agent_lost",
            Self::Restarted { .. } => "restarted",
            Self::DeviceAnswers { .. } => "device_answers",
            Self::DeviceSilent { .. } => "device_silent",
            Self::InterfaceDown { .. } => "interface_down",
            Self::ServiceChecked { .. } => "service_checked",
            Self::AgentsLostAtOnce { .. } => "agents_lost_at_once",
            Self::WaysFailedAtOnce { .. } => "ways_failed_at_once",
            Self::Flapping => "flapping",
            Self::NobodyMeasures => "nobody_measures",
        }
    }

    pub(super) const fn probe(agent: AgentId, side: Side, since: Timestamp) -> Self {
        Self::ProbeFails { agent, from_above: matches!(side, Side::Above), since }
    }
}

impl Verdicts {
    pub(super) const fn new(at: Timestamp) -> Self {
        Self {
            at,
            sites: BTreeMap::new(),
            links: BTreeMap::new(),
            agents: BTreeMap::new(),
            devices: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            services: BTreeMap::new(),
            causes: Vec::new(),
            isolated: false,
            started: BTreeMap::new(),
            stopped: BTreeSet::new(),
        }
    }

    /// Bounds and orders the causes, and grades them.
    pub(super) fn finish(&mut self, country: &Country<'_>) {
        for cause in &mut self.causes {
            while cause.evidence_for.len() > CLUES_MAX {
                cause.evidence_for.pop_last();
            }
            while cause.evidence_against.len() > CLUES_MAX {
                cause.evidence_against.pop_last();
            }
            let own = country.tier(cause.site);
            let highest = cause.sites.iter().map(|site| country.tier(*site)).min();
            cause.severity = match cause.kind {
                IncidentKind::CentreIsolated => Severity::Extraordinary,
                IncidentKind::SiteCut | IncidentKind::LinkDown => {
                    Severity::of_reach(highest.unwrap_or(Tier::County), cause.sites.len())
                }
                // Whoever answers can be used.
                IncidentKind::ServiceDegraded => Severity::General,
                // What is silent or bad is not known to be out of reach.
                _ if matches!(own, Tier::Ministry | Tier::Province) || cause.sites.len() >= 5 => Severity::Considerable,
                _ => Severity::General,
            };
        }
        self.causes.sort_by(|a, b| (&a.subject, a.kind).cmp(&(&b.subject, b.kind)));
    }

    /// Returns whether there is such a thing: a site that was moved has another way up.
    pub fn knows(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Link { child, parent } => self.links.contains_key(&(*child, *parent)),
            Subject::Site(site) => self.sites.contains_key(site),
            Subject::Agent(agent) => self.agents.contains_key(agent),
            Subject::Device(device) => self.devices.contains_key(device),
            Subject::Interface(interface) => self.interfaces.contains_key(interface),
            Subject::Service(name) => self.services.contains_key(name),
            Subject::Centre => true,
        }
    }

    /// Returns the state of a subject.
    pub fn state(&self, subject: &Subject) -> State {
        let found = match subject {
            Subject::Link { child, parent } => self.links.get(&(*child, *parent)).map(|way| way.state),
            Subject::Site(site) => self.sites.get(site).copied(),
            Subject::Agent(agent) => self.agents.get(agent).copied(),
            Subject::Device(device) => self.devices.get(device).copied(),
            Subject::Interface(interface) => self.interfaces.get(interface).copied(),
            Subject::Service(name) => self.services.get(name).copied(),
            Subject::Centre => Some(if self.isolated { State::Down } else { State::Up }),
        };
        found.unwrap_or(State::Unknown)
    }
}
