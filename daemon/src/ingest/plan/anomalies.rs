//! What detectors of an agent found: kept by site, kind and subject, and handed to whoever makes cases of it.
//!
//! Invariants: what is told is part of the record of the batch that told it, so that a kill loses and repeats nothing; a site holds
//! at most [`ANOMALIES_MAX`]. What is new takes the place of what matters least ([`weight`]): what was seen last more than 190 days ago, then
//! what was closed, whose case stays with its evidence for that long; what has an open case gives way to what is graver alone. What finds no
//! room, and what had to give way although nobody has closed it, is counted by a finding.

use std::sync::Arc;

use onenet_topology::{
    AgentId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyEvidence, AnomalyKey, AnomalyReport, Ends},
    case::{CaseCause, CaseEvidence, CaseKey, CaseState, CaseVerdict},
    fact::{HistoryBody, HistoryItem},
    incident::Severity,
};

use super::{
    Draft,
    caps::KEPT_MS,
    cases,
    concluded::spread,
    drills,
    quota::{self, Refused},
};
use crate::estate::Change;

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
        if let Some(drill) = report.drill {
            drills::found(draft, (site, agent), drill, report, last);
            continue;
        }
        refused.anomalies += u64::from(!take(draft, site, agent, report, last));
    }
    if refused.anomalies > 0 {
        quota::judge(draft, site, agent, &refused);
    }
}

/// Takes in what the centre concludes itself. What finds no room stays in what it was concluded from.
pub(super) fn concluded(draft: &mut Draft<'_>, site: SiteId, it: Concluded) {
    let lasted_ms = u64::try_from(it.last.ms_since(it.first)).unwrap_or(0);
    let Concluded { key, grade, confidence, count, evidence, .. } = it;
    let report = AnomalyReport { key, grade, confidence, lasted_ms, count, run: 0, evidence, drill: None };
    take(draft, site, Anomaly::CENTRE, &report, it.last);
}

/// Takes in one report. Returns whether there was room for it, and for all else that nobody has closed yet.
fn take(draft: &mut Draft<'_>, site: SiteId, agent: AgentId, report: &AnomalyReport, last: Timestamp) -> bool {
    let known = draft.next.site(site).and_then(|state| state.anomalies.get(&report.key)).cloned();
    let room = if known.is_none() { make_room(draft, site, report.grade) } else { Room::Free };
    if room == Room::None {
        return false;
    }
    let Some(next) = Anomaly::told(known.as_deref(), report, last, agent) else { return room == Room::Free };
    let finding = Arc::new(next);
    draft.put(Change::Anomaly { site, key: finding.key.clone(), anomaly: Some(Arc::clone(&finding)) });
    changed(draft, site, &finding);
    spread(draft, known.as_deref(), &finding);
    room == Room::Free
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

/// Whether there is room for something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// There is, or what is done with made it.
    Free,
    /// Something that nobody has closed had to make it.
    Taken,
    /// Nothing that is there matters less.
    None,
}

/// How much it matters to keep an anomaly here: the first to give way is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// It was seen last longer ago than anything has to be kept.
    Old,
    /// Its case was closed as nothing, which keeps what it was.
    Nothing,
    /// Its case was closed.
    Closed,
    /// A rule silences it.
    Silenced,
    /// Its case is open, or it has none.
    Open,
}

/// Makes room for one more of this grade, where the site has none. Whoever is told of again and again costs a look at each that is there,
/// and nothing else.
fn make_room(draft: &mut Draft<'_>, site: SiteId, grade: Severity) -> Room {
    let now = draft.record.time;
    let Some(state) = draft.next.site(site) else { return Room::Free };
    if state.anomalies.len() < ANOMALIES_MAX {
        return Room::Free;
    }
    let rank = |it: &Anomaly| (weight(draft, site, it, now), it.grade, it.last);
    let Some((rank, key)) = state.anomalies.values().map(|it| (rank(it), &it.key)).min() else { return Room::None };
    let is_done = rank.0 <= Weight::Closed;
    if !is_done && rank.1 >= grade {
        return Room::None;
    }
    let key = key.clone();
    draft.put(Change::Anomaly { site, key, anomaly: None });
    if is_done { Room::Free } else { Room::Taken }
}

fn weight(draft: &Draft<'_>, site: SiteId, anomaly: &Anomaly, now: Timestamp) -> Weight {
    if now.ms_since(anomaly.last) > KEPT_MS {
        return Weight::Old;
    }
    let AnomalyKey { kind, subject } = anomaly.key.clone();
    match draft.next.cases.of_key(&CaseKey { site, kind, subject, drill: false }).map(|case| case.state) {
        Some(CaseState::Closed(CaseVerdict::True)) => Weight::Closed,
        Some(CaseState::Closed(_)) => Weight::Nothing,
        Some(CaseState::Silenced) => Weight::Silenced,
        _ => Weight::Open,
    }
}
