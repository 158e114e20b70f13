//! Figures of an area: by layer, by part, by day or month, and the worst first.
//!
//! Invariant: each way and each site is counted once, as the view shows it. A whole is the sum of what it is made of.

use std::collections::BTreeMap;

use onenet_topology::{
    SiteId,
    availability::{Figures, Layer},
    coverage::Day,
};

use super::Span;
use crate::access::View;

/// How the sites and ways of an area were over a span of days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Sites themselves, and how many.
    pub sites: Part,
    /// Ways up by layer, and how many.
    pub layers: BTreeMap<Layer, Part>,
    /// Day by day: sites, and ways by layer.
    pub periods: BTreeMap<Day, Period>,
    /// Each site with its ways.
    pub each: Vec<SiteFigures>,
}

/// Some sites or ways together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// How many of which anything is known.
    pub count: u32,
    /// The sum.
    pub figures: Figures,
}

/// A day, or any sum of days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Period {
    /// Sites themselves.
    pub sites: Figures,
    /// Ways up by layer.
    pub layers: BTreeMap<Layer, Figures>,
}

/// A site and its ways up.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteFigures {
    /// The site.
    pub site: SiteId,
    /// The site itself, by day.
    pub days: BTreeMap<Day, Figures>,
    /// Its ways up.
    pub ways: Vec<WayFigures>,
}

/// A way up.
#[derive(Debug, Clone, PartialEq)]
pub struct WayFigures {
    /// The upper site, where the view shows it.
    pub parent: Option<SiteId>,
    /// Its layer.
    pub layer: Layer,
    /// By day.
    pub days: BTreeMap<Day, Figures>,
}

/// A site with everything below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartFigures {
    /// The site at its top.
    pub site: SiteId,
    /// The sites themselves.
    pub sites: Part,
    /// Their ways up, of any layer.
    pub ways: Part,
}

impl Part {
    fn add(&mut self, figures: Figures) {
        self.count = self.count.saturating_add(1);
        self.figures += figures;
    }

    /// Returns both together.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.count = self.count.saturating_add(other.count);
        self.figures += other.figures;
        self
    }
}

/// Returns the sum of days.
pub fn sum(days: &BTreeMap<Day, Figures>) -> Figures {
    days.values().fold(Figures::default(), |mut sum, figures| {
        sum += *figures;
        sum
    })
}

impl Report {
    /// Returns how these sites were over a span; `layer` leaves other ways aside.
    pub fn of(view: &View, sites: impl IntoIterator<Item = SiteId>, span: Span, layer: Option<Layer>) -> Self {
        let mut report = Self::default();
        let maintained = view.maintained(span);
        for site in sites {
            let Some(mut found) = view.availability(site, span, &maintained) else { continue };
            found.ways.retain(|way| layer.is_none_or(|layer| layer == way.layer));
            report.take(found);
        }
        report
    }

    fn take(&mut self, site: SiteFigures) {
        if !site.days.is_empty() {
            self.sites.add(sum(&site.days));
        }
        for (day, figures) in &site.days {
            self.periods.entry(*day).or_default().sites += *figures;
        }
        for way in site.ways.iter().filter(|way| !way.days.is_empty()) {
            self.layers.entry(way.layer).or_default().add(sum(&way.days));
            for (day, figures) in &way.days {
                *self.periods.entry(*day).or_default().layers.entry(way.layer).or_default() += *figures;
            }
        }
        self.each.push(site);
    }

    /// Returns a site's own figures as a part, which is nothing where nothing is known.
    pub fn site(it: &SiteFigures) -> Part {
        Part { count: u32::from(!it.days.is_empty()), figures: sum(&it.days) }
    }

    /// Returns the periods with the days of each month together, by the last day of the month.
    pub fn months(&self) -> BTreeMap<Day, Period> {
        let mut months: BTreeMap<Day, Period> = BTreeMap::new();
        for (day, period) in &self.periods {
            let month = months.entry(day.end_of_month()).or_default();
            month.sites += period.sites;
            for (layer, figures) in &period.layers {
                *month.layers.entry(*layer).or_default() += *figures;
            }
        }
        months
    }

    /// Returns the sites with the least availability first, and of these that were equally available the one that is known
    /// least. Those of which nothing is known come last.
    pub fn worst(&self) -> Vec<&SiteFigures> {
        let mut sites: Vec<_> = self.each.iter().map(|site| (sum(&site.days).spent, site)).collect();
        sites.sort_by(|(one, a), (other, b)| {
            let key = |it: Option<f64>| it.unwrap_or(f64::INFINITY);
            let by_availability = key(one.availability()).total_cmp(&key(other.availability()));
            let by_unknown = key(other.unknown()).total_cmp(&key(one.unknown()));
            by_availability.then(by_unknown).then(a.site.cmp(&b.site))
        });
        sites.into_iter().map(|(_, site)| site).collect()
    }

    /// Returns the figures by the parts below `top`, or below the roots of what the view shows: each site in the part of the
    /// first of its ways up that the view shows.
    pub fn parts(&self, view: &View, top: Option<SiteId>) -> Vec<PartFigures> {
        let heads: Vec<SiteId> = match top {
            Some(top) => view.children(top).into_iter().map(|site| site.id).collect(),
            None => match view.roots().as_slice() {
                [only] => view.children(only.id).into_iter().map(|site| site.id).collect(),
                roots => roots.iter().map(|site| site.id).collect(),
            },
        };
        let mut parts: BTreeMap<SiteId, PartFigures> = BTreeMap::new();
        for site in &self.each {
            let Some(head) = view.path(site.site).iter().map(|it| it.id).find(|it| heads.contains(it)) else {
                continue;
            };
            let empty = PartFigures { site: head, sites: Part::default(), ways: Part::default() };
            let part = parts.entry(head).or_insert(empty);
            if !site.days.is_empty() {
                part.sites.add(sum(&site.days));
            }
            for way in site.ways.iter().filter(|way| !way.days.is_empty()) {
                part.ways.add(sum(&way.days));
            }
        }
        heads.into_iter().filter_map(|head| parts.remove(&head)).collect()
    }

    /// Returns all ways together.
    pub fn ways(&self) -> Part {
        self.layers.values().fold(Part::default(), |sum, part| sum.with(*part))
    }
}
