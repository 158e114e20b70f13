//! How far ways and sites are available: what ticks conclude, what batches measured, and days that are settled.
//!
//! Invariant: a turn is kept when it happens and at no other time, dated by the evidence. While the centre did not run,
//! nothing was concluded: that time is unknown until something measured tells.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use onenet_topology::{
    AgentId, ProbeTest, SiteId, Timestamp,
    availability::{Figures, MeasuredDay, Quality, Standing, Timeline, windows},
    coverage::Day,
    fact::{FactBody, HistoryBody, HistoryItem},
    incident::Verdicts,
};

use super::{Draft, incidents::probes_of, tick::is_turn};
use crate::{
    availability::{KEPT_DAYS, LATE_DAYS, Packed, Piece, SettledDay, Watched, open_day, way_of},
    estate::{Agent, Change, Estate},
};

/// Takes in what was concluded at this tick, and settles the days of sites whose turn it is.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let verdicts = draft.next.judging.get().verdicts.clone();
    if let Some(verdicts) = verdicts.filter(|verdicts| verdicts.at == now) {
        conclude(draft, &verdicts);
    }
    let turn = draft.next.availability.keys().map(|it| it.site).filter(|site| is_turn(*site, now));
    for site in turn.collect::<BTreeSet<SiteId>>() {
        settle(draft, site);
    }
}

fn conclude(draft: &mut Draft<'_>, verdicts: &Verdicts) {
    let now = verdicts.at;
    let cut = cut_since(verdicts);
    let sites = verdicts
        .sites
        .iter()
        .map(|(site, state)| (Watched { site: *site, to: None }, Standing::from(*state), cut.get(site).copied()));
    let ways = verdicts.links.iter().map(|((child, parent), way)| {
        (Watched { site: *child, to: Some(*parent) }, Standing::from(way.state), way.since)
    });
    let is_known = |watched: &Watched| match watched.to {
        None => verdicts.sites.contains_key(&watched.site),
        Some(parent) => verdicts.links.contains_key(&(watched.site, parent)),
    };
    let gone: Vec<Watched> = draft.next.availability.keys().filter(|it| !is_known(it)).copied().collect();
    let gone = gone.into_iter().map(|watched| (watched, Standing::Absent, None));
    let mut turned = Vec::new();
    for (watched, to, since) in sites.chain(ways).chain(gone) {
        let last = draft.next.availability.get(&watched).and_then(|kept| kept.concluded.last());
        if last.map_or(Standing::Absent, |last| last.to) != to {
            let since = since.or_else(|| (to == Standing::Unknown).then(|| told_until(&draft.next, watched)).flatten());
            turned.push((watched, to, since));
        }
    }
    for (watched, to, since) in turned {
        turn(draft, watched, |timeline| timeline.conclude(to, since, now));
    }
}

/// Returns since when sites are out of reach, by the causes of it.
fn cut_since(verdicts: &Verdicts) -> BTreeMap<SiteId, Timestamp> {
    let mut cut: BTreeMap<SiteId, Timestamp> = BTreeMap::new();
    for cause in &verdicts.causes {
        for site in &cause.sites {
            cut.entry(*site).and_modify(|since| *since = cause.since.max(*since)).or_insert(cause.since);
        }
    }
    cut
}

/// Returns until when anybody told something of a way or a site that nobody can tell of any more.
fn told_until(estate: &Estate, watched: Watched) -> Option<Timestamp> {
    let ends = [Some(watched.site), watched.to].into_iter().flatten();
    let agents = ends.flat_map(|site| estate.agents_of(site)).filter(|agent| agent.revoked.is_none());
    agents.filter(|agent| agent.contact.connected_since.is_none()).filter_map(|agent| agent.contact.last_heard).max()
}

fn turn(draft: &mut Draft<'_>, watched: Watched, change: impl FnOnce(&mut Timeline) -> bool) {
    let kept = draft.next.availability.get(&watched).map(|kept| Timeline::clone(&kept.concluded));
    let mut timeline = kept.unwrap_or_default();
    if change(&mut timeline) {
        draft.put(Change::Available { watched, piece: Piece::Concluded(Arc::new(timeline)) });
    }
}

/// Takes in that the centre starts: since the last record nobody listened.
pub(super) fn started(draft: &mut Draft<'_>) {
    let (since, now) = (draft.next.time, draft.record.time);
    let known = |it: &Timeline| it.last().is_some_and(|last| last.to != Standing::Absent);
    let all = draft.next.availability.iter().filter(|(_, kept)| known(&kept.concluded));
    let all: Vec<Watched> = all.map(|(watched, _)| *watched).collect();
    for watched in all {
        turn(draft, watched, |timeline| timeline.conclude(Standing::Unknown, Some(since), now));
    }
}

/// Takes in what a batch of samples measured of ways, however late it is.
pub(super) fn measured(draft: &mut Draft<'_>, agent: &Agent, items: &[HistoryItem]) {
    let now = draft.record.time;
    if !items.iter().any(|item| matches!(item.body, HistoryBody::Probe(_))) {
        return;
    }
    let ways = ways(&draft.next, agent.site, agent.id, now);
    let mut days: BTreeMap<(Watched, Day), MeasuredDay> = BTreeMap::new();
    for item in items {
        let HistoryBody::Probe(sample) = &item.body else { continue };
        // A test over the line, of ten seconds and more packets than otherwise, is no minute of it.
        if sample.test != ProbeTest::Regular {
            continue;
        }
        let Some(watched) = ways.get(&sample.name) else { continue };
        let mut is_first = true;
        for (day, first, until) in windows(item.time, sample.interval_ms) {
            let Some(measured) = open(&draft.next, &mut days, *watched, day, now) else { continue };
            measured.minutes.mark(first, until, sample);
            if std::mem::take(&mut is_first) {
                measured.quality.take(sample);
            }
        }
    }
    for ((watched, day), measured) in days {
        let measured = Some(Arc::new(measured));
        draft.put(Change::Available { watched, piece: Piece::Measured { day, measured } });
    }
}

/// Returns the ways between sites that an agent measures, by the names of its probes.
fn ways(estate: &Estate, site: SiteId, agent: AgentId, now: Timestamp) -> BTreeMap<String, Watched> {
    let Some(state) = estate.site(site) else { return BTreeMap::new() };
    let way = |held: crate::estate::Held| {
        let FactBody::Probe(probe) = &held.fact.body else { return None };
        let way = way_of(&estate.tree, site, probe, now)?;
        let is_way = estate.tree.parents(way.child, now).any(|above| above.id == way.parent);
        is_way.then(|| (probe.name.clone(), Watched { site: way.child, to: Some(way.parent) }))
    };
    probes_of(state, agent).filter_map(way).collect()
}

/// Returns what was measured on a day, to be added to; `None` where the day is settled, or was not yet.
fn open<'d>(
    estate: &Estate,
    days: &'d mut BTreeMap<(Watched, Day), MeasuredDay>,
    watched: Watched,
    day: Day,
    now: Timestamp,
) -> Option<&'d mut MeasuredDay> {
    let today = Day::of(now);
    if day > today || day < first_open(today) {
        return None;
    }
    let kept = || estate.availability.get(&watched)?.measured.get(&day).map(|it| MeasuredDay::clone(it));
    let known = || kept().unwrap_or_default();
    Some(days.entry((watched, day)).or_insert_with(known))
}

const fn first_open(today: Day) -> Day {
    Day(today.0.saturating_sub(LATE_DAYS))
}

/// Settles the days of a site and its ways that are too old for late evidence, and forgets what is far too old.
fn settle(draft: &mut Draft<'_>, site: SiteId) {
    let now = draft.record.time;
    let open_from = first_open(Day::of(now));
    let of_site = draft.next.availability.range(Watched { site, to: None }..);
    let of_site: Vec<Watched> = of_site.map(|(watched, _)| *watched).take_while(|it| it.site == site).collect();
    let firsts = of_site.iter().filter_map(|it| draft.next.availability.get(it)?.first_open());
    let first_of_site = firsts.min();
    // The site first: its figures go by the minutes of its ways.
    for watched in of_site {
        let Some(kept) = draft.next.availability.get(&watched) else { continue };
        let oldest = Day(open_from.0.saturating_sub(KEPT_DAYS));
        let over = kept.settled.keys().filter(|month| **month < oldest);
        let mut months: BTreeMap<Day, Vec<SettledDay>> = over.map(|month| (*month, Vec::new())).collect();
        let first = if watched.to.is_none() { first_of_site } else { kept.first_open() };
        let first = first.map_or(open_from, |first| first.max(oldest));
        for day in (first.0..open_from.0).map(Day) {
            let mut figures = open_day(&draft.next, watched, day, now);
            if watched.to.is_none() {
                // It is that of the ways.
                figures.quality = Quality::default();
            }
            let month = day.end_of_month();
            let known = || kept.settled.get(&month).map(Packed::days).unwrap_or_default();
            let days = months.entry(month).or_insert_with(known);
            if days.last().is_none_or(|last| last.day < day) && figures != Figures::default() {
                days.push(SettledDay { day, figures });
            }
        }
        let measured: Vec<Day> = kept.measured.keys().take_while(|day| **day < open_from).copied().collect();
        let is_old = kept.concluded.turns().first().is_some_and(|first| first.at < open_from.start());
        for (month, days) in months {
            draft.put(Change::Available { watched, piece: Piece::Settled { month, days } });
        }
        for day in measured {
            draft.put(Change::Available { watched, piece: Piece::Measured { day, measured: None } });
        }
        if is_old {
            turn(draft, watched, |timeline| {
                timeline.forget(open_from.start());
                true
            });
        }
    }
}
