//! What metrics tell of devices: what they are, their sensors by state, and of each kind the one value that matters.
//!
//! Invariant: a device has a bounded number of series, however many sensors it has. A value that is no longer the present
//! one has none. No address of a device is in a label.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use onenet_topology::{
    MacAddr, Role, SensorKind,
    device::Device,
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

impl Of {
    /// Returns the one value of two sensors of a device.
    fn both(self, one: i64, other: i64) -> i64 {
        match self {
            Self::Least => one.min(other),
            Self::Greatest => one.max(other),
            Self::Sum => one.saturating_add(other),
        }
    }
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
        for ((_, metric, _, unit), milli) in VALUES.into_iter().zip(values(view, state, device)) {
            if let Some(milli) = milli {
                families.add(metric, &[&site, &id], float(milli) / unit);
            }
        }
    }
}

fn information(families: &mut Families, site: &str, id: &str, state: &SiteState, device: &Device) {
    let known = state.identification(device);
    let known = known.as_ref();
    let vendor = known.map(|it| it.vendor.as_str()).unwrap_or_default();
    let model = known.map(|it| it.model.as_str()).unwrap_or_default();
    let role = known.and_then(|it| it.role).map(Role::name).unwrap_or_default();
    families.add(names::DEVICE_INFO, &[site, id, &label(device), vendor, model, role], 1);
}

/// Returns what a device is called in labels: its name, or its id where it tells none and is polled by an address, as nothing is labelled
/// by MAC or IP.
pub(super) fn label(device: &Device) -> Cow<'_, str> {
    let name = device.name();
    // An address of one link names its interface behind a sign (RFC 4007, 11).
    let bare = name.split('%').next().unwrap_or(name);
    if bare.parse::<IpAddr>().is_ok() || name.parse::<MacAddr>().is_ok() {
        Cow::Owned(device.id.to_string())
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns how many sensors are in each state. What several agents tell of one sensor counts once, at its worst.
fn states(state: &SiteState, device: &Device) -> BTreeMap<&'static str, u32> {
    let mut sensors = BTreeMap::new();
    for held in Method::SENSORS.into_iter().flat_map(|method| state.told(device, method)) {
        if let FactBody::Sensor(it) = held.fact.body {
            let worst = sensors.entry((it.kind, it.name)).or_insert(it.state);
            *worst = (*worst).max(it.state);
        }
    }
    let mut counts = BTreeMap::new();
    for state in sensors.into_values() {
        *counts.entry(state.map_or("unjudged", onenet_topology::SensorState::name)).or_default() += 1;
    }
    counts
}

/// Returns the value of each of [`VALUES`], in thousandths of its unit. Of several agents that read the device, the greatest sum counts.
fn values(view: &View, state: &SiteState, device: &Device) -> [Option<i64>; VALUES.len()] {
    let now = view.now();
    let mut values = [None; VALUES.len()];
    for handle in &device.handles {
        let mut read = [None; VALUES.len()];
        for reading in state.readings.get().fresh(handle, now) {
            let mut kinds = VALUES.iter().zip(&mut read);
            if let Some(((_, _, of, _), known)) = kinds.find(|((kind, ..), _)| *kind == reading.kind) {
                *known = Some(known.map_or(reading.value_milli, |known| of.both(known, reading.value_milli)));
            }
        }
        for (((_, _, of, _), value), read) in VALUES.iter().zip(&mut values).zip(read) {
            let best = |one, other| if matches!(of, Of::Least) { i64::min(one, other) } else { i64::max(one, other) };
            *value = [*value, read].into_iter().flatten().reduce(best);
        }
    }
    values
}

#[expect(clippy::cast_precision_loss, reason = "no sensor measures 2^53 thousandths of anything")]
const fn float(milli: i64) -> f64 {
    milli as f64
}
