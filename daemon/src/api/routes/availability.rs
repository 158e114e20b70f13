//! Availability: how much of the time ways and sites were there, and how good the ways were.

use std::{fmt::Write as _, sync::Arc};

use axum::{Json, extract::Path, http::header, response::IntoResponse};
use onenet_topology::{availability::Layer, coverage::Day};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer,
    coverage::{Extent, quoted},
};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{AvailabilityReportBody, By, FiguresBody, SiteAvailabilityBody, availability_rows},
    },
    availability::{KEPT_DAYS, Report, Span},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(availability))
        .routes(routes!(availability_csv))
        .routes(routes!(site_availability))
}

/// Which days are asked for, and how they are put together.
pub(crate) struct Asked {
    /// From when until when.
    pub(crate) span: Span,
    /// By day or month.
    pub(crate) by: By,
    /// Only the ways of this layer.
    pub(crate) layer: Option<Layer>,
}

impl Asked {
    /// Reads the parameters `from`, `to`, `by` and `layer`: this month by day where they say nothing.
    ///
    /// # Errors
    /// One of them cannot be understood.
    pub(crate) fn of(view: &View, params: &mut Params) -> Result<Self, Problem> {
        let today = Day::of(view.now());
        let to = params.day("to")?.map_or(today, Day::of).min(today);
        let from = params.day("from")?.map_or_else(|| to.month().first(), Day::of);
        if from > to {
            return Err(Problem::parameter("from", "lies after the last day: give an earlier day"));
        }
        if to.0.saturating_sub(from.0) > KEPT_DAYS {
            return Err(Problem::parameter("from", format!("lies more than {KEPT_DAYS} days before the last day")));
        }
        let by = match params.text("by") {
            None | Some("day") => By::Day,
            Some("month") => By::Month,
            Some(_) => return Err(Problem::parameter("by", "write day or month")),
        };
        let unknown = || Problem::parameter("layer", "write ministry_province, province_city or city_county");
        let layer = params.text("layer").map(|name| Layer::of(name).ok_or_else(unknown)).transpose()?;
        Ok(Self { span: Span { from, to }, by, layer })
    }
}

/// How far a site and those below it, an area or the whole network was available: sites themselves, ways up by layer, by day
/// or month, by part, and the worst sites.
///
/// Availability is up and degraded as a part of the known time. What nobody could tell is unknown, and planned maintenance is
/// left out. Late measurements and maintenances change the last nine days.
#[utoipa::path(
    get, path = "/api/v1/availability", tag = "availability",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
        ("layer" = Option<String>, Query, description = "Only ways of this layer: ministry_province, province_city or city_county"),
        ("from" = Option<String>, Query, description = "The first day; the first of the last day's month by default"),
        ("to" = Option<String>, Query, description = "The last day; today by default"),
        ("by" = Option<String>, Query, description = "day (the default) or month"),
    ),
    responses((status = 200, body = AvailabilityReportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn availability(gate: Gate, mut params: Params) -> Answer<AvailabilityReportBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let asked = Asked::of(&view, &mut params)?;
    params.finish()?;
    let report = Report::of(&view, extent.sites(&view), asked.span, asked.layer);
    Ok(Json(AvailabilityReportBody::of(&view, &report, asked.span, asked.by, extent.top())))
}

/// The same as a table (CSV, RFC 4180): a row for each site and each of its ways up, in each day or month.
#[utoipa::path(
    get, path = "/api/v1/availability.csv", tag = "availability",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
        ("layer" = Option<String>, Query, description = "Only ways of this layer: ministry_province, province_city or city_county"),
        ("from" = Option<String>, Query, description = "The first day; the first of the last day's month by default"),
        ("to" = Option<String>, Query, description = "The last day; today by default"),
        ("by" = Option<String>, Query, description = "day (the default) or month"),
    ),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn availability_csv(gate: Gate, mut params: Params) -> Result<impl IntoResponse, Problem> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let asked = Asked::of(&view, &mut params)?;
    params.finish()?;
    let report = Report::of(&view, extent.sites(&view), asked.span, asked.layer);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table(&view, &report, asked.by)))
}

fn table(view: &View, report: &Report, by: By) -> String {
    // A byte order mark: without it, spreadsheets in China read the file as GBK.
    let mut csv = String::from(
        "\u{feff}period,site,code,name,parent,layer,availability_ratio,unknown_ratio,up_seconds,degraded_seconds,\
         down_seconds,unknown_seconds,maintenance_seconds,loss_ratio,loss_worst_ratio,round_trip_ms,\
         round_trip_worst_ms,jitter_ms,jitter_worst_ms\r\n",
    );
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for it in &report.each {
        let Some(site) = view.site(it.site) else { continue };
        let (code, name) = (site.code(view.now()), quoted(&site.name(view.now()).zh));
        for (period, way, figures) in availability_rows(it, by) {
            let parent = way.and_then(|way| way.parent).map(|parent| parent.to_string()).unwrap_or_default();
            let layer = way.map(|way| way.layer.name()).unwrap_or_default();
            let all = FiguresBody::from(figures);
            let _ = write!(csv, "{period},{},{code},{name},{parent},{layer}", it.site);
            for value in [
                all.availability_ratio,
                all.unknown_ratio,
                Some(all.up_seconds),
                Some(all.degraded_seconds),
                Some(all.down_seconds),
                Some(all.unknown_seconds),
                Some(all.maintenance_seconds),
                all.loss_ratio,
                all.loss_worst_ratio,
                all.round_trip_ms,
                all.round_trip_worst_ms,
                all.jitter_ms,
                all.jitter_worst_ms,
            ] {
                let _ = write!(csv, ",{}", number(value));
            }
            csv.push_str("\r\n");
        }
    }
    csv
}

/// How far a site and its ways up were available, by day or month.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/availability", tag = "availability",
    params(
        ("site" = String, Path, description = "Id or division code"),
        ("from" = Option<String>, Query, description = "The first day; the first of the last day's month by default"),
        ("to" = Option<String>, Query, description = "The last day; today by default"),
        ("by" = Option<String>, Query, description = "day (the default) or month"),
    ),
    responses((status = 200, body = SiteAvailabilityBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn site_availability(gate: Gate, Path(site): Path<String>, mut params: Params) -> Answer<SiteAvailabilityBody> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    let asked = Asked::of(&view, &mut params)?;
    params.finish()?;
    let maintained = view.maintained(asked.span);
    let figures = view.availability(id, asked.span, &maintained).ok_or_else(Problem::not_found)?;
    Ok(Json(SiteAvailabilityBody::of(&view, &figures, Some(asked.by))))
}
