//! What changed: at a site and those below it, in an area or everywhere.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use onenet_topology::{SiteId, picture::Thing};

use super::{
    Reader, coverage, layout, parts,
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{App, Extent, Params, Problem, Span, changes_of, encode},
    past::{Told, What},
};

/// Changes on a page: the API has the others.
const PAGE: usize = 300;
const DAY_MS: i64 = 86_400_000;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader) -> Response {
    let made = made(&app, &reader).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let span = Span::of(&mut params, view.now())?;
    let (told, more) = changes_of(app, &view, reader.language, extent.sites(&view), span, PAGE).await?;
    let name = coverage::title(reader, &view, &extent);
    let content = html! {
        @if let Extent::Subtree(Some(site)) = extent {
            (parts::trail(reader, &view, site, Some(reader.say(text::CHANGES))))
        }
        h1 { (reader.say(text::CHANGES)) @if let Some(name) = name { span.sub { (name) } } }
        p.hint {
            (reader.say(text::CHANGES_HINT)) " " (parts::moment(span.from)) " – " (parts::moment(span.until))
            @for (word, days) in [(text::ONE_DAY, 1), (text::ONE_WEEK, 7), (text::ONE_MONTH, 31)] {
                @let from = span.until.plus_ms(-days * DAY_MS);
                " · " a href=(format!("/changes?{}&from={}", extent.query(), encode(&from.to_string()))) { (reader.say(word)) }
            }
        }
        @if more { p.hint { (fill(reader.say(text::CHANGES_CUT), told.len())) } }
        @if told.is_empty() { p.calm { (reader.say(text::NO_CHANGES)) } } @else { (table(reader, &view, &told)) }
        @if let Extent::Subtree(Some(site)) = extent { (ask_past(reader, site)) }
    };
    Ok(layout::page(reader, &view, reader.say(text::CHANGES), "", &content))
}

/// Asks for the picture of a site at a time.
pub(super) fn ask_past(reader: &Reader, site: SiteId) -> Markup {
    html! {
        h2 { (reader.say(text::PAST_PICTURE)) }
        form.ask action=(format!("/sites/{site}/past")) method="get" {
            label for="at" { (reader.say(text::AT_TIME)) }
            " " input #at type="datetime-local" name="at" required;
            " " button type="submit" { (reader.say(text::SHOW_PAST)) }
        }
    }
}

fn table(reader: &Reader, view: &View, told: &[Told]) -> Markup {
    let columns = [text::AT_TIME, text::SITE, text::SUBJECT, text::WHAT_CHANGED, text::BEFORE, text::AFTER];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody { @for told in told { (row(reader, view, told)) } }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, told: &Told) -> Markup {
    html! {
        tr {
            td { time datetime=(told.time.to_string()) { (parts::local(told.time).unwrap_or_default()) } }
            td { (parts::site_link_of(reader, view, told.site)) }
            th scope="row" {
                @match &told.thing {
                    Some(Thing::Device(id)) => a href=(format!("/devices/{id}")) { (told.name) },
                    Some(Thing::Endpoint(id)) => a.mono href=(format!("/endpoints/{id}")) { (told.name) },
                    _ => (told.name),
                }
            }
            td { (reader.say(word(told.what))) }
            td.long { (parts::or_dash(told.before.as_deref())) }
            td.long { (parts::or_dash(told.after.as_deref())) }
        }
    }
}

const fn word(what: What) -> Text {
    match what {
        What::Appeared => text::APPEARED,
        What::Returned => text::RETURNED,
        What::Gone => text::GONE,
        What::Moved => text::MOVED,
        What::Renamed => text::RENAMED,
        What::Upgraded => text::UPGRADED,
        What::Replaced => text::REPLACED,
        What::Joined => text::JOINED,
        What::Parted => text::PARTED,
        What::SiteAdded => text::SITE_ADDED,
        What::SiteRenamed => text::SITE_RENAMED,
        What::SiteRecoded => text::SITE_RECODED,
        What::SiteMoved => text::SITE_MOVED,
        What::SiteEnded => text::SITE_ENDED,
    }
}
