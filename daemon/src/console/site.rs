//! One site, and one of its devices.

use axum::{extract::Path, response::Response};
use std::collections::BTreeMap;

use maud::{Markup, html};
use onenet_topology::{
    InterfaceId,
    device::{Device, Interface, Standing},
    endpoint::Endpoint,
    inference::{Place, Where},
    site::Site,
};

use super::{
    Reader, layout, overview, parts, search,
    text::{self, fill},
    troubles::troubles,
    words,
};
use crate::{
    access::{Action, View},
    api::{Problem, body::TreeBody},
    estate::SiteState,
};

/// Endpoints on a site's page; a county has some twenty.
const ENDPOINTS_MAX: usize = 200;
/// Endpoints named at a port of a device's page.
const GUESTS_MAX: usize = 3;

/// The page of a site.
pub(super) async fn page(reader: Reader, Path(site): Path<String>) -> Response {
    reader.answer(made(&reader, &site))
}

fn made(reader: &Reader, id_or_code: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadSites, id_or_code)?;
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    let title = parts::site_name(reader.language, site.name(view.now())).into_owned();
    let content = html! {
        (parts::trail(reader, &view, id, None))
        h1 {
            (title) " " span.sub { (parts::tier(reader, &view, site)) " · " (site.code(view.now())) }
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
        @let state = view.inventory(site.id);
        @if !agents.is_empty() || state.is_some() {
            h2 { (reader.say(text::NEEDS_ATTENTION)) }
            (troubles(reader, view, site, state))
        }
        @if let Some(state) = state {
            h2 { (reader.say(text::DEVICES)) " " span.sub { (state.devices.len()) } }
            (devices(reader, view, state))
            h2 {
                (reader.say(text::ENDPOINTS)) " "
                @let present = state.visible_endpoints().filter(|it| super::endpoint::is_seen(view, it)).count();
                span.sub { (present) " " (reader.say(text::PRESENT)) }
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
                        th scope="col" { (reader.say(text::CLOCK_OFFSET)) }
                        th scope="col" { (reader.say(text::VERSION)) }
                        th.number scope="col" { (reader.say(text::WAITING)) }
                    }
                }
                tbody {
                    @for agent in view.agents_of(site.id) {
                        tr {
                            th.code scope="row" { (agent.id) }
                            td { (parts::agent_state(reader, agent)) }
                            td { (parts::ago(reader, view, agent.contact.last_heard)) }
                            @let offset = agent.clock.offset_ms.map(|ms| parts::clock_offset(reader.language, ms));
                            td { (parts::or_dash(offset.as_deref())) }
                            td { (parts::or_dash(Some(&agent.version))) }
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
    let mut devices: Vec<&Device> = state.devices.values().map(AsRef::as_ref).collect();
    devices.sort_by_key(|device| parts::natural(device.name()));
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
                    @for device in devices {
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
        (!endpoint.is_present(), ip.is_none(), ip, endpoint.mac)
    });
    let shown = all.get(..all.len().min(ENDPOINTS_MAX)).unwrap_or_default();
    html! {
        (search::table(reader, view, shown, false))
        @if all.len() > shown.len() {
            p.hint {
                (fill(reader.say(text::SHOWING_FIRST), shown.len())) " "
                a href=(format!("/endpoints?q=&site={}", state.id)) { (reader.say(text::SEARCH_ENDPOINTS)) }
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
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let (standing, since) = view.device_standing(device);
    let system = device.system.as_ref();
    let answering = device.answering.iter().max_by_key(|it| it.observed);
    let part = |of: fn(&onenet_topology::fact::Entity) -> &String| {
        let chassis = device.entities.iter().find(|it| it.class == 3 && !of(it).is_empty());
        parts::or_dash(
            chassis.or_else(|| device.entities.iter().find(|it| !of(it).is_empty())).map(|it| of(it).as_str()),
        )
    };
    let mut facts = vec![
        (reader.say(text::SINCE), parts::ago(reader, &view, since)),
        (reader.say(text::ADDRESS), parts::or_dash(answering.map(|it| it.reach.target.as_str()))),
        (reader.say(text::DESCRIPTION), parts::or_dash(system.map(|it| it.description.as_str()))),
        (reader.say(text::LOCATION), parts::or_dash(system.map(|it| it.location.as_str()))),
        (reader.say(text::MODEL), part(|it| &it.model)),
        (reader.say(text::SERIAL), part(|it| &it.serial)),
        (
            reader.say(text::VENDOR),
            parts::or_dash(system.and_then(|it| it.bridge_mac).and_then(onenet_topology::vendor::of)),
        ),
        (reader.say(text::FIRST_SEEN), parts::ago(reader, &view, Some(device.first_seen))),
    ];
    if let Some(reach) = answering.map(|it| &it.reach).filter(|_| standing != Standing::Up) {
        facts.push((reader.say(text::DETAIL), html! { span lang="en" { (reach.detail) } }));
    }
    let content = html! {
        (parts::trail(reader, &view, site, Some(device.name())))
        h1 {
            (device.name()) " " (parts::standing(reader, standing))
            @if view.is_demo(site) { " " (parts::demo_tag(reader)) }
        }
        (parts::facts(&facts))
        h2 {
            (reader.say(text::INTERFACES)) " "
            span.sub { (interfaces_up(device)) " " (reader.say(text::UP)) }
        }
        (interfaces(reader, state, device))
    };
    Ok(layout::page(reader, &view, device.name(), "", &content))
}

fn interfaces(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let mut interfaces: Vec<&Interface> =
        device.interfaces.iter().map(AsRef::as_ref).filter(|interface: &&Interface| interface.current).collect();
    interfaces.sort_by_key(|interface| parts::natural(&interface.said.name));
    let plugged = plugged_in(state, device);
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
                        th scope="col" { (reader.say(text::PLUGGED_IN)) }
                        th scope="col" { (reader.say(text::MAC)) }
                    }
                }
                tbody {
                    @for interface in interfaces {
                        @let said = &interface.said;
                        tr {
                            th scope="row" { (said.name) }
                            td { (parts::status(reader, said.oper)) }
                            td { (reader.say(words::status(said.admin))) }
                            td.number { (parts::or_dash(parts::speed(said.speed_bps).as_deref())) }
                            td { (parts::or_dash(Some(&said.alias))) }
                            td { (guests(reader, plugged.get(&interface.id).map(Vec::as_slice).unwrap_or_default())) }
                            td.mono { (parts::or_dash(said.mac.map(|mac| mac.to_string()).as_deref())) }
                        }
                    }
                }
            }
        }
    }
}

/// What is plugged into each port of a device, as far as it is known.
fn plugged_in<'s>(state: &'s SiteState, device: &Device) -> BTreeMap<InterfaceId, Vec<&'s Endpoint>> {
    let mut plugged: BTreeMap<InterfaceId, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in state.visible_endpoints() {
        let at = endpoint.located.as_ref().map(|located| located.at);
        if let Some(Where::Port(Place { device: there, interface, .. })) = at
            && there == device.id
        {
            plugged.entry(interface).or_default().push(endpoint);
        }
    }
    plugged
}

fn guests(reader: &Reader, endpoints: &[&Endpoint]) -> Markup {
    let shown = endpoints.get(..endpoints.len().min(GUESTS_MAX)).unwrap_or_default();
    let name = |endpoint: &Endpoint| endpoint.hostname().map_or_else(|| endpoint.mac.to_string(), str::to_owned);
    html! {
        @for (at, endpoint) in shown.iter().enumerate() {
            @if at > 0 { ", " }
            a href=(format!("/endpoints/{}", endpoint.id)) { (name(endpoint)) }
        }
        @if endpoints.is_empty() { span.none { "–" } }
        @if endpoints.len() > shown.len() {
            " " span.hint { (fill(reader.say(text::AND_MORE), endpoints.len() - shown.len())) }
        }
    }
}
