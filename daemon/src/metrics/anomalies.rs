//! What metrics tell of detectors and of what they found at a site.
//!
//! Invariant: the labels are kinds, of which there are some dozens, grades and agents; nothing grows with what is found.

use std::collections::BTreeMap;

use super::{
    names,
    render::{Families, float},
};
use crate::{access::View, estate::SiteState};

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
        families.add(names::DETECTION_DROPPED, &[&site, &agent], float(running.sample.dropped));
        for detector in running.sample.detectors.iter().take(KINDS_MAX) {
            let labels = [site.as_str(), &agent, &detector.kind];
            families.add(names::DETECTOR_ON, &labels, u8::from(detector.off.is_empty()));
            families.add(names::DETECTOR_INPUTS, &labels, float(detector.inputs));
            if let Some(age) = detector.last_run_age_ms.and_then(|age| i64::try_from(age).ok()) {
                let at = running.time.plus_ms(-age).unix_ms();
                families.add(names::DETECTOR_LAST_RUN, &labels, float(u64::try_from(at / 1_000).unwrap_or(0)));
            }
        }
    }
}
