//! One endpoint: where it is, what it is called, and every reason to believe so.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    AgentId,
    endpoint::{Endpoint, Sight},
    inference::{Attachment, Where},
};

use super::{
    Reader, assets, class, flows, layout,
    parts::{self, Mark},
    path, terminal,
    text::{self, fill},
    traffic, words,
};
use crate::{
    access::{Action, View},
    api::{App, Problem, usage_of},
    estate::{Agent, SiteState},
};

/// Confidence from which a place is no guess.
const SURE: u8 = 50;

/// Rows of the page's facts that say what it is called: addresses, name and maker.
const CALLED_ROWS: usize = 4;

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<String>) -> Response {
    let made = made(&app, &reader, &id).await;
    reader.answer(made)
}

async fn made(app: &App, reader: &Reader, id: &str) -> Result<Markup, Problem> {
    let (view, site, id) = reader.gate.thing(Action::ReadInventory, |estate| {
        let id = id.parse().ok()?;
        Some((estate.endpoint(id)?.0, id))
    })?;
    let (state, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let usage = usage_of(app, &view, site, Some(endpoint.mac), traffic::period(view.now())).await?;
    let title = endpoint.hostname().map_or_else(|| endpoint.mac.to_string(), String::from);
    let content = html! {
        (parts::trail(reader, &view, site, Some(&title)))
        h1 {
            @if endpoint.hostname().is_some() { (title) } @else { span.mono { (title) } }
            " " (presence(reader, &view, endpoint))
            @if view.is_demo(site) { " " (parts::demo_tag(reader)) }
        }
        (facts(reader, &view, state, endpoint))
        h2 { (reader.say(text::ATTACHMENT)) }
        (attachment(reader, state, endpoint))
        p.hint { (path::from_here(reader, &endpoint.id.to_string())) }
        h2 { (reader.say(text::TERMINAL)) }
        (terminal::cards(reader, &view, state, endpoint))
        h2 { (reader.say(text::CLASSIFICATION)) }
        (class::reasons(reader, &view, endpoint, &endpoint.conclusion()))
        h2 { (reader.say(text::BINDINGS)) }
        (bindings(reader, &view, endpoint))
        (traffic::heading(reader, &view, text::APPLICATIONS))
        (traffic::of_endpoint(reader, &usage, endpoint.mac))
        @if flows::may(&view, site) {
            h2 { (reader.say(text::FLOWS)) }
            (flows::ask(reader, site, Some(&endpoint.mac.to_string())))
        }
        h2 { (reader.say(text::EVIDENCE)) }
        p.hint { (reader.say(text::EVIDENCE_HINT)) }
        (evidence(reader, &view, endpoint))
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

fn facts(reader: &Reader, view: &View, state: &SiteState, endpoint: &Endpoint) -> Markup {
    let vendor_class = endpoint.host().map(|host| host.vendor_class);
    let ips: Vec<String> = endpoint.current_addresses().map(|address| address.ip.to_string()).collect();
    let conclusion = endpoint.conclusion();
    let mut rows = vec![
        (reader.say(text::MAC), html! { span.mono { (endpoint.mac) } }),
        (
            reader.say(text::IP),
            if ips.is_empty() {
                parts::or_dash(None)
            } else {
                html! { span.mono { (ips.join(", ")) } }
            },
        ),
        (reader.say(text::HOSTNAME), parts::or_dash(endpoint.hostname())),
        (reader.say(text::VENDOR), vendor(reader, endpoint)),
        (reader.say(text::VENDOR_CLASS), parts::or_dash(vendor_class.as_deref())),
        (reader.say(text::SITE), parts::site_link_of(reader, view, state.id)),
        (reader.say(text::FIRST_SEEN), parts::ago(reader, view, endpoint.first_seen())),
        (reader.say(text::LAST_SEEN), parts::ago(reader, view, endpoint.last_seen())),
    ];
    let asset = view.asset_of(state.id, endpoint);
    rows.push((reader.say(text::ASSET), assets::brief(reader, view, state.id, asset)));
    // What it is stands behind what it is called.
    let at = rows.len().min(CALLED_ROWS);
    rows.splice(at..at, class::facts(reader, &conclusion));
    parts::facts(&rows)
}

/// Whether an agent sees it now; unknown when those who saw it last are silent.
pub(super) fn presence(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    seen(reader, view, endpoint.is_present(), endpoint.holders())
}

/// Returns whether an agent that is heard sees it now.
pub(super) fn is_seen(view: &View, endpoint: &Endpoint) -> bool {
    endpoint.is_present() && endpoint.holders().any(|agent| is_heard(view, agent))
}

fn is_heard(view: &View, agent: AgentId) -> bool {
    view.agent(agent).is_some_and(Agent::is_heard)
}

/// The state of what `holders` hold for current.
fn seen(reader: &Reader, view: &View, current: bool, holders: impl IntoIterator<Item = AgentId>) -> Markup {
    if !current {
        parts::mark(reader, Mark::Idle, text::PAST)
    } else if holders.into_iter().any(|agent| is_heard(view, agent)) {
        parts::mark(reader, Mark::Good, text::PRESENT)
    } else {
        parts::mark(reader, Mark::Unknown, text::UNKNOWN)
    }
}

/// Who made it, as far as its address tells.
pub(super) fn vendor(reader: &Reader, endpoint: &Endpoint) -> Markup {
    match endpoint.vendor() {
        None if endpoint.mac.is_local() => html! { span.none { (reader.say(text::RANDOM_MAC)) } },
        vendor => parts::or_dash(vendor),
    }
}

/// Where it is, in a few words.
pub(super) fn place(reader: &Reader, state: &SiteState, endpoint: &Endpoint) -> Markup {
    let Some(located) = &endpoint.located else { return parts::or_dash(None) };
    let unsure = state.attachment(endpoint.mac).is_none_or(|found| found.confidence < SURE || found.at != located.at);
    match words::place(reader.language, state, located.at) {
        Some(text) => html! { (text) @if unsure { span.none { " ?" } } },
        None => parts::or_dash(None),
    }
}

fn attachment(reader: &Reader, state: &SiteState, endpoint: &Endpoint) -> Markup {
    let language = reader.language;
    let located = endpoint.located.as_ref();
    let found = state.attachment(endpoint.mac);
    let Some((located, at)) = located.and_then(|it| Some((it, words::place(language, state, it.at)?))) else {
        return html! {
            p.calm { (reader.say(text::ATTACHMENT_UNKNOWN)) }
            (rejected(reader, state, found))
        };
    };
    let deciding = found.filter(|found| found.at == located.at);
    let reason = match deciding {
        Some(found) => words::reason(language, state, found.reason).1,
        None if located.contender.is_some() => reader.say(text::LOOKS_ELSEWHERE).to_owned(),
        None => reader.say(text::LAST_KNOWN).to_owned(),
    };
    let also = deciding.map(|found| found.also.as_slice()).unwrap_or_default();
    html! {
        div.sheet {
            p {
                strong { (at) }
                @if let Some(found) = deciding {
                    " · " (reader.say(text::CONFIDENCE)) " " (found.confidence) " %"
                }
            }
            p.detail { (reason) }
            @if let Some(station) = crate::api::body::station(state, endpoint) {
                p { (fill(&fill(reader.say(text::BY_RADIO), &station.access_point), &station.ssid)) }
            }
            @for place in also.iter().filter_map(|place| words::place(language, state, Where::Port(*place))) {
                p { (reader.say(text::ALSO)) " " (place) }
            }
            @if let Some(place) = located.contender.as_deref().and_then(|(at, _)| words::place(language, state, *at)) {
                p { (parts::mark(reader, Mark::Warn, text::NEEDS_ATTENTION)) " " (fill(reader.say(text::MOVING), place)) }
            }
        }
        (rejected(reader, state, found))
    }
}

/// The rows that were not believed, each with its reason.
fn rejected(reader: &Reader, state: &SiteState, found: Option<&Attachment>) -> Markup {
    let rows = found.map(|found| found.rejected.as_slice()).unwrap_or_default();
    if rows.is_empty() {
        return parts::nothing();
    }
    html! {
        h3 { (reader.say(text::REJECTED)) " " span.sub { (rows.len()) } }
        p.hint { (reader.say(text::REJECTED_HINT)) }
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::DEVICE)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::VLAN)) }
                        th scope="col" { (reader.say(text::REASON)) }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" {
                                a href=(format!("/devices/{}", row.device)) { (words::device_name(state, row.device)) }
                            }
                            td {
                                @let name = row.interface.map(|id| words::interface_name(state, row.device, id));
                                (parts::or_dash(name.as_deref()))
                            }
                            td { (parts::or_dash(row.vlan.map(|vlan| vlan.to_string()).as_deref())) }
                            td.words { (words::rejection(reader.language, state, row.reason).1) }
                        }
                    }
                }
            }
        }
    }
}

fn bindings(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    let addresses = endpoint.evidence.unpack().addresses;
    if addresses.is_empty() {
        return html! { p.calm { (reader.say(text::NO_BINDINGS)) } };
    }
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::IP)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::FIRST_SEEN)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                        th scope="col" { (reader.say(text::EVIDENCE)) }
                    }
                }
                tbody {
                    @for address in &addresses {
                        tr {
                            th.mono scope="row" { (address.ip) }
                            @let current = address.witnesses.iter().filter(|it| it.current);
                            td { (seen(reader, view, address.is_current(), current.map(|it| it.source.origin.agent))) }
                            td { (parts::ago(reader, view, address.first_seen())) }
                            td { (parts::ago(reader, view, address.last_seen())) }
                            td {
                                @for (at, witness) in address.witnesses.iter().enumerate() {
                                    @if at > 0 { br; }
                                    (parts::method(reader, witness.source.origin.group.method))
                                    " " code { (witness.source.origin.group.scope) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn evidence(reader: &Reader, view: &View, endpoint: &Endpoint) -> Markup {
    let mut sights: Vec<Sight<'_>> = endpoint.evidence.sights().collect();
    sights.sort_by_key(|sight| (!sight.current, std::cmp::Reverse(sight.last_seen)));
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::METHOD)) }
                        th scope="col" { (reader.say(text::SCOPE)) }
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        th scope="col" { (reader.say(text::VLAN)) }
                        th scope="col" { (reader.say(text::AGENT)) }
                        th scope="col" { (reader.say(text::STATE)) }
                        th scope="col" { (reader.say(text::FIRST_SEEN)) }
                        th scope="col" { (reader.say(text::LAST_SEEN)) }
                    }
                }
                tbody {
                    @for sight in sights {
                        tr {
                            th scope="row" { (parts::method(reader, sight.origin.group.method)) }
                            td { code { (sight.origin.group.scope) } }
                            td { (parts::or_dash(sight.interface)) }
                            td { (parts::or_dash(sight.vlan.map(|vlan| vlan.to_string()).as_deref())) }
                            td.code { (sight.origin.agent) }
                            td { (seen(reader, view, sight.current, [sight.origin.agent])) }
                            td { (parts::ago(reader, view, Some(sight.first_seen))) }
                            td { (parts::ago(reader, view, Some(sight.last_seen))) }
                        }
                    }
                }
            }
        }
    }
}
