//! Figures day by day, from what is kept.

use std::collections::BTreeMap;

use onenet_topology::{
    SiteId, Timestamp,
    availability::{DayEvidence, Figures, Spent},
    coverage::Day,
    incident::{Maintenance, MaintenanceScope},
};

use super::{Kept, Watched};
use crate::estate::Estate;

/// From which day until which: both are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
}

/// The planned maintenances that fall into a span.
#[derive(Debug, Clone, Default)]
pub struct Maintained<'e>(Vec<&'e Maintenance>);

impl Span {
    /// Returns the days.
    pub fn days(self) -> impl Iterator<Item = Day> {
        (self.from.0..=self.to.0).map(Day)
    }
}

impl<'e> Maintained<'e> {
    /// Returns those that fall into a span.
    pub fn within(estate: &'e Estate, span: Span) -> Self {
        let (begin, end) = (span.from.start(), Day(span.to.0.saturating_add(1)).start());
        let falls = |it: &&Maintenance| it.begin < end && it.end > begin && it.begin < it.end;
        Self(estate.maintenances.values().map(std::convert::AsRef::as_ref).filter(falls).collect())
    }

    /// Returns from when until when a way or a site was planned to be out of order. A site is when its only way is.
    fn of(&self, estate: &Estate, watched: Watched, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let Watched { site, to } = watched;
        let only_way = |parent: SiteId| {
            let mut above = estate.tree.parents(site, now);
            above.next().is_some_and(|it| it.id == parent) && above.next().is_none()
        };
        let covers = |scope: &MaintenanceScope| match scope {
            MaintenanceScope::Subtree(root) => estate.tree.is_within(site, *root, now),
            MaintenanceScope::Site(it) => *it == site,
            MaintenanceScope::Link { child, parent } => {
                *child == site && to.map_or_else(|| only_way(*parent), |to| to == *parent)
            }
            MaintenanceScope::Device { .. } => false,
        };
        self.0.iter().filter(|it| covers(&it.scope)).map(|it| (it.begin, it.end)).collect()
    }
}

/// Returns the figures of each day of a span on which a way or a site was watched. The quality of a site is that of its ways.
pub fn days(
    estate: &Estate,
    watched: Watched,
    span: Span,
    maintained: &Maintained<'_>,
    now: Timestamp,
) -> BTreeMap<Day, Figures> {
    let mut found: BTreeMap<Day, Figures> = BTreeMap::new();
    let mut add = |day: Day, figures: Figures| {
        if span.from <= day && day <= span.to && figures != Figures::default() {
            *found.entry(day).or_default() += figures;
        }
    };
    let ways: Vec<&Kept> = match watched.to {
        None => estate.ways_of(watched.site).map(|(_, kept)| kept).collect(),
        Some(_) => estate.availability.get(&watched).into_iter().collect(),
    };
    for kept in &ways {
        for settled in settled(kept, span) {
            add(settled.day, Figures { spent: Spent::default(), ..settled.figures });
        }
        for (day, measured) in &kept.measured {
            add(*day, Figures { quality: measured.quality, ..Figures::default() });
        }
    }
    let Some(own) = estate.availability.get(&watched) else { return found };
    for settled in settled(own, span) {
        add(settled.day, Figures { spent: settled.figures.spent, ..Figures::default() });
    }
    let maintained = maintained.of(estate, watched, now);
    // A site's past may be known by its ways alone.
    let first = std::iter::once(&own).chain(&ways).filter_map(|kept| kept.first_open()).min();
    let Some(first) = first.map(|first| first.max(span.from)) else { return found };
    for day in (Span { from: first, to: span.to.min(Day::of(now)) }).days() {
        add(day, Figures { spent: spent(own, &ways, watched, day, &maintained, now), ..Figures::default() });
    }
    found
}

/// Returns the figures of an open day, as they stand.
pub(crate) fn open_day(estate: &Estate, watched: Watched, day: Day, now: Timestamp) -> Figures {
    let span = Span { from: day, to: day };
    let maintained = Maintained::within(estate, span);
    days(estate, watched, span, &maintained, now).remove(&day).unwrap_or_default()
}

fn settled(kept: &Kept, span: Span) -> impl Iterator<Item = super::SettledDay> {
    let months = kept.settled.range(span.from..=span.to.end_of_month());
    months.flat_map(|(_, packed)| packed.days())
}

fn spent(
    own: &Kept,
    ways: &[&Kept],
    watched: Watched,
    day: Day,
    maintained: &[(Timestamp, Timestamp)],
    now: Timestamp,
) -> Spent {
    let measured = ways.iter().filter_map(|kept| kept.measured.get(&day)).map(|it| &it.minutes).collect();
    let is_site = watched.to.is_none();
    DayEvidence { day, concluded: &own.concluded, measured, is_site, maintained, now }.spent()
}
