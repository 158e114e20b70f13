//! What changed at sites, and what was there at a time.

use std::{cmp::Reverse, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{SiteId, Timestamp, picture::Picture};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, coverage::Extent};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{ChangeBody, Page, PictureBody},
        params::LIMIT_MAX,
    },
    console::Language,
    past::{Told, tell},
};

/// How far back changes go when the caller does not say, in milliseconds.
const SPAN_MS: i64 = 24 * 3_600_000;
/// Changes of one site that are read for a picture of the past: what its bounds let happen in 100 of the busiest days.
const UNDONE_MAX: usize = 2_000_000;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_changes)).routes(routes!(site_picture))
}

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first moment.
    pub(crate) from: Timestamp,
    /// The first moment after the last.
    pub(crate) until: Timestamp,
}

impl Span {
    /// Reads the parameters `from` and `until`: a day before `until`, and now, when they are not given.
    ///
    /// # Errors
    /// They are no times, or in the wrong order.
    pub(crate) fn of(params: &mut Params, now: Timestamp) -> Result<Self, Problem> {
        // What happens in this very moment belongs to it.
        let until = params.day("until")?.unwrap_or(now.plus_ms(1));
        let from = params.day("from")?.unwrap_or(until.plus_ms(-SPAN_MS));
        if from >= until {
            return Err(Problem::parameter("from", "is not before until: exchange them"));
        }
        Ok(Self { from, until })
    }
}

/// Lists what changed at a site and those below it, in an area or everywhere: devices, endpoints, links and the sites
/// themselves, the latest first.
#[utoipa::path(
    get, path = "/api/v1/changes", tag = "changes",
    params(
        ("site" = Option<String>, Query, description = "A site, with those below it: an id or a division code; everything by default"),
        ("area" = Option<String>, Query, description = "An area by its id, instead of a site"),
        ("from" = Option<String>, Query, description = "The first moment: a day such as 2026-01-31, or a time after RFC 3339; a day before `until` by default"),
        ("until" = Option<String>, Query, description = "The first moment after the last; now by default"),
        ("limit" = Option<usize>, Query, description = "Changes at most, 1 to 1000; 100 by default"),
    ),
    responses((status = 200, body = Page<ChangeBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_changes(State(app): State<Arc<App>>, gate: Gate, mut params: Params) -> Answer<Page<ChangeBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let extent = Extent::of(&view, &mut params)?;
    let span = Span::of(&mut params, view.now())?;
    let limit = params.limit()?;
    params.finish()?;
    let (told, more) = changes_of(&app, &view, Language::En, extent.sites(&view), span, limit).await?;
    // A page that is cut ends with all of a moment, so that the time of the last change is where to read on.
    let next = told.last().filter(|_| more).map(|last| last.time.to_string());
    Ok(Json(Page { items: told.into_iter().map(ChangeBody::from).collect(), next }))
}

/// Returns what changed at `sites`, the latest first: `limit` changes and those of the same moment as the last, and whether
/// there were more.
pub(crate) async fn changes_of(
    app: &App,
    view: &View,
    language: Language,
    sites: Vec<SiteId>,
    span: Span,
    limit: usize,
) -> Result<(Vec<Told>, bool), Problem> {
    let period = [span.from, span.until];
    let readable = sites.into_iter().filter(|site| view.may(Action::ReadInventory, *site)).collect();
    let kept = app
        .centre
        .alterations(readable, period, UNDONE_MAX)
        .await
        .map_err(|error| Problem::unavailable(error.to_string()))?;
    let mut told: Vec<Told> = Vec::new();
    for (id, alterations) in kept {
        if let Some(site) = view.site(id) {
            told.extend(tell(view, language, site, &alterations, period));
        }
    }
    told.sort_by_key(|it| Reverse(it.time));
    let last = told.get(limit.min(LIMIT_MAX).saturating_sub(1)).map(|last| last.time);
    let shown = last.map_or(told.len(), |last| told.partition_point(|it| it.time >= last));
    let more = shown < told.len();
    told.truncate(shown);
    Ok((told, more))
}

/// What was at a site at a time: its devices, links and endpoints.
///
/// The picture is that of now with everything undone that changed since. What was not known then of a device or an endpoint is
/// shown as it first became known.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/picture", tag = "changes",
    params(
        ("site" = String, Path, description = "An id or a division code"),
        ("at" = Option<String>, Query, description = "As of when: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
    ),
    responses((status = 200, body = PictureBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn site_picture(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    mut params: Params,
) -> Answer<PictureBody> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    let at = params.day("at")?.unwrap_or(view.now());
    params.finish()?;
    let picture = picture_of(&app, &view, id, at).await?;
    let state = view.inventory(id).ok_or_else(Problem::not_found)?;
    Ok(Json(PictureBody::of(state, &picture, at)))
}

/// Returns what was at a site at a time.
pub(crate) async fn picture_of(app: &App, view: &View, site: SiteId, at: Timestamp) -> Result<Picture, Problem> {
    let now = view.picture(site).ok_or_else(Problem::not_found)?;
    let since = [at, Timestamp::from_unix_ms(i64::MAX)];
    let kept = app
        .centre
        .alterations(vec![site], since, UNDONE_MAX)
        .await
        .map_err(|error| Problem::unavailable(error.to_string()))?;
    let since = kept.into_iter().flat_map(|(_, alterations)| alterations).collect::<Vec<_>>();
    Ok(now.as_of(at, &since))
}
