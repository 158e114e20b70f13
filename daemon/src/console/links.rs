//! What is joined: the links of a site, or of one device, each with how sure it is and why.

use std::cmp::Reverse;

use maud::{Markup, html};
use onenet_topology::{DeviceId, link::LinkEnd};

use super::{
    Reader,
    parts::{self, Mark},
    text, words,
};
use crate::{
    estate::SiteState,
    joined::{Joined, joined},
};

/// Links that are shown of a site; the API has all.
const LINKS_MAX: usize = 500;

/// The links of a site, or of one of its devices.
pub(super) fn section(reader: &Reader, state: &SiteState, device: Option<DeviceId>) -> Markup {
    let mut links = joined(state);
    links.retain(|link| device.is_none_or(|device| link.is_of(device)));
    if links.is_empty() {
        return parts::nothing();
    }
    // What wants a look comes first.
    links.sort_by_key(|link| (Reverse(link.is_contradicted()), Reverse(link.is_one_sided())));
    html! {
        h2 { (reader.say(text::LINKS)) " " span.sub { (links.len()) } }
        p.hint { (reader.say(text::LINKS_HINT)) }
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::LINK_A)) }
                        th scope="col" { (reader.say(text::LINK_B)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th.number scope="col" { (reader.say(text::CONFIDENCE)) }
                        th scope="col" { (reader.say(text::REASON)) }
                    }
                }
                tbody {
                    @for link in links.iter().take(LINKS_MAX) {
                        tr {
                            th scope="row" { (end(state, &link.a)) }
                            td { (end(state, &link.b)) }
                            td { (mark(reader, link)) }
                            td.number { (link.confidence) " %" }
                            td.words { (words::joined(reader.language, link.why).1) }
                        }
                    }
                }
            }
        }
    }
}

fn mark(reader: &Reader, link: &Joined) -> Markup {
    if link.is_contradicted() {
        parts::mark(reader, Mark::Warn, text::LINK_MARK_CONTRADICTED)
    } else if link.is_one_sided() {
        parts::mark(reader, Mark::Unknown, text::LINK_MARK_ONE_SIDED)
    } else {
        parts::mark(reader, Mark::Good, text::LINK_MARK_AGREED)
    }
}

fn end(state: &SiteState, end: &LinkEnd) -> Markup {
    match end {
        LinkEnd::Interface { device, name, .. } => html! {
            a href=(format!("/devices/{device}")) { (words::device_name(state, *device)) } " " (name)
        },
        LinkEnd::Agent { agent, interface } => html! { code { (agent) } " " (interface) },
        LinkEnd::Unmanaged { chassis_id, port_id, system_name } => html! {
            (if system_name.is_empty() { chassis_id } else { system_name }) " " (port_id)
        },
    }
}
