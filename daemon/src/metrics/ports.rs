//! What metrics tell of ports one by one: those that lead from device to device, and those that somebody watches.
//!
//! Invariant: a port is exported for what it is, never for what crosses it, so that traffic makes no series. A counter is told
//! with the time at which it was read, and not at all once that is longer ago than [`FRESH_MS`].

use std::collections::BTreeSet;

use onenet_topology::{
    InterfaceId, Role, Timestamp,
    device::{Device, Interface},
    fact::{HistoryBody, InterfaceSample, InterfaceStatus},
    link::LinkEnd,
};

use super::{
    names::{self, Metric},
    render::{Families, float},
};
use crate::{
    access::View,
    api::{App, body::told},
    estate::SiteState,
    ingest::WATCH_MARK,
    joined::joined,
    store::{Sample, SampleKind, SampleQuery, StoreError},
};

/// How old a counter may be, in milliseconds, to be told: three polls of a port that is read each five minutes.
const FRESH_MS: i64 = 15 * 60_000;
/// Ports of a device that are exported one by one; a chassis has some hundred trunks at most.
const PORTS_MAX: usize = 256;

/// A counter, its labels behind those of the port, and where a sample has it.
type Field = (Metric, &'static [&'static str], fn(&InterfaceSample) -> Option<u64>);

const FIELDS: [Field; 6] = [
    (names::INTERFACE_RECEIVED, &[], |it| it.in_octets),
    (names::INTERFACE_SENT, &[], |it| it.out_octets),
    (names::INTERFACE_ERRORS, &["receive"], |it| it.in_errors),
    (names::INTERFACE_ERRORS, &["transmit"], |it| it.out_errors),
    (names::INTERFACE_DISCARDS, &["receive"], |it| it.in_discards),
    (names::INTERFACE_DISCARDS, &["transmit"], |it| it.out_discards),
];

/// Adds the series of a site's ports.
///
/// # Errors
/// Fails when the store cannot be read.
pub(super) fn of_site(families: &mut Families, app: &App, view: &View, state: &SiteState) -> Result<(), StoreError> {
    let ends: BTreeSet<InterfaceId> =
        joined(state).iter().flat_map(|link| [&link.a, &link.b]).filter_map(port_of).collect();
    for device in state.devices.values() {
        let exported = exported(state, device, &ends);
        let newest = newest(app, view, state, device)?;
        for port in device.interfaces.iter().filter(|port| exported.contains(port.said.name.as_str())) {
            standing(families, state, device, port);
        }
        counters(families, state, device, &exported, &newest);
    }
    Ok(())
}

const fn port_of(end: &LinkEnd) -> Option<InterfaceId> {
    match end {
        LinkEnd::Interface { interface, .. } => *interface,
        _ => None,
    }
}

/// Returns the names of the ports that are told of one by one.
fn exported<'d>(state: &SiteState, device: &'d Device, ends: &BTreeSet<InterfaceId>) -> BTreeSet<&'d str> {
    let vlans = told::port_vlans(state, device);
    let role = state.identification(device).and_then(|it| it.role);
    let forwards = matches!(role, Some(Role::Router | Role::Firewall));
    let leads = |port: &Interface| {
        let is_trunk = vlans.get(port.said.name.as_str()).is_some_and(|it| !it.tagged.is_empty());
        let routes = forwards && port.said.oper == InterfaceStatus::Up;
        ends.contains(&port.id) || is_trunk || routes || port.said.alias.contains(WATCH_MARK)
    };
    let ports = device.interfaces.iter().filter(|port| port.current && !port.said.name.is_empty());
    ports.filter(|port| leads(port)).map(|port| port.said.name.as_str()).take(PORTS_MAX).collect()
}

/// Returns the counters of a device's ports as they were read last, by whichever agent read them last.
fn newest(
    app: &App,
    view: &View,
    state: &SiteState,
    device: &Device,
) -> Result<Vec<(Timestamp, InterfaceSample)>, StoreError> {
    let mut newest: Vec<Sample> = Vec::new();
    for handle in &device.handles {
        let query = SampleQuery {
            site: state.id,
            agent: Some(handle.agent),
            scope: handle.scope.clone(),
            kind: SampleKind::Interface,
            item: None,
            from: view.now().plus_ms(-FRESH_MS),
            until: view.now(),
            limit: usize::MAX,
        };
        let found = app.centre.latest_samples(&query)?;
        let time = |samples: &[Sample]| samples.first().map(|sample| sample.item.time);
        if time(&found) > time(&newest) {
            newest = found;
        }
    }
    let counters = newest.into_iter().filter_map(|sample| match sample.item.body {
        HistoryBody::Interface(counters) => Some((sample.item.time, counters)),
        _ => None,
    });
    Ok(counters.collect())
}

fn standing(families: &mut Families, state: &SiteState, device: &Device, port: &Interface) {
    let (site, id) = (state.id.to_string(), device.id.to_string());
    let labels = [site.as_str(), id.as_str(), port.said.name.as_str()];
    if port.said.oper != InterfaceStatus::Unknown {
        families.add(names::INTERFACE_UP, &labels, u8::from(port.said.oper == InterfaceStatus::Up));
    }
    if let Some(speed) = port.said.speed_bps.filter(|speed| *speed > 0) {
        families.add(names::INTERFACE_SPEED, &labels, float(speed));
    }
}

fn counters(
    families: &mut Families,
    state: &SiteState,
    device: &Device,
    exported: &BTreeSet<&str>,
    newest: &[(Timestamp, InterfaceSample)],
) {
    let (site, id) = (state.id.to_string(), device.id.to_string());
    for (time, sample) in newest.iter().filter(|(_, sample)| exported.contains(sample.name.as_str())) {
        for (metric, more, of) in FIELDS {
            let Some(value) = of(sample) else { continue };
            let labels: Vec<&str> = [&*site, &*id, &*sample.name].into_iter().chain(more.iter().copied()).collect();
            families.add_at(metric, &labels, float(value), *time);
        }
    }
}
