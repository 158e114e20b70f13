//! Areas: listed by whoever sees one of their sites, changed by whoever manages all that they name.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use onenet_topology::{
    AreaId,
    area::{Area, Members},
    site::SiteName,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, effective, named_sites, read_body, submit};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{AreaBody, Page},
    },
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_areas, create_area)).routes(routes!(get_area, change_area, delete_area))
}

/// A name to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNameBody {
    /// In Chinese.
    pub zh: String,
    /// In Latin letters; may be left out.
    #[serde(default)]
    pub latin: String,
}

/// The rules that say who belongs to an area; sites by id or division code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMembersBody {
    /// Sites that belong to it with everything below them.
    #[serde(default)]
    pub subtrees: Vec<String>,
    /// Sites that do not belong to it, with everything below them.
    #[serde(default)]
    pub except: Vec<String>,
    /// Single sites that belong to it in any case.
    #[serde(default)]
    pub sites: Vec<String>,
}

/// An area to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAreaBody {
    /// `division`, `region`, `river_basin`, `sea_area` or `other`.
    pub kind: String,
    /// Its name.
    pub name: NewNameBody,
    /// Who belongs to it: at least one subtree or site.
    pub members: NewMembersBody,
    /// Since when: a day such as 2026-01-31, or a time after RFC 3339; now by default.
    #[serde(default)]
    pub from: Option<String>,
}

/// What is to change of an area; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AreaChangeBody {
    /// Its new name.
    #[serde(default)]
    pub name: Option<NewNameBody>,
    /// Who belongs to it from then on, in the place of the rules before.
    #[serde(default)]
    pub members: Option<NewMembersBody>,
    /// Since when: a day such as 2026-01-31, or a time after RFC 3339; now by default.
    #[serde(default)]
    pub from: Option<String>,
}

/// Lists areas.
#[utoipa::path(
    get, path = "/api/v1/areas", tag = "areas",
    responses((status = 200, body = Page<AreaBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_areas(gate: Gate, params: Params) -> Answer<Page<AreaBody>> {
    let view = gate.anywhere(Action::ReadSites)?;
    params.finish()?;
    Ok(Json(Page::whole(view.areas().map(|area| AreaBody::of(&view, area)).collect())))
}

/// One area.
#[utoipa::path(
    get, path = "/api/v1/areas/{area}", tag = "areas",
    params(("area" = String, Path, description = "Its id, or its name")),
    responses((status = 200, body = AreaBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_area(gate: Gate, Path(area): Path<String>, params: Params) -> Answer<AreaBody> {
    let view = gate.anywhere(Action::ReadSites)?;
    params.finish()?;
    Ok(Json(AreaBody::of(&view, find(&view, &area)?)))
}

/// Creates an area. Takes the right to manage areas at each site that it names.
#[utoipa::path(
    post, path = "/api/v1/areas", tag = "areas",
    request_body = NewAreaBody,
    responses((status = 200, body = AreaBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn create_area(
    State(app): State<Arc<App>>,
    gate: Gate,
    params: Params,
    body: JsonBody<NewAreaBody>,
) -> Answer<AreaBody> {
    let view = gate.anywhere(Action::ManageAreas)?;
    params.finish()?;
    let body = read_body(&app, body)?;
    let kind = body.kind.parse().map_err(|error| wrong("kind", &error))?;
    let members = body.members.checked(&view)?;
    gate.at_each(Action::ManageAreas, members.named())?;
    let from = effective(&gate, body.from.as_deref())?;
    let command = Command::AddArea { kind, name: body.name.into(), members, from };
    match submit(&app, &gate, command).await? {
        Outcome::AreaAdded(id) => shown(&app, &gate, id),
        _ => Err(Problem::internal()),
    }
}

/// Changes the name or the members of an area. Takes the right to manage areas at each site that it names, before and after.
#[utoipa::path(
    patch, path = "/api/v1/areas/{area}", tag = "areas",
    params(("area" = String, Path, description = "Its id, or its name")),
    request_body = AreaChangeBody,
    responses((status = 200, body = AreaBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn change_area(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(wanted): Path<String>,
    params: Params,
    body: JsonBody<AreaChangeBody>,
) -> Answer<AreaBody> {
    let (view, area) = managed(&gate, &wanted)?;
    params.finish()?;
    let body = read_body(&app, body)?;
    if body.name.is_none() && body.members.is_none() {
        return Err(Problem::body("nothing is to change: give name, members or both"));
    }
    let members = body.members.map(|members| members.checked(&view)).transpose()?;
    gate.at_each(Action::ManageAreas, members.iter().flat_map(Members::named))?;
    let from = effective(&gate, body.from.as_deref())?;
    submit(&app, &gate, Command::ChangeArea { area, name: body.name.map(SiteName::from), members, from }).await?;
    shown(&app, &gate, area)
}

/// Deletes an area. What it was stays known for the time before.
#[utoipa::path(
    delete, path = "/api/v1/areas/{area}", tag = "areas",
    params(
        ("area" = String, Path, description = "Its id, or its name"),
        ("from" = Option<String>, Query, description = "Since when: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
    ),
    responses((status = 200, body = AreaBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn delete_area(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(wanted): Path<String>,
    mut params: Params,
) -> Answer<AreaBody> {
    let (view, area) = managed(&gate, &wanted)?;
    let from = params.day("from")?.unwrap_or(gate.now());
    params.finish()?;
    let body = AreaBody::of(&view, find(&view, &wanted)?);
    submit(&app, &gate, Command::RemoveArea { area, from }).await?;
    Ok(Json(body))
}

/// Returns an area as it is after a change of it.
fn shown(app: &App, gate: &Gate, id: AreaId) -> Answer<AreaBody> {
    let view = gate.view_after(app.centre.estate());
    let body = view.area(id).map(|area| AreaBody::of(&view, area));
    body.map(Json).ok_or_else(Problem::internal)
}

/// Returns the area of this id or name, as far as the view shows it.
pub(super) fn find<'v>(view: &'v View, wanted: &str) -> Result<&'v Area, Problem> {
    let id: Option<AreaId> = wanted.parse().ok();
    let called = |area: &&Area| {
        let name = area.name(view.now());
        id.map_or(name.zh == wanted || name.latin == wanted, |id| area.id == id)
    };
    let mut found = view.areas().filter(called);
    let area = found.next().ok_or_else(Problem::not_found)?;
    match found.count() {
        0 => Ok(area),
        more => Err(wrong("area", &format!("{wanted:?} is the name of {} areas: give the id of one", more + 1))),
    }
}

/// Returns the area that a parameter names; by its id one that is over as well, since reports look back.
pub(super) fn named<'v>(view: &'v View, wanted: &str) -> Result<&'v Area, Problem> {
    let by_id = wanted.parse().ok().and_then(|id| view.area(id));
    by_id.map_or_else(|| find(view, wanted), Ok).map_err(|problem| match problem.status() {
        StatusCode::NOT_FOUND => wrong("area", &format!("there is no area {wanted:?}: GET /api/v1/areas lists them")),
        _ => problem,
    })
}

/// Asks for the right to change an area.
fn managed(gate: &Gate, wanted: &str) -> Result<(View, AreaId), Problem> {
    let view = gate.anywhere(Action::ManageAreas)?;
    let area = find(&view, wanted)?;
    gate.at_each(Action::ManageAreas, area.members.iter().flat_map(|dated| dated.value.named()))?;
    let id = area.id;
    Ok((view, id))
}

fn wrong(name: &str, error: &impl ToString) -> Problem {
    Problem::parameter(name, error.to_string())
}

impl NewMembersBody {
    fn checked(&self, view: &View) -> Result<Members, Problem> {
        Ok(Members {
            subtrees: named_sites(view, "members.subtrees", &self.subtrees)?,
            except: named_sites(view, "members.except", &self.except)?,
            sites: named_sites(view, "members.sites", &self.sites)?,
        })
    }
}

impl From<NewNameBody> for SiteName {
    fn from(name: NewNameBody) -> Self {
        Self::new(name.zh.trim(), name.latin.trim())
    }
}
