//! Cases: the list of them, and a page for each with its story and what can be done with it.
//!
//! Invariant: what a page offers to do is what the reader may do and what the case allows; whether it is done is decided where the
//! API's requests are, not here.

mod actions;
mod awaiting;
mod containment;
mod drill;
mod files;
mod notice;
mod notifying;
mod statistics;

use std::{cmp::Reverse, str::FromStr, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    CaseId, SiteId,
    anomaly::{AnomalyKey, CAPTURE},
    case::{Case, CaseEvidence, CaseState, CaseStep, CaseVerdict, Category, EscalationReason},
    incident::Severity,
};

pub(super) use actions::{act, open, stale};
pub(super) use awaiting::brief as awaiting_brief;
pub(crate) use containment::caution;
pub(super) use drill::open as open_drill;
pub(super) use files::attach;
pub(super) use notice::{last as notice, page as numbered_notice};
pub(super) use notifying::page as notifying;
pub(super) use statistics::page as statistics;

use super::{
    Reader, class, layout, parameter,
    parts::{self, Mark},
    suppressions,
    text::{self, Text},
    words,
};
use crate::{
    access::{Action, View},
    api::{App, Problem, cases_anywhere, encode},
};

/// Cases of a list; the API has all of them.
const LIST_MAX: usize = 300;

/// The list.
pub(super) async fn list(State(_): State<Arc<App>>, reader: Reader) -> Response {
    reader.answer(listed(&reader))
}

fn listed(reader: &Reader) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let asked = parameter(reader.query(), "state").unwrap_or_default();
    let (title, mut cases): (Text, Vec<&Case>) = match asked.as_str() {
        "closed" => (text::CASES_CLOSED, view.cases().filter(|it| it.state.verdict().is_some()).collect()),
        "silenced" => (text::CASES_SILENCED, view.cases().filter(|it| it.state == CaseState::Silenced).collect()),
        "drills" => (text::CASES_DRILLS, view.cases().filter(|it| it.key.drill).collect()),
        _ => (text::CASES_OPEN, view.open_cases().filter(|it| !it.key.drill).collect()),
    };
    // What is overdue first, then the gravest, then the oldest: what is left lying is seen.
    let now = view.now();
    cases.sort_by_key(|it| (Reverse(it.is_overdue(now)), Reverse(it.grade), it.opened));
    if title != text::CASES_OPEN {
        cases.sort_by_key(|it| Reverse(it.opened));
    }
    cases.truncate(LIST_MAX);
    let others = [
        ("/cases", text::CASES_OPEN),
        ("/cases?state=closed", text::CASES_CLOSED),
        ("/cases?state=silenced", text::CASES_SILENCED),
        ("/cases?state=drills", text::CASES_DRILLS),
    ];
    let awaiting = if title == text::CASES_OPEN { awaiting::awaiting(&view) } else { Vec::new() };
    let content = html! {
        @if !awaiting.is_empty() {
            h2 { (reader.say(text::CASES_AWAIT_ANSWER)) " " span.sub { (awaiting.len()) } }
            (table(reader, &view, &awaiting, true))
        }
        h1 { (reader.say(title)) span.sub { (cases.len()) } }
        (table(reader, &view, &cases, title == text::CASES_OPEN))
        @if title == text::CASES_DRILLS { (drill::form(reader)) (drill::list(reader, &view)) }
        p.hint {
            @for (at, (path, name)) in others.into_iter().filter(|(_, name)| *name != title).enumerate() {
                @if at > 0 { " · " }
                a href=(path) { (reader.say(name)) }
            }
            " · " a href="/cases/rules" { (reader.say(text::RULES)) }
            " · " a href="/cases/statistics" { (reader.say(text::CASE_STATISTICS)) }
            " · " a href="/inspections" { (reader.say(text::INSPECTIONS)) }
            " · " a href="/anomalies" { (reader.say(text::ANOMALIES)) }
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::CASES), "", &content))
}

/// The open cases of a site and those it was notified of, for its page; nothing where there are none or they may not be read.
pub(super) fn of_site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    let cases: Vec<&Case> =
        view.open_cases().filter(|it| it.key.site == site || it.is_for(site)).take(LIST_MAX).collect();
    if cases.is_empty() {
        return parts::nothing();
    }
    html! { h2 { (reader.say(text::CASES_OPEN)) } (table(reader, view, &cases, true)) }
}

fn table(reader: &Reader, view: &View, cases: &[&Case], open: bool) -> Markup {
    if cases.is_empty() {
        let none = if open { text::NO_CASES } else { text::CASE_NONE_LISTED };
        return html! { p.calm { (parts::mark(reader, Mark::Good, none)) } };
    }
    let columns = [
        text::CASE_GRADE,
        text::CASE_KIND,
        text::SUBJECT,
        text::SITE,
        text::CASE_STATE,
        text::CASE_DUE,
        text::CASE_AGE,
        text::CASE_ASSIGNEE,
        text::CASE_SILENCED_BY,
    ];
    // What a rule silences names the rule; nothing else has one.
    let silenced = cases.iter().any(|case| case.silenced_by.is_some());
    let columns = if silenced { &columns[..] } else { columns.split_last().map_or(&[][..], |(_, rest)| rest) };
    html! {
        div.scroll {
            table {
                (parts::head(reader, columns, 0))
                tbody {
                    @for case in cases {
                        tr {
                            td { (grade(reader, case)) }
                            th scope="row" {
                                a href=(format!("/cases/{}", case.id)) { (kind(reader, &case.key.kind)) }
                                @if case.key.drill { " " span.tag { (reader.say(text::CASE_DRILL)) } }
                            }
                            td.long { code { (words::case_subject(reader.language, &case.key.subject)) } }
                            td { (site(reader, view, case.key.site)) }
                            td { (state(reader, case.state)) }
                            td { (due(reader, view, case)) }
                            td { (parts::span(reader.language, case.age_ms(view.now()))) }
                            td { (parts::or_dash(case.assignee.as_deref())) }
                            @if silenced {
                                td.words { @if let Some(rule) = case.silenced_by { (suppressions::named(view, rule)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The page of a case.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(case): Path<String>) -> Response {
    reader.answer(made(&app, &reader, &case))
}

/// Returns a case that the reader may see.
fn known<'v>(view: &'v View, id: &str) -> Result<&'v Case, Problem> {
    CaseId::from_str(id).ok().and_then(|id| view.case(id)).ok_or_else(Problem::not_found)
}

fn made(app: &App, reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let case = known(&view, id)?;
    let title = kind(reader, &case.key.kind);
    let content = html! {
        nav.trail aria-label=(reader.say(text::CASES)) {
            ol {
                li { a href="/cases" { (reader.say(text::CASES)) } }
                li aria-current="page" { (case.id) }
            }
        }
        h1 {
            (title) span.query { (subject(reader, &case.key.subject)) } (grade(reader, case))
            @if case.key.drill { span.tag { (reader.say(text::CASE_DRILL)) } }
        }
        @if let Some(means) = text::means(&case.key.kind) { p.told { (reader.say(means)) } }
        (facts(reader, &view, case))
        (drill::times(reader, &view, case))
        (notice::summaries(reader, &view, case))
        (actions::forms(reader, &view, case))
        h2 { (reader.say(text::CASE_EVIDENCE)) }
        (evidence(reader, case))
        (packets(reader, &view, case))
        (files::section(app, reader, &view, case))
        (containment::section(reader, &view, case))
        (related(reader, &view, case))
        h2 { (reader.say(text::CASE_STORY)) }
        (story(reader, &view, case))
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

/// About whom: an address leads to the endpoint that has it.
fn subject(reader: &Reader, subject: &str) -> Markup {
    let host = AnomalyKey { kind: String::new(), subject: subject.to_owned() };
    let address = host.host().map(|ip| ip.to_string()).or_else(|| host.mac().map(|mac| mac.to_string()));
    html! {
        @match address {
            Some(address) => a href=(format!("/find?q={}", encode(&address))) { code { (subject) } },
            None => code { (words::case_subject(reader.language, subject)) },
        }
    }
}

fn facts(reader: &Reader, view: &View, case: &Case) -> Markup {
    let verdict = case.state.verdict().map(verdict_name);
    let category = case.category.map(|it| reader.say(category_name(it)));
    let graded = case.graded_by.as_deref().unwrap_or_else(|| reader.say(text::CASE_GRADE_PROPOSED));
    let confidence = case.confidence.map(|it| format!("{it} %"));
    let taken = case.acknowledged_after_ms().map(|ms| parts::span(reader.language, ms));
    let ended = case.closed_after_ms().map(|ms| parts::span(reader.language, ms));
    let found = parts::span(reader.language, case.detected_after_ms());
    let count = case.count.to_string();
    let mut rows = vec![
        (
            reader.say(text::CASE_STATE),
            html! { (state(reader, case.state)) @if let Some(it) = verdict { " · " (reader.say(it)) } },
        ),
        (reader.say(text::SITE), site(reader, view, case.key.site)),
        (reader.say(text::CASE_DUE), due(reader, view, case)),
        (reader.say(text::CASE_ASSIGNEE), parts::or_dash(case.assignee.as_deref())),
        (reader.say(text::CASE_GRADED_BY), html! { (graded) }),
        (reader.say(text::CASE_CATEGORY), parts::or_dash(category)),
        (reader.say(text::CONFIDENCE), parts::or_dash(confidence.as_deref())),
        (reader.say(text::CASE_FIRST), html! { (parts::moment(case.first)) }),
        (reader.say(text::CASE_LAST), html! { (parts::moment(case.last)) }),
        (reader.say(text::CASE_COUNT), html! { (count) }),
        (reader.say(text::CASE_OPENED), html! { (parts::moment(case.opened)) }),
        (reader.say(text::CASE_DETECTED), html! { (found) }),
        (reader.say(text::CASE_TAKEN_UP), parts::or_dash(taken.as_deref())),
        (reader.say(text::CASE_ENDED), parts::or_dash(ended.as_deref())),
    ];
    if let Some(incident) = case.incident {
        let link = html! { a href=(format!("/incidents/{incident}")) { (incident) } };
        rows.push((reader.say(text::CASE_INCIDENT), link));
    }
    if let Some(rule) = case.silenced_by {
        rows.push((reader.say(text::CASE_SILENCED_BY), suppressions::named(view, rule)));
    }
    if case.reopened > 0 {
        rows.push((reader.say(text::CASE_REOPENED), html! { (case.reopened) }));
    }
    parts::facts(&rows)
}

fn evidence(reader: &Reader, case: &Case) -> Markup {
    html! {
        @if case.evidence.is_empty() { p.calm { (reader.say(text::CASE_NO_EVIDENCE)) } } @else {
            div.scroll { table { tbody {
                @for it in &case.evidence {
                    tr { th scope="row" { (evidence_name(reader, it)) } td.words { (evidence_value(reader, it)) } }
                }
            } } }
        }
    }
}

/// What a piece of evidence says: as it was told, but for words that stand for a choice.
fn evidence_value(reader: &Reader, evidence: &CaseEvidence) -> String {
    let say = |word| match evidence.is.as_str() {
        "before" | "after" => class::said(reader, word),
        "possible" => words::possible(word).map(|it| reader.say(it)),
        is => text::evidence_word(is, word).map(|it| reader.say(it)),
    };
    let said: Vec<&str> = evidence.value.split(", ").map(|word| say(word).unwrap_or(word)).collect();
    said.join(", ")
}

/// What a piece of evidence is, by the detector's name where there are no words for it.
fn evidence_name(reader: &Reader, evidence: &CaseEvidence) -> Markup {
    html! {
        @match evidence.is.as_str() {
            CaseEvidence::ATTACHED => (reader.say(text::CASE_ATTACHED)),
            "drill" => (reader.say(text::CASE_DRILL)),
            other => {
                @match text::evidence(other) {
                    Some(words) => span title=(other) { (reader.say(words)) },
                    None => code { (other) },
                }
            }
        }
    }
}

/// The packets around what was found, for who may read flows: fetched from the site when they are asked for, with a reason.
fn packets(reader: &Reader, view: &View, case: &Case) -> Markup {
    // What the centre fetched is among the files of the case.
    let is_here = |name: &str| case.files.iter().any(|it| it.file.fetched && it.file.name == name);
    let names = |it: &&CaseEvidence| it.is == CAPTURE && it.value.ends_with(".pcapng") && !is_here(&it.value);
    let files: Vec<&CaseEvidence> = case.evidence.iter().filter(names).collect();
    if files.is_empty() || !view.may(Action::ReadFlows, case.key.site) {
        return parts::nothing();
    }
    html! {
        div.sheet.acts {
            @for (at, file) in files.iter().enumerate() {
                form.act method="get" action=(format!("/api/v1/sites/{}/captures/{}", case.key.site, encode(&file.value))) {
                    label for=(format!("reason-{at}")) { (reader.say(text::CASE_PACKETS_REASON)) }
                    input id=(format!("reason-{at}")) type="text" name="reason" minlength="4" maxlength="200" required
                        value=(case.id);
                    button type="submit" { (reader.say(text::CASE_PACKETS)) }
                }
            }
        }
        p.hint { (reader.say(text::CASE_PACKETS_HINT)) }
    }
}

fn related(reader: &Reader, view: &View, case: &Case) -> Markup {
    let related: Vec<&Case> = case.related.iter().filter_map(|id| view.case(*id)).collect();
    html! {
        @if !related.is_empty() {
            h2 { (reader.say(text::CASE_RELATED)) }
            (table(reader, view, &related, false))
        }
    }
}

fn story(reader: &Reader, view: &View, case: &Case) -> Markup {
    let columns = [text::TIME, text::CASE_BY, text::CASE_DID, text::CASE_STATE, text::CASE_SAID];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody {
                    @for step in &case.steps {
                        tr {
                            td { (parts::moment(step.time)) }
                            td { @match &step.by { Some(by) => (by), None => (reader.say(text::CASE_BY_CENTRE)) } }
                            td { (reader.say(did(&step.did))) }
                            td { (state(reader, step.state)) }
                            td.words { (said(reader, view, case, step)) (of_notice(case, step)) }
                        }
                    }
                }
            }
        }
    }
}

/// The number of the notice that a step is about, which leads to it.
fn of_notice(case: &Case, step: &CaseStep) -> Markup {
    html! {
        @if let Some(number) = step.notice {
            " " a.tag href=(format!("/cases/{}/notices/{number}", case.id)) { (number) }
        }
    }
}

/// What a step says: in words of the reader's language where the centre said it.
fn said(reader: &Reader, view: &View, case: &Case, step: &CaseStep) -> Markup {
    if step.did == "attach_file" && !view.shows_files(case, step.notice, false) {
        return parts::nothing();
    }
    if step.did == "grade" {
        return html! { (graded(reader, &step.text)) };
    }
    let late = EscalationReason::ALL.into_iter().find(|it| step.did == "overdue" && it.name() == step.text);
    if let Some(late) = late {
        return html! { (reader.say(words::escalation(late))) };
    }
    if step.did != "escalated" {
        return html! { (step.text) };
    }
    let up = case.escalations.iter().find(|it| it.time == step.time);
    html! {
        @if let Some(up) = up {
            (reader.say(words::escalation(up.reason))) " · " (reader.say(text::CASE_ESCALATED_TO)) " " (site(reader, view, up.to))
        }
    }
}

/// A grade and a category in words, of a step that has their names.
fn graded(reader: &Reader, text: &str) -> String {
    let word = |name: &str| {
        let grade = GRADES.into_iter().find(|it| it.name() == name).map(words::severity);
        let category = || Category::ALL.into_iter().find(|it| it.name() == name).map(category_name);
        grade.or_else(category).map_or_else(|| name.to_owned(), |it| reader.say(it).to_owned())
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" · ")
}

fn due(reader: &Reader, view: &View, case: &Case) -> Markup {
    let overdue = case.is_overdue(view.now());
    html! {
        @match case.due {
            Some(due) => {
                (parts::moment(due))
                @if overdue { " " (parts::mark(reader, Mark::Bad, text::CASE_OVERDUE)) }
            }
            None => span.none { "–" },
        }
    }
}

fn site(reader: &Reader, view: &View, id: SiteId) -> Markup {
    let hidden = || html! { span.none { (reader.say(text::NOT_YOURS)) } };
    view.site(id).map_or_else(hidden, |site| parts::site_link(reader, view, site))
}

/// The grade; one that nobody confirmed is marked as a proposal.
fn grade(reader: &Reader, case: &Case) -> Markup {
    let proposed = case.graded_by.is_none();
    html! {
        span class=(format!("grade {}", case.grade.name())) title=[proposed.then(|| reader.say(text::CASE_GRADE_PROPOSED))] {
            (reader.say(words::severity(case.grade))) @if proposed { "?" }
        }
    }
}

pub(super) fn state(reader: &Reader, state: CaseState) -> Markup {
    let (mark, word) = match state {
        CaseState::Silenced => (Mark::Idle, text::STATE_SILENCED),
        CaseState::New => (Mark::Bad, text::STATE_NEW),
        CaseState::Acknowledged => (Mark::Warn, text::STATE_ACKNOWLEDGED),
        CaseState::UnderReview => (Mark::Warn, text::STATE_UNDER_REVIEW),
        CaseState::Notified => (Mark::Warn, text::STATE_NOTIFIED),
        CaseState::Rectified => (Mark::Warn, text::STATE_RECTIFIED),
        CaseState::Closed(_) => (Mark::Good, text::STATE_CLOSED),
    };
    parts::mark(reader, mark, word)
}

/// A kind in words, or by its name where nobody has words for it.
fn kind<'r>(reader: &Reader, name: &'r str) -> &'r str {
    words::case_kind(reader.language, name)
}

const fn verdict_name(verdict: CaseVerdict) -> Text {
    match verdict {
        CaseVerdict::True => text::VERDICT_TRUE,
        CaseVerdict::Benign => text::VERDICT_BENIGN,
        CaseVerdict::False => text::VERDICT_FALSE,
        CaseVerdict::Drill => text::VERDICT_DRILL,
    }
}

const fn category_name(category: Category) -> Text {
    match category {
        Category::MaliciousProgram => text::CATEGORY_MALICIOUS_PROGRAM,
        Category::NetworkAttack => text::CATEGORY_NETWORK_ATTACK,
        Category::DataSecurity => text::CATEGORY_DATA_SECURITY,
        Category::ContentSecurity => text::CATEGORY_CONTENT_SECURITY,
        Category::EquipmentFailure => text::CATEGORY_EQUIPMENT_FAILURE,
        Category::ViolationOfRules => text::CATEGORY_VIOLATION,
        Category::HiddenDanger => text::CATEGORY_HIDDEN_DANGER,
        Category::AbnormalBehaviour => text::CATEGORY_ABNORMAL,
        Category::ForceMajeure => text::CATEGORY_FORCE_MAJEURE,
        Category::Other => text::CATEGORY_OTHER,
    }
}

/// The word for what was done, or is to be done.
fn did(name: &str) -> Text {
    match name {
        "recurred" => text::DID_RECURRED,
        "silenced" => text::DID_SILENCED,
        "overdue" => text::DID_OVERDUE,
        "escalated" => text::DID_ESCALATED,
        "acknowledge" => text::DID_ACKNOWLEDGE,
        "review" => text::DID_REVIEW,
        "assign" => text::DID_ASSIGN,
        "grade" => text::DID_GRADE,
        "set_due" => text::DID_SET_DUE,
        "comment" => text::DID_COMMENT,
        "attach" => text::DID_ATTACH,
        "attach_file" => text::DID_ATTACH_FILE,
        "miss_capture" => text::DID_MISS_CAPTURE,
        "relate" => text::DID_RELATE,
        "notify" => text::DID_NOTIFY,
        "receive" => text::DID_RECEIVE,
        "answer" => text::DID_ANSWER,
        "return" => text::DID_RETURN,
        "close" => text::DID_CLOSE,
        "reopen" => text::DID_REOPEN,
        _ => text::DID_OPENED,
    }
}

/// The grades, to choose from.
const GRADES: [Severity; 4] = Severity::ALL;
