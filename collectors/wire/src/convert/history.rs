//! Samples and events.
//!
//! Invariant: the order of the items survives. On the wire, items of one scope and moment share a group; within a group
//! kinds have a fixed order, so an item that would break it opens another group.

use onenet_topology::{
    Timestamp,
    application::Application,
    fact::{
        ApplicationSample, CaptureSample, DeviceSample, Event, FlowTotals, HistoryBody, HistoryItem, InterfaceSample,
        Scope, SensorSample, TrafficSample,
    },
};

use super::{
    anomaly,
    check::{self, enumerated, mac, name, optional_mac, text},
    fact::age_at,
    probe,
};
use crate::{
    Invalid,
    limits::{REASON_BYTES, SCOPE_BYTES, TEXT_BYTES, UNDECODED_REASONS},
    v1,
};

/// Returns the groups of these items, their ages taken at `closed`.
pub(super) fn groups_to_wire(items: &[HistoryItem], closed: Timestamp) -> Vec<v1::HistoryGroup> {
    let mut groups = Vec::new();
    let mut last: Option<(&HistoryItem, v1::HistoryGroup)> = None;
    for item in items {
        match &mut last {
            Some((previous, group)) if joins(previous, item, closed) => {
                push(group, &item.body);
                *previous = item;
            }
            _ => {
                let group = v1::HistoryGroup { age_ms: age_at(item.time, closed), ..history_group(item) };
                groups.extend(last.replace((item, group)).map(|(_, group)| group));
            }
        }
    }
    groups.extend(last.map(|(_, group)| group));
    groups
}

/// Returns a group of this one item, of age 0.
pub(crate) fn history_group(item: &HistoryItem) -> v1::HistoryGroup {
    let mut group = v1::HistoryGroup { scope: item.scope.as_str().to_owned(), ..Default::default() };
    push(&mut group, &item.body);
    group
}

/// Adds the items of a group, all of this `time`, to `items`.
pub(crate) fn history_items(
    group: v1::HistoryGroup,
    time: Timestamp,
    items: &mut Vec<HistoryItem>,
) -> Result<(), Invalid> {
    let scope = Scope::new(&text("scope", group.scope, SCOPE_BYTES)?);
    let mut add = |body| items.push(HistoryItem { time, scope: scope.clone(), body });
    for (index, it) in group.interfaces.into_iter().enumerate() {
        add(HistoryBody::Interface(interface(it).map_err(|e| e.within_element("interfaces", index))?));
    }
    for it in group.devices {
        add(HistoryBody::Device(DeviceSample {
            uptime_ms: it.uptime_ms,
            round_trip_us: it.round_trip_us,
            requests: it.requests,
            requests_lost: it.requests_lost,
        }));
    }
    for (index, it) in group.traffic.into_iter().enumerate() {
        add(HistoryBody::Traffic(traffic(&it).map_err(|e| e.within_element("traffic", index))?));
    }
    for (index, it) in group.captures.into_iter().enumerate() {
        add(HistoryBody::Capture(capture(it).map_err(|e| e.within_element("captures", index))?));
    }
    for (index, it) in group.events.into_iter().enumerate() {
        add(HistoryBody::Event(event(it).map_err(|e| e.within_element("events", index))?));
    }
    for (index, it) in group.sensors.into_iter().enumerate() {
        add(HistoryBody::Sensor(sensor(it).map_err(|e| e.within_element("sensors", index))?));
    }
    for (index, it) in group.applications.into_iter().enumerate() {
        add(HistoryBody::Application(application(&it).map_err(|e| e.within_element("applications", index))?));
    }
    for (index, it) in group.probes.into_iter().enumerate() {
        add(HistoryBody::Probe(probe::sample(it).map_err(|e| e.within_element("probes", index))?));
    }
    for (index, it) in group.anomalies.into_iter().enumerate() {
        add(HistoryBody::Anomaly(anomaly::report(it).map_err(|e| e.within_element("anomalies", index))?));
    }
    for (index, it) in group.detections.into_iter().enumerate() {
        add(HistoryBody::Detection(anomaly::sample(it).map_err(|e| e.within_element("detections", index))?));
    }
    Ok(())
}

/// Returns how many items a group holds.
pub(super) fn group_len(group: &v1::HistoryGroup) -> usize {
    group.interfaces.len()
        + group.devices.len()
        + group.traffic.len()
        + group.captures.len()
        + group.events.len()
        + group.sensors.len()
        + group.applications.len()
        + group.probes.len()
        + group.anomalies.len()
        + group.detections.len()
}

fn joins(previous: &HistoryItem, item: &HistoryItem, closed: Timestamp) -> bool {
    age_at(previous.time, closed) == age_at(item.time, closed)
        && previous.scope == item.scope
        && rank(&previous.body) <= rank(&item.body)
}

/// Returns the place of a kind in its group.
const fn rank(body: &HistoryBody) -> u8 {
    match body {
        HistoryBody::Interface(_) => 0,
        HistoryBody::Device(_) => 1,
        HistoryBody::Traffic(_) => 2,
        HistoryBody::Capture(_) => 3,
        HistoryBody::Event(_) => 4,
        HistoryBody::Sensor(_) => 5,
        HistoryBody::Application(_) => 6,
        HistoryBody::Probe(_) => 7,
        HistoryBody::Anomaly(_) => 8,
        HistoryBody::Detection(_) => 9,
    }
}

fn capture(it: v1::CaptureSample) -> Result<CaptureSample, Invalid> {
    check::count("undecoded", it.undecoded.len(), UNDECODED_REASONS)?;
    let undecoded = it.undecoded.into_iter().enumerate().map(|(index, it)| {
        let reason = text("reason", it.reason, REASON_BYTES).map_err(|e| e.within_element("undecoded", index))?;
        Ok((reason, it.frames))
    });
    Ok(CaptureSample {
        frames_seen: it.frames_seen,
        frames_dropped_by_kernel: it.frames_dropped_by_kernel,
        frames_undecoded: it.frames_undecoded,
        endpoints_evicted: it.endpoints_evicted,
        octets_seen: it.octets_seen,
        frames_cut: it.frames_cut,
        frames_merged: it.frames_merged,
        flows_evicted: it.flows_evicted,
        tcp_octets: it.tcp_octets,
        tcp_octets_missed: it.tcp_octets_missed,
        flows_lost: it.flows_lost,
        undecoded: undecoded.collect::<Result<_, Invalid>>()?,
    })
}

fn push(group: &mut v1::HistoryGroup, body: &HistoryBody) {
    match body {
        HistoryBody::Interface(it) => group.interfaces.push(v1::InterfaceSample {
            name: it.name.clone(),
            in_octets: it.in_octets,
            out_octets: it.out_octets,
            in_errors: it.in_errors,
            out_errors: it.out_errors,
            in_discards: it.in_discards,
            out_discards: it.out_discards,
            in_packets: it.in_packets,
            out_packets: it.out_packets,
        }),
        HistoryBody::Device(it) => group.devices.push(v1::DeviceSample {
            uptime_ms: it.uptime_ms,
            round_trip_us: it.round_trip_us,
            requests: it.requests,
            requests_lost: it.requests_lost,
        }),
        HistoryBody::Traffic(it) => group.traffic.push(v1::TrafficSample {
            mac: it.mac.0.to_vec(),
            interval_ms: it.interval_ms,
            frames_out: it.frames_out,
            bytes_out: it.bytes_out,
            frames_in: it.frames_in,
            bytes_in: it.bytes_in,
        }),
        HistoryBody::Capture(it) => group.captures.push(v1::CaptureSample {
            flows_lost: it.flows_lost,
            undecoded: (it.undecoded.iter())
                .map(|(reason, frames)| v1::UndecodedFrames { reason: reason.clone(), frames: *frames })
                .collect(),
            frames_seen: it.frames_seen,
            frames_dropped_by_kernel: it.frames_dropped_by_kernel,
            frames_undecoded: it.frames_undecoded,
            endpoints_evicted: it.endpoints_evicted,
            octets_seen: it.octets_seen,
            frames_cut: it.frames_cut,
            frames_merged: it.frames_merged,
            flows_evicted: it.flows_evicted,
            tcp_octets: it.tcp_octets,
            tcp_octets_missed: it.tcp_octets_missed,
        }),
        HistoryBody::Event(it) => group.events.push(v1::Event {
            kind: v1::EventKind::from(it.kind).into(),
            subject: it.subject.clone(),
            detail: it.detail.clone(),
            count: it.count,
        }),
        HistoryBody::Sensor(it) => group.sensors.push(v1::SensorSample {
            kind: v1::SensorKind::from(it.kind).into(),
            name: it.name.clone(),
            value_milli: it.value_milli,
        }),
        HistoryBody::Application(it) => group.applications.push(v1::ApplicationSample {
            mac: it.mac.map(|mac| mac.0.to_vec()).unwrap_or_default(),
            application: it.application.map_or(0, |application| application.number().into()),
            interval_ms: it.interval_ms,
            flows_out: it.totals.flows_out,
            flows_in: it.totals.flows_in,
            packets_out: it.totals.packets_out,
            packets_in: it.totals.packets_in,
            bytes_out: it.totals.bytes_out,
            bytes_in: it.totals.bytes_in,
        }),
        HistoryBody::Probe(it) => group.probes.push(it.into()),
        HistoryBody::Anomaly(it) => group.anomalies.push(it.into()),
        HistoryBody::Detection(it) => group.detections.push(it.into()),
    }
}

fn interface(it: v1::InterfaceSample) -> Result<InterfaceSample, Invalid> {
    Ok(InterfaceSample {
        name: name("name", it.name)?,
        in_octets: it.in_octets,
        out_octets: it.out_octets,
        in_errors: it.in_errors,
        out_errors: it.out_errors,
        in_discards: it.in_discards,
        out_discards: it.out_discards,
        in_packets: it.in_packets,
        out_packets: it.out_packets,
    })
}

fn traffic(it: &v1::TrafficSample) -> Result<TrafficSample, Invalid> {
    Ok(TrafficSample {
        mac: mac("mac", &it.mac)?,
        interval_ms: it.interval_ms,
        frames_out: it.frames_out,
        bytes_out: it.bytes_out,
        frames_in: it.frames_in,
        bytes_in: it.bytes_in,
    })
}

fn sensor(it: v1::SensorSample) -> Result<SensorSample, Invalid> {
    Ok(SensorSample {
        kind: enumerated::<v1::SensorKind, _>("kind", it.kind)?,
        name: name("name", it.name)?,
        value_milli: it.value_milli,
    })
}

fn application(it: &v1::ApplicationSample) -> Result<ApplicationSample, Invalid> {
    Ok(ApplicationSample {
        mac: optional_mac("mac", &it.mac)?,
        application: known_application(it.application),
        interval_ms: it.interval_ms,
        totals: FlowTotals {
            flows_out: it.flows_out,
            flows_in: it.flows_in,
            packets_out: it.packets_out,
            packets_in: it.packets_in,
            bytes_out: it.bytes_out,
            bytes_in: it.bytes_in,
        },
    })
}

/// Returns the application of this number. Applications are added often: one that a newer agent names is not recognised here,
/// and no reason to refuse what else it says.
pub(super) fn known_application(number: u32) -> Option<Application> {
    u8::try_from(number).ok().and_then(Application::numbered)
}

fn event(it: v1::Event) -> Result<Event, Invalid> {
    Ok(Event {
        kind: enumerated::<v1::EventKind, _>("kind", it.kind)?,
        subject: name("subject", it.subject)?,
        detail: text("detail", it.detail, TEXT_BYTES)?,
        count: it.count,
    })
}
