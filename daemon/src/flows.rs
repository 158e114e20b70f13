//! Questions for flows: who talked to whom, asked of the agents of a site through their streams, and put together.
//!
//! Flows stay at the site, so each answer costs its line: an agent gives one page a question, and few questions are under way
//! at once. An agent that is silent or fails is named with the reason, so that nobody takes what is missing for peace.
//!
//! Invariant: a question ends within [`ANSWER_WITHIN`], whatever becomes of the lines; what was asked, why and with what outcome
//! is in the audit trail, on disk, before the answer goes out. That a principal may ask was decided before (`access`).
//!
//! # Tasks
//!
//! One task a question, [`put`], which nobody cancels: when whoever asked goes away, the entry of the trail is written all the same.

pub(crate) mod capture;
mod merge;
pub(crate) mod turnstile;
mod words;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use onenet_topology::{
    AgentId, SiteId, Timestamp,
    flow::{Flow, FlowPage, FlowPageEnd, FlowQuery, FlowsMissing},
};
use onenet_wire::{Asker, FlowsQuery, InstructionBody, Query};

use self::{
    merge::{At, Page, merged},
    turnstile::Turnstile,
};
use crate::{
    access::{
        Action, Caller, Gate,
        audit::{Entry, Outcome},
    },
    api::App,
    asking::{self, NoAnswer},
    estate::Agent,
    ingest::IntakeError,
};

pub(crate) use merge::Place;
pub(crate) use words::{too_many, unanswered};

/// How long an agent may take to answer: to look through its log, and to bring a page over a line that is busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Questions that one agent works on at once: each may put a page of 64 KiB on its line.
const AGENT_QUESTIONS_MAX: usize = 2;
/// Questions that one principal has under way at once.
const PRINCIPAL_QUESTIONS_MAX: usize = 4;
/// Letters of a reason, at least and at most. Four make a short sentence in Chinese.
pub(crate) const REASON_CHARS: std::ops::RangeInclusive<usize> = 4..=200;

/// A question for flows.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Of which site.
    pub(crate) site: SiteId,
    /// What for; the limit is that of the page.
    pub(crate) query: FlowQuery,
    /// Why, as the trail and the site are told.
    pub(crate) reason: String,
    /// Where to read on.
    pub(crate) place: Option<Place>,
}

/// What the agents of a site answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The flows, latest first, with who told them.
    pub(crate) flows: Vec<(AgentId, Flow)>,
    /// Where to read on, where there may be more.
    pub(crate) next: Option<Place>,
    /// Who was asked, and what came of it.
    pub(crate) agents: Vec<Asked>,
}

/// An agent that was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which.
    pub(crate) agent: AgentId,
    /// What its log has, or why it did not answer.
    pub(crate) outcome: Result<LogState, NoAnswer>,
}

/// What the flow log of an agent has.
#[derive(Debug, Clone)]
pub(crate) struct LogState {
    /// The end of the oldest flow in it.
    pub(crate) kept_from: Option<Timestamp>,
    /// How many days it holds.
    pub(crate) days: u32,
    /// What it lacks of the time asked for.
    pub(crate) missing: Vec<FlowsMissing>,
    /// Why its page ended.
    pub(crate) ended: FlowPageEnd,
}

/// Nothing was answered.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The site has no agent.
    NoAgent,
    /// The principal asks too much at once.
    TooMany,
    /// No agent answered.
    Nobody(Vec<Asked>),
    /// The trail could not be written, so nothing is told.
    Unaudited(IntakeError),
    /// Something of ours failed.
    Internal,
}

/// How many questions are under way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    agents: Arc<Turnstile<AgentId>>,
    principals: Arc<Turnstile<String>>,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self {
            agents: Arc::new(Turnstile::new(AGENT_QUESTIONS_MAX)),
            principals: Arc::new(Turnstile::new(PRINCIPAL_QUESTIONS_MAX)),
        }
    }
}

/// Returns whether a reason says anything: one line of a few words.
pub(crate) fn is_reason(reason: &str) -> bool {
    let letters = reason.chars().filter(|letter| !letter.is_whitespace()).count();
    letters >= *REASON_CHARS.start()
        && reason.chars().count() <= *REASON_CHARS.end()
        && !reason.chars().any(char::is_control)
}

/// Puts a question in the caller's name, who was allowed to, and writes the entry of the trail.
///
/// # Errors
/// Nobody answered, or what was answered may not be told since it is not in the trail.
pub(crate) async fn put(app: &Arc<App>, gate: &Gate, question: Question) -> Result<Answer, Unanswered> {
    let (app, gate) = (Arc::clone(app), gate.clone());
    let task = tokio::spawn(async move {
        let asked = ask(&app, gate.caller(), &question).await;
        let (subject, outcome) = words::entry(&question, &asked);
        let mut usage = gate.usage(Action::ReadFlows, Some(question.site), &subject, outcome);
        usage.reason = Some(question.reason);
        let entry = Entry::once(gate.now(), usage);
        app.centre.audit(vec![entry]).await.map_err(Unanswered::Unaudited)?;
        app.counters.audit_written.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        asked
    });
    task.await.unwrap_or(Err(Unanswered::Internal))
}

async fn ask(app: &App, caller: &Caller, question: &Question) -> Result<Answer, Unanswered> {
    let _pass = app.flows.principals.enter(&caller.principal.name).ok_or(Unanswered::TooMany)?;
    let estate = app.centre.estate();
    let agents = estate.agents_of(question.site).filter(|agent| agent.revoked.is_none());
    // On later pages only those that have more are asked.
    let places = agents.filter_map(|agent| match &question.place {
        None => Some((agent.as_ref(), At::beginning(agent.id))),
        Some(place) => Some((agent.as_ref(), place.of(agent.id)?)),
    });
    let asker = Asker { principal: caller.principal.name.clone(), reason: question.reason.clone() };
    let pages = join_all(places.map(|(agent, at)| page(app, agent, at, &asker, &question.query))).await;
    if pages.is_empty() {
        return Err(Unanswered::NoAgent);
    }
    let (mut agents, mut answered) = (Vec::new(), Vec::new());
    for (agent, result) in pages {
        let outcome = result.map(|page| {
            let told = &page.page;
            let kept = LogState {
                kept_from: told.kept_from,
                days: told.days,
                missing: told.missing.clone(),
                ended: told.ended,
            };
            answered.push(page);
            kept
        });
        agents.push(Asked { agent, outcome });
    }
    if answered.is_empty() {
        return Err(Unanswered::Nobody(agents));
    }
    let limit = usize::try_from(question.query.limit).unwrap_or(usize::MAX);
    let (flows, more) = merged(answered, limit);
    let next = (!more.is_empty()).then(|| Place::new(question.query.from, question.query.until, more));
    Ok(Answer { flows, next, agents })
}

/// Asks one agent for one page.
async fn page(app: &App, agent: &Agent, at: At, asker: &Asker, query: &FlowQuery) -> (AgentId, Result<Page, NoAnswer>) {
    let id = agent.id;
    let Some(_pass) = app.flows.agents.enter(&id) else { return (id, Err(NoAnswer::Busy)) };
    let flows = FlowsQuery { asker: asker.clone(), query: query.clone(), after: at.after };
    let body = InstructionBody::Query(Query::Flows(flows));
    let result = asking::ask(&app.centre, id, body, ANSWER_WITHIN).await;
    let without_page = || NoAnswer::Failed { reason: "it answered without a page of flows".to_owned() };
    let result = result.and_then(|done| done.flows.ok_or_else(without_page));
    (id, result.map(|page: FlowPage| Page { at, page }))
}

#[cfg(test)]
mod tests;
