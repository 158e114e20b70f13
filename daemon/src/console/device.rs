//! One device: what it is, what it measures, its interfaces and what is plugged into them, and what else it tells of itself.
//!
//! Invariant: a page stays short enough to be used. A table of more than [`OPEN_ROWS_MAX`] rows is folded, so that the next
//! one is in sight, and ends after [`ROWS_MAX`]; the API has all.

mod interfaces;
mod sensors;
mod told;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use onenet_topology::{
    device::{Device, Standing},
    fact::{Entity, Identification},
};

use super::{
    Reader, layout, links, parts,
    text::{self, Text, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{App, Problem, running::running, sensors::sensors},
    estate::SiteState,
};

/// Rows of a table that is not folded: a small switch with its VLANs is seen whole.
const OPEN_ROWS_MAX: usize = 30;
/// Rows of a table at most. A wireless controller has thousands of tunnels as interfaces.
const ROWS_MAX: usize = 1_000;
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
    let running = running(app, state, device, view.now()).await?;
    let (standing, _) = view.device_standing(device);
    let content = html! {
        (parts::trail(reader, &view, site, Some(device.name())))
        h1 {
            (device.name()) " " (parts::standing(reader, standing))
            @if view.is_demo(site) { " " (parts::demo_tag(reader)) }
        }
        (parts::facts_and_line(&facts(reader, &view, state, device)))
        (sensors::sections(reader, &sensors))
        (interfaces::section(reader, &view, (state, device), running))
        (links::section(reader, state, Some(device.id)))
        (told::vlans(reader, state, device))
        (told::own_addresses(reader, state, device))
        (told::next_hops(reader, state, device))
        (told::quirks(reader, state, device))
    };
    Ok(layout::page(reader, &view, device.name(), "", &content))
}

/// What is known of the device, each with its name.
fn facts(reader: &Reader, view: &View, state: &SiteState, device: &Device) -> Vec<(&'static str, Markup)> {
    let (standing, since) = view.device_standing(device);
    let system = device.system.as_ref();
    let answering = device.answering.iter().max_by_key(|it| it.observed);
    let recognised = state.identification(device);
    let recognised = recognised.as_ref();
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
        (reader.say(text::NAME_AT_AGENTS), parts::or_dash(Some(&names_at_agents(device)))),
        (reader.say(text::ADDRESS), parts::or_dash(answering.map(|it| it.reach.target.as_str()))),
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
    // The last one has a line of its own, as some devices describe themselves in many words.
    facts.push((reader.say(text::DESCRIPTION), parts::or_dash(system.map(|it| it.description.as_str()))));
    facts
}

/// Returns the names under which agents poll a device: those that stand in their configurations.
fn names_at_agents(device: &Device) -> String {
    let names: BTreeSet<&str> = device.handles.iter().map(|handle| handle.scope.as_str()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A part of the page with a table, folded where that is long.
fn section(reader: &Reader, title: Text, rows: usize, table: &Markup) -> Markup {
    html! {
        @if rows > OPEN_ROWS_MAX {
            details {
                summary { h2 { (reader.say(title)) " " span.sub { (rows) } } }
                (table)
            }
        } @else if rows > 0 {
            h2 { (reader.say(title)) " " span.sub { (rows) } }
            (table)
        }
    }
}

/// Returns the rows that are shown.
fn shown<T>(rows: &[T]) -> &[T] {
    rows.get(..ROWS_MAX).unwrap_or(rows)
}

/// Says that there are more rows than are shown.
fn cut(reader: &Reader, rows: usize) -> Markup {
    html! { @if rows > ROWS_MAX { p.hint { (fill(reader.say(text::ROWS_CUT), ROWS_MAX)) } } }
}
