//! Drills: the form that orders one, what becomes of it, and how long each took.

use std::sync::Arc;

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{
    case::Case,
    drill::{Drill, DrillState, DrillWay},
};
use serde::Deserialize;

use super::{GRADES, kind, stale};
use crate::{
    access::{Action, View},
    api::{App, NewDrillBody, Problem, order_drill},
    console::{
        Reader, fields, parts,
        text::{self, Text},
        trouble, words,
    },
};

/// Drills of a page; the API has all of them.
const LIST_MAX: usize = 200;

/// What the form carries. What is not said is left out or empty.
#[derive(Deserialize)]
pub(in crate::console) struct Drilled {
    form: String,
    site: String,
    kind: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    grade: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    destination: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    minutes: String,
    #[serde(default)]
    at_centre: String,
    text: String,
}

/// The form, for who may order a drill somewhere.
pub(super) fn form(reader: &Reader) -> Markup {
    let reviews = reader.gate.caller().principal.reaches(Action::ReviewCases).next().is_some();
    if reader.form.is_empty() || !reviews {
        return parts::nothing();
    }
    let line = |field: &str, label, required| fields::line(reader, &format!("drill-{field}"), field, label, required);
    let of_drill = html! {
        p.hint { (reader.say(text::DRILL_HINT)) }
        (line("site", text::DRILL_SITE, true))
        label for="drill-kind" { (reader.say(text::CASE_KIND)) }
        select id="drill-kind" name="kind" { (fields::case_kinds(reader, "port_scan")) }
        label for="drill-grade" { (reader.say(text::CASE_GRADE)) }
        select id="drill-grade" name="grade" {
            @for it in GRADES { option value=(it.name()) { (reader.say(words::severity(it))) } }
        }
        (line("source", text::DRILL_SOURCE, false))
        (line("destination", text::DRILL_DESTINATION, false))
        (line("port", text::DRILL_PORT, false))
        (line("subject", text::DRILL_SUBJECT, false))
        (line("minutes", text::DRILL_MINUTES, false))
        label { input type="checkbox" name="at_centre" value="1"; " " (reader.say(text::DRILL_AT_CENTRE)) }
        (fields::lines(reader, "drill-text", "text", text::DRILL_TEXT, true))
    };
    html! { div.sheet.acts { (fields::form(reader, "/cases/drills", text::DRILL_OPEN, &of_drill)) } }
}

/// Orders a drill, and shows its case, or the list where that is not open yet.
pub(in crate::console) async fn open(
    State(app): State<Arc<App>>,
    reader: Reader,
    Form(drilled): Form<Drilled>,
) -> Response {
    if let Some(stale) = stale(&reader, &drilled.form) {
        return stale;
    }
    let body = match said(drilled) {
        Ok(body) => body,
        Err(problem) => return trouble(reader.language, &problem),
    };
    match order_drill(&app, &reader.gate.clone().for_change(), body).await {
        Ok(drill) => {
            let case = drill.case.map(|id| format!("/cases/{id}"));
            Redirect::to(case.as_deref().unwrap_or("/cases?state=drills")).into_response()
        }
        Err(problem) => trouble(reader.language, &problem),
    }
}

fn said(drilled: Drilled) -> Result<NewDrillBody, Problem> {
    let minutes = fields::filled(drilled.minutes).map(|text| text.parse()).transpose();
    Ok(NewDrillBody {
        site: drilled.site.trim().to_owned(),
        kind: drilled.kind,
        subject: drilled.subject,
        grade: fields::filled(drilled.grade),
        began: None,
        source: fields::filled(drilled.source),
        destination: fields::filled(drilled.destination),
        port: fields::port(drilled.port)?,
        at_centre: !drilled.at_centre.is_empty(),
        minutes: minutes.map_err(|_| Problem::parameter("minutes", "is a number of minutes, such as 30"))?,
        text: drilled.text,
    })
}

/// The drills with their times, the newest first.
pub(super) fn list(reader: &Reader, view: &View) -> Markup {
    let drills: Vec<&Drill> = view.drills().take(LIST_MAX).collect();
    if drills.is_empty() {
        return parts::nothing();
    }
    let columns = [
        text::CASE_KIND,
        text::SUBJECT,
        text::SITE,
        text::CASE_STATE,
        text::DRILL_ORDERED,
        text::DRILL_INJECTED,
        text::DRILL_DETECTED,
        text::CASE_TAKEN_UP,
        text::CASE_ENDED,
        text::CASE_NUMBER,
    ];
    html! {
        h2 { (reader.say(text::DRILLS)) " " span.sub { (drills.len()) } }
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody { @for drill in drills { (row(reader, view, drill)) } }
            }
        }
        p.hint { a href="/api/v1/drills.csv" { "CSV" } }
    }
}

fn row(reader: &Reader, view: &View, drill: &Drill) -> Markup {
    let case = drill.case.and_then(|id| view.case(id));
    let span = |ms: Option<i64>| parts::or_dash(ms.map(|ms| parts::span(reader.language, ms)).as_deref());
    let injected = drill.injected.map(parts::moment);
    html! {
        tr {
            th scope="row" {
                @match drill.incident.as_ref() {
                    Some(it) => a href=(format!("/incidents/{}", it.id)) { (kind(reader, &drill.plan.kind)) },
                    None => (kind(reader, &drill.plan.kind)),
                }
            }
            td.long { code { (words::case_subject(reader.language, &drill.plan.subject)) } }
            td { (parts::site_link_of(reader, view, drill.site)) }
            td.words { (state(reader, drill, case)) }
            td { (parts::moment(drill.ordered)) }
            td { (parts::or_dash(injected.as_deref())) }
            td { (span(drill.detected_after_ms())) }
            td { (span(case.and_then(Case::acknowledged_after_ms))) }
            td { (span(case.and_then(Case::closed_after_ms))) }
            td { @match case { Some(case) => a href=(format!("/cases/{}", case.id)) { (case.id) }, None => span.none { "–" } } }
        }
    }
}

fn state(reader: &Reader, drill: &Drill, case: Option<&Case>) -> Markup {
    let state = drill.state(case);
    let failed = drill.failed.as_ref().filter(|_| state == DrillState::Failed);
    html! {
        (reader.say(state_name(state)))
        @if let Some(failed) = failed { " · " span lang="en" { (failed.reason) } }
        @if let (DrillState::Waiting | DrillState::Injected, DrillWay::Agent(agent)) = (state, drill.way) { " " code { (agent) } }
    }
}

const fn state_name(state: DrillState) -> Text {
    match state {
        DrillState::Waiting => text::DRILL_WAITING,
        DrillState::Injected => text::DRILL_UNDER_WAY,
        DrillState::Found => text::DRILL_FOUND,
        DrillState::Over => text::DRILL_OVER,
        DrillState::Failed => text::DRILL_FAILED,
    }
}

/// The times of the drill that a case is, for its page; nothing where it is none.
pub(super) fn times(reader: &Reader, view: &View, case: &Case) -> Markup {
    let Some(drill) = view.drill_of_case(case.id) else { return parts::nothing() };
    let moment = |at: Option<_>| parts::or_dash(at.map(parts::moment).as_deref());
    let detected = drill.detected_after_ms().map(|ms| parts::span(reader.language, ms));
    let by = match drill.way {
        DrillWay::Agent(agent) => html! { code { (agent) } },
        DrillWay::Centre => html! { (reader.say(text::DRILL_BY_CENTRE)) },
    };
    let rows = [
        (reader.say(text::DRILL_ORDERED), html! { (parts::moment(drill.ordered)) " · " (drill.by) }),
        (reader.say(text::DRILL_INJECTED), html! { (moment(drill.injected)) " · " (by) }),
        (reader.say(text::DRILL_FOUND_AT), moment(drill.found)),
        (reader.say(text::DRILL_DETECTED), parts::or_dash(detected.as_deref())),
        (reader.say(text::CASE_OPENED), html! { (parts::moment(case.opened)) }),
        (reader.say(text::DRILL_ACKNOWLEDGED), moment(case.acknowledged)),
        (reader.say(text::DRILL_CLOSED), moment(case.closed)),
    ];
    html! { h2 { (reader.say(text::DRILL_TIMES)) } (parts::facts(&rows)) }
}
