//! Devices, interfaces, links.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{DeviceId, InterfaceId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, JsonBody, inventory_sites, page_of_ids, read_body, site_filter, submit};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{DeviceBody, DeviceDetailBody, InterfaceBody, LinkBody, Page, RuleBody},
        running::running,
        sensors::{SensorBody, sensors},
    },
    joined::joined,
    record::Command,
};

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_devices))
        .routes(routes!(get_device))
        .routes(routes!(rule_device))
        .routes(routes!(list_sensors))
        .routes(routes!(list_interfaces))
        .routes(routes!(get_interface))
        .routes(routes!(list_links))
}

/// Lists devices.
#[utoipa::path(
    get, path = "/api/v1/devices", tag = "devices",
    params(
        ("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code"),
        ("limit" = Option<usize>, Query, description = "Entries of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = Page<DeviceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_devices(gate: Gate, mut params: Params) -> Answer<Page<DeviceBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    let (limit, cursor) = (params.limit()?, params.parsed::<DeviceId>("cursor")?);
    params.finish()?;
    let states = inventory_sites(&view, root).into_iter().filter_map(|site| view.inventory(site));
    let mut devices: Vec<_> = states.flat_map(|state| state.devices.values().map(move |it| (state, it))).collect();
    devices.sort_by_key(|(_, device)| device.id);
    let rest = devices.into_iter().filter(|(_, device)| cursor.is_none_or(|last| device.id > last));
    let bodies = rest.map(|(state, device)| DeviceBody::of(&view, state, device));
    Ok(Json(page_of_ids(bodies, limit, |device| &device.id)))
}

/// One device.
#[utoipa::path(
    get, path = "/api/v1/devices/{device}", tag = "devices",
    params(("device" = String, Path, description = "Its id")),
    responses((status = 200, body = DeviceDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_device(gate: Gate, Path(device): Path<String>, params: Params) -> Answer<DeviceDetailBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| device_by(estate, &device))?;
    params.finish()?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    Ok(Json(DeviceDetailBody::of(&view, state, device)))
}

/// Rules whether two accounts of devices are of one device, whatever evidence says.
///
/// It holds until it is taken back, and keeps the author in the log: accounts never lose their identity, so what was merged or
/// split is as before then.
#[utoipa::path(
    post, path = "/api/v1/devices/{device}/rulings", tag = "devices",
    params(("device" = String, Path, description = "The one account, or device: its id")),
    request_body = RuleBody,
    responses((status = 200, body = DeviceDetailBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn rule_device(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(device): Path<String>,
    params: Params,
    body: JsonBody<RuleBody>,
) -> Answer<DeviceDetailBody> {
    let (_, site, one) = gate.thing(Action::ConfigureAgents, |estate| account_by(estate, &device))?;
    params.finish()?;
    let body = read_body(&app, body)?;
    let (verdict, reason) = body.read()?;
    let other = account_by(&app.centre.estate(), &body.other).filter(|(of, two)| *of == site && *two != one);
    let (_, two) = other.ok_or_else(|| {
        Problem::parameter("other", "names no other account of a device of the same site: see `accounts` of devices")
    })?;
    submit(&app, &gate, Command::RuleDevices { site, one, two, verdict, reason }).await?;
    let view = gate.view_after(app.centre.estate());
    let (state, device) = view.device(one).ok_or_else(Problem::not_found)?;
    Ok(Json(DeviceDetailBody::of(&view, state, device)))
}

/// Returns the site and the account of an id.
fn account_by(estate: &crate::estate::Estate, text: &str) -> Option<(onenet_topology::SiteId, DeviceId)> {
    let (site, id) = device_by(estate, text)?;
    estate.site(site)?.accounts.contains_key(&id).then_some((site, id))
}

/// The sensors of a device and what they last measured.
#[utoipa::path(
    get, path = "/api/v1/devices/{device}/sensors", tag = "devices",
    params(("device" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<SensorBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_sensors(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(device): Path<String>,
    params: Params,
) -> Answer<Page<SensorBody>> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| device_by(estate, &device))?;
    params.finish()?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    Ok(Json(Page::whole(sensors(&app, state, device, view.now()).await?)))
}

/// The interfaces of a device, by name.
#[utoipa::path(
    get, path = "/api/v1/devices/{device}/interfaces", tag = "devices",
    params(("device" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<InterfaceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_interfaces(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(device): Path<String>,
    params: Params,
) -> Answer<Page<InterfaceBody>> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| device_by(estate, &device))?;
    params.finish()?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let running = running(&app, state, device, view.now()).await?;
    Ok(Json(Page::whole(InterfaceBody::all(state, device, running))))
}

pub(super) fn device_by(estate: &crate::estate::Estate, text: &str) -> Option<(onenet_topology::SiteId, DeviceId)> {
    let id = text.parse().ok()?;
    Some((estate.device_site(id)?, id))
}

pub(super) fn interface_by(
    estate: &crate::estate::Estate,
    text: &str,
) -> Option<(onenet_topology::SiteId, InterfaceId)> {
    let id = text.parse().ok()?;
    Some((estate.interface_owner(id)?.0, id))
}

/// One interface.
#[utoipa::path(
    get, path = "/api/v1/interfaces/{interface}", tag = "devices",
    params(("interface" = String, Path, description = "Its id")),
    responses((status = 200, body = InterfaceBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_interface(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(interface): Path<String>,
    params: Params,
) -> Answer<InterfaceBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| interface_by(estate, &interface))?;
    params.finish()?;
    let (state, device, interface) = view.interface(id).ok_or_else(Problem::not_found)?;
    let running = running(&app, state, device, view.now()).await?;
    Ok(Json(InterfaceBody::of(state, device, interface, running)))
}

/// Lists links between devices.
#[utoipa::path(
    get, path = "/api/v1/links", tag = "devices",
    params(("site" = Option<String>, Query, description = "Only this site and those below it: an id or a division code")),
    responses((status = 200, body = Page<LinkBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_links(gate: Gate, mut params: Params) -> Answer<Page<LinkBody>> {
    let view = gate.anywhere(Action::ReadInventory)?;
    let root = site_filter(&view, &mut params)?;
    params.finish()?;
    let states = inventory_sites(&view, root).into_iter().filter_map(|site| view.inventory(site));
    let links = states.flat_map(|state| joined(state).into_iter().map(move |link| LinkBody::of(state, &link)));
    Ok(Json(Page::whole(links.take(LINKS_MAX).collect())))
}

/// The most links of an answer: a site has tens.
const LINKS_MAX: usize = 20_000;
