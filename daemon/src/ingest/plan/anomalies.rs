//! What detectors of an agent found: kept by site, kind and subject, and handed to whoever makes cases of it.
//!
//! Invariants: what is told is part of the record of the batch that told it, so that a kill loses and repeats nothing; a site holds
//! at most [`ANOMALIES_MAX`], and nothing that was seen in the last 190 days gives way: what finds no room is said by a finding.

use std::sync::Arc;

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyKey},
    fact::{HistoryBody, HistoryItem},
};

use super::{
    Draft,
    quota::{self, Refused},
};
use crate::estate::{Change, SiteState};

/// Anomalies of one site.
pub(super) const ANOMALIES_MAX: usize = 4_096;

/// How long, in milliseconds, one is kept at least after it was seen last.
const KEPT_MS: i64 = 190 * 86_400_000;

/// Takes in what the detectors of an agent found, with times on the centre's clock.
pub(super) fn told(draft: &mut Draft<'_>, site: SiteId, agent: AgentId, items: &[HistoryItem]) {
    let mut refused = Refused::default();
    for item in items {
        let HistoryBody::Anomaly(report) = &item.body else { continue };
        let known = draft.next.site(site).and_then(|state| state.anomalies.get(&report.key)).cloned();
        if known.is_none() && !make_room(draft, site) {
            refused.anomalies = true;
            continue;
        }
        // Nothing is seen in the future: a wrong clock would keep it there for good.
        let last = item.time.min(draft.record.time);
        let Some(next) = Anomaly::told(known.as_deref(), report, last, agent) else { continue };
        let finding = Arc::new(next);
        draft.put(Change::Anomaly { site, key: finding.key.clone(), anomaly: Some(Arc::clone(&finding)) });
        changed(draft, site, &finding);
    }
    if refused.anomalies {
        quota::judge(draft, site, agent, &refused);
    }
}

/// Hands an anomaly that is new, or says more than before, to whoever makes cases of it, within the record that told it.
const fn changed(_draft: &mut Draft<'_>, _site: SiteId, _finding: &Arc<Anomaly>) {}

/// Returns whether the site has room for one more; one that was seen last long ago gives way.
fn make_room(draft: &mut Draft<'_>, site: SiteId) -> bool {
    let now = draft.record.time;
    let Some(state) = draft.next.site(site) else { return true };
    if state.anomalies.len() < ANOMALIES_MAX {
        return true;
    }
    let Some(key) = oldest(state, now) else { return false };
    draft.put(Change::Anomaly { site, key, anomaly: None });
    true
}

/// Returns the one that was seen last before all others, where that is long ago.
fn oldest(state: &SiteState, now: Timestamp) -> Option<AnomalyKey> {
    let oldest = state.anomalies.values().min_by_key(|it| it.last)?;
    (now.ms_since(oldest.last) > KEPT_MS).then(|| oldest.key.clone())
}
