//! Figures of an area, by its parts.
//!
//! Invariant: each site is counted once, whatever its ways up: below the first parent that the view shows. The whole is the
//! sum of the parts and of what is no part's.

use std::collections::BTreeMap;

use onenet_topology::{SiteId, area::Area, coverage::Coverage, division::Tier, site::Site};

use crate::access::View;

/// Figures of an area, by its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The sum.
    pub whole: Coverage,
    /// The figures of the site at the top alone, where the area is a site and those below it.
    pub own: Option<Part>,
    /// The parts: a site each, with everything below it that belongs to the area.
    pub parts: Vec<Part>,
}

/// A part of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The site at its top.
    pub site: SiteId,
    /// The sum of its figures and of those below it.
    pub coverage: Coverage,
}

impl Report {
    /// Returns the figures of a site and those below it, or without `root` of everything that the view shows; `figures` says
    /// how a single site stands, `None` where that may not be read or is not known.
    pub fn of_subtree(view: &View, root: Option<SiteId>, figures: &impl Fn(SiteId) -> Option<Coverage>) -> Self {
        let roots = view.roots();
        let top = root.and_then(|root| view.site(root)).or(match roots.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let parts = match top {
            Some(top) => below(view, top),
            None => roots,
        };
        let parts: Vec<Part> =
            parts.into_iter().map(|site| Part { site: site.id, coverage: sum(view, site, figures) }).collect();
        let own = top.map(|top| Part { site: top.id, coverage: figures(top.id).unwrap_or_default() });
        let whole = parts.iter().chain(&own).fold(Coverage::default(), |sum, part| sum.plus(part.coverage));
        Self { whole, own, parts }
    }

    /// Returns the figures of an area, by provinces; sites that are in none are parts of their own.
    pub fn of_area(view: &View, area: &Area, figures: &impl Fn(SiteId) -> Option<Coverage>) -> Self {
        let mut parts: BTreeMap<SiteId, Coverage> = BTreeMap::new();
        for site in view.sites_of_area(area) {
            let province = view.path(site.id).into_iter().find(|above| above.tier == Tier::Province);
            let part = parts.entry(province.map_or(site.id, |province| province.id)).or_default();
            *part = part.plus(figures(site.id).unwrap_or_default());
        }
        let mut parts: Vec<Part> = parts.into_iter().map(|(site, coverage)| Part { site, coverage }).collect();
        parts.sort_by_key(|part| view.site(part.site).map(|site| site.code(view.now())));
        let whole = parts.iter().fold(Coverage::default(), |sum, part| sum.plus(part.coverage));
        Self { whole, own: None, parts }
    }
}

/// Returns the sites directly below one, each below the first of its parents that the view shows.
fn below<'v>(view: &'v View, site: &Site) -> Vec<&'v Site> {
    let mut children = view.children(site.id);
    children.retain(|child| view.parents(child.id).first().is_some_and(|parent| parent.id == site.id));
    children
}

fn sum(view: &View, site: &Site, figures: &impl Fn(SiteId) -> Option<Coverage>) -> Coverage {
    let own = figures(site.id).unwrap_or_default();
    below(view, site).into_iter().fold(own, |total, child| total.plus(sum(view, child, figures)))
}
