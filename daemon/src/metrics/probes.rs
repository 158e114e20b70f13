//! What metrics tell of probes: state and quality of each.
//!
//! Invariant: a probe has a bounded number of series, and an agent a bounded number of probes. What a silent agent watches has no
//! state, and what was not measured lately no value. What remote write tells of is not here.

use onenet_topology::{ProbeRole, ProbeState};

use super::{measured, names, page::Families};
use crate::{access::View, api::body::probes, estate::SiteState};

/// Adds the series of a site's probes; those of each window where `windows` says so.
pub(super) fn of_site(families: &mut Families, view: &View, state: &SiteState, windows: bool) {
    let site = state.id.to_string();
    for shown in probes(view, state.id) {
        let agent = shown.agent.to_string();
        let labels = [site.as_str(), &agent, &shown.probe.name, shown.probe.role.name()];
        let up = match shown.state {
            ProbeState::Up => Some(1.0),
            ProbeState::Degraded => Some(0.5),
            ProbeState::Down => Some(0.0),
            ProbeState::Unknown => None,
        };
        if let Some(up) = up {
            families.add(names::PROBE_UP, &labels, up);
        }
        if let Some(centi) = shown.media.and_then(|taken| taken.sample.mos_centi) {
            families.add(names::PROBE_MOS, &labels, f64::from(centi) / 100.0);
        }
        let Some(sample) = shown.measured.map(|taken| &taken.sample) else { continue };
        if windows {
            measured::window(shown.probe.role, sample, &mut |metric, value| families.add(metric, &labels, value));
        }
        if let Some(ends_ms) = sample.certificate_ends_ms {
            families.add(names::PROBE_CERTIFICATE, &labels, since_1970(ends_ms));
        }
        if let Some(bytes) = sample.path_mtu.filter(|_| shown.probe.role == ProbeRole::Parent) {
            families.add(names::PROBE_PATH_MTU, &labels, f64::from(bytes));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no certificate ends in 2^53 milliseconds")]
const fn since_1970(ms: i64) -> f64 {
    ms.div_euclid(1_000) as f64
}
