//! What metrics tell of availability: how today's time was spent so far, by level and layer.
//!
//! Invariant: the labels are levels, layers and standings. Figures of days and months are the API's: a scrape counts one day.

use std::collections::BTreeMap;

use onenet_topology::{availability::Spent, coverage::Day};

use super::{names, page::Families};
use crate::{
    access::View,
    availability::{Report, Span},
};

/// Adds how today's time was spent.
pub(super) fn today(families: &mut Families, view: &View) {
    let today = Day::of(view.now());
    let sites: Vec<_> = view.sites().map(|site| site.id).collect();
    let report = Report::of(view, sites, Span { from: today, to: today }, None);
    let mut tiers: BTreeMap<String, Spent> = BTreeMap::new();
    for it in &report.each {
        let Some(site) = view.site(it.site) else { continue };
        for figures in it.days.values() {
            *tiers.entry(site.tier.to_string()).or_default() += figures.spent;
        }
    }
    for (tier, spent) in tiers {
        add(families, names::SITE_TIME_TODAY, &tier, &spent);
    }
    for (layer, part) in &report.layers {
        add(families, names::WAY_TIME_TODAY, layer.name(), &part.figures.spent);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a day of all sites is far below 2^53 milliseconds")]
fn add(families: &mut Families, metric: names::Metric, of: &str, spent: &Spent) {
    for (standing, ms) in [
        ("up", spent.up_ms),
        ("degraded", spent.degraded_ms),
        ("down", spent.down_ms),
        ("unknown", spent.unknown_ms),
        ("maintenance", spent.maintenance_ms),
    ] {
        families.add(metric, &[of, standing], ms as f64 / 1_000.0);
    }
}
