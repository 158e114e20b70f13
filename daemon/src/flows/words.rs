//! What the audit trail says of a question for flows, and what a problem says of agents that did not answer.

use onenet_topology::flow::{FlowParty, FlowQuery};

use super::{Answer, Asked, Outcome, PRINCIPAL_QUESTIONS_MAX, Question, Unanswered};

/// Returns what was asked and told, and how that counts.
pub(super) fn entry(question: &Question, asked: &Result<Answer, Unanswered>) -> (String, Outcome) {
    let what = describe(&question.query);
    let page = if question.place.is_some() { ", next page" } else { "" };
    let (told, outcome) = match asked {
        Ok(answer) => {
            let told = format!("{} flows told", answer.flows.len());
            let silent = unanswered(&answer.agents);
            (if silent.is_empty() { told } else { format!("{told}; {silent}") }, Outcome::Done)
        }
        Err(Unanswered::TooMany) => ("refused".to_owned(), Outcome::Refused),
        Err(Unanswered::NoAgent) => ("the site has no agent".to_owned(), Outcome::Failed),
        Err(Unanswered::Nobody(agents)) => (unanswered(agents), Outcome::Failed),
        Err(Unanswered::Unaudited(_) | Unanswered::Internal) => ("failed".to_owned(), Outcome::Failed),
    };
    (format!("{what}{page}: {told}"), outcome)
}

/// Returns a question in one line.
fn describe(query: &FlowQuery) -> String {
    let mut text = "flows".to_owned();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.extend([" ", name, " ", &value]);
        }
    };
    add("of", query.endpoint.as_ref().map(party));
    add(if query.endpoint.is_some() { "with" } else { "of peer" }, query.peer.as_ref().map(party));
    add("port", query.port.map(|port| port.to_string()));
    add("protocol", query.protocol.map(|protocol| protocol.to_string()));
    add("application", query.application.map(|application| application.to_string()));
    add("from", Some(query.from.to_string()));
    add("until", Some(query.until.to_string()));
    text
}

/// Returns one end as it is asked for.
pub(crate) fn party(party: &FlowParty) -> String {
    match party {
        FlowParty::Mac(mac) => mac.to_string(),
        FlowParty::Ip(prefix) if prefix.prefix() == if prefix.is_ipv4() { 32 } else { 128 } => prefix.ip().to_string(),
        FlowParty::Ip(prefix) => prefix.to_string(),
    }
}

/// Returns who did not answer, and why.
pub(crate) fn unanswered(agents: &[Asked]) -> String {
    let lines = agents.iter().filter_map(|asked| {
        let why = asked.outcome.as_ref().err()?;
        Some(format!("{} {}", asked.agent, why.told()))
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// Returns what to say to whoever asks too much at once.
pub(crate) fn too_many() -> String {
    format!("you have {PRINCIPAL_QUESTIONS_MAX} questions for flows under way: wait for one of their answers")
}
