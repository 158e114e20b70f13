//! Acceptance tests: run, listed, shown, printed and signed off.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{Html, IntoResponse},
};
use onenet_topology::{AcceptanceId, SiteId, acceptance::Acceptance};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, page_of_ids, read_body, submit};
use crate::{
    acceptance,
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{AcceptanceBody, AcceptanceDetailBody, Page, ThresholdsBody},
    },
    console,
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_acceptances, run_acceptance))
        .routes(routes!(acceptance))
        .routes(routes!(acceptance_report))
        .routes(routes!(sign_acceptance))
}

/// A person signs a test off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSignatureBody {
    /// The person's name.
    pub person: String,
    /// What the person adds: of a test in which something was not measured, why it is accepted all the same.
    pub note: String,
}

/// Lists the tests of a site, the newest first.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/acceptances", tag = "acceptance",
    params(
        ("site" = String, Path, description = "Id or division code"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<AcceptanceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_acceptances(gate: Gate, Path(site): Path<String>, mut params: Params) -> Answer<Page<AcceptanceBody>> {
    let (view, id) = gate.site(Action::ReadInventory, &site)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<AcceptanceId>("cursor")?);
    params.finish()?;
    let wanted = view.acceptances(id).filter(|it| cursor.is_none_or(|last| it.id < last));
    Ok(Json(page_of_ids(wanted.map(AcceptanceBody::of), limit, |body| &body.id)))
}

/// Runs the acceptance test of a site, and keeps what it finds: connectivity, quality of the ways up, a media test, name service,
/// address plan, agents and devices, each against its threshold. Takes some twelve seconds for each way up with a media test.
///
/// What was not measured is never a pass. Thresholds that are not given are as the centre's configuration has them.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/acceptances", tag = "acceptance",
    params(("site" = String, Path, description = "Id or division code")),
    request_body = ThresholdsBody,
    responses((status = 200, body = AcceptanceDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn run_acceptance(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
    body: JsonBody<ThresholdsBody>,
) -> Answer<AcceptanceDetailBody> {
    let gate = gate.for_change();
    let (view, site) = gate.site(Action::AcceptSites, &site)?;
    let asked = read_body(&app, body)?;
    params.finish()?;
    let thresholds = asked.over(&app.acceptance);
    let thresholds = thresholds.map_err(|name| {
        Problem::parameter(name, "makes no sense: write minutes from 1 to 60, and numbers from 0 on")
    })?;
    let tested = acceptance::test(&app, &gate, &view, site, thresholds).await?;
    match submit(&app, &gate, Command::RecordAcceptance { tested: Box::new(tested) }).await? {
        Outcome::AcceptanceRecorded(id) => shown(&app, &gate, site, id),
        _ => Err(Problem::internal()),
    }
}

fn shown(app: &App, gate: &Gate, site: SiteId, id: AcceptanceId) -> Answer<AcceptanceDetailBody> {
    let view = gate.view_after(app.centre.estate());
    let found = view.acceptance(site, id).ok_or_else(Problem::internal)?;
    Ok(Json(AcceptanceDetailBody::of(&view, found)))
}

fn known<'v>(view: &'v View, site: SiteId, id: &str) -> Result<&'v Acceptance, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    view.acceptance(site, id).ok_or_else(Problem::not_found)
}

/// A test with all of its checks.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/acceptances/{acceptance}", tag = "acceptance",
    params(
        ("site" = String, Path, description = "Id or division code"),
        ("acceptance" = String, Path, description = "Its id"),
    ),
    responses((status = 200, body = AcceptanceDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn acceptance(
    gate: Gate,
    Path((site, acceptance)): Path<(String, String)>,
    params: Params,
) -> Answer<AcceptanceDetailBody> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    Ok(Json(AcceptanceDetailBody::of(&view, known(&view, site, &acceptance)?)))
}

/// The same as a page to print and sign (HTML).
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/acceptances/{acceptance}/report", tag = "acceptance",
    params(
        ("site" = String, Path, description = "Id or division code"),
        ("acceptance" = String, Path, description = "Its id"),
        ("lang" = Option<String>, Query, description = "zh (the default) or en"),
    ),
    responses((status = 200, body = String, content_type = "text/html"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn acceptance_report(
    gate: Gate,
    Path((site, acceptance)): Path<(String, String)>,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    let language = console::language(params.text("lang"));
    params.finish()?;
    Ok(Html(console::acceptance_report(language, &view, known(&view, site, &acceptance)?)))
}

/// Signs a test off, in the name of a person. A test that failed is not signed off, and none twice.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/acceptances/{acceptance}/signature", tag = "acceptance",
    params(
        ("site" = String, Path, description = "Id or division code"),
        ("acceptance" = String, Path, description = "Its id"),
    ),
    request_body = NewSignatureBody,
    responses((status = 200, body = AcceptanceDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn sign_acceptance(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((site, acceptance)): Path<(String, String)>,
    params: Params,
    body: JsonBody<NewSignatureBody>,
) -> Answer<AcceptanceDetailBody> {
    let gate = gate.for_change();
    let (view, site) = gate.site(Action::AcceptSites, &site)?;
    let NewSignatureBody { person, note } = read_body(&app, body)?;
    params.finish()?;
    let id = known(&view, site, &acceptance)?.id;
    let (person, note) = (person.trim().to_owned(), note.trim().to_owned());
    submit(&app, &gate, Command::SignAcceptance { site, acceptance: id, person, note }).await?;
    shown(&app, &gate, site, id)
}
