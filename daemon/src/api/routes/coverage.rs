//! Coverage: which units are connected, which terminals are seen, and how that went.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::{Json, http::header, response::IntoResponse};
use onenet_topology::{
    AreaId, SiteId,
    coverage::{Coverage, Day, DayFigures, Month, TREND_DAYS},
    site::Site,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, areas, assets::days, site_filter};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{CoverageDayBody, CoverageReportBody, MonthlyReportBody},
    },
    availability::MonthFigures,
    coverage::{DAYS_DEFAULT, Report},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(coverage))
        .routes(routes!(coverage_csv))
        .routes(routes!(coverage_trend))
        .routes(routes!(monthly_report))
}

/// Of what coverage is asked for.
pub(crate) enum Extent {
    /// A site and those below it, or all sites.
    Subtree(Option<SiteId>),
    /// An area.
    Area(AreaId),
}

impl Extent {
    /// Reads the parameters `site` and `area`.
    ///
    /// # Errors
    /// There is no such site or area, or both are asked for.
    pub(crate) fn of(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let site = site_filter(view, params)?;
        let Some(area) = params.text("area") else { return Ok(Self::Subtree(site)) };
        if site.is_some() {
            return Err(Problem::parameter("area", "cannot be given with a site: give one of them"));
        }
        Ok(Self::Area(areas::named(view, area)?.id))
    }

    /// Returns the sites that belong to it, each once.
    pub(crate) fn members<'v>(&self, view: &'v View) -> Vec<&'v Site> {
        match self {
            Self::Subtree(root) => view.subtree(*root),
            Self::Area(area) => view.area(*area).map(|area| view.sites_of_area(area)).unwrap_or_default(),
        }
    }

    /// Returns the ids of the sites that belong to it, each once.
    pub(crate) fn sites(&self, view: &View) -> Vec<SiteId> {
        self.members(view).into_iter().map(|site| site.id).collect()
    }

    /// Returns the site at its top, where it has one.
    pub(crate) const fn top(&self) -> Option<SiteId> {
        match self {
            Self::Subtree(root) => *root,
            Self::Area(_) => None,
        }
    }

    /// Returns the figures of a month by parts: the last that were counted in it, of this month those of now.
    pub(crate) fn of_month(&self, view: &View, month: Month) -> Report {
        if month == Month::of(view.now()) {
            return self.report(view, &|site| view.coverage(site, DAYS_DEFAULT));
        }
        self.report(view, &|site| view.trend(site)?.of_month(month))
    }

    /// Returns how far it was available in a month, and the incidents.
    pub(crate) fn figures_of_month(&self, view: &View, month: Month) -> MonthFigures {
        MonthFigures::of(view, &self.sites(view), month, matches!(self, Self::Subtree(None)))
    }

    /// Returns the query that asks for it again.
    pub(crate) fn query(&self) -> String {
        match self {
            Self::Subtree(None) => String::new(),
            Self::Subtree(Some(site)) => format!("site={site}"),
            Self::Area(area) => format!("area={area}"),
        }
    }

    /// Returns its figures by parts.
    pub(crate) fn report(&self, view: &View, figures: &impl Fn(SiteId) -> Option<Coverage>) -> Report {
        match self {
            Self::Subtree(root) => Report::of_subtree(view, *root, figures),
            Self::Area(area) => view.area(*area).map(|area| Report::of_area(view, area, figures)).unwrap_or_default(),
        }
    }
}

/// How far a site and those below it, an area or the whole network is covered, now.
#[utoipa::path(
    get, path = "/api/v1/coverage", tag = "coverage",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
        ("days" = Option<usize>, Query, description = "Days within which a terminal is to be seen, 1 to 400; 30 by default"),
    ),
    responses((status = 200, body = CoverageReportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn coverage(gate: Gate, mut params: Params) -> Answer<CoverageReportBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let days = days(&mut params)?;
    params.finish()?;
    let report = extent.report(&view, &|site| view.coverage(site, days));
    Ok(Json(CoverageReportBody::of(&view, &report, days)))
}

/// The same site by site, as a table (CSV, RFC 4180).
#[utoipa::path(
    get, path = "/api/v1/coverage.csv", tag = "coverage",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
        ("days" = Option<usize>, Query, description = "Days within which a terminal is to be seen, 1 to 400; 30 by default"),
    ),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn coverage_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let days = days(&mut params)?;
    params.finish()?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table(&view, &extent, days)))
}

fn table(view: &View, extent: &Extent, days: u16) -> String {
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}site,code,name,tier,attached,reachable,registered,seen,silent,never_seen,strayed,unregistered,\
         unregistered_unclassified\r\n",
    );
    for id in extent.sites(view) {
        let Some((site, Coverage { units, terminals: it })) = view.site(id).zip(view.coverage(id, days)) else {
            continue;
        };
        let (code, name) = (site.code(view.now()), quoted(&site.name(view.now()).zh));
        let _ = write!(
            csv,
            "{id},{code},{name},{},{},{},{},{},{},{},{},{},{}\r\n",
            site.tier,
            units.attached,
            units.reachable,
            it.registered,
            it.seen,
            it.silent,
            it.never_seen,
            it.strayed,
            it.unregistered,
            it.unregistered_unclassified
        );
    }
    csv
}

/// Returns a field of a table. What a spreadsheet would take for a formula gets an apostrophe in front.
pub(super) fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    if formula { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

/// How coverage went, day by day: the last two months of days, and before them the last day of each month.
///
/// A site counts with its last figures up to the day. Figures are counted once a day, by what was seen within 30 days.
#[utoipa::path(
    get, path = "/api/v1/coverage/trend", tag = "coverage",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
    ),
    responses((status = 200, body = Vec<CoverageDayBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn coverage_trend(gate: Gate, mut params: Params) -> Answer<Vec<CoverageDayBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    params.finish()?;
    let days = trend(&view, &extent);
    let body = |(day, (counted, coverage)): (Day, (u32, Coverage))| CoverageDayBody {
        day: day.to_string(),
        sites_counted: counted,
        coverage: coverage.into(),
    };
    Ok(Json(days.into_iter().map(body).collect()))
}

/// How far a site and those below it, an area or the whole network was covered in a month, and in the month before.
#[utoipa::path(
    get, path = "/api/v1/reports/monthly", tag = "coverage",
    params(
        ("month" = Option<String>, Query, description = "The month, such as 2026-01; this one by default"),
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
    ),
    responses((status = 200, body = MonthlyReportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn monthly_report(gate: Gate, mut params: Params) -> Answer<MonthlyReportBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let month = params.parsed::<Month>("month")?.unwrap_or(Month::of(view.now()));
    params.finish()?;
    let months = [month, month.before()];
    let coverage = months.map(|month| extent.of_month(&view, month));
    let figures = months.map(|month| extent.figures_of_month(&view, month));
    Ok(Json(MonthlyReportBody::of(&view, month, coverage.each_ref(), figures.each_ref())))
}

/// Returns the figures of each day on which any were counted, and of how many sites.
pub(crate) fn trend(view: &View, extent: &Extent) -> BTreeMap<Day, (u32, Coverage)> {
    let trends: Vec<_> = extent.sites(view).into_iter().filter_map(|site| Some(view.trend(site)?.days())).collect();
    let recent = Day::of(view.now()).0.saturating_sub(TREND_DAYS);
    let shown = |days: &Vec<DayFigures>| {
        let all = days.iter().map(|it| it.day);
        // Further back each site has another last day of the month; the month's own last day stands for them.
        all.map(|day| if day.0 > recent { day } else { day.end_of_month() }).collect::<Vec<_>>()
    };
    let mut days: BTreeMap<Day, (u32, Coverage)> =
        trends.iter().flat_map(shown).map(|day| (day, Default::default())).collect();
    for (day, (counted, sum)) in &mut days {
        for coverage in trends.iter().filter_map(|days| DayFigures::as_of(days, *day)) {
            *counted += 1;
            *sum = sum.plus(coverage);
        }
    }
    days
}
