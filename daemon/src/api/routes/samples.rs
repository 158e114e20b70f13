//! Samples: counters of interfaces, traffic of endpoints; in the order of time, by period and page.
//!
//! Invariant: what is shown of a thing was told by those who watch that very thing: the same name at another agent, or in another
//! scope, is another thing.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    AgentId, SiteId, Timestamp,
    fact::{HistoryBody, Scope},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, devices::interface_by, endpoints::endpoint_by, page_of_ids};
use crate::{
    access::{Action, Gate},
    api::{
        App, Params, Problem,
        body::{Page, time},
    },
    store::{Sample, SampleKind, SampleQuery, StoreError},
};

/// How far back samples go when the caller does not say, in milliseconds.
const SAMPLES_SPAN_MS: i64 = 24 * 3_600_000;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_interface_samples)).routes(routes!(list_traffic))
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

/// Traffic of an endpoint in one interval, as a capture interface saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TrafficSampleBody {
    /// The end of the interval, corrected by the centre's clock.
    pub time: String,
    /// The agent that counted.
    pub agent: String,
    /// Milliseconds that were added to the agent's time.
    pub shift_ms: i64,
    /// Whether the correction is a guess.
    pub uncertain: bool,
    /// The capture interface.
    pub scope: String,
    /// Length of the interval.
    pub interval_ms: u64,
    /// Frames that the endpoint sent.
    pub frames_out: u64,
    /// Bytes that it sent, Ethernet header included, frame check sequence not.
    pub bytes_out: u64,
    /// Frames that were sent to it.
    pub frames_in: u64,
    /// Bytes that were sent to it.
    pub bytes_in: u64,
}

/// A part of the samples: from one time until before another, so many at most.
struct Period {
    from: Timestamp,
    until: Timestamp,
    limit: usize,
}

/// Whose samples: what of which scopes, told by which agents.
struct Watched {
    site: SiteId,
    kind: SampleKind,
    item: String,
    by: BTreeSet<(AgentId, Scope)>,
}

impl Period {
    /// Reads `from`, `to`, `limit` and `cursor`.
    fn read(params: &mut Params, now: Timestamp) -> Result<Self, Problem> {
        let until = params.time("to")?.unwrap_or(now.plus_ms(1));
        let from = params.time("from")?.unwrap_or(until.plus_ms(-SAMPLES_SPAN_MS));
        let (limit, cursor) = (params.limit()?, params.time("cursor")?);
        if from >= until {
            return Err(Problem::parameter(
                "from",
                format!("{from} is not before {until}: give an earlier time, or a later `to`"),
            ));
        }
        Ok(Self { from: cursor.map_or(from, |last| last.plus_ms(1).max(from)), until, limit })
    }
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
async fn list_interface_samples(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(interface): Path<String>,
    mut params: Params,
) -> Answer<Page<InterfaceSampleBody>> {
    let (view, site, id) = gate.thing(Action::ReadInventory, |estate| interface_by(estate, &interface))?;
    let period = Period::read(&mut params, view.now())?;
    params.finish()?;
    let (_, device, interface) = view.interface(id).ok_or_else(Problem::not_found)?;
    let by = device.handles.iter().map(|handle| (handle.agent, handle.scope.clone())).collect();
    let watched = Watched { site, kind: SampleKind::Interface, item: interface.said.name.clone(), by };
    let limit = period.limit;
    let found = samples(&app, watched, period).await?;
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

/// Traffic of an endpoint, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/endpoints/{endpoint}/traffic", tag = "endpoints",
    params(
        ("endpoint" = String, Path, description = "Its id"),
        ("from" = Option<String>, Query, description = "The first moment, RFC 3339; a day ago by default"),
        ("to" = Option<String>, Query, description = "The first moment after the last, RFC 3339; now by default"),
        ("limit" = Option<usize>, Query, description = "Samples of a page, 1 to 1000; 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before: goes on after that time"),
    ),
    responses(
        (status = 200, body = Page<TrafficSampleBody>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_traffic(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(endpoint): Path<String>,
    mut params: Params,
) -> Answer<Page<TrafficSampleBody>> {
    let (view, site, id) = gate.thing(Action::ReadInventory, |estate| endpoint_by(estate, &endpoint))?;
    let period = Period::read(&mut params, view.now())?;
    params.finish()?;
    let (_, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let by = endpoint.all_witnesses().map(|it| (it.source.agent, it.source.group.scope.clone())).collect();
    let watched = Watched { site, kind: SampleKind::Traffic, item: endpoint.mac.to_string(), by };
    let limit = period.limit;
    let found = samples(&app, watched, period).await?;
    let bodies = found.into_iter().filter_map(|sample| {
        let HistoryBody::Traffic(traffic) = sample.item.body else { return None };
        Some(TrafficSampleBody {
            time: time(sample.item.time),
            agent: sample.agent.to_string(),
            shift_ms: sample.shift_ms,
            uncertain: sample.uncertain,
            scope: sample.item.scope.to_string(),
            interval_ms: traffic.interval_ms,
            frames_out: traffic.frames_out,
            bytes_out: traffic.bytes_out,
            frames_in: traffic.frames_in,
            bytes_in: traffic.bytes_in,
        })
    });
    Ok(Json(page_of_ids(bodies, limit, |sample| &sample.time)))
}

/// Reads samples in the order of time, at least one more than asked for where there are more.
async fn samples(app: &App, watched: Watched, period: Period) -> Result<Vec<Sample>, Problem> {
    let centre = app.centre.clone();
    let Period { from, until, limit } = period;
    let read = tokio::task::spawn_blocking(move || {
        let Watched { site, kind, item, by } = watched;
        let scopes: BTreeSet<&Scope> = by.iter().map(|(_, scope)| scope).collect();
        let mut found = Vec::new();
        for scope in scopes {
            let (scope, item) = (scope.clone(), Some(item.clone()));
            found.extend(centre.samples(&SampleQuery { site, scope, kind, item, from, until, limit: limit + 1 })?);
        }
        // Another agent may watch another thing under the same name.
        found.retain(|sample| by.contains(&(sample.agent, sample.item.scope.clone())));
        found.sort_by_key(|sample| sample.item.time);
        Ok::<_, StoreError>(found)
    });
    read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))
}
