//! Flows of a site, asked of its agents: the form, and what they answered.
//!
//! Invariant: nothing is asked without a reason, and opening the form asks nothing. Who may not read flows sees neither form nor
//! page. What an agent did not tell is said beside what the others told.

mod form;
mod table;

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    flow::{FlowsMissing, FlowsMissingReason},
};

use self::form::Filled;
use super::{
    Reader, layout,
    parts::{self, Mark},
    text::{self, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{App, Problem, flows_question, may_ask_flows},
    asking::NoAnswer,
    flows::{self, Answer, Asked, LogState, Unanswered},
};

pub(super) use form::ask;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(site): Path<String>) -> Response {
    let made = made(&app, &reader, &site).await;
    reader.answer(made)
}

/// Returns whether the reader may ask for flows of a site.
pub(super) fn may(view: &View, site: SiteId) -> bool {
    view.may(Action::ReadFlows, site)
}

async fn made(app: &Arc<App>, reader: &Reader, id_or_code: &str) -> Result<Markup, Problem> {
    let (view, id) = may_ask_flows(&reader.gate, id_or_code)?;
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    let filled = Filled::read(reader.query());
    let told = if filled.is_asked() { answer(app, reader, &view, id, &filled).await? } else { parts::nothing() };
    let name = parts::site_name(reader.language, site.name(view.now())).into_owned();
    let title = reader.say(text::FLOWS);
    let content = html! {
        (parts::trail(reader, &view, id, Some(title)))
        h1 { (title) " " span.sub { (name) } }
        (form::whole(reader, id, &filled))
        (told)
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

/// Asks, and shows what came of it; what is wrong with the question stands beside the form.
async fn answer(
    app: &Arc<App>,
    reader: &Reader,
    view: &View,
    site: SiteId,
    filled: &Filled,
) -> Result<Markup, Problem> {
    let question = filled.params(view.now()).and_then(|params| flows_question(&reader.gate, view, site, params));
    let question = match question {
        Ok(question) => question,
        Err(problem) if problem.parameter.is_some() => return Ok(wrong(reader, &problem)),
        Err(problem) => return Err(problem),
    };
    let (from, until) = (question.query.from, question.query.until);
    match flows::put(app, &reader.gate, question).await {
        Ok(answer) => Ok(html! {
            h2 {
                (reader.say(text::FLOWS_FOUND))
                " " span.sub { (parts::moment(from)) " – " (parts::moment(until)) }
            }
            (agents(reader, &answer.agents))
            (flows_told(reader, view, site, filled, &answer))
        }),
        Err(Unanswered::Nobody(asked)) => Ok(agents(reader, &asked)),
        Err(Unanswered::NoAgent) => Ok(html! { p.alert role="alert" { (reader.say(text::NO_AGENT_TO_ASK)) } }),
        Err(Unanswered::TooMany) => Ok(html! { p.alert role="alert" { (reader.say(text::TOO_MANY_QUESTIONS)) } }),
        Err(other) => Err(other.into()),
    }
}

fn wrong(reader: &Reader, problem: &Problem) -> Markup {
    let is_reason = problem.parameter.as_deref() == Some("reason");
    let told =
        if is_reason { reader.say(text::REASON_WRONG).to_owned() } else { words::problem(reader.language, problem) };
    html! { p.alert role="alert" { (told) } }
}

fn flows_told(reader: &Reader, view: &View, site: SiteId, filled: &Filled, answer: &Answer) -> Markup {
    let empty = match (&answer.next, answer.agents.iter().all(|asked| asked.outcome.is_ok())) {
        (Some(_), _) => text::FLOWS_NOT_YET,
        (None, true) => text::NO_FLOWS,
        (None, false) => text::NO_FLOWS_OF_THESE,
    };
    html! {
        @if answer.flows.is_empty() {
            p.calm { (reader.say(empty)) }
        } @else {
            (table::flows(reader, view, site, answer))
        }
        @if let Some(next) = &answer.next {
            p { a.next href=(filled.address(site, &next.to_string())) { (reader.say(text::MORE)) } }
        }
    }
}

/// Who was asked, and what is missing.
fn agents(reader: &Reader, asked: &[Asked]) -> Markup {
    html! {
        ul.asked {
            @for Asked { agent, outcome } in asked {
                li {
                    @match outcome {
                        Ok(kept) => {
                            (parts::mark(reader, Mark::Good, text::ANSWERED)) " " span.code { (agent) }
                            " · " (reach(reader, kept))
                            @for missing in &kept.missing { (lacks(reader, missing)) }
                        }
                        Err(why) => {
                            (parts::mark(reader, Mark::Bad, text::NOT_ANSWERED)) " " span.code { (agent) }
                            " " strong { (no_answer(reader, why)) }
                        }
                    }
                }
            }
        }
    }
}

/// How far back the log of an agent goes.
fn reach(reader: &Reader, kept: &LogState) -> Markup {
    html! {
        @match kept.kept_from {
            Some(from) if kept.days == 0 => { (fill(reader.say(text::LOG_BEGINS), parts::moment(from))) }
            Some(from) => {
                (fill(&fill(reader.say(text::LOG_REACHES), parts::moment(from)), kept.days))
            }
            None => { (reader.say(text::LOG_EMPTY)) }
        }
    }
}

fn lacks(reader: &Reader, missing: &FlowsMissing) -> Markup {
    let why = match missing.reason {
        FlowsMissingReason::BeforeTheLog => text::LACKS_BEFORE,
        FlowsMissingReason::WriterBusy => text::LACKS_BUSY,
        FlowsMissingReason::Disk => text::LACKS_DISK,
        FlowsMissingReason::Damaged => text::LACKS_DAMAGED,
    };
    html! {
        p.detail {
            (parts::mark(reader, Mark::Warn, text::MISSING)) " "
            (parts::moment(missing.from)) " – " (parts::moment(missing.until)) ": " (reader.say(why))
            @if let Some(flows) = missing.flows { " (" (fill(reader.say(text::ABOUT_FLOWS), flows)) ")" }
        }
    }
}

/// Why an agent did not answer, and what to do about it.
fn no_answer(reader: &Reader, why: &NoAnswer) -> String {
    let since = |text, since: Option<onenet_topology::Timestamp>| {
        fill(reader.say(text), since.map_or_else(|| "–".to_owned(), parts::moment))
    };
    match why {
        NoAnswer::NeverHeard => reader.say(text::ASKED_NEVER_HEARD).to_owned(),
        NoAnswer::Silent { since: at } => since(text::ASKED_SILENT, *at),
        NoAnswer::Cut => reader.say(text::ASKED_CUT).to_owned(),
        NoAnswer::TimedOut { heard, .. } => since(text::ASKED_TIMED_OUT, *heard),
        NoAnswer::Busy => reader.say(text::ASKED_BUSY).to_owned(),
        NoAnswer::Failed { reason } => fill(reader.say(text::ASKED_FAILED), reason),
    }
}
