//! What a site is concluded from, which of its devices are joined, and in which networks they are.

use std::sync::Arc;

use axum::{Json, extract::Path};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{LinkBody, Page, SubnetBody, subnets_of_site},
    },
    ingest::evidence_file,
    joined::joined,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_evidence)).routes(routes!(list_site_links)).routes(routes!(list_subnets))
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

/// The links of a site.
///
/// One list of what neighbours, spanning tree, LACP and tables say, each with its reason; what only one end tells, and what other
/// evidence contradicts, is in it and marked.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/links", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Page<LinkBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_site_links(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Page<LinkBody>> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    let state = view.inventory(id);
    let links = state.into_iter().flat_map(|state| joined(state).into_iter().map(|link| LinkBody::of(state, &link)));
    Ok(Json(Page::whole(links.collect())))
}

/// The subnets of a site: the networks in which its devices have addresses, with gateways, and how many endpoints are in each.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/subnets", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Page<SubnetBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_subnets(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Page<SubnetBody>> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    let state = view.inventory(id);
    Ok(Json(Page::whole(state.map(|state| subnets_of_site(&view, state)).unwrap_or_default())))
}
