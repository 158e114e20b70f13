//! What a site is concluded from, and what is concluded: evidence.

use std::sync::Arc;

use axum::{Json, extract::Path};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Gate},
    api::{App, Params, Problem},
    ingest::evidence_file,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_evidence))
}

/// The evidence of a site: what its devices tell of where things are.
///
/// The answer is a file for `onenetd topology infer`: `{"site", "walks": [{"time", "devices"}]}`, where each device has its
/// id and the tables that `onenet-agent inspect --json` prints.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/evidence", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Object), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_evidence(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<serde_json::Value> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    let site = view.site(id).ok_or_else(Problem::not_found)?;
    let code = site.code(view.now());
    // A site without a device is one without evidence, not an error.
    let file = match view.inventory(id) {
        Some(state) => evidence_file(state, code, view.now()),
        None => evidence_file(&crate::estate::SiteState::new(id), code, view.now()),
    };
    serde_json::to_value(file).map(Json).map_err(|error| Problem::unavailable(error.to_string()))
}
