//! One device: what it is, what it measures, its interfaces and what is plugged into them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    InterfaceId, SensorKind, SensorState,
    device::{Device, Interface, Standing},
    endpoint::Endpoint,
    fact::{Entity, Identification, OwnAddress, PortVlans, Quirk, Vlan},
    inference::{Place, Where},
};

use super::{
    Reader, layout, parts,
    text::{self, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{
        App, Problem,
        body::told,
        sensors::{SensorBody, sensors},
    },
    estate::SiteState,
};

/// Endpoints named at a port of a device's page.
const GUESTS_MAX: usize = 3;
/// What agents call the table of a quirk that is not a table's.
const WHOLE_DEVICE: &str = "device";
/// The entPhysicalClass of a chassis (RFC 6933).
const CHASSIS: u32 = 3;

/// The page of a device.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(device): Path<String>) -> Response {
    let made = made(&app, &reader, &device).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let (view, site, id) = reader.gate.thing(Action::ReadInventory, |estate| {
        let id = id.parse().ok()?;
        Some((estate.device_site(id)?, id))
    })?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let sensors = sensors(app, state, device, view.now()).await?;
    let (standing, _) = view.device_standing(device);
    let content = html! {
        (parts::trail(reader, &view, site, Some(device.name())))
        h1 {
            (device.name()) " " (parts::standing(reader, standing))
            @if view.is_demo(site) { " " (parts::demo_tag(reader)) }
        }
        (parts::facts(&facts(reader, &view, state, device)))
        @if !sensors.is_empty() {
            h2 { (reader.say(text::SENSORS)) " " span.sub { (sensors.len()) } }
            (sensor_table(reader, &sensors))
        }
        @let quirks = told::quirks(state, device);
        @if !quirks.is_empty() {
            h2 { (reader.say(text::QUIRKS)) " " span.sub { (quirks.len()) } }
            p.hint { (reader.say(text::QUIRKS_HINT)) }
            (quirk_table(reader, &quirks))
        }
        @let own = told::own_addresses(state, device);
        @if !own.is_empty() {
            h2 { (reader.say(text::OWN_ADDRESSES)) " " span.sub { (own.len()) } }
            (own_address_table(reader, &own))
        }
        @let vlans = told::vlans(state, device);
        @if !vlans.is_empty() {
            h2 { (reader.say(text::VLANS)) " " span.sub { (vlans.len()) } }
            (vlan_table(reader, &vlans))
        }
        h2 {
            (reader.say(text::INTERFACES)) " "
            span.sub { (parts::interfaces_up(device)) " " (reader.say(text::UP)) }
        }
        (interfaces(reader, state, device))
    };
    Ok(layout::page(reader, &view, device.name(), "", &content))
}

/// What is known of the device, each with its name.
fn facts(reader: &Reader, view: &View, state: &SiteState, device: &Device) -> Vec<(&'static str, Markup)> {
    let (standing, since) = view.device_standing(device);
    let system = device.system.as_ref();
    let answering = device.answering.iter().max_by_key(|it| it.observed);
    let recognised = state.identification(device);
    let of_recognised =
        |of: fn(&Identification) -> &String| recognised.map(|it| of(it).as_str()).filter(|text| !text.is_empty());
    // What no profile tells, a part may: the chassis before others.
    let part = |of: fn(&Entity) -> &String| {
        let filled = || device.entities.iter().filter(|it| !of(it).is_empty());
        filled().find(|it| it.class == CHASSIS).or_else(|| filled().next()).map(|it| of(it).as_str())
    };
    let card = || system.and_then(|it| it.bridge_mac).and_then(onenet_topology::vendor::of);
    let role = recognised.and_then(|it| it.role).map(|role| reader.say(words::role(role)));
    let software = recognised.map(|it| format!("{} {}", it.os, it.version).trim().to_owned());
    let mut facts = vec![
        (reader.say(text::SINCE), parts::ago(reader, view, since)),
        (reader.say(text::ADDRESS), parts::or_dash(answering.map(|it| it.reach.target.as_str()))),
        (reader.say(text::DESCRIPTION), parts::or_dash(system.map(|it| it.description.as_str()))),
        (reader.say(text::LOCATION), parts::or_dash(system.map(|it| it.location.as_str()))),
        (reader.say(text::ROLE), parts::or_dash(role)),
        (reader.say(text::VENDOR), parts::or_dash(of_recognised(|it| &it.vendor).or_else(card))),
        (reader.say(text::MODEL), parts::or_dash(of_recognised(|it| &it.model).or_else(|| part(|it| &it.model)))),
        (reader.say(text::SERIAL), parts::or_dash(of_recognised(|it| &it.serial).or_else(|| part(|it| &it.serial)))),
        (reader.say(text::SOFTWARE), parts::or_dash(software.as_deref())),
        (reader.say(text::FIRST_SEEN), parts::ago(reader, view, Some(device.first_seen))),
    ];
    if let Some(reach) = answering.map(|it| &it.reach).filter(|_| standing != Standing::Up) {
        facts.push((reader.say(text::DETAIL), html! { span lang="en" { (reach.detail) } }));
    }
    facts
}

fn sensor_table(reader: &Reader, sensors: &[SensorBody]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::MEASURES)) }
                        th scope="col" { (reader.say(text::SENSOR)) }
                        th.number scope="col" { (reader.say(text::VALUE)) }
                        th scope="col" { (reader.say(text::STATE)) }
                    }
                }
                tbody {
                    @for sensor in sensors {
                        tr {
                            td { (SensorKind::of(sensor.kind).map_or("", |kind| reader.say(words::sensor(kind)))) }
                            th scope="row" { (sensor.name) }
                            td.number { (parts::or_dash(measured(sensor).as_deref())) }
                            td {
                                @match sensor.state.and_then(SensorState::of) {
                                    Some(state) => (parts::sensor_state(reader, state)),
                                    None => span.none { "–" },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn quirk_table(reader: &Reader, quirks: &[&Quirk]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::QUIRK)) }
                        th scope="col" { (reader.say(text::QUIRK_TABLE)) }
                        th.number scope="col" { (reader.say(text::QUIRK_COUNT)) }
                    }
                }
                tbody {
                    @for quirk in quirks {
                        tr {
                            th scope="row" {
                                @match words::quirk(&quirk.word) {
                                    Some(words) => (reader.say(words)),
                                    None => span lang="en" { (quirk.word) },
                                }
                            }
                            td {
                                @if quirk.table == WHOLE_DEVICE { (reader.say(text::WHOLE_DEVICE)) }
                                @else { span lang="en" { (quirk.table) } }
                            }
                            td.number { (parts::or_dash(quirk.count.map(|count| count.to_string()).as_deref())) }
                        }
                    }
                }
            }
        }
    }
}

fn own_address_table(reader: &Reader, own: &[&OwnAddress]) -> Markup {
    let bits = |it: &OwnAddress| it.prefix_bits.map(|bits| format!("/{bits}")).unwrap_or_default();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::ADDRESS)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                    }
                }
                tbody {
                    @for it in own {
                        tr {
                            th.mono scope="row" { (it.ip) (bits(it)) }
                            td { (it.interface) }
                        }
                    }
                }
            }
        }
    }
}

fn vlan_table(reader: &Reader, vlans: &[&Vlan]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th.number scope="col" { (reader.say(text::VLAN_NUMBER)) }
                        th scope="col" { (reader.say(text::VLAN_NAME)) }
                    }
                }
                tbody {
                    @for it in vlans {
                        tr {
                            th.number scope="row" { (it.vlan) }
                            td { (parts::or_dash(Some(&it.name))) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns which VLANs a port carries: those without a tag, or the one that frames without a tag are put into, then those with.
fn carried(reader: &Reader, vlans: &PortVlans) -> Option<String> {
    let native = || vlans.native.map(|native| fill(reader.say(text::NATIVE), native));
    let plain = told::written(&vlans.untagged).or_else(native);
    let tagged = told::written(&vlans.tagged).map(|set| fill(reader.say(text::TAGGED), set));
    let parts: Vec<String> = plain.into_iter().chain(tagged).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn measured(sensor: &SensorBody) -> Option<String> {
    let value = sensor.value?;
    Some(if sensor.unit.is_empty() { value.to_string() } else { format!("{value} {}", sensor.unit) })
}

fn interfaces(reader: &Reader, state: &SiteState, device: &Device) -> Markup {
    let mut interfaces: Vec<&Interface> =
        device.interfaces.iter().map(AsRef::as_ref).filter(|interface: &&Interface| interface.current).collect();
    interfaces.sort_by_key(|interface| parts::natural(&interface.said.name));
    let plugged = plugged_in(state, device);
    let vlans = told::port_vlans(state, device);
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
                        @if !vlans.is_empty() { th scope="col" { (reader.say(text::VLANS)) } }
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
                            @if !vlans.is_empty() {
                                @let carried = vlans.get(said.name.as_str()).and_then(|it| carried(reader, it));
                                td { (parts::or_dash(carried.as_deref())) }
                            }
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
