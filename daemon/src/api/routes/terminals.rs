//! Terminals: which endpoints of a site are cards of one machine, and what operators rule of them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, endpoints::endpoint_by, read_body, submit};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{Page, RuleBody, TerminalBody},
    },
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_terminals)).routes(routes!(get_terminal)).routes(routes!(rule_endpoints))
}

/// The terminals of a site: its machines, each with the endpoints that are its cards, and why these are one.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/terminals", tag = "endpoints",
    params(
        ("site" = String, Path, description = "An id or a division code"),
        ("several" = Option<bool>, Query, description = "Only those of several cards (`true`), or of one (`false`)"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<TerminalBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_terminals(gate: Gate, Path(site): Path<String>, mut params: Params) -> Answer<Page<TerminalBody>> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    let several = params.flag("several")?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(str::to_owned);
    params.finish()?;
    let Some(state) = view.inventory(id) else { return Ok(Json(Page::whole(Vec::new()))) };
    let known = view.terminals(state);
    let wanted = known.terminals.iter().filter(|it| several.is_none_or(|several| (it.endpoints.len() > 1) == several));
    let behind = wanted.skip_while(|it| after.as_ref().is_some_and(|after| it.id.to_string() != *after));
    let bodies = behind.skip(usize::from(after.is_some())).map(|it| TerminalBody::of(&view, state, &known, it));
    Ok(Json(Page::take(bodies, limit, |terminal| terminal.id.clone())))
}

/// The terminal of an endpoint.
#[utoipa::path(
    get, path = "/api/v1/endpoints/{endpoint}/terminal", tag = "endpoints",
    params(("endpoint" = String, Path, description = "Its id")),
    responses((status = 200, body = TerminalBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_terminal(gate: Gate, Path(endpoint): Path<String>, params: Params) -> Answer<TerminalBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| endpoint_by(estate, &endpoint))?;
    params.finish()?;
    terminal_of(&view, id).map(Json)
}

/// Rules whether two endpoints are cards of one terminal, whatever evidence says.
///
/// It holds until it is taken back, and keeps the author in the log. A card that is not on the books counts as one that is,
/// once somebody says that it is in the same machine; evidence alone does not bring that about.
#[utoipa::path(
    post, path = "/api/v1/endpoints/{endpoint}/rulings", tag = "endpoints",
    params(("endpoint" = String, Path, description = "The one endpoint: its id")),
    request_body = RuleBody,
    responses((status = 200, body = TerminalBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn rule_endpoints(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(endpoint): Path<String>,
    params: Params,
    body: JsonBody<RuleBody>,
) -> Answer<TerminalBody> {
    let (_, site, one) = gate.thing(Action::ManageAssets, |estate| endpoint_by(estate, &endpoint))?;
    params.finish()?;
    let body = read_body(&app, body)?;
    let (verdict, reason) = body.read()?;
    let other = endpoint_by(&app.centre.estate(), &body.other).filter(|(of, two)| *of == site && *two != one);
    let (_, two) = other.ok_or_else(|| Problem::parameter("other", "names no other endpoint of the same site"))?;
    submit(&app, &gate, Command::RuleEndpoints { site, one, two, verdict, reason }).await?;
    terminal_of(&gate.view_after(app.centre.estate()), one).map(Json)
}

fn terminal_of(view: &crate::access::View, id: onenet_topology::EndpointId) -> Result<TerminalBody, Problem> {
    let (state, _) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let known = view.terminals(state);
    let terminal = known.terminals.iter().find(|it| it.endpoints.contains(&id)).ok_or_else(Problem::not_found)?;
    Ok(TerminalBody::of(view, state, &known, terminal))
}
