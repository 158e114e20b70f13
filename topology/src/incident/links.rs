//! What is concluded of each way up by itself, from the probes over it and from whoever is heard behind it.
//!
//! Invariant: a way is down only by a failed probe that nothing contradicts. That a site behind it is heard contradicts it
//! where the way is the site's only one, as soon as the stream cannot be a leftover. An agent that comes back after a failure
//! above it is heard out before what it tells of the ways below is a failure of theirs.

use std::collections::BTreeSet;

use super::{
    BAD_HOLD_DOWN_MS, CONTRADICTED_MS, Clue, Contact, Explanation, HEARD_OUT_MS, HOLD_DOWN_MS, ProbeFact, ProbeState,
    ProbeTarget, STREAM_OUTLIVES_MS, Side, State, Subject,
    country::{Country, Way},
};
use crate::Timestamp;

/// What is concluded of a way up.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) state: State,
    pub(super) since: Option<Timestamp>,
    /// Since when the probe answers that began to last, or, while none does, since when somebody behind the way is heard; not of
    /// [`Judged::since`] where an older failure is still told.
    pub(super) answered: Option<Timestamp>,
    /// From when it is to be told of.
    pub(super) due: Timestamp,
    pub(super) possible: BTreeSet<Explanation>,
    pub(super) speaks_for: Vec<Clue>,
    pub(super) speaks_against: Vec<Clue>,
    /// Whether somebody measures it from above at present.
    pub(super) measured_above: bool,
}

/// Returns what is concluded of each of [`Country::ways`].
pub(super) fn judge(country: &Country<'_>) -> Vec<Judged> {
    country.ways.iter().map(|way| judge_way(country, way)).collect()
}

/// What is told of a way, sorted out.
struct Told {
    failed_above: Option<Timestamp>,
    failed_below: Option<Timestamp>,
    degraded: Option<Timestamp>,
    up: Option<Timestamp>,
    /// Since when the probe answers that began to last, well or badly, or somebody is heard while none does.
    answered: Option<Timestamp>,
    failures: Vec<Clue>,
    /// Whether all that fails is what an agent would answer that is not heard either.
    agents_only: bool,
    answers: Vec<Clue>,
    measured_above: bool,
}

fn judge_way(country: &Country<'_>, way: &Way<'_>) -> Judged {
    let (child, parent) = (&country.places[way.child], &country.places[way.parent]);
    let only_way = child.ways.len() == 1;
    let heard = if only_way { child.shown_below.clone() } else { None };
    let mut told = sort_out(country, way, heard.is_some());
    // An agent may be back before the probe says that the way is: whoever is behind it comes back from then on.
    told.answered = told.answered.or(if only_way { child.heard_below } else { None });
    let subject = Subject::Link { child: child.id, parent: parent.id };
    if country.evidence.flapping.contains(&subject) {
        return flapping(told, heard);
    }
    let answered = told.up.is_some() || told.degraded.is_some() || heard.is_some();
    let mut judged = match (told.failed_above, told.failed_below) {
        (Some(since), _) if !answered => failed(told, since, since.plus_ms(HOLD_DOWN_MS)),
        (Some(since), _) => contradicted(country, told, since, heard),
        (None, Some(since)) => failed_from_below(country, way, told, since, only_way),
        (None, None) => answered_or_unknown(told, heard),
    };
    judged.due = judged.due.max(bad_news_from(country, way));
    judged
}

/// Returns from when on it is news that the way is bad, by whoever tells that first. What failed while the upper site was out of reach
/// itself was that site's failure, whoever tells of it.
fn bad_news_from(country: &Country<'_>, way: &Way<'_>) -> Timestamp {
    let upper = country.heard_first(way.parent);
    let news = |it: &ProbeFact| {
        let told = country.news_from(it.teller, it.since, HEARD_OUT_MS);
        upper.map_or(told, |(_, upper)| told.max(country.news_from(upper, it.since, HEARD_OUT_MS)))
    };
    let bad = way.told.iter().filter(|it| it.state != ProbeState::Up);
    bad.map(|it| news(it)).min().unwrap_or(Timestamp::EPOCH)
}

fn side(probe: &ProbeFact) -> Side {
    match probe.target {
        ProbeTarget::Way { side, .. } => side,
        _ => Side::Below,
    }
}

/// Returns whether a probe fails that an agent would answer which is not heard: the way need not be why.
fn fails_with_agent(country: &Country<'_>, way: &Way<'_>, probe: &ProbeFact) -> bool {
    let far = if side(probe) == Side::Above { way.child } else { way.parent };
    let gone = || !country.agents_at(far).any(|agent| matches!(agent.contact, Contact::Heard(_)));
    probe.by_agent && probe.state == ProbeState::Down && gone()
}

fn sort_out(country: &Country<'_>, way: &Way<'_>, heard: bool) -> Told {
    let with_agent = |probe: &&&ProbeFact| fails_with_agent(country, way, probe);
    let otherwise = heard || way.told.iter().any(|it| it.state != ProbeState::Down);
    let agents_only = way.told.iter().filter(|it| it.state == ProbeState::Down).all(|it| with_agent(&it));
    let told: Vec<&ProbeFact> = way.told.iter().filter(|it| !(otherwise && with_agent(it))).copied().collect();
    let least = |wanted: ProbeState, from: Option<Side>| {
        let all = told.iter().filter(|it| it.state == wanted && from.is_none_or(|from| side(it) == from));
        all.map(|it| it.since).min()
    };
    let clue = |probe: &&ProbeFact| Clue::ProbeAnswered {
        agent: probe.teller,
        from_above: side(probe) == Side::Above,
        since: probe.since,
        degraded: probe.state == ProbeState::Degraded,
    };
    let down = |probe: &&&ProbeFact| probe.state == ProbeState::Down;
    Told {
        failed_above: least(ProbeState::Down, Some(Side::Above)),
        failed_below: least(ProbeState::Down, Some(Side::Below)),
        degraded: least(ProbeState::Degraded, None),
        up: told.iter().filter(|it| it.state == ProbeState::Up).map(|it| it.since).max(),
        answered: told.iter().filter(|it| !down(it)).map(|it| it.since).max(),
        failures: told.iter().filter(down).map(|it| Clue::probe(it.teller, side(it), it.since)).collect(),
        answers: told.iter().filter(|it| !down(it)).map(clue).collect(),
        measured_above: told.iter().any(|it| side(it) == Side::Above),
        agents_only,
    }
}

fn failed(told: Told, since: Timestamp, due: Timestamp) -> Judged {
    Judged {
        state: State::Down,
        since: Some(since),
        answered: told.answered,
        due,
        possible: std::iter::once(Explanation::UplinkCut)
            .chain(told.agents_only.then_some(Explanation::AgentStopped))
            .collect(),
        speaks_for: told.failures,
        speaks_against: told.answers,
        measured_above: told.measured_above,
    }
}

/// A probe from above fails, and yet something is heard from behind: for a while both can be true of a cut.
fn contradicted(country: &Country<'_>, told: Told, since: Timestamp, heard: Option<Clue>) -> Judged {
    let leftover = country.now.ms_since(since) < STREAM_OUTLIVES_MS;
    Judged {
        state: if leftover { State::Unknown } else { State::Degraded },
        since: Some(since),
        answered: told.answered,
        due: since.plus_ms(CONTRADICTED_MS),
        possible: BTreeSet::from([Explanation::ProbesDropped]),
        speaks_for: told.failures,
        speaks_against: told.answers.into_iter().chain(heard).collect(),
        measured_above: told.measured_above,
    }
}

/// Only the lower site's own probe fails: either the way is cut and the site is heard by another one, or whoever should
/// answer up there does not.
fn failed_from_below(country: &Country<'_>, way: &Way<'_>, told: Told, since: Timestamp, only_way: bool) -> Judged {
    let teller = country.places[way.child].shown.clone();
    let upper_heard = country.places[way.parent].shown.clone();
    let settled = country.now.ms_since(since) >= STREAM_OUTLIVES_MS;
    let answered = told.up.is_some() || told.degraded.is_some();
    match upper_heard {
        Some(upper) if settled && !only_way && !answered => {
            let mut judged = failed(told, since, since.plus_ms(STREAM_OUTLIVES_MS));
            judged.speaks_for.push(upper);
            judged
        }
        Some(_) if settled => contradicted(country, told, since, teller),
        // Who should answer is silent itself, or it cannot be told yet: what comes through says that the way is there.
        _ => {
            let state = if only_way || answered { State::Up } else { State::Unknown };
            let mut judged = answered_or_unknown(told, teller.filter(|_| only_way));
            judged.state = state;
            judged
        }
    }
}

fn answered_or_unknown(told: Told, heard: Option<Clue>) -> Judged {
    let (state, since) = match (told.degraded, told.up, &heard) {
        (Some(since), ..) => (State::Degraded, Some(since)),
        (None, Some(since), _) => (State::Up, Some(since)),
        (None, None, Some(_)) => (State::Up, None),
        (None, None, None) => (State::Unknown, None),
    };
    Judged {
        state,
        since,
        answered: told.answered,
        due: since.unwrap_or(Timestamp::EPOCH).plus_ms(BAD_HOLD_DOWN_MS),
        possible: BTreeSet::from([Explanation::UplinkCut]),
        speaks_for: told.answers,
        speaks_against: heard.into_iter().collect(),
        measured_above: told.measured_above,
    }
}

fn flapping(told: Told, heard: Option<Clue>) -> Judged {
    let times = [told.failed_above, told.failed_below, told.degraded, told.up];
    let since = times.into_iter().flatten().min();
    let mut clues: Vec<Clue> = told.failures.into_iter().chain(told.answers).collect();
    clues.push(Clue::Flapping);
    Judged {
        state: State::Flapping,
        since,
        answered: told.answered,
        due: since.unwrap_or(Timestamp::EPOCH),
        possible: BTreeSet::from([Explanation::UplinkCut]),
        speaks_for: clues,
        speaks_against: heard.into_iter().collect(),
        measured_above: told.measured_above,
    }
}
