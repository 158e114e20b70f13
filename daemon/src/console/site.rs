//! One site.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{device::Device, site::Site};

use super::{
    Reader, availability, capture, cases, contacts, coverage, flows, incidents, layout, links, overview, parts, probes,
    search,
    text::{self, fill},
    traffic,
    troubles::troubles,
};
use crate::{
    access::{Action, View},
    api::{App, Problem, body::TreeBody, usage_of},
    estate::SiteState,
    usage::Usage,
};

/// Endpoints on a site's page; a county has some twenty.
const ENDPOINTS_MAX: usize = 200;

/// The page of a site.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(site): Path<String>) -> Response {
    let made = made(&app, &reader, &site).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader, id_or_code: &str) -> Result<Markup, Problem> {
    let (view, id) = reader.gate.site(Action::ReadSites, id_or_code)?;
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    let title = parts::site_name(reader.language, site.name(view.now())).into_owned();
    let usage = match view.inventory(id) {
        Some(_) => Some(usage_of(app, &view, id, None, traffic::period(view.now())).await?),
        None => None,
    };
    let content = html! {
        (parts::trail(reader, &view, id, None))
        h1 {
            (title) " " span.sub { (parts::tier(reader, &view, site)) " · " (site.code(view.now())) }
        }
        @if view.may(Action::ReadInventory, id) {
            p.hint {
                a href=(format!("/sites/{id}/timeline")) { (reader.say(text::TIMELINE)) }
                " · " a href=(format!("/sites/{id}/acceptances")) { (reader.say(text::ACCEPTANCE)) }
                " · " a href=(format!("/changes?site={id}")) { (reader.say(text::CHANGES)) }
            }
            (attention(reader, &view, site))
            (incidents::of_site(reader, &view, id))
        (cases::of_site(reader, &view, id))
            (coverage::of_site(reader, &view, id))
        }
        (availability::of_site(reader, &view, id))
        (contacts::of_site(reader, &view, id))
        @if view.may(Action::ReadInventory, id) { (inventory(reader, &view, site, usage.as_ref())) }
        (children(reader, &view, site))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

/// What is to be done, before all that is known.
fn attention(reader: &Reader, view: &View, site: &Site) -> Markup {
    let state = view.inventory(site.id);
    html! {
        @if state.is_some() || view.agents_of(site.id).next().is_some() {
            h2 { (reader.say(text::NEEDS_ATTENTION)) }
            (troubles(reader, view, site, state))
        }
    }
}

fn inventory(reader: &Reader, view: &View, site: &Site, usage: Option<&Usage>) -> Markup {
    let agents: Vec<_> = view.agents_of(site.id).collect();
    html! {
        @if agents.is_empty() {
            p.calm { (reader.say(text::NOTHING_KNOWN)) }
        } @else {
            h2 { (reader.say(text::AGENTS)) }
            (agents_table(reader, view, site))
            (probes::table(reader, view, site))
            (capture::table(reader, view, site))
        }
        @if let Some(state) = view.inventory(site.id) {
            h2 { (reader.say(text::DEVICES)) " " span.sub { (state.devices.len()) } }
            (devices(reader, view, state))
            (links::section(reader, state, None))
            h2 {
                (reader.say(text::ENDPOINTS)) " "
                @let present = state.visible_endpoints().filter(|it| super::endpoint::is_seen(view, it)).count();
                span.sub { (present) " " (reader.say(text::PRESENT)) }
            }
            (endpoints(reader, view, state))
            @if let Some(usage) = usage {
                (traffic::heading(reader, view, text::TRAFFIC))
                (traffic::of_site(reader, state, usage))
            }
        }
        @if !agents.is_empty() && flows::may(view, site.id) {
            h2 { (reader.say(text::FLOWS)) }
            (flows::ask(reader, site.id, None))
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
                            td { (parts::version(reader, &agent.version)) }
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
                            td.number { (parts::interfaces_up(device)) }
                            td.long { (parts::or_dash(description)) }
                        }
                    }
                }
            }
        }
    }
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
