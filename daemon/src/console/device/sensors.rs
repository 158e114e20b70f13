//! What a device measures of itself: its optical modules port by port, and everything else in one table.
//!
//! Invariant: what is bad stands first, then what is alike together, in the order in which people count.

use std::{cmp::Reverse, collections::BTreeMap};

use maud::{Markup, html};
use onenet_topology::{SensorKind, SensorState};

use crate::{
    api::sensors::SensorBody,
    console::{
        Reader, parts,
        text::{self, fill},
        words,
    },
};

/// What profiles put behind a port's name where its optical module has a temperature or a voltage of its own.
const TRANSCEIVER: &str = " transceiver";
/// What an optical module measures, in the order of the columns.
const OPTICS: [SensorKind; 5] = [
    SensorKind::OpticalReceive,
    SensorKind::OpticalTransmit,
    SensorKind::OpticalBias,
    SensorKind::Temperature,
    SensorKind::Voltage,
];
/// Readings of a port from which on it has a row for itself.
const READINGS_MIN: usize = 2;

/// The readings of one optical module.
type Readings<'s> = BTreeMap<SensorKind, &'s SensorBody>;
/// The optical modules, by the port that has each.
type Modules<'s> = BTreeMap<&'s str, Readings<'s>>;

/// The sensors of a device.
pub(super) fn sections(reader: &Reader, sensors: &[SensorBody]) -> Markup {
    let modules = modules(sensors);
    let in_module = |it: &&SensorBody| of_module(it).is_some_and(|(port, _)| modules.contains_key(port));
    let mut others: Vec<&SensorBody> = sensors.iter().filter(|it| !in_module(it)).collect();
    others.sort_by_cached_key(|it| (Reverse(alarm(it)), SensorKind::of(it.kind), parts::natural(&it.name)));
    html! {
        (super::section(reader, text::SENSORS, others.len(), &table(reader, &others)))
        (super::section(reader, text::OPTICAL_MODULES, modules.len(), &module_table(reader, &modules)))
    }
}

/// Returns the ports whose optical modules measure several things.
fn modules(sensors: &[SensorBody]) -> Modules<'_> {
    let mut modules = Modules::new();
    for sensor in sensors {
        if let Some((port, kind)) = of_module(sensor) {
            modules.entry(port).or_default().insert(kind, sensor);
        }
    }
    modules.retain(|_, readings| readings.len() >= READINGS_MIN);
    modules
}

/// Returns the port and what is measured, where that is what an optical module measures.
fn of_module(sensor: &SensorBody) -> Option<(&str, SensorKind)> {
    let kind = SensorKind::of(sensor.kind).filter(|kind| OPTICS.contains(kind))?;
    let port = match kind {
        SensorKind::Temperature | SensorKind::Voltage => sensor.name.strip_suffix(TRANSCEIVER)?,
        _ => &sensor.name,
    };
    Some((port, kind))
}

/// Returns how loudly a sensor calls.
fn alarm(sensor: &SensorBody) -> u8 {
    match sensor.state.and_then(SensorState::of) {
        Some(SensorState::Critical) => 2,
        Some(SensorState::Warning) => 1,
        Some(SensorState::Normal | SensorState::Absent) | None => 0,
    }
}

fn worst<'s>(readings: &Readings<'s>) -> Option<&'s SensorBody> {
    readings.values().copied().max_by_key(|it| (alarm(it), it.state.is_some()))
}

fn table(reader: &Reader, sensors: &[&SensorBody]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::MEASURES)) }
                        th scope="col" { (reader.say(text::SENSOR)) }
                        th.number scope="col" { (reader.say(text::VALUE)) }
                        th scope="col" { (reader.say(text::STATE)) }
                    }
                }
                tbody {
                    @for sensor in super::shown(sensors) {
                        tr {
                            td { (SensorKind::of(sensor.kind).map_or("", |kind| reader.say(words::sensor(kind)))) }
                            th scope="row" { (sensor.name) }
                            td.number { (parts::or_dash(measured(reader, sensor).as_deref())) }
                            td { (state(reader, sensor.state)) }
                        }
                    }
                }
            }
        }
        (super::cut(reader, sensors.len()))
    }
}

fn module_table(reader: &Reader, modules: &Modules<'_>) -> Markup {
    let mut rows: Vec<_> = modules.iter().collect();
    rows.sort_by_cached_key(|(port, readings)| (Reverse(worst(readings).map(alarm)), parts::natural(port)));
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (reader.say(text::INTERFACE)) }
                        @for kind in OPTICS { th.number scope="col" { (reader.say(words::sensor(kind))) } }
                        th scope="col" { (reader.say(text::STATE)) }
                    }
                }
                tbody {
                    @for (port, readings) in super::shown(&rows) {
                        tr {
                            th scope="row" { (port) }
                            @for kind in OPTICS {
                                @let text = readings.get(&kind).and_then(|it| measured(reader, it));
                                td.number { (parts::or_dash(text.as_deref())) }
                            }
                            td { (state(reader, worst(readings).and_then(|it| it.state))) }
                        }
                    }
                }
            }
        }
        (super::cut(reader, rows.len()))
    }
}

fn state(reader: &Reader, state: Option<&str>) -> Markup {
    let state = state.and_then(SensorState::of);
    state.map_or_else(|| parts::or_dash(None), |state| parts::sensor_state(reader, state))
}

/// Returns a value with as many digits as mean something, and its unit.
fn measured(reader: &Reader, sensor: &SensorBody) -> Option<String> {
    let value = sensor.value?;
    let digits = match SensorKind::of(sensor.kind)? {
        SensorKind::BatteryRunTime => return Some(fill(reader.say(text::MINUTES), format!("{:.0}", value / 60.0))),
        SensorKind::OpticalReceive
        | SensorKind::OpticalTransmit
        | SensorKind::OpticalBias
        | SensorKind::Voltage
        | SensorKind::Current => 2,
        SensorKind::FanSpeed | SensorKind::Count => 0,
        _ if value.fract() == 0.0 => 0,
        _ => 1,
    };
    Some(format!("{value:.digits$} {}", sensor.unit).trim_end().to_owned())
}
