//! One site, and one of its devices.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use onenet_topology::{device::Device, site::Site};

use super::{
    Reader, layout, overview, parts, search,
    text::{self, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{
        Problem,
        body::{Counts, TreeBody},
    },
    demo,
    estate::SiteState,
};

/// Endpoints on a site's page; a county has some twenty.
const ENDPOINTS_MAX: usize = 200;

/// The page of a site.
pub(super) async fn page(reader: Reader, Path(site): Path<String>) -> Response {
    reader.answer(made(&reader, &site))
}

fn made(reader: &Reader, id_or_code: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadSites, id_or_code)?;
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    let title = parts::site_name(reader.language, site.name(view.now())).to_owned();
    let content = html! {
        (parts::trail(reader, &view, id, None))
        h1 {
            (title)
            @if demo::is_demo(site.code(view.now())) { " " (parts::demo_tag(reader)) }
            " " span.sub { (reader.say(words::tier(site.tier))) " · " (site.code(view.now())) }
        }
        @if view.may(Action::ReadInventory, id) { (inventory(reader, &view, site)) }
        (children(reader, &view, site))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

fn inventory(reader: &Reader, view: &View, site: &Site) -> Markup {
    let agents: Vec<_> = view.agents_of(site.id).collect();
    html! {
        @if agents.is_empty() {
            p.calm { (reader.say(text::NOTHING_KNOWN)) }
        } @else {
            h2 { (reader.say(text::AGENTS)) }
            (agents_table(reader, view, site))
        }
        @if let Some(state) = view.inventory(site.id) {
            h2 { (reader.say(text::NEEDS_ATTENTION)) }
            (parts::troubles(reader, view, state))
            h2 { (reader.say(text::DEVICES)) " " span.sub { (state.devices.len()) } }
            (devices(reader, view, state))
            h2 {
                (reader.say(text::ENDPOINTS)) " "
                span.sub { (Counts::of(view, site.id).map_or(0, |counts| counts.endpoints_present)) " " (reader.say(text::PRESENT)) }
            }
            (endpoints(reader, view, state))
        }
    }
}

fn agents_table(reader: &Reader, view: &View, site: &Site) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::AGENT)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::LAST_HEARD)) }
                        th scope="col" { (reader.say(text::VERSION)) }
                        th.number scope="col" { (reader.say(text::CLOCK_OFFSET)) }
                        th.number scope="col" { (reader.say(text::WAITING)) }
                    }
                }
                tbody {
                    @for agent in view.agents_of(site.id) {
                        tr {
                            th.code scope="row" { (agent.id) }
                            td { (parts::agent_state(reader, agent)) }
                            td { (parts::ago(reader, view, agent.contact.last_heard)) }
                            td { (parts::or_dash(Some(&agent.version))) }
                            td.number { (parts::or_dash(agent.clock.offset_ms.map(|ms| format!("{ms} ms")).as_deref())) }
                            td.number { (agent.history_waiting) }
                        }
                    }
                }
            }
        }
    }
}

fn devices(reader: &Reader, view: &View, state: &SiteState) -> Markup {
    if state.devices.is_empty() {
        return html! { p.calm { (reader.say(text::NO_DEVICES)) } };
    }
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::DEVICE)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::SINCE)) }
                        th scope="col" { (reader.say(text::ADDRESS)) }
                        th.number scope="col" { (reader.say(text::INTERFACES)) }
                        th scope="col" { (reader.say(text::DESCRIPTION)) }
                    }
                }
                tbody {
                    @for device in state.devices.values() {
                        @let (standing, since) = view.device_standing(device);
                        @let target = device.answering.first().map(|it| it.reach.target.as_str());
                        @let description = device.system.as_ref().map(|system| system.description.as_str());
                        tr {
                            th scope="row" { a href=(format!("/devices/{}", device.id)) { (device.name()) } }
                            td { (parts::standing(reader, standing)) }
                            td { (parts::ago(reader, view, since)) }
                            td.mono { (parts::or_dash(target)) }
                            td.number { (interfaces_up(device)) }
                            td.long { (parts::or_dash(description)) }
                        }
                    }
                }
            }
        }
    }
}

fn interfaces_up(device: &Device) -> Markup {
    let current = device.interfaces.iter().filter(|interface| interface.current);
    let (up, all) = current.fold((0, 0), |(up, all), interface| {
        (up + u32::from(interface.said.oper == onenet_topology::fact::InterfaceStatus::Up), all + 1)
    });
    parts::of_all(up, all)
}

fn endpoints(reader: &Reader, view: &View, state: &SiteState) -> Markup {
    let mut all: Vec<_> = state.visible_endpoints().map(|endpoint| (state, endpoint)).collect();
    if all.is_empty() {
        return html! { p.calm { (reader.say(text::NO_ENDPOINTS)) } };
    }
    all.sort_by_key(|(_, endpoint)| {
        let ip = endpoint.current_addresses().next().map(|address| address.ip);
        (!endpoint.is_current(), ip.is_none(), ip, endpoint.mac)
    });
    let shown = all.get(..all.len().min(ENDPOINTS_MAX)).unwrap_or_default();
    html! {
        (search::table(reader, view, shown, false))
        @if all.len() > shown.len() {
            p.hint {
                (fill(reader.say(text::SHOWING_FIRST), shown.len())) " "
                a href=(format!("/search?q=&site={}", state.id)) { (reader.say(text::SEARCH_ENDPOINTS)) }
            }
        }
    }
}

fn children(reader: &Reader, view: &View, site: &Site) -> Markup {
    let whole = TreeBody::of(view, site);
    if whole.children.is_empty() {
        return parts::nothing();
    }
    html! {
        h2 { (reader.say(text::BELOW)) " " span.sub { (whole.children.len()) } }
        (overview::tree(reader, view, &whole.children, 0))
    }
}

/// The page of a device.
pub(super) async fn device_page(reader: Reader, Path(device): Path<String>) -> Response {
    reader.answer(made_device(&reader, &device))
}

fn made_device(reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let (view, site, id) = reader.gate.thing(Action::ReadInventory, |estate| {
        let id = id.parse().ok()?;
        Some((estate.device_site(id)?, id))
    })?;
    let (_, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let (standing, since) = view.device_standing(device);
    let system = device.system.as_ref();
    let answering = device.answering.iter().max_by_key(|it| it.observed);
    let part = |of: fn(&onenet_topology::fact::Entity) -> &String| {
        let chassis = device.entities.iter().find(|it| it.class == 3 && !of(it).is_empty());
        parts::or_dash(
            chassis.or_else(|| device.entities.iter().find(|it| !of(it).is_empty())).map(|it| of(it).as_str()),
        )
    };
    let facts = [
        (reader.say(text::SINCE), parts::ago(reader, &view, since)),
        (reader.say(text::ADDRESS), parts::or_dash(answering.map(|it| it.reach.target.as_str()))),
        (reader.say(text::DETAIL), parts::or_dash(answering.map(|it| it.reach.detail.as_str()))),
        (reader.say(text::DESCRIPTION), parts::or_dash(system.map(|it| it.description.as_str()))),
        (reader.say(text::LOCATION), parts::or_dash(system.map(|it| it.location.as_str()))),
        (reader.say(text::MODEL), part(|it| &it.model)),
        (reader.say(text::SERIAL), part(|it| &it.serial)),
        (reader.say(text::FIRST_SEEN), parts::ago(reader, &view, Some(device.first_seen))),
    ];
    let content = html! {
        (parts::trail(reader, &view, site, Some(device.name())))
        h1 { (device.name()) " " (parts::standing(reader, standing)) }
        (parts::facts(&facts))
        h2 { (reader.say(text::INTERFACES)) " " span.sub { (device.interfaces.len()) } }
        (interfaces(reader, &view, device))
    };
    Ok(layout::page(reader, &view, device.name(), "", &content))
}

fn interfaces(reader: &Reader, view: &View, device: &Device) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::OPER)) }
                        th scope="col" { (reader.say(text::ADMIN)) }
                        th.number scope="col" { (reader.say(text::SPEED)) }
                        th scope="col" { (reader.say(text::ALIAS)) }
                        th scope="col" { (reader.say(text::MAC)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                    }
                }
                tbody {
                    @for interface in device.interfaces.iter().filter(|interface| interface.current) {
                        @let said = &interface.said;
                        tr {
                            th scope="row" { (said.name) }
                            td { (parts::status(reader, said.oper)) }
                            td { (reader.say(words::status(said.admin))) }
                            td.number { (parts::or_dash(parts::speed(said.speed_bps).as_deref())) }
                            td { (parts::or_dash(Some(&said.alias))) }
                            td.mono { (parts::or_dash(said.mac.map(|mac| mac.to_string()).as_deref())) }
                            td { (parts::ago(reader, view, Some(interface.observed))) }
                        }
                    }
                }
            }
        }
    }
}
