//! What metrics tell of detectors and of what they found at a site.
//!
//! Invariant: the labels are kinds, of which there are some dozens, grades and agents; nothing grows with what is found. Of detectors
//! an agent has four series: some thirty kinds at 3,340 sites would be a quarter of all series that the country may have.

use std::collections::BTreeMap;

use super::{names, page::Families, render::float};
use crate::{
    access::View,
    estate::{Running, SiteState},
};

/// How long ago, in milliseconds, what is counted as recent was seen last.
const RECENT_MS: i64 = 86_400_000;

/// Words that a site has series of: an agent cannot make more of them.
const KINDS_MAX: usize = 100;

/// Adds the series of a site.
pub(super) fn of_site(families: &mut Families, view: &View, state: &SiteState) {
    let site = state.id.to_string();
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let recent = state.anomalies.values().filter(|it| view.now().ms_since(it.last) <= RECENT_MS);
    for anomaly in recent {
        *counts.entry((&anomaly.key.kind, anomaly.grade.name())).or_default() += 1;
    }
    for ((kind, grade), count) in counts.into_iter().take(KINDS_MAX) {
        families.add(names::SITE_ANOMALIES, &[&site, kind, grade], count);
    }
    for (agent, running) in state.detectors.get().running(view.now()) {
        let agent = agent.to_string();
        detectors(families, &[&site, &agent], running);
    }
}

fn detectors(families: &mut Families, labels: &[&str; 2], running: &Running) {
    let all = &running.sample.detectors;
    let on = all.iter().filter(|detector| detector.off.is_empty()).count();
    for (state, count) in [("on", on), ("off", all.len() - on)] {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        families.add(names::DETECTORS, &[labels[0], labels[1], state], count);
    }
    let inputs = all.iter().map(|detector| detector.inputs).fold(0, u64::saturating_add);
    families.add(names::DETECTION_INPUTS, labels, float(inputs));
    families.add(names::DETECTION_DROPPED, labels, float(running.sample.dropped));
    let newest_age = all.iter().filter_map(|detector| detector.last_run_age_ms).min();
    if let Some(age) = newest_age.and_then(|age| i64::try_from(age).ok()) {
        let at = running.time.plus_ms(-age).unix_ms();
        families.add(names::DETECTION_LAST_RUN, labels, float(u64::try_from(at / 1_000).unwrap_or(0)));
    }
}
