//! What the centre concludes of equipment: a device that became another one, and ports behind which something is that nobody manages.
//!
//! Invariant: a device is another one only by what it says itself; machines count behind a port only while tables tell that they are there, and
//! have for as long as an address has to be another's.

use std::collections::{BTreeMap, BTreeSet};

use onenet_detection::centre;
use onenet_topology::{
    DeviceId, InterfaceId, MacAddr, SiteId, Timestamp,
    device::{Device, Handle},
    endpoint::Endpoint,
    inference::{Place, Reason, Where},
    link::LinkEnd,
    merge,
};

use super::{Concluding, LATELY_MS, NAMED_MAX, concluded, evidence};
use crate::{
    estate::SiteState,
    ingest::plan::{
        Draft,
        anomalies::{self, Concluded},
    },
};

/// How the addresses of virtual machines begin, of who does not set the bit for addresses that are made up: VMware, Hyper-V, Xen.
const VIRTUAL: [[u8; 3]; 5] =
    [[0x00, 0x50, 0x56], [0x00, 0x0c, 0x29], [0x00, 0x05, 0x69], [0x00, 0x15, 0x5d], [0x00, 0x16, 0x3e]];

/// Tells where the device behind an account is another machine than it was.
pub(in crate::ingest::plan) fn replaced(
    draft: &mut Draft<'_>,
    site: SiteId,
    handle: &Handle,
    (before, after): (&Device, &Device),
) {
    let Some((old, new)) = merge::replaced(before, after) else { return };
    let now = draft.record.time;
    let listed = |serials: BTreeSet<String>| serials.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    let told = vec![
        evidence("device", after.id),
        evidence("device_name", after.name()),
        evidence("serial_before", listed(old)),
        evidence("serial_after", listed(new)),
    ];
    let found = concluded(&centre::DEVICE_REPLACED, handle.scope.to_string(), (now, now));
    anomalies::concluded(draft, site, Concluded { evidence: told, ..found });
}

/// Returns the access ports behind which there are several machines.
pub(super) fn hubs<'s>(
    state: &'s SiteState,
    now: Timestamp,
    concluding: &Concluding,
) -> impl Iterator<Item = Concluded> + use<'s> {
    let least = concluding.hub_endpoints;
    let ports = crowded(state, now, concluding.clone_ms);
    ports.into_iter().filter(move |(_, there)| there.len() >= least).filter_map(move |((id, interface), there)| {
        let device = state.device(id)?;
        let port = &device.interfaces.iter().find(|it| it.id == interface)?.said.name;
        let since = there.iter().filter_map(|it| it.located.as_ref()).map(|it| it.since).max().unwrap_or(now);
        let macs: Vec<String> = there.iter().take(NAMED_MAX).map(|it| it.mac.to_string()).collect();
        let told = vec![
            evidence("device", device.id),
            evidence("device_name", device.name()),
            evidence("port_name", port),
            evidence("machines", there.len()),
            evidence("such_as", macs.join(", ")),
        ];
        let found = concluded(&centre::HUB, format!("{} {port}", device.name()), (since, now));
        Some(Concluded { confidence: 70, evidence: told, ..found })
    })
}

/// Returns who has been at each access port for so long, where nothing that announces itself is behind it.
fn crowded(state: &SiteState, now: Timestamp, lasts_ms: i64) -> BTreeMap<(DeviceId, InterfaceId), Vec<&Endpoint>> {
    let announced: BTreeSet<(DeviceId, InterfaceId)> = state
        .links
        .iter()
        .flat_map(|link| [&link.a, &link.b])
        .filter_map(|end| match end {
            LinkEnd::Interface { device, interface: Some(port), .. } => Some((state.canonical(*device), *port)),
            _ => None,
        })
        .collect();
    let mut ports: BTreeMap<(DeviceId, InterfaceId), Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in state.visible_endpoints().filter(|it| it.is_current() && !is_virtual(it.mac)) {
        let Some((place, since)) = at_port(endpoint) else { continue };
        let port = (state.canonical(place.device), place.interface);
        let lately = endpoint.last_seen().is_some_and(|last| now.ms_since(last) < LATELY_MS);
        let edge = state.attachment(endpoint.mac).is_some_and(|it| it.is_sure() && is_edge(it.reason));
        if lately && edge && now.ms_since(since) >= lasts_ms && !announced.contains(&port) {
            ports.entry(port).or_default().push(endpoint);
        }
    }
    ports
}

fn at_port(endpoint: &Endpoint) -> Option<(Place, Timestamp)> {
    let located = endpoint.located.as_ref()?;
    match located.at {
        Where::Port(place) => Some((place, located.since)),
        _ => None,
    }
}

/// Returns whether a port is one without a managed device behind it.
const fn is_edge(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::EdgePort { .. }
            | Reason::BehindPhone { .. }
            | Reason::FewestAddresses { .. }
            | Reason::MostAgree { .. }
    )
}

fn is_virtual(mac: MacAddr) -> bool {
    let [a, b, c, ..] = mac.0;
    VIRTUAL.contains(&[a, b, c]) || [a, b, c] == [0x52, 0x54, 0x00]
}
