//! A month for management: how far sites and layers were available, the incidents and the cases, to be held against the month before.
//!
//! Invariant: an incident counts in each month that it falls into, with its time in that month. What was found to be part
//! of another counts with that one; what fell into a planned maintenance is counted apart.

use std::collections::{BTreeMap, BTreeSet};

use onenet_topology::{
    IncidentId, SiteId, Timestamp,
    availability::Layer,
    case::CaseMonth,
    coverage::{Day, Month},
    incident::{Closing, Incident, IncidentKind},
};

use super::{Part, Report, Span};
use crate::access::View;

/// Areas that a monthly report lists.
const AREAS_MAX: usize = 50;

/// A month.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonthFigures {
    /// The sites themselves.
    pub sites: Part,
    /// Their ways up, by layer.
    pub layers: BTreeMap<Layer, Part>,
    /// The sites of each area, where everything is asked for: by the area's id.
    pub areas: Vec<(onenet_topology::AreaId, Part)>,
    /// The incidents.
    pub incidents: Outages,
    /// The cases.
    pub cases: CaseMonth,
}

/// The incidents of a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outages {
    /// All but the planned ones.
    pub whole: Lost,
    /// Those that fell into a planned maintenance.
    pub planned: Lost,
    /// The longest, and its time in the month.
    pub longest: Option<(IncidentId, u64)>,
    /// By what happened.
    pub kinds: BTreeMap<IncidentKind, Lost>,
}

/// Some incidents together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub number: u32,
    /// Their time in the month, in sum.
    pub lost_ms: u64,
}

impl Lost {
    const fn add(&mut self, ms: u64) {
        self.number = self.number.saturating_add(1);
        self.lost_ms = self.lost_ms.saturating_add(ms);
    }
}

impl MonthFigures {
    /// Returns the figures of a month of these sites; those of areas too where `with_areas` is set.
    pub fn of(view: &View, sites: &[SiteId], month: Month, with_areas: bool) -> Self {
        let span = span(month);
        let report = Report::of(view, sites.iter().copied(), span, None);
        let own: BTreeMap<SiteId, Part> = report.each.iter().map(|it| (it.site, Report::site(it))).collect();
        let areas = view.areas().take(if with_areas { AREAS_MAX } else { 0 });
        let areas = areas.map(|area| {
            let parts = view.sites_of_area(area).into_iter().filter_map(|site| own.get(&site.id));
            (area.id, parts.fold(Part::default(), |sum, part| sum.with(*part)))
        });
        let areas = areas.filter(|(_, part)| part.count > 0).collect();
        let wanted: BTreeSet<SiteId> = sites.iter().copied().collect();
        let concerns =
            |it: &&Incident| wanted.contains(&it.site) || it.affected.sites.iter().any(|site| wanted.contains(site));
        let incidents = Outages::of(view.incidents().filter(concerns), span, view.now());
        let (begin, end) = (span.from.start(), Day(span.to.0.saturating_add(1)).start());
        let cases = CaseMonth::of(view.cases_counted(), (begin, end, view.now()), |site| wanted.contains(&site));
        Self { sites: report.sites, layers: report.layers, areas, incidents, cases }
    }
}

impl Outages {
    /// Returns those of these incidents that fall into a span, as they stand at `now`.
    pub fn of<'i>(incidents: impl Iterator<Item = &'i Incident>, span: Span, now: Timestamp) -> Self {
        let (begin, end) = (span.from.start(), Day(span.to.0.saturating_add(1)).start().min(now));
        let mut outages = Self::default();
        for incident in incidents {
            let over = incident.closed.map_or(end, |(at, _)| at.min(end));
            let is_part = matches!(incident.closed, Some((_, Closing::PartOf(_))));
            if is_part || over <= begin || incident.since >= end {
                continue;
            }
            let ms = over.ms_since(incident.since.max(begin)).max(0).unsigned_abs();
            if incident.planned.is_some() {
                outages.planned.add(ms);
                continue;
            }
            outages.whole.add(ms);
            outages.kinds.entry(incident.kind).or_default().add(ms);
            if outages.longest.is_none_or(|(_, longest)| longest < ms) {
                outages.longest = Some((incident.id, ms));
            }
        }
        outages
    }
}

/// Returns the days of a month.
fn span(month: Month) -> Span {
    let from = month.first();
    Span { from, to: from.end_of_month() }
}
