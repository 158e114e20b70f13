//! The sensors of a device and what they last measured.
//!
//! Invariant: which sensors there are is state; what they measured is history and carries its own time. A value that is older
//! than [`FRESH_MS`] is not shown as the present one.

use std::collections::BTreeMap;

use onenet_topology::{
    SensorKind, SiteId, Timestamp,
    device::Device,
    fact::{FactBody, HistoryBody, Method, Scope},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Problem,
    body::{thousandths, time},
};
use crate::{
    centre::Centre,
    estate::{FRESH_MS, SiteState},
    store::{SampleKind, SampleQuery, StoreError},
};

/// Samples looked through for the last values: those of a chassis with 300 optical modules in two hours.
const SAMPLES_MAX: usize = 50_000;

/// A sensor of a device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SensorBody {
    /// What it measures.
    #[schema(example = "temperature")]
    pub kind: &'static str,
    /// The device's name of it.
    pub name: String,
    /// The unit of the value; empty where there is none.
    #[schema(example = "°C")]
    pub unit: &'static str,
    /// What the device says of it: `normal`, `warning`, `critical` or `absent`; `null` where it does not judge.
    pub state: Option<&'static str>,
    /// What it last measured; `null` where it measures nothing, or nothing of late.
    pub value: Option<f64>,
    /// When it did.
    pub measured: Option<String>,
}

type Latest = BTreeMap<(SensorKind, String), (Timestamp, i64)>;

/// Returns the sensors of a device, by kind and name.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn sensors(
    app: &App,
    state: &SiteState,
    device: &Device,
    now: Timestamp,
) -> Result<Vec<SensorBody>, Problem> {
    let mut told = BTreeMap::new();
    for held in Method::SENSORS.into_iter().flat_map(|method| state.told(device, method)) {
        if let FactBody::Sensor(sensor) = &held.fact.body {
            told.insert((sensor.kind, sensor.name.clone()), sensor.state);
        }
    }
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let scopes: Vec<Scope> = device.handles.iter().map(|handle| handle.scope.clone()).collect();
    let (centre, site) = (app.centre.clone(), state.id);
    let read = tokio::task::spawn_blocking(move || latest(&centre, site, &scopes, now));
    let latest =
        read.await.map_err(|_| Problem::internal())?.map_err(|error| Problem::unavailable(error.to_string()))?;
    let body = |((kind, name), state): ((SensorKind, String), Option<onenet_topology::SensorState>)| {
        let last = latest.get(&(kind, name.clone()));
        SensorBody {
            kind: kind.name(),
            name,
            unit: kind.unit(),
            state: state.map(onenet_topology::SensorState::name),
            value: last.map(|(_, value)| thousandths(*value)),
            measured: last.map(|(at, _)| time(*at)),
        }
    };
    Ok(told.into_iter().map(body).collect())
}

fn latest(centre: &Centre, site: SiteId, scopes: &[Scope], now: Timestamp) -> Result<Latest, StoreError> {
    let mut latest = Latest::new();
    for scope in scopes {
        let samples = centre.samples(&SampleQuery {
            site,
            agent: None,
            scope: scope.clone(),
            kind: SampleKind::Sensor,
            item: None,
            from: now.plus_ms(-FRESH_MS),
            until: now.plus_ms(1),
            limit: SAMPLES_MAX,
        })?;
        for sample in samples {
            if let HistoryBody::Sensor(it) = sample.item.body {
                let last = latest.entry((it.kind, it.name)).or_insert((sample.item.time, it.value_milli));
                if sample.item.time >= last.0 {
                    *last = (sample.item.time, it.value_milli);
                }
            }
        }
    }
    Ok(latest)
}
