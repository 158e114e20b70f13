//! The search for endpoints.

use axum::{
    extract::Request,
    response::{Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::endpoint::Endpoint;

use super::{
    Reader, layout, parameter, parts,
    text::{self, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, QUERY_CHARS_MAX, Query, Wanted, encode, find, parse_cursor},
    estate::SiteState,
};

/// Endpoints on a page.
const PAGE: usize = 100;

/// Where the search was in the first version.
pub(super) async fn moved(request: Request) -> Redirect {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("/endpoints{query}"))
}

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let address = reader.address.clone();
    let query = address.split_once('?').map(|(_, query)| query);
    let text: String = parameter(query, "q").unwrap_or_default().chars().take(QUERY_CHARS_MAX).collect();
    let site = parameter(query, "site").filter(|text| !text.is_empty());
    let root = match &site {
        Some(site) => Some(view.find_site(site).ok_or_else(Problem::not_found)?.id),
        None => None,
    };
    let after = parameter(query, "cursor").map(|text| parse_cursor(&text)).transpose()?;
    let registered = match parameter(query, "registered").as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let query = Query::new(&text);
    let wanted = Wanted { query, root, present: None, class: None, registered, retired: false, after };
    let found: Vec<_> = find(&view, &wanted).take(PAGE + 1).collect();
    let more = found.len() > PAGE;
    let shown = found.get(..found.len().min(PAGE)).unwrap_or_default();
    let title = reader.say(if text.is_empty() { text::ENDPOINTS } else { text::SEARCH_RESULTS });
    let count = if more || wanted.after.is_some() { text::FOUND_MORE } else { text::FOUND };
    let content = html! {
        @if let Some(root) = root { (parts::trail(reader, &view, root, Some(reader.say(text::ENDPOINTS)))) }
        h1 {
            (title) @if !text.is_empty() { ": " span.query { (text) } }
            @if !shown.is_empty() { span.sub { (fill(reader.say(count), shown.len())) } }
        }
        @if registered == Some(false) {
            p.hint { (reader.say(text::UNREGISTERED_HINT)) }
        } @else if text.is_empty() && !shown.is_empty() {
            p.hint { (reader.say(text::ALL_ENDPOINTS_HINT)) }
        }
        @if shown.is_empty() && text.is_empty() {
            p.calm { (reader.say(text::NO_ENDPOINTS)) }
        } @else if shown.is_empty() {
            p.calm { (fill(reader.say(text::NO_RESULTS), &text)) }
        } @else {
            (table(reader, &view, shown, root.is_none()))
        }
        @if let Some((state, endpoint)) = shown.last().filter(|_| more) {
            @let site = site.as_deref().map(|site| format!("&site={}", encode(site))).unwrap_or_default();
            @let site = site + &registered.map(|it| format!("&registered={it}")).unwrap_or_default();
            p { a.next href=(format!("/endpoints?q={}{site}&cursor={}.{}", encode(&text), state.id, endpoint.id)) {
                (reader.say(text::MORE))
            } }
        }
    };
    Ok(layout::page(reader, &view, title, &text, &content))
}

/// A table of endpoints.
pub(super) fn table<E: AsRef<Endpoint>>(
    reader: &Reader,
    view: &View,
    endpoints: &[(&SiteState, E)],
    with_site: bool,
) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::MAC)) }
                        th scope="col" { (reader.say(text::IP)) }
                        th scope="col" { (reader.say(text::HOSTNAME)) }
                        th scope="col" { (reader.say(text::CLASS)) }
                        th.wide scope="col" { (reader.say(text::VENDOR)) }
                        th scope="col" { (reader.say(text::ATTACHMENT)) }
                        @if with_site { th scope="col" { (reader.say(text::SITE)) } }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                    }
                }
                tbody {
                    @for (state, endpoint) in endpoints { (row(reader, view, state, endpoint.as_ref(), with_site)) }
                }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, state: &SiteState, endpoint: &Endpoint, with_site: bool) -> Markup {
    let ips: Vec<_> = endpoint.current_addresses().map(|address| address.ip.to_string()).collect();
    html! {
        tr {
            th scope="row" { a.mono href=(format!("/endpoints/{}", endpoint.id)) { (endpoint.mac) } }
            td.mono { @for (at, ip) in ips.iter().enumerate() { @if at > 0 { br; } (ip) } }
            td { (parts::or_dash(endpoint.hostname())) }
            td { (super::class::brief(reader, endpoint)) }
            td.wide { (super::endpoint::vendor(reader, endpoint)) }
            td { (super::endpoint::place(reader, state, endpoint)) }
            @if with_site { td { (parts::site_link_of(reader, view, state.id)) } }
            td { (super::endpoint::presence(reader, view, endpoint)) }
            td { (parts::ago(reader, view, endpoint.last_seen())) }
        }
    }
}
