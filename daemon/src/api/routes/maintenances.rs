//! Planned maintenances: listed by whoever sees their site, planned and ended by whoever may do that there.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{DeviceId, MaintenanceId, Timestamp, incident::MaintenanceScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, named_site, page_of_ids, read_body, site_filter, submit};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{MaintenanceBody, Page},
    },
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_maintenances, plan_maintenance)).routes(routes!(end_maintenance))
}

/// A maintenance to be planned: of a site, with `subtree` of everything below it too, with `parent` of the way between the
/// two, with `device` of that device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMaintenanceBody {
    /// The site: its id or its division code.
    pub site: String,
    /// Whether everything below the site is maintained too.
    #[serde(default)]
    pub subtree: bool,
    /// The upper site of the way that is maintained.
    #[serde(default)]
    pub parent: Option<String>,
    /// The device that is maintained: its id.
    #[serde(default)]
    pub device: Option<String>,
    /// From when, RFC 3339; now by default.
    #[serde(default)]
    pub begin: Option<String>,
    /// Until when, RFC 3339; 31 days later at most.
    pub end: String,
    /// Why.
    pub reason: String,
}

/// Lists planned maintenances, the newest first.
#[utoipa::path(
    get, path = "/api/v1/maintenances", tag = "incidents",
    params(
        ("site" = Option<String>, Query, description = "Only those of this site or of those below it: an id or a division code"),
        ("over" = Option<bool>, Query, description = "Only those that are over, or only those that are not; the latter by default"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<MaintenanceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_maintenances(gate: Gate, mut params: Params) -> Answer<Page<MaintenanceBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let over = params.flag("over")?.unwrap_or(false);
    let (limit, cursor) = (params.limit()?, params.parsed::<MaintenanceId>("cursor")?);
    params.finish()?;
    let now = view.now();
    let wanted = view.maintenances().filter(|it| {
        cursor.is_none_or(|last| it.id < last)
            && (it.end <= now) == over
            && root.is_none_or(|root| view.is_within(it.scope.site(), root))
    });
    Ok(Json(page_of_ids(wanted.map(|it| MaintenanceBody::of(&view, it)), limit, |body| &body.id)))
}

/// Plans a maintenance. What breaks within it is marked as planned.
#[utoipa::path(
    post, path = "/api/v1/maintenances", tag = "incidents",
    request_body = NewMaintenanceBody,
    responses((status = 200, body = MaintenanceBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn plan_maintenance(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewMaintenanceBody>,
) -> Answer<MaintenanceBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    let (view, _) = gate.site(Action::PlanMaintenance, &body.site)?;
    params.finish()?;
    let scope = scope(&view, &body)?;
    let when = |name: &str, text: &str| {
        Timestamp::from_day_or_time(text).map_err(|error| Problem::parameter(name, error.to_string()))
    };
    let begin = body.begin.as_deref().map(|text| when("begin", text)).transpose()?.unwrap_or(gate.now());
    let end = when("end", &body.end)?;
    let command = Command::PlanMaintenance { scope, begin, end, reason: body.reason.trim().to_owned() };
    match submit(&app, &gate, command).await? {
        Outcome::MaintenancePlanned(id) => shown(&app, &gate, id),
        _ => Err(Problem::internal()),
    }
}

fn scope(view: &View, body: &NewMaintenanceBody) -> Result<MaintenanceScope, Problem> {
    let site = named_site(view, "site", &body.site)?;
    match (body.subtree, body.parent.as_deref(), body.device.as_deref()) {
        (true, None, None) => Ok(MaintenanceScope::Subtree(site)),
        (false, None, None) => Ok(MaintenanceScope::Site(site)),
        (false, Some(parent), None) => {
            // Whoever maintains his own way up may name the site above, although he does not see it.
            let above = view.uplinks_named(site, parent);
            let unknown = || Problem::parameter("parent", format!("{parent:?} is not above that site"));
            Ok(MaintenanceScope::Link { child: site, parent: above.ok_or_else(unknown)? })
        }
        (false, None, Some(device)) => {
            let device = device.parse::<DeviceId>().map_err(|error| Problem::parameter("device", error.to_string()))?;
            Ok(MaintenanceScope::Device { site, device })
        }
        _ => Err(Problem::parameter("site", "give only one of subtree, parent and device")),
    }
}

/// Ends a maintenance now, or calls it off before it begins.
#[utoipa::path(
    delete, path = "/api/v1/maintenances/{maintenance}", tag = "incidents",
    params(("maintenance" = String, Path, description = "Its id")),
    responses((status = 200, body = MaintenanceBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn end_maintenance(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(maintenance): Path<String>,
    params: Params,
) -> Answer<MaintenanceBody> {
    let gate = gate.for_change();
    let id = MaintenanceId::from_str(&maintenance).ok();
    let (_, _, id) = gate.thing(Action::PlanMaintenance, |estate| {
        let known = estate.maintenances.get(&id?)?;
        Some((known.scope.site(), known.id))
    })?;
    params.finish()?;
    submit(&app, &gate, Command::EndMaintenance { maintenance: id }).await?;
    shown(&app, &gate, id)
}

fn shown(app: &App, gate: &Gate, id: MaintenanceId) -> Answer<MaintenanceBody> {
    let view = gate.view_after(app.centre.estate());
    let found = view.maintenance(id).ok_or_else(Problem::internal)?;
    Ok(Json(MaintenanceBody::of(&view, found)))
}
