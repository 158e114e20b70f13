//! What is found of a site, as the test wants it.

use crate::{ProbeState, availability::Quality};

/// What is found of a site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Its agents.
    pub agents: Vec<AgentFound>,
    /// Its ways up.
    pub ways: Vec<WayFound>,
    /// Media tests of the time of the test.
    pub media: Vec<MediaFound>,
    /// Why a media test found nothing, in the words of who carries it out.
    pub media_missing: String,
    /// Probes of name services.
    pub name_services: Vec<ServiceFound>,
    /// Prefixes of the address plan.
    pub prefixes: u32,
    /// Terminals that are there and have an address.
    pub terminals: u32,
    /// Those of them whose addresses are of the plan.
    pub terminals_in_plan: u32,
    /// Devices that are polled.
    pub devices: u32,
    /// Those of them that answer.
    pub devices_answering: u32,
    /// The centre's version.
    pub version: String,
}

/// An agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentFound {
    /// Which.
    pub name: String,
    /// Whether its stream is open and it is heard.
    pub connected: bool,
    /// Its version.
    pub version: String,
    /// By how much its clock is ahead.
    pub clock_offset_ms: Option<i64>,
    /// History batches that wait there.
    pub history_waiting: u64,
    /// How long ago it said something.
    pub heard_ms_ago: Option<i64>,
    /// How far it is with its configuration.
    pub configured: Configured,
    /// Frames that it captured lately, and those that it lost, where it captures.
    pub captured: Option<(u64, u64)>,
}

/// How far an agent is with its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configured {
    /// None was set: the agent goes by its own file.
    NotSet,
    /// It is in force.
    Applied,
    /// It is not yet.
    Waiting,
    /// The agent did not take it, for this reason.
    Rejected(String),
}

/// A way up.
#[derive(Debug, Clone, PartialEq)]
pub struct WayFound {
    /// The code of the upper site.
    pub parent: String,
    /// What the site's own probe judges, where one is heard.
    pub below: Option<(ProbeState, String)>,
    /// What the upper site's probe judges.
    pub above: Option<(ProbeState, String)>,
    /// What both measured in the time of the test.
    pub quality: Quality,
    /// In how many windows.
    pub windows: u32,
}

/// A media test.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaFound {
    /// The probe, or where it led.
    pub name: String,
    /// Its score in hundredths.
    pub mos_centi: u32,
}

/// A probe of a name service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceFound {
    /// The probe.
    pub name: String,
    /// What it judges.
    pub state: ProbeState,
    /// Why.
    pub detail: String,
}
