//! What the centre looks for itself, and what it looks at.

use onenet_detection::centre::{self, AtCentre};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::{access::View, estate::SiteState, ingest::Concluding};

/// How long ago, in milliseconds, sweeps are still held against one another.
const SPREAD_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// What one detector of the centre does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CentreDetectorBody {
    /// What it looks for.
    pub kind: &'static str,
    /// What that is.
    pub what: &'static str,
    /// Why it is looked for.
    pub why: &'static str,
    /// From what it is concluded.
    pub from: &'static str,
    /// What is told as evidence.
    pub evidence: &'static str,
    /// What is not seen.
    pub blind: &'static str,
    /// The grade that is proposed where nothing makes it worse.
    pub grade: &'static str,
    /// What decides, as it is in force: keys of `[detection]` in the centre's configuration.
    pub thresholds: Vec<CentreThresholdBody>,
    /// When the centre looked last; it comes round to each site within ten minutes.
    pub last_run: String,
    /// How much it looks at now, at the sites that may be seen: sweeps of a day, endpoints, or devices.
    pub inputs: u64,
    /// How many of what it found are kept.
    pub found: u64,
}

/// A threshold of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CentreThresholdBody {
    /// Its key.
    pub key: &'static str,
    /// Its value.
    pub value: u64,
}

impl CentreDetectorBody {
    /// Returns all of them, in order, by what may be seen.
    pub(crate) fn all(view: &View, concluding: &Concluding) -> Vec<Self> {
        let states: Vec<&SiteState> = view.sites().filter_map(|site| view.inventory(site.id)).collect();
        centre::ALL.iter().map(|it| Self::of(it, view, &states, concluding)).collect()
    }

    fn of(it: &AtCentre, view: &View, states: &[&SiteState], concluding: &Concluding) -> Self {
        let found = states.iter().flat_map(|state| state.anomalies.keys()).filter(|key| key.kind == it.name).count();
        Self {
            kind: it.name,
            what: it.what,
            why: it.why,
            from: it.from,
            evidence: it.evidence,
            blind: it.blind,
            grade: it.grade.name(),
            thresholds: thresholds(it, concluding),
            last_run: time(view.now()),
            inputs: number(inputs(it, view, states)),
            found: number(found),
        }
    }
}

/// Returns how much there is for a detector to look at.
fn inputs(it: &AtCentre, view: &View, states: &[&SiteState]) -> usize {
    let is = |of: &AtCentre| of.name == it.name;
    let each = |count: &dyn Fn(&SiteState) -> usize| states.iter().map(|state| count(state)).sum();
    if is(&centre::WORM_SPREAD) {
        let is_recent = |it: &onenet_topology::anomaly::Anomaly| {
            matches!(it.key.kind.as_str(), "sweep" | "worm") && view.now().ms_since(it.last) < SPREAD_MS
        };
        each(&|state| state.anomalies.values().filter(|it| is_recent(it)).count())
    } else if is(&centre::UNREGISTERED) {
        each(&|state| if view.has_register(state.id) { state.live() } else { 0 })
    } else if [&centre::MAC_FLAPS, &centre::DEVICE_REPLACED, &centre::HUB].into_iter().any(is) {
        each(&|state| state.devices.len())
    } else {
        each(&SiteState::live)
    }
}

/// Returns what decides, as it is in force.
fn thresholds(it: &AtCentre, concluding: &Concluding) -> Vec<CentreThresholdBody> {
    let clone_min = u64::try_from(concluding.clone_ms / MINUTE_MS).unwrap_or(0);
    let all = [
        ("worm_sites", number(concluding.worm_sites)),
        ("unregistered_max", number(concluding.unregistered_max)),
        ("clone_min", clone_min),
        ("hub_endpoints", number(concluding.hub_endpoints)),
    ];
    let named = all.into_iter().filter(|(key, _)| it.thresholds.contains(key));
    named.map(|(key, value)| CentreThresholdBody { key, value }).collect()
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
