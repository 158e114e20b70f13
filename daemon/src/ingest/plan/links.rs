//! Links of a site from what devices, and agents themselves, hear of their neighbours (IEEE 802.1AB, CDP).
//!
//! Invariant: one cable is one link, whichever end tells of it; a neighbour that is not polled is kept as it names
//! itself.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    AgentId, MacAddr, SiteId,
    device::{Device, Handle},
    fact::{FactBody, Group, Method, Neighbour},
    link::{Link, LinkEnd, LinkEvidence},
};

use super::Draft;
use crate::estate::{Change, SiteState};

/// Derives the links of a site again.
pub(super) fn derive(draft: &mut Draft<'_>, site: SiteId) {
    let Some(state) = draft.next.site(site) else { return };
    let links = links_of(state);
    if *links != *state.links {
        draft.put(Change::Links { site, links });
    }
}

/// Returns the links that follow from the facts of a site.
pub(crate) fn links_of(state: &SiteState) -> Arc<[Link]> {
    let mut links: BTreeMap<(LinkEnd, LinkEnd), Link> = BTreeMap::new();
    let groups = state
        .facts
        .iter()
        .filter(|((_, group), _)| matches!(group.method, Method::SnmpNeighbours | Method::PassiveLldp));
    for ((agent, group), held) in groups {
        for (_, held) in held.iter() {
            let FactBody::Neighbour(neighbour) = &held.fact.body else { continue };
            let (local, heard_by) = local_end(state, *agent, group, neighbour);
            let observed = held.fact.observed;
            let evidence = LinkEvidence { agent: *agent, method: group.method, heard_by, observed };
            let link = Link::new(local, far_end(state, neighbour), evidence);
            match links.get_mut(&(link.a.clone(), link.b.clone())) {
                Some(known) => known.evidence.extend(link.evidence),
                None => {
                    links.insert((link.a.clone(), link.b.clone()), link);
                }
            }
        }
    }
    for link in links.values_mut() {
        link.evidence.sort_unstable();
    }
    links.into_values().collect()
}

/// Returns the end that heard: a device's port, or the agent's own.
fn local_end(
    state: &SiteState,
    agent: AgentId,
    group: &Group,
    neighbour: &Neighbour,
) -> (LinkEnd, Option<onenet_topology::DeviceId>) {
    let handle = Handle { agent, scope: group.scope.clone() };
    let device = state.handles.get(&handle).and_then(|id| state.device(*id));
    match device.filter(|_| group.method == Method::SnmpNeighbours) {
        Some(device) => (port(device, &neighbour.local_interface), Some(device.id)),
        None => (LinkEnd::Agent { agent, interface: neighbour.local_interface.clone() }, None),
    }
}

/// Returns the end that was heard of, as one of the site's devices where it is one.
pub(super) fn far_end(state: &SiteState, neighbour: &Neighbour) -> LinkEnd {
    let by_mac = neighbour.chassis_id.parse::<MacAddr>().ok().and_then(|mac| {
        let first = (mac, onenet_topology::DeviceId::from_raw(0));
        let ((found, device), ()) = state.own_macs.range(first..).next()?;
        (*found == mac).then_some(device)
    });
    let device = by_mac.and_then(|id| state.devices.get(id)).or_else(|| named(state, neighbour));
    device.map_or_else(
        || LinkEnd::Unmanaged {
            chassis_id: neighbour.chassis_id.clone(),
            port_id: neighbour.port_id.clone(),
            system_name: neighbour.system_name.clone(),
        },
        |device| far_port(device, neighbour),
    )
}

/// Returns the one device that has the neighbour's chassis id, or its system name if no other has it too.
fn named<'s>(state: &'s SiteState, neighbour: &Neighbour) -> Option<&'s Arc<Device>> {
    let same = |one: &str, other: &str| !one.is_empty() && one.eq_ignore_ascii_case(other);
    let system = |device: &'s Arc<Device>| device.system.as_ref();
    let chassis = state
        .devices
        .values()
        .find(|device| system(device).is_some_and(|system| same(&system.chassis_id, &neighbour.chassis_id)));
    chassis.or_else(|| {
        let mut by_name = state
            .devices
            .values()
            .filter(|device| system(device).is_some_and(|system| same(&system.name, &neighbour.system_name)));
        by_name.next().filter(|_| by_name.next().is_none())
    })
}

fn port(device: &Device, name: &str) -> LinkEnd {
    let interface = device.interface(name).map(|interface| interface.id);
    LinkEnd::Interface { device: device.id, interface, name: name.to_owned() }
}

/// Returns the port that a neighbour means: by ifName, by MAC address, by alias, or by its description.
fn far_port(device: &Device, neighbour: &Neighbour) -> LinkEnd {
    let mac = neighbour.port_id.parse::<MacAddr>().ok();
    let texts = [neighbour.port_id.as_str(), neighbour.port_description.as_str()];
    let found = texts
        .iter()
        .find_map(|text| device.interface(text))
        .or_else(|| device.interfaces.iter().find(|it| mac.is_some() && it.said.mac == mac))
        .or_else(|| {
            let aliased = |alias: &str| !alias.is_empty() && texts.contains(&alias);
            device.interfaces.iter().find(|it| aliased(&it.said.alias))
        });
    found.map_or_else(
        || LinkEnd::Interface { device: device.id, interface: None, name: neighbour.port_id.clone() },
        |interface| port(device, &interface.said.name),
    )
}
