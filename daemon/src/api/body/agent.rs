//! Agents, what keeps them from their work, and what the centre finds wrong.

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    fact::{CaptureSample, Condition},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{given, time};
use crate::{
    access::{Action, View},
    console::words,
    estate::{Agent, Captured, Configuration, Rollout},
    findings::{Finding, Subject},
};

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
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
    /// How far it is with the configuration that its site is to have: `waiting`, `pushed`, `applied` or `rejected`; `null`
    /// where none was set.
    pub configuration_state: Option<&'static str>,
    /// The certificate that it showed last; `null` before its first connection.
    pub certificate: Option<CertificateBody>,
    /// Set when its certificate is accepted no more.
    pub revoked: Option<RevocationBody>,
    /// How capture goes on the interfaces that it listens on, as it told in the last two hours.
    pub capture: Vec<CaptureBody>,
}

/// How capture goes on an interface: what was counted since the agent started.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaptureBody {
    /// The interface of the agent.
    #[schema(example = "eth1")]
    pub interface: String,
    /// When this was counted.
    pub time: String,
    /// Frames taken.
    pub frames: u64,
    /// Their bytes on the wire, without the checksum at their end.
    pub octets: u64,
    /// Frames that the kernel dropped, since the ring was full.
    pub frames_dropped: u64,
    /// Frames of which the last bytes are missing.
    pub frames_cut: u64,
    /// Frames that the card or the kernel had put together of several.
    pub frames_merged: u64,
    /// Frames that could not be decoded.
    pub frames_undecoded: u64,
    /// The same by reason; reasons without any are left out.
    pub undecoded: std::collections::BTreeMap<String, u64>,
    /// Bytes of payload that TCP connections carried, retransmissions left out.
    pub tcp_octets: u64,
    /// Bytes of payload that were acknowledged and never captured.
    pub tcp_octets_missed: u64,
    /// Which part of the payload that is, from 0 to 1: an estimate of what was lost before it came here; `null` without payload.
    pub loss_ratio: Option<f64>,
    /// Endpoints that gave way in a full table.
    pub endpoints_evicted: u64,
    /// Established flows that gave way in a full table.
    pub flows_evicted: u64,
    /// Finished flows that were dropped before they could be kept.
    pub flows_lost: u64,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateBody {
    /// Its SHA-256, in hexadecimal.
    pub fingerprint: String,
    /// When it ends to be valid.
    pub expires: String,
}

/// Why and when an agent was shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevocationBody {
    /// When.
    pub time: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The configuration that the agents of a site are to have, and how far each is with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConfigurationBody {
    /// The site.
    pub site: String,
    /// Its revision; `null` where none was set, and the agents' own files are in force.
    pub revision: Option<u64>,
    /// When it was set.
    pub time: Option<String>,
    /// By whom.
    pub by: Option<String>,
    /// The text, in TOML; `null` for whoever may not configure agents there.
    pub toml: Option<String>,
    /// The site's agents, without those that were revoked.
    pub agents: Vec<RolloutBody>,
}

/// How far an agent is with the configuration of its site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RolloutBody {
    /// The agent.
    pub agent: String,
    /// `waiting` (not connected: it gets it when it is), `pushed` (sent, no answer yet), `applied` or `rejected`; `null`
    /// where none was set.
    pub state: Option<&'static str>,
    /// Revision in force there; 0 is the agent's own file.
    pub in_force: u64,
    /// Why it was rejected, in the agent's words.
    pub reason: Option<String>,
    /// When it was rejected.
    pub rejected: Option<String>,
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
    /// Returns an agent as the view shows it.
    pub fn of(view: &View, agent: &Agent) -> Self {
        let configuration = view.configuration(agent.site).filter(|_| agent.revoked.is_none());
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
            configuration_state: configuration.map(|wanted| wanted.rollout(agent).name()),
            certificate: agent
                .certificate
                .map(|it| CertificateBody { fingerprint: it.fingerprint.to_string(), expires: time(it.expires) }),
            revoked: agent.revoked.as_ref().map(|it| RevocationBody {
                time: time(it.time),
                by: it.by.clone(),
                reason: it.reason.clone(),
            }),
            capture: captures(view, agent).map(CaptureBody::of).collect(),
        }
    }
}

/// Returns how capture goes at an agent, interface by interface, as far as the view may know.
pub(crate) fn captures<'v>(view: &'v View, agent: &Agent) -> impl Iterator<Item = &'v Captured> {
    let (id, now) = (agent.id, view.now());
    view.inventory(agent.site).into_iter().flat_map(move |state| state.captures.get().of(id, now))
}

impl CaptureBody {
    fn of(captured: &Captured) -> Self {
        let it = &captured.sample;
        Self {
            interface: captured.interface.as_str().to_owned(),
            time: time(captured.time),
            frames: it.frames_seen,
            octets: it.octets_seen,
            frames_dropped: it.frames_dropped_by_kernel,
            frames_cut: it.frames_cut,
            frames_merged: it.frames_merged,
            frames_undecoded: it.frames_undecoded,
            undecoded: it.undecoded.clone(),
            tcp_octets: it.tcp_octets,
            tcp_octets_missed: it.tcp_octets_missed,
            loss_ratio: loss_ratio(it),
            endpoints_evicted: it.endpoints_evicted,
            flows_evicted: it.flows_evicted,
            flows_lost: it.flows_lost,
        }
    }
}

/// Returns which part of the payload of TCP connections was never captured.
#[expect(clippy::cast_precision_loss, reason = "a ratio of two numbers of bytes need not be exact")]
pub(crate) fn loss_ratio(sample: &CaptureSample) -> Option<f64> {
    let carried = sample.tcp_octets.saturating_add(sample.tcp_octets_missed);
    (carried > 0).then(|| sample.tcp_octets_missed as f64 / carried as f64)
}

impl ConfigurationBody {
    /// Returns the configuration of a site as the view shows it.
    pub fn of(view: &View, site: SiteId) -> Self {
        let wanted = view.configuration(site);
        let may_read = view.may(Action::ConfigureAgents, site);
        let agents = view.agents_of(site).filter(|agent| agent.revoked.is_none());
        Self {
            site: site.to_string(),
            revision: wanted.map(|wanted| wanted.revision),
            time: wanted.map(|wanted| time(wanted.time)),
            by: wanted.map(|wanted| wanted.by.to_string()),
            toml: wanted.filter(|_| may_read).map(|wanted| wanted.toml.to_string()),
            agents: agents.map(|agent| RolloutBody::of(wanted, agent)).collect(),
        }
    }
}

impl RolloutBody {
    fn of(wanted: Option<&Configuration>, agent: &Agent) -> Self {
        let state = wanted.map(|wanted| wanted.rollout(agent));
        let refused = agent.refused.as_ref().filter(|_| state == Some(Rollout::Rejected));
        Self {
            agent: agent.id.to_string(),
            state: state.map(Rollout::name),
            in_force: agent.configuration_revision,
            reason: refused.map(|refused| refused.reason.clone()),
            rejected: refused.map(|refused| time(refused.time)),
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
    pub fn of(site: SiteId, (agent, observed, condition): (AgentId, Timestamp, Condition)) -> Self {
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
                Subject::Endpoint(endpoint) => endpoint.to_string(),
            },
            detail: finding.remedy(),
            since: time(finding.since),
            confirmed: time(finding.confirmed),
        }
    }
}
