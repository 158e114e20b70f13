//! The form that opens a drill, and what becomes of it.

use std::sync::Arc;

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{GRADES, stale};
use crate::{
    access::Action,
    api::{App, DrillBody, Problem, open_drill},
    console::{Reader, fields, parts, text, trouble, words},
};

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
    text: String,
}

/// The form, for who may open a drill somewhere.
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
        (fields::lines(reader, "drill-text", "text", text::DRILL_TEXT, true))
    };
    html! { div.sheet.acts { (fields::form(reader, "/cases/drills", text::DRILL_OPEN, &of_drill)) } }
}

/// Opens a drill, and shows it.
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
    match open_drill(&app, &reader.gate.clone().for_change(), body).await {
        Ok(id) => Redirect::to(&format!("/cases/{id}")).into_response(),
        Err(problem) => trouble(reader.language, &problem),
    }
}

fn said(drilled: Drilled) -> Result<DrillBody, Problem> {
    let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let port = filled(drilled.port).map(|text| text.parse()).transpose();
    Ok(DrillBody {
        site: drilled.site.trim().to_owned(),
        kind: drilled.kind,
        subject: drilled.subject,
        grade: filled(drilled.grade),
        began: None,
        source: filled(drilled.source),
        destination: filled(drilled.destination),
        port: port.map_err(|_| Problem::parameter("port", "is a number from 0 to 65535"))?,
        text: drilled.text,
    })
}
