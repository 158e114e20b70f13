//! Tests over a site's line, on demand: a media test or one of throughput, carried out by an agent of the site.
//!
//! An agent tests only ways that it is configured to probe, and sends no more than its site allows; it does one test at a time.
//!
//! Invariant: who had what measured, and with what outcome, is in the audit trail before the answer goes out, also when whoever
//! asked goes away. That a principal may ask was decided before (`access`).

use std::{sync::Arc, time::Duration};

use onenet_topology::{AgentId, ProbeSample, ProbeTest, SiteId, Timestamp};
use onenet_wire::{InstructionBody, MeasureQuery, Query};

use crate::{
    access::{
        Action, Caller, Gate,
        audit::{Entry, Outcome},
    },
    api::App,
    asking::{self, NoAnswer},
    estate::Estate,
    ingest::IntakeError,
};

/// How long an agent has: ten seconds of test, two in which the last packets may come back, and its line.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A test that is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The site whose agent measures.
    pub(crate) site: SiteId,
    /// That agent; `None`: the one that has such a probe.
    pub(crate) agent: Option<AgentId>,
    /// The agent's name of the probe.
    pub(crate) probe: String,
    /// Which test.
    pub(crate) test: ProbeTest,
    /// Of throughput: kbit/s; 0: the agent's choice.
    pub(crate) kbit_per_s: u32,
    /// For how long; 0: the agent's choice.
    pub(crate) seconds: u32,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// By whom.
    pub(crate) agent: AgentId,
    /// When it was told.
    pub(crate) time: Timestamp,
    /// What.
    pub(crate) sample: ProbeSample,
}

/// Nothing was measured.
#[derive(Debug)]
pub(crate) enum NotMeasured {
    /// No agent of the site, or not that one, has such a probe.
    NoProbe,
    /// Several agents have one of this name.
    Several(Vec<AgentId>),
    /// The agent did not do it.
    Unanswered(AgentId, NoAnswer),
    /// The trail could not be written, so nothing is told.
    Unaudited(IntakeError),
    /// Something of ours failed.
    Internal,
}

impl NotMeasured {
    /// Returns why, in words.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::NoProbe => "no agent of the site has such a probe".to_owned(),
            Self::Several(_) => "several agents of the site have such a probe".to_owned(),
            Self::Unanswered(agent, why) => format!("{agent} {}", why.told()),
            Self::Unaudited(_) | Self::Internal => "the centre failed".to_owned(),
        }
    }
}

/// Has a test carried out in the caller's name, who was allowed to, and writes the entry of the trail.
///
/// # Errors
/// Nothing was measured, or what was may not be told since it is not in the trail.
pub(crate) async fn carry_out(app: &Arc<App>, gate: &Gate, wanted: Wanted) -> Result<Taken, NotMeasured> {
    let (app, gate) = (Arc::clone(app), gate.clone());
    let task = tokio::spawn(async move {
        let taken = measure(&app, gate.caller(), &wanted, gate.now()).await;
        let outcome = if taken.is_ok() { Outcome::Done } else { Outcome::Failed };
        let usage = gate.usage(Action::MeasureLines, Some(wanted.site), &entry(&wanted, &taken), outcome);
        app.centre.audit(vec![Entry::once(gate.now(), usage)]).await.map_err(NotMeasured::Unaudited)?;
        app.counters.audit_written.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        taken
    });
    task.await.unwrap_or(Err(NotMeasured::Internal))
}

async fn measure(app: &App, caller: &Caller, wanted: &Wanted, now: Timestamp) -> Result<Taken, NotMeasured> {
    let agent = teller(&app.centre.estate(), wanted)?;
    let query = MeasureQuery {
        principal: caller.principal.name.clone(),
        probe: wanted.probe.clone(),
        test: wanted.test,
        kbit_per_s: wanted.kbit_per_s,
        seconds: wanted.seconds,
    };
    let body = InstructionBody::Query(Query::Measure(query));
    let done = asking::ask(&app.centre, agent, body, ANSWER_WITHIN).await;
    let done = done.map_err(|why| NotMeasured::Unanswered(agent, why))?;
    let sample = serde_json::from_slice::<ProbeSample>(&done.body).ok().filter(|sample| is_of(sample, wanted));
    let otherwise = || NoAnswer::Failed { reason: "it told something else than was asked".to_owned() };
    let sample = sample.ok_or_else(|| NotMeasured::Unanswered(agent, otherwise()))?;
    Ok(Taken { agent, time: now, sample })
}

fn is_of(sample: &ProbeSample, wanted: &Wanted) -> bool {
    sample.name == wanted.probe && sample.test == wanted.test && sample.lost <= sample.sent
}

/// Returns the agent that has the probe.
fn teller(estate: &Estate, wanted: &Wanted) -> Result<AgentId, NotMeasured> {
    let state = estate.site(wanted.site).ok_or(NotMeasured::NoProbe)?;
    let having = state.probes().filter(|(_, _, probe)| probe.name == wanted.probe).map(|(agent, ..)| agent);
    let active = |agent: &AgentId| estate.agent(*agent).is_some_and(|known| known.revoked.is_none());
    let found: Vec<AgentId> =
        having.filter(active).filter(|agent| wanted.agent.is_none_or(|wanted| wanted == *agent)).collect();
    match found.as_slice() {
        [] => Err(NotMeasured::NoProbe),
        [agent] => Ok(*agent),
        _ => Err(NotMeasured::Several(found)),
    }
}

/// Returns what the trail says of a test.
fn entry(wanted: &Wanted, taken: &Result<Taken, NotMeasured>) -> String {
    let what = format!("{} test over {:?}", wanted.test.name(), wanted.probe);
    match taken {
        Ok(taken) => {
            format!("{what} by {}: {} packets sent, {} lost", taken.agent, taken.sample.sent, taken.sample.lost)
        }
        Err(NotMeasured::Unanswered(agent, why)) => format!("{what}: {agent} {}", why.told()),
        Err(NotMeasured::NoProbe) => format!("{what}: no agent of the site has such a probe"),
        Err(NotMeasured::Several(_)) => format!("{what}: several agents of the site have such a probe"),
        Err(NotMeasured::Unaudited(_) | NotMeasured::Internal) => format!("{what}: failed"),
    }
}
