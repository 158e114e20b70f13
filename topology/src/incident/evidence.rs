//! What is known: the input of [`super::evaluate`].
//!
//! Invariant: evidence is a set. Lists may come in any order, and a repeated entry says nothing more.
//!
//! Times are corrected by the centre's clock already; `now` is the commit time of the record that asks.

use std::{collections::BTreeSet, sync::Arc};

use super::Subject;
use crate::{AgentId, DeviceId, InterfaceId, SiteId, Timestamp, division::Tier, fact::ReachState};

/// Everything that is known at one moment.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The moment.
    pub now: Timestamp,
    /// When the centre started: before that it could hear nobody.
    pub started: Timestamp,
    /// Since when it can hear again: its start, or the end of the last time that it was cut off itself.
    pub hearing_since: Timestamp,
    /// The sites that exist.
    pub sites: Vec<SiteFact>,
    /// The agents.
    pub agents: Vec<AgentFact>,
    /// What agents measure.
    pub probes: Vec<ProbeFact>,
    /// The devices.
    pub devices: Vec<DeviceFact>,
    /// What is joined to what within sites.
    pub joints: Vec<DeviceJoint>,
    /// The interfaces that are watched.
    pub interfaces: Vec<InterfaceFact>,
    /// What checks of services found.
    pub services: Vec<ServiceFact>,
    /// What changes too often to be believed one way or the other: see [`super::Damper`].
    pub flapping: BTreeSet<Subject>,
}

/// A site and its ways up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteFact {
    /// Which.
    pub id: SiteId,
    /// Its level.
    pub tier: Tier,
    /// The sites above it; with several it is cut only when all ways up are.
    pub parents: Vec<SiteId>,
}

/// Whether an agent is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// It never was.
    Never,
    /// Its stream is open since this time, or it gave a sign of life.
    Heard(Timestamp),
    /// Its stream broke at this time; it may be back at once.
    Lost(Timestamp),
    /// It said nothing since this time, for longer than any pause.
    Silent(Timestamp),
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentFact {
    /// Which.
    pub id: AgentId,
    /// Its site.
    pub site: SiteId,
    /// Whether it is heard.
    pub contact: Contact,
    /// When its machine last started, where known.
    pub booted: Option<Timestamp>,
}

/// From where a link is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// By an agent of the upper site.
    Above,
    /// By an agent of the lower site.
    Below,
}

/// What a probe is sent over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeTarget {
    /// The way between a site and one above it.
    Way {
        /// The lower site.
        child: SiteId,
        /// The upper site.
        parent: SiteId,
        /// Who measures.
        side: Side,
    },
    /// The way out of the teller's own site.
    Gateway,
    /// Something that is named: what depends on it is not known.
    Named(Arc<str>),
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeState {
    /// It is answered as it should be.
    Up,
    /// It is answered, and loses or delays more than it should.
    Degraded,
    /// Nothing comes back.
    Down,
}

/// What an agent says of something that it measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbeFact {
    /// Who measures.
    pub teller: AgentId,
    /// What.
    pub target: ProbeTarget,
    /// What it found.
    pub state: ProbeState,
    /// Since when it is so.
    pub since: Timestamp,
    /// Whether the agent at the other end answers it itself, so that it fails with that agent as well as with the way.
    pub by_agent: bool,
}

/// A device, and what agents say of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceFact {
    /// Which.
    pub id: DeviceId,
    /// Its site.
    pub site: SiteId,
    /// Who asks it, whether it answers, and since when that is so.
    pub answers: Vec<(AgentId, Answer, Timestamp)>,
}

/// Whether a device answers: [`ReachState`] in the order of its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It does.
    Answering,
    /// It answers, but not to these credentials.
    Refusing,
    /// It does not.
    Silent,
}

impl From<ReachState> for Answer {
    fn from(state: ReachState) -> Self {
        match state {
            ReachState::Answering => Self::Answering,
            ReachState::Refusing => Self::Refusing,
            ReachState::Silent => Self::Silent,
        }
    }
}

/// One end of a joint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Joint {
    /// A device.
    Device(DeviceId),
    /// An agent's own machine.
    Agent(AgentId),
}

/// Two things of a site that are joined by a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceJoint {
    /// The site.
    pub site: SiteId,
    /// One end.
    pub a: Joint,
    /// The other.
    pub b: Joint,
}

/// An interface that somebody or something wants to be up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceFact {
    /// Which.
    pub id: InterfaceId,
    /// Its device.
    pub device: DeviceId,
    /// Its site.
    pub site: SiteId,
    /// Whether it is up, as its device says.
    pub up: bool,
    /// Since when.
    pub since: Timestamp,
    /// The device at its other end, where known.
    pub peer: Option<DeviceId>,
}

/// What an agent found of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceFact {
    /// Who checks it.
    pub teller: AgentId,
    /// Its name, the same at all who check it.
    pub name: Arc<str>,
    /// The site where it stands, where somebody said so.
    pub at: Option<SiteId>,
    /// What was found.
    pub state: ProbeState,
    /// Since when.
    pub since: Timestamp,
}
