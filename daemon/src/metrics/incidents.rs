//! What metrics tell of incidents and of the states of sites.
//!
//! Invariant: the labels are kinds, grades, states, tiers and areas: none grows with what is broken.

use std::collections::BTreeMap;

use onenet_topology::incident::State;

use super::{names, render::Families};
use crate::access::View;

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
    states(families, view);
}

fn states(families: &mut Families, view: &View) {
    let mut by_tier: BTreeMap<(String, &str), u32> = BTreeMap::new();
    for site in view.sites() {
        if let Some(state) = view.site_state(site.id) {
            *by_tier.entry((site.tier.to_string(), state.name())).or_default() += 1;
        }
    }
    for ((tier, state), count) in by_tier {
        families.add(names::SITE_STATE, &[&tier, state], count);
    }
    for area in view.areas().take(AREAS_MAX) {
        let mut counts: BTreeMap<State, u32> = BTreeMap::new();
        for state in view.sites_of_area(area).iter().filter_map(|site| view.site_state(site.id)) {
            *counts.entry(state).or_default() += 1;
        }
        for (state, count) in counts {
            families.add(names::AREA_SITE_STATE, &[&area.id.to_string(), state.name()], count);
        }
    }
}
