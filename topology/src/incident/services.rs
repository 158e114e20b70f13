//! Services: which of them are bad, for whom, and whether a broken line explains it.
//!
//! Invariant: a check that fails from behind a broken way is that way's consequence, and no cause. What only silent agents check is
//! unknown. Whether a service or the way to it is broken is concluded from who else can use it, never guessed: what one site
//! alone sees may be either.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    AT_ONCE_MS, Cause, Clue, Explanation, IncidentKind, ProbeState, RECONNECT_MS, SERVICE_HOLD_DOWN_MS, ServiceFact,
    State, Subject, Verdicts,
    country::{At, Country},
};
use crate::SiteId;

/// Broken ways, by the lower site: the causes that say so.
type Broken = HashMap<At, Vec<usize>>;

/// Adds what is wrong with services.
pub(super) fn judge(country: &Country<'_>, verdicts: &mut Verdicts) {
    let mut by_name: BTreeMap<_, BTreeSet<&ServiceFact>> = BTreeMap::new();
    for check in &country.evidence.services {
        let told = by_name.entry(check.name.clone()).or_default();
        if country.is_heard(check.teller) {
            told.insert(check);
        }
    }
    let broken = broken(country, verdicts);
    for (name, told) in by_name {
        verdicts.services.insert(name.clone(), state(&told));
        let mut unexplained = Vec::new();
        for check in told.iter().filter(|it| it.state != ProbeState::Up) {
            let causes = explained_by(country, &broken, verdicts, check);
            for cause in &causes {
                verdicts.causes[*cause].bear_out([clue(check)]);
            }
            if causes.is_empty() {
                unexplained.push(*check);
            }
        }
        let Some(since) = unexplained.iter().map(|it| it.since).min() else { continue };
        // Filed where it is seen from, the highest site first.
        let Some(site) = unexplained.iter().filter_map(|it| place(country, it)).min() else { continue };
        let is_down = unexplained.iter().any(|it| it.state == ProbeState::Down);
        let kind = if is_down { IncidentKind::ServiceDown } else { IncidentKind::ServiceDegraded };
        let mut cause = Cause::new(kind, Subject::Service(name), country.places[site].id, since);
        // Who comes back from behind a broken line has not asked again yet.
        let news = unexplained.iter().map(|it| country.news_from(it.teller, it.since, RECONNECT_MS)).min();
        cause.due = since.plus_ms(SERVICE_HOLD_DOWN_MS).max(news.unwrap_or(since));
        cause.possible = possible(country, &told, &unexplained, is_down);
        cause.bear_out(unexplained.iter().map(|it| clue(it)));
        cause.contradict(told.iter().filter(|it| it.state == ProbeState::Up).map(|it| clue(it)));
        verdicts.causes.push(cause);
    }
}

fn state(told: &BTreeSet<&ServiceFact>) -> State {
    let bad = told.iter().filter(|it| it.state != ProbeState::Up).count();
    let down = told.iter().filter(|it| it.state == ProbeState::Down).count();
    match (told.len(), bad) {
        (0, _) => State::Unknown,
        (_, 0) => State::Up,
        (all, _) if down == all => State::Down,
        _ => State::Degraded,
    }
}

fn clue(check: &ServiceFact) -> Clue {
    Clue::ServiceChecked { agent: check.teller, good: check.state == ProbeState::Up, since: check.since }
}

/// Returns what may be behind checks that fail.
fn possible(
    country: &Country<'_>,
    told: &BTreeSet<&ServiceFact>,
    bad: &[&ServiceFact],
    is_down: bool,
) -> BTreeSet<Explanation> {
    let sites: BTreeSet<At> = bad.iter().filter_map(|it| place(country, it)).collect();
    if told.iter().any(|it| it.state == ProbeState::Up) {
        BTreeSet::from([Explanation::WayToService])
    } else if is_down && sites.len() < 2 {
        BTreeSet::from([Explanation::Itself, Explanation::WayToService])
    } else {
        BTreeSet::from([Explanation::Itself])
    }
}

fn place(country: &Country<'_>, check: &ServiceFact) -> Option<At> {
    country.at(country.agent(check.teller)?.site)
}

/// Returns the ways that are broken.
fn broken(country: &Country<'_>, verdicts: &Verdicts) -> Broken {
    let mut broken = Broken::new();
    for (number, cause) in verdicts.causes.iter().enumerate() {
        if !matches!(cause.kind, IncidentKind::LinkDown | IncidentKind::LinkDegraded | IncidentKind::SiteCut) {
            continue;
        }
        let lower: BTreeSet<SiteId> = cause.covers.iter().filter_map(lower).collect();
        for at in lower.into_iter().filter_map(|site| country.at(site)) {
            broken.entry(at).or_default().push(number);
        }
    }
    broken
}

const fn lower(subject: &Subject) -> Option<SiteId> {
    match subject {
        Subject::Link { child, .. } => Some(*child),
        Subject::Site(site) => Some(*site),
        _ => None,
    }
}

/// Returns the causes that explain a failed check: ways between the teller and the service that broke no later than it.
fn explained_by(country: &Country<'_>, broken: &Broken, verdicts: &Verdicts, check: &ServiceFact) -> Vec<usize> {
    let Some(teller) = place(country, check) else { return Vec::new() };
    // A service of which nobody said where it stands is taken to be above all.
    let stands = check.at.and_then(|site| country.at(site));
    let (from, to) = (above(country, Some(teller)), above(country, stands));
    let crossed = from.symmetric_difference(&to).filter_map(|at| broken.get(at)).flatten().copied();
    crossed.filter(|cause| verdicts.causes[*cause].since.ms_since(check.since) <= AT_ONCE_MS).collect()
}

/// Returns a site and all above it.
fn above(country: &Country<'_>, at: Option<At>) -> BTreeSet<At> {
    let mut all = BTreeSet::new();
    let mut next: Vec<At> = at.into_iter().collect();
    while let Some(at) = next.pop() {
        if all.insert(at) {
            next.extend(country.places[at].ways.iter().map(|way| country.ways[*way].parent));
        }
    }
    all
}
