//! Attachments: where the endpoints of a site are, from the tables of its devices.
//!
//! Invariant: the inference sees one site's evidence at a time, seldom and never on a report's path; an endpoint that was
//! somewhere is believed to have moved only when the evidence for the new place is plain, or has stayed for a while. Rows
//! that age out of tables leave the endpoint where it was last: absence is no move.

use std::{collections::BTreeMap, sync::Arc};

use onenet_topology::{
    DeviceId, InterfaceId, SiteId, Timestamp,
    device::{Device, Handle, Interface},
    endpoint::{Endpoint, Located},
    fact::{self, FactBody, ForwardingStatus, Group, InterfaceStatus, Method},
    inference::{
        Attachment, DeviceEvidence, ForwardingEvidence, InterfaceEvidence, NeighbourEvidence, Place, PortLink, Reason,
        RejectReason, SiteEvidence, Where, infer,
    },
    link::LinkEnd,
};

use super::{Draft, links, merging};
use crate::estate::{Change, Held, SiteState};

/// Sites that one tick settles, so that a country that reports at once does not hold up the log.
const SITES_PER_TICK: usize = 8;
/// Confidence from which an edge port convinces at once.
const PLAIN: u8 = 50;

/// Settles sites whose tables changed.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let now = draft.record.time;
    let due: Vec<SiteId> = draft
        .next
        .unsettled
        .get()
        .iter()
        .filter(|(_, since)| now.ms_since(**since) >= draft.policy.settle_after_ms)
        .map(|(site, _)| *site)
        .take(SITES_PER_TICK)
        .collect();
    for site in due {
        let waiting = settle_site(draft, site);
        // Whoever is on the move is looked at again.
        draft.put(Change::Unsettled { site, since: waiting.then_some(now) });
    }
}

/// Returns whether some endpoint's move is not believed yet.
fn settle_site(draft: &mut Draft<'_>, site: SiteId) -> bool {
    if merging::settle(draft, site) {
        links::derive(draft, site);
    }
    let Some(state) = draft.next.site(site).cloned() else { return false };
    let inference = Arc::new(infer(&evidence(&state)));
    if *inference != **state.inference.get() {
        draft.put(Change::Inferred { site, inference: Arc::clone(&inference) });
    }
    let (now, hold_ms) = (draft.record.time, draft.policy.move_hold_ms);
    let mut waiting = false;
    for (mac, attachment) in &inference.attachments {
        let Some(endpoint) = state.endpoint_by_mac(*mac) else { continue };
        let Some(located) = locate(&state, endpoint, attachment, now, hold_ms) else { continue };
        waiting |= located.contender.is_some();
        if endpoint.located.as_ref() != Some(&located) {
            let endpoint = Arc::new(Endpoint { located: Some(located), ..Endpoint::clone(endpoint) });
            draft.put(Change::Endpoint { site, endpoint });
        }
    }
    waiting
}

/// Returns where the endpoint is now believed to be; `None` when nothing was ever known.
fn locate(state: &SiteState, endpoint: &Endpoint, found: &Attachment, now: Timestamp, hold_ms: i64) -> Option<Located> {
    let at = found.at;
    let here = |since| Some(Located { at, since, contender: None });
    let Some(known) = &endpoint.located else {
        return if at == Where::Nowhere { None } else { here(now) };
    };
    // Devices may have been merged since, which is no move either.
    let known = Located { at: state.canonical_place(known.at), ..known.clone() };
    if at == Where::Nowhere || is_same_place(at, known.at) {
        // A VLAN may become known, or change, without a move.
        let at = if at == Where::Nowhere { known.at } else { at };
        return Some(Located { at, since: known.since, contender: None });
    }
    let since = match known.contender {
        Some((contender, since)) if is_same_place(state.canonical_place(contender), at) => since,
        _ => now,
    };
    if is_plain(state, endpoint, known.at, found) || now.ms_since(since) >= hold_ms {
        return here(since);
    }
    Some(Located { at: known.at, since: known.since, contender: Some((at, since)) })
}

fn is_same_place(one: Where, other: Where) -> bool {
    match (one, other) {
        (Where::Port(one), Where::Port(other)) => (one.device, one.interface) == (other.device, other.interface),
        (Where::Behind { device: one, .. }, Where::Behind { device: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// Returns whether a move is beyond doubt: to the only edge port, while the old port is down, has the address no more, or
/// turned out to be on the way there.
fn is_plain(state: &SiteState, endpoint: &Endpoint, old: Where, found: &Attachment) -> bool {
    let edge = matches!(found.reason, Reason::EdgePort { .. }) && found.confidence >= PLAIN;
    let Where::Port(old) = old else { return edge };
    if is_on_the_way(old, found) {
        return edge;
    }
    let Some(interface) = state.interface(old.device, old.interface) else { return edge };
    let down = interface.said.oper == InterfaceStatus::Down || !interface.current;
    let handles = state.device(old.device).map_or(&[][..], |device| &device.handles);
    let still_there = endpoint.witnesses.iter().any(|witness| {
        let of_device =
            |handle: &Handle| handle.agent == witness.source.agent && handle.scope == witness.source.group.scope;
        witness.current
            && Method::FORWARDING.contains(&witness.source.group.method)
            && witness.interface.as_deref() == Some(interface.said.name.as_str())
            && handles.iter().any(of_device)
    });
    edge && (down || !still_there)
}

/// Returns whether a port leads to where the endpoint was found. The core's table may come before the access switch's, and
/// then the endpoint is at the uplink first: what follows says where it was all the time. A forged frame at another switch
/// cannot do this, since a terminal's own port leads nowhere.
fn is_on_the_way(old: Place, found: &Attachment) -> bool {
    found.rejected.iter().any(|rejected| {
        (rejected.device, rejected.interface) == (old.device, Some(old.interface))
            && matches!(rejected.reason, RejectReason::LeadsTo { .. } | RejectReason::BetweenSwitches { .. })
    })
}

/// Returns what the devices of a site say, with resolved names.
pub(crate) fn evidence(state: &SiteState) -> SiteEvidence {
    // Nobody tells the centre which addresses agents broadcast from; without them no answer is less sure.
    let devices = state.devices.values().map(|device| device_evidence(state, device)).collect();
    SiteEvidence { devices, anchors: Vec::new() }
}

fn device_evidence(state: &SiteState, device: &Arc<Device>) -> DeviceEvidence {
    let held = |method: Method| facts(state, device, method);
    let forwarding = || Method::FORWARDING.into_iter().flat_map(held);
    let rows = newest(forwarding().filter_map(|held| match &held.fact.body {
        FactBody::Forwarding(row) if row.status == ForwardingStatus::Learned => {
            Some((row.interface.as_deref()?, held.fact.observed))
        }
        _ => None,
    }));
    let states = newest(held(Method::SnmpInterfaces).filter_map(|held| match &held.fact.body {
        FactBody::Interface(interface) => Some((interface.name.as_str(), held.fact.observed)),
        _ => None,
    }));
    // Tables are read at different times: an address that was learned after the port was seen down says that it came up.
    let outdated = |name: &str| rows.get(name) > states.get(name);
    let aggregates: BTreeMap<&str, InterfaceId> = held(Method::SnmpAggregation)
        .filter_map(|held| match &held.fact.body {
            FactBody::Aggregation(it) => Some((it.member.as_str(), device.interface(&it.aggregate)?.id)),
            _ => None,
        })
        .collect();
    let current = device.interfaces.iter().filter(|it| it.current);
    DeviceEvidence {
        id: device.id,
        own_macs: device.own_macs().collect(),
        interfaces: current
            .map(|it| {
                let aggregate = aggregates.get(it.said.name.as_str()).copied();
                interface_evidence(it, outdated(&it.said.name), aggregate)
            })
            .collect(),
        forwarding: forwarding().filter_map(|held| forwarding_evidence(device, held)).collect(),
        neighbours: held(Method::SnmpNeighbours).filter_map(|held| neighbour_evidence(state, device, held)).collect(),
    }
}

/// Returns the newest time for each name.
fn newest<'n>(named: impl Iterator<Item = (&'n str, Timestamp)>) -> BTreeMap<&'n str, Timestamp> {
    let mut newest = BTreeMap::new();
    for (name, time) in named {
        let known = newest.entry(name).or_insert(time);
        *known = time.max(*known);
    }
    newest
}

/// Returns what a device says of a port; whether it is up is not known where that is `outdated`.
fn interface_evidence(interface: &Interface, outdated: bool, aggregate: Option<InterfaceId>) -> InterfaceEvidence {
    let said = &interface.said;
    InterfaceEvidence {
        id: interface.id,
        name: said.name.clone(),
        if_index: said.if_index,
        mac: said.mac,
        kind: port_link(said.if_type),
        up: match said.oper {
            InterfaceStatus::Up => Some(true),
            InterfaceStatus::Unknown => None,
            _ => (!outdated).then_some(false),
        },
        aggregate,
        partner: None,
    }
}

/// Returns what kind of port an ifType is (IANAifType-MIB).
const fn port_link(if_type: u32) -> PortLink {
    match if_type {
        71 => PortLink::Wireless,
        161 => PortLink::Aggregate,
        // softwareLoopback, propVirtual, tunnel, l2vlan, l3ipvlan, mplsTunnel
        24 | 53 | 131 | 135 | 136 | 150 => PortLink::Virtual,
        _ => PortLink::Wired,
    }
}

fn forwarding_evidence(device: &Device, held: &Held) -> Option<ForwardingEvidence> {
    let FactBody::Forwarding(fact::Forwarding { mac, vlan, interface, status, .. }) = &held.fact.body else {
        return None;
    };
    let interface = interface.as_deref().and_then(|name| device.interface(name)).map(|interface| interface.id);
    Some(ForwardingEvidence { mac: *mac, vlan: *vlan, interface, learned: *status == ForwardingStatus::Learned })
}

fn neighbour_evidence(state: &SiteState, device: &Device, held: &Held) -> Option<NeighbourEvidence> {
    let FactBody::Neighbour(neighbour) = &held.fact.body else { return None };
    let interface = device.interface(&neighbour.local_interface)?.id;
    let (remote, remote_interface): (Option<DeviceId>, _) = match links::far_end(state, neighbour) {
        LinkEnd::Interface { device, interface, .. } => (Some(device), interface),
        LinkEnd::Agent { .. } | LinkEnd::Unmanaged { .. } => (None, None),
    };
    let remote_device = remote.and_then(|remote| state.device(remote));
    // LLDP is not signed: whoever is plugged in can call himself a switch of the site.
    if remote_device.is_some_and(|remote| !is_confirmed(state, device, &neighbour.local_interface, remote)) {
        return Some(NeighbourEvidence { interface, device: None, remote_interface: None, chassis_id: String::new() });
    }
    Some(NeighbourEvidence { interface, device: remote, remote_interface, chassis_id: neighbour.chassis_id.clone() })
}

/// Returns whether a device bears out that `remote` is behind a port of `device`: `remote` hears it too, or `device` has
/// learned an address of `remote` there.
fn is_confirmed(state: &SiteState, device: &Device, port: &str, remote: &Device) -> bool {
    let hears_back = facts(state, remote, Method::SnmpNeighbours).any(|held| match &held.fact.body {
        FactBody::Neighbour(back) => {
            matches!(links::far_end(state, back), LinkEnd::Interface { device: far, .. } if far == device.id)
        }
        _ => false,
    });
    hears_back
        || Method::FORWARDING.into_iter().flat_map(|method| facts(state, device, method)).any(|held| {
            match &held.fact.body {
                FactBody::Forwarding(row) => {
                    row.status == ForwardingStatus::Learned
                        && row.interface.as_deref() == Some(port)
                        && state.own_macs.contains_key(&(row.mac, remote.id))
                }
                _ => false,
            }
        })
}

/// Returns what all who poll a device read of one of its tables.
fn facts<'s>(state: &'s SiteState, device: &'s Device, method: Method) -> impl Iterator<Item = &'s Arc<Held>> {
    let groups = device
        .handles
        .iter()
        .filter_map(move |handle| state.group(handle.agent, &Group { method, scope: handle.scope.clone() }));
    groups.flat_map(|group| group.iter().map(|(_, held)| held))
}
