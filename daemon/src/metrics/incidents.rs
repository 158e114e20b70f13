//! What metrics tell of incidents and of the states of sites.
//!
//! Invariant: the labels are kinds, grades, states, tiers and areas: none grows with what is broken, but for the open incidents,
//! of which a bounded number have a series each, so that whoever is told of one is told of it once.

use std::{cmp::Reverse, collections::BTreeMap};

use onenet_topology::{
    SiteId,
    division::Tier,
    incident::{Incident, State, Subject},
};

use super::{devices, names, page::Families};
use crate::access::View;

/// Open incidents that have a series of their own.
const OPEN_MAX: usize = 1_000;

/// Areas that have series of their own, by id.
const AREAS_MAX: usize = 200;

/// Adds how many incidents there are, and how many sites are in which state.
pub(super) fn incidents(families: &mut Families, view: &View) {
    let mut counts: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
    for incident in view.incidents() {
        let state = match (incident.is_open(), incident.planned.is_some()) {
            (true, false) => "open",
            (true, true) => "planned",
            (false, _) => "closed",
        };
        *counts.entry((incident.kind.name(), incident.severity.name(), state)).or_default() += 1;
    }
    for ((kind, severity, state), count) in counts {
        families.add(names::INCIDENTS, &[kind, severity, state], count);
    }
    let areas = states(families, view);
    let mut open: Vec<_> = view.open_incidents().collect();
    open.sort_by_key(|it| (Reverse(it.severity), Reverse(it.raised), Reverse(it.id)));
    for incident in open.into_iter().take(OPEN_MAX) {
        add(families, view, &areas, incident);
    }
}

fn add(families: &mut Families, view: &View, areas: &BTreeMap<SiteId, String>, incident: &Incident) {
    let site = view.site(incident.site);
    let (name, tier) = site.map_or_else(Default::default, |it| (it.name(view.now()).zh.as_str(), it.tier.to_string()));
    let path = site.map_or_else(Vec::new, |it| view.path(it.id));
    let province = path.iter().find(|it| it.tier == Tier::Province).map_or("", |it| it.name(view.now()).zh.as_str());
    let cause = incident.possible.iter().map(|it| it.name()).collect::<Vec<_>>().join(",");
    let labels: [&str; 11] = [
        &incident.id.to_string(),
        if incident.planned.is_some() { "planned" } else { "open" },
        incident.kind.name(),
        &cause,
        incident.severity.name(),
        &subject(view, &incident.subject),
        &site.map(|it| it.id.to_string()).unwrap_or_default(),
        name,
        &tier,
        province,
        areas.get(&incident.site).map_or("", String::as_str),
    ];
    let sites = incident.affected.sites.iter().filter(|it| view.site(**it).is_some()).count();
    families.add(names::INCIDENT_SITES, &labels, u32::try_from(sites).unwrap_or(u32::MAX));
}

/// Returns how people call what an incident is of, where that is not the site itself.
fn subject(view: &View, subject: &Subject) -> String {
    match subject {
        Subject::Device(device) => {
            view.device(*device).map(|(_, it)| devices::label(it).into_owned()).unwrap_or_default()
        }
        Subject::Agent(agent) => view.agent(*agent).map(|it| it.id.to_string()).unwrap_or_default(),
        Subject::Service(name) => name.to_string(),
        Subject::Interface(_) | Subject::Link { .. } | Subject::Site(_) | Subject::Centre => String::new(),
    }
}

/// Adds how many sites are in which state, by tier and area. Returns the names of each site's areas, each between semicolons.
fn states(families: &mut Families, view: &View) -> BTreeMap<SiteId, String> {
    let mut by_tier: BTreeMap<(String, &str), u32> = BTreeMap::new();
    for site in view.sites() {
        if let Some(state) = view.site_state(site.id) {
            *by_tier.entry((site.tier.to_string(), state.name())).or_default() += 1;
        }
    }
    for ((tier, state), count) in by_tier {
        families.add(names::SITE_STATE, &[&tier, state], count);
    }
    let mut areas: BTreeMap<SiteId, String> = BTreeMap::new();
    for area in view.areas().take(AREAS_MAX) {
        let mut counts: BTreeMap<State, u32> = BTreeMap::new();
        let name = &area.name(view.now()).zh;
        families.add(names::AREA_INFO, &[&area.id.to_string(), name, area.kind.as_str()], 1);
        for site in view.sites_of_area(area) {
            let of = areas.entry(site.id).or_insert_with(|| ";".to_owned());
            of.push_str(name);
            of.push(';');
            if let Some(state) = view.site_state(site.id) {
                *counts.entry(state).or_default() += 1;
            }
        }
        for (state, count) in counts {
            families.add(names::AREA_SITE_STATE, &[&area.id.to_string(), state.name()], count);
        }
    }
    areas
}
