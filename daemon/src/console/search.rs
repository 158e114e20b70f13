//! The search for endpoints.

use axum::{
    extract::Request,
    response::{Redirect, Response},
};
use maud::{Markup, html};
use onenet_topology::{classify::DeviceClass, endpoint::Endpoint};

use super::{
    Reader, find, layout, parameter, parts,
    text::{self, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, QUERY_CHARS_MAX, Query, Wanted, encode, find as matching, parse_cursor},
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
    let chosen = Chosen::read(query);
    let root = match chosen.site.as_deref() {
        Some(site) => Some(find::site_named(&view, site).ok_or_else(|| unknown("site", site))?.id),
        None => None,
    };
    let after = parameter(query, "cursor").map(|text| parse_cursor(&text)).transpose()?;
    let registered = match chosen.registered.as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(unknown("registered", other)),
        None => None,
    };
    let class = chosen.class.as_deref().map(|class| DeviceClass::of(class).ok_or_else(|| unknown("class", class)));
    let class = class.transpose()?;
    let query = Query::new(&text);
    let wanted = Wanted { query, root, present: None, class, registered, retired: false, after };
    let mut all = matching(&view, &wanted);
    let mut found: Vec<_> = all.by_ref().take(PAGE + 1).collect();
    let more = found.len() > PAGE;
    // The first page says how many there are: who goes on knows.
    let count = match wanted.after {
        None => fill(reader.say(text::FOUND), found.len() + all.count()),
        Some(_) => fill(reader.say(text::FOUND_MORE), found.len().min(PAGE)),
    };
    found.truncate(PAGE);
    let shown = found.as_slice();
    let title = reader.say(if text.is_empty() { text::ENDPOINTS } else { text::SEARCH_RESULTS });
    let content = html! {
        @if let Some(root) = root { (parts::trail(reader, &view, root, Some(reader.say(text::ENDPOINTS)))) }
        h1 {
            (title) @if !text.is_empty() { ": " span.query { (text) } }
            @if !shown.is_empty() { span.sub { (count) } }
        }
        (filter(reader, &text, &chosen))
        @if registered == Some(false) {
            p.hint { (reader.say(text::UNREGISTERED_HINT)) }
        } @else if text.is_empty() && !shown.is_empty() {
            p.hint { (reader.say(text::ALL_ENDPOINTS_HINT)) }
        }
        @if shown.is_empty() && text.is_empty() && chosen == Chosen::default() {
            p.calm { (reader.say(text::NO_ENDPOINTS)) }
        } @else if shown.is_empty() {
            p.calm { (fill(reader.say(text::NO_RESULTS), &text)) }
        } @else {
            (table(reader, &view, shown, root.is_none()))
        }
        @if let Some((state, endpoint)) = shown.last().filter(|_| more) {
            p { a.next href=(format!("/endpoints?q={}{}&cursor={}.{}", encode(&text), chosen.query(), state.id, endpoint.id)) {
                (reader.say(text::MORE))
            } }
        }
    };
    Ok(layout::page(reader, &view, title, &text, &content))
}

/// What was chosen beside the text, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chosen {
    site: Option<String>,
    class: Option<String>,
    registered: Option<String>,
}

impl Chosen {
    fn read(query: Option<&str>) -> Self {
        let of = |name| parameter(query, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self { site: of("site"), class: of("class"), registered: of("registered") }
    }

    /// Returns it as it goes on in an address.
    fn query(&self) -> String {
        let all = [("site", &self.site), ("class", &self.class), ("registered", &self.registered)];
        all.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(value.as_deref()?)))).collect()
    }
}

fn unknown(parameter: &str, value: &str) -> Problem {
    Problem::parameter(parameter, format!("{value:?} is not known here: choose one of the page"))
}

/// The form that narrows a list down.
fn filter(reader: &Reader, text: &str, chosen: &Chosen) -> Markup {
    let say = |text| reader.say(text);
    let is = |chosen: &Option<String>, value: &str| chosen.as_deref() == Some(value);
    html! {
        form.ask action="/endpoints" method="get" {
            div.row {
                input type="hidden" name="q" value=(text);
                label.grow {
                    (say(text::FILTER_SITE))
                    input type="text" name="site" value=(chosen.site.as_deref().unwrap_or_default()) maxlength="100";
                }
                label {
                    (say(text::CLASS))
                    select name="class" {
                        option value="" { (say(text::ANY)) }
                        @for class in DeviceClass::ALL {
                            option value=(class.name()) selected[is(&chosen.class, class.name())] { (say(super::class::class(*class))) }
                        }
                    }
                }
                label {
                    (say(text::REGISTRATION))
                    select name="registered" {
                        option value="" { (say(text::ANY)) }
                        option value="true" selected[is(&chosen.registered, "true")] { (say(text::REGISTERED)) }
                        option value="false" selected[is(&chosen.registered, "false")] { (say(text::NOT_REGISTERED)) }
                    }
                }
                button type="submit" { (say(text::FILTER)) }
            }
        }
    }
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
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::IP)) }
                        th scope="col" { (reader.say(text::HOSTNAME)) }
                        th scope="col" { (reader.say(text::CLASS)) }
                        th.wide scope="col" { (reader.say(text::VENDOR)) }
                        th scope="col" { (reader.say(text::ATTACHMENT)) }
                        @if with_site { th scope="col" { (reader.say(text::SITE)) } }
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
            td { (super::endpoint::presence(reader, view, endpoint)) }
            td.mono { @for (at, ip) in ips.iter().enumerate() { @if at > 0 { br; } (ip) } }
            td { (parts::or_dash(endpoint.hostname())) }
            td { (super::class::brief(reader, endpoint)) }
            td.wide { (super::endpoint::vendor(reader, endpoint)) }
            td { (super::endpoint::place(reader, state, endpoint)) }
            @if with_site { td { (parts::site_link_of(reader, view, state.id)) } }
            td { (parts::ago(reader, view, endpoint.last_seen())) }
        }
    }
}
