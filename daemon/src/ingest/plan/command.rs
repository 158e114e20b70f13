//! Commands of principals. Whether the principal may is decided before ([`crate::access`]).

use std::sync::Arc;

use onenet_topology::AgentId;

use super::{Draft, Outcome, Refusal};
use crate::{
    estate::Change,
    record::{Command, TokenHash},
};

/// Plans a command.
pub(super) fn command(draft: &mut Draft<'_>, by: &Arc<str>, command: &Arc<Command>) -> Result<Outcome, Refusal> {
    let position = draft.record.position;
    let outcome = match &**command {
        Command::IssueEnrolmentToken { .. } => Outcome::Accepted,
        Command::EnrolAgent { token, key } => match enrolled(draft, *token, *key)? {
            Enrolment::Before(outcome) => return Ok(outcome),
            Enrolment::Now(outcome) => outcome,
        },
        Command::RevokeAgent { agent, .. } => {
            draft.next.agent(*agent).ok_or(Refusal::UnknownAgent(*agent))?;
            Outcome::Accepted
        }
        Command::Configure { .. } => Outcome::Configured { revision: position },
    };
    draft.put(Change::Commanded {
        position,
        time: draft.record.time,
        by: Arc::clone(by),
        command: Arc::clone(command),
    });
    // An agent's own row is what is read back last, so it follows every command about the agent.
    let about = match (&outcome, &**command) {
        (Outcome::Enrolled { agent, .. }, _) | (_, Command::RevokeAgent { agent, .. }) => draft.next.agent(*agent),
        _ => None,
    };
    if let Some(agent) = about.cloned() {
        draft.put(Change::Agent(agent));
    }
    Ok(outcome)
}

enum Enrolment {
    Before(Outcome),
    Now(Outcome),
}

/// Returns what an enrolment comes to; the same token with the same key gives the same agent, so that an answer that
/// was lost on the way can be asked for again.
fn enrolled(draft: &Draft<'_>, token: TokenHash, key: TokenHash) -> Result<Enrolment, Refusal> {
    let token = draft.next.enrolment_tokens.get(&token).ok_or(Refusal::UnknownToken)?;
    if token.expires <= draft.record.time {
        return Err(Refusal::TokenExpired(token.expires));
    }
    match token.spent {
        Some((agent, used)) if used == key => Ok(Enrolment::Before(Outcome::Enrolled { agent, site: token.site })),
        Some((agent, _)) => Err(Refusal::TokenSpent(agent)),
        None => {
            let agent = AgentId::from_record(draft.record.position, 0).ok_or(Refusal::LogFull)?;
            Ok(Enrolment::Now(Outcome::Enrolled { agent, site: token.site }))
        }
    }
}
