//! Rules that silence cases: what each silences and how much of that there was, who answers for it and until when; made and ended here.
//!
//! Invariant: what the page offers to do is what the reader may do; whether it is done is decided where the API's requests are, not here.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{AreaId, SuppressionId, case::Suppression};
use serde::Deserialize;

use super::{
    Reader, cases, fields, layout,
    parts::{self, Mark},
    text, trouble, words,
};
use crate::{
    access::{Action, Decision, View},
    api::{App, NewSuppressionBody, Problem, cases_anywhere, end_suppression, make_suppression},
};

/// Rules of each list; the API has all of them.
const LIST_MAX: usize = 300;

/// What the form that makes a rule carries. What the rule does not say is left out or empty.
#[derive(Deserialize)]
pub(super) struct Made {
    form: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    destination: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    hours: String,
    owner: String,
    reason: String,
    until: String,
}

/// What the form that ends a rule carries.
#[derive(Deserialize)]
pub(super) struct Ended {
    form: String,
}

/// The list.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(listed(&reader))
}

fn listed(reader: &Reader) -> Result<Markup, Problem> {
    let view = cases_anywhere(&reader.gate)?;
    let now = view.now();
    let (on, over): (Vec<_>, Vec<_>) = view.suppressions().partition(|(rule, _)| rule.is_on(now));
    let content = html! {
        h1 { (reader.say(text::RULES)) span.sub { (on.len()) } }
        p.hint { (reader.say(text::RULES_HINT)) }
        (table(reader, &view, &on))
        (making(reader, &view))
        @if !over.is_empty() {
            h2 { (reader.say(text::RULES_OVER)) }
            (table(reader, &view, &over))
        }
        p.hint { a href="/cases?state=silenced" { (reader.say(text::CASES_SILENCED)) } }
    };
    Ok(layout::page(reader, &view, reader.say(text::RULES), "", &content))
}

fn table(reader: &Reader, view: &View, rules: &[(&Suppression, usize)]) -> Markup {
    if rules.is_empty() {
        return html! { p.calm { (parts::mark(reader, Mark::Good, text::RULES_NONE)) } };
    }
    let columns = [
        text::RULE_SILENCES,
        text::RULE_OWNER,
        text::RULE_REASON,
        text::RULE_UNTIL,
        text::RULE_MADE_BY,
        text::CASE_ACTIONS,
        text::RULE_SILENCED,
    ];
    html! {
        div.scroll { table {
            (parts::head(reader, &columns, columns.len() - 1))
            tbody { @for (rule, silenced) in rules.iter().take(LIST_MAX) { (row(reader, view, rule, *silenced)) } }
        } }
    }
}

fn row(reader: &Reader, view: &View, rule: &Suppression, silenced: usize) -> Markup {
    html! {
        tr id=(rule.id) {
            th.long scope="row" { (scope(reader, view, rule)) }
            td { (rule.owner) }
            td.long { (rule.reason) }
            td { (parts::moment(rule.until)) }
            td { (rule.by) @if let Some(by) = &rule.ended_by { br; (reader.say(text::RULE_ENDED_BY)) " " (by) } }
            td { (ending(reader, view, rule)) }
            td.number { (silenced) }
        }
    }
}

/// Returns whether the reader may end a rule: at its site, or everywhere where it names none.
fn may_end(view: &View, rule: &Suppression) -> bool {
    view.decide(Action::ReviewCases, rule.scope.site) == Decision::Allowed
}

fn ending(reader: &Reader, view: &View, rule: &Suppression) -> Markup {
    if reader.form.is_empty() || !rule.is_on(view.now()) || !may_end(view, rule) {
        return html! { span.none { "–" } };
    }
    html! {
        form method="post" action=(format!("/cases/rules/{}/end", rule.id)) {
            input type="hidden" name="form" value=(reader.form);
            button type="submit" { (reader.say(text::RULE_END)) }
        }
    }
}

/// What a rule silences, in words: all of it has to be true.
fn scope(reader: &Reader, view: &View, rule: &Suppression) -> Markup {
    let it = &rule.scope;
    let text_of = |part: Option<String>| part.map(|part| html! { code { (part) } });
    let parts = [
        (text::CASE_KIND, it.kind.as_deref().map(|kind| html! { (words::case_kind(reader.language, kind)) })),
        (text::SUBJECT, text_of(it.subject.clone())),
        (text::SITE, it.site.map(|site| parts::site_link_of(reader, view, site))),
        (text::AREA, it.area.map(|area| area_named(reader, view, area))),
        (text::RULE_SOURCE, text_of(it.source.map(|net| net.to_string()))),
        (text::RULE_DESTINATION, text_of(it.destination.map(|net| net.to_string()))),
        (text::RULE_PORT, text_of(it.port.map(|port| port.to_string()))),
        (text::RULE_HOURS, text_of(it.hours.map(|hours| hours.to_string()))),
    ];
    html! {
        @for (name, part) in parts {
            @if let Some(part) = part { div { span.label { (reader.say(name)) } " " (part) } }
        }
    }
}

fn area_named(reader: &Reader, view: &View, id: AreaId) -> Markup {
    html! {
        @if let Some(area) = view.area(id) { (parts::site_name(reader.language, area.name(view.now()))) } @else { code { (id) } }
    }
}

/// Returns a rule as a case names it: its reason, which leads to the rule, who answers for it and until when, where the reader may see it.
pub(super) fn named(view: &View, id: SuppressionId) -> Markup {
    html! {
        @if let Some(rule) = view.rule(id) {
            a href=(format!("/cases/rules#{id}")) { (rule.reason) } " · " (rule.owner) " · " (parts::moment(rule.until)) " · " code { (id) }
        }
        @else { code { (id) } }
    }
}

/// The form that makes a rule, for who may make one somewhere.
fn making(reader: &Reader, view: &View) -> Markup {
    let reviews = reader.gate.caller().principal.reaches(Action::ReviewCases).next().is_some();
    if reader.form.is_empty() || !reviews {
        return parts::nothing();
    }
    let line = |field: &str, label, required| fields::line(reader, &format!("rule-{field}"), field, label, required);
    let of_rule = html! {
        p.hint { (reader.say(text::RULE_MAKE_HINT)) }
        label for="rule-kind" { (reader.say(text::CASE_KIND)) }
        select id="rule-kind" name="kind" {
            option value="" { (reader.say(text::ANY)) }
            (fields::case_kinds(reader, ""))
        }
        (line("subject", text::RULE_SUBJECT_FIELD, false))
        (line("site", text::RULE_SITE_FIELD, false))
        (fields::areas(reader, view, "rule-area"))
        (line("source", text::RULE_SOURCE_FIELD, false))
        (line("destination", text::RULE_DESTINATION_FIELD, false))
        (line("port", text::RULE_PORT, false))
        (line("hours", text::RULE_HOURS_FIELD, false))
        (line("owner", text::RULE_OWNER, true))
        (fields::lines(reader, "rule-reason", "reason", text::RULE_REASON, true))
        (fields::day(reader, "rule-until", "until", text::RULE_UNTIL_FIELD))
    };
    html! { div.sheet.acts { (fields::form(reader, "/cases/rules", text::RULE_MAKE, &of_rule)) } }
}

/// Makes a rule, and shows all of them.
pub(super) async fn make(State(app): State<Arc<App>>, reader: Reader, Form(made): Form<Made>) -> Response {
    if let Some(stale) = cases::stale(&reader, &made.form) {
        return stale;
    }
    let said = match said(made) {
        Ok(said) => said,
        Err(problem) => return trouble(reader.language, &problem),
    };
    match make_suppression(&app, &reader.gate.clone().for_change(), said).await {
        Ok(id) => Redirect::to(&format!("/cases/rules#{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

/// Returns what a form says as a request of the API does.
fn said(made: Made) -> Result<NewSuppressionBody, Problem> {
    Ok(NewSuppressionBody {
        kind: fields::filled(made.kind),
        subject: fields::filled(made.subject),
        site: fields::filled(made.site),
        area: fields::filled(made.area),
        source: fields::filled(made.source),
        destination: fields::filled(made.destination),
        port: fields::port(made.port)?,
        hours: fields::filled(made.hours),
        owner: made.owner,
        reason: made.reason,
        until: made.until,
    })
}

/// Ends a rule, and shows all of them.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(rule): Path<String>,
    Form(ended): Form<Ended>,
) -> Response {
    if let Some(stale) = cases::stale(&reader, &ended.form) {
        return stale;
    }
    match end_suppression(&app, &reader.gate.clone().for_change(), &rule).await {
        Ok(_) => Redirect::to("/cases/rules").into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}
