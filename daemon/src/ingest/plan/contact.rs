//! Hearing from agents, and losing them.

use std::sync::Arc;

use onenet_topology::{AgentId, Timestamp};
use onenet_wire::Clocks;

use super::{Draft, Outcome, Refusal, availability, time::measure};
use crate::{
    estate::{Agent, Change, Refused},
    findings::{Evidence, Finding, FindingKey, FindingKind, Subject},
    record::Greeting,
};

/// A sign of life is worth a change of the estate when the last one is older than this, in milliseconds.
const HEARD_AGAIN_MS: i64 = 15_000;
/// What is kept of an agent's reason, in characters: a list of all that is wrong with a long configuration.
const REASON_CHARS_MAX: usize = 4_000;

/// Returns the agent if it may speak.
pub(super) fn member(draft: &Draft<'_>, id: AgentId) -> Result<Agent, Refusal> {
    let agent = draft.next.agent(id).ok_or(Refusal::UnknownAgent(id))?;
    if let Some(revocation) = &agent.revoked {
        return Err(Refusal::Revoked {
            agent: id,
            by: revocation.by.clone(),
            time: revocation.time,
            reason: revocation.reason.clone(),
        });
    }
    Ok(Agent::clone(agent))
}

/// Plans the opening of a stream.
pub(super) fn hello(draft: &mut Draft<'_>, greeting: &Greeting) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, greeting.agent)?;
    measure(&mut agent.clock, &greeting.clocks, greeting.received);
    agent.version.clone_from(&greeting.version);
    agent.configuration_revision = greeting.configuration_revision;
    agent.certificate = greeting.certificate.or(agent.certificate);
    agent.contact.connected_since = Some(greeting.received);
    agent.contact.disconnected_since = None;
    agent.contact.last_heard = Some(greeting.received);
    agent.contact.silent_since = None;
    // Whatever an older stream still has under way has no effect from here on: what the welcome says is committed is the truth.
    let stream = draft.record.position;
    agent.contact.stream = Some(stream);
    judge_clock(draft, &agent, &greeting.clocks, greeting.received);
    draft.put(Change::Agent(Arc::new(agent)));
    Ok(Outcome::Greeted { stream })
}

/// Refuses what is said on a stream that is not the agent's newest.
pub(super) fn check_stream(draft: &Draft<'_>, id: AgentId, stream: u64) -> Result<(), Refusal> {
    let agent = draft.next.agent(id).ok_or(Refusal::UnknownAgent(id))?;
    if agent.contact.stream == Some(stream) { Ok(()) } else { Err(Refusal::StreamReplaced(id)) }
}

/// Plans a sign of life.
pub(super) fn heard(
    draft: &mut Draft<'_>,
    id: AgentId,
    clocks: &Clocks,
    received: Timestamp,
    history_waiting: u64,
) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, id)?;
    let stale = agent.contact.last_heard.is_none_or(|last| received.ms_since(last) >= HEARD_AGAIN_MS);
    let news = agent.contact.silent_since.is_some() || agent.history_waiting != history_waiting;
    let measured = measure(&mut agent.clock, clocks, received);
    judge_clock(draft, &agent, clocks, received);
    if stale || news || measured {
        agent.contact.last_heard = Some(received);
        agent.contact.silent_since = None;
        // Where replicas share a log, a tick takes the stream of a silent agent for closed: it was open all the same.
        if draft.next.log.is_some() {
            agent.contact.connected_since.get_or_insert(received);
        }
        agent.history_waiting = history_waiting;
        draft.put(Change::Agent(Arc::new(agent)));
    }
    Ok(Outcome::Accepted)
}

/// Plans that a configuration is in force.
pub(super) fn configured(draft: &mut Draft<'_>, id: AgentId, revision: u64) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, id)?;
    if agent.configuration_revision != revision || agent.refused.is_some() {
        agent.configuration_revision = revision;
        agent.refused = None;
        draft.put(Change::Agent(Arc::new(agent)));
    }
    Ok(Outcome::Accepted)
}

/// Plans that a configuration is not in force, and why. The same refusal again, as at each hello, is no news.
pub(super) fn configuration_refused(
    draft: &mut Draft<'_>,
    id: AgentId,
    revision: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut agent = member(draft, id)?;
    let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
    let known = agent.refused.as_ref().is_some_and(|known| known.revision == revision && known.reason == reason);
    if !known {
        agent.refused = Some(Refused { revision, time: draft.record.time, reason });
        draft.put(Change::Agent(Arc::new(agent)));
    }
    Ok(Outcome::Accepted)
}

/// Plans the end of a stream. Silence begins later, by a tick: a stream that comes back at once is no silence.
pub(super) fn disconnected(draft: &mut Draft<'_>, id: AgentId) -> Result<Outcome, Refusal> {
    let agent = draft.next.agent(id).ok_or(Refusal::UnknownAgent(id))?;
    if agent.contact.connected_since.is_some() {
        let mut agent = Agent::clone(agent);
        agent.contact.connected_since = None;
        agent.contact.disconnected_since = Some(draft.record.time);
        draft.put(Change::Agent(Arc::new(agent)));
    }
    Ok(Outcome::Accepted)
}

/// Plans that agents can be heard again: every stream counts as closed, and silence from here on.
pub(super) fn resumed(draft: &mut Draft<'_>) -> Outcome {
    availability::started(draft);
    let connected = draft.next.agents.values().filter(|agent| agent.contact.connected_since.is_some());
    for mut agent in connected.cloned().collect::<Vec<_>>() {
        Arc::make_mut(&mut agent).contact.connected_since = None;
        draft.put(Change::Agent(agent));
    }
    draft.put(Change::Started(draft.record.time));
    Outcome::Accepted
}

/// Raises, renews or clears the finding on the agent's wall clock.
fn judge_clock(draft: &mut Draft<'_>, agent: &Agent, clocks: &Clocks, received: Timestamp) {
    let offset_ms = clocks.wall_ms.saturating_sub(received.unix_ms());
    let wrong = offset_ms.unsigned_abs() > draft.policy.clock_wrong_ms.unsigned_abs();
    let key = FindingKey { kind: FindingKind::ClockWrong, subject: Subject::Agent(agent.id) };
    let known = draft.next.site(agent.site).and_then(|site| site.findings.get(&key)).cloned();
    let finding = match (&known, wrong) {
        (None, false) => return,
        (Some(_), false) => None,
        (known, true) => {
            let evidence = Evidence::ClockOffset { offset_ms };
            let since = known.as_ref().map_or(received, |known| known.since);
            Some(Arc::new(Finding { key, since, confirmed: received, evidence }))
        }
    };
    // A finding that stays the same to the second is not written again with each sign of life.
    let offset = |finding: &Finding| match finding.evidence {
        Evidence::ClockOffset { offset_ms } => offset_ms,
        _ => 0,
    };
    let unchanged = match (&known, &finding) {
        (Some(known), Some(finding)) => {
            offset(known).abs_diff(offset(finding)) < 1_000 && finding.confirmed.ms_since(known.confirmed) < 600_000
        }
        _ => false,
    };
    if !unchanged {
        draft.put(Change::Finding { site: agent.site, key, finding });
    }
}
