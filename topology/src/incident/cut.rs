//! What is out of reach, and by which cause: from the top down, once through the country.
//!
//! Invariant: a site is out of reach only when every way up of it is, and nothing shows that it is reached. Whose own way
//! failed has a cause; whoever is out of reach by somebody else's is a consequence of that.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AT_ONCE_MS, BREAK_AT_ONCE_MS, COMMON_CAUSE_LINKS_MIN, Cause, Clue, Contact, Explanation, HOLD_DOWN_MS,
    ISOLATED_AGENTS_MIN, ISOLATED_PERCENT, IncidentKind, ProbeState, START_GRACE_MS, STREAM_OUTLIVES_MS, State,
    Subject, Verdicts, WayUp,
    country::{At, Country},
    links::Judged,
};
use crate::{AgentId, Timestamp};

/// Which causes keep a site out of reach: by place in [`Verdicts::causes`]. Empty for a site that is not.
#[derive(Debug, Default, Clone)]
pub(super) struct Reach {
    pub(super) by: BTreeSet<usize>,
    /// Whether that comes and goes.
    pub(super) flapping: bool,
}

/// Returns the cause when the centre itself is cut off: nearly all agents were lost within a few seconds, and no agent that
/// is still heard sees a failure that would explain it.
pub(super) fn isolation(country: &Country<'_>) -> Option<Cause> {
    if country.now.ms_since(country.evidence.started) < START_GRACE_MS {
        return None;
    }
    let lost = |contact: Contact| match contact {
        Contact::Lost(since) | Contact::Silent(since) => Some(since),
        Contact::Never | Contact::Heard(_) => None,
    };
    let newest = country.agents.iter().filter_map(|agent| lost(agent.contact)).max()?;
    let at_once = |since: Timestamp| newest.ms_since(since) <= BREAK_AT_ONCE_MS;
    let cluster: Vec<(AgentId, Timestamp)> = country
        .agents
        .iter()
        .filter_map(|agent| Some((agent.id, lost(agent.contact).filter(|it| at_once(*it))?)))
        .collect();
    let heard = country.agents.iter().filter(|agent| matches!(agent.contact, Contact::Heard(_))).count();
    let of = cluster.len() + heard;
    if cluster.len() < ISOLATED_AGENTS_MIN || cluster.len() * 100 < of * ISOLATED_PERCENT {
        return None;
    }
    let told = || country.ways.iter().flat_map(|way| &way.told);
    // A failure that a probe sees explains it, and so does one that it saw and that is over: they are on their way back.
    let first = cluster.iter().map(|(_, since)| *since).min()?;
    if told().any(|probe| probe.state == ProbeState::Down || probe.since >= first) {
        return None;
    }
    // Whoever is still heard gets time to see a failure.
    let hold = if heard > 0 { STREAM_OUTLIVES_MS } else { HOLD_DOWN_MS };
    let root = country.places.first()?;
    let mut cause = Cause::new(IncidentKind::CentreIsolated, Subject::Centre, root.id, first);
    cause.due = newest.plus_ms(hold);
    cause.possible.insert(Explanation::CentreCutOff);
    cause.bear_out([Clue::AgentsLostAtOnce { lost: cluster.len(), of }]);
    cause.bear_out(told().map(|probe| Clue::ProbeAnswered {
        agent: probe.teller,
        from_above: true,
        since: probe.since,
        degraded: probe.state == ProbeState::Degraded,
    }));
    cause.agents = cluster.into_iter().map(|(agent, _)| agent).collect();
    (cause.due <= country.now || heard == 0).then_some(cause)
}

/// Fills in that nothing can be told, since the centre is cut off.
pub(super) fn all_unknown(country: &Country<'_>, cause: Cause, verdicts: &mut Verdicts) {
    verdicts.isolated = true;
    for place in &country.places {
        let state = if place.shown.is_some() { State::Up } else { State::Unknown };
        verdicts.sites.insert(place.id, state);
    }
    for way in &country.ways {
        let ends = (country.places[way.child].id, country.places[way.parent].id);
        verdicts.links.insert(ends, WayUp { state: State::Unknown, since: None });
    }
    for agent in &country.agents {
        let heard = matches!(agent.contact, Contact::Heard(_));
        verdicts.agents.insert(agent.id, if heard { State::Up } else { State::Unknown });
    }
    verdicts.devices = country.devices.iter().map(|it| (it.id, State::Unknown)).collect();
    verdicts.interfaces = country.evidence.interfaces.iter().map(|it| (it.id, State::Unknown)).collect();
    verdicts.services = country.evidence.services.iter().map(|it| (it.name.clone(), State::Unknown)).collect();
    verdicts.causes.push(cause);
    verdicts.finish(country);
}

/// Goes through the country from the top and returns by which causes each site is out of reach.
pub(super) fn spread(country: &Country<'_>, ways: &[Judged], verdicts: &mut Verdicts) -> Vec<Reach> {
    let common = common_causes(country, ways, verdicts);
    let mut reach: Vec<Reach> = vec![Reach::default(); country.places.len()];
    for (at, place) in country.places.iter().enumerate() {
        let failed: Vec<usize> = place.ways.iter().copied().filter(|way| ways[*way].state == State::Down).collect();
        let blocked = |way: &usize| {
            let above = country.ways[*way].parent;
            matches!(ways[*way].state, State::Down | State::Flapping) || !reach[above].by.is_empty()
        };
        let cut = !place.ways.is_empty() && place.shown.is_none() && place.ways.iter().all(blocked);
        let mut by = BTreeSet::new();
        let mut flapping = false;
        let own: Vec<usize> = failed.iter().copied().filter(|way| !common.contains_key(way)).collect();
        by.extend(failed.iter().filter_map(|way| common.get(way).copied()));
        if let Some(cause) = own_cause(country, ways, at, &own, cut) {
            by.insert(verdicts.causes.len());
            verdicts.causes.push(cause);
        }
        for way in place.ways.iter().copied().filter(|way| ways[*way].state != State::Down) {
            if let Some(cause) = bad_way(country, ways, way) {
                flapping |= ways[way].state == State::Flapping;
                if ways[way].state == State::Flapping {
                    by.insert(verdicts.causes.len());
                }
                verdicts.causes.push(cause);
            }
        }
        if !cut {
            continue;
        }
        for way in &place.ways {
            let above = &reach[country.ways[*way].parent];
            by.extend(&above.by);
            flapping |= above.flapping;
        }
        for cause in &by {
            consequences(country, at, &mut verdicts.causes[*cause]);
        }
        reach[at] = Reach { by, flapping };
    }
    reach
}

/// Finds sites whose ways down failed all at once: that is one failure at the site, not one of each line.
fn common_causes(country: &Country<'_>, ways: &[Judged], verdicts: &mut Verdicts) -> BTreeMap<usize, usize> {
    let mut below: BTreeMap<At, Vec<usize>> = BTreeMap::new();
    for (number, way) in country.ways.iter().enumerate() {
        below.entry(way.parent).or_default().push(number);
    }
    let mut common = BTreeMap::new();
    for (at, down) in below {
        let times: Vec<Timestamp> =
            down.iter().filter(|way| ways[**way].state == State::Down).filter_map(|way| ways[*way].since).collect();
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { continue };
        let all = times.len() == down.len() && times.len() >= COMMON_CAUSE_LINKS_MIN;
        if !all || last.ms_since(*first) > BREAK_AT_ONCE_MS {
            continue;
        }
        let place = &country.places[at];
        let mut cause = Cause::new(IncidentKind::LinkDown, Subject::Site(place.id), place.id, *first);
        cause.due = down.iter().map(|way| ways[*way].due).max().unwrap_or(*first);
        cause.possible = BTreeSet::from([Explanation::UpperEquipment, Explanation::UplinkCut]);
        cause.bear_out([Clue::WaysFailedAtOnce { ways: down.len() }]);
        for way in &down {
            cause.covers.insert(link(country, *way));
            cause.bear_out(ways[*way].speaks_for.iter().cloned());
            common.insert(*way, verdicts.causes.len());
        }
        verdicts.causes.push(cause);
    }
    common
}

fn link(country: &Country<'_>, way: usize) -> Subject {
    let way = &country.ways[way];
    Subject::Link { child: country.places[way.child].id, parent: country.places[way.parent].id }
}

/// Returns the cause that a site's own failed ways are.
fn own_cause(country: &Country<'_>, ways: &[Judged], at: At, failed: &[usize], cut: bool) -> Option<Cause> {
    let place = &country.places[at];
    let since = failed.iter().filter_map(|way| ways[*way].since).max()?;
    let mut cause = match failed {
        [way] => Cause::new(IncidentKind::LinkDown, link(country, *way), place.id, since),
        _ => Cause::new(IncidentKind::SiteCut, Subject::Site(place.id), place.id, since),
    };
    cause.due = failed.iter().map(|way| ways[*way].due).max().unwrap_or(since);
    for way in failed {
        cause.covers.insert(link(country, *way));
        cause.bear_out(ways[*way].speaks_for.iter().cloned());
        cause.contradict(ways[*way].speaks_against.iter().cloned());
    }
    cause.possible = failed.iter().flat_map(|way| ways[*way].possible.iter().copied()).collect();
    if cut {
        cause.covers.insert(Subject::Site(place.id));
        cause.covers.extend(
            country.agents_at(at).filter(|it| is_lost_since(it.contact, since)).map(|it| Subject::Agent(it.id)),
        );
        // Line and power look the same from above, until a machine says when it started.
        cause.possible.insert(Explanation::PowerCut);
    } else {
        cause.contradict(place.shown.clone());
    }
    Some(cause)
}

/// Returns the cause that a way is which is not down, and not right either.
fn bad_way(country: &Country<'_>, ways: &[Judged], way: usize) -> Option<Cause> {
    let judged = &ways[way];
    if !matches!(judged.state, State::Degraded | State::Flapping) {
        return None;
    }
    let place = &country.places[country.ways[way].child];
    let mut cause = Cause::new(IncidentKind::LinkDegraded, link(country, way), place.id, judged.since?);
    cause.due = judged.due;
    cause.possible.clone_from(&judged.possible);
    cause.bear_out(judged.speaks_for.iter().cloned());
    cause.contradict(judged.speaks_against.iter().cloned());
    Some(cause)
}

/// Returns whether an agent was lost when something failed at `since`, and not long before.
pub(super) fn is_lost_since(contact: Contact, since: Timestamp) -> bool {
    match contact {
        Contact::Lost(lost) | Contact::Silent(lost) => lost >= since.plus_ms(-AT_ONCE_MS),
        Contact::Never | Contact::Heard(_) => false,
    }
}

/// Adds a site that is out of reach to its cause, with its agents and devices.
fn consequences(country: &Country<'_>, at: At, cause: &mut Cause) {
    cause.sites.insert(country.places[at].id);
    let cut = cause.since;
    for agent in country.agents_at(at).filter(|agent| is_lost_since(agent.contact, cut)) {
        cause.agents.insert(agent.id);
        if let Contact::Lost(since) | Contact::Silent(since) = agent.contact {
            cause.bear_out([Clue::AgentLost { agent: agent.id, since }]);
        }
    }
    let unseen = country.devices_at(at).filter(|device| device.answers.iter().all(|it| !country.is_heard(it.0)));
    cause.devices.extend(unseen.map(|device| device.id));
}

/// Fills in the states of sites, ways, agents, and when machines started.
pub(super) fn states(country: &Country<'_>, ways: &[Judged], reach: &[Reach], verdicts: &mut Verdicts) {
    let troubled: BTreeSet<_> =
        verdicts.causes.iter().filter(|it| it.due <= country.now).map(|cause| cause.site).collect();
    for (at, place) in country.places.iter().enumerate() {
        let above = |way: &usize| ways[*way].measured_above && ways[*way].state == State::Up;
        let state = if !reach[at].by.is_empty() {
            if reach[at].flapping { State::Flapping } else { State::Down }
        } else if place.shown.is_some() || place.ways.iter().any(above) {
            if troubled.contains(&place.id) { State::Degraded } else { State::Up }
        } else {
            State::Unknown
        };
        verdicts.sites.insert(place.id, state);
        // What is known of a machine that is not heard is from before.
        let heard = country.agents_at(at).filter(|agent| matches!(agent.contact, Contact::Heard(_)));
        let booted = heard.filter_map(|agent| agent.booted).max();
        verdicts.started.extend(booted.map(|booted| (place.id, booted)));
    }
    for (number, way) in country.ways.iter().enumerate() {
        let ends = (country.places[way.child].id, country.places[way.parent].id);
        verdicts.links.insert(ends, WayUp { state: ways[number].state, since: ways[number].since });
    }
    for agent in &country.agents {
        let stopped = verdicts.stopped.contains(&agent.id);
        let state = match agent.contact {
            Contact::Heard(_) => State::Up,
            Contact::Silent(_) | Contact::Lost(_) if stopped => State::Down,
            _ => State::Unknown,
        };
        verdicts.agents.insert(agent.id, state);
    }
}
