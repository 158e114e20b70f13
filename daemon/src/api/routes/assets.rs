//! The asset register: imported from a spreadsheet, listed with what is seen of each asset.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use onenet_topology::{
    AssetId, SiteId, Timestamp,
    asset::{AssetRow, parse_assets_csv},
    coverage::Standing,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, TextBody, listed, read_text, site_filter, submit};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{AssetBody, Page},
    },
    coverage::{DAYS_DEFAULT, DAYS_MAX},
    ingest::Outcome,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_assets)).routes(routes!(import_assets))
}

/// What came of an import of the asset register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct AssetImportBody {
    /// Assets that came on the books.
    pub added: usize,
    /// Assets that changed.
    pub changed: usize,
    /// Assets that the register had as the file has them.
    pub unchanged: usize,
    /// Assets that a complete file does not name: written off.
    pub written_off: usize,
    /// Assets of the file's sites that it does not name: left alone.
    pub absent: usize,
}

/// Reads the parameter `days`: within how many days a terminal is to be seen.
pub(super) fn days(params: &mut Params) -> Result<u16, Problem> {
    let days = params.number("days", 1..=usize::from(DAYS_MAX))?;
    Ok(days.and_then(|days| u16::try_from(days).ok()).unwrap_or(DAYS_DEFAULT))
}

/// Lists the assets on the books, by site, each with what is seen of it.
#[utoipa::path(
    get, path = "/api/v1/assets", tag = "coverage",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("standing" = Option<String>, Query, description = "Only those that are `seen`, `silent` or `never_seen`"),
        ("days" = Option<usize>, Query, description = "Days within which a terminal is to be seen, 1 to 400; 30 by default"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<AssetBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_assets(gate: Gate, mut params: Params) -> Answer<Page<AssetBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let standing = params.text("standing").map(parse_standing).transpose()?;
    let (days, limit) = (days(&mut params)?, params.limit()?);
    let after = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    let mut sites: Vec<SiteId> = view.subtree(root).into_iter().map(|site| site.id).collect();
    sites.sort_unstable();
    let sites = sites.into_iter().filter(|site| after.is_none_or(|(from, _)| *site >= from));
    let bodies = sites.flat_map(|site| {
        let held = view.assets(site, days).into_iter();
        let wanted = held.filter(|it| {
            standing.is_none_or(|standing| it.standing == standing)
                && after.is_none_or(|after| (it.asset.site, it.asset.id) > after)
        });
        wanted.map(|held| AssetBody::of(&view, &held)).collect::<Vec<_>>()
    });
    Ok(Json(Page::take(bodies, limit, |body| format!("{}.{}", body.asset.site, body.asset.id))))
}

/// Reads how an asset stands.
pub(crate) fn parse_standing(text: &str) -> Result<Standing, Problem> {
    let names = || Standing::ALL.map(Standing::name).join(", ");
    let found = Standing::ALL.into_iter().find(|standing| standing.name() == text);
    found.ok_or_else(|| Problem::parameter("standing", format!("{text:?} is none: use {}", names())))
}

fn parse_cursor(text: &str) -> Result<(SiteId, AssetId), Problem> {
    let parsed = text.split_once('.').and_then(|(site, id)| Some((site.parse().ok()?, id.parse().ok()?)));
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}

/// Brings the asset register in line with a CSV file; assets that the file does not name are left alone, unless it is said to be
/// complete.
///
/// The columns are `number,site` and, if wanted, `mac`, `ip`, `class`, `name`, `owner`, `location`, `from` and `until`; several
/// MAC addresses stand in one field with blanks or semicolons between them. An asset that has no MAC address is recognised by
/// its IP address, at its own site. It is written off by the day in `until`. Takes the right to manage assets at each site
/// that the file names, and at each site that an asset leaves. All rows are taken, or none.
#[utoipa::path(
    post, path = "/api/v1/assets/import", tag = "coverage",
    params(
        ("from" = Option<String>, Query, description = "Since when rows without a date of their own hold: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
        ("complete" = Option<bool>, Query, description = "Whether the file names every asset of each site in it: what it does not name is written off; not by default"),
    ),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = AssetImportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn import_assets(
    State(app): State<Arc<App>>,
    gate: Gate,
    mut params: Params,
    body: TextBody,
) -> Answer<AssetImportBody> {
    gate.anywhere(Action::ManageAssets)?;
    let from = params.day("from")?.unwrap_or(gate.now());
    let complete = params.flag("complete")?.unwrap_or(false);
    params.finish()?;
    let text = read_text(&app, body)?;
    let rows = parse_assets_csv(&text).map_err(|problems| Problem::body(listed(&problems)))?;
    allow_rows(&app, &gate, &rows, from)?;
    match submit(&app, &gate, Command::ImportAssets { rows, from, complete }).await? {
        Outcome::AssetsImported { added, changed, unchanged, written_off, absent } => {
            Ok(Json(AssetImportBody { added, changed, unchanged, written_off, absent }))
        }
        _ => Err(Problem::internal()),
    }
}

/// Asks for the right at each site that the rows name, and at each that an asset of theirs is on the books of. A site that
/// the caller may not know of is answered like one that does not exist.
fn allow_rows(app: &App, gate: &Gate, rows: &[AssetRow], default_from: Timestamp) -> Result<(), Problem> {
    // For the decision alone: a code is looked up as of the day of its row, as the import does.
    let estate = app.centre.estate();
    let (mut sites, mut problems) = (BTreeSet::new(), Vec::new());
    for row in rows {
        let at = row.from.unwrap_or(default_from);
        match estate.tree.by_code(&row.site, at).filter(|site| gate.shows(site.id)) {
            Some(site) => sites.extend([site.id]),
            None => problems.push(format!(
                "line {}, column site: there is no site {} then: import it first, or correct the code",
                row.line, row.site
            )),
        }
        let elsewhere = row.macs.iter().filter_map(|mac| Some((mac, estate.assets.by_mac(*mac, at)?.site)));
        for (mac, site) in elsewhere {
            if gate.shows(site) {
                sites.insert(site);
            } else {
                problems.push(format!(
                    "line {}, column mac: {mac} is on the books of a site that your roles do not show: ask whoever \
                     administers a site further up",
                    row.line
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(gate.at_each(Action::ManageAssets, sites)?)
    } else {
        Err(Problem::body(listed(&problems)))
    }
}
