//! Probes of a site's agents.

use std::sync::Arc;

use axum::{Json, extract::Path};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{Page, ProbeBody, probes},
    },
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_probes))
}

/// What the agents of a site measure of the ways that lead away from it: uplinks, gateway, children, services.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/probes", tag = "probes",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Page<ProbeBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_probes(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Page<ProbeBody>> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    Ok(Json(Page::whole(probes(&view, site).iter().map(|shown| ProbeBody::of(&view, site, shown)).collect())))
}
