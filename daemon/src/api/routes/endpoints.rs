//! Endpoints: lists, search, and one with all evidence.

use std::sync::Arc;

use axum::{Json, extract::Path};
use memchr::memmem::Finder;
use onenet_topology::{EndpointId, SiteId, classify::DeviceClass, endpoint::Endpoint};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, inventory_sites, site_filter};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{EndpointBody, EndpointDetailBody, Page},
        search::{QUERY_CHARS_MAX, Query},
    },
    estate::{Estate, SiteState},
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_endpoints)).routes(routes!(get_endpoint))
}

/// What to look for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Any part of MAC, IP, host name or vendor.
    pub(crate) query: Query,
    /// Only this site and those below it.
    pub(crate) root: Option<SiteId>,
    /// Only those that an agent sees now (`true`), or does not (`false`).
    pub(crate) present: Option<bool>,
    /// Only those that are taken to be of this class.
    pub(crate) class: Option<DeviceClass>,
    /// Only those that are on somebody's books (`true`), or on nobody's.
    pub(crate) registered: Option<bool>,
    /// Also those that are retired.
    pub(crate) retired: bool,
    /// Go on behind this one.
    pub(crate) after: Option<(SiteId, EndpointId)>,
}

/// Finds endpoints in the order of site and id.
pub(crate) fn find<'v>(
    view: &'v View,
    wanted: &'v Wanted,
) -> impl Iterator<Item = (&'v SiteState, &'v Arc<Endpoint>)> + 'v {
    let first = wanted.after.map(|(site, _)| site);
    let sites = inventory_sites(view, wanted.root).into_iter().filter(move |site| first.is_none_or(|it| *site >= it));
    let parts = wanted.query.parts();
    let endpoints = sites
        .filter_map(|site| view.inventory(site))
        .flat_map(move |state| candidates(state, wanted, &parts).into_iter().map(move |endpoint| (state, endpoint)));
    endpoints.filter(|(state, endpoint)| {
        (wanted.retired || endpoint.retired_since.is_none())
            && wanted.after.is_none_or(|last| (state.id, endpoint.id) > last)
            && wanted.present.is_none_or(|present| endpoint.is_present() == present)
            && wanted.query.matches(endpoint)
            && wanted.registered.is_none_or(|registered| view.asset_of(state.id, endpoint).is_some() == registered)
            && wanted.class.is_none_or(|class| endpoint.conclusion().class.is_some_and(|it| it.is == class))
    })
}

/// Returns the endpoints of a site that the query may match, in order.
fn candidates<'v>(state: &'v SiteState, wanted: &Wanted, parts: &[Finder<'_>]) -> Vec<&'v Arc<Endpoint>> {
    if wanted.query.is_empty() { state.known_endpoints().collect() } else { state.may_be_called(parts, wanted.retired) }
}

/// Reads a cursor: site and endpoint, joined by a full stop.
pub(crate) fn parse_cursor(text: &str) -> Result<(SiteId, EndpointId), Problem> {
    let parsed = text.split_once('.').and_then(|(site, id)| Some((site.parse().ok()?, id.parse().ok()?)));
    parsed.ok_or_else(|| Problem::parameter("cursor", format!("{text:?} is none: give `next` of the page before")))
}

/// Reads the name of a class.
pub(crate) fn parse_class(text: &str) -> Result<DeviceClass, Problem> {
    let names = || DeviceClass::ALL.iter().map(|class| class.name()).collect::<Vec<_>>().join(", ");
    DeviceClass::of(text).ok_or_else(|| Problem::parameter("class", format!("{text:?} is none: use {}", names())))
}

/// Lists endpoints, or searches them.
#[utoipa::path(
    get, path = "/api/v1/endpoints", tag = "endpoints",
    params(
        ("q" = Option<String>, Query, description = "Any part of the MAC address (any notation), an IP address, the host name or the vendor"),
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("present" = Option<bool>, Query, description = "Only those that an agent sees now, or does not"),
        ("class" = Option<String>, Query, description = "Only those that are taken to be of this class, such as `camera`"),
        ("registered" = Option<bool>, Query, description = "Only those that are in the asset register, or are not"),
        ("retired" = Option<bool>, Query, description = "Also those that are kept for their history only; not by default"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<EndpointBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_endpoints(gate: Gate, mut params: Params) -> Answer<Page<EndpointBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let query = Query::new(&params.short_text("q", QUERY_CHARS_MAX)?.unwrap_or_default());
    let present = params.flag("present")?;
    let registered = params.flag("registered")?;
    let retired = params.flag("retired")?.unwrap_or(false);
    let class = params.text("class").map(parse_class).transpose()?;
    let limit = params.limit()?;
    let after = params.text("cursor").map(parse_cursor).transpose()?;
    params.finish()?;
    let wanted = Wanted { query, root, present, class, registered, retired, after };
    let bodies = find(&view, &wanted).map(|(state, endpoint)| EndpointBody::of(&view, state, endpoint));
    Ok(Json(Page::take(bodies, limit, |endpoint| format!("{}.{}", endpoint.site, endpoint.id))))
}

/// One endpoint with all evidence.
#[utoipa::path(
    get, path = "/api/v1/endpoints/{endpoint}", tag = "endpoints",
    params(("endpoint" = String, Path, description = "Its id")),
    responses((status = 200, body = EndpointDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_endpoint(gate: Gate, Path(endpoint): Path<String>, params: Params) -> Answer<EndpointDetailBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| endpoint_by(estate, &endpoint))?;
    params.finish()?;
    let (state, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    Ok(Json(EndpointDetailBody::of(&view, state, endpoint)))
}

pub(super) fn endpoint_by(estate: &Estate, text: &str) -> Option<(SiteId, EndpointId)> {
    let id = text.parse().ok()?;
    Some((estate.endpoint(id)?.0, id))
}
