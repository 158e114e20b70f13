//! The path between two places of the network.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{SiteId, path::Ground};

use super::{
    Reader, layout, parameter, parts,
    parts::Mark,
    text::{self, fill},
};
use crate::{
    access::{Action, View},
    api::{Params, Problem, path_end},
    path::{Hop, HopThing, Known, path},
};

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let [from, to] = ["from", "to"].map(|name| parameter(reader.query(), name).unwrap_or_default());
    let asked = !from.is_empty() && !to.is_empty();
    let found = asked.then(|| {
        let mut params = Params::parse(reader.query().unwrap_or_default())?;
        let ends = (path_end(&view, &mut params, "from")?, path_end(&view, &mut params, "to")?);
        Ok::<_, Problem>(path(&view, ends.0, ends.1))
    });
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
        @match &found {
            None => {},
            Some(Ok(hops)) => (table(reader, &view, hops)),
            Some(Err(problem)) => p.calm { (problem.detail) },
        }
    };
    Ok(layout::page(reader, &view, reader.say(text::PATH), "", &content))
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
