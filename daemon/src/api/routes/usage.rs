//! What flows add up to: applications of an endpoint, applications and talkers of a site, over a time.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{MacAddr, SiteId, Timestamp};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, endpoints::endpoint_by};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{EndpointApplicationsBody, SiteApplicationsBody, TalkersBody, time},
    },
    usage::{self, SPAN_MAX_MS, Usage},
};

/// How far back it goes when the caller does not say, in milliseconds.
const SPAN_MS: i64 = 24 * 3_600_000;
/// Talkers of an answer when the caller does not say.
const TALKERS_DEFAULT: usize = 20;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(endpoint_applications))
        .routes(routes!(site_applications))
        .routes(routes!(site_talkers))
}

/// Which time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `period` reads them")]
struct PeriodParams {
    /// The first moment, RFC 3339, or a day; a day before `to` by default.
    from: Option<String>,
    /// The first moment after the last; now by default. At most 31 days after `from`.
    to: Option<String>,
}

/// What an endpoint did in a time, by application.
#[utoipa::path(
    get, path = "/api/v1/endpoints/{endpoint}/applications", tag = "flows",
    params(("endpoint" = String, Path, description = "Its id"), PeriodParams),
    responses(
        (status = 200, body = EndpointApplicationsBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn endpoint_applications(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(endpoint): Path<String>,
    mut params: Params,
) -> Answer<EndpointApplicationsBody> {
    let (view, site, id) = gate.thing(Action::ReadInventory, |estate| endpoint_by(estate, &endpoint))?;
    let period = period(&mut params, view.now())?;
    params.finish()?;
    let (_, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let usage = usage_of(&app, &view, site, Some(endpoint.mac), period).await?;
    Ok(Json(EndpointApplicationsBody::of(&usage, endpoint.mac, period.map(time))))
}

/// What crossed the segments of a site in a time, by application.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/applications", tag = "flows",
    params(("site" = String, Path, description = "An id or a division code"), PeriodParams),
    responses(
        (status = 200, body = SiteApplicationsBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn site_applications(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    mut params: Params,
) -> Answer<SiteApplicationsBody> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    let period = period(&mut params, view.now())?;
    params.finish()?;
    let usage = usage_of(&app, &view, site, None, period).await?;
    Ok(Json(SiteApplicationsBody::of(&usage, period.map(time))))
}

/// The endpoints of a site that sent and received most in a time, and all others together.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/talkers", tag = "flows",
    params(
        ("site" = String, Path, description = "An id or a division code"),
        PeriodParams,
        ("limit" = Option<usize>, Query, description = "How many of them, 1 to 1000; 20 by default"),
    ),
    responses(
        (status = 200, body = TalkersBody),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn site_talkers(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    mut params: Params,
) -> Answer<TalkersBody> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    let period = period(&mut params, view.now())?;
    let limit = params.number("limit", 1..=1000)?.unwrap_or(TALKERS_DEFAULT);
    params.finish()?;
    let usage = usage_of(&app, &view, site, None, period).await?;
    let nothing = crate::estate::SiteState::new(site);
    let state = view.inventory(site).unwrap_or(&nothing);
    Ok(Json(TalkersBody::of(&view, state, &usage, limit, period.map(time))))
}

/// Reads `from` and `to`.
fn period(params: &mut Params, now: Timestamp) -> Result<[Timestamp; 2], Problem> {
    let until = params.day("to")?.unwrap_or(now.plus_ms(1));
    let from = params.day("from")?.unwrap_or(until.plus_ms(-SPAN_MS));
    if from >= until {
        let detail = format!("{from} is not before {until}: give an earlier time, or a later `to`");
        return Err(Problem::parameter("from", detail));
    }
    if until.ms_since(from) > SPAN_MAX_MS {
        return Err(Problem::parameter("from", "is more than 31 days before `to`: ask for less at a time"));
    }
    Ok([from, until])
}

/// Adds up what was told of a site, of one endpoint or of all.
pub(crate) async fn usage_of(
    app: &App,
    view: &View,
    site: SiteId,
    of: Option<MacAddr>,
    period: [Timestamp; 2],
) -> Result<Usage, Problem> {
    let Some(state) = view.inventory(site) else { return Ok(Usage::default()) };
    let (sources, centre) = (usage::sources(view, state), app.centre.clone());
    let read = tokio::task::spawn_blocking(move || usage::add_up(&centre, site, &sources, of, period));
    read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))
}
