//! The path between two places of the network.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{EndpointId, SiteId, path::Ground};

use super::{
    Reader, find, layout, parameter, parts,
    parts::Mark,
    text::{self, fill},
};
use crate::{
    access::{Action, View},
    api::{Problem, encode},
    path::{Hop, HopThing, Known, NoEnd, PathEnd, path},
};

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let [from, to] = ["from", "to"].map(|name| parameter(reader.query(), name).unwrap_or_default());
    let asked = !from.is_empty() && !to.is_empty();
    let ends = [&from, &to].map(|text| end(&view, text));
    let content = html! {
        h1 { (reader.say(text::PATH)) }
        form.ask action="/path" method="get" {
            label for="from" { (reader.say(text::FROM_END)) } " "
            input #from type="text" name="from" value=(from) maxlength="100" required; " "
            label for="to" { (reader.say(text::TO_END)) } " "
            input #to type="text" name="to" value=(to) maxlength="100" required; " "
            button type="submit" { (reader.say(text::SHOW_PAST)) }
        }
        p.hint { (reader.say(text::PATH_HINT)) }
        @match &ends {
            _ if !asked => {},
            [Ok(one), Ok(other)] => (table(reader, &view, &path(&view, *one, *other))),
            [Err(why), _] => (unclear(reader, &view, why, &from, |id| format!("from={id}&to={}", encode(&to)))),
            [_, Err(why)] => (unclear(reader, &view, why, &to, |id| format!("from={}&to={id}", encode(&from)))),
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::PATH), "", &content))
}

/// Returns what a text means; a site may be called by its name too.
fn end(view: &View, text: &str) -> Result<PathEnd, NoEnd> {
    PathEnd::find(view, text.trim())
        .or_else(|why| find::site_named(view, text).map(|site| PathEnd::Site(site.id)).ok_or(why))
}

/// Says that an end is not known, or lets the reader choose among those that it may mean; `address` fills the form with one.
fn unclear(reader: &Reader, view: &View, why: &NoEnd, text: &str, address: impl Fn(EndpointId) -> String) -> Markup {
    let NoEnd::Several(ids) = why else {
        return html! { p.calm { (fill(reader.say(text::PATH_UNKNOWN), text)) } };
    };
    html! {
        p { (fill(reader.say(text::PATH_SEVERAL), text)) }
        ul.names {
            @for (state, endpoint) in ids.iter().filter_map(|id| view.endpoint(*id)) {
                li {
                    a href=(format!("/path?{}", address(endpoint.id))) {
                        @let name = view.site(state.id).map(|site| parts::site_name(reader.language, site.name(view.now())));
                        (name.unwrap_or_default()) " " span.mono { (endpoint.mac) } " " (endpoint.hostname().unwrap_or_default())
                    }
                }
            }
        }
    }
}

/// A form's field with one end filled in, for a page that has it.
pub(super) fn from_here(reader: &Reader, end: &str) -> Markup {
    html! { a href=(format!("/path?from={end}")) { (reader.say(text::PATH)) } }
}

fn table(reader: &Reader, view: &View, hops: &[Hop]) -> Markup {
    let columns = [text::HOP, text::SITE, text::STATE, text::IN_BY, text::OUT_BY, text::HOW_KNOWN];
    html! {
        div.scroll {
            table {
                (parts::head(reader, &columns, 0))
                tbody { @for hop in hops { (row(reader, view, hop)) } }
            }
        }
    }
}

fn row(reader: &Reader, view: &View, hop: &Hop) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match hop.thing {
                    HopThing::Endpoint(id) => a href=(format!("/endpoints/{id}")) { (hop.name) },
                    HopThing::Device(id) => a href=(format!("/devices/{id}")) { (hop.name) },
                    HopThing::Site => (site(reader, view, hop.site)),
                    HopThing::Gap => span.none { (reader.say(text::HOP_GAP)) },
                }
            }
            td { (site(reader, view, hop.site)) }
            td { (state(reader, hop.state)) }
            td { (parts::or_dash(hop.into.as_deref())) }
            td { (parts::or_dash(hop.out.as_deref())) }
            td { (known(reader, hop.known)) }
        }
    }
}

fn site(reader: &Reader, view: &View, site: SiteId) -> Markup {
    parts::site_link_of(reader, view, site)
}

fn state(reader: &Reader, state: Option<&str>) -> Markup {
    match state {
        Some("up") => parts::mark(reader, Mark::Good, text::UP),
        Some("degraded") => parts::mark(reader, Mark::Warn, text::DEGRADED),
        Some("down" | "flapping") => parts::mark(reader, Mark::Bad, text::DOWN),
        Some(_) => parts::mark(reader, Mark::Unknown, text::UNKNOWN),
        None => parts::or_dash(None),
    }
}

fn known(reader: &Reader, known: Known) -> Markup {
    let words = match known {
        Known::End | Known::Attachment(None) => return parts::or_dash(None),
        Known::Attachment(Some(percent)) => fill(reader.say(text::BY_ATTACHMENT), percent),
        Known::Step(Ground::Link(percent)) => fill(reader.say(text::BY_LINK), percent),
        Known::Step(Ground::Subnet(subnet)) => fill(reader.say(text::BY_SUBNET), subnet),
        Known::Step(Ground::NextHop(ip)) => fill(reader.say(text::BY_NEXT_HOP), ip),
        Known::Tree => reader.say(text::BY_TREE).to_owned(),
    };
    html! { (words) }
}
