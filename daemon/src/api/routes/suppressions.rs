//! Rules that silence cases: listed with what they silence, made and ended.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    SuppressionId, Timestamp,
    case::{Hours, SuppressionScope},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, areas, named_site, page_of_ids, read_body, submit};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{Page, SuppressionBody},
    },
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_suppressions, suppress)).routes(routes!(end_suppression))
}

/// A rule that silences cases: whatever all that it says is true of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSuppressionBody {
    /// The kind, such as `port_scan`.
    #[serde(default)]
    pub kind: Option<String>,
    /// The subject, word for word.
    #[serde(default)]
    pub subject: Option<String>,
    /// The site, with everything below it: an id or a division code; everywhere without it.
    #[serde(default)]
    pub site: Option<String>,
    /// The area, with all who belong to it: an id or a name.
    #[serde(default)]
    pub area: Option<String>,
    /// Whose traffic: an address or a prefix.
    #[serde(default)]
    pub source: Option<String>,
    /// Where to: an address or a prefix.
    #[serde(default)]
    pub destination: Option<String>,
    /// To which port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Between which hours of the day in China, such as `22:00-06:00`.
    #[serde(default)]
    pub hours: Option<String>,
    /// The person who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when: a time after RFC 3339 or a day, within a year.
    pub until: String,
}

/// Lists rules that silence cases, the newest first, each with how many it silences.
#[utoipa::path(
    get, path = "/api/v1/suppressions", tag = "cases",
    params(
        ("on" = Option<bool>, Query, description = "Only those that hold (by default), or only those that are over"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<SuppressionBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_suppressions(gate: Gate, mut params: Params) -> Answer<Page<SuppressionBody>> {
    let view = gate.anywhere(Action::ReadCases)?;
    let on = params.flag("on")?.unwrap_or(true);
    let (limit, cursor) = (params.limit()?, params.parsed::<SuppressionId>("cursor")?);
    params.finish()?;
    let now = view.now();
    let all = view.suppressions();
    let wanted = all.filter(|(rule, _)| rule.is_on(now) == on && cursor.is_none_or(|last| rule.id < last));
    Ok(Json(page_of_ids(wanted.map(|it| SuppressionBody::of(&view, it)), limit, |body| &body.id)))
}

/// Makes a rule. What it silences is kept, and names the rule. One without a site silences everywhere, and takes the right to review
/// cases everywhere.
#[utoipa::path(
    post, path = "/api/v1/suppressions", tag = "cases",
    request_body = NewSuppressionBody,
    responses((status = 200, body = SuppressionBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn suppress(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewSuppressionBody>,
) -> Answer<SuppressionBody> {
    let gate = gate.for_change();
    let body = read_body(&app, body)?;
    params.finish()?;
    let id = make(&app, &gate, body).await?;
    shown(&app, &gate, id)
}

/// Makes a rule in the caller's name: by his rights at the site, or everywhere.
pub(crate) async fn make(app: &App, gate: &Gate, body: NewSuppressionBody) -> Result<SuppressionId, Problem> {
    let view = match &body.site {
        Some(site) => gate.site(Action::ReviewCases, site)?.0,
        None => gate.system(Action::ReviewCases)?,
    };
    let site = body.site.as_deref().map(|site| named_site(&view, "site", site)).transpose()?;
    let scope = SuppressionScope {
        kind: body.kind,
        subject: body.subject,
        site,
        area: body.area.as_deref().map(|id| areas::named(&view, id)).transpose()?.map(|area| area.id),
        source: read("source", body.source.as_deref())?,
        destination: read("destination", body.destination.as_deref())?,
        port: body.port,
        hours: read::<Hours>("hours", body.hours.as_deref())?,
    };
    let until = Timestamp::from_day_or_time(&body.until);
    let until = until.map_err(|error| Problem::parameter("until", error.to_string()))?;
    let (owner, reason) = (body.owner.trim().to_owned(), body.reason.trim().to_owned());
    match submit(app, gate, Command::Suppress { scope, owner, reason, until }).await? {
        Outcome::Suppressed(id) => Ok(id),
        _ => Err(Problem::internal()),
    }
}

/// Reads a field of a body.
fn read<T: FromStr<Err: std::fmt::Display>>(name: &str, text: Option<&str>) -> Result<Option<T>, Problem> {
    let read = text.map(str::parse).transpose();
    read.map_err(|error: T::Err| Problem::parameter(name, format!("cannot be used: {error}")))
}

/// Ends a rule now.
#[utoipa::path(
    delete, path = "/api/v1/suppressions/{suppression}", tag = "cases",
    params(("suppression" = String, Path, description = "Its id")),
    responses((status = 200, body = SuppressionBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn end_suppression(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(suppression): Path<String>,
    params: Params,
) -> Answer<SuppressionBody> {
    let gate = gate.for_change();
    params.finish()?;
    let id = end(&app, &gate, &suppression).await?;
    shown(&app, &gate, id)
}

/// Ends a rule in the caller's name.
pub(crate) async fn end(app: &App, gate: &Gate, suppression: &str) -> Result<SuppressionId, Problem> {
    let id = SuppressionId::from_str(suppression).ok();
    // A rule for everywhere is ended by whoever may make one.
    let known = |view: &crate::access::View| id.and_then(|id| view.suppression(id)).map(|(rule, _)| rule.scope.site);
    let scope = known(&gate.view_after(app.centre.estate()));
    match scope {
        Some(None) => gate.system(Action::ReviewCases).map(drop)?,
        _ => {
            gate.thing(Action::ReviewCases, |estate| Some((estate.cases.suppressions.get(&id?)?.scope.site?, ())))?;
        }
    }
    let id = id.ok_or_else(Problem::not_found)?;
    submit(app, gate, Command::EndSuppression { suppression: id }).await?;
    Ok(id)
}

fn shown(app: &App, gate: &Gate, id: SuppressionId) -> Answer<SuppressionBody> {
    let view = gate.view_after(app.centre.estate());
    let found = view.suppression(id).ok_or_else(Problem::internal)?;
    Ok(Json(SuppressionBody::of(&view, found)))
}
