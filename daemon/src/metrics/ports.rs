//! What metrics tell of ports one by one: those that lead from device to device, and those that somebody watches.
//!
//! Invariant: a counter is told with the time at which it was read, and not at all once that is longer ago than [`FRESH_MS`];
//! nor where remote write tells of it.

use onenet_topology::{
    device::{Device, Interface},
    fact::InterfaceStatus,
};

use super::{
    measured::{Exported, Put},
    names,
    page::Families,
    render::float,
};
use crate::{
    access::View,
    api::App,
    estate::SiteState,
    store::{Sample, SampleKind, SampleQuery, StoreError},
};

/// How old a counter may be, in milliseconds, to be told: three polls of a port that is read each five minutes.
const FRESH_MS: i64 = 15 * 60_000;

/// Adds the series of a site's ports; `counters` where nothing else tells of them.
///
/// # Errors
/// Fails when the store cannot be read.
pub(super) fn of_site(
    families: &mut Families,
    app: &App,
    view: &View,
    state: &SiteState,
    counters: bool,
) -> Result<(), StoreError> {
    let exported = Exported::of(state);
    for device in state.devices.values() {
        let newest = if counters { newest(app, view, state, device)? } else { Vec::new() };
        for port in device.interfaces.iter().filter(|port| exported.is_port(device.id, &port.said.name)) {
            standing(families, state, device, port);
        }
        for sample in &newest {
            let put: Put<'_> = &mut |metric, labels, value| families.add_at(metric, labels, value, sample.item.time);
            exported.values(sample.agent, &sample.item, put);
        }
    }
    Ok(())
}

/// Returns the counters of a device's ports as they were read last, by whichever agent read them last.
fn newest(app: &App, view: &View, state: &SiteState, device: &Device) -> Result<Vec<Sample>, StoreError> {
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
    Ok(newest)
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
