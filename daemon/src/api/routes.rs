//! The routes of version 1.
//!
//! Invariant: each handler first asks its [`Gate`] and reads the [`View`] that it gets, never the estate.

mod acceptances;
mod access;
mod addresses;
mod admin;
mod agents;
pub(super) mod anomalies;
mod areas;
pub(super) mod assets;
pub(super) mod availability;
pub(super) mod case_files;
pub(super) mod case_statistics;
mod case_table;
pub(super) mod cases;
pub(super) mod changes;
mod configuration;
pub(super) mod contacts;
pub(super) mod coverage;
mod devices;
pub(super) mod drills;
pub(super) mod endpoints;
pub(super) mod flows;
pub(super) mod incidents;
pub(super) mod inspections;
mod maintenances;
mod measurements;
pub(super) mod path;
mod plan_file;
mod probes;
mod samples;
mod site_changes;
mod sites;
pub(super) mod suppressions;
mod terminals;
mod topology;
pub(super) mod usage;

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Json,
    extract::rejection::{JsonRejection, StringRejection},
    http::StatusCode,
};
use onenet_topology::{SiteId, Timestamp};
use utoipa_axum::router::OpenApiRouter;

use super::{App, Params, Problem, body::Page};
use crate::{
    access::{Gate, View, audit::Outcome},
    ingest::{self, IntakeError, Refusal},
    record::Command,
};

/// What a handler returns.
type Answer<T> = Result<Json<T>, Problem>;

/// Returns all routes of version 1 with their documentation.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(sites::router())
        .merge(site_changes::router())
        .merge(areas::router())
        .merge(addresses::router())
        .merge(assets::router())
        .merge(contacts::router())
        .merge(changes::router())
        .merge(path::router())
        .merge(coverage::router())
        .merge(availability::router())
        .merge(acceptances::router())
        .merge(devices::router())
        .merge(topology::router())
        .merge(endpoints::router())
        .merge(terminals::router())
        .merge(samples::router())
        .merge(probes::router())
        .merge(measurements::router())
        .merge(flows::router())
        .merge(usage::router())
        .merge(agents::router())
        .merge(incidents::router())
        .merge(anomalies::router())
        .merge(maintenances::router())
        .merge(case_statistics::router())
        .merge(case_files::router())
        .merge(case_table::router())
        .merge(cases::router())
        .merge(drills::router())
        .merge(suppressions::router())
        .merge(inspections::router())
        .merge(configuration::router())
        .merge(access::router())
        .merge(admin::router())
}

/// Reads the parameter `site`: an id or a division code of a site that the view shows.
fn site_filter(view: &View, params: &mut Params) -> Result<Option<SiteId>, Problem> {
    params.text("site").map(|text| named_site(view, "site", text)).transpose()
}

/// Returns the site of this id or division code that the parameter or the field `name` gives, as far as the view shows it.
fn named_site(view: &View, name: &str, text: &str) -> Result<SiteId, Problem> {
    let unknown = || Problem::parameter(name, format!("there is no site {text:?}: write an id or a division code"));
    Ok(view.find_site(text).ok_or_else(unknown)?.id)
}

/// Returns the sites that the field `name` of a body gives.
fn named_sites<C: FromIterator<SiteId>>(view: &View, name: &str, texts: &[String]) -> Result<C, Problem> {
    texts.iter().map(|text| named_site(view, name, text)).collect()
}

/// Returns the moment that the field `from` of a body gives: now where it does not.
fn effective(gate: &Gate, from: Option<&str>) -> Result<Timestamp, Problem> {
    let from = from.map(Timestamp::from_day_or_time).transpose();
    Ok(from.map_err(|error| Problem::parameter("from", error.to_string()))?.unwrap_or(gate.now()))
}

/// Returns the value that a parameter names.
fn named<T: Copy>(
    params: &mut Params,
    name: &'static str,
    all: &[T],
    of: impl Fn(&T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = params.text(name) else { return Ok(None) };
    let found = all.iter().find(|it| of(it) == text).copied();
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(&of).collect();
        Problem::parameter(name, format!("{text:?} cannot be used: write one of {}", known.join(", ")))
    })
}

/// A JSON body, or why it is none.
type JsonBody<T> = Result<Json<T>, JsonRejection>;

/// A body of text, or why it is none.
type TextBody = Result<String, StringRejection>;

/// Returns a body of text.
fn read_text(app: &App, body: TextBody) -> Result<String, Problem> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.body_max_bytes),
        _ => Problem::body("the file is not UTF-8 text: save it as UTF-8 and send it again"),
    })
}

/// Returns a JSON body.
fn read_body<T>(app: &App, body: JsonBody<T>) -> Result<T, Problem> {
    body.map(|Json(body)| body).map_err(|rejection| Problem::rejected_json(&rejection, app.body_max_bytes))
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

/// Hands a command over in the caller's name and waits until it is on disk, its entry of the audit trail with it. What is
/// not taken in changed nothing: that it was tried is noted.
async fn submit(app: &App, gate: &Gate, command: Command) -> Result<ingest::Outcome, Problem> {
    let (action, site, subject) = (command.action(), command.site(), command.describe());
    let error = match app.centre.submit(command, gate.caller().author()).await {
        Ok(outcome) => {
            app.counters.audit_written.fetch_add(1, Ordering::Relaxed);
            return Ok(outcome);
        }
        Err(error) => error,
    };
    let outcome = if matches!(error, IntakeError::Refused(_)) { Outcome::Refused } else { Outcome::Failed };
    gate.note(action, site, &subject, outcome)?;
    app.write_audit(false).await;
    Err(not_taken_in(gate, &error))
}

/// Returns why a command was not taken in, as far as the caller may know.
fn not_taken_in(gate: &Gate, error: &IntakeError) -> Problem {
    match error {
        IntakeError::Refused(Refusal::LogFull) | IntakeError::Store(_) | IntakeError::Stopped => {
            Problem::unavailable(error.to_string())
        }
        IntakeError::Refused(refusal) => {
            let told: Vec<String> = refusal.to_string().lines().map(|line| told(gate, line)).collect();
            Problem::conflict(told.join("\n"))
        }
    }
}

/// Returns a line of a refusal, without its reason where that names a site that the caller may not know of: what is
/// forbidden looks as if it did not exist, as far as a refusal can (invariant 13).
fn told(gate: &Gate, line: &str) -> String {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut sites = words.filter_map(|word| word.parse::<SiteId>().ok());
    if sites.all(|site| gate.shows(site)) {
        return line.to_owned();
    }
    let place = line.strip_prefix("line ").and_then(|rest| rest.split_once(':')).map(|(place, _)| place);
    let place = place.map_or_else(String::new, |place| format!("line {place}: "));
    format!("{place}a site that your roles do not show stands against it: ask whoever administers a site further up")
}

/// Returns the problems of a file in lines, the first hundred of them.
fn listed<P: std::fmt::Display>(problems: &[P]) -> String {
    let shown: Vec<String> = problems.iter().take(100).map(ToString::to_string).collect();
    let more = problems.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
    shown.join("\n") + &rest
}
