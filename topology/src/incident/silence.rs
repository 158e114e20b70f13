//! Agents that say nothing, where no cut explains it.
//!
//! Invariant: silence is the agent's own until something shows that its site is cut; what may be behind it is said, and so
//! is that it could not be told apart. A site that is silent with everything that hangs on it is one cause. Where somebody
//! still reaches the site, a stream that broke and did not come back is enough; elsewhere only a long silence is.

use std::collections::BTreeSet;

use super::{
    AT_ONCE_MS, Cause, Clue, Contact, Explanation, IncidentKind, RECONNECT_MS, STOPPED_MS, State, Subject, Verdicts,
    country::{At, Country},
    cut::{Reach, is_lost_since},
    evidence::AgentFact,
    links::Judged,
};
use crate::Timestamp;

/// Adds the causes that are silent agents.
pub(super) fn judge(
    country: &Country<'_>,
    ways: &[Judged],
    reach: &[Reach],
    restored: &[Timestamp],
    verdicts: &mut Verdicts,
) {
    // By which silent site above each site is explained.
    let mut dark: Vec<Option<usize>> = vec![None; country.places.len()];
    for at in 0..country.places.len() {
        if !reach[at].by.is_empty() {
            silent_before(country, at, &reach[at], verdicts);
            continue;
        }
        dark[at] = above(country, at, &dark, verdicts);
        let known: Vec<&AgentFact> =
            country.agents_at(at).filter(|agent| !matches!(agent.contact, Contact::Never)).collect();
        let reached = is_reached(country, ways, at);
        let silent: Vec<&AgentFact> =
            known.iter().copied().filter(|agent| is_silent(agent.contact, reached, country.now)).collect();
        if silent.is_empty() {
            continue;
        }
        if let Some(cause) = dark[at] {
            verdicts.causes[cause].sites.insert(country.places[at].id);
            verdicts.causes[cause].agents.extend(silent.iter().map(|agent| agent.id));
            continue;
        }
        if silent.len() < known.len() {
            for agent in silent {
                let cause = of_agent(country, at, agent).after(restored[at]);
                stopped(&cause, verdicts);
                verdicts.causes.push(cause);
            }
            continue;
        }
        let cause = of_site(country, ways, at, &silent).after(restored[at]);
        if cause.possible.len() == 1 {
            stopped(&cause, verdicts);
        } else if country.places[at].shown_below.is_none() {
            dark[at] = Some(verdicts.causes.len());
        }
        verdicts.causes.push(cause);
    }
}

impl Cause {
    /// What was lost before there was a way to it gets time to come back.
    pub(super) fn after(mut self, restored: Timestamp) -> Self {
        if self.since <= restored {
            self.due = restored.plus_ms(RECONNECT_MS);
        }
        self
    }
}

/// Notes that a cause's agents have stopped, as soon as that is to be told of.
fn stopped(cause: &Cause, verdicts: &mut Verdicts) {
    if cause.due <= verdicts.at {
        verdicts.stopped.extend(&cause.agents);
    }
}

/// Returns since when there is a way to each site, by the newest good news of those above it: agents come back after that, and so
/// do routers whose failure had cut them off.
pub(super) fn restored(country: &Country<'_>, ways: &[Judged]) -> Vec<Timestamp> {
    let mut restored = vec![country.evidence.hearing_since; country.places.len()];
    for (at, place) in country.places.iter().enumerate() {
        for way in &place.ways {
            let good = matches!(ways[*way].state, State::Up | State::Degraded);
            // A site that is back tells of its own old failure first: what came back since is news, whatever the way is called.
            let since = ways[*way].since.max(ways[*way].answered).filter(|_| good).unwrap_or(Timestamp::EPOCH);
            restored[at] = restored[at].max(since).max(restored[country.ways[*way].parent]);
        }
    }
    restored
}

/// Returns whether somebody reaches the site at this moment: another agent of it is heard, or a probe from above is answered.
fn is_reached(country: &Country<'_>, ways: &[Judged], at: At) -> bool {
    let heard = country.agents_at(at).any(|agent| matches!(agent.contact, Contact::Heard(_)));
    let mut over = country.places[at].ways.iter().map(|way| &ways[*way]);
    heard || over.any(|it| it.measured_above && it.state == State::Up)
}

fn is_silent(contact: Contact, reached: bool, now: Timestamp) -> bool {
    match contact {
        Contact::Silent(_) => true,
        Contact::Lost(since) => reached && now.ms_since(since) >= STOPPED_MS,
        Contact::Never | Contact::Heard(_) => false,
    }
}

fn lost(agent: &AgentFact) -> Timestamp {
    match agent.contact {
        Contact::Lost(since) | Contact::Silent(since) | Contact::Heard(since) => since,
        Contact::Never => Timestamp::EPOCH,
    }
}

/// Returns the silent site above that explains this one: all ways up lead to it, and it was not silent much later.
fn above(country: &Country<'_>, at: At, dark: &[Option<usize>], verdicts: &Verdicts) -> Option<usize> {
    let mut ways = country.places[at].ways.iter().map(|way| dark[country.ways[*way].parent]);
    let cause = ways.next()??;
    let since = verdicts.causes[cause].since;
    let at_once = country.agents_at(at).all(|agent| match agent.contact {
        Contact::Lost(_) | Contact::Silent(_) => is_lost_since(agent.contact, since),
        Contact::Heard(_) => false,
        Contact::Never => true,
    });
    (at_once && ways.all(|other| other == Some(cause))).then_some(cause)
}

/// Adds agents that were silent well before their site was cut: the cut is not why.
fn silent_before(country: &Country<'_>, at: At, reach: &Reach, verdicts: &mut Verdicts) {
    let Some(since) = reach.by.iter().map(|cause| verdicts.causes[*cause].since).min() else { return };
    let before = country
        .agents_at(at)
        .filter(|agent| matches!(agent.contact, Contact::Silent(lost) if since.ms_since(lost) > AT_ONCE_MS));
    for agent in before {
        let mut cause = of_agent(country, at, agent);
        cause.possible = BTreeSet::from([Explanation::AgentStopped, Explanation::PowerCut, Explanation::UplinkCut]);
        verdicts.causes.push(cause);
    }
}

fn of_agent(country: &Country<'_>, at: At, agent: &AgentFact) -> Cause {
    let place = &country.places[at];
    let mut cause = Cause::new(IncidentKind::AgentSilent, Subject::Agent(agent.id), place.id, lost(agent));
    cause.possible.insert(Explanation::AgentStopped);
    cause.agents.insert(agent.id);
    cause.bear_out([Clue::AgentLost { agent: agent.id, since: lost(agent) }]);
    cause.bear_out(place.shown.clone());
    cause
}

/// Returns the cause that all of a site's agents are silent.
fn of_site(country: &Country<'_>, ways: &[Judged], at: At, silent: &[&AgentFact]) -> Cause {
    let place = &country.places[at];
    let since = silent.iter().map(|agent| lost(agent)).max().unwrap_or(country.now);
    let subject = match silent {
        [agent] => Subject::Agent(agent.id),
        _ => Subject::Site(place.id),
    };
    let mut cause = Cause::new(IncidentKind::AgentSilent, subject, place.id, since);
    cause.covers.insert(Subject::Site(place.id));
    for way in &place.ways {
        let parent = country.places[country.ways[*way].parent].id;
        cause.covers.insert(Subject::Link { child: place.id, parent });
    }
    for agent in silent {
        cause.covers.insert(Subject::Agent(agent.id));
        cause.agents.insert(agent.id);
        cause.bear_out([Clue::AgentLost { agent: agent.id, since: lost(agent) }]);
    }
    let measured: Vec<&Judged> =
        place.ways.iter().map(|way| &ways[*way]).filter(|it| it.measured_above && it.state != State::Unknown).collect();
    let answered = measured.iter().any(|it| matches!(it.state, State::Up | State::Degraded));
    cause.possible.insert(Explanation::AgentStopped);
    if place.shown.is_some() || answered {
        // Somebody still reaches the site, so that it is the agents alone.
        cause.bear_out(place.shown.clone());
        cause.bear_out(measured.iter().flat_map(|it| it.speaks_for.iter().cloned()));
    } else if place.ways.is_empty() {
        cause.possible.insert(Explanation::PowerCut);
    } else {
        cause.possible.extend([Explanation::UplinkCut, Explanation::PowerCut]);
        if measured.is_empty() {
            cause.bear_out([Clue::NobodyMeasures]);
        }
    }
    cause
}
