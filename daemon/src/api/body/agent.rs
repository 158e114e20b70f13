//! Agents, what keeps them from their work, and what the centre finds wrong.

use onenet_topology::{AgentId, SiteId, Timestamp, fact::Condition};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};
use crate::{
    console::words,
    estate::Agent,
    findings::{Finding, Subject},
};

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentBody {
    /// Its identity.
    #[schema(example = "agent-2c00000")]
    pub id: String,
    /// The site it reports for.
    pub site: String,
    /// `connected`, `silent`, `never_heard` or `revoked`.
    pub state: &'static str,
    /// Since when its stream is open.
    pub connected_since: Option<String>,
    /// When it last said anything.
    pub last_heard: Option<String>,
    /// Since when it is taken for silent.
    pub silent_since: Option<String>,
    /// When it was enrolled.
    pub enrolled: String,
    /// The version of its program.
    pub version: Option<String>,
    /// By how many milliseconds its wall clock is ahead of the centre's.
    pub clock_offset_ms: Option<i64>,
    /// Batches of history that it has not had acknowledged.
    pub history_waiting: u64,
    /// Revision of the configuration in force there; 0 is its own file.
    pub configuration_revision: u64,
}

/// Something that keeps an agent from its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConditionBody {
    /// The site.
    pub site: String,
    /// The agent that says so.
    pub agent: String,
    /// What is wrong.
    #[schema(example = "capture_failed")]
    pub kind: &'static str,
    /// With what: an interface, a device, a lane.
    pub subject: Option<String>,
    /// What happened.
    pub detail: Option<String>,
    /// What to do about it.
    pub remedy: &'static str,
    /// When it was last observed.
    pub observed: String,
}

/// Something that the centre finds wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingBody {
    /// The site.
    pub site: String,
    /// What is wrong.
    #[schema(example = "clock_wrong")]
    pub kind: &'static str,
    /// With what.
    pub subject: String,
    /// What happened and what to do about it.
    pub detail: String,
    /// Since when.
    pub since: String,
    /// When it was last confirmed.
    pub confirmed: String,
}

impl AgentBody {
    /// Returns an agent.
    pub fn of(agent: &Agent) -> Self {
        Self {
            id: agent.id.to_string(),
            site: agent.site.to_string(),
            state: agent_state(agent),
            connected_since: agent.contact.connected_since.map(time),
            last_heard: agent.contact.last_heard.map(time),
            silent_since: agent.contact.silent_since.map(time),
            enrolled: time(agent.enrolled),
            version: given(&agent.version),
            clock_offset_ms: agent.clock.offset_ms,
            history_waiting: agent.history_waiting,
            configuration_revision: agent.configuration_revision,
        }
    }
}

/// Returns the one word for how an agent stands.
pub(crate) fn agent_state(agent: &Agent) -> &'static str {
    let contact = &agent.contact;
    if agent.revoked.is_some() {
        "revoked"
    } else if contact.last_heard.is_none() && contact.connected_since.is_none() {
        "never_heard"
    } else if contact.connected_since.is_some() && contact.silent_since.is_none() {
        "connected"
    } else {
        "silent"
    }
}

impl ConditionBody {
    /// Returns a condition of a site.
    pub fn of(site: SiteId, (agent, observed, condition): (AgentId, Timestamp, &Condition)) -> Self {
        let words = words::condition(condition.kind);
        Self {
            site: site.to_string(),
            agent: agent.to_string(),
            kind: words.id,
            subject: given(&condition.subject),
            detail: given(&condition.detail),
            remedy: words.remedy.en,
            observed: time(observed),
        }
    }
}

impl FindingBody {
    /// Returns a finding of a site.
    pub fn of(site: SiteId, finding: &Finding) -> Self {
        Self {
            site: site.to_string(),
            kind: finding.key.kind.name(),
            subject: match finding.key.subject {
                Subject::Agent(agent) => agent.to_string(),
            },
            detail: finding.remedy(),
            since: time(finding.since),
            confirmed: time(finding.confirmed),
        }
    }
}
