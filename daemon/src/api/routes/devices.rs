//! Devices, interfaces with their samples, links.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    DeviceId, InterfaceId,
    fact::{HistoryBody, Scope},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, inventory_sites, page_of_ids, site_filter};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{DeviceBody, InterfaceBody, LinkBody, Page, time},
    },
    store::{SampleKind, SampleQuery},
};

/// How far back samples go when the caller does not say, in milliseconds.
const SAMPLES_SPAN_MS: i64 = 24 * 3_600_000;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_devices))
        .routes(routes!(get_device))
        .routes(routes!(list_interfaces))
        .routes(routes!(get_interface))
        .routes(routes!(list_samples))
        .routes(routes!(list_links))
}

/// Counters of an interface at one moment, as the device gives them; what it did not give is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct InterfaceSampleBody {
    /// When they were read, corrected by the centre's clock.
    pub time: String,
    /// The agent that read them.
    pub agent: String,
    /// Milliseconds that were added to the agent's time.
    pub shift_ms: i64,
    /// Whether the correction is a guess.
    pub uncertain: bool,
    /// Octets received.
    pub in_octets: Option<u64>,
    /// Octets sent.
    pub out_octets: Option<u64>,
    /// Packets received with errors.
    pub in_errors: Option<u64>,
    /// Packets not sent because of errors.
    pub out_errors: Option<u64>,
    /// Packets received and discarded.
    pub in_discards: Option<u64>,
    /// Packets to send that were discarded.
    pub out_discards: Option<u64>,
    /// Unicast packets received.
    pub in_packets: Option<u64>,
    /// Unicast packets sent.
    pub out_packets: Option<u64>,
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
    responses((status = 200, body = DeviceBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_device(gate: Gate, Path(device): Path<String>, params: Params) -> Answer<DeviceBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| device_by(estate, &device))?;
    params.finish()?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    Ok(Json(DeviceBody::of(&view, state, device)))
}

/// The interfaces of a device, by name.
#[utoipa::path(
    get, path = "/api/v1/devices/{device}/interfaces", tag = "devices",
    params(("device" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<InterfaceBody>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn list_interfaces(gate: Gate, Path(device): Path<String>, params: Params) -> Answer<Page<InterfaceBody>> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| device_by(estate, &device))?;
    params.finish()?;
    let (state, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let interfaces = device.interfaces.iter().map(|interface| InterfaceBody::of(state, device, interface));
    Ok(Json(Page::whole(interfaces.collect())))
}

fn device_by(estate: &crate::estate::Estate, text: &str) -> Option<(onenet_topology::SiteId, DeviceId)> {
    let id = text.parse().ok()?;
    Some((estate.device_site(id)?, id))
}

fn interface_by(estate: &crate::estate::Estate, text: &str) -> Option<(onenet_topology::SiteId, InterfaceId)> {
    let id = text.parse().ok()?;
    Some((estate.interface_owner(id)?.0, id))
}

/// One interface.
#[utoipa::path(
    get, path = "/api/v1/interfaces/{interface}", tag = "devices",
    params(("interface" = String, Path, description = "Its id")),
    responses((status = 200, body = InterfaceBody), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
async fn get_interface(gate: Gate, Path(interface): Path<String>, params: Params) -> Answer<InterfaceBody> {
    let (view, _, id) = gate.thing(Action::ReadInventory, |estate| interface_by(estate, &interface))?;
    params.finish()?;
    let (state, device, interface) = view.interface(id).ok_or_else(Problem::not_found)?;
    Ok(Json(InterfaceBody::of(state, device, interface)))
}

/// Samples of an interface, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/interfaces/{interface}/samples", tag = "devices",
    params(
        ("interface" = String, Path, description = "Its id"),
        ("from" = Option<String>, Query, description = "The first moment, RFC 3339; a day ago by default"),
        ("to" = Option<String>, Query, description = "The first moment after the last, RFC 3339; now by default"),
        ("limit" = Option<usize>, Query, description = "Samples of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before: goes on after that time"),
    ),
    responses(
        (status = 200, body = Page<InterfaceSampleBody>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_samples(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(interface): Path<String>,
    mut params: Params,
) -> Answer<Page<InterfaceSampleBody>> {
    let (view, site, id) = gate.thing(Action::ReadInventory, |estate| interface_by(estate, &interface))?;
    let until = params.time("to")?.unwrap_or(view.now().plus_ms(1));
    let from = params.time("from")?.unwrap_or(until.plus_ms(-SAMPLES_SPAN_MS));
    let (limit, cursor) = (params.limit()?, params.time("cursor")?);
    params.finish()?;
    if from >= until {
        return Err(Problem::parameter(
            "from",
            format!("{from} is not before {until}: give an earlier time, or a later `to`"),
        ));
    }
    let (_, device, interface) = view.interface(id).ok_or_else(Problem::not_found)?;
    let from = cursor.map_or(from, |last| last.plus_ms(1).max(from));
    let handles = device.handles.clone();
    let name = interface.said.name.clone();
    let centre = app.centre.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        let scopes: BTreeSet<&Scope> = handles.iter().map(|handle| &handle.scope).collect();
        for scope in scopes {
            let scope = scope.clone();
            let item = Some(name.clone());
            // One more than asked for tells whether there are more.
            let query = SampleQuery { site, scope, kind: SampleKind::Interface, item, from, until, limit: limit + 1 };
            found.extend(centre.samples(&query)?);
        }
        // Another agent may poll another device under the same name.
        found.retain(|it| handles.iter().any(|own| own.agent == it.agent && own.scope == it.item.scope));
        found.sort_by_key(|sample| sample.item.time);
        Ok::<_, crate::store::StoreError>(found)
    });
    let found =
        read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))?;
    let bodies = found.into_iter().filter_map(|sample| {
        let HistoryBody::Interface(counters) = sample.item.body else { return None };
        Some(InterfaceSampleBody {
            time: time(sample.item.time),
            agent: sample.agent.to_string(),
            shift_ms: sample.shift_ms,
            uncertain: sample.uncertain,
            in_octets: counters.in_octets,
            out_octets: counters.out_octets,
            in_errors: counters.in_errors,
            out_errors: counters.out_errors,
            in_discards: counters.in_discards,
            out_discards: counters.out_discards,
            in_packets: counters.in_packets,
            out_packets: counters.out_packets,
        })
    });
    Ok(Json(page_of_ids(bodies, limit, |sample| &sample.time)))
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
    let links = states.flat_map(|state| state.links.iter().map(move |link| LinkBody::of(state, link)));
    Ok(Json(Page::whole(links.take(LINKS_MAX).collect())))
}

/// The most links of an answer: a site has tens.
const LINKS_MAX: usize = 20_000;
