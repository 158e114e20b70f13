//! Capture files that are evidence of anomalies, fetched from the agent that saved them, part by part.
//!
//! Invariants: only a file that an anomaly of the site names is asked for, and of the agent that told of it; no more than
//! [`CAPTURE_BYTES_MAX`] bytes of it are taken; who asked, why and with what outcome is in the audit trail, on disk, before the file goes
//! out. A part is as large as a page of flows and goes after what the agent has to report, so that the line's reports wait for one
//! part at most.
//!
//! # Tasks
//!
//! One task a question, [`fetch`], which nobody cancels, as in the module above.

use std::sync::{Arc, atomic::Ordering};

use onenet_topology::{
    AgentId, SiteId,
    anomaly::{CAPTURE, CAPTURE_BYTES_MAX},
};
use onenet_wire::{Asker, CaptureQuery, InstructionBody, Query, limits};

use super::{ANSWER_WITHIN, Asked, Unanswered, unanswered};
use crate::{
    access::{
        Action, Gate,
        audit::{Entry, Outcome},
    },
    api::App,
    asking::{self, NoAnswer},
    estate::SiteState,
};

/// A question for a capture file.
#[derive(Debug, Clone)]
pub(crate) struct CaptureQuestion {
    /// Of which site.
    pub(crate) site: SiteId,
    /// Who has it.
    pub(crate) agent: AgentId,
    /// Its name.
    pub(crate) file: String,
    /// Why, as the trail and the site are told.
    pub(crate) reason: String,
}

/// Returns who has the file of this name, where an anomaly of the site names it.
pub(crate) fn keeper(site: &SiteState, file: &str) -> Option<AgentId> {
    let names = |piece: &onenet_topology::anomaly::AnomalyEvidence| piece.is == CAPTURE && piece.value == file;
    site.anomalies.values().find(|anomaly| anomaly.evidence.iter().any(names)).map(|anomaly| anomaly.agent)
}

/// Fetches a file in the caller's name, who was allowed to, and writes the entry of the trail.
///
/// # Errors
/// The agent did not answer, or what it answered may not be told since it is not in the trail.
pub(crate) async fn fetch(app: &Arc<App>, gate: &Gate, question: CaptureQuestion) -> Result<Vec<u8>, Unanswered> {
    let (app, gate) = (Arc::clone(app), gate.clone());
    let task = tokio::spawn(async move {
        let fetched = parts(&app, &gate, &question).await;
        let (told, outcome) = match &fetched {
            Ok(bytes) => (format!("{} bytes told", bytes.len()), Outcome::Done),
            Err(Unanswered::TooMany) => ("refused".to_owned(), Outcome::Refused),
            Err(Unanswered::Nobody(agents)) => (unanswered(agents), Outcome::Failed),
            Err(_) => ("failed".to_owned(), Outcome::Failed),
        };
        let subject = format!("capture {}: {told}", question.file);
        let mut usage = gate.usage(Action::ReadFlows, Some(question.site), &subject, outcome);
        usage.reason = Some(question.reason);
        app.centre.audit(vec![Entry::once(gate.now(), usage)]).await.map_err(Unanswered::Unaudited)?;
        app.counters.audit_written.fetch_add(1, Ordering::Relaxed);
        fetched
    });
    task.await.unwrap_or(Err(Unanswered::Internal))
}

async fn parts(app: &App, gate: &Gate, question: &CaptureQuestion) -> Result<Vec<u8>, Unanswered> {
    let principal = &gate.caller().principal.name;
    let _pass = app.flows.principals.enter(principal).ok_or(Unanswered::TooMany)?;
    let nobody = |why| Unanswered::Nobody(vec![Asked { agent: question.agent, outcome: Err(why) }]);
    let _pass = app.flows.agents.enter(&question.agent).ok_or_else(|| nobody(NoAnswer::Busy))?;
    let asker = Asker { principal: principal.clone(), reason: question.reason.clone() };
    let mut file = Vec::new();
    loop {
        let offset = u64::try_from(file.len()).unwrap_or(u64::MAX);
        let query = CaptureQuery { asker: asker.clone(), file: question.file.clone(), offset, bytes_max: 0 };
        let body = InstructionBody::Query(Query::Capture(query));
        let part = asking::ask(&app.centre, question.agent, body, ANSWER_WITHIN).await.map_err(nobody)?.body;
        let is_last = part.len() < limits::CAPTURE_PART_BYTES;
        file.extend(part);
        if file.len() > CAPTURE_BYTES_MAX {
            return Err(nobody(NoAnswer::Failed { reason: "the capture is larger than one may be".to_owned() }));
        }
        if is_last {
            return Ok(file);
        }
    }
}
