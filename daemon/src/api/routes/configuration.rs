//! The configuration that the agents of a site are to have: set here, pushed to each, and what came of it.
//!
//! The agent checks a text as it checks its own file, and says what is wrong with it; here only what needs no agent is
//! checked, so that a slip is known at once.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_wire::limits::CONFIGURATION_BYTES;
use toml::de::DeTable;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, TextBody, listed, plan_file::line_of, read_text, submit};
use crate::{
    access::{Action, Gate},
    api::{App, Params, Problem, body::ConfigurationBody},
    record::Command,
};

/// The parts of an agent's configuration that are the site's; the rest is the agent's own.
const PARTS: [&str; 10] =
    ["anchor", "capture", "intervals", "groups", "devices", "discovery", "probing", "probes", "detection", "scans"];

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get_configuration, set_configuration, change_configuration))
}

/// The configuration that the agents of a site are to have, and how far each is with it.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/configuration", tag = "agents",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = ConfigurationBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_configuration(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<ConfigurationBody> {
    let (view, site) = gate.site(Action::ReadInventory, &site)?;
    params.finish()?;
    Ok(Json(ConfigurationBody::of(&view, site)))
}

/// Sets the configuration of a site's agents: the sections `anchor`, `capture`, `intervals`, `groups`, `devices`, `discovery`, `probing`, `probes`,
/// `detection` and `scans` of an agent's file.
///
/// It is pushed to the agents that are connected, and to the others when they connect. Each checks it, applies it, and goes
/// back to the one before when it loses the centre by it; ask for the configuration again to see what came of it.
#[utoipa::path(
    put, path = "/api/v1/sites/{site}/configuration", tag = "agents",
    params(("site" = String, Path, description = "An id or a division code")),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, body = ConfigurationBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn set_configuration(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
    toml: TextBody,
) -> Answer<ConfigurationBody> {
    let (_, site) = gate.site(Action::ConfigureAgents, &site)?;
    params.finish()?;
    let toml = read_text(&app, toml)?;
    check(&toml)?;
    submit(&app, &gate, Command::Configure { site, toml }).await?;
    Ok(Json(ConfigurationBody::of(&gate.view_after(app.centre.estate()), site)))
}

/// Changes some sections of the configuration of a site's agents, such as `detection`: those that the text holds; all others stay.
///
/// The configuration has to have been set before: without one the agents' own files are in force, which the centre does not know, and which would
/// be replaced as a whole. Comments of the text that is in force are not kept.
#[utoipa::path(
    patch, path = "/api/v1/sites/{site}/configuration", tag = "agents",
    params(("site" = String, Path, description = "An id or a division code")),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, body = ConfigurationBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn change_configuration(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(site): Path<String>,
    params: Params,
    toml: TextBody,
) -> Answer<ConfigurationBody> {
    let (view, site) = gate.site(Action::ConfigureAgents, &site)?;
    params.finish()?;
    let toml = read_text(&app, toml)?;
    check(&toml)?;
    let Some(known) = view.configuration(site) else {
        return Err(Problem::body(
            "no configuration was set for this site, and its agents' own files, which would be replaced, are not known here: set the whole one first",
        ));
    };
    let toml = changed(&known.toml, &toml)?;
    check(&toml)?;
    submit(&app, &gate, Command::Configure { site, toml }).await?;
    Ok(Json(ConfigurationBody::of(&gate.view_after(app.centre.estate()), site)))
}

/// Returns a text with the sections of another one in place of its own.
fn changed(known: &str, sections: &str) -> Result<String, Problem> {
    let table = |text: &str| {
        text.parse::<toml::Table>().map_err(|error| Problem::body(format!("is not TOML: {}", error.message())))
    };
    let mut all = table(known)?;
    all.extend(table(sections)?);
    toml::to_string(&all).map_err(|error| Problem::body(format!("cannot be written: {error}")))
}

/// Checks what needs no agent: that it is TOML, holds the site's parts and nothing else, and fits one message.
fn check(text: &str) -> Result<(), Problem> {
    if text.len() > CONFIGURATION_BYTES {
        let detail = format!(
            "it has {} bytes, more than {CONFIGURATION_BYTES}: divide the devices among several agents",
            text.len()
        );
        return Err(Problem::body(detail));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let line = |offset| line_of(text, offset);
    let mut problems: Vec<(usize, String)> = errors
        .iter()
        .map(|error| (line(error.span().unwrap_or_default().start), format!("is not TOML: {}", error.message())))
        .collect();
    let others = document.get_ref().keys().filter(|key| !PARTS.contains(&key.get_ref().as_ref()));
    problems.extend(others.map(|key| {
        let what = format!(
            "{} is not the site's to set: leave it in the agent's own file; known here are {}",
            key.get_ref(),
            PARTS.join(", ")
        );
        (line(key.span().start), what)
    }));
    problems.sort();
    let problems: Vec<String> = problems.into_iter().map(|(line, what)| format!("line {line}: {what}")).collect();
    if problems.is_empty() { Ok(()) } else { Err(Problem::body(listed(&problems))) }
}
