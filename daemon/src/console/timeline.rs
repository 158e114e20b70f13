//! What happened at a site: incidents, silences, events and changes in one list.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{AgentId, Timestamp, incident::IncidentKind};

use super::{
    Reader, layout,
    parts::{self, Mark},
    text, words,
};
use crate::{
    access::{Action, View},
    api::{App, MomentBody, Problem, timeline},
};

/// Moments of a page.
const MOMENTS_MAX: usize = 300;
/// How far back it goes, in milliseconds.
const SPAN_MS: i64 = 30 * 86_400_000;

/// The page of a site's timeline.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(site): Path<String>) -> Response {
    let made = made(&app, &reader, &site).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader, id_or_code: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadInventory, id_or_code)?;
    let until = view.now().plus_ms(1);
    let moments = timeline(app, &view, id, (until.plus_ms(-SPAN_MS), until), MOMENTS_MAX).await?;
    let title = reader.say(text::TIMELINE);
    let content = html! {
        (parts::trail(reader, &view, id, Some(title)))
        h1 { (title) " " span.sub { (reader.say(text::LAST_30_DAYS)) } }
        @if moments.items.is_empty() { p.calm { (reader.say(text::NOTHING_HAPPENED)) } } @else {
            div.scroll { table {
                thead { tr {
                    @for column in [text::TIME, text::WHAT_HAPPENED, text::SUBJECT, text::DETAIL] {
                        th scope="col" { (reader.say(column)) }
                    }
                } }
                tbody { @for moment in &moments.items { (row(reader, &view, moment)) } }
            } }
        }
    };
    Ok(layout::page(reader, &view, title, "", &content))
}

fn row(reader: &Reader, view: &View, moment: &MomentBody) -> Markup {
    let time = moment.time.parse::<Timestamp>().map_or_else(|_| moment.time.clone(), parts::moment);
    html! {
        tr {
            td { time datetime=(moment.time) { (time) } }
            th scope="row" { (what(reader, moment)) }
            td { (about(view, moment)) }
            td.words lang=[moment.detail.is_some().then_some("en")] { (parts::or_dash(moment.detail.as_deref())) }
        }
    }
}

fn what(reader: &Reader, moment: &MomentBody) -> Markup {
    let incident = || IncidentKind::ALL.into_iter().find(|kind| kind.name() == moment.kind).map(words::incident);
    let (mark, word) = match moment.what {
        "incident_began" if moment.planned || moment.drill => (Mark::Warn, incident()),
        "incident_began" => (Mark::Bad, incident()),
        "incident_ended" => (Mark::Good, incident()),
        "agent_connected" => (Mark::Good, Some(text::AGENT_CONNECTED)),
        "agent_silent" => (Mark::Unknown, Some(text::AGENT_SILENT)),
        _ => (Mark::Idle, words::happened(&moment.kind)),
    };
    let over = if moment.what == "incident_ended" { reader.say(text::IS_OVER) } else { "" };
    let word = word.map_or(moment.kind.as_str(), |word| reader.say(word));
    html! {
        (parts::dot(reader, mark)) " "
        @if let Some(id) = &moment.incident { a href=(format!("/incidents/{id}")) { (word) (over) } } @else { (word) }
        @if moment.planned { " " span.tag { (reader.say(text::PLANNED)) } }
        @if moment.drill { " " span.tag { (reader.say(text::CASE_DRILL)) } }
    }
}

/// What it was about: a device by its name, an agent by its number.
fn about(view: &View, moment: &MomentBody) -> Markup {
    let device = moment.subject.as_deref().and_then(|it| it.parse().ok()).and_then(|id| view.device(id));
    let agent = || moment.agent.as_deref().and_then(|it| it.parse::<AgentId>().ok());
    html! {
        @if let Some((_, device)) = device { a href=(format!("/devices/{}", device.id)) { (device.name()) } }
        @else if let Some(subject) = &moment.subject { code { (subject) } }
        @else if let Some(agent) = agent() { code { (agent) } }
        @else { span.none { "–" } }
    }
}
