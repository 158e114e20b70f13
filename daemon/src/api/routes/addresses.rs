//! Address spaces and the address plan: which prefix belongs to which site, for what, from when until when.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use onenet_topology::{
    SpaceId, Timestamp,
    address::{NATIONAL, PlanEntry, PlanRow, parse_plan_csv},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, TextBody, listed, named_site, plan_file::parse_plan_toml, read_text, site_filter, submit};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{LookupBody, Page, PlannedBody, SpaceBody},
    },
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_spaces))
        .routes(routes!(list_plan))
        .routes(routes!(look_up))
        .routes(routes!(import_plan))
}

/// What came of an import of the address plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PlanImportBody {
    /// Changes that it took.
    pub changes: usize,
    /// Prefixes that the plan had as the file has them.
    pub unchanged: usize,
}

/// Lists address spaces.
#[utoipa::path(
    get, path = "/api/v1/address-spaces", tag = "addresses",
    responses((status = 200, body = Page<SpaceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_spaces(gate: Gate, params: Params) -> Answer<Page<SpaceBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    params.finish()?;
    Ok(Json(Page::whole(view.spaces().map(SpaceBody::of).collect())))
}

/// Lists the address plan: the prefixes of sites that may be seen, by space, then by address.
#[utoipa::path(
    get, path = "/api/v1/address-plan", tag = "addresses",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("space" = Option<String>, Query, description = "Only this address space"),
        ("at" = Option<String>, Query, description = "As of when: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<PlannedBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_plan(gate: Gate, mut params: Params) -> Answer<Page<PlannedBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let space = params.parsed::<SpaceId>("space")?;
    let at = params.day("at")?.unwrap_or(view.now());
    let limit = params.limit()?;
    let after = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    let wanted = view.planned(at).filter(|(entry, assignment)| {
        space.is_none_or(|space| entry.space == space)
            && root.is_none_or(|root| view.is_within(assignment.site, root))
            && after.is_none_or(|after| order(entry) > after)
    });
    let items = wanted.map(|found| PlannedBody::of(found, at));
    Ok(Json(Page::take(items, limit, |item| format!("{},{}", item.space, item.prefix))))
}

/// Where an entry stands in the list.
type Order = (SpaceId, bool, IpAddr, u8);

fn order(entry: &PlanEntry) -> Order {
    (entry.space, entry.prefix.is_ipv6(), entry.prefix.ip(), entry.prefix.prefix())
}

fn parse_cursor(text: &str) -> Result<Order, Problem> {
    let parsed = text.split_once(',').and_then(|(space, prefix)| {
        let prefix: ipnetwork::IpNetwork = prefix.parse().ok()?;
        Some((space.parse().ok()?, prefix.is_ipv6(), prefix.ip(), prefix.prefix()))
    });
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}

/// Looks an address up: the longest prefix that covers it.
#[utoipa::path(
    get, path = "/api/v1/address-plan/lookup", tag = "addresses",
    params(
        ("ip" = String, Query, description = "The address"),
        ("site" = Option<String>, Query, description = "Where it was seen, by id or division code: its own range comes first; without it, the national space"),
        ("at" = Option<String>, Query, description = "As of when: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
    ),
    responses((status = 200, body = LookupBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn look_up(gate: Gate, mut params: Params) -> Answer<LookupBody> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let at = params.day("at")?.unwrap_or(view.now());
    let site = params.text("site").map(|text| named_site(&view, "site", text)).transpose()?;
    let ip = match params.text("ip") {
        None => return Err(Problem::parameter("ip", "is missing: write an address such as 10.13.1.7 or 2001:db8::7")),
        Some(text) => text.parse::<IpAddr>().map_err(|_| {
            Problem::parameter("ip", format!("{text:?} is not an address: write one such as 10.13.1.7 or 2001:db8::7"))
        })?,
    };
    params.finish()?;
    let space = match site {
        Some(site) => gate.at(Action::ReadInventory, site)?.space_of(site, ip, at),
        None => NATIONAL,
    };
    Ok(Json(LookupBody::of(ip, space, view.longest_match(space, ip, at), at)))
}

/// Brings the address plan in line with a CSV or TOML file; prefixes that the file does not name are left alone.
///
/// CSV has the columns `prefix,site` and, if wanted, `space`, `vlan`, `purpose`, `dark`, `from` and `until`; TOML has a
/// `[[prefixes]]` table for each prefix with these keys. `space` is `national` (also when left out) or `site`, the site's own
/// range. A prefix is withdrawn by the day in `until`. Takes the right to manage the address plan at each site that the
/// file names. All rows are taken, or none.
#[utoipa::path(
    post, path = "/api/v1/address-plan/import", tag = "addresses",
    params(("from" = Option<String>, Query, description = "Since when rows without a date of their own hold: a day such as 2026-01-31, or a time after RFC 3339; now by default")),
    request_body(content((String = "text/csv"), (String = "application/toml"))),
    responses((status = 200, body = PlanImportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn import_plan(
    State(app): State<Arc<App>>,
    gate: Gate,
    mut params: Params,
    headers: HeaderMap,
    body: TextBody,
) -> Answer<PlanImportBody> {
    gate.anywhere(Action::ManageAddressPlan)?;
    let from = params.day("from")?.unwrap_or(gate.now());
    params.finish()?;
    let text = read_text(&app, body)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let rows = if kind.starts_with("application/toml") {
        parse_plan_toml(&text).map_err(|problems| Problem::body(listed(&problems)))?
    } else {
        parse_plan_csv(&text).map_err(|problems| Problem::body(listed(&problems)))?
    };
    allow_rows(&app, &gate, &rows, from)?;
    match submit(&app, &gate, Command::ImportPlan { rows, from }).await? {
        Outcome::PlanImported { changed, unchanged } => Ok(Json(PlanImportBody { changes: changed, unchanged })),
        _ => Err(Problem::internal()),
    }
}

/// Asks for the right at each site that the rows name. A site that the caller may not know of is answered like one that
/// does not exist.
fn allow_rows(app: &App, gate: &Gate, rows: &[PlanRow], default_from: Timestamp) -> Result<(), Problem> {
    // For the decision alone: a code is looked up as of the day of its row, as the import does.
    let estate = app.centre.estate();
    let named = rows.iter().map(|row| {
        let site = estate.tree.by_code(&row.site, row.from.unwrap_or(default_from));
        (row, site.map(|site| site.id).filter(|site| gate.shows(*site)))
    });
    let (known, unknown): (Vec<_>, Vec<_>) = named.partition(|(_, site)| site.is_some());
    if !unknown.is_empty() {
        let problems = unknown.iter().map(|(row, _)| {
            format!(
                "line {}, column site: there is no site {} then: import it first, or correct the code",
                row.line, row.site
            )
        });
        return Err(Problem::body(listed(&problems.collect::<Vec<_>>())));
    }
    Ok(gate.at_each(Action::ManageAddressPlan, known.into_iter().filter_map(|(_, site)| site))?)
}
