//! What metrics tell of devices: what they are, their sensors by state, and of each kind the one value that matters.
//!
//! Invariant: a device has a bounded number of series, however many sensors it has. A value that is no longer the present
//! one has none.

use std::collections::BTreeMap;

use onenet_topology::{
    Role, SensorKind,
    device::{Device, Handle},
    fact::{FactBody, Method},
};

use super::{
    names::{self, Metric},
    page::Families,
};
use crate::{access::View, estate::SiteState};

/// The one value of all sensors of a kind.
#[derive(Clone, Copy)]
enum Of {
    Least,
    Greatest,
    Sum,
}

/// Which kinds have a value in the metrics, which, and what a unit of it is in thousandths of the kind's. Voltages,
/// currents, fan speeds and the like say nothing without their names: of them there is the state.
const VALUES: [(SensorKind, Metric, Of, f64); 10] = [
    (SensorKind::Temperature, names::DEVICE_TEMPERATURE, Of::Greatest, 1e3),
    (SensorKind::CpuLoad, names::DEVICE_CPU_LOAD, Of::Greatest, 1e5),
    (SensorKind::MemoryUsed, names::DEVICE_MEMORY_USED, Of::Greatest, 1e5),
    (SensorKind::StorageUsed, names::DEVICE_STORAGE_USED, Of::Greatest, 1e5),
    (SensorKind::OpticalReceive, names::DEVICE_OPTICAL_RECEIVE, Of::Least, 1e3),
    (SensorKind::PoePower, names::DEVICE_POE_POWER, Of::Sum, 1e3),
    (SensorKind::Humidity, names::DEVICE_HUMIDITY, Of::Greatest, 1e5),
    (SensorKind::BatteryCharge, names::DEVICE_BATTERY_CHARGE, Of::Least, 1e5),
    (SensorKind::BatteryRunTime, names::DEVICE_BATTERY_RUN_TIME, Of::Least, 1e3),
    (SensorKind::OutputLoad, names::DEVICE_OUTPUT_LOAD, Of::Greatest, 1e5),
];

/// Adds the series of a site's devices.
pub(super) fn devices(families: &mut Families, view: &View, state: &SiteState) {
    let site = state.id.to_string();
    for device in state.devices.values() {
        let id = device.id.to_string();
        information(families, &site, &id, state, device);
        for (state, count) in states(state, device) {
            families.add(names::DEVICE_SENSORS, &[&site, &id, state], count);
        }
        for (kind, metric, of, unit) in VALUES {
            if let Some(milli) = value(view, state, device, kind, of) {
                families.add(metric, &[&site, &id], float(milli) / unit);
            }
        }
    }
}

fn information(families: &mut Families, site: &str, id: &str, state: &SiteState, device: &Device) {
    let known = state.identification(device);
    let vendor = known.map(|it| it.vendor.as_str()).unwrap_or_default();
    let model = known.map(|it| it.model.as_str()).unwrap_or_default();
    let role = known.and_then(|it| it.role).map(Role::name).unwrap_or_default();
    families.add(names::DEVICE_INFO, &[site, id, device.name(), vendor, model, role], 1);
}

/// Returns how many sensors are in each state. What several agents tell of one sensor counts once, at its worst.
fn states(state: &SiteState, device: &Device) -> BTreeMap<&'static str, u32> {
    let mut sensors = BTreeMap::new();
    for held in Method::SENSORS.into_iter().flat_map(|method| state.told(device, method)) {
        if let FactBody::Sensor(it) = &held.fact.body {
            let worst = sensors.entry((it.kind, it.name.as_str())).or_insert(it.state);
            *worst = (*worst).max(it.state);
        }
    }
    let mut counts = BTreeMap::new();
    for state in sensors.into_values() {
        *counts.entry(state.map_or("unjudged", onenet_topology::SensorState::name)).or_default() += 1;
    }
    counts
}

/// Returns the value of a kind, in thousandths of its unit. Of several agents that read the device, the greatest sum counts.
fn value(view: &View, state: &SiteState, device: &Device, kind: SensorKind, of: Of) -> Option<i64> {
    let now = view.now();
    let read = |handle: &Handle| {
        let fresh = state.readings.get().fresh(handle, now).filter(|it| it.kind == kind).map(|it| it.value_milli);
        match of {
            Of::Least => fresh.min(),
            Of::Greatest => fresh.max(),
            Of::Sum => fresh.reduce(i64::saturating_add),
        }
    };
    let values = device.handles.iter().filter_map(read);
    match of {
        Of::Least => values.min(),
        Of::Greatest | Of::Sum => values.max(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no sensor measures 2^53 thousandths of anything")]
const fn float(milli: i64) -> f64 {
    milli as f64
}
