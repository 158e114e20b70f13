//! Agents, what keeps them from their work, what the centre finds wrong, and enrolment.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::AgentId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, inventory_sites, page_of_ids, read_body, site_filter, submit};
use crate::{
    access::{Action, Gate, audit::Outcome},
    api::{
        App, Params, Problem,
        body::{AgentBody, ConditionBody, FindingBody, Page, named},
    },
    record::Command,
};

/// How long an enrolment token is valid when the caller does not say, in hours.
const ENROLMENT_HOURS_DEFAULT: usize = 24;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_agents))
        .routes(routes!(get_agent))
        .routes(routes!(revoke_agent))
        .routes(routes!(list_conditions))
        .routes(routes!(list_findings))
        .routes(routes!(issue_enrolment_token))
}

/// A token with which one agent enrols, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct EnrolmentBody {
    /// The site.
    pub site: String,
    /// The site's name and code, for whoever reads.
    pub site_label: String,
    /// What the agent needs: the secret, and the fingerprint of the authority that it is to trust.
    pub token: String,
    /// When it ends to be valid.
    pub expires: String,
    /// Where the agent is to connect, host and port; `null` where the centre is not running.
    pub centre: Option<String>,
}

/// Lists agents.
#[utoipa::path(
    get, path = "/api/v1/agents", tag = "agents",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<AgentBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_agents(gate: Gate, mut params: Params) -> Answer<Page<AgentBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<AgentId>("cursor")?);
    params.finish()?;
    let agents = view.agents().filter(|agent| root.is_none_or(|root| view.is_within(agent.site, root)));
    let rest = agents.filter(|agent| cursor.is_none_or(|last| agent.id > last));
    Ok(Json(page_of_ids(rest.map(|agent| AgentBody::of(&view, agent)), limit, |agent| &agent.id)))
}

/// One agent.
#[utoipa::path(
    get, path = "/api/v1/agents/{agent}", tag = "agents",
    params(("agent" = String, Path, description = "Its id")),
    responses((status = 200, body = AgentBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_agent(gate: Gate, Path(agent): Path<String>, params: Params) -> Answer<AgentBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| {
        let id = agent.parse().ok()?;
        Some((estate.agent(id)?.site, id))
    })?;
    params.finish()?;
    Ok(Json(AgentBody::of(&view, view.agent(id).ok_or_else(Problem::not_found)?)))
}

/// Why an agent is shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// In words, 1 to 200 characters: whoever stands at the agent reads them.
    pub reason: String,
}

/// Accepts an agent's certificate no more, and cuts its stream.
///
/// It cannot be taken back: an agent that was revoked by mistake enrols again.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent}/revoke", tag = "agents",
    params(("agent" = String, Path, description = "Its id")),
    request_body = ReasonBody,
    responses((status = 200, body = AgentBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn revoke_agent(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(agent): Path<String>,
    params: Params,
    body: JsonBody<ReasonBody>,
) -> Answer<AgentBody> {
    let (_, _, id) = gate.thing(Action::RevokeAgent, |estate| {
        let id = agent.parse().ok()?;
        Some((estate.agent(id)?.site, id))
    })?;
    params.finish()?;
    let reason = read_body(&app, body)?.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 200 || reason.chars().any(char::is_control) {
        return Err(Problem::parameter("reason", "cannot be used: write 1 to 200 characters on one line"));
    }
    submit(&app, &gate, Command::RevokeAgent { agent: id, reason }).await?;
    let view = gate.view_after(app.centre.estate());
    Ok(Json(AgentBody::of(&view, view.agent(id).ok_or_else(Problem::not_found)?)))
}

/// Lists what keeps agents from their work.
#[utoipa::path(
    get, path = "/api/v1/conditions", tag = "agents",
    params(("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code")),
    responses((status = 200, body = Page<ConditionBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_conditions(gate: Gate, mut params: Params) -> Answer<Page<ConditionBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    params.finish()?;
    let states = inventory_sites(&view, root).into_iter().filter_map(|site| view.inventory(site));
    let all = states.flat_map(|state| state.conditions().map(move |it| ConditionBody::of(state.id, it)));
    Ok(Json(Page::whole(all.take(TROUBLES_MAX).collect())))
}

/// Lists what the centre finds wrong.
#[utoipa::path(
    get, path = "/api/v1/findings", tag = "agents",
    params(("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code")),
    responses((status = 200, body = Page<FindingBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_findings(gate: Gate, mut params: Params) -> Answer<Page<FindingBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    params.finish()?;
    let states = inventory_sites(&view, root).into_iter().filter_map(|site| view.inventory(site));
    let all = states.flat_map(|state| state.findings.values().map(move |it| FindingBody::of(state.id, it)));
    Ok(Json(Page::whole(all.take(TROUBLES_MAX).collect())))
}

/// The most conditions or findings of an answer: some for each site of a nation.
const TROUBLES_MAX: usize = 20_000;

/// Issues a token with which one agent of a site enrols, once.
#[utoipa::path(
    post, path = "/api/v1/sites/{site}/enrolment-tokens", tag = "agents",
    params(
        ("site" = String, Path, description = "An id or a division code"),
        ("hours" = Option<usize>, Query, description = "How long it is valid, 1 to 720 hours; 24 by default"),
    ),
    responses((status = 200, body = EnrolmentBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn issue_enrolment_token(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    mut params: Params,
) -> Answer<EnrolmentBody> {
    let (view, site) = gate.site(Action::EnrolAgent, &site)?;
    let hours = params.number("hours", 1..=720)?.unwrap_or(ENROLMENT_HOURS_DEFAULT);
    params.finish()?;
    let seconds = u64::try_from(hours).unwrap_or(u64::MAX).saturating_mul(3600);
    let issued = match app.centre.enrol_token(site, Duration::from_secs(seconds), gate.caller().author()).await {
        Ok(issued) => issued,
        Err(error) => {
            gate.note(Action::EnrolAgent, Some(site), "enrolment token issued", Outcome::Failed)?;
            return Err(Problem::unavailable(error.to_string()));
        }
    };
    app.counters.audit_written.fetch_add(1, Ordering::Relaxed);
    let expires = view.now().plus_ms(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000));
    Ok(Json(EnrolmentBody {
        site: site.to_string(),
        site_label: named(&view, site).unwrap_or_default(),
        token: issued,
        expires: expires.to_string(),
        centre: app.collectors.clone(),
    }))
}
