//! What the centre concludes itself of what sites tell: terminals that nobody registered, addresses that several have, equipment that became
//! another or that nobody manages, and what spreads over sites. Each is an anomaly as those of the detectors are, and so a case.
//!
//! Invariant: what is told goes into the record that is planned, and again once an hour while it lasts; a site has at most [`TOLD_MAX`] of
//! these told in one turn. What spreads is told of the site above all that have it.

mod equipment;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use onenet_detection::centre::{self, AtCentre};
use onenet_topology::{
    EndpointId, SiteId, Timestamp,
    anomaly::{Anomaly, AnomalyEvidence, AnomalyKey},
    endpoint::Endpoint,
    incident::Severity,
};

pub(super) use equipment::replaced;

use super::{
    Draft,
    anomalies::{self, Concluded},
    tick::is_turn,
};
use crate::{
    estate::{Estate, SiteState},
    findings::{Evidence, Finding, FindingKind, told},
    terminals,
};

/// Anomalies that one turn of a site tells.
const TOLD_MAX: usize = 100;
/// How often what lasts is told again, in milliseconds.
const AGAIN_MS: i64 = 3_600_000;
/// How long ago something was seen lately, in milliseconds: agents tell every ten minutes what stays.
const LATELY_MS: i64 = 1_800_000;
/// How long a terminal has to have been there to be missed on the books, in milliseconds.
const STAYED_MS: i64 = 600_000;
/// Within how long sweeps are one spread, in milliseconds.
const SPREAD_MS: i64 = 86_400_000;
/// From so many sites on a spread is as grave as can be.
const GRAVE_SITES: usize = 10;
/// Sites and terminals that evidence names.
const NAMED_MAX: usize = 20;

/// From what on the centre concludes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concluding {
    /// Sites at which the same port is swept.
    pub worm_sites: usize,
    /// Unregistered terminals of a site that are told one by one.
    pub unregistered_max: usize,
    /// How long an address has to be another's too, in milliseconds.
    pub clone_ms: i64,
    /// Machines behind one access port.
    pub hub_endpoints: usize,
}

impl Default for Concluding {
    fn default() -> Self {
        Self { worm_sites: 3, unregistered_max: 20, clone_ms: 3_600_000, hub_endpoints: 3 }
    }
}

/// Looks at the sites whose turn it is.
pub(super) fn judge(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let due: Vec<SiteId> = draft.next.sites.keys().copied().filter(|site| is_turn(*site, now)).collect();
    for site in due {
        let Some(state) = draft.next.site(site) else { continue };
        let concluding = &draft.policy.concluding;
        let found = clones(state, now, concluding)
            .chain(unregistered(&draft.next, state, now, concluding))
            .chain(equipment::hubs(state, now, concluding));
        let is_known = |it: &Concluded| {
            let known = state.anomalies.get(&it.key);
            known.is_some_and(|known| it.last.ms_since(known.last) < AGAIN_MS)
        };
        let found: Vec<Concluded> = found.filter(|it| !is_known(it)).take(TOLD_MAX).collect();
        for it in found {
            anomalies::concluded(draft, site, it);
        }
    }
}

fn concluded(kind: &AtCentre, subject: String, (first, last): (Timestamp, Timestamp)) -> Concluded {
    let key = AnomalyKey { kind: kind.name.to_owned(), subject };
    Concluded { key, grade: kind.grade, confidence: 80, first, last, count: 1, evidence: Vec::new() }
}

#[expect(clippy::needless_pass_by_value, reason = "what is shown is made where it is told")]
fn evidence(is: &str, value: impl ToString) -> AnomalyEvidence {
    AnomalyEvidence { is: is.to_owned(), value: value.to_string() }
}

/// Returns the addresses that several have for long enough.
fn clones(state: &SiteState, now: Timestamp, concluding: &Concluding) -> impl Iterator<Item = Concluded> {
    let clone_ms = concluding.clone_ms;
    let lasts = move |it: &Finding| {
        let long = it.key.kind == FindingKind::MacFlaps || now.ms_since(it.since) >= clone_ms;
        FindingKind::DUPLICATES.contains(&it.key.kind) && long
    };
    state.findings.values().filter(move |it| lasts(it)).filter_map(move |it| clone(state, it, now))
}

fn clone(state: &SiteState, finding: &Finding, now: Timestamp) -> Option<Concluded> {
    let since = (finding.since, now);
    let device = |id| state.device(id).and_then(|it| it.system.as_ref()).map_or_else(String::new, |it| it.name.clone());
    match &finding.evidence {
        Evidence::MacElsewhere { mac, sites } => {
            // Random addresses meet by chance.
            let found = concluded(&centre::MAC_CLONE, mac.to_string(), since);
            (!mac.is_local()).then(|| Concluded { evidence: vec![evidence("other_sites", sites)], ..found })
        }
        Evidence::TwoMacs { ip, macs } => {
            let stations: Vec<String> = macs.iter().map(ToString::to_string).collect();
            let found = concluded(&centre::IP_CLONE, ip.to_string(), since);
            Some(Concluded { evidence: vec![evidence("stations", stations.join(", "))], ..found })
        }
        Evidence::DeviceAddress { ip, device: id, mac } => {
            let told = vec![evidence("station", mac), evidence("device", id), evidence("device_name", device(*id))];
            Some(Concluded { evidence: told, ..concluded(&centre::DEVICE_ADDRESS, ip.to_string(), since) })
        }
        Evidence::Flapping { mac, device: id, count, changes } => {
            let told =
                vec![evidence("device", id), evidence("device_name", device(*id)), evidence("moves", told(changes))];
            let found = concluded(&centre::MAC_FLAPS, mac.to_string(), since);
            Some(Concluded { count: *count, evidence: told, ..found })
        }
        Evidence::ClockOffset { .. } | Evidence::Capacity { .. } => None,
    }
}

/// Returns the terminals of a site with an asset register that are not on the books; as one where they are many.
fn unregistered(
    estate: &Estate,
    state: &SiteState,
    now: Timestamp,
    concluding: &Concluding,
) -> impl Iterator<Item = Concluded> {
    let strangers =
        if estate.assets.of_site(state.id, now).next().is_some() { strangers(estate, state, now) } else { Vec::new() };
    let many = strangers.len() > concluding.unregistered_max;
    let together = many.then(|| {
        let named: Vec<String> = strangers.iter().take(NAMED_MAX).map(|it| it.mac.to_string()).collect();
        let first = strangers.iter().filter_map(|it| it.first_seen()).min().unwrap_or(now);
        let told = vec![evidence("terminals", strangers.len()), evidence("such_as", named.join(", "))];
        let count = u64::try_from(strangers.len()).unwrap_or(u64::MAX);
        let found = concluded(&centre::UNREGISTERED, "asset register".to_owned(), (first, now));
        Concluded { count, evidence: told, ..found }
    });
    let alone = if many { Vec::new() } else { strangers };
    together.into_iter().chain(alone.into_iter().map(move |it| stranger(&it, now)))
}

/// Returns the computers, and what nobody can tell from one, that are seen at the site for a while and are on nobody's books.
fn strangers(estate: &Estate, state: &SiteState, now: Timestamp) -> Vec<Arc<Endpoint>> {
    let known = terminals::of_site(estate, state, now);
    let booked: BTreeSet<EndpointId> = known
        .terminals
        .iter()
        .filter(|terminal| !known.assets_of(terminal).is_empty())
        .flat_map(|terminal| terminal.endpoints.iter().copied())
        .collect();
    let stays = |it: &Endpoint| {
        let (Some(first), Some(last)) = (it.first_seen(), it.last_seen()) else { return false };
        // Who was there for a moment is there no more, whatever time passes.
        it.is_current() && now.ms_since(last) < LATELY_MS && last.ms_since(first) >= STAYED_MS
    };
    let is_computer = |it: &Endpoint| it.conclusion().class.is_none_or(|class| class.is.is_computer());
    let all = state.visible_endpoints().filter(|it| !booked.contains(&it.id) && stays(it) && is_computer(it));
    all.cloned().collect()
}

fn stranger(endpoint: &Endpoint, now: Timestamp) -> Concluded {
    let first = endpoint.first_seen().unwrap_or(now);
    let mut told = Vec::new();
    let ips: Vec<String> = endpoint.current_addresses().map(|it| it.ip.to_string()).take(NAMED_MAX).collect();
    if !ips.is_empty() {
        told.push(evidence("ip", ips.join(", ")));
    }
    told.extend(endpoint.hostname().map(|name| evidence("name", name)));
    told.push(evidence("endpoint", endpoint.id));
    Concluded { evidence: told, ..concluded(&centre::UNREGISTERED, endpoint.mac.to_string(), (first, now)) }
}

/// Takes note that an anomaly of a site is told, and tells where the same spreads over several.
pub(super) fn spread(draft: &mut Draft<'_>, known: Option<&Anomaly>, anomaly: &Anomaly) {
    let Some(port) = swept(anomaly) else { return };
    // What goes on is looked at again as often as it is told.
    if known.is_some_and(|known| anomaly.last.ms_since(known.last) < STAYED_MS) {
        return;
    }
    let found = sweepers(&draft.next, port, draft.record.time);
    if found.len() < draft.policy.concluding.worm_sites {
        return;
    }
    let now = draft.record.time;
    let Some(above) = above_all(&draft.next, found.keys().copied(), now) else { return };
    let name = |site: &SiteId| draft.next.tree.get(*site).map_or_else(String::new, |it| it.name(now).zh.clone());
    let names: Vec<String> = found.keys().take(NAMED_MAX).map(name).collect();
    let (first, last) =
        found.values().fold((now, Timestamp::EPOCH), |(first, last), (from, to, _)| (first.min(*from), last.max(*to)));
    let sweeps: usize = found.values().map(|(_, _, sweeps)| sweeps).sum();
    let grade = if found.len() >= GRAVE_SITES { Severity::Extraordinary } else { centre::WORM_SPREAD.grade };
    let told = vec![
        evidence("port", port),
        evidence("sites", format_args!("{}: {}", found.len(), names.join("、"))),
        evidence("sweeps", sweeps),
    ];
    let count = u64::try_from(sweeps).unwrap_or(u64::MAX);
    let spread = concluded(&centre::WORM_SPREAD, port.to_owned(), (first, last));
    anomalies::concluded(draft, above, Concluded { grade, count, evidence: told, ..spread });
}

/// Returns the port that is swept, where an anomaly is of that.
fn swept(anomaly: &Anomaly) -> Option<&str> {
    match anomaly.key.kind.as_str() {
        "worm" => Some(&anomaly.key.subject),
        "sweep" => anomaly.evidence.iter().find(|it| it.is == "port").map(|it| it.value.as_str()),
        _ => None,
    }
}

/// Returns the sites at which a port was swept lately: since when, until when, and by how many.
fn sweepers(estate: &Estate, port: &str, now: Timestamp) -> BTreeMap<SiteId, (Timestamp, Timestamp, usize)> {
    let mut found = BTreeMap::new();
    for state in estate.sites.values() {
        let of_kind = |kind: &'static str| {
            let first = AnomalyKey { kind: kind.to_owned(), subject: String::new() };
            state.anomalies.range(first..).map(|(_, it)| it).take_while(move |it| it.key.kind == kind)
        };
        let is_of = |it: &&Arc<Anomaly>| swept(it) == Some(port) && now.ms_since(it.last) < SPREAD_MS;
        for it in of_kind("sweep").chain(of_kind("worm")).filter(is_of) {
            let (first, last, count) = found.entry(state.id).or_insert((it.first, it.last, 0_usize));
            (*first, *last, *count) = ((*first).min(it.first), (*last).max(it.last), *count + 1);
        }
    }
    found
}

/// Returns the lowest site that is above all of these, or one of them.
fn above_all(estate: &Estate, mut sites: impl Iterator<Item = SiteId>, now: Timestamp) -> Option<SiteId> {
    let path = |site| estate.tree.path(site, now).into_iter().map(|it| it.id).collect::<Vec<_>>();
    let first = sites.next()?;
    let mut common = path(first);
    for site in sites {
        let other = path(site);
        let same = common.iter().zip(&other).take_while(|(one, two)| one == two).count();
        common.truncate(same);
    }
    // Of what has no top in common, it is told of the first.
    Some(common.last().copied().unwrap_or(first))
}
