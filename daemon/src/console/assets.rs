//! The asset register: what is on the books, and what is seen of it.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{SiteId, asset::Asset, coverage::Standing};

use super::{
    Reader, layout, parameter,
    parts::{self, Mark},
    text::{self, Text, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, parse_standing},
    coverage::{DAYS_DEFAULT, Held},
};

/// Assets on a page: the API has the others.
const PAGE: usize = 500;

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let asked = |name| parameter(reader.query(), name).filter(|text| !text.is_empty());
    let root = match asked("site") {
        Some(site) => Some(view.find_site(&site).ok_or_else(Problem::not_found)?.id),
        None => None,
    };
    let standing = asked("standing").map(|text| parse_standing(&text)).transpose()?;
    let sites = view.subtree(root).into_iter().map(|site| site.id);
    let held = sites.flat_map(|site| view.assets(site, DAYS_DEFAULT));
    let all: Vec<Held<'_>> =
        held.filter(|held| standing.is_none_or(|standing| held.standing == standing)).take(PAGE + 1).collect();
    let shown = all.get(..all.len().min(PAGE)).unwrap_or_default();
    let content = html! {
        @if let Some(root) = root { (parts::trail(reader, &view, root, Some(reader.say(text::ASSETS)))) }
        h1 {
            (reader.say(text::ASSETS))
            @if let Some(standing) = standing { ": " (reader.say(word(standing))) }
            @if !shown.is_empty() { span.sub { (fill(reader.say(text::FOUND), shown.len())) } }
        }
        @if shown.is_empty() {
            p.calm { (reader.say(if standing.is_some() { text::NO_SUCH_ASSETS } else { text::NO_ASSETS })) }
        } @else {
            (table(reader, &view, shown))
        }
        @if all.len() > shown.len() { p.hint { (fill(reader.say(text::SHOWING_FIRST), shown.len())) } }
    };
    Ok(layout::page(reader, &view, reader.say(text::ASSETS), "", &content))
}

fn table(reader: &Reader, view: &View, held: &[Held<'_>]) -> Markup {
    let columns = [
        text::ASSET_NUMBER,
        text::NAME,
        text::STATE,
        text::LAST_SEEN,
        text::SEEN_AT,
        text::MAC,
        text::OWNER,
        text::LOCATION,
        text::SITE,
    ];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody { @for held in held { (row(reader, view, held)) } }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, held: &Held<'_>) -> Markup {
    let asset = held.asset;
    html! {
        tr {
            th scope="row" { (asset.number) }
            td { (parts::or_dash(Some(&asset.name))) }
            td { (standing(reader, held.standing)) }
            td { (parts::ago(reader, view, held.last.map(|last| last.at))) }
            td {
                @match held.last.filter(|last| last.site != asset.site).and_then(|last| view.site(last.site)) {
                    Some(site) => (parts::site_link(reader, view, site)),
                    None => (parts::or_dash(None)),
                }
            }
            td.mono {
                @for (at, mac) in asset.macs.iter().enumerate() {
                    @if at > 0 { br; }
                    a href=(format!("/endpoints?q={mac}")) { (mac) }
                }
                @if let Some(ip) = asset.ip.filter(|_| asset.macs.is_empty()) { (ip) }
            }
            td { (parts::or_dash(Some(&asset.owner))) }
            td { (parts::or_dash(Some(&asset.location))) }
            td { (parts::site_link_of(reader, view, asset.site)) }
        }
    }
}

fn standing(reader: &Reader, standing: Standing) -> Markup {
    let mark = match standing {
        Standing::Seen => Mark::Good,
        Standing::Silent => Mark::Warn,
        Standing::NeverSeen => Mark::Unknown,
    };
    parts::mark(reader, mark, word(standing))
}

const fn word(standing: Standing) -> Text {
    match standing {
        Standing::Seen => text::SEEN,
        Standing::Silent => text::TERMINALS_SILENT,
        Standing::NeverSeen => text::TERMINALS_NEVER_SEEN,
    }
}

/// What an endpoint at `site` is on the books as.
pub(super) fn brief(reader: &Reader, view: &View, site: SiteId, asset: Option<&Asset>) -> Markup {
    let Some(asset) = asset else { return html! { span.none { (reader.say(text::NOT_REGISTERED)) } } };
    let words: Vec<&str> =
        [&asset.number, &asset.name, &asset.owner, &asset.location].into_iter().map(String::as_str).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ");
    let elsewhere = view.site(asset.site).filter(|elsewhere| elsewhere.id != site);
    html! {
        (words)
        @if let Some(elsewhere) = elsewhere {
            " " span.none {
                (fill(reader.say(text::REGISTERED_AT), parts::site_name(reader.language, elsewhere.name(view.now()))))
            }
        }
    }
}
