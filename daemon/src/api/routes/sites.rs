//! Sites, the tree, areas.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    SiteId, division,
    site::{Site, parse_sites_csv},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, TextBody, page_of_ids, read_text, site_filter};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{Page, SiteBody, TreeBody},
    },
    demo,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_sites))
        .routes(routes!(site_tree))
        .routes(routes!(get_site))
        .routes(routes!(list_children))
        .routes(routes!(import_sites))
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ImportBody {
    /// Sites in the tree that exist now.
    pub sites: usize,
    /// Sites that exist now and did not before.
    pub added: usize,
}

/// Lists sites.
#[utoipa::path(
    get, path = "/api/v1/sites", tag = "sites",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("q" = Option<String>, Query, description = "Only sites whose name or code contains this"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<SiteBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_sites(gate: Gate, mut params: Params) -> Answer<Page<SiteBody>> {
    let view = gate.anywhere(Action::ReadSites)?;
    let root = site_filter(&view, &mut params)?;
    let wanted = params.short_text("q", 100)?.map(|text| text.to_lowercase());
    let (limit, cursor) = (params.limit()?, params.parsed::<SiteId>("cursor")?);
    params.finish()?;
    let mut sites = view.subtree(root);
    sites.sort_by_key(|site| site.id);
    let matches = |site: &&Site| wanted.as_deref().is_none_or(|wanted| is_called(&view, site, wanted));
    let sites = sites.into_iter().filter(|site| cursor.is_none_or(|last| site.id > last)).filter(matches);
    Ok(Json(page_of_ids(sites.map(|site| SiteBody::of(&view, site)), limit, |site| &site.id)))
}

/// Returns whether the name or the code of a site contains `lower`.
fn is_called(view: &View, site: &Site, lower: &str) -> bool {
    let name = site.name(view.now());
    [site.code(view.now()), &name.zh, &name.latin].iter().any(|text| text.to_lowercase().contains(lower))
}

/// The tree of sites.
///
/// Begins where the caller's picture begins: at the topmost sites that he may see.
#[utoipa::path(
    get, path = "/api/v1/sites/tree", tag = "sites",
    params(("site" = Option<String>, Query, description = "Begin at this site: an id or a division code")),
    responses((status = 200, body = Page<TreeBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn site_tree(gate: Gate, mut params: Params) -> Answer<Page<TreeBody>> {
    let view = gate.anywhere(Action::ReadSites)?;
    let root = site_filter(&view, &mut params)?;
    params.finish()?;
    let roots = match root {
        Some(root) => view.site(root).into_iter().collect(),
        None => view.roots(),
    };
    Ok(Json(Page::whole(roots.into_iter().map(|site| TreeBody::of(&view, site)).collect())))
}

/// One site.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = SiteBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_site(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<SiteBody> {
    let (view, site) = gate.site(Action::ReadSites, &site)?;
    params.finish()?;
    let site = view.site(site).ok_or_else(Problem::not_found)?;
    Ok(Json(SiteBody::of(&view, site)))
}

/// The sites directly below a site.
#[utoipa::path(
    get, path = "/api/v1/sites/{site}/children", tag = "sites",
    params(("site" = String, Path, description = "An id or a division code")),
    responses((status = 200, body = Page<SiteBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_children(gate: Gate, Path(site): Path<String>, params: Params) -> Answer<Page<SiteBody>> {
    let (view, site) = gate.site(Action::ReadSites, &site)?;
    params.finish()?;
    Ok(Json(Page::whole(view.children(site).into_iter().map(|child| SiteBody::of(&view, child)).collect())))
}

/// Brings the tree of sites in line with a CSV file.
///
/// The body is the file, or empty with `divisions=true` for the table of divisions that the daemon carries.
#[utoipa::path(
    post, path = "/api/v1/sites/import", tag = "sites",
    params(
        ("divisions" = Option<bool>, Query, description = "Import the embedded table of divisions"),
        ("from" = Option<String>, Query, description = "Since when the rows hold: a day such as 2026-01-31, or a time after RFC 3339; now by default"),
    ),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn import_sites(
    State(app): State<Arc<App>>,
    gate: Gate,
    mut params: Params,
    body: TextBody,
) -> Answer<ImportBody> {
    let view = gate.system(Action::ManageSites)?;
    let divisions = params.flag("divisions")?.unwrap_or(false);
    let from = params.day("from")?;
    params.finish()?;
    let body = read_text(&app, body)?;
    let text = match (divisions, body.trim().is_empty()) {
        (true, true) => division::csv(),
        (true, false) => {
            return Err(Problem::parameter("divisions", "is true and there is a file too: give one of them"));
        }
        (false, _) => body.as_str(),
    };
    let rows = parse_sites_csv(text).map_err(|problems| Problem::body(super::listed(&problems)))?;
    if let Some(row) = rows.iter().find(|row| demo::is_demo(&row.code)) {
        let detail = format!(
            "line {}: the code {} begins with {}, which marks simulated sites: choose another",
            row.line,
            row.code,
            demo::CODE_PREFIX
        );
        return Err(Problem::body(detail));
    }
    let from = from.unwrap_or(gate.now());
    let before = view.sites().count();
    super::submit(&app, &gate, Command::ImportSites { rows, from }).await?;
    let sites = app.centre.estate().tree.existing(gate.now()).count();
    Ok(Json(ImportBody { sites, added: sites.saturating_sub(before) }))
}
