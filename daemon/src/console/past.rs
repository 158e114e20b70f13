//! A site as it was at a time.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    Timestamp,
    picture::{Face, Picture, Thing},
};

use super::{Reader, changes, layout, parameter, parts, text};
use crate::{
    access::{Action, View},
    api::{App, Problem, body::link_end_name, picture_of},
    estate::SiteState,
    past,
};

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(site): Path<String>) -> Response {
    let made = made(&app, &reader, &site).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader, site: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadInventory, site)?;
    let asked = parameter(reader.query(), "at").filter(|text| !text.is_empty());
    let at = asked.map(|text| read_time(&text)).transpose()?.unwrap_or(view.now());
    let picture = picture_of(app, &view, id, at).await?;
    let state = view.inventory(id).ok_or_else(Problem::not_found)?;
    let title = format!("{}: {}", reader.say(text::PAST_PICTURE), parts::moment(at));
    let content = html! {
        (parts::trail(reader, &view, id, Some(reader.say(text::PAST_PICTURE))))
        h1 { (title) }
        p.hint { (reader.say(text::PAST_PICTURE_HINT)) }
        @if picture.things().next().is_none() { p.calm { (reader.say(text::NOTHING_THEN)) } }
        (devices(reader, &view, &picture))
        (links(reader, state, &picture))
        (endpoints(reader, &view, state, &picture))
        (changes::ask_past(reader, id))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

/// Reads a time as a browser's form sends it, which is the country's, or as the API takes it.
fn read_time(text: &str) -> Result<Timestamp, Problem> {
    let local = format!("{text}:00+08:00").parse();
    let local = local.or_else(|_| format!("{text}+08:00").parse()).ok();
    let read = local.map_or_else(|| Timestamp::from_day_or_time(text), Ok);
    read.map_err(|error| Problem::parameter("at", error.to_string()))
}

fn section(heading: &Markup, head: &Markup, rows: &[Markup]) -> Markup {
    if rows.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 { (heading) " " span.sub { (rows.len()) } }
        div.scroll { table { (head) tbody { @for row in rows { (row) } } } }
    }
}

fn devices(reader: &Reader, view: &View, picture: &Picture) -> Markup {
    let rows: Vec<Markup> = picture
        .things()
        .filter_map(|(thing, face)| {
            let (Thing::Device(id), Face::Device { first_seen, name, description, serials }) = (thing, face) else {
                return None;
            };
            Some(html! {
                tr {
                    th scope="row" { a href=(format!("/devices/{id}")) { (name) } }
                    td.long { (parts::or_dash(Some(description))) }
                    td { (parts::or_dash(Some(&serials.join(", ")))) }
                    td { (parts::ago(reader, view, Some(*first_seen))) }
                }
            })
        })
        .collect();
    let columns = [text::DEVICE, text::DESCRIPTION, text::SERIAL_NUMBERS, text::FIRST_SEEN];
    section(&html! { (reader.say(text::DEVICES)) }, &parts::head(reader, &columns, 0), &rows)
}

fn links(reader: &Reader, state: &SiteState, picture: &Picture) -> Markup {
    let rows: Vec<Markup> = picture
        .things()
        .filter_map(|(thing, _)| {
            let Thing::Link { a, b } = thing else { return None };
            Some(html! { tr { td { (link_end_name(state, a)) } td { (link_end_name(state, b)) } } })
        })
        .collect();
    let columns = [text::INTERFACE, text::INTERFACE];
    section(&html! { (reader.say(text::LINKS)) }, &parts::head(reader, &columns, 0), &rows)
}

fn endpoints(reader: &Reader, view: &View, state: &SiteState, picture: &Picture) -> Markup {
    let rows: Vec<Markup> = picture
        .things()
        .filter_map(|(thing, face)| {
            let (Thing::Endpoint(id), Face::Endpoint { first_seen, mac, at }) = (thing, face) else { return None };
            let place = at.and_then(|at| past::place(reader.language, state, at));
            Some(html! {
                tr {
                    th scope="row" { a.mono href=(format!("/endpoints/{id}")) { (mac) } }
                    td { (parts::or_dash(place.as_deref())) }
                    td { (parts::ago(reader, view, Some(*first_seen))) }
                }
            })
        })
        .collect();
    let columns = [text::ENDPOINT, text::ATTACHMENT, text::FIRST_SEEN];
    section(&html! { (reader.say(text::ENDPOINTS)) }, &parts::head(reader, &columns, 0), &rows)
}
