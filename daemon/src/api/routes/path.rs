//! The path between two places of the network.

use std::sync::Arc;

use axum::Json;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Answer;
use crate::{
    access::{Action, Gate, View},
    api::{App, Params, Problem, body::PathBody},
    path::{NoEnd, PathEnd, path},
};

/// Endpoints of one address that a problem names.
const NAMED_MAX: usize = 10;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_path))
}

/// The way from one place of the network to another, hop by hop, with what is known of each hop.
///
/// Within a site it leads over believed links between devices, between sites over routers that have addresses in one subnet;
/// where neither is known, over the tree of sites, which says where they are joined and not how.
#[utoipa::path(
    get, path = "/api/v1/path", tag = "devices",
    params(
        ("from" = String, Query, description = "A site by id or division code, a device by id, an endpoint by id, MAC or present IP address"),
        ("to" = String, Query, description = "The same"),
    ),
    responses((status = 200, body = PathBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_path(gate: Gate, mut params: Params) -> Answer<PathBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let (from, to) = (end(&view, &mut params, "from")?, end(&view, &mut params, "to")?);
    params.finish()?;
    Ok(Json(PathBody::of(&path(&view, from, to))))
}

/// Reads an end of a path.
///
/// # Errors
/// It is not given, unknown, or means several endpoints.
fn end(view: &View, params: &mut Params, name: &'static str) -> Result<PathEnd, Problem> {
    let Some(text) = params.text(name) else {
        return Err(Problem::parameter(name, "is missing: give a site, a device, or an endpoint by MAC or IP address"));
    };
    PathEnd::find(view, text).map_err(|problem| match problem {
        NoEnd::Unknown => Problem::parameter(
            name,
            format!("there is no {text:?}: give a site, a device, or an endpoint by MAC or IP address"),
        ),
        NoEnd::Several(ids) => {
            let ids: Vec<String> = ids.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            Problem::parameter(name, format!("{text:?} is several endpoints: give one of {}", ids.join(", ")))
        }
    })
}
