//! What detectors of an agent found: kept by site, kind and subject, and handed to whoever makes cases of it.
//!
//! Invariants: what is told is part of the record of the batch that told it, so that a kill loses and repeats nothing; a site holds
//! at most [`ANOMALIES_MAX`], and nothing that was seen in the last 190 days gives way: what finds no room is said by a finding.

use std::sync::Arc;

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyEvidence, AnomalyKey, AnomalyReport, Ends},
    case::{CaseCause, CaseEvidence, CaseKey},
    fact::{HistoryBody, HistoryItem},
    incident::Severity,
};

use super::{
    Draft,
    caps::KEPT_MS,
    cases,
    concluded::spread,
    quota::{self, Refused},
};
use crate::estate::{Change, SiteState};

/// Anomalies of one site.
pub(super) const ANOMALIES_MAX: usize = 4_096;

/// Something that the centre concludes itself, as it is by now.
#[derive(Debug, Clone)]
pub(super) struct Concluded {
    pub(super) key: AnomalyKey,
    pub(super) grade: Severity,
    pub(super) confidence: u8,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
    pub(super) evidence: Vec<AnomalyEvidence>,
}

/// Takes in what the detectors of an agent found, with times on the centre's clock.
pub(super) fn told(draft: &mut Draft<'_>, site: SiteId, agent: AgentId, items: &[HistoryItem]) {
    let mut refused = Refused::default();
    for item in items {
        let HistoryBody::Anomaly(report) = &item.body else { continue };
        // Nothing is seen in the future: a wrong clock would keep it there for good.
        let last = item.time.min(draft.record.time);
        refused.anomalies |= !take(draft, site, agent, report, last);
    }
    if refused.anomalies {
        quota::judge(draft, site, agent, &refused);
    }
}

/// Takes in what the centre concludes itself. What finds no room stays in what it was concluded from.
pub(super) fn concluded(draft: &mut Draft<'_>, site: SiteId, it: Concluded) {
    let lasted_ms = u64::try_from(it.last.ms_since(it.first)).unwrap_or(0);
    let Concluded { key, grade, confidence, count, evidence, .. } = it;
    let report = AnomalyReport { key, grade, confidence, lasted_ms, count, run: 0, evidence };
    take(draft, site, Anomaly::CENTRE, &report, it.last);
}

/// Takes in one report. Returns whether there was room for it.
fn take(draft: &mut Draft<'_>, site: SiteId, agent: AgentId, report: &AnomalyReport, last: Timestamp) -> bool {
    let known = draft.next.site(site).and_then(|state| state.anomalies.get(&report.key)).cloned();
    if known.is_none() && !make_room(draft, site) {
        return false;
    }
    let Some(next) = Anomaly::told(known.as_deref(), report, last, agent) else { return true };
    let finding = Arc::new(next);
    draft.put(Change::Anomaly { site, key: finding.key.clone(), anomaly: Some(Arc::clone(&finding)) });
    changed(draft, site, &finding);
    spread(draft, known.as_deref(), &finding);
    true
}

/// Hands an anomaly that is new, or says more than before, to whoever makes cases of it, within the record that told it.
fn changed(draft: &mut Draft<'_>, site: SiteId, finding: &Arc<Anomaly>) {
    // Without a position left there is no record either.
    let _ = cases::tell(draft, cause(site, finding));
}

/// Returns an anomaly as the cause of a case.
fn cause(site: SiteId, finding: &Anomaly) -> CaseCause {
    let AnomalyKey { kind, subject } = finding.key.clone();
    let Ends { source, destination, port } = finding.ends();
    let evidence = finding.evidence.iter().map(|it| CaseEvidence::new(&it.is, it.value.as_str()));
    CaseCause {
        key: CaseKey { site, kind, subject, drill: false },
        grade: finding.grade,
        confidence: Some(finding.confidence),
        first: finding.first,
        last: finding.last,
        count: finding.count,
        incident: None,
        source,
        destination,
        port,
        evidence: evidence.collect(),
    }
}

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
