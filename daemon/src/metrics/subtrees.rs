//! What metrics tell of provinces and cities with all that is below them, and of the ministry's whole.
//!
//! Invariant: a site counts once in each subtree along its first way up, and with what is kept of it: nothing here walks through
//! endpoints, or groups terminals anew.

use std::collections::BTreeMap;

use onenet_topology::{SiteId, coverage::Terminals, division::Tier, incident::State, site::Site};

use super::{
    names::{self, Metric},
    page::Families,
    render::float,
};
use crate::{
    access::View,
    api::{App, body::Counts},
};

/// What is counted below a site.
#[derive(Debug, Default)]
struct Sums {
    states: BTreeMap<&'static str, u32>,
    counts: Counts,
    /// `None` until any site's were counted.
    terminals: Option<Terminals>,
}

/// Adds the sums of each site above the counties.
pub(super) fn subtrees(families: &mut Families, app: &App, view: &View) {
    let mut all: BTreeMap<SiteId, (&Site, Sums)> = BTreeMap::new();
    for site in view.sites() {
        let state = view.site_state(site.id).unwrap_or(State::Unknown).name();
        let counts = Counts::of(view, site.id).unwrap_or_default();
        let terminals = view.terminals_counted_last(site.id, &app.counted);
        for above in view.path(site.id).into_iter().filter(|it| it.tier != Tier::County) {
            let (_, sums) = all.entry(above.id).or_insert_with(|| (above, Sums::default()));
            *sums.states.entry(state).or_default() += 1;
            sums.counts = sums.counts.plus(counts);
            if let Some(more) = terminals {
                sums.terminals = Some(sums.terminals.unwrap_or_default().plus(more));
            }
        }
    }
    for (site, sums) in all.values() {
        add(families, site, sums);
        if let Some(bytes) = view.crossed_below(site.id) {
            families.add(names::SUBTREE_FLOW_BYTES, &[&site.id.to_string(), &site.tier.to_string()], float(bytes));
        }
    }
}

fn add(families: &mut Families, site: &Site, sums: &Sums) {
    let (id, tier) = (site.id.to_string(), site.tier.to_string());
    let mut put = |metric: Metric, state: &str, count: u32| families.add(metric, &[&id, &tier, state], count);
    for (state, count) in &sums.states {
        put(names::SUBTREE_SITES, state, *count);
    }
    let counts = &sums.counts;
    for (state, count) in counts.agents_by_state() {
        put(names::SUBTREE_AGENTS, state, count);
    }
    for (state, count) in counts.devices_by_state() {
        put(names::SUBTREE_DEVICES, state, count);
    }
    for (state, count) in counts.endpoints_by_state() {
        put(names::SUBTREE_ENDPOINTS, state, count);
    }
    for (state, count) in sums.terminals.into_iter().flat_map(by_standing) {
        put(names::SUBTREE_TERMINALS, state, count);
    }
}

/// Returns computers by their standing, as labels name it.
pub(super) fn by_standing(terminals: Terminals) -> [(&'static str, u32); 5] {
    [
        ("seen", terminals.seen),
        ("silent", terminals.silent),
        ("never_seen", terminals.never_seen),
        ("unregistered", terminals.unregistered),
        ("unregistered_unclassified", terminals.unregistered_unclassified),
    ]
}
