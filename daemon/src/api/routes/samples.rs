//! Samples: counters of interfaces, traffic of endpoints, what sensors measured; in the order of time, by period and page.
//!
//! Invariant: what is shown of a thing was told by those who watch that very thing: the same name at another agent, or in another
//! scope, is another thing. Pages neither lose nor repeat: one agent tells of one thing once a moment, and a page goes on
//! behind the moment, agent and scope of the last sample of the page before.

use std::{collections::BTreeSet, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use onenet_topology::{
    AgentId, SensorKind, SiteId, Timestamp,
    fact::{HistoryBody, Scope},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer,
    devices::{device_by, interface_by},
    endpoints::endpoint_by,
};
use crate::{
    access::{Action, Gate, View},
    api::{
        App, Params, Problem,
        body::{Page, ProbeSampleBody, thousandths, time},
    },
    estate::Estate,
    store::{Sample, SampleKind, SampleQuery, StoreError, sensor_item},
};

/// How far back samples go when the caller does not say, in milliseconds.
const SAMPLES_SPAN_MS: i64 = 24 * 3_600_000;

/// Returns the routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_interface_samples))
        .routes(routes!(list_traffic))
        .routes(routes!(list_sensor_samples))
        .routes(routes!(list_probe_samples))
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SampleBody<T> {
    /// When it was taken, corrected by the centre's clock; the end of the interval where it counts over one.
    pub time: String,
    /// The agent that took it.
    pub agent: String,
    /// The agent's name of the device asked, or the interface listened on.
    pub scope: String,
    /// Milliseconds that were added to the agent's time.
    pub shift_ms: i64,
    /// Whether the correction is a guess.
    pub uncertain: bool,
    /// What it says.
    #[serde(flatten)]
    pub says: T,
}

/// Counters of an interface at one moment, as the device gives them; what it did not give is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct InterfaceCounters {
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
pub(super) struct EndpointTraffic {
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

/// What a sensor measured.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SensorValue {
    /// The value, in the unit of the sensor's kind.
    pub value: f64,
}

/// Which part of the samples.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `Period::read` reads them")]
struct PeriodParams {
    /// The first moment, RFC 3339; a day ago by default.
    from: Option<String>,
    /// The first moment after the last, RFC 3339; now by default.
    to: Option<String>,
    /// Samples of a page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A part of the samples: from one time until before another, so many at most.
struct Period {
    from: Timestamp,
    until: Timestamp,
    limit: usize,
    after: Option<Cursor>,
}

/// The place of a sample in the order of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    time: Timestamp,
    agent: AgentId,
    scope: Scope,
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
        let (limit, after) = (params.limit()?, params.parsed::<Cursor>("cursor")?);
        if from >= until {
            return Err(Problem::parameter(
                "from",
                format!("{from} is not before {until}: give an earlier time, or a later `to`"),
            ));
        }
        let from = after.as_ref().map_or(from, |last| last.time.max(from));
        Ok(Self { from, until, limit, after })
    }
}

impl Cursor {
    fn of(sample: &Sample) -> Self {
        Self { time: sample.item.time, agent: sample.agent, scope: sample.item.scope.clone() }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{},{}", self.time, self.agent, self.scope)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ',');
        let mut part = || parts.next().unwrap_or_default();
        let (time, agent, scope) = (part().parse(), part().parse(), Scope::new(part()));
        match (time, agent) {
            (Ok(time), Ok(agent)) => Ok(Self { time, agent, scope }),
            _ => Err("is no cursor: give `next` of the page before, as it is"),
        }
    }
}

/// Samples of an interface, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/interfaces/{interface}/samples", tag = "devices",
    params(("interface" = String, Path, description = "Its id"), PeriodParams),
    responses(
        (status = 200, body = Page<SampleBody<InterfaceCounters>>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_interface_samples(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(interface): Path<String>,
    params: Params,
) -> Answer<Page<SampleBody<InterfaceCounters>>> {
    let (view, site, id, period) = asked(&gate, params, |estate| interface_by(estate, &interface))?;
    let (_, device, interface) = view.interface(id).ok_or_else(Problem::not_found)?;
    let by = device.handles.iter().map(|handle| (handle.agent, handle.scope.clone())).collect();
    let watched = Watched { site, kind: SampleKind::Interface, item: interface.said.name.clone(), by };
    page(&app, watched, period, |body| {
        let HistoryBody::Interface(counters) = body else { return None };
        Some(InterfaceCounters {
            in_octets: counters.in_octets,
            out_octets: counters.out_octets,
            in_errors: counters.in_errors,
            out_errors: counters.out_errors,
            in_discards: counters.in_discards,
            out_discards: counters.out_discards,
            in_packets: counters.in_packets,
            out_packets: counters.out_packets,
        })
    })
    .await
}

/// Traffic of an endpoint, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/endpoints/{endpoint}/traffic", tag = "endpoints",
    params(("endpoint" = String, Path, description = "Its id"), PeriodParams),
    responses(
        (status = 200, body = Page<SampleBody<EndpointTraffic>>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_traffic(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path(endpoint): Path<String>,
    params: Params,
) -> Answer<Page<SampleBody<EndpointTraffic>>> {
    let (view, site, id, period) = asked(&gate, params, |estate| endpoint_by(estate, &endpoint))?;
    let (_, endpoint) = view.endpoint(id).ok_or_else(Problem::not_found)?;
    let by = endpoint.evidence.sights().map(|it| (it.origin.agent, it.origin.group.scope.clone())).collect();
    let watched = Watched { site, kind: SampleKind::Traffic, item: endpoint.mac.to_string(), by };
    page(&app, watched, period, |body| {
        let HistoryBody::Traffic(traffic) = body else { return None };
        Some(EndpointTraffic {
            interval_ms: traffic.interval_ms,
            frames_out: traffic.frames_out,
            bytes_out: traffic.bytes_out,
            frames_in: traffic.frames_in,
            bytes_in: traffic.bytes_in,
        })
    })
    .await
}

/// What a sensor of a device measured, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/devices/{device}/sensors/{kind}/{name}/samples", tag = "devices",
    params(
        ("device" = String, Path, description = "Its id"),
        ("kind" = String, Path, description = "What the sensor measures"),
        ("name" = String, Path, description = "The sensor's name"),
        PeriodParams,
    ),
    responses(
        (status = 200, body = Page<SampleBody<SensorValue>>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_sensor_samples(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((device, kind, name)): Path<(String, String, String)>,
    params: Params,
) -> Answer<Page<SampleBody<SensorValue>>> {
    let (view, site, id, period) = asked(&gate, params, |estate| device_by(estate, &device))?;
    let (_, device) = view.device(id).ok_or_else(Problem::not_found)?;
    let kind = SensorKind::of(&kind).ok_or_else(Problem::not_found)?;
    let by = device.handles.iter().map(|handle| (handle.agent, handle.scope.clone())).collect();
    let watched = Watched { site, kind: SampleKind::Sensor, item: sensor_item(kind, &name), by };
    page(&app, watched, period, |body| {
        let HistoryBody::Sensor(sample) = body else { return None };
        Some(SensorValue { value: thousandths(sample.value_milli) })
    })
    .await
}

/// What a probe of an agent measured, in the order of time.
#[utoipa::path(
    get, path = "/api/v1/agents/{agent}/probes/{probe}/samples", tag = "probes",
    params(
        ("agent" = String, Path, description = "Its id"),
        ("probe" = String, Path, description = "The agent's name of the probe"),
        PeriodParams,
    ),
    responses(
        (status = 200, body = Page<SampleBody<ProbeSampleBody>>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn list_probe_samples(
    State(app): State<Arc<App>>,
    gate: Gate,
    Path((agent, probe)): Path<(String, String)>,
    params: Params,
) -> Answer<Page<SampleBody<ProbeSampleBody>>> {
    let (_, site, id, period) = asked(&gate, params, |estate| {
        let id: AgentId = agent.parse().ok()?;
        Some((estate.agent(id)?.site, id))
    })?;
    let by = BTreeSet::from([(id, Scope::new(""))]);
    let watched = Watched { site, kind: SampleKind::Probe, item: probe, by };
    page(&app, watched, period, |body| {
        let HistoryBody::Probe(sample) = body else { return None };
        Some(ProbeSampleBody::of(&sample))
    })
    .await
}

/// Returns the thing whose samples are asked for, and which of them.
fn asked<T>(
    gate: &Gate,
    mut params: Params,
    find: impl FnOnce(&Estate) -> Option<(SiteId, T)>,
) -> Result<(View, SiteId, T, Period), Problem> {
    let (view, site, thing) = gate.thing(Action::ReadInventory, find)?;
    let period = Period::read(&mut params, view.now())?;
    params.finish()?;
    Ok((view, site, thing, period))
}

/// Returns a page of the samples of one thing.
async fn page<T>(
    app: &App,
    watched: Watched,
    period: Period,
    says: impl Fn(HistoryBody) -> Option<T>,
) -> Answer<Page<SampleBody<T>>> {
    let Period { limit, .. } = period;
    let mut found = samples(app, watched, period).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| Cursor::of(last).to_string());
    let body = |sample: Sample| {
        Some(SampleBody {
            time: time(sample.item.time),
            agent: sample.agent.to_string(),
            scope: sample.item.scope.to_string(),
            shift_ms: sample.shift_ms,
            uncertain: sample.uncertain,
            says: says(sample.item.body)?,
        })
    };
    Ok(Json(Page { items: found.into_iter().filter_map(body).collect(), next }))
}

/// Reads samples in the order of time, one more than asked for where there are more.
async fn samples(app: &App, watched: Watched, period: Period) -> Result<Vec<Sample>, Problem> {
    let centre = app.centre.clone();
    let Period { from, until, limit, after } = period;
    let read = tokio::task::spawn_blocking(move || {
        let Watched { site, kind, item, by } = watched;
        let mut found = Vec::new();
        for (agent, scope) in by {
            let item = Some(item.clone());
            // One for the next page, and one of the cursor's own moment.
            let limit = limit + 2;
            found.extend(centre.samples(&SampleQuery {
                site,
                agent: Some(agent),
                scope,
                kind,
                item,
                from,
                until,
                limit,
            })?);
        }
        found.retain(|sample| after.as_ref().is_none_or(|last| Cursor::of(sample) > *last));
        found.sort_by_cached_key(Cursor::of);
        found.truncate(limit + 1);
        Ok::<_, StoreError>(found)
    });
    read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))
}
