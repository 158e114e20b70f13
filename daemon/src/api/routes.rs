//! The routes of version 1.
//!
//! Invariant: each handler first asks its [`Gate`] and reads the [`View`] that it gets, never the estate.

mod access;
mod admin;
mod agents;
mod devices;
pub(super) mod endpoints;
mod sites;

use std::sync::Arc;

use axum::Json;
use onenet_topology::SiteId;
use utoipa_axum::router::OpenApiRouter;

use super::{App, Params, Problem, body::Page};
use crate::{
    access::{Action, Gate, View, audit::Outcome},
    ingest::{self, IntakeError, Refusal},
    record::Command,
};

/// What a handler returns.
type Answer<T> = Result<Json<T>, Problem>;

/// Returns all routes of version 1 with their documentation.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(sites::router())
        .merge(devices::router())
        .merge(endpoints::router())
        .merge(agents::router())
        .merge(access::router())
        .merge(admin::router())
}

/// Reads the parameter `site`: an id or a division code of a site that the view shows.
fn site_filter(view: &View, params: &mut Params) -> Result<Option<SiteId>, Problem> {
    params.text("site").map(|text| named_site(view, text)).transpose()
}

/// Returns the site of this id or division code, as far as the view shows it.
fn named_site(view: &View, text: &str) -> Result<SiteId, Problem> {
    let unknown = || Problem::parameter("site", format!("there is no site {text:?}: write an id or a division code"));
    Ok(view.find_site(text).ok_or_else(unknown)?.id)
}

/// Returns the sites whose inventory a list goes through, in the order of their ids: a site and those below, or all.
fn inventory_sites(view: &View, root: Option<SiteId>) -> Vec<SiteId> {
    let mut sites: Vec<SiteId> = match root {
        Some(root) => view.subtree(Some(root)).into_iter().map(|site| site.id).collect(),
        None => view.inventories(SiteId::from_raw(0)).map(|state| state.id).collect(),
    };
    sites.sort_unstable();
    sites
}

/// Returns a page whose cursor is the id of its last entry.
fn page_of_ids<T>(items: impl Iterator<Item = T>, limit: usize, id: impl Fn(&T) -> &String) -> Page<T> {
    Page::take(items, limit, |item| id(item).clone())
}

/// Hands a command over, waits until it is on disk, and notes what came of it.
async fn submit(
    app: &App,
    gate: &Gate,
    action: Action,
    site: Option<SiteId>,
    subject: &str,
    command: Command,
) -> Result<ingest::Outcome, Problem> {
    let result = app.centre.submit(command, &gate.caller().principal.name).await;
    let outcome = match &result {
        Ok(_) => Outcome::Done,
        Err(IntakeError::Refused(_)) => Outcome::Refused,
        Err(_) => Outcome::Failed,
    };
    gate.note(action, site, subject, outcome)?;
    app.write_audit(false).await;
    result.map_err(|error| match error {
        IntakeError::Refused(Refusal::LogFull) | IntakeError::Store(_) | IntakeError::Stopped => {
            Problem::unavailable(error.to_string())
        }
        IntakeError::Refused(refusal) => Problem::conflict(refusal.to_string()),
    })
}
