//! Figures of cases and their notices, by grade, kind, month, part of the network, area or unit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::Json;
use onenet_topology::{
    SiteId, Timestamp,
    case::{Case, CaseFigures, CaseGrouping},
    coverage::Day,
    incident::Severity,
    site::Site,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, cases::anywhere, coverage::Extent, named};
use crate::{
    access::{Gate, View},
    api::{
        App, Params, Problem,
        body::{CaseFiguresBody, CaseStatisticsBody, time},
    },
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(case_statistics))
}

/// Counts cases, how long people took, and what became of notices: by grade, kind, month, part of the network, area or unit. A notice counts
/// with the site that it went to and the time at which it was sent. Drills, and what rules silence, are in none of the figures.
#[utoipa::path(
    get, path = "/api/v1/cases/statistics", tag = "cases",
    params(
        ("by" = Option<String>, Query, description = "`grade` (by default), `kind`, `month` (of opening, in China), `site` (the parts directly below the asked one), `area`, `unit` (each site by itself) or `unit_month`"),
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("area" = Option<String>, Query, description = "Only sites of this area: its id"),
        ("from" = Option<String>, Query, description = "Only cases opened, and notices sent, at this time or later, RFC 3339 or a day"),
        ("to" = Option<String>, Query, description = "Only cases opened, and notices sent, before this time, RFC 3339 or a day"),
    ),
    responses((status = 200, body = CaseStatisticsBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn case_statistics(gate: Gate, mut params: Params) -> Answer<CaseStatisticsBody> {
    let view = anywhere(&gate)?;
    let wanted = StatisticsWanted::read(&view, &mut params)?;
    params.finish()?;
    let (rows, total) = wanted.count(&view);
    let row = |(key, figures): (&Group, &CaseFigures)| CaseFiguresBody::of(key, figures);
    Ok(Json(CaseStatisticsBody {
        by: wanted.by.name(),
        from: wanted.from.map(time),
        to: wanted.to.map(time),
        rows: rows.iter().map(row).collect(),
        total: CaseFiguresBody::of(&Group::default(), &total),
    }))
}

/// Of what figures are: in the order in which they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    /// By what they are ordered.
    order: String,
    /// The word of it: of a grade, a kind, a month; the id of a site or an area.
    pub(crate) key: String,
    /// What a site or an area is called; else as the key.
    pub(crate) name: String,
}

/// What is to be counted.
pub(crate) struct StatisticsWanted {
    pub(crate) by: CaseGrouping,
    pub(crate) extent: Extent,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

impl StatisticsWanted {
    /// Reads it from the parameters of a request.
    ///
    /// # Errors
    /// One cannot be used.
    pub(crate) fn read(view: &View, params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            by: named(params, "by", &CaseGrouping::ALL, |it| it.name())?.unwrap_or(CaseGrouping::Grade),
            extent: Extent::of(view, params)?,
            from: params.day("from")?,
            to: params.day("to")?,
        })
    }

    /// Returns the figures of each group, and those of all cases together.
    pub(crate) fn count(&self, view: &View) -> (BTreeMap<Group, CaseFigures>, CaseFigures) {
        let (mut rows, mut total) = (BTreeMap::<Group, CaseFigures>::new(), CaseFigures::default());
        let now = view.now();
        let sites = (!matches!(self.extent, Extent::Subtree(None)))
            .then(|| self.extent.sites(view).into_iter().collect::<BTreeSet<SiteId>>());
        let areas = if self.by == CaseGrouping::Area { areas(view) } else { Vec::new() };
        let takes = |site: SiteId, at: Timestamp| {
            sites.as_ref().is_none_or(|sites| sites.contains(&site))
                && self.from.is_none_or(|from| at >= from)
                && self.to.is_none_or(|to| at < to)
        };
        for case in view.cases().filter(|case| case.is_counted()) {
            if takes(case.key.site, case.opened) {
                total.add(case, now);
                for group in self.groups(view, case, (case.key.site, case.opened), &areas) {
                    rows.entry(group).or_default().add(case, now);
                }
            }
            for notice in case.notices.iter().filter(|it| takes(it.to, it.sent)) {
                total.notices.add(notice, now);
                for group in self.groups(view, case, (notice.to, notice.sent), &areas) {
                    rows.entry(group).or_default().notices.add(notice, now);
                }
            }
        }
        (rows, total)
    }

    /// Returns the groups that something of a case belongs to: at which site and when that was.
    fn groups(
        &self,
        view: &View,
        case: &Case,
        (site, at): (SiteId, Timestamp),
        areas: &[(Group, BTreeSet<SiteId>)],
    ) -> Vec<Group> {
        let word = |order: &str, word: &str| vec![Group { order: order.into(), key: word.into(), name: word.into() }];
        let month = Day::of(at).month().to_string();
        match self.by {
            // The gravest first.
            CaseGrouping::Grade => {
                let graver = Severity::ALL.iter().filter(|grade| **grade > case.grade).count();
                word(&graver.to_string(), case.grade.name())
            }
            CaseGrouping::Kind => word(&case.key.kind, &case.key.kind),
            CaseGrouping::Month => word(&month, &month),
            CaseGrouping::Site => part_of(view, site, self.extent.top()).into_iter().collect(),
            CaseGrouping::Area => {
                let of_site = areas.iter().filter(|(_, sites)| sites.contains(&site));
                of_site.map(|(group, _)| group.clone()).collect()
            }
            CaseGrouping::Unit => view.site(site).map(|site| of_site(view, site)).into_iter().collect(),
            CaseGrouping::UnitMonth => {
                let unit = view.site(site).map(|site| of_site(view, site));
                let with_month = |Group { order, key, name }| Group {
                    order: format!("{order} {month}"),
                    key: format!("{key} {month}"),
                    name: format!("{name} {month}"),
                };
                unit.map(with_month).into_iter().collect()
            }
        }
    }
}

fn of_site(view: &View, site: &Site) -> Group {
    let name = site.name(view.now()).zh.clone();
    Group { order: site.code(view.now()).to_owned(), key: site.id.to_string(), name }
}

/// Returns all areas with their sites.
fn areas(view: &View) -> Vec<(Group, BTreeSet<SiteId>)> {
    let each = view.areas().map(|area| {
        let name = area.name(view.now()).zh.clone();
        let sites = view.sites_of_area(area).into_iter().map(|site| site.id).collect();
        (Group { order: name.clone(), key: area.id.to_string(), name }, sites)
    });
    each.collect()
}

/// Returns the part of the network below `top` that a site belongs to: one directly below it, or itself. Without a top it is below the
/// one site at the top, where there is one.
fn part_of(view: &View, site: SiteId, top: Option<SiteId>) -> Option<Group> {
    let path = view.path(site);
    let top = top.or_else(|| match view.roots().as_slice() {
        [one] => Some(one.id),
        _ => None,
    });
    let place = top.and_then(|top| path.iter().position(|it| it.id == top)).map_or(0, |at| at + 1);
    let part = path.get(place).or(path.last())?;
    Some(of_site(view, part))
}
