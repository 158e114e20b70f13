//! The inspection report (检查报告): for each monitoring requirement of the third grade (GB/T 22239-2019) what onenet saw, since when, and where it
//! is blind. Made to be printed.
//!
//! Invariant: it says what is observed ([`crate::observed`]) and judges nothing. A list of sites that was given before is not given again.

use axum::response::Response;
use maud::{Markup, html};
use onenet_topology::{
    SiteId,
    campaign::{Observation, Observed, Requirement},
    site::Site,
};

use super::{
    Language, Reader, coverage, layout, parts,
    text::{self, Text, fill},
    words,
};
use crate::{
    access::{Action, View},
    api::{Extent, Params, Problem},
    observed::{Seen, observed},
};

/// Sites that are named where something is not seen.
const NAMED_MAX: usize = 12;

/// The page.
pub(super) async fn page(reader: Reader) -> Response {
    reader.answer(made(&reader))
}

fn made(reader: &Reader) -> Result<Markup, Problem> {
    let view = reader.gate.anywhere(Action::ReadInventory)?;
    let mut params = Params::parse(reader.query().unwrap_or_default())?;
    let extent = Extent::of(&view, &mut params)?;
    let sites = extent.members(&view);
    let name = coverage::title(reader, &view, &extent);
    let title = fill(reader.say(text::INSPECTION_TITLE), name.as_deref().unwrap_or_default()).trim().to_owned();
    let mut listed = Vec::new();
    let content = html! {
        h1 { (title) }
        p.hint { (reader.say(text::PRINTED)) " " (parts::moment(view.now())) " · " (sites.len()) " " (reader.say(text::SITES)) }
        p.hint { (reader.say(text::INSPECTION_HINT)) }
        @for it in Requirement::ALL { (section(reader, &view, it, &sites, &mut listed)) }
    };
    Ok(layout::page(reader, &view, &title, "", &content))
}

/// Sites that were named, with the requirement under which they were.
type Listed = Vec<(Vec<SiteId>, Requirement)>;

fn section(reader: &Reader, view: &View, it: Requirement, sites: &[&Site], listed: &mut Listed) -> Markup {
    let (name, asks) = requirement(it);
    let seen = observed(view, it, sites);
    let mut lines = [Vec::new(), Vec::new()];
    let mut since = None;
    for seen in &seen {
        let observation = &seen.observation;
        if observation.is == Observed::Since {
            since = observation.time.map(parts::moment);
            continue;
        }
        let names = named(reader, view, seen, it, listed);
        lines[usize::from(observation.is.is_blind())].push(line(reader, observation) + &names);
    }
    let [saw, blind] = lines;
    html! {
        h2 { (reader.say(name)) }
        p.hint { (reader.say(asks)) }
        dl.facts.lines {
            div { dt { (reader.say(text::INSPECTION_SAW)) } dd { (list(&saw)) } }
            div { dt { (reader.say(text::INSPECTION_SINCE)) } dd { (parts::or_dash(since.as_deref())) } }
            div { dt { (reader.say(text::INSPECTION_BLIND)) } dd { (list(&blind)) } }
        }
    }
}

fn list(lines: &[String]) -> Markup {
    html! {
        @if lines.is_empty() { (parts::or_dash(None)) } @else {
            @for line in lines { div { (line) } }
        }
    }
}

/// What a requirement is called, and what it asks.
pub(super) const fn requirement(it: Requirement) -> (Text, Text) {
    match it {
        Requirement::Links => (text::REQUIRE_LINKS, text::REQUIRE_LINKS_ASKS),
        Requirement::Equipment => (text::REQUIRE_EQUIPMENT, text::REQUIRE_EQUIPMENT_ASKS),
        Requirement::Devices => (text::REQUIRE_DEVICES, text::REQUIRE_DEVICES_ASKS),
        Requirement::Outward => (text::REQUIRE_OUTWARD, text::REQUIRE_OUTWARD_ASKS),
        Requirement::Attacks => (text::REQUIRE_ATTACKS, text::REQUIRE_ATTACKS_ASKS),
        Requirement::Records => (text::REQUIRE_RECORDS, text::REQUIRE_RECORDS_ASKS),
    }
}

/// An observation in words.
pub(super) fn line(reader: &Reader, observation: &Observation) -> String {
    let text = reader.say(match observation.is {
        Observed::Sites => text::SAW_SITES,
        Observed::DevicesUp => text::SAW_DEVICES,
        Observed::Watched => text::SAW_WATCHED,
        Observed::Found => text::SAW_FOUND,
        Observed::First => text::SAW_FIRST,
        Observed::Cases => text::SAW_CASES,
        Observed::Kept => text::SAW_KEPT,
        Observed::Roles => text::SAW_ROLES,
        Observed::Since => text::SAW_SINCE,
        Observed::NoAgent => text::BLIND_NO_AGENT,
        Observed::Silent => text::BLIND_SILENT,
        Observed::DevicesDark => text::BLIND_DEVICES,
        Observed::NoDevice => text::BLIND_NO_DEVICE,
        Observed::NotWatched => text::BLIND_NOT_WATCHED,
        Observed::NotHeard => text::BLIND_NOT_HEARD,
        Observed::Off => text::BLIND_OFF,
        Observed::OtherSystems => text::BLIND_RECORDS,
    });
    let kind = observation.kind.as_deref().map(|kind| words::case_kind(reader.language, kind).to_owned());
    let numbers = [observation.count, observation.of].into_iter().flatten().map(|it| it.to_string());
    let values = kind.into_iter().chain(numbers).chain(observation.time.map(parts::moment));
    values.fold(text.to_owned(), |text, value| fill(&text, value))
}

/// Names the sites of an observation, or says where they were named; nothing where it is of none.
fn named(reader: &Reader, view: &View, seen: &Seen<'_>, under: Requirement, listed: &mut Listed) -> String {
    let ids: Vec<SiteId> = seen.sites.iter().map(|it| it.id).collect();
    if ids.is_empty() {
        return String::new();
    }
    if let Some((_, before)) = listed.iter().find(|(known, _)| *known == ids) {
        return fill(reader.say(text::BLIND_AS_UNDER), reader.say(requirement(*before).0));
    }
    listed.push((ids, under));
    let name = |site: &&Site| parts::site_name(reader.language, site.name(view.now())).into_owned();
    let names: Vec<String> = seen.sites.iter().take(NAMED_MAX).map(name).collect();
    let between = if reader.language == Language::Zh { "、" } else { ", " };
    let more = if seen.sites.len() > NAMED_MAX { " …" } else { "" };
    format!(" · {}{more}", names.join(between))
}
